//! A run as it proceeds, as server-sent events: each holds a report of the run so far.
//! Knows nothing of who reads them.

use std::cmp::Reverse;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, stream};
use http_body_util::StreamBody;
use hyper::body::Frame;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::report::Report;

/// Rows for each name in an event; the whole report has them all.
const MAX_ROWS: usize = 200;

type Events = Pin<Box<dyn Stream<Item = std::io::Result<Frame<Bytes>>> + Send>>;

/// The body of an answer that goes on until the reader leaves or the endpoint closes.
pub(super) type Updates = StreamBody<Events>;

/// The report now, and each one that follows until the run is over.
pub(super) fn updates(
    mut reports: watch::Receiver<Arc<Report>>,
    closing: CancellationToken,
) -> Updates {
    reports.mark_changed();
    let events = stream::unfold((reports, closing), |(mut reports, closing)| async {
        let changed = tokio::select! {
            // The last report goes out before the end.
            biased;
            changed = reports.changed() => changed.is_ok(),
            () = closing.cancelled() => false,
        };
        let report = changed.then(|| reports.borrow_and_update().clone())?;
        Some((Ok(Frame::data(event(&report))), (reports, closing)))
    });
    StreamBody::new(Box::pin(events))
}

/// A report as an event, with the names that are the busiest.
fn event(report: &Report) -> Bytes {
    let json = match report.requests.len() > MAX_ROWS {
        true => serde_json::to_vec(&busiest(report)),
        false => serde_json::to_vec(report),
    };
    // Structs of plain fields always have a JSON form, and it has no line breaks.
    let json = json.unwrap_or_default();
    [b"data: ", &json[..], b"\n\n"].concat().into()
}

fn busiest(report: &Report) -> Report {
    let mut report = report.clone();
    let rows = &mut report.requests;
    rows.sort_by_key(|row| Reverse(row.requests.requests));
    rows.truncate(MAX_ROWS);
    rows.sort_by(|a, b| (&a.name, &a.method, &a.tags).cmp(&(&b.name, &b.method, &b.tags)));
    report
}
