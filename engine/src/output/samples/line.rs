//! A sample as a line of JSON. Each line has the same fields, and each field has always the
//! same type: tools that guess columns from the first lines must not be surprised by the
//! rest. So texts that are absent are empty, and times of what did not happen are zero.
//! Knows nothing of files.

#[cfg(test)]
mod tests;

use crate::metrics::cut;
use crate::sample::{Sample, Timings};
use crate::secrets::Secrets;
use hashbrown::HashMap;
use std::borrow::Cow;
use std::time::{Duration, Instant, SystemTime};

/// Masked texts that are remembered: masking takes much longer than looking one up.
const MAX_KNOWN: usize = 1000;

/// Tells the time of day by the monotonic clock, so that no adjustment moves samples.
#[derive(Debug)]
pub(super) struct Clock {
    origin: Instant,
    /// The origin, since the Unix epoch.
    epoch: Duration,
}

impl Clock {
    pub(super) fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            origin: Instant::now(),
            epoch: since_epoch.unwrap_or_default(),
        }
    }

    /// When the request began, since the Unix epoch. Where that is not known, the request
    /// has just ended.
    pub(super) fn start_of(&self, sample: &Sample<'_>) -> Duration {
        match sample.timings.started {
            // It may have begun before the file was created.
            Some(started) if started < self.origin => self
                .epoch
                .saturating_sub(self.origin.duration_since(started)),
            Some(started) => self.epoch + started.duration_since(self.origin),
            None => (self.epoch + self.origin.elapsed()).saturating_sub(sample.timings.total),
        }
    }
}

/// Makes lines.
#[derive(Debug)]
pub(super) struct Lines {
    stamp: Stamp,
    masked: Masked,
}

impl Lines {
    pub(super) fn new(secrets: Secrets) -> Self {
        Self {
            stamp: Stamp::new(),
            masked: Masked {
                secrets,
                known: HashMap::new(),
            },
        }
    }

    /// Appends a line about a sample that started at this time after the Unix epoch. By
    /// hand: a serializer takes four times as long, which is felt with every request.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, sample: &Sample<'_>, started: Duration) {
        out.extend_from_slice(b"{\"started_at\":\"");
        out.extend_from_slice(self.stamp.at(started));
        out.extend_from_slice(b"\",\"method\":");
        self.text(out, cut(sample.method));
        out.extend_from_slice(b",\"name\":");
        self.text(out, cut(sample.name));
        out.extend_from_slice(b",\"tags\":");
        self.text(out, sample.tags);
        out.extend_from_slice(b",\"status\":");
        whole(out, u64::from(sample.status));
        match sample.failure {
            None => out.extend_from_slice(br#","ok":true,"kind":"","message":"""#),
            Some(failure) => {
                out.extend_from_slice(b",\"ok\":false,\"kind\":");
                self.text(out, cut(failure.kind));
                out.extend_from_slice(b",\"message\":");
                self.text(out, cut(failure.message));
            }
        }
        times(out, &sample.timings);
        match sample.late {
            None => out.extend_from_slice(br#","planned":false,"late_ms":0.000"#),
            Some(late) => {
                out.extend_from_slice(b",\"planned\":true");
                millis(out, b",\"late_ms\":", late);
            }
        }
        out.extend_from_slice(b",\"bytes_sent\":");
        whole(out, sample.sent);
        out.extend_from_slice(b",\"bytes_received\":");
        whole(out, sample.received);
        out.extend_from_slice(b"}\n");
    }

    fn text(&mut self, out: &mut Vec<u8>, text: &str) {
        self.masked.show(text, |shown| {
            // Writing a text to memory cannot fail.
            let _ = serde_json::to_writer(out, shown);
        });
    }
}

fn times(out: &mut Vec<u8>, timings: &Timings) {
    let Timings {
        dns, connect, tls, ..
    } = *timings;
    millis(out, b",\"total_ms\":", timings.total);
    if (dns + connect + tls).is_zero() {
        // As for most requests: their connection was there.
        out.extend_from_slice(br#","dns_ms":0.000,"connect_ms":0.000,"tls_ms":0.000"#);
    } else {
        millis(out, b",\"dns_ms\":", dns);
        millis(out, b",\"connect_ms\":", connect);
        millis(out, b",\"tls_ms\":", tls);
    }
    millis(out, b",\"send_ms\":", timings.send);
    millis(out, b",\"first_byte_ms\":", timings.first_byte);
    millis(out, b",\"body_ms\":", timings.body);
}

fn whole(out: &mut Vec<u8>, number: u64) {
    // Writing a number to memory cannot fail.
    let _ = serde_json::to_writer(out, &number);
}

/// To the nearest microsecond, as percentiles are counted. Always with a fraction, so that
/// nobody takes the column for whole numbers.
fn millis(out: &mut Vec<u8>, key: &[u8], span: Duration) {
    let nanos = u64::from(span.subsec_nanos());
    let micros = span.as_secs().saturating_mul(1_000_000);
    let micros = micros.saturating_add((nanos + 500) / 1000);
    out.extend_from_slice(key);
    whole(out, micros / 1000);
    let rest = micros % 1000;
    let [hundreds, tens, ones] = [rest / 100, rest / 10 % 10, rest % 10].map(digit);
    out.extend_from_slice(&[b'.', hundreds, tens, ones]);
}

fn digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

/// A time in RFC 3339, of which all but the microseconds is written once a second.
#[derive(Debug)]
struct Stamp {
    second: u64,
    text: [u8; 27],
}

impl Stamp {
    fn new() -> Self {
        Self {
            second: 0,
            text: *b"1970-01-01T00:00:00.000000Z",
        }
    }

    /// The time so long after the Unix epoch.
    fn at(&mut self, since_epoch: Duration) -> &[u8] {
        let second = since_epoch.as_secs();
        if second != self.second {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
            let text = humantime::format_rfc3339_micros(time).to_string();
            if let Ok(text) = text.into_bytes().try_into() {
                self.text = text;
                self.second = second;
            }
        }
        let mut micros = u64::from(since_epoch.subsec_micros());
        for place in self.text[20..26].iter_mut().rev() {
            *place = digit(micros);
            micros /= 10;
        }
        &self.text
    }
}

/// Texts without the secrets of the run.
#[derive(Debug)]
struct Masked {
    secrets: Secrets,
    /// Texts as they came, and as they are shown where something is hidden.
    known: HashMap<Box<str>, Option<Box<str>>>,
}

impl Masked {
    /// Passes on what may be shown of the text.
    fn show(&mut self, text: &str, show: impl FnOnce(&str)) {
        if self.secrets.is_empty() || text.is_empty() {
            return show(text);
        }
        if let Some(known) = self.known.get(text) {
            return show(known.as_deref().unwrap_or(text));
        }
        let masked = self.secrets.mask(text);
        if self.known.len() < MAX_KNOWN {
            let masked = match &masked {
                Cow::Borrowed(_) => None,
                Cow::Owned(masked) => Some(masked.as_str().into()),
            };
            self.known.insert(text.into(), masked);
        }
        show(&masked);
    }
}
