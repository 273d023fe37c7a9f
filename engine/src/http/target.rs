//! The text of URLs: which of them need no parser, how a path joins a base, and the name
//! under which a path is counted. Pure.

use std::borrow::Cow;

/// The longest name, in bytes.
pub(super) const MAX_NAME: usize = 256;

/// Whether a path with query can be sent as it is written: a parser would neither escape
/// nor shorten anything in it.
pub(super) fn is_plain_path(path: &str) -> bool {
    let mut previous = 0;
    for byte in path.bytes() {
        let plain = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => true,
            // A segment that starts with a dot may be one to resolve.
            b'.' => previous != b'/',
            b'%' | b'/' | b'?' | b'-' | b'_' | b'~' | b'!' | b'$' | b'&' | b'(' | b')' | b'*'
            | b'+' | b',' | b';' | b'=' | b':' | b'@' => true,
            _ => false,
        };
        // `%2e` is a dot, too; rare enough for the parser.
        if !plain || (previous == b'/' && byte == b'%') {
            return false;
        }
        previous = byte;
    }
    path.starts_with('/')
}

/// Whether a URL names its own scheme.
pub(super) fn is_absolute(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    })
}

/// Appends a path to a base: `base` has no slash at its end.
pub(super) fn join(base: &str, path: &str) -> String {
    let slash = if path.is_empty() || path.starts_with(['/', '?', '#']) {
        ""
    } else {
        "/"
    };
    [base, slash, path].concat()
}

/// The name under which a path is counted: segments of digits only become `{id}`.
pub(super) fn default_name(path: &str) -> Cow<'_, str> {
    let mut name = Cow::Borrowed(path);
    if path.split('/').any(is_number) {
        let segments = path
            .split('/')
            .map(|s| if is_number(s) { "{id}" } else { s });
        let mut text = String::with_capacity(path.len() + 8);
        for (index, segment) in segments.enumerate() {
            if index > 0 {
                text.push('/');
            }
            text.push_str(segment);
        }
        name = Cow::Owned(text);
    }
    if name.len() > MAX_NAME {
        name = Cow::Owned(name[..name.floor_char_boundary(MAX_NAME)].to_owned());
    }
    name
}

fn is_number(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_path_become_one_name() {
        assert_eq!(
            default_name("/items/42/reviews/7"),
            "/items/{id}/reviews/{id}"
        );
        assert_eq!(default_name("/v2/items"), "/v2/items");
        assert_eq!(default_name("/7"), "/{id}");
        assert!(matches!(
            default_name("/plain/path/"),
            Cow::Borrowed("/plain/path/")
        ));
        assert_eq!(
            default_name(&format!("/{}", "a".repeat(999))).len(),
            MAX_NAME
        );
    }

    #[test]
    fn a_plain_path_is_what_a_parser_leaves_alone() {
        let base = url::Url::parse("http://h/").unwrap();
        let cases = [
            "/",
            "/a/b.html?q=1&r=a+b",
            "/a%20b",
            "/~me/x;v=1",
            "//double",
            "/a/../b",
            "/.",
            "/a b",
            "/é",
            "/a#b",
            "/%2e%2e/x",
            "/q?x='1'",
            "/a\\b",
            "/x?y={z}",
            "relative",
            "",
            "/a\nb",
        ];
        for path in cases {
            let parsed = url::Url::parse(&format!("http://h{path}")).unwrap_or(base.clone());
            let kept = &parsed[url::Position::BeforePath..] == path;
            assert!(!is_plain_path(path) || kept, "{path:?} became {parsed}");
        }
        assert!(is_plain_path("/a/b.html?q=1&r=a+b"));
        assert!(is_plain_path("/a%20b"));
    }

    #[test]
    fn paths_join_behind_the_base() {
        assert_eq!(join("http://h/api", "/users"), "http://h/api/users");
        assert_eq!(join("http://h", "users"), "http://h/users");
        assert_eq!(join("http://h/api", "?q=1"), "http://h/api?q=1");
        assert_eq!(join("http://h/api", ""), "http://h/api");
    }

    #[test]
    fn only_a_scheme_makes_a_url_absolute() {
        assert!(is_absolute("https://h/"));
        assert!(is_absolute("ftp://h/"));
        assert!(!is_absolute("/login?next=https://h/"));
        assert!(!is_absolute("//h/"));
    }
}
