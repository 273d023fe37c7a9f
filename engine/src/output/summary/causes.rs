//! What the report says of failures: requests, tasks and sandboxes, each with its causes.

use super::requests::label;
use crate::metrics::Snapshot;
use crate::output::by_count;
use crate::output::format::{count, plain};
use crate::output::page::Column::{Number, Text, Word};
use crate::output::page::Page;

impl Page {
    pub(super) fn errors(&mut self, snapshot: &Snapshot) {
        let rows = by_count(&snapshot.errors).into_iter().map(|(key, n)| {
            let kind = match key.status {
                0 => key.kind.clone(),
                status => format!("{} {status}", key.kind),
            };
            vec![
                count(n),
                label(&key.method, &key.name),
                plain(&kind).into_owned(),
                plain(&key.message).into_owned(),
            ]
        });
        let columns = [
            ("Count", Number),
            ("Request", Text),
            ("Kind", Word),
            ("Message", Text),
        ];
        self.causes("Errors", &columns, rows);
    }

    pub(super) fn task_errors(&mut self, snapshot: &Snapshot) {
        let rows = by_count(&snapshot.task_errors).into_iter().map(|(key, n)| {
            vec![
                count(n),
                plain(&format!("{}.{}", key.class, key.task)).into_owned(),
                plain(&key.message).into_owned(),
            ]
        });
        let columns = [("Count", Number), ("Task", Text), ("Message", Text)];
        self.causes("Failed tasks", &columns, rows);
    }

    pub(super) fn sandboxes(&mut self, snapshot: &Snapshot) {
        let rows = by_count(&snapshot.sandbox_events)
            .into_iter()
            .map(|(key, n)| {
                vec![
                    count(n),
                    plain(&key.class).into_owned(),
                    plain(&key.kind).into_owned(),
                    plain(&key.message).into_owned(),
                ]
            });
        let columns = [
            ("Count", Number),
            ("Class", Text),
            ("Kind", Word),
            ("Message", Text),
        ];
        self.causes("Sandbox failures", &columns, rows);
    }
}
