//! Runs side by side, as a file.

use aiotest_tests::Engine;

use super::{Reported, page::Page, url_of};

#[test]
fn a_comparison_shows_both_runs_and_what_changed() {
    let runs = ["Rush -u 2 -t 6s", "Rush -u 4 -t 6s"].map(Reported::run);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let files = ["before.json", "after.json"].map(|name| folder.path().join(name));
    for (run, file) in runs.iter().zip(&files) {
        std::fs::write(file, run.document().to_string()).expect("it can be written");
    }
    let html = folder.path().join("both.html");
    let [before, after] = &files;
    let args = [
        "compare".as_ref(),
        before.as_os_str(),
        after.as_os_str(),
        "--html".as_ref(),
        html.as_os_str(),
    ];
    let output = Engine::new().run(args);
    assert_eq!(output.code, Some(0), "{output:#?}");

    let page = Page::open(&url_of(&folder, "both.html"));
    page.wait_for_text("All requests");
    let names = page.text("h1");
    assert!(
        names.contains("before") && names.contains("after"),
        "{names}"
    );
    let metrics = page.texts("table.changes tbody th");
    assert_eq!(
        metrics,
        [
            "Requests/s",
            "Failures",
            "Average",
            "p50",
            "p90",
            "p95",
            "p99",
            "p99.9"
        ]
    );
    let legend = page.texts("#charts .chart:first-child .legend li");
    assert_eq!(legend.len(), 2, "{legend:?}");
    let rows = runs[0].document()["requests"].as_array();
    let rows = rows.expect("there are rows").len();
    assert_eq!(page.texts("#requests tbody tr").len(), rows);
    // What differs may be why the results do.
    let differs = page.texts("#environment tr.differs th");
    assert!(
        differs.iter().any(|what| what.starts_with("Users at peak")),
        "{differs:?}"
    );
    page.assert_clean();
}
