//! What went wrong in a run, of every kind, and which of it went on of late.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::report::Report;

/// Something that went wrong, for one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// How often.
    pub(super) count: u64,
    /// How often since the report before.
    pub(super) new: u64,
    /// What kind of thing.
    pub(super) kind: String,
    /// The request, task or class that it happened to.
    pub(super) place: String,
    /// The line for people.
    pub(super) message: String,
    key: u64,
    /// The report in which there was the last of it.
    last: u64,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    all: Vec<Trouble>,
    reports: u64,
}

impl Troubles {
    /// Takes in a report, which has everything since the beginning.
    pub(super) fn take(&mut self, report: &Report) {
        self.reports += 1;
        let before: HashMap<_, _> = self
            .all
            .iter()
            .map(|t| (t.key, (t.count, t.last)))
            .collect();
        let requests = report.errors.iter().map(|error| {
            let kind = match error.status {
                0 => error.kind.clone(),
                status if error.kind == "status" => status.to_string(),
                status => format!("{status} {}", error.kind),
            };
            let place = format!("{} {}", error.method, error.name);
            (error.count, kind, place, &error.message)
        });
        let tasks = report.task_errors.iter().map(|error| {
            let place = format!("{}, {}", error.class, error.task);
            (error.count, "task".to_owned(), place, &error.message)
        });
        let sandboxes = report.sandbox_events.iter().map(|event| {
            let kind = format!("sandbox {}", event.kind);
            (event.count, kind, event.class.clone(), &event.message)
        });
        let all = requests.chain(tasks).chain(sandboxes);
        self.all = all
            .map(|(count, kind, place, message)| {
                let mut hasher = DefaultHasher::new();
                (&kind, &place, message).hash(&mut hasher);
                let key = hasher.finish();
                let (known, last) = before.get(&key).copied().unwrap_or_default();
                let new = count.saturating_sub(known);
                let last = if new > 0 { self.reports } else { last };
                let message = message.clone();
                Trouble {
                    count,
                    new,
                    kind,
                    place,
                    message,
                    key,
                    last,
                }
            })
            .collect();
        self.all
            .sort_by_key(|trouble| std::cmp::Reverse(trouble.count));
    }

    /// The most frequent first.
    pub(super) fn by_count(&self) -> &[Trouble] {
        &self.all
    }

    /// The latest first.
    pub(super) fn latest(&self) -> Vec<&Trouble> {
        let mut latest: Vec<_> = self.all.iter().collect();
        latest.sort_by_key(|trouble| std::cmp::Reverse(trouble.last));
        latest
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{advance, nothing};
    use super::*;

    #[test]
    fn what_went_on_of_late_comes_first() {
        let mut troubles = Troubles::default();
        let mut report = nothing();
        for second in 60..64 {
            advance(&mut report, second, true);
            troubles.take(&report);
        }
        let places = |list: Vec<&Trouble>| -> Vec<_> {
            list.into_iter().map(|one| one.place.clone()).collect()
        };
        let by_count = places(troubles.by_count().iter().collect());
        assert_eq!(
            by_count,
            [
                "POST /checkout",
                "GET /product/{id}",
                "GET /search",
                "Buyer, checkout",
                "Buyer"
            ]
        );
        // Then only the rarest one happens again.
        let rare = report.sandbox_events.first_mut().unwrap();
        rare.count += 2;
        troubles.take(&report);
        let latest = troubles.latest();
        assert_eq!((latest[0].place.as_str(), latest[0].new), ("Buyer", 2));
        assert_eq!(latest[1].place, "POST /checkout");
        assert_eq!(latest[1].new, 0);
        assert_eq!(troubles.by_count()[0].place, "POST /checkout");
    }
}
