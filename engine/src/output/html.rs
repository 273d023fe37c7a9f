//! A report, or a comparison of some, as one page that needs nothing else. The page itself
//! is built from `web/`; here it gets its data, and rules for the browser. Knows nothing of
//! what it looks like.

use crate::compare::Comparison;
use crate::report::{NamedRequests, Report};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::cmp::Reverse;
use std::fmt::Write as _;

/// The page without data.
const PAGE: &str = include_str!("html/index.html");
/// After which its data come.
const DATA: &str = r#"<script id="data" type="application/json">"#;
/// After which the rules for the browser come: before all that they are about.
const HEAD: &str = r#"<meta charset="utf-8">"#;
/// Names whose distributions come as a whole, the busiest ones.
const MAX_HISTOGRAMS: usize = 100;

/// The page of these reports.
#[must_use]
pub fn render(reports: &[Report], comparison: Option<&Comparison>) -> String {
    let data = Data {
        reports: reports.iter().map(slim).collect(),
        comparison,
    };
    // Texts, numbers and maps with text keys all have a form in JSON.
    let data = embedded(&serde_json::to_string(&data).unwrap_or_default());
    page("'none'", &data)
}

/// The page that asks the server it comes from for its data.
#[must_use]
pub fn live() -> String {
    page("'self'", "")
}

#[derive(Serialize)]
struct Data<'a> {
    reports: Vec<Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<&'a Comparison>,
}

/// What the page shows of a report. The rest would be most of its size.
fn slim(report: &Report) -> Report {
    let mut report = report.clone();
    report.timeline.histograms.clear();
    let distributions = (report.phases_ms.values_mut())
        .chain(report.groups.values_mut().map(|group| &mut group.time_ms))
        .chain(report.trends.values_mut())
        .chain([
            &mut report.iterations.time_ms,
            &mut report.iterations.late_ms,
            &mut report.engine.lag_ms,
        ]);
    for distribution in distributions {
        distribution.histogram = None;
    }
    let mut rows: Vec<&mut NamedRequests> = report.requests.iter_mut().collect();
    rows.sort_by_key(|row| Reverse(row.requests.requests));
    for row in rows.into_iter().skip(MAX_HISTOGRAMS) {
        let requests = &mut row.requests;
        requests.time_ms.histogram = None;
        if let Some(planned) = &mut requests.time_from_planned_start_ms {
            planned.histogram = None;
        }
    }
    report
}

/// The text of a JSON document, in which nothing can end the element around it: such
/// characters occur in strings only, where they have another spelling.
fn embedded(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            _ => text.push(c),
        }
    }
    text
}

/// The page with its data, which may connect to `connect`.
fn page(connect: &str, data: &str) -> String {
    let rules = format!(
        "\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         script-src {}; style-src {}; img-src data:; connect-src {connect}; base-uri 'none'; \
         form-action 'none'\">",
        hashes(PAGE, "<script", "</script>"),
        hashes(PAGE, "<style", "</style>"),
    );
    let (head, body) = PAGE.split_at(end_of(HEAD));
    let (body, tail) = body.split_at(end_of(DATA) - head.len());
    [head, &rules, body, data, tail].concat()
}

/// Where a part of the page ends that occurs once in it, as the tests see to.
fn end_of(part: &str) -> usize {
    PAGE.find(part).map_or(0, |at| at + part.len())
}

/// The hashes of the elements of a kind, which alone may take effect.
fn hashes(mut page: &str, start: &str, end: &str) -> String {
    let mut hashes = Vec::new();
    while let Some((_, element)) = page.split_once(start) {
        let (_, content) = element.split_once('>').unwrap_or_default();
        let (content, rest) = content.split_once(end).unwrap_or_default();
        if !content.is_empty() {
            let hash = BASE64.encode(Sha256::digest(content));
            hashes.push(format!("'sha256-{hash}'"));
        }
        page = rest;
    }
    hashes.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::fixture;
    use serde_json::Value;

    /// The text within the data element.
    fn data(page: &str) -> &str {
        let (_, rest) = page.split_once(DATA).unwrap();
        rest.split_once("</script>").unwrap().0
    }

    fn parsed(page: &str) -> Value {
        serde_json::from_str(data(page)).unwrap()
    }

    /// What a browser lets the page do.
    fn rules(page: &str) -> &str {
        let (_, rules) = page
            .split_once("<meta http-equiv=\"Content-Security-Policy\" content=\"")
            .unwrap();
        rules.split_once('"').unwrap().0
    }

    #[test]
    fn the_page_has_a_place_for_everything() {
        for part in [HEAD, DATA] {
            assert_eq!(PAGE.matches(part).count(), 1, "{part}");
        }
        assert_eq!(data(PAGE), "");
        assert_eq!(data(&live()), "");
        assert!(end_of(HEAD) < end_of(DATA));
        for element in ["<script", "<style", "<link"] {
            let at = PAGE.find(element).unwrap_or(usize::MAX);
            assert!(end_of(HEAD) < at, "{element} comes before the rules");
        }
    }

    #[test]
    fn only_the_page_itself_may_do_anything() {
        let own = "<script id=\"data\"></script><style>a{}</style>\
                   <script type=\"module\">alert(1)</script>";
        assert_eq!(
            hashes(own, "<script", "</script>"),
            "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
        );
        assert_eq!(
            hashes(own, "<style", "</style>"),
            "'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='"
        );
        let report = render(&[fixture::report()], None);
        for (page, connects) in [
            (live(), "connect-src 'self'"),
            (report, "connect-src 'none'"),
        ] {
            let rules = rules(&page);
            for rule in ["default-src 'none'", "script-src 'sha256-", connects] {
                assert!(rules.contains(rule), "{rule} is not in {rules}");
            }
            assert!(!rules.contains("unsafe"), "{rules}");
        }
    }

    #[test]
    fn the_data_match_their_golden() {
        let page = render(&[fixture::report()], None);
        let pretty = serde_json::to_string_pretty(&parsed(&page)).unwrap();
        fixture::assert_golden("page-data.json", &(pretty + "\n"));
    }

    #[test]
    fn no_text_ends_the_element_around_it() {
        let texts = [
            "</script><script>alert(1)</script>",
            "<!--<script>",
            "]]>&lt;\u{2028}\u{2029}\u{0}\\\"",
        ];
        let empty = render(&[], None).replacen(r#"{"reports":[]}"#, "", 1);
        for text in texts {
            let mut report = fixture::report();
            report.requests[0].name = text.to_owned();
            report.run.labels.insert(text.to_owned(), text.to_owned());
            let page = render(&[report.clone(), report.clone()], None);
            let raw = data(&page);
            assert!(!raw.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
            assert!(page.replacen(raw, "", 1) == empty);
            let seen = parsed(&page);
            for report in seen["reports"].as_array().unwrap() {
                assert_eq!(report["requests"][0]["name"], text);
                assert_eq!(report["run"]["labels"][text], text);
            }
        }
    }

    #[test]
    fn many_names_and_much_time_make_no_huge_page() {
        let mut report = fixture::report();
        let row = report.requests[0].clone();
        report.requests = (0..1500)
            .map(|n| {
                let mut row = row.clone();
                row.name = format!("/{n}/{}", "x".repeat(100));
                row.requests.requests = n;
                row
            })
            .collect();
        let page = render(&[report.clone()], None);
        assert!(page.len() < PAGE.len() + 3_000_000, "{}", page.len());

        let data = parsed(&page);
        let rows = data["reports"][0]["requests"].as_array().unwrap();
        assert_eq!(rows.len(), 1500);
        let whole = rows
            .iter()
            .filter(|row| !row["time_ms"]["histogram"].is_null());
        let whole: Vec<_> = whole.map(|row| row["requests"].as_u64().unwrap()).collect();
        assert_eq!(whole, (1400..1500).collect::<Vec<_>>());
        assert!(!data["reports"][0]["total"]["time_ms"]["histogram"].is_null());
        assert!(data["reports"][0]["timeline"]["histograms"].is_null());
        // What the run measured is in its own document all the same.
        assert!(report.requests[0].requests.time_ms.histogram.is_some());
    }
}
