//! Values that nobody shall read in a log or a result: where they come from, and the
//! masking of them in texts. Does not know which texts there are, nor the environment.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use thiserror::Error;

/// What stands where a secret was.
const MASK: &str = "***";
/// The shortest secret, and the shortest beginning of one at the end of a text, in bytes.
const MIN_LENGTH: usize = 4;
/// The largest secret in bytes.
const MAX_LENGTH: usize = 64 << 10;
/// The shortest line that is masked by itself, in bytes. Files have lines such as `}`.
const MIN_LINE: usize = 8;

/// Punctuation that percent encodings leave as it is, beside letters and digits. Texts
/// show URLs that were put together by the scenario and normalised by the engine.
const UNRESERVED: &[u8] = b"-._~";
const KEPT_IN_COMPONENT: &[u8] = b"-._~!*'()";
const KEPT_IN_USER_INFO: &[u8] = b"-._~!$%&'()*+,";
const KEPT_IN_PATH: &[u8] = b"-._~!$%&'()*+,/:;=@[\\]^|";
const KEPT_IN_QUERY: &[u8] = b"-._~!$%&()*+,/:;=?@[\\]^`{|}";
const KEPT_IN_FORM: &[u8] = b"-._*";

/// Why a value cannot be a secret. The value itself is never part of it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidSecret {
    /// Masking it would garble everything.
    #[error(
        "secret '{name}' has less than {MIN_LENGTH} bytes: masking it would make every text \
         unreadable; use a longer value, or pass it with -e if it is none to hide"
    )]
    TooShort {
        /// The secret's name.
        name: String,
    },
    /// It is no password or key, but a whole file.
    #[error("secret '{name}' has more than {MAX_LENGTH} bytes; use a shorter value")]
    TooLong {
        /// The secret's name.
        name: String,
    },
    /// All of them together are beyond what can be searched for.
    #[error("the secrets are too many to be masked ({0}); use fewer or shorter ones")]
    TooMany(String),
}

/// The secrets of a run. Clones share them.
#[derive(Clone, Default)]
pub struct Secrets {
    values: Arc<BTreeMap<String, String>>,
    mask: Option<Arc<Mask>>,
}

/// What to look for in a text.
struct Mask {
    /// Each secret in each spelling, sorted by bytes.
    patterns: Vec<String>,
    search: AhoCorasick,
    /// Length of the longest pattern.
    longest: usize,
}

impl Secrets {
    /// Secrets by name.
    ///
    /// # Errors
    ///
    /// When a value is too short or too long to be masked.
    pub fn new(values: BTreeMap<String, String>) -> Result<Self, InvalidSecret> {
        for (name, value) in &values {
            if value.trim().len() < MIN_LENGTH {
                return Err(InvalidSecret::TooShort { name: name.clone() });
            }
            if value.len() > MAX_LENGTH {
                return Err(InvalidSecret::TooLong { name: name.clone() });
            }
        }
        Ok(Secrets {
            mask: Mask::new(values.values())?.map(Arc::new),
            values: Arc::new(values),
        })
    }

    /// The value of this secret.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Whether there are none, so that no text needs to be masked.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The text with `***` in place of every secret, whether it is spelt as it is or
    /// encoded for a URL, a form, JSON or as base64. Since texts may have been cut before,
    /// the beginning of a secret at the end of the text is masked too.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(mask) = &self.mask else {
            return Cow::Borrowed(text);
        };
        let ranges = mask.find(text);
        if ranges.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut shown = 0;
        for range in ranges {
            masked.push_str(&text[shown..range.start]);
            masked.push_str(MASK);
            shown = range.end;
        }
        masked.push_str(&text[shown..]);
        Cow::Owned(masked)
    }
}

impl PartialEq for Secrets {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Mask {
    fn new<'a>(values: impl Iterator<Item = &'a String>) -> Result<Option<Self>, InvalidSecret> {
        let mut patterns = BTreeSet::new();
        for piece in values.flat_map(|value| pieces(value)) {
            add_spellings(piece, &mut patterns);
        }
        let patterns: Vec<String> = patterns.into_iter().collect();
        let Some(longest) = patterns.iter().map(String::len).max() else {
            return Ok(None);
        };
        // The default may be a DFA, which takes a kibibyte for each byte of a secret.
        let search = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&patterns)
            .map_err(|error| InvalidSecret::TooMany(error.to_string()))?;
        Ok(Some(Mask {
            patterns,
            search,
            longest,
        }))
    }

    /// What to hide of this text: ranges that do not overlap, in their order.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        // All matches and not the leftmost longest ones: where two secrets overlap, these
        // would hide one of them and show the rest of the other.
        let matches = self.search.find_overlapping_iter(text);
        let mut found: Vec<Range<usize>> = matches.map(|m| m.range()).collect();
        found.extend(self.tail(text));
        found.sort_unstable_by_key(|range| range.start);
        found.dedup_by(|next, range| {
            let overlap = next.start < range.end;
            if overlap {
                range.end = range.end.max(next.end);
            }
            overlap
        });
        found
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

/// The parts of a secret that are secret by themselves: a line of a key file may be shown
/// without the others.
fn pieces(value: &str) -> impl Iterator<Item = &str> {
    let lines = value.lines().map(str::trim);
    let lines = lines.filter(|line| line.len() >= MIN_LINE);
    [value, value.trim()].into_iter().chain(lines)
}

/// Adds the ways in which a text may show a secret.
fn add_spellings(secret: &str, all: &mut BTreeSet<String>) {
    let kept = [
        UNRESERVED,
        KEPT_IN_COMPONENT,
        KEPT_IN_USER_INFO,
        KEPT_IN_PATH,
        KEPT_IN_QUERY,
        KEPT_IN_FORM,
    ];
    for kept in kept {
        for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
            let encoded = percent_encoded(secret, kept, digits);
            if kept == KEPT_IN_FORM {
                all.insert(encoded.replace("%20", "+"));
            }
            all.insert(encoded);
        }
    }
    all.insert(json_escaped(secret));
    let base64 = base64_encoded(secret.as_bytes());
    // The padding may be left out.
    all.insert(base64.trim_end_matches('=').to_owned());
    all.insert(base64);
    all.insert(secret.to_owned());
}

fn percent_encoded(text: &str, kept: &[u8], digits: &[u8; 16]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(digits[usize::from(byte >> 4)]));
            encoded.push(char::from(digits[usize::from(byte & 15)]));
        }
    }
    encoded
}

/// The inside of a JSON string.
fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// The standard alphabet, with padding.
fn base64_encoded(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| usize::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = ALPHABET[bits >> (18 - 6 * at) & 63];
            encoded.push(if at <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    encoded
}

/// Where the value of a secret comes from. Never from the command line itself, which
/// every user of the machine can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file, without the line break at its end.
    File(PathBuf),
}

/// A text that is no source of a secret. It is not repeated: it could be the secret.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum InvalidSource {
    /// Neither of the two kinds.
    #[error(
        "name where the secret is, as env:VARIABLE or file:PATH; its value would be seen in \
         the list of processes"
    )]
    Kind,
    /// `env:` and nothing else.
    #[error("'env:' is not followed by the name of a variable")]
    NoVariable,
    /// `file:` and nothing else.
    #[error("'file:' is not followed by a path")]
    NoPath,
}

impl FromStr for SecretSource {
    type Err = InvalidSource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("env", "")) => Err(InvalidSource::NoVariable),
            Some(("file", "")) => Err(InvalidSource::NoPath),
            Some(("env", variable)) => Ok(SecretSource::Env(variable.to_owned())),
            Some(("file", path)) => Ok(SecretSource::File(path.into())),
            _ => Err(InvalidSource::Kind),
        }
    }
}

/// Why the value of a secret is not known.
#[derive(Debug, Error)]
pub enum UnreadableSecret {
    /// There is no such environment variable.
    #[error("the environment variable {0} is not set, or not valid UTF-8")]
    Unset(String),
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is no text.
    #[error("{} is not valid UTF-8; encode the secret as text, such as base64", .0.display())]
    NotText(PathBuf),
    /// The file is no secret.
    #[error("{} has more than {MAX_LENGTH} bytes, too many for a secret", .0.display())]
    TooLarge(PathBuf),
}

impl SecretSource {
    /// The value. `env` looks up an environment variable.
    ///
    /// # Errors
    ///
    /// When there is no such variable or file, or the file holds no text of 64 KiB at most.
    pub fn read(&self, env: impl Fn(&str) -> Option<String>) -> Result<String, UnreadableSecret> {
        let path = match self {
            SecretSource::Env(name) => {
                return env(name).ok_or_else(|| UnreadableSecret::Unset(name.clone()));
            }
            SecretSource::File(path) => path,
        };
        let mut bytes = Vec::new();
        // Not the whole file, which may have no end.
        File::open(path)
            .and_then(|file| file.take(MAX_LENGTH as u64 + 1).read_to_end(&mut bytes))
            .map_err(|error| UnreadableSecret::File {
                path: path.clone(),
                error,
            })?;
        if bytes.len() > MAX_LENGTH {
            return Err(UnreadableSecret::TooLarge(path.clone()));
        }
        let mut text =
            String::from_utf8(bytes).map_err(|_| UnreadableSecret::NotText(path.clone()))?;
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    fn secrets(values: &[&str]) -> Secrets {
        let named = values.iter().enumerate();
        Secrets::new(named.map(|(i, v)| (i.to_string(), v.to_string())).collect()).unwrap()
    }

    fn named(value: &str) -> Result<Secrets, InvalidSecret> {
        Secrets::new([("token".to_owned(), value.to_owned())].into())
    }

    #[test]
    fn values_are_found_by_name_and_never_shown() {
        let secrets = named("hunter2!").unwrap();
        assert_eq!(secrets.get("token"), Some("hunter2!"));
        assert_eq!(secrets.get("other"), None);
        assert!(!secrets.is_empty());
        assert_eq!(format!("{secrets:?}"), r#"{"token"}"#);
        assert_eq!(secrets, secrets.clone());
        assert_ne!(secrets, Secrets::default());
        assert!(Secrets::default().is_empty());
    }

    #[test]
    fn values_that_cannot_be_masked_are_refused_without_showing_them() {
        for short in ["", "abc", "  \n  ", " xyz\n"] {
            let error = named(short).unwrap_err();
            assert!(error.to_string().starts_with("secret 'token' has less"));
            assert!(short.is_empty() || !error.to_string().contains(short));
        }
        assert!(named("abcd").is_ok());
        assert!(named(&"x".repeat(MAX_LENGTH)).is_ok());
        let error = named(&"x".repeat(MAX_LENGTH + 1)).unwrap_err();
        assert!(error.to_string().contains("65536 bytes"), "{error}");
    }

    #[test]
    fn every_spelling_is_masked() {
        let secret = r#"p@ss/w"örd +1"#;
        let spellings = [
            secret,
            "p%40ss%2Fw%22%C3%B6rd%20%2B1",
            "p%40ss%2fw%22%c3%b6rd%20%2b1",
            "p%40ss%2Fw%22%C3%B6rd+%2B1",
            "p@ss/w%22%C3%B6rd%20+1",
            r#"p@ss/w\"örd +1"#,
            "cEBzcy93IsO2cmQgKzE=",
            "cEBzcy93IsO2cmQgKzE",
        ];
        let secrets = secrets(&[secret]);
        for spelling in spellings {
            let text = format!("GET /?a={spelling}&b=1 {spelling}");
            assert_eq!(secrets.mask(&text), "GET /?a=***&b=1 ***", "{spelling}");
        }
    }

    /// What the engine itself does to a secret within a URL.
    #[test]
    fn urls_are_masked_as_they_are_normalised() {
        let secret = "a b/c?d{e}f'g^h|i<j>k";
        let secrets = secrets(&[secret]);
        let mut url = url::Url::parse("http://h/").unwrap();
        url.set_query(Some(&format!("q={secret}")));
        assert_eq!(secrets.mask(url.as_str()), "http://h/?q=***");
        url.set_query(None);
        url.set_path(secret);
        assert_eq!(secrets.mask(url.as_str()), "http://h/***");
        url.set_path("");
        url.set_password(Some(secret)).unwrap();
        url.set_username("u").unwrap();
        assert_eq!(secrets.mask(url.as_str()), "http://u:***@h/");
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        assert_eq!(secrets.mask(&format!("q={form}&r")), "q=***&r");
    }

    #[test]
    fn overlapping_secrets_leave_nothing() {
        let secrets = secrets(&["abcd1234", "1234wxyz", "d123"]);
        assert_eq!(secrets.mask("<abcd1234wxyz>"), "<***>");
        assert_eq!(secrets.mask("<d1234wxyz>"), "<***>");
        assert_eq!(secrets.mask("<abcd1234><1234wxyz>"), "<***><***>");
    }

    #[test]
    fn a_secret_cut_at_the_end_is_masked() {
        let secrets = secrets(&["correct horse", "abcdabcd"]);
        assert_eq!(secrets.mask("the correct hor"), "the ***");
        assert_eq!(secrets.mask("the corr"), "the ***");
        assert_eq!(secrets.mask("the cor"), "the cor");
        assert_eq!(secrets.mask("q=correct%20h"), "q=***");
        assert_eq!(secrets.mask("the corr is"), "the corr is");
        assert_eq!(secrets.mask("<abcdabcdabcd"), "<***");
        assert_eq!(secrets.mask("<abcdabcd_abcdab"), "<***_***");
    }

    #[test]
    fn lines_of_a_key_are_masked_by_themselves() {
        let secrets = secrets(&["{\n  \"key\": \"0123456789\"\n}\r\nshort\n"]);
        assert_eq!(
            secrets.mask("{ \"key\": \"0123456789\" } short"),
            "{ *** } short"
        );
        assert_eq!(
            secrets.mask("<{\n  \"key\": \"0123456789\"\n}\r\nshort>"),
            "<***>"
        );
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        let examples = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
            ("\u{7fb}\u{7ff}", "37vfvw=="),
        ];
        for (text, encoded) in examples {
            assert_eq!(base64_encoded(text.as_bytes()), encoded);
        }
    }

    #[test]
    fn large_secrets_can_be_masked() {
        let key: String = (0..600).map(|i| format!("{i:0>64}\n")).collect();
        let secrets = secrets(&[&key]);
        assert_eq!(secrets.mask(&format!("<{key}>")), "<***>");
        assert_eq!(secrets.mask(&format!("<{:0>64}>", 599)), "<***>");
    }

    #[test]
    fn sources_are_variables_and_files() {
        let source = |text: &str| text.parse::<SecretSource>();
        assert_eq!(source("env:A:B"), Ok(SecretSource::Env("A:B".into())));
        assert_eq!(source("file:/a:b"), Ok(SecretSource::File("/a:b".into())));
        assert_eq!(source("env:"), Err(InvalidSource::NoVariable));
        assert_eq!(source("file:"), Err(InvalidSource::NoPath));
        for text in ["", "hunter2!", "Env:A", "http://x"] {
            let error = source(text).unwrap_err();
            assert_eq!(error, InvalidSource::Kind);
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
    }

    #[test]
    fn a_variable_is_read_as_it_is() {
        let env = |name: &str| (name == "TOKEN").then(|| " hunter2\n".to_owned());
        let read = |name: &str| SecretSource::Env(name.into()).read(env);
        assert_eq!(read("TOKEN").unwrap(), " hunter2\n");
        let error = read("OTHER").unwrap_err().to_string();
        assert!(error.contains("OTHER is not set"), "{error}");
    }

    #[test]
    fn a_file_is_read_without_its_last_line_break() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            SecretSource::File(path.clone()).read(|_| None)
        };
        assert_eq!(read(b"hunter2").unwrap(), "hunter2");
        assert_eq!(read(b"hunter2\n").unwrap(), "hunter2");
        assert_eq!(read(b"a\r\nb\r\n").unwrap(), "a\r\nb");
        assert_eq!(read(b"a\n\n").unwrap(), "a\n");
        assert_eq!(read(b"a\r").unwrap(), "a\r");
        assert_eq!(read(&[b'x'; MAX_LENGTH]).unwrap().len(), MAX_LENGTH);
        assert!(matches!(
            read(&[b'x'; MAX_LENGTH + 1]),
            Err(UnreadableSecret::TooLarge(_))
        ));
        assert!(matches!(read(b"\xff"), Err(UnreadableSecret::NotText(_))));
        let none = SecretSource::File(directory.path().join("none")).read(|_| None);
        assert!(none.unwrap_err().to_string().contains("none: "));
    }

    /// Short alphabets, so that secrets overlap each other and the texts.
    fn secret() -> impl Strategy<Value = String> {
        prop_oneof!["[ab]{4,7}", "[ab/ é\"]{4,9}", "\\PC{4,20}"]
            .prop_filter("masks", |s| s.trim().len() >= 4 && !s.contains('*'))
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[ab]{0,30}", "[ab/ é\"]{0,30}", "\\PC{0,40}"]
    }

    proptest! {
        #[test]
        fn no_masked_text_contains_a_secret(
            values in prop::collection::vec(secret(), 1..4),
            parts in prop::collection::vec((text(), any::<prop::sample::Index>()), 0..5),
            end in text(),
        ) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let secrets = secrets(&values);
            let spellings: Vec<&String> = secrets.mask.iter().flat_map(|m| &m.patterns).collect();
            let mut whole = String::new();
            for (text, secret) in &parts {
                whole.push_str(text);
                whole.push_str(spellings[secret.index(spellings.len())]);
            }
            whole.push_str(&end);
            let masked = secrets.mask(&whole);
            for secret in values {
                prop_assert!(!masked.contains(secret), "{secret:?} in {masked:?}");
            }
            prop_assert_eq!(secrets.mask(&masked), masked.clone());
        }

        #[test]
        fn a_text_without_secrets_is_left_alone(value in "[a-m]{4,12}", text in "[n-z0-9 é]{0,60}") {
            let secrets = secrets(&[&value]);
            // Its base64 spelling could be found there, which tells nothing of its own.
            prop_assume!(!text.contains(&base64_encoded(value.as_bytes())[..4]));
            prop_assert!(matches!(secrets.mask(&text), Cow::Borrowed(same) if same == text));
        }

        #[test]
        fn no_cut_shows_the_beginning_of_a_secret(
            before in "[n-z é]{0,20}", value in "[a-mö/\"+ ]{4,20}", cut in 0_usize..20
        ) {
            prop_assume!(value.trim().len() >= 4);
            let secrets = secrets(&[&value]);
            for spelling in &secrets.mask.as_ref().unwrap().patterns {
                let cut = spelling.floor_char_boundary(MIN_LENGTH + cut);
                prop_assume!(cut >= MIN_LENGTH);
                let text = format!("{before}{}", &spelling[..cut]);
                let masked = secrets.mask(&text);
                prop_assert!(masked.ends_with(MASK), "{text:?}: {masked:?}");
                prop_assert!(text.starts_with(masked.trim_end_matches(MASK)));
                prop_assert!(masked.len() <= before.len() + MASK.len());
            }
        }
    }
}
