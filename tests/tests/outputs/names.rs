//! Many names, and unpleasant ones.

use aiotest_tests::{Engine, LoadTest, Shop};
use shop_server::Config;

use super::counts::{Counts, page_data, records};
use super::{Desk, GUEST};

/// Names that are kept apart unless a run says otherwise.
const MAX_NAMES: u64 = 1000;
/// A summary for people, in lines.
const MAX_SUMMARY: usize = 120;
/// Files of so many names, in bytes.
const MAX_FILE: usize = 4 << 20;

#[test]
fn many_names_stay_readable_and_bounded() {
    for names in [1000, 1500] {
        let shop = Shop::start(Config::default());
        let desk = Desk::new();
        let args = format!(
            "Namer -u 1 -q -e names={names} {} -H {}",
            desk.flags(),
            shop.url()
        );
        let results = LoadTest::start(&Engine::new(), GUEST, &args).finish();
        assert_eq!(results.code(), 0);
        assert_eq!(shop.stats().requests, names);

        // A name is kept apart, or all that it has is counted as another one.
        let counts = Counts::of_document(&results.report);
        assert_eq!(counts.total(), (names, 0));
        let folded = results.number("/engine/requests_folded") as u64;
        assert_eq!(folded, names.saturating_sub(MAX_NAMES));
        let rows = counts.0.len() as u64;
        assert_eq!(rows, names.min(MAX_NAMES) + u64::from(folded > 0));

        let page = desk.text("run.html");
        assert_eq!(Counts::of_document(&page_data(&page)["reports"][0]), counts);
        let csv = Counts::of_csv(&records(&desk.text("run_stats.csv")));
        let junit = Counts::of_junit(&desk.text("run.xml"));
        for seen in [csv, junit] {
            assert_eq!((seen.total(), seen.0.len() as u64), ((names, 0), rows));
        }
        assert_eq!(desk.text("run.jsonl").lines().count() as u64, names);

        for file in [
            "run.html",
            "run_stats.csv",
            "run_stats_history.csv",
            "run.xml",
        ] {
            let size = desk.text(file).len();
            assert!(size < MAX_FILE, "{file} has {size} bytes");
        }
        let lines = results.output.stdout.lines().count();
        assert!(lines < MAX_SUMMARY, "{}", results.output.stdout);
    }
}
