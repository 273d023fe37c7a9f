//! Texts with secrets in them, which no masked text shows.

use proptest::prelude::*;

use super::spelling::base64_encoded;
use super::*;

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
fn large_secrets_can_be_masked() {
    let key: String = (0..600).map(|i| format!("{i:0>64}\n")).collect();
    let secrets = secrets(&[&key]);
    assert_eq!(secrets.mask(&format!("<{key}>")), "<***>");
    assert_eq!(secrets.mask(&format!("<{:0>64}>", 599)), "<***>");
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
