//! What the report says of failures: requests, tasks and sandboxes, each with its causes.

use super::requests::label;
use crate::output::format::{count, plain};
use crate::output::page::Column::{Number, Text, Word};
use crate::output::page::Page;
use crate::report::Report;

impl Page {
    pub(super) fn errors(&mut self, report: &Report) {
        let rows = report.errors.iter().map(|error| {
            let kind = match error.status {
                0 => error.kind.clone(),
                status => format!("{} {status}", error.kind),
            };
            vec![
                count(error.count),
                label(&error.method, &error.name),
                plain(&kind).into_owned(),
                plain(&error.message).into_owned(),
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

    pub(super) fn task_errors(&mut self, report: &Report) {
        let rows = report.task_errors.iter().map(|error| {
            vec![
                count(error.count),
                plain(&format!("{}.{}", error.class, error.task)).into_owned(),
                plain(&error.message).into_owned(),
            ]
        });
        let columns = [("Count", Number), ("Task", Text), ("Message", Text)];
        self.causes("Failed tasks", &columns, rows);
    }

    pub(super) fn sandboxes(&mut self, report: &Report) {
        let rows = report.sandbox_events.iter().map(|event| {
            vec![
                count(event.count),
                plain(&event.class).into_owned(),
                plain(&event.kind).into_owned(),
                plain(&event.message).into_owned(),
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
