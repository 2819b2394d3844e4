use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct Names(HashMap<&'static str, Value<'static>>);

impl Lookup for Names {
    fn value<'a>(&'a self, variable: &'a Variable) -> Value<'a> {
        self.0.get(variable.name()).cloned().unwrap_or(Value::Null)
    }
}

fn names() -> Names {
    Names(HashMap::from([
        ("request.verb", Value::text("GET")),
        ("proxy.pathsuffix", Value::text("/r('1')/x")),
        ("response.status.code", Value::Integer(400)),
        ("long", Value::Long(5_000_000_000)),
        ("double", Value::Double(1.5)),
        ("yes", Value::Boolean(true)),
        ("yes-text", Value::text("TRUE")),
        ("no", Value::Boolean(false)),
        ("empty", Value::text("")),
        ("braces", Value::text("{user}")),
    ]))
}

fn holds(text: &str) -> bool {
    match Condition::parse(text) {
        Ok(Some(condition)) => condition.holds(&names()),
        Ok(None) => true,
        Err(bad) => panic!("{text}: {bad}"),
    }
}

#[test]
fn every_operator_by_symbol_and_by_word() {
    for (text, expected) in [
        ("request.verb=\"GET\"", true),
        ("request.verb == \"GET\"", true),
        ("request.verb == \"get\"", false),
        ("request.verb Equals \"GET\"", true),
        ("request.verb is \"GET\"", true),
        ("request.verb!=\"GET\"", false),
        ("request.verb NotEquals \"POST\"", true),
        ("request.verb isnot \"POST\"", true),
        ("request.verb := \"get\"", true),
        ("request.verb EqualsCaseInsensitive \"gEt\"", true),
        ("response.status.code > 399", true),
        ("response.status.code GreaterThan 400", false),
        ("response.status.code >= 400", true),
        ("response.status.code GreaterThanOrEquals 400", true),
        ("response.status.code < 401", true),
        ("response.status.code LesserThan 400", false),
        ("response.status.code <= 400", true),
        ("response.status.code LesserThanOrEquals 399", false),
        ("request.verb =| \"GE\"", true),
        ("request.verb StartsWith \"E\"", false),
        ("request.verb not StartsWith \"E\"", true),
        ("request.verb ~ \"G*\"", true),
        ("request.verb Matches \"*X\"", false),
        ("request.verb Like \"*T\"", true),
        ("request.verb !~ \"G*\"", false),
        ("proxy.pathsuffix ~/ \"/*/x\"", true),
        ("proxy.pathsuffix MatchesPath \"/r(**\"", true),
        ("proxy.pathsuffix LikePath \"/s/**\"", false),
        ("proxy.pathsuffix not MatchesPath \"/s/**\"", true),
        ("request.verb ~~ \"G.T\"", true),
        ("request.verb JavaRegex \"G\"", false),
        ("request.verb NOT JavaRegex \"G\"", true),
        ("braces Matches \"%{user%}\"", true),
    ] {
        assert_eq!(holds(text), expected, "{text}");
    }
}

#[test]
fn not_binds_before_and_before_or() {
    for (text, expected) in [
        ("yes or no and no", true),
        ("(yes or no) and no", false),
        ("not no and yes", true),
        ("!no&&yes", true),
        ("!(yes||no)", false),
        ("not not yes", true),
        ("not request.verb = \"POST\"", true),
        ("no || no || yes", true),
        ("YES-variable or yes", true),
    ] {
        assert_eq!(holds(text), expected, "{text}");
    }
}

#[test]
fn words_may_stick_to_parentheses_and_lines_may_break() {
    assert!(holds(
        "(proxy.pathsuffix MatchesPath \"/q\" OR proxy.pathsuffix MatchesPath \"/r(**\")AND(request.verb = \"GET\")"
    ));
    assert!(holds("(request.verb\n = \"GET\")\r\n\tand yes"));
    assert!(holds("   \n "));
}

#[test]
fn what_the_originals_own_bundles_write_is_understood() {
    // An exporter of SAP's leaves the last parenthesis out; a sample of Apigee's turns the path operator round.
    let unclosed = Condition::parse("no OR (request.verb = \"GET\" OR no").unwrap().unwrap();
    assert!(unclosed.is_unclosed() && unclosed.holds(&names()));
    assert_eq!(unclosed.to_string(), "no or (request.verb = \"GET\" or no)");
    assert!(Condition::parse("((no) or yes").unwrap().unwrap().is_unclosed());
    assert!(!Condition::parse("(yes)").unwrap().unwrap().is_unclosed());
    assert!(holds("proxy.pathsuffix /~ \"/*/x\""));
}

#[test]
fn null_follows_the_table() {
    // Columns: left null, right null, both null.
    for (operator, left, right, both) in [
        ("=", false, false, true),
        ("==", false, false, true),
        (":=", false, false, true),
        ("!=", true, true, false),
        (">", true, false, false),
        (">=", false, true, true),
        ("<", true, false, false),
        ("<=", true, false, true),
    ] {
        assert_eq!(holds(&format!("nothing {operator} \"x\"")), left, "null {operator} x");
        assert_eq!(holds(&format!("request.verb {operator} null")), right, "x {operator} null");
        assert_eq!(holds(&format!("nothing {operator} NULL")), both, "null {operator} null");
        assert_eq!(holds(&format!("nothing {operator} nothing2")), both, "null {operator} unknown variable");
    }
    assert!(!holds("nothing =| \"x\""));
    assert!(!holds("request.verb =| null"));
    assert!(!holds("nothing =| null"));
    for operator in ["~", "~~", "~/"] {
        assert!(!holds(&format!("nothing {operator} \"x\"")), "{operator}");
    }
    assert!(holds("nothing !~ \"x\""));
}

#[test]
fn numbers_are_typed_and_widened() {
    for (text, expected) in [
        ("response.status.code = \"400\"", true),
        ("response.status.code = 400", true),
        ("response.status.code = 400L", true),
        ("response.status.code = 400f", true),
        ("response.status.code = 400d", true),
        ("long > 4999999999", true),
        ("long = 5000000000", true),
        ("double = 1.5d", true),
        ("double > 1", true),
        ("double < -1", false),
        ("yes = true", true),
        ("yes = 1", true),
        ("yes-text = true", false),
        ("no = false", true),
        ("empty = \"\"", true),
        ("empty != null", true),
    ] {
        assert_eq!(holds(text), expected, "{text}");
    }
}

#[test]
fn a_bare_variable_is_true_only_when_its_value_is() {
    for (text, expected) in [
        ("yes", true),
        ("yes-text", true),
        ("no", false),
        ("nothing", false),
        ("request.verb", false),
        ("empty", false),
    ] {
        assert_eq!(holds(text), expected, "{text}");
    }
}

#[test]
fn mistakes_are_reported_with_their_position() {
    for (text, position, part) in [
        ("request.verb = 'GET'", 15, "single"),
        ("request.verb = ", 15, "expected a value"),
        ("= \"GET\"", 0, "expected a variable"),
        ("request.verb = \"GET", 15, "closing double quote"),
        ("(request.verb = \"GET\" request.verb", 22, "')'"),
        ("request.verb = \"GET\")", 20, "expected 'and'"),
        ("request.verb \"GET\"", 13, "expected 'and'"),
        ("{request.verb} = \"GET\"", 0, "braces"),
        ("request.verb Matches other", 21, "pattern in double quotes"),
        ("request.verb ~~ \"(?=a)\"", 16, "look-ahead"),
        ("a and and b", 6, "found the word 'and'"),
        ("a = and", 4, "found the word 'and'"),
        ("a = 12x", 4, "not a number"),
        ("a = 99999999999999999999", 4, "not a number"),
        ("a not b", 2, "expected 'and'"),
        ("a # b", 2, "unexpected character"),
    ] {
        let bad = Condition::parse(text).err().unwrap_or_else(|| panic!("'{text}' parses"));
        assert_eq!(bad.position, position, "{text}: {bad}");
        assert!(bad.why.contains(part), "{text}: {bad}");
    }
}

#[test]
fn hostile_nesting_is_refused() {
    let deep = format!("{}a{}", "(".repeat(5000), ")".repeat(5000));
    assert!(Condition::parse(&deep).unwrap_err().why.contains("nested"));
    assert!(Condition::parse(&"!".repeat(5000)).is_err());
}

fn condition() -> impl Strategy<Value = String> {
    let variable = prop_oneof!["[a-z][a-z0-9._-]{0,8}x", Just("request.header.a".to_owned())];
    let operand = prop_oneof![
        "\"[^\"]{0,6}\"",
        "-?[0-9]{1,12}",
        "[0-9]{1,4}(\\.[0-9]{1,3})?[fFdD]",
        Just("null".to_owned()),
        Just("true".to_owned()),
        "[a-z]{1,5}x",
    ];
    let comparison = (variable.clone(), "=|==|!=|:=|<|<=|>|>=|is|NotEquals", operand)
        .prop_map(|(v, op, operand)| format!("{v} {op} {operand}"));
    let pattern = (variable.clone(), "(not )?(Matches|MatchesPath|StartsWith|like)", "\"[a-z/*%{}]{0,8}\"")
        .prop_map(|(v, op, operand)| format!("{v} {op} {operand}"));
    prop_oneof![comparison, pattern, variable].prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), "and|&&|AND|or|OR|\\|\\|", inner.clone())
                .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            inner.clone().prop_map(|a| format!("({a})")),
            (prop_oneof![Just("not "), Just("!")], inner).prop_map(|(not, a)| format!("{not}({a})")),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_displayed_parses_to_the_same(text in condition()) {
        let parsed = Condition::parse(&text).unwrap().unwrap();
        let shown = parsed.to_string();
        let again = Condition::parse(&shown).unwrap().unwrap();
        prop_assert_eq!(&again.to_string(), &shown);
        prop_assert_eq!(again.holds(&names()), parsed.holds(&names()));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = Condition::parse(&text);
    }

    #[test]
    fn no_mix_of_tokens_makes_the_parser_panic(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "a", "and", "or", "not", "!", "(", ")", "=", "!=", "~", "~~", "~/", "=|", "\"x\"", "1", "null", "é", "\"",
            "Matches", "is", "<", " ", "\n",
        ]), 0..20)
    ) {
        let text = tokens.concat();
        if let Ok(Some(parsed)) = Condition::parse(&text) {
            parsed.holds(&names());
        }
    }
}
