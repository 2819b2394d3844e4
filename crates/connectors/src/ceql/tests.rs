use proptest::prelude::*;
use serde_json::json;

use super::*;

fn kept(query: &str, record: serde_json::Value) -> bool {
    holds(&where_clause(query).unwrap(), &record)
}

#[test]
fn a_doubled_quote_is_a_quote() {
    assert!(kept("Name='Churro''s Test Account'", json!({"Name": "Churro's Test Account"})));
}

#[test]
fn every_operator_of_the_reference_works() {
    let record = json!({"name": "Report 1.pdf", "size": 10, "directory": false, "tags": ["a"],
        "modifiedDate": "2026-01-02T03:04:05Z", "parent": {"name": "x"}, "dotted.key": 1, "none": null});
    for query in [
        "size = 10 AND size != 11 and size > 9 and size < 11 and size >= 10 and size <= 10",
        "name LIKE 'report%' and name like '%1%' and name not like 'x%'",
        "name in ('a', 'Report 1.pdf') and size not in (1, 2)",
        "none is null and absent IS NULL and name is not null",
        "directory = 'false' and directory=false and NOT directory = true",
        "modifiedDate > '2026-01-01T00:00:00.000Z' and modifiedDate < '2026-01-03'",
        "(size = 1 or size = 10) and parent.name = ‘x’",
        "`dotted.key` = 1 and extension = 'pdf' and absent != 'x'",
        "none = null",
    ] {
        assert!(kept(query, record.clone()), "{query}");
    }
    for query in ["absent = 'x'", "size = 'many'", "name like 'Report'", "email=''", "size > 10"] {
        assert!(!kept(query, record.clone()), "{query}");
    }
}

#[test]
fn what_does_not_parse_is_said_with_its_place() {
    for (query, at) in
        [("name =", 7), ("name ~ 'x'", 6), ("name = 'x", 8), ("(a=1", 5), ("a=1 b=2", 5), ("", 1)]
    {
        let error = where_clause(query).unwrap_err();
        assert_eq!(error.at, at, "{query}");
        assert!(error.to_string().starts_with("Error parsing query"), "{error}");
    }
    assert!(where_clause(&format!("{}a=1{}", "(".repeat(60), ")".repeat(60))).is_err());
}

#[test]
fn orders_sort_by_several_fields_and_keep_ties() {
    let mut records =
        vec![json!({"a": 2, "n": 1}), json!({"a": 1, "n": 2}), json!({"a": 2, "n": 3}), json!({"n": 4})];
    sort(&mut records, &order_by("a desc").unwrap());
    let order: Vec<_> = records.iter().map(|record| record["n"].as_i64().unwrap()).collect();
    assert_eq!(order, [1, 3, 2, 4]);
    assert!(order_by("a sideways").is_err());
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,60}") {
        let _ = where_clause(&text);
        let _ = order_by(&text);
    }

    #[test]
    fn query_like_text_never_panics(words in proptest::collection::vec(prop_oneof![
        Just("a"), Just("="), Just("'x'"), Just("and"), Just("not"), Just("("), Just(")"), Just("in"), Just(","),
        Just("like"), Just("is"), Just("null"), Just("1")], 0..20)) {
        if let Ok(condition) = where_clause(&words.join(" ")) {
            let _ = holds(&condition, &json!({"a": "x"}));
        }
    }
}
