//! What can be added up without loss, from threads to a snapshot and from nodes to a run.

use std::collections::BTreeMap;

/// Adds another one to this one. The order does not matter, and the default adds nothing.
pub(super) trait Merge: Default {
    fn merge_from(&mut self, other: &Self);
}

impl Merge for u64 {
    fn merge_from(&mut self, other: &Self) {
        *self = self.saturating_add(*other);
    }
}

impl Merge for f64 {
    fn merge_from(&mut self, other: &Self) {
        // Infinity has no form in most outputs.
        *self = (*self + other).clamp(f64::MIN, f64::MAX);
    }
}

impl<K: Clone + Ord, V: Merge> Merge for BTreeMap<K, V> {
    fn merge_from(&mut self, other: &Self) {
        for (key, value) in other {
            self.entry(key.clone()).or_default().merge_from(value);
        }
    }
}
