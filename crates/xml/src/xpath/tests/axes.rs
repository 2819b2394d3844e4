use crate::{Document, Limits, XPath};

const XML: &str = "<r xmlns:p='u' xml:lang='en'><a id='1'><b/><b k='v'/>t</a><!--c--><?t d?>\
                   <a id='2'><p:b/><c><d/></c></a><e/></r>";

/// Names, and identifiers or text, of what an expression gives from the node another gives.
fn from(context: &str, expression: &str) -> String {
    let document = Document::parse(XML, &Limits::default()).unwrap();
    let namespaces = [("q", "u")];
    let compile = |text| XPath::compile(text, &namespaces).unwrap_or_else(|bad| panic!("{text}: {bad}"));
    let context = compile(context).nodes(document.root()).unwrap()[0];
    let nodes = compile(expression).nodes(context).unwrap_or_else(|bad| panic!("{expression}: {bad}"));
    let names = nodes.into_iter().map(|node| match node.attribute("id") {
        Some(id) => format!("{}{id}", node.name()),
        None if node.name().is_empty() => format!("{:?}", node.kind()),
        None => node.name().into_owned(),
    });
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_axis_leads_where_it_should() {
    for (context, expression, expected) in [
        ("/r/a[2]", "child::*", "p:b c"),
        ("/r/a[2]", "descendant::*", "p:b c d"),
        ("/r/a[2]", "descendant-or-self::*", "a2 p:b c d"),
        ("/r/a[2]", "parent::r", "r"),
        ("//d", "ancestor::*", "r a2 c"),
        ("//d", "ancestor-or-self::*", "r a2 c d"),
        ("/r/a[1]", "following-sibling::*", "a2 e"),
        ("/r/e", "preceding-sibling::*", "a1 a2"),
        ("/r/a[1]/b[1]", "following::*", "b a2 p:b c d e"),
        ("//d", "preceding::*", "a1 b b p:b"),
        ("/r/a[1]/b[2]", "attribute::*", "k"),
        ("/r/a[1]", "self::a", "a1"),
        ("/r/a[1]", "self::b", ""),
        ("/r", "namespace::*", "xml p"),
        ("/r/a[1]/b[2]/@k", "..", "b"),
        ("/r/a[1]/b[2]/@k", "following::*", "a2 p:b c d e"),
        ("/r/a[1]/b[2]/@k", "preceding::*", "b"),
        ("/r/a[1]/b[2]/@k", "following-sibling::node()", ""),
        ("/r", "namespace::p/..", "r"),
        ("/", "child::node()", "r"),
        ("/r", "child::node()", "a1 Comment t a2 e"),
        ("/r", "comment()", "Comment"),
        ("/r", "processing-instruction()", "t"),
        ("/r", "processing-instruction('t')", "t"),
        ("/r", "processing-instruction('u')", ""),
        ("/r", "a/text()", "Text"),
        ("/r", "//q:b", "p:b"),
        ("/r", "//q:*", "p:b"),
        ("/r", "//b", "b b"),
        ("/r", "a/@id", "id id"),
        ("/r", ".//@*", "xml:lang id k id"),
        ("/r", "..", "Root"),
        ("/", "..", ""),
    ] {
        assert_eq!(from(context, expression), expected, "{expression} from {context}");
    }
}

#[test]
fn predicates_count_along_the_axis() {
    for (context, expression, expected) in [
        ("/r", "a[1]", "a1"),
        ("/r", "a[last()]", "a2"),
        ("/r", "a[position() > 1]", "a2"),
        ("/r", "*[2][self::a]", "a2"),
        ("/r", "a[@id='2'][1]", "a2"),
        ("/r", "a[1][@id='2']", ""),
        ("//d", "ancestor::*[1]", "c"),
        ("//d", "ancestor::*[last()]", "r"),
        ("//d", "preceding::*[1]", "p:b"),
        ("/r/e", "preceding-sibling::*[1]", "a2"),
        ("/r/e", "(preceding-sibling::*)[1]", "a1"),
        ("/", "//*[1]", "r a1 b p:b d"),
        ("/", "/descendant::*[3]", "b"),
        ("/", "(//*)[3]", "b"),
        ("/", "//b[2]", "b"),
        ("/", "//*[position() = last()][self::e]", "e"),
        ("/", "//b[@k]", "b"),
        ("/", "//*[not(*)]", "b b p:b d e"),
        ("/", "//a[count(b) = 2]", "a1"),
        ("/", "//a[b]/@id", "id"),
        ("/r", "a[.//d]", "a2"),
        ("/r", "a[0]", ""),
        ("/r", "a[1.5]", ""),
        ("/r", "a['x']", "a1 a2"),
        ("/r", "a['']", ""),
        ("/r", "*[@id mod 2 = 1]", "a1"),
    ] {
        assert_eq!(from(context, expression), expected, "{expression} from {context}");
    }
}

#[test]
fn what_several_steps_find_is_in_document_order_and_once() {
    for (expression, expected) in [
        ("//c | //a | //b", "a1 b b a2 c"),
        ("//b/.. | //c/..", "a1 a2"),
        ("//*/ancestor::r", "r"),
        ("//*/following::e", "e"),
        ("//b/following-sibling::*", "b"),
        ("(//c/.. | //b/..)/@id", "id id"),
        ("//a/descendant-or-self::*/..", "r a1 a2 c"),
    ] {
        assert_eq!(from("/", expression), expected, "{expression}");
    }
}
