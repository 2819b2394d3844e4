use crate::{Document, Limits, XPath};

fn why(expression: &str) -> (usize, String) {
    let bad =
        XPath::compile(expression, &[("p", "u")]).err().unwrap_or_else(|| panic!("{expression} compiles"));
    (bad.position, bad.why)
}

#[test]
fn what_is_no_expression_is_refused_with_its_place() {
    for (expression, position, part) in [
        ("", 0, "a step of a path"),
        ("a[", 2, "a step of a path"),
        ("a[1", 3, "']' was expected"),
        ("a]", 1, "an operator or the end"),
        ("(a", 2, "')' was expected"),
        ("a b", 2, "an operator or the end"),
        ("1 +", 3, "a step of a path"),
        ("'x", 0, "does not end"),
        ("$", 0, "no name"),
        ("$*", 0, "no name"),
        ("a#b", 1, "no meaning"),
        ("q:a", 0, "the prefix q is not bound"),
        ("q:*", 0, "the prefix q is not bound"),
        ("nope(1)", 0, "there is no function nope"),
        ("p:count(1)", 0, "there is no function count"),
        ("count()", 0, "does not take 0 arguments"),
        ("concat('a')", 0, "does not take 1 arguments"),
        ("true(1)", 0, "does not take 1 arguments"),
        ("nope::a", 0, "there is no axis nope"),
        ("//", 2, "a step of a path"),
        ("a//", 3, "a step of a path"),
        ("@", 1, "a step of a path"),
        ("a/1", 2, "a step of a path"),
        ("text(1)", 5, "')' was expected"),
        ("1, 2", 1, "XPath 1.0 has no sequences"),
        ("if (1) then 2 else 3", 0, "XPath 1.0 has no 'if'"),
        ("a to b", 2, "XPath 1.0 has no such operator"),
        ("*:a", 0, "XPath 1.0 has no '*:'"),
        ("upper-case('a')", 0, "there is no function"),
        ("5 mod", 5, "a step of a path"),
    ] {
        let (at, why) = why(expression);
        assert!(why.contains(part), "{expression}: {why}");
        assert_eq!(at, position, "{expression}: {why}");
    }
}

#[test]
fn words_are_operators_only_where_one_must_stand() {
    let document =
        Document::parse("<div><mod>6</mod><or><and>1</and></or><a-b>3</a-b></div>", &Limits::default());
    let document = document.unwrap();
    for (expression, expected) in [
        ("/div/mod", "6"),
        ("div/mod div div/a-b", "2"),
        ("div/mod mod 4", "2"),
        ("div/or/and and div/or or mod", "true"),
        ("div/*", "6"),
        ("2*3", "6"),
        ("2 * div/a-b", "6"),
        ("div/*[1] * 2", "12"),
        ("(div/mod)*2", "12"),
        ("div/a-b - 1", "2"),
        ("div/a-b -1", "2"),
        ("4-1", "3"),
        ("count(div/*) -1", "2"),
        ("div/child::mod", "6"),
        ("div / mod", "6"),
        ("div/./mod/../mod", "6"),
        (".5 + .5", "1"),
        ("/div[.]/mod", "6"),
    ] {
        let value = XPath::compile(expression, &[]).unwrap_or_else(|bad| panic!("{expression}: {bad}"));
        assert_eq!(value.string(document.root()).unwrap(), expected, "{expression}");
    }
}

#[test]
fn it_is_known_beforehand_what_gives_nodes() {
    for (expression, gives) in [
        ("/a", true),
        ("a | b", true),
        ("(a)[1]", true),
        ("id('x')", true),
        ("count(a)", false),
        ("'a'", false),
        ("a = b", false),
        ("string(a)", false),
    ] {
        assert_eq!(XPath::compile(expression, &[]).unwrap().gives_nodes(), gives, "{expression}");
    }
}
