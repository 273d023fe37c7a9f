//! Who gets which row, over all users and threads.

mod files;

use std::path::Path;
use std::thread;

use proptest::prelude::*;

use super::AtEnd::{Fail, StopUser, Wrap};
use super::Order::{ByUser, Random, Sequential, Unique};
use super::*;

/// A feed called `x`, of a file with this extension and content.
fn read(extension: &str, content: impl AsRef<[u8]>) -> Result<Feed, FeedError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(format!("x.{extension}"));
    std::fs::write(&path, content).unwrap();
    let name = "x".into();
    Feed::read(&FeedSource { name, path })
}

/// The number in the only column of a row.
#[track_caller]
fn number(next: Next<'_>) -> u64 {
    let Next::Row(mut row) = next else {
        panic!("{next:?}");
    };
    row.next().unwrap().parse().unwrap()
}

/// Rows 0, 1, 2 ...
fn numbers(rows: u64) -> Feed {
    let rows = (0..rows).map(|i| format!("{i}\n"));
    read("csv", format!("n\n{}", rows.collect::<String>())).unwrap()
}

#[test]
fn sources_have_a_name_and_a_file() {
    let source: FeedSource = "users=a=b.csv".parse().unwrap();
    assert_eq!(
        (&*source.name, &*source.path),
        ("users", Path::new("a=b.csv"))
    );
    for text in ["", "users.csv", "=users.csv", "users="] {
        assert!(text.parse::<FeedSource>().is_err(), "{text}");
    }
}

#[test]
fn each_order_has_a_count_of_its_own() {
    let feed = numbers(3);
    for expected in [0, 1, 2, 0, 1] {
        assert_eq!(number(feed.next(7, Sequential, Wrap)), expected);
    }
    for expected in [0, 1, 2] {
        assert_eq!(number(feed.next(7, Unique, StopUser)), expected);
    }
    assert!(matches!(feed.next(7, Unique, StopUser), Next::StopUser));
    let Next::Failed(text) = feed.next(7, Unique, Fail) else {
        panic!("there is none left");
    };
    assert_eq!(text, "feed 'x' has no rows left; all 3 have been used");
    assert_eq!(number(feed.next(7, Sequential, Fail)), 2);
    assert_eq!(number(feed.next(7, Unique, Wrap)), 0);
    assert!(matches!(feed.next(7, Sequential, Fail), Next::Failed(_)));
}

#[test]
fn users_have_rows_of_their_own() {
    let feed = numbers(3);
    for (user, row) in [(0, 0), (1, 0), (2, 1), (3, 2), (2, 1)] {
        assert_eq!(number(feed.next(user, ByUser, Fail)), row);
    }
    assert_eq!(number(feed.next(5, ByUser, Wrap)), 1);
    assert!(matches!(feed.next(4, ByUser, StopUser), Next::StopUser));
    let Next::Failed(text) = feed.next(4, ByUser, Fail) else {
        panic!("there is none");
    };
    assert_eq!(text, "feed 'x' has no row for user 4, only 3");
}

#[test]
fn random_rows_never_end() {
    let feed = numbers(2);
    let rows: Vec<u64> = (0..200)
        .map(|_| number(feed.next(1, Random, Fail)))
        .collect();
    assert!(rows.contains(&0) && rows.contains(&1));
}

#[test]
fn unique_rows_are_handed_out_once_over_all_threads() {
    let feed = numbers(10_000);
    let mut rows: Vec<u64> = thread::scope(|scope| {
        let take = || {
            let next = std::iter::from_fn(|| match feed.next(1, Unique, StopUser) {
                Next::StopUser => None,
                row => Some(number(row)),
            });
            next.collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(take)).collect();
        let rows = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap());
        rows.collect()
    });
    rows.sort_unstable();
    assert!(rows.into_iter().eq(0..10_000));
}

#[test]
fn feeds_are_found_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.csv");
    std::fs::write(&path, "a\n1\n").unwrap();
    let source = |name: &str| FeedSource {
        name: name.into(),
        path: path.clone(),
    };
    let feeds = Feeds::read(&[source("users"), source("items")]).unwrap();
    assert_eq!(feeds.get("items").unwrap().columns(), ["a"]);
    // They share how far it was read.
    number(feeds.get("users").unwrap().next(1, Unique, Fail));
    let users = feeds.clone().get("users").unwrap();
    assert!(matches!(users.next(1, Unique, Fail), Next::Failed(_)));

    let error = feeds.get("x").unwrap_err();
    assert_eq!(error, "no feed 'x'; this run has users, items");
    let error = Feeds::default().get("x").unwrap_err();
    assert_eq!(error, "this run has no feeds; give one with --data x=FILE");
    let error = Feeds::read(&[source("a"), source("b"), source("a")]).unwrap_err();
    assert!(matches!(error, FeedError::Duplicate(name) if name == "a"));
}

fn at_end() -> impl Strategy<Value = AtEnd> {
    prop_oneof![Just(Wrap), Just(StopUser), Just(Fail)]
}

proptest! {
    #[test]
    fn a_count_goes_through_the_rows_in_order(
        rows in 1..20_u64, asked in prop::collection::vec(at_end(), 0..100)
    ) {
        let taken = AtomicU64::new(0);
        let mut last = None;
        for at_end in asked {
            let was_last = last == Some(rows - 1);
            let expected = if was_last && at_end == Wrap {
                Some(0)
            } else if was_last {
                None
            } else {
                Some(last.map_or(0, |row| row + 1))
            };
            let row = take(&taken, rows, at_end);
            prop_assert_eq!(row, expected);
            last = row.or(last);
        }
    }

    #[test]
    fn no_count_leaves_the_rows(taken in any::<u64>(), rows in 1..u64::MAX, at_end in at_end()) {
        match next_index(taken, rows, at_end) {
            Some(index) => prop_assert!(index < rows),
            None => prop_assert!(taken >= rows && at_end != Wrap),
        }
    }

    #[test]
    fn every_user_gets_a_row_that_is_there(
        user in any::<u64>(), rows in 1..u64::MAX, at_end in at_end()
    ) {
        match own(user, rows, at_end) {
            Some(row) => prop_assert!(row < rows),
            None => prop_assert!(user > rows && at_end != Wrap),
        }
        prop_assert!(own(user, rows, Wrap).is_some());
        prop_assert_eq!(own(user % rows + 1, rows, at_end), Some(user % rows));
    }
}
