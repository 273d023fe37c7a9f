//! The report of a run that is over, as a file.

use serde_json::{Value, json};

use super::{Reported, count, page::Page};

const FIRST_CHART: &str = "#charts .chart:first-child";
const SHOWN_ROWS: &str = "#requests tbody tr";

/// As WebDriver spells them.
const ENTER: &str = "\u{e007}";

#[test]
fn a_report_says_what_the_document_says() {
    let reported = Reported::run("Rush -u 4 -t 3s --label build=17 --threshold failures:rate<30%");
    let document = reported.document();
    let page = Page::open(&reported.url());
    page.wait_for_text("Passed");
    assert_eq!(page.text("h1"), "guest_probe.wasm");
    assert!(page.text("header").contains("build 17"));
    assert_eq!(page.text(".state"), "Finished");
    let threshold = &document["thresholds"][0];
    assert_eq!(page.text(".thresholds code"), threshold["expression"]);
    assert_eq!(page.text(".thresholds .measured"), threshold["value"]);

    let total = &document["total"];
    let tiles = page.texts(".tile");
    let requests = count(&total["requests"]);
    let tile = |name: &str| {
        let found = tiles
            .iter()
            .find(|text| text.lines().next() == Some(name))
            .unwrap_or_else(|| panic!("no {name} in {tiles:?}"));
        found.lines().nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(tile("Requests"), requests);
    let share = total["failure_share"].as_f64().expect("there is a share");
    assert_eq!(tile("Failures"), format!("{:.2}%", share * 100.0));

    let rows = document["requests"].as_array().expect("there are rows");
    let mut expected: Vec<_> = rows.iter().map(|row| count(&row["requests"])).collect();
    let mut shown: Vec<_> = page.texts(&format!("{SHOWN_ROWS} td:nth-child(3)"));
    expected.sort();
    shown.sort();
    assert_eq!(shown, expected);

    // Whoever does not see the charts reads them.
    let alone = "p.visually-hidden";
    let words = page.text(&format!("{FIRST_CHART} {alone}"));
    assert!(words.starts_with("Requests: from "), "{words}");
    page.press("Requests per second: show as table");
    let intervals = document["timeline"]["start_seconds"].as_array();
    let intervals = intervals.expect("there are intervals").len();
    let rows = page.texts(&format!("{FIRST_CHART} tbody tr"));
    assert_eq!(rows.len(), intervals, "{rows:?}");

    // The curve is made of the histogram, and ends with the longest time.
    let longest = page.eval(
        "JSON.parse(document.getElementById('data').textContent).reports[0].total.time_ms.max",
    );
    assert_eq!(longest, total["time_ms"]["max"]);
    page.press("Response times by percentile: show as table");
    let rows =
        "[...document.querySelectorAll('#charts .chart-table')].at(-1).querySelectorAll('tr')";
    page.wait(&format!("{rows}.length > 5"));
    let first = page.eval(&format!("[...{rows}][1].innerText.split(/\\s/)[0]"));
    let last = page.eval(&format!("[...{rows}].at(-1).innerText.split(/\\s/)[0]"));
    assert_eq!((first, last), (json!("min"), json!("max")));
    // A table stays one when its name changes, and becomes a chart again.
    page.click("#requests tbody .name-button");
    page.wait("document.querySelector('#requests tr.selected')");
    page.press("Response times by percentile: show as chart");
    page.press("Requests per second: show as chart");
    page.wait("document.querySelectorAll('#charts canvas').length === document.querySelectorAll('#charts .chart').length");
    page.assert_clean();
}

#[test]
fn a_thousand_unpleasant_names_sort_filter_and_do_nothing() {
    let reported = Reported::run("Namer -u 1 -e names=1000");
    assert_eq!(reported.results.code(), 0);
    let page = Page::open(&reported.url());
    page.wait_for_text("No failures");
    assert_eq!(page.texts(SHOWN_ROWS).len(), 50);
    assert_eq!(page.text("#requests .pager span"), "1–50 of 1,000");
    page.press("Next");
    page.wait("document.querySelector('#requests .pager span').innerText === '51–100 of 1,000'");

    let names = || page.texts("#requests tbody .name-button");
    let sorted = "document.querySelector('#requests th.name').ariaSort";
    page.click("#requests th.name button");
    page.wait(&format!("{sorted} === 'ascending'"));
    assert_eq!(page.text("#requests .pager span"), "1–50 of 1,000");
    assert!(names()[1].starts_with("=</script>\"1,"), "{:?}", names());
    page.click("#requests th.name button");
    page.wait(&format!("{sorted} === 'descending'"));
    assert!(names()[0].starts_with("=</script>\"999,"), "{:?}", names());

    page.click("#requests input[type=search]");
    page.keys("\"77");
    page.wait("document.querySelector('#requests [role=status]').innerText === '11 of 1,000'");
    assert_eq!(names().len(), 11);

    // Some names are followed over time, and of the others the page says that they are not.
    let names = &reported.document()["timeline"]["names"];
    let names: Vec<&str> = names
        .as_array()
        .expect("there are names")
        .iter()
        .map(number_of)
        .collect();
    let other = (0..1000)
        .map(|number| number.to_string())
        .find(|number| !names.contains(&number.as_str()));
    let other = other.expect("not all are followed");
    for (name, followed) in [(names[0], true), (other.as_str(), false)] {
        page.eval("document.querySelector('#requests input[type=search]').focus()");
        page.eval("document.activeElement.select()");
        page.keys(&format!("\"{name},"));
        page.wait("document.querySelector('#requests [role=status]').innerText === '1 of 1,000'");
        page.click("#requests tbody .name-button");
        page.wait("document.querySelector('#requests tr.selected')");
        let scope = page.text(&format!("{FIRST_CHART} .scope"));
        assert_eq!(
            scope.contains(&format!("</script>\"{name},")),
            followed,
            "{scope}"
        );
        let note = page.texts("#charts > p.hint").concat();
        assert_eq!(
            note.contains("is not followed over time"),
            !followed,
            "{note}"
        );
        page.click("#requests tbody .name-button");
        page.wait("!document.querySelector('#requests tr.selected')");
    }

    // The data and the program: no name has made another one.
    assert_eq!(page.eval("document.scripts.length"), json!(2));
    page.assert_clean();
}

/// The number in a name of the probe's `Namer`.
fn number_of(row: &Value) -> &str {
    let name = row["name"].as_str().expect("it has a name");
    let (_, rest) = name.split_once('"').expect("it has a number");
    rest.split(',').next().unwrap_or_default()
}

#[test]
fn keys_alone_lead_everywhere() {
    let reported = Reported::run("Rush -u 2 -t 2s");
    let page = Page::open(&reported.url());
    page.wait_for_text("With failures");
    page.keys("\u{e004}");
    assert_eq!(
        page.eval("document.activeElement.innerText"),
        json!("Skip to the results")
    );
    page.keys(ENTER);
    page.wait("document.activeElement.id === 'content'");

    // What has the focus can be seen to have it.
    page.tab_to(
        "it.getAttribute('aria-pressed') === 'true' && it.innerText.startsWith('Requests')",
    );
    let outline = page.eval("getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(outline, json!("solid"));
    page.keys(" ");
    page.wait("document.activeElement.ariaPressed === 'false'");

    page.tab_to("it.matches('#requests input[type=search]')");
    page.keys("no such name");
    page.wait_for_text("No request matches the filter.");
    page.eval("document.activeElement.select()");
    page.keys("/");
    page.wait("document.querySelector('#requests tbody .name-button')");

    page.tab_to("it.matches('th .sort') && it.innerText.startsWith('max')");
    page.keys(ENTER);
    page.wait("document.activeElement.closest('th').ariaSort === 'descending'");
    page.tab_to("it.matches('.name-button')");
    page.keys(" ");
    page.wait("document.activeElement.ariaPressed === 'true'");
    page.wait("document.querySelectorAll('#charts .scope').length > 1");
    page.assert_clean();
}

#[test]
fn charts_zoom_together_and_colours_are_a_choice() {
    let reported = Reported::run("Rush -u 2 -t 3s");
    let page = Page::open(&reported.url());
    page.wait_for_text("Drag across a chart to zoom in");
    let over = format!("{FIRST_CHART} .u-over");
    for end in ["Show all", "twice"] {
        page.drag(&over, 0.05, 0.2);
        page.wait("document.querySelector('.zoom-reset')");
        match end {
            "twice" => page.double_click(&over),
            _ => page.click(".zoom-reset"),
        }
        page.wait("!document.querySelector('.zoom-reset')");
    }

    let theme = || page.eval("document.documentElement.dataset.theme");
    let surface = || page.eval("getComputedStyle(document.querySelector('.card')).backgroundColor");
    page.press("Colours: as the system. Switch to light");
    page.wait("document.documentElement.dataset.theme === 'light'");
    let light = surface();
    page.press("Colours: light. Switch to dark");
    page.wait("document.documentElement.dataset.theme === 'dark'");
    assert_ne!(surface(), light);
    page.reload();
    page.wait_for_text("Drag across a chart to zoom in");
    assert_eq!(theme(), json!("dark"));
    page.press("Colours: dark. Switch to as the system");
    page.assert_clean();
}
