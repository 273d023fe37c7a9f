//! Values under keys of a few texts: a table looked up by borrowed texts, and the limit
//! that tables of several threads share. Knows nothing of what is counted.

use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::RwLock;
use std::hash::BuildHasher;

/// Longest text of a key, in characters.
pub(super) const MAX_TEXT: usize = 200;

/// A key as it is stored.
pub(super) type Key<const N: usize> = [Box<str>; N];

/// The stored texts, borrowed.
pub(super) fn texts<const N: usize>(key: &Key<N>) -> [&str; N] {
    key.each_ref().map(|text| &**text)
}

/// The first [`MAX_TEXT`] characters.
pub(crate) fn cut(text: &str) -> &str {
    if text.len() <= MAX_TEXT {
        return text;
    }
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Keys in order of their arrival.
#[derive(Debug)]
struct Index<const N: usize> {
    places: HashTable<usize>,
    keys: Vec<Key<N>>,
    hasher: DefaultHashBuilder,
}

impl<const N: usize> Default for Index<N> {
    fn default() -> Self {
        Self {
            places: HashTable::new(),
            keys: Vec::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }
}

impl<const N: usize> Index<N> {
    fn find(&self, key: [&str; N]) -> Option<usize> {
        let hash = self.hasher.hash_one(key);
        let place = self.places.find(hash, |&at| texts(&self.keys[at]) == key)?;
        Some(*place)
    }

    /// The key must be new.
    fn insert(&mut self, key: [&str; N]) -> usize {
        let at = self.keys.len();
        self.keys.push(key.map(Box::from));
        let (hasher, keys) = (&self.hasher, &self.keys);
        self.places.insert_unique(hasher.hash_one(key), at, |&at| {
            hasher.hash_one(texts(&keys[at]))
        });
        at
    }
}

/// How many distinct keys all tables of one kind may hold together.
#[derive(Debug)]
pub(super) struct Limit<const N: usize> {
    max: usize,
    admitted: RwLock<Index<N>>,
}

impl<const N: usize> Limit<N> {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            admitted: RwLock::default(),
        }
    }

    fn admits(&self, key: [&str; N]) -> bool {
        {
            let admitted = self.admitted.read();
            if admitted.find(key).is_some() {
                return true;
            }
            if admitted.keys.len() >= self.max {
                return false;
            }
        }
        let mut admitted = self.admitted.write();
        if admitted.find(key).is_some() {
            return true;
        }
        let room = admitted.keys.len() < self.max;
        if room {
            admitted.insert(key);
        }
        room
    }
}

/// One thread's values.
#[derive(Debug)]
pub(super) struct Table<const N: usize, V> {
    index: Index<N>,
    values: Vec<V>,
    folded: u64,
}

impl<const N: usize, V> Default for Table<N, V> {
    fn default() -> Self {
        Self {
            index: Index::default(),
            values: Vec::new(),
            folded: 0,
        }
    }
}

impl<const N: usize, V: Default> Table<N, V> {
    /// The same as [`Self::exact_entry`] for keys that may be long: their texts are cut.
    pub(super) fn entry(
        &mut self,
        key: [&str; N],
        limit: &Limit<N>,
        other: [&str; N],
    ) -> (&Key<N>, &mut V) {
        self.exact_entry(key.map(cut), limit, other.map(cut))
    }

    /// The value of this key, new if need be. A key that exceeds the limit shares the
    /// value of `other` instead, which is exempt; the limit is asked only about keys that
    /// this table does not hold.
    pub(super) fn exact_entry(
        &mut self,
        key: [&str; N],
        limit: &Limit<N>,
        other: [&str; N],
    ) -> (&Key<N>, &mut V) {
        let at = match self.index.find(key) {
            Some(at) => at,
            None if limit.admits(key) => self.insert(key),
            None => {
                self.folded += 1;
                match self.index.find(other) {
                    Some(at) => at,
                    None => self.insert(other),
                }
            }
        };
        (&self.index.keys[at], &mut self.values[at])
    }

    fn insert(&mut self, key: [&str; N]) -> usize {
        self.values.push(V::default());
        self.index.insert(key)
    }

    /// The `at`-th key that arrived, and its value.
    pub(super) fn get(&self, at: usize) -> Option<([&str; N], &V)> {
        Some((texts(self.index.keys.get(at)?), self.values.get(at)?))
    }

    /// How often a key went to its `other`.
    pub(super) fn folded(&self) -> u64 {
        self.folded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows<const N: usize>(table: &Table<N, u64>) -> Vec<([&str; N], u64)> {
        (0..)
            .map_while(|at| table.get(at))
            .map(|(key, value)| (key, *value))
            .collect()
    }

    #[test]
    fn keys_differ_by_each_text() {
        let limit = Limit::new(100);
        let mut table = Table::<2, u64>::default();
        for key in [["a", "bc"], ["ab", "c"], ["a", "bc"], ["", "abc"]] {
            *table.entry(key, &limit, ["?", "?"]).1 += 1;
        }
        assert_eq!(
            rows(&table),
            [(["a", "bc"], 2), (["ab", "c"], 1), (["", "abc"], 1)]
        );
    }

    #[test]
    fn the_limit_is_shared_and_what_exceeds_it_is_folded() {
        let limit = Limit::new(2);
        let (mut one, mut two) = (Table::<1, u64>::default(), Table::<1, u64>::default());
        for (table, key) in [(0, "a"), (1, "b"), (0, "c"), (1, "a"), (0, "d"), (1, "c")] {
            let table = if table == 0 { &mut one } else { &mut two };
            *table.entry([key], &limit, ["*"]).1 += 1;
        }
        assert_eq!(rows(&one), [(["a"], 1), (["*"], 2)]);
        assert_eq!(rows(&two), [(["b"], 1), (["a"], 1), (["*"], 1)]);
        assert_eq!((one.folded(), two.folded()), (2, 1));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let limit = Limit::new(10);
        let mut table = Table::<1, u64>::default();
        for tail in ["x", "y"] {
            let long = format!("{}{tail}", "é".repeat(MAX_TEXT));
            *table.entry([&long], &limit, ["*"]).1 += 1;
        }
        assert_eq!(rows(&table), [([&*"é".repeat(MAX_TEXT)], 2)]);
        assert_eq!(cut(&"é".repeat(150)), "é".repeat(150));
    }

    #[test]
    fn many_keys_survive_growth() {
        let limit = Limit::new(10_000);
        let mut table = Table::<1, u64>::default();
        for round in 0..2 {
            for n in 0..5_000u64 {
                let (_, value) = table.entry([&n.to_string()], &limit, ["*"]);
                *value += n + round;
            }
        }
        assert_eq!(rows(&table).len(), 5_000);
        assert!(
            rows(&table)
                .iter()
                .all(|(key, value)| key[0] == ((value - 1) / 2).to_string())
        );
    }
}
