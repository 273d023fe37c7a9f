//! Finds the secrets in a text. Does not know how a secret may be spelt, nor what is put
//! in its place.

use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::spelling::add_spellings;
use super::{InvalidSecret, MIN_LENGTH};

/// What to look for in a text.
pub(super) struct Mask {
    /// Each secret in each spelling, sorted by bytes.
    pub(super) patterns: Vec<String>,
    search: AhoCorasick,
    /// Length of the longest pattern.
    longest: usize,
}

impl Mask {
    /// Looks for these secrets in all their spellings.
    pub(super) fn new<'a>(values: impl Iterator<Item = &'a String>) -> Result<Self, InvalidSecret> {
        let mut patterns = BTreeSet::new();
        values.for_each(|value| add_spellings(value, &mut patterns));
        let patterns: Vec<String> = patterns.into_iter().collect();
        // The default may be a DFA, which takes a kibibyte for each byte of a secret.
        let search = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&patterns)
            .map_err(|error| InvalidSecret::TooMany(error.to_string()))?;
        Ok(Mask {
            longest: patterns.iter().map(String::len).max().unwrap_or(0),
            patterns,
            search,
        })
    }

    /// What to hide of this text: ranges that do not overlap, in their order.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        // All matches and not the leftmost longest ones: where two secrets overlap, these
        // would hide one of them and show the rest of the other.
        let matches = self.search.find_overlapping_iter(text);
        let mut found: Vec<Range<usize>> = matches.map(|m| m.range()).collect();
        found.extend(self.tail(text));
        merged(found)
    }

    /// The longest end of this text with which a secret begins.
    fn tail(&self, text: &str) -> Option<Range<usize>> {
        let last = text.len().checked_sub(MIN_LENGTH)?;
        let first = text.len().saturating_sub(self.longest);
        // Patterns begin with whole characters, so only boundaries can match.
        let start = (first..=last)
            .filter(|&start| text.is_char_boundary(start))
            .find(|&start| self.begins_with(&text[start..]))?;
        Some(start..text.len())
    }

    fn begins_with(&self, tail: &str) -> bool {
        let at = self.patterns.partition_point(|p| p.as_str() < tail);
        self.patterns.get(at).is_some_and(|p| p.starts_with(tail))
    }
}

/// The same ranges in their order, with those that overlap joined.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}
