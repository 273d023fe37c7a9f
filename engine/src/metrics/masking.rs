//! Takes the run's secrets out of every text of a snapshot. Knows the keys; what a secret
//! looks like in a text is `secrets`' knowledge.

use super::merge::Merge;
use super::snapshot::{ErrorKey, RequestKey, SandboxEventKey, Snapshot, TaskErrorKey};
use crate::secrets::Secrets;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

impl Snapshot {
    /// The same without the secrets. What cannot be told apart any more is counted
    /// together.
    #[must_use]
    pub fn masked(self, secrets: &Secrets) -> Self {
        if secrets.is_empty() {
            return self;
        }
        Self {
            requests: masked(self.requests, secrets),
            errors: masked(self.errors, secrets),
            counters: masked(self.counters, secrets),
            gauges: masked(self.gauges, secrets),
            trends: masked(self.trends, secrets),
            checks: masked(self.checks, secrets),
            groups: masked(self.groups, secrets),
            task_errors: masked(self.task_errors, secrets),
            sandbox_events: masked(self.sandbox_events, secrets),
            restarts: masked(self.restarts, secrets),
            // No texts in these. They are all named, so that no field is forgotten.
            total: self.total,
            phases: self.phases,
            tasks: self.tasks,
            iterations: self.iterations,
            lateness: self.lateness,
            dropped_iterations: self.dropped_iterations,
            interrupted_iterations: self.interrupted_iterations,
            lag: self.lag,
            log_dropped: self.log_dropped,
            events_dropped: self.events_dropped,
            samples_dropped: self.samples_dropped,
            invalid_values: self.invalid_values,
            folded: self.folded,
        }
    }
}

fn masked<K: Mask + Ord, V: Merge>(rows: BTreeMap<K, V>, secrets: &Secrets) -> BTreeMap<K, V> {
    let mut all = BTreeMap::new();
    for (key, value) in rows {
        match all.entry(key.mask(secrets)) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(mut entry) => entry.get_mut().merge_from(&value),
        }
    }
    all
}

/// A key with texts in it.
trait Mask {
    fn mask(self, secrets: &Secrets) -> Self;
}

impl Mask for String {
    fn mask(self, secrets: &Secrets) -> Self {
        let changed = match secrets.mask(&self) {
            Cow::Owned(masked) => Some(masked),
            Cow::Borrowed(_) => None,
        };
        changed.unwrap_or(self)
    }
}

impl Mask for RequestKey {
    fn mask(self, secrets: &Secrets) -> Self {
        Self {
            name: self.name.mask(secrets),
            method: self.method.mask(secrets),
            tags: self.tags.mask(secrets),
        }
    }
}

impl Mask for ErrorKey {
    fn mask(self, secrets: &Secrets) -> Self {
        Self {
            name: self.name.mask(secrets),
            method: self.method.mask(secrets),
            status: self.status,
            kind: self.kind.mask(secrets),
            message: self.message.mask(secrets),
        }
    }
}

impl Mask for TaskErrorKey {
    fn mask(self, secrets: &Secrets) -> Self {
        Self {
            class: self.class.mask(secrets),
            task: self.task.mask(secrets),
            message: self.message.mask(secrets),
        }
    }
}

impl Mask for SandboxEventKey {
    fn mask(self, secrets: &Secrets) -> Self {
        Self {
            class: self.class.mask(secrets),
            kind: self.kind.mask(secrets),
            message: self.message.mask(secrets),
        }
    }
}
