//! Files of every format, right and wrong ones.

use super::super::file::MAX_CAUSE;
use super::*;

/// Its columns and rows.
fn content(feed: &Feed) -> Vec<Vec<&str>> {
    let columns = feed.columns().iter().map(String::as_str).collect();
    let rows = (0..feed.table.rows()).map(|at| feed.table.row(at).collect());
    [columns].into_iter().chain(rows).collect()
}

#[track_caller]
fn assert_content<const N: usize>(extension: &str, text: &str, expected: &[[&str; N]]) {
    let feed = read(extension, text).unwrap();
    assert_eq!(content(&feed), expected);
    let bom = read(extension, format!("\u{feff}{text}")).unwrap();
    assert_eq!(content(&bom), expected, "with a byte order mark");
    let crlf = read(extension, text.replace('\n', "\r\n")).unwrap();
    assert_eq!(crlf.rows(), feed.rows(), "with carriage returns");
}

/// A file that is wrong in this line, for a cause that begins so.
#[track_caller]
fn assert_wrong(extension: &str, bytes: impl AsRef<[u8]>, at: u64, begins: &str) {
    match read(extension, bytes).unwrap_err() {
        FeedError::Malformed { path, line, cause } => {
            assert!(path.ends_with(format!("x.{extension}")));
            assert_eq!(line, at, "{cause}");
            assert!(cause.starts_with(begins), "{cause}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn values_between_delimiters_are_kept_as_they_are() {
    let text = "name,note\nann,\"a, \"\"b\"\"\nc\"\n bo ,\n\nzoë,1.0";
    let expected = [
        ["name", "note"],
        ["ann", "a, \"b\"\nc"],
        [" bo ", ""],
        ["zoë", "1.0"],
    ];
    let feed = read("csv", text).unwrap();
    assert_eq!(content(&feed), expected);
    assert_content("CSV", "a,b\n1,2\n", &[["a", "b"], ["1", "2"]]);
    assert_content("tsv", "a\tb\n1,0\t2\n", &[["a", "b"], ["1,0", "2"]]);
}

#[test]
fn objects_become_rows() {
    let expected = [
        ["id", "name", "more"],
        ["1", "ann", ""],
        ["null", "", "{\"b\":[1.5,true]}"],
        ["", "a\nb", "-7"],
    ];
    let json = r#"[{"id": 1, "name": "ann"},
        {"more": {"b": [1.5, true]}, "id": null},
        {"name": "a\nb", "more": -7}]"#;
    assert_content("json", json, &expected);
    let lines = r#"
        {"id": 1, "name": "ann"}

        {"more": {"b": [1.5, true]}, "id": null}
        {"name": "a\nb", "more": -7}"#;
    assert_content("jsonl", lines, &expected);
    assert_content("ndjson", lines, &expected);
}

#[test]
fn rows_know_how_many_values_are_left() {
    let feed = read("jsonl", "{\"a\": 1}\n{\"b\": 2}").unwrap();
    let mut row = feed.table.row(0);
    assert_eq!(row.len(), 2);
    assert_eq!(format!("{row:?}"), r#"["1", ""]"#);
    assert_eq!((row.next(), row.len()), (Some("1"), 1));
    assert_eq!((row.next(), row.len()), (Some(""), 0));
    assert_eq!((row.next(), row.next()), (None, None));
}

#[test]
fn wrong_values_between_delimiters_are_found_in_their_line() {
    assert_wrong(
        "csv",
        "a,b\n1,2\n3\n",
        3,
        "the row has 1 values for 2 columns",
    );
    assert_wrong("csv", "a,b\r\n1,2\r\n3,4,5\r\n", 3, "the row has 3 values");
    assert_wrong(
        "csv",
        "a,b\n\n1,\"2\n\n\"\n\n\n3\n4,5\n",
        8,
        "the row has 1",
    );
    assert_wrong("csv", "\u{feff}a,b\r\n1,2\r\n3", 3, "the row has 1 values");
    assert_wrong("tsv", b"a\n1\n\xff\n", 3, "invalid utf-8: ");
    assert_wrong("csv", b"\xff\n1\n", 1, "invalid utf-8: ");
    assert_wrong("csv", "a,b,a\n1,2,3\n", 1, "two columns are called 'a'");
    assert_wrong("csv", "\n\na, \n1,2\n", 3, "a column has no name");
    let wide: Vec<String> = (0..1001).map(|i| i.to_string()).collect();
    assert_wrong("csv", wide.join(","), 1, "there are more than 1000 columns");
}

#[test]
fn wrong_objects_are_found_in_their_line() {
    assert_wrong(
        "json",
        "[{\"a\": 1},\n\n 2]",
        3,
        "invalid type: integer `2`, expected an obj",
    );
    assert_wrong(
        "json",
        "{\"a\": 1}",
        1,
        "invalid type: map, expected an array",
    );
    assert_wrong("json", "[\n{\"a\": 1}", 2, "EOF while parsing a list");
    assert_wrong("json", "[{\"a\": 1}]\n[]", 2, "trailing characters");
    assert_wrong(
        "json",
        "[{\"a\": 1,\n\"a\": 2}]",
        2,
        "two columns are called 'a'",
    );
    assert_wrong("json", b"[{\"a\": \"\xff\"}]", 1, "invalid unicode");
    assert_wrong(
        "jsonl",
        "{\"a\": 1}\n\n[2]\n",
        3,
        "invalid type: sequence, expected an obj",
    );
    assert_wrong("jsonl", "{\"a\": 1} {\"a\": 1}", 1, "trailing characters");
    assert_wrong("jsonl", "{\"a\":\n1}", 1, "EOF while parsing");
    assert_wrong("jsonl", "{\"a\": 1}\n{\"\": 1}", 2, "a column has no name");
    assert_wrong("ndjson", b"{\"a\": 1}\n{\"\xff\": 1}", 2, "invalid unicode");
    assert_wrong("jsonl", "[".repeat(1 << 20), 1, "invalid type");
    assert_wrong(
        "jsonl",
        format!("{{\"a\":{}", "[".repeat(1 << 20)),
        1,
        "recursion limit",
    );
    let wide: Vec<String> = (0..1001).map(|i| format!("\"{i}\":0")).collect();
    let wide = format!("{{{}}}", wide.join(","));
    assert_wrong("jsonl", wide, 1, "there are more than 1000 columns");
}

#[test]
fn a_cause_is_not_longer_than_a_line() {
    let text = format!("[\"{}\"]", "ü".repeat(1000));
    let FeedError::Malformed { cause, .. } = read("json", text).unwrap_err() else {
        panic!("it is no object");
    };
    assert!(cause.len() <= MAX_CAUSE && cause.len() > MAX_CAUSE - 2);
}

#[test]
fn files_without_rows_are_refused() {
    for (extension, text) in [
        ("csv", ""),
        ("csv", "\u{feff}a,b\n"),
        ("tsv", "a"),
        ("json", "[]"),
        ("jsonl", "\n \n"),
    ] {
        let error = read(extension, text).unwrap_err();
        assert!(matches!(error, FeedError::NoRows(_)), "{error}");
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let source = |path: &str| Feed::read(&format!("x={path}").parse().unwrap());
    let error = source("/nowhere/users.csv").unwrap_err().to_string();
    assert!(
        error.starts_with("cannot read /nowhere/users.csv: "),
        "{error}"
    );
    for name in ["users.txt", "users", ".csv", "csv"] {
        let error = source(name).unwrap_err().to_string();
        assert!(
            error.contains(".csv, .tsv, .json, .jsonl or .ndjson"),
            "{error}"
        );
    }
    for extension in ["csv", "json", "jsonl"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(format!("x.{extension}"));
        std::fs::create_dir(&path).unwrap();
        let error = source(path.to_str().unwrap()).unwrap_err();
        assert!(matches!(error, FeedError::Unreadable { .. }), "{error}");
    }
}

proptest! {
    #[test]
    fn any_values_come_back(
        rows in prop::collection::vec(prop::collection::vec("\\PC{0,5}|[\",\r\n]{1,4}", 2), 1..20)
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["a", "b"]).unwrap();
        rows.iter().for_each(|row| writer.write_record(row).unwrap());
        let feed = read("csv", writer.into_inner().unwrap()).unwrap();
        prop_assert_eq!(&content(&feed)[1..], &rows);

        let objects = rows.iter().map(|row| serde_json::json!({"a": row[0], "b": row[1]}));
        let json = serde_json::Value::Array(objects.collect()).to_string();
        let feed = read("json", json).unwrap();
        prop_assert_eq!(&content(&feed)[1..], &rows);
    }
}
