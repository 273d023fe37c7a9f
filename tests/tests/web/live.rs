//! The dashboard of a run under way.

use aiotest_tests::{Control, Engine, LoadTest, Recorder};
use serde_json::json;

use super::{GUEST, count, page::Page};

/// As WebDriver spells them.
const ESCAPE: &str = "\u{e00c}";
const ENTER: &str = "\u{e007}";
const TOKEN: &str = "correct-horse-battery";

fn start(recorder: &Recorder, args: &str) -> (LoadTest, Control) {
    let args = format!("{args} --web 127.0.0.1:0 -H {}", recorder.url());
    let mut test = LoadTest::start(&Engine::new(), GUEST, &args);
    let control = Control::of_dashboard(&mut test);
    (test, control)
}

fn open(control: &Control) -> Page {
    Page::open(&format!("http://{}/", control.address()))
}

fn wait_for_state(page: &Page, state: &str) {
    page.wait(&format!(
        "document.querySelector('.state')?.innerText === {}",
        json!(state)
    ));
}

#[test]
fn a_run_is_paused_steered_and_stopped_from_the_page() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Worker -u 3");
    let page = open(&control);
    wait_for_state(&page, "Running");
    // Numbers come by themselves.
    page.wait("document.querySelector('#requests tbody tr')");

    page.press("Pause");
    wait_for_state(&page, "Paused");
    assert_eq!(control.state()["state"], "paused");
    page.press("Resume");
    wait_for_state(&page, "Running");
    assert_eq!(control.state()["state"], "running");

    page.click("form.plan label:first-of-type input");
    page.keys("5");
    page.press("Apply");
    control.wait_until(|state| state["plans"][0]["users"] == 5);
    control.wait_until(|state| state["users"] == 5);
    page.wait("document.querySelector('form.plan input').placeholder === '5'");

    page.click("form.plan label:first-of-type input");
    page.keys("4294967295");
    page.press("Apply");
    page.wait("document.querySelector('[role=alert]')?.innerText.includes('Refused: ')");
    assert_eq!(control.state()["plans"][0]["users"], 5);
    page.press("Dismiss");
    page.wait("!document.querySelector('[role=alert]')");

    page.press("Stop");
    page.wait_for_text("Stop the run?");
    // Whoever presses Enter without reading goes on.
    let focus = page.eval("document.activeElement.innerText");
    assert_eq!(focus, json!("Keep running"));
    page.keys(ESCAPE);
    page.wait("!document.querySelector('dialog')");
    assert_eq!(control.state()["state"], "running");
    page.press("Stop");
    page.press("Stop the run");
    page.wait_for_text("The run is over.");
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (0, "stopped by order"));
    // The engine is gone, and what it told is still here.
    wait_for_state(&page, "Finished");
    assert!(!page.texts("#requests tbody tr").is_empty());
    page.assert_clean();
}

#[test]
fn a_run_that_waits_is_started_by_keys_and_its_page_ends_with_all_its_numbers() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Once -u 2 -i 5 --paused --linger");
    let page = open(&control);
    wait_for_state(&page, "Ready");
    page.tab_to("it.innerText.trim() === 'Start'");
    page.keys(ENTER);
    page.wait_for_text("The run is over.");
    let report = control.get("/report").json();
    assert_eq!(report["run"]["state"], "stopped");
    page.wait(&format!(
        "[...document.querySelectorAll('.tile')].some(tile => \
         tile.innerText.startsWith('Requests\\n{}\\n'))",
        count(&report["total"]["requests"])
    ));
    assert_eq!(control.post("/quit").status, 200);
    let results = test.finish();
    assert_eq!(
        results.report["total"]["requests"],
        report["total"]["requests"]
    );
    page.assert_clean();
}

#[test]
fn the_page_asks_for_the_token_and_keeps_it_to_itself() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, &format!("Worker -u 2 --control-token {TOKEN}"));
    let page = open(&control);
    page.wait_for_text("This run asks for its token");
    assert!(page.texts(".tile").is_empty());
    assert_eq!(page.eval("document.activeElement.name"), json!("token"));
    page.keys("wrong horse");
    page.keys(ENTER);
    page.wait_for_text("this token was not accepted");
    page.wait("document.activeElement.name === 'token' && document.activeElement.value === ''");
    page.keys(TOKEN);
    page.keys(ENTER);
    wait_for_state(&page, "Running");
    assert_eq!(page.eval("document.querySelector('dialog')"), json!(null));
    // For this tab, and nowhere else.
    page.reload();
    wait_for_state(&page, "Running");
    assert_eq!(
        page.eval("localStorage.length + document.cookie.length"),
        json!(0)
    );
    assert_eq!(
        page.eval(&format!("location.href.includes('{TOKEN}')")),
        json!(false)
    );
    page.press("Pause");
    wait_for_state(&page, "Paused");
    assert_eq!(control.with_token(TOKEN).post("/stop").status, 200);
    page.wait_for_text("The run is over.");
    let results = test.finish();
    assert_eq!(results.code(), 0);
    page.assert_clean();
}

#[test]
fn a_lost_engine_is_told_and_its_numbers_stay() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Worker -u 2");
    let page = open(&control);
    page.wait("document.querySelector('#requests tbody tr')");
    // Killed, so that it says nothing of its end.
    drop(test);
    page.wait_for_text("Connection lost.");
    page.wait("document.querySelector('.controls button').disabled");
    assert!(!page.texts("#requests tbody tr").is_empty());
    page.press("Try now");
    page.wait_for_text("Connection lost.");
    page.assert_clean();
}
