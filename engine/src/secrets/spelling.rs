//! The spellings in which a text may show a secret. Does not know the texts.

use std::collections::BTreeSet;

/// The shortest line that is masked by itself, in bytes. Files have lines such as `}`.
const MIN_LINE: usize = 8;

/// Punctuation that forms leave as it is, beside letters and digits.
const KEPT_IN_FORM: &[u8] = b"-._*";

/// The same for each percent encoding. Texts show URLs that were put together by the
/// scenario and normalised by the engine.
const KEPT: [&[u8]; 6] = [
    // All that RFC 3986 leaves.
    b"-._~",
    // A component, as scripts encode it.
    b"-._~!*'()",
    // User info.
    b"-._~!$%&'()*+,",
    // A path.
    b"-._~!$%&'()*+,/:;=@[\\]^|",
    // A query.
    b"-._~!$%&()*+,/:;=?@[\\]^`{|}",
    KEPT_IN_FORM,
];

/// Adds the ways in which a text may show a secret or a part of it.
pub(super) fn add_spellings(secret: &str, all: &mut BTreeSet<String>) {
    for piece in pieces(secret) {
        add_encodings(piece, all);
    }
}

/// The parts of a secret that are secret by themselves: a line of a key file may be shown
/// without the others.
fn pieces(value: &str) -> impl Iterator<Item = &str> {
    let lines = value.lines().map(str::trim);
    let lines = lines.filter(|line| line.len() >= MIN_LINE);
    [value, value.trim()].into_iter().chain(lines)
}

fn add_encodings(secret: &str, all: &mut BTreeSet<String>) {
    for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
        for kept in KEPT {
            all.insert(percent_encoded(secret, kept, digits));
        }
        let form = percent_encoded(secret, KEPT_IN_FORM, digits);
        all.insert(form.replace("%20", "+"));
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
pub(super) fn base64_encoded(bytes: &[u8]) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
