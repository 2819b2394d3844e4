use super::*;

fn parse(xml: &str) -> Result<Node, BadXml> {
    Node::parse(xml, &Limits::default())
}

#[test]
fn names_are_local_and_lines_and_source_are_known() {
    let xml = "\u{feff}<?xml version=\"1.0\"?>\n<a:A xmlns:a=\"u\" x='1'>\n  <B y='2'>\n x &lt;&#65;<![CDATA[<y>]]></B>\n  <C\n   z='3'/>\n</a:A>\n";

    let root = parse(xml).unwrap();

    assert_eq!((root.name.as_str(), root.line), ("A", 2));
    assert_eq!(root.attributes, [("x".to_owned(), "1".to_owned())]);
    assert_eq!(root.child("B").map(|b| (b.text(), b.line)), Some(("x <A<y>", 3)));
    let c = root.child("C").unwrap();
    assert_eq!((c.line, c.source(xml)), (5, "<C\n   z='3'/>"));
    assert!(root.child("B").unwrap().source(xml).starts_with("<B y='2'>"));
    assert!(root.source(xml).ends_with("</a:A>"));
}

#[test]
fn what_is_no_document_is_refused_with_its_line() {
    for (xml, line, part) in [
        ("", 1, "no element"),
        ("<A>\n<B>\n</A>", 3, ""),
        ("<A>\n", 1, "not closed"),
        ("<A/>\n<B/>", 2, "more than one root"),
        ("<!DOCTYPE a [<!ENTITY x \"y\">]>\n<A>&x;</A>", 1, "document type"),
        ("<A>&x;</A>", 1, "unknown entity"),
        ("x<A/>", 1, "outside"),
        ("<A b='1' b='2'/>", 1, ""),
    ] {
        let bad = parse(xml).unwrap_err();
        assert_eq!(bad.line, line, "{xml}: {}", bad.why);
        assert!(bad.why.contains(part), "{xml}: {}", bad.why);
    }
}

#[test]
fn each_bound_is_named() {
    let limits = Limits { xml_bytes: 20_000, xml_elements: 80, ..Limits::default() };
    let attributes: String = (0..200).map(|n| format!(" a{n}=''")).collect();
    for (xml, part) in [
        ("<A>".repeat(1_000), "deeper"),
        (format!("<A>{}</A>", "<B/>".repeat(100)), "more than 80 elements"),
        (format!("<A>{}</A>", "x".repeat(30_000)), "more than 20000 bytes"),
        (format!("<A{attributes}/>"), "too many attributes"),
        (format!("<{}/>", "A".repeat(300)), "more than 256 bytes"),
    ] {
        let bad = Node::parse(&xml, &limits).unwrap_err();
        assert!(bad.why.contains(part), "{part}: {}", bad.why);
    }
}

#[test]
fn a_billion_laughs_are_not_expanded() {
    let xml = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><l>&b;</l>";
    assert!(parse(xml).unwrap_err().why.contains("document type"));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[<>/a-c&;\"'= !\\[\\]\\-?\\PC]{0,80}") {
        let _ = parse(&text);
    }

    #[test]
    fn what_is_written_is_read_back(name in "[A-Za-z][A-Za-z0-9]{0,8}", value in "\\PC{0,30}", text in "[\\PC\\n\\t\\r]{0,40}") {
        let mut writer = XmlWriter::new();
        writer.open(&name, &[("a", &value)]);
        writer.leaf("t", &text);
        writer.close(&name);
        let xml = writer.finish().unwrap();
        let root = parse(&xml).unwrap();
        proptest::prop_assert_eq!(root.attribute("a"), Some(value.as_str()));
        proptest::prop_assert_eq!(root.child("t").map(Node::whole_text), Some(text.as_str()));
    }
}
