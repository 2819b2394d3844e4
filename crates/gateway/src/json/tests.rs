use proptest::prelude::*;

use super::*;

#[test]
fn a_document_is_written_back_as_it_was() {
    for text in [
        "null",
        "true",
        "[]",
        "{}",
        r#"{"a":[1,2.50,-0,1e9,12345678901234567890123],"b":{"c":"x\"y\\z\n"},"":null}"#,
        r#"[[],{},[{"a":false}]]"#,
        "\"é😀\"",
    ] {
        assert_eq!(Json::parse(text).unwrap().to_json(), text);
    }
    assert_eq!(Json::parse("\u{feff} [ 1 ,\r\n2\t]").unwrap().to_json(), "[1,2]");
}

#[test]
fn escapes_mean_their_characters() {
    let text = Json::parse(r#""\u00e9\ud83d\ude00\/\b\f\ud800x\ud800\u0041""#).unwrap();
    assert_eq!(text.shown(), "é😀/\u{8}\u{c}\u{fffd}x\u{fffd}A");
    assert_eq!(Json::Text("\u{1}".into()).to_json(), "\"\\u0001\"");
}

#[test]
fn the_last_of_two_equal_names_counts() {
    assert_eq!(Json::parse(r#"{"a":1,"a":2}"#).unwrap().get("a"), Some(&Json::Number("2".into())));
}

#[test]
fn what_is_no_json_is_refused_with_its_line() {
    for (text, line) in [
        ("", 1),
        ("{\n\"a\":1,\n}", 3),
        ("[1,\n2\n", 3),
        ("[1 2]", 1),
        ("[01]", 1),
        ("[1.]", 1),
        ("[-]", 1),
        ("[1e]", 1),
        ("[.5]", 1),
        ("nul", 1),
        ("[\"a\nb\"]", 1),
        ("\"a", 1),
        ("\"\\x\"", 1),
        ("\"\\u12g4\"", 1),
        ("{'a':1}", 1),
        ("{\"a\" 1}", 1),
        ("{1:2}", 1),
        ("[1]]", 1),
        ("{]", 1),
        ("[}", 1),
        ("[,]", 1),
        ("1\n\n2", 3),
    ] {
        let bad = Json::parse(text).unwrap_err();
        assert_eq!(bad.line, line, "{text}: {bad}");
    }
    assert!(Json::parse(&"[".repeat(100_000)).is_err());
}

proptest! {
    #[test]
    fn what_others_accept_is_read_alike(text in "[\\[\\]{}:,\"a1.e\\- \\\\u0-9tfn]{0,24}") {
        let ours = Json::parse(&text);
        let theirs: Result<serde_json::Value, _> = serde_json::from_str(&text);
        if let Ok(theirs) = &theirs {
            let ours = ours.unwrap_or_else(|bad| panic!("{text}: {bad}"));
            let again: serde_json::Value = serde_json::from_str(&ours.to_json()).unwrap();
            prop_assert_eq!(&again, theirs);
        } else if let Ok(ours) = ours {
            // Numbers out of range and halves of pairs are all that we take and others do not.
            prop_assert!(text.contains("\\u") || text.contains('e') || text.contains('E'), "{} {:?}", text, ours);
        }
    }
}
