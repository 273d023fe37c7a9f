//! Which key of the run file means which argument, and which one was probably meant by a
//! key that is none. Knows neither values nor files.

use clap::{Arg, Command};

use super::entry::shown;

/// The id of the flag that names a run file, which cannot name another.
const OWN_FLAG: &str = "config";

/// The words by which a key can name an argument.
fn names(arg: &Arg) -> Vec<&str> {
    let mut names = arg.get_all_aliases().unwrap_or_default();
    match arg.get_long() {
        Some(long) => names.insert(0, long),
        None => names.push(arg.get_id().as_str()),
    }
    names
}

pub(super) fn find<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    let word = word.replace('_', "-");
    let keys = keys(command);
    keys.into_iter()
        .find(|arg| names(arg).contains(&word.as_str()))
}

/// The arguments that have a key.
fn keys(command: &Command) -> Vec<&Arg> {
    let args = command.get_arguments();
    args.filter(|arg| arg.get_id() != OWN_FLAG).collect()
}

pub(super) fn unknown(prefix: &str, word: &str, sections: &[&str], command: &Command) -> String {
    let unknown = format!("unknown key '{}'", shown(&format!("{prefix}{word}"), 100));
    if word == OWN_FLAG {
        return format!("{unknown}: a run file cannot name another");
    }
    let mut known: Vec<&str> = keys(command).into_iter().flat_map(names).collect();
    known.extend(sections);
    match nearest(&word.replace('_', "-"), &known) {
        Some(near) => format!("{unknown}; did you mean '{near}'?"),
        None if prefix.is_empty() => {
            format!("{unknown}; the keys are the flags of `aiotest-engine run --help`")
        }
        None => {
            known.retain(|name| *name != "stages");
            format!("{unknown}; there are {}", known.join(", "))
        }
    }
}

/// The known word that was most likely meant.
fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    // Beyond any key; comparing takes the product of both lengths.
    if word.is_empty() || word.len() > 64 {
        return None;
    }
    // Two letters, or less than half of a short word.
    let typo = |name: &&str| edits(word, name) <= 2.min((word.len() - 1) / 2);
    let close = known.iter().copied().filter(typo);
    let begun = |name: &&str| word.len() > 2 && (name.starts_with(word) || word.starts_with(*name));
    close
        .min_by_key(|name| edits(word, name))
        .or_else(|| known.iter().copied().find(begun))
}

/// How many letters have to be added, removed or replaced to get from one word to the other.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn typing_errors_find_their_word() {
        let known = ["users", "users-per-sandbox", "run-time", "env", "threshold"];
        for (word, meant) in [
            ("usres", Some("users")),
            ("user", Some("users")),
            ("runtime", Some("run-time")),
            ("thresh", Some("threshold")),
            ("environment", Some("env")),
            ("e", None),
            ("duration", None),
        ] {
            assert_eq!(nearest(word, &known), meant, "{word}");
        }
    }

    proptest! {
        #[test]
        fn edits_are_a_distance(a in "[ab]{0,6}", b in "[ab]{0,6}", c in "[ab]{0,6}") {
            prop_assert_eq!(edits(&a, &b) == 0, a == b);
            prop_assert_eq!(edits(&a, &b), edits(&b, &a));
            prop_assert!(edits(&a, &c) <= edits(&a, &b) + edits(&b, &c));
        }
    }
}
