//! The pages of a run in a real browser: the report, the comparison and the dashboard.

mod comparison;
mod live;
mod page;
mod report;

use aiotest_tests::{Engine, LoadTest, Results, Shop};
use serde_json::Value;
use shop_server::Config;
use tempfile::TempDir;

const GUEST: &str = "guest-probe";

/// A run that is over, and the folder that has its report.
struct Reported {
    results: Results,
    folder: TempDir,
}

impl Reported {
    /// Runs users of the probe against a shop.
    fn run(args: &str) -> Self {
        let shop = Shop::start(Config::default());
        let folder = tempfile::tempdir().expect("a folder can be made");
        let html = folder.path().join("run.html");
        let args = format!("{args} -q --html {} -H {}", html.display(), shop.url());
        let results = LoadTest::start(&Engine::new(), GUEST, &args).finish();
        Reported { results, folder }
    }

    fn url(&self) -> String {
        url_of(&self.folder, "run.html")
    }

    fn document(&self) -> &Value {
        &self.results.report
    }
}

fn url_of(folder: &TempDir, name: &str) -> String {
    format!("file://{}", folder.path().join(name).display())
}

/// A count as pages have it.
fn count(value: &Value) -> String {
    let digits = value.as_u64().expect("it is a count").to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
