//! A page in a real Chromium, driven as people do: by pointer and keys. Knows nothing of
//! what is on the page.

use std::{
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use aiotest_tests::Process;
use fantoccini::{
    Client, ClientBuilder, Locator,
    actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction},
    wd::WebDriverCompatibleCommand,
};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use url::{ParseError, Url};

/// Longest time that a test waits for the page.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the page is looked at.
const POLL: Duration = Duration::from_millis(20);
/// Longest life of a browser.
const LIFE: Duration = Duration::from_secs(300);
/// Width and height of the window.
const WINDOW: (u32, u32) = (1400, 1000);

/// A browser with one page. Dropping it ends the browser.
pub(crate) struct Page {
    runtime: Runtime,
    // Absent when it is closed.
    client: Option<Client>,
    _driver: Process,
    _profile: TempDir,
    // Browsers are heavy: one at a time.
    _turn: MutexGuard<'static, ()>,
}

impl Page {
    /// Opens a URL.
    ///
    /// # Panics
    /// When there are no `chromium` and `chromedriver`.
    pub(crate) fn open(url: &str) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        // A test that failed leaves nothing behind that another could find.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut command = Command::new("chromedriver");
        command.arg("--port=0");
        let mut driver = Process::spawn(command, LIFE);
        let started = "started successfully on port ";
        let line = driver.wait_for_line(started);
        let (_, port) = line.split_once(started).expect("the line has it");
        let webdriver = format!("http://127.0.0.1:{}", port.trim().trim_end_matches('.'));
        let profile = tempfile::tempdir().expect("a directory can be made");
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime can be started");
        let client = runtime.block_on(async {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities(&profile));
            let client = builder.connect(&webdriver).await.expect("Chromium starts");
            client.goto(url).await.expect("the page opens");
            client
        });
        Page {
            runtime,
            client: Some(client),
            _driver: driver,
            _profile: profile,
            _turn: turn,
        }
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("it is open")
    }

    /// Loads the page again.
    #[track_caller]
    pub(crate) fn reload(&self) {
        let done = self.runtime.block_on(self.client().refresh());
        done.expect("the page loads");
    }

    /// The value of an expression of JavaScript.
    #[track_caller]
    pub(crate) fn eval(&self, expression: &str) -> Value {
        let script = format!("return {expression}");
        let value = self
            .runtime
            .block_on(self.client().execute(&script, Vec::new()));
        value.unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Waits until an expression of JavaScript is true.
    #[track_caller]
    pub(crate) fn wait(&self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.eval(&format!("!!({expression})")) != json!(true) {
            if Instant::now() > deadline {
                let text = self.eval("document.body.innerText");
                panic!("never {expression}; the page says\n{text:#}");
            }
            thread::sleep(POLL);
        }
    }

    /// Waits until a text is on the page.
    #[track_caller]
    pub(crate) fn wait_for_text(&self, text: &str) {
        self.wait(&format!(
            "document.body.innerText.includes({})",
            json!(text)
        ));
    }

    /// The text of the first element that a selector finds.
    #[track_caller]
    pub(crate) fn text(&self, selector: &str) -> String {
        let text = self.eval(&format!(
            "document.querySelector({})?.innerText",
            json!(selector)
        ));
        let text = text.as_str();
        text.unwrap_or_else(|| panic!("no {selector}")).to_owned()
    }

    /// The texts of all elements that a selector finds.
    #[track_caller]
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let all = self.eval(&format!(
            "[...document.querySelectorAll({})].map(element => element.innerText)",
            json!(selector)
        ));
        serde_json::from_value(all).expect("they are texts")
    }

    /// Clicks what a selector finds, once it is there.
    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        self.click_at(Locator::Css(selector));
    }

    /// Clicks the button of this name, once it is there.
    #[track_caller]
    pub(crate) fn press(&self, name: &str) {
        self.click_at(Locator::XPath(&format!(
            "//button[normalize-space()='{name}' or @aria-label='{name}']"
        )));
    }

    #[track_caller]
    fn click_at(&self, locator: Locator<'_>) {
        let done = self.runtime.block_on(async {
            let client = self.client();
            let element = client.wait().at_most(PATIENCE).for_element(locator).await?;
            // Out from under what stays at the top of the window.
            let scroll = "arguments[0].scrollIntoView({block: 'center'})";
            client.execute(scroll, vec![json!(element)]).await?;
            element.click().await
        });
        done.unwrap_or_else(|error| panic!("{locator:?}: {error}"));
    }

    /// Types into what has the focus. Keys without a character are those of WebDriver, such
    /// as `Key::Tab`.
    #[track_caller]
    pub(crate) fn keys(&self, text: &str) {
        let done = self.runtime.block_on(async {
            let element = self.client().active_element().await?;
            element.send_keys(text).await
        });
        done.unwrap_or_else(|error| panic!("{text:?}: {error}"));
    }

    /// Goes on with the tab key until what has the focus is as wanted: an expression of
    /// JavaScript about the element `it`.
    #[track_caller]
    pub(crate) fn tab_to(&self, wanted: &str) {
        let found = format!("(it => !!({wanted}))(document.activeElement)");
        for _ in 0..200 {
            self.keys("\u{e004}");
            if self.eval(&found) == json!(true) {
                return;
            }
        }
        panic!("no key leads to {wanted}");
    }

    /// Drags the pointer across an element, from one part of its width to another.
    #[track_caller]
    pub(crate) fn drag(&self, selector: &str, from: f64, to: f64) {
        let place = self.place(selector);
        let button = MOUSE_BUTTON_LEFT;
        self.perform(
            MouseActions::new("mouse".to_owned())
                .then(place.at(from))
                .then(PointerAction::Down { button })
                .then(place.at((from + to) / 2.0))
                .then(place.at(to))
                .then(PointerAction::Up { button }),
        );
    }

    /// Clicks twice in the middle of an element.
    #[track_caller]
    pub(crate) fn double_click(&self, selector: &str) {
        let place = self.place(selector);
        let button = MOUSE_BUTTON_LEFT;
        self.perform(
            MouseActions::new("mouse".to_owned())
                .then(place.at(0.5))
                .then(PointerAction::Down { button })
                .then(PointerAction::Up { button })
                .then(PointerAction::Down { button })
                .then(PointerAction::Up { button }),
        );
    }

    #[track_caller]
    fn perform(&self, actions: MouseActions) {
        let done = self
            .runtime
            .block_on(self.client().perform_actions(actions));
        done.expect("the pointer does it");
    }

    /// Where an element is in the window, once it is scrolled there.
    #[track_caller]
    fn place(&self, selector: &str) -> Place {
        let place = self.eval(&format!(
            "(element => {{ element.scrollIntoView({{block: 'center'}}); \
             const box = element.getBoundingClientRect(); \
             return [box.left, box.top + box.height / 2, box.width] }})\
             (document.querySelector({}))",
            json!(selector)
        ));
        let [left, middle, width] =
            [0, 1, 2].map(|index| place[index].as_f64().expect("it is a number"));
        Place {
            left,
            middle,
            width,
        }
    }

    /// Nothing went wrong that nobody sees: no error of a script, none of the rules for the
    /// browser, and nothing was asked of anyone else. Answers with a status of 400 and above
    /// are not among that.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        let log = self.runtime.block_on(self.client().issue_cmd(BrowserLog));
        let log = log.expect("the browser has a log");
        let entries = log.as_array().expect("it is a list");
        let bad = |entry: &&Value| entry["level"] == "SEVERE" && entry["source"] != "network";
        let bad: Vec<&Value> = entries.iter().filter(bad).collect();
        assert!(bad.is_empty(), "{bad:#?}");
        let strange = self.eval(
            "performance.getEntriesByType('resource').map(entry => entry.name)\
             .filter(name => !name.startsWith('data:') && !name.startsWith('blob:') && \
             (location.protocol === 'file:' || new URL(name).origin !== location.origin))",
        );
        assert_eq!(strange, json!([]));
    }
}

/// An element in the window.
struct Place {
    left: f64,
    middle: f64,
    width: f64,
}

impl Place {
    /// Moves the pointer to a share of its width.
    fn at(&self, share: f64) -> PointerAction {
        PointerAction::MoveTo {
            duration: Some(Duration::from_millis(50)),
            x: self.left + share * self.width,
            y: self.middle,
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // Otherwise the driver ends, and the browser with it.
            let _ = self.runtime.block_on(client.close());
        }
    }
}

fn capabilities(profile: &TempDir) -> Map<String, Value> {
    let (width, height) = WINDOW;
    let args = [
        "--headless".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        // Nothing glides away from the pointer.
        "--force-prefers-reduced-motion".to_owned(),
        // Shared memory is small in containers.
        "--disable-dev-shm-usage".to_owned(),
        format!("--window-size={width},{height}"),
        format!("--user-data-dir={}", profile.path().display()),
    ];
    let all = json!({
        "goog:chromeOptions": { "args": args },
        "goog:loggingPrefs": { "browser": "ALL" },
    });
    match all {
        Value::Object(all) => all,
        _ => Map::new(),
    }
}

/// Asks for what the browser has written since it was asked last.
#[derive(Debug)]
struct BrowserLog;

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
