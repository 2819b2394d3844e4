use crate::xpath::eval::{Evaluation, Work};
use crate::xpath::focus::Focus;
use crate::{Document, Limits, XPath, XPathError};

fn document(xml: &str) -> Document {
    Document::parse(xml, &Limits::default()).unwrap()
}

#[test]
fn nesting_is_bounded_in_every_direction() {
    let deep = 100_000;
    for expression in [
        "(".repeat(deep),
        format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000)),
        "a[".repeat(deep / 2),
        format!("{}a{}", "a[".repeat(1_000), "]".repeat(1_000)),
        "not(".repeat(10_000),
        format!("1{}", "+1".repeat(20_000)),
        format!("1{}", " = 1".repeat(10_000)),
        format!("{}1", "-".repeat(60_000)),
    ] {
        let _ = XPath::compile(&expression, &[]);
    }
    assert!(XPath::compile(&format!("1{}", "+1".repeat(200)), &[]).is_err());
    assert!(XPath::compile(&format!("1{}", "+1".repeat(70)), &[]).is_ok());
    assert!(XPath::compile(&format!("1{}", " or 1".repeat(5_000)), &[]).is_ok(), "chains of or are flat");
    assert!(XPath::compile(&format!("a{}", "/a".repeat(5_000)), &[]).is_ok(), "paths are flat");
}

#[test]
fn work_is_bounded() {
    let document = document(&format!("<r>{}</r>", "<a>x</a>".repeat(2_000)));
    for expression in [
        "//*[count(//*) > 3]",
        "count(//*[count(//*[count(//*) > 0]) > 0])",
        "//*[. = //*]",
        "//a/following::*/preceding::*/following::*",
        "//*[contains(string(/), 'y')]",
    ] {
        let work = Work::new(100_000);
        let evaluation = Evaluation { dynamic: &super::super::focus::Variables(&[]), work: &work };
        let expr = XPath::compile(expression, &[]).unwrap().expr;
        let result = evaluation.value(&expr, &Focus::on(document.root()));
        assert_eq!(result, Err(XPathError::TooMuchWork(100_000)), "{expression}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_compiler_panic(text in "[/@*()\\[\\].:$'\"a-c1-3 |+<=>!,-]{0,40}|\\PC{0,30}") {
        let _ = XPath::compile(&text, &[("a", "u")]);
    }

    #[test]
    fn what_compiles_evaluates_without_panic(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "a", "b", "*", "/", "//", "@", "..", ".", "[", "]", "(", ")", "1", "2.5", "'x'", " and ", " or ", " = ",
            " < ", "|", " + ", " - ", " div ", " mod ", "count(", "string(", "not(", "position()", "last()",
            "ancestor::", "preceding::", "following-sibling::", "text()", "node()", "substring(", ",", "$v", "sum(",
        ]), 0..14),
    ) {
        let document = document("<a><b>1</b><b k='2'>x<a/></b></a>");
        if let Ok(xpath) = XPath::compile(&words.concat(), &[]) {
            let _ = xpath.evaluate_with(document.root(), &[("v", 1.0.into())]);
        }
    }
}
