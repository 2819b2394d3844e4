use super::*;

fn parse(xml: &str) -> Document {
    Document::parse(xml, &Limits::default()).unwrap_or_else(|bad| panic!("{xml}: {bad}"))
}

fn bad(xml: &str, limits: &Limits) -> BadXml {
    Document::parse(xml, limits).map(|document| document.root().to_xml()).expect_err(xml)
}

#[test]
fn a_tree_has_names_namespaces_text_and_lines() {
    let document = parse(
        "<?xml version='1.0'?>\n<!--c-->\n<a:r xmlns:a='u' xmlns='d' k=' 1\n2 ' a:k='x&#65;&lt;'>\n<b/>t&amp;<![CDATA[<c>]]><?pi  some thing?></a:r>",
    );
    let root = document.element().unwrap();

    assert_eq!((root.local_name(), root.namespace(), root.prefix(), root.line()), ("r", "u", "a", 3));
    assert_eq!((root.attribute("k"), root.attribute_of("u", "k")), (Some(" 1 2 "), Some("xA<")));
    let b = root.child_elements().next().unwrap();
    assert_eq!((&*b.name(), b.namespace(), b.line()), ("b", "d", 5));
    assert_eq!(root.text(), "\nt&<c>");
    let last = root.children().last().unwrap();
    assert_eq!(
        (last.kind(), last.local_name(), last.own_text()),
        (NodeKind::Instruction, "pi", "some thing")
    );
    assert_eq!(document.root().children().count(), 2);
}

#[test]
fn neighbouring_text_and_character_data_are_one_node() {
    let document = parse("<r>a<![CDATA[b]]>&gt;c<x/>d</r>");
    let texts: Vec<_> = document.element().unwrap().children().map(Node::own_text).collect();
    assert_eq!(texts, ["ab>c", "", "d"]);
}

#[test]
fn what_is_written_reads_as_the_same() {
    for xml in [
        "<r/>",
        "<r a=\"1\" b=\"&lt;&amp;&quot;&#10;\">t &lt; &amp; u</r>",
        "<p:r xmlns:p=\"u\"><p:x xmlns=\"d\"><y xmlns=\"\"/></p:x></p:r>",
        "<r><!--c--><?t d?>x<a><b/></a></r>",
    ] {
        assert_eq!(parse(xml).root().to_xml(), xml);
    }
}

#[test]
fn a_piece_brings_its_namespaces_with_it() {
    let document = parse("<p:r xmlns:p='u' xmlns='d'><p:x><y/></p:x></p:r>");
    let x = document.element().unwrap().child_elements().next().unwrap();
    assert_eq!(x.to_xml(), "<p:x xmlns:p=\"u\" xmlns=\"d\"><y/></p:x>");
}

#[test]
fn what_is_not_well_formed_is_refused_with_its_line() {
    for (xml, line, part) in [
        ("", 1, "no element"),
        ("\n \n", 3, "no element"),
        ("<a>\n<b>\n</a>", 3, ""),
        ("<a>\n<b>", 2, "ends inside"),
        ("<a/>\n<b/>", 2, "more than one"),
        ("<a/>x", 1, "outside"),
        ("x<a/>", 1, "outside"),
        ("<a/><![CDATA[ ]]>", 1, "outside"),
        ("<a/>&#32;", 1, "outside"),
        ("<a>&nope;</a>", 1, "unknown entity"),
        ("<a>&#0;</a>", 1, ""),
        ("<a>&#xFFFF;</a>", 1, "does not allow"),
        ("<a>\u{1}</a>", 1, "does not allow"),
        ("<a>\u{fffe}</a>", 1, "does not allow"),
        ("<a b='\u{2}'/>", 1, "does not allow"),
        ("<a>]]></a>", 1, "]]>"),
        ("<a b='<'/>", 1, "'<'"),
        ("<a b=1/>", 1, ""),
        ("<a b/>", 1, ""),
        ("<a b='1'c='2'/>", 1, ""),
        ("<a b='1' b='2'/>", 1, "twice"),
        ("<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", 1, "twice"),
        ("<p:a/>", 1, "not bound"),
        ("<a p:b='1'/>", 1, "not bound"),
        ("<a xmlns:p=''/>", 1, "bound to nothing"),
        ("<a xmlns:xmlns='u'/>", 1, "anew"),
        ("<a xmlns:xml='u'/>", 1, "anew"),
        ("<a xmlns='http://www.w3.org/2000/xmlns/'/>", 1, "anew"),
        ("<1a/>", 1, "no name"),
        ("<a:b:c xmlns:a='u'/>", 1, "no name"),
        ("<a><!-- -- --></a>", 1, ""),
        ("<a><?xml version='1.0'?></a>", 1, "declaration"),
        (" <?xml version='1.0'?><a/>", 1, "declaration"),
        ("<?xml version='2.0'?><a/>", 1, "version"),
        ("<a><?p:q x?></a>", 1, "no name"),
        ("<a>&lt</a>", 1, ""),
        ("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", 1, "document type"),
        ("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", 1, "document type"),
    ] {
        let found = bad(xml, &Limits::default());
        assert_eq!(found.line, line, "{xml}: {found}");
        assert!(found.why.contains(part), "{xml}: {found}");
    }
}

#[test]
fn every_limit_holds() {
    let small = Limits {
        bytes: 200,
        depth: 3,
        nodes: 12,
        attributes: 2,
        namespaces: 2,
        name_bytes: 5,
        text_bytes: 10,
    };
    for (xml, part) in [
        (format!("<a>{}</a>", " ".repeat(200)), "longer than 200 bytes"),
        ("<a><b><c><d/></c></b></a>".to_owned(), "deeper than 3"),
        (format!("<a>{}</a>", "<b/>".repeat(12)), "more than 12 nodes"),
        ("<a b='1' c='2' d='3'/>".to_owned(), "more than 2 attributes"),
        ("<a xmlns:b='1' xmlns:c='2' xmlns:d='3'/>".to_owned(), "more than 2 namespaces"),
        ("<abcdef/>".to_owned(), "longer than 5 bytes"),
        ("<a abcdef='1'/>".to_owned(), "longer than 5 bytes"),
        ("<a>01234567890</a>".to_owned(), "longer than 10 bytes"),
        ("<a>01234&lt;<![CDATA[567890]]></a>".to_owned(), "longer than 10 bytes"),
        ("<a b='01234567890'/>".to_owned(), "longer than 10 bytes"),
        ("<a><!--01234567890--></a>".to_owned(), "longer than 10 bytes"),
    ] {
        assert!(bad(&xml, &small).why.contains(part), "{xml}: {}", bad(&xml, &small));
    }
    parse("<a/>");
    assert!(Document::parse("<a b='1'><b><c/></b></a>", &small).is_ok());
}

#[test]
fn documents_come_in_several_encodings() {
    let utf16: Vec<u8> = "\u{feff}<a>ä€</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, text) in [
        (&b"\xef\xbb\xbf<a>\xc3\xa4</a>"[..], "ä"),
        (&utf16, "ä€"),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe4</a>", "ä"),
        (b"<?xml version='1.0' encoding=\"us-ascii\"?><a>a</a>", "a"),
    ] {
        assert_eq!(Document::parse_bytes(bytes, &Limits::default()).unwrap().root().text(), text);
    }
    for bytes in [
        &b"<a>\n\xe4</a>"[..],
        b"<?xml version='1.0' encoding='ebcdic'?><a/>",
        b"<?xml version='1.0' encoding='us-ascii'?><a>\xe4</a>",
        b"\xfe\xff\x00",
    ] {
        assert!(Document::parse_bytes(bytes, &Limits::default()).is_err());
    }
    assert_eq!(Document::parse_bytes(b"<a>\n\xe4</a>", &Limits::default()).unwrap_err().line, 2);
}

#[test]
fn deep_namespaces_resolve_to_the_nearest() {
    let document = parse("<a xmlns:p='1'><b xmlns:p='2'><p:c/></b><p:d xmlns=''/></a>");
    let uris: Vec<_> = document.root().descendants().map(|node| node.namespace().to_owned()).collect();
    assert_eq!(uris, ["", "", "2", "1"]);
}

#[test]
fn a_document_is_written_with_one_change() {
    use crate::Edit;
    let document = parse("<a><b>1</b><c/></a>");
    let node = |name: &str| document.root().descendants().find(|node| node.local_name() == name).unwrap();
    assert_eq!(document.edited(node("b"), Edit::Remove), "<a><c/></a>");
    assert_eq!(document.edited(node("b"), Edit::Follow("<x/>")), "<a><b>1</b><x/><c/></a>");
    assert_eq!(document.edited(node("c"), Edit::Follow("<x/>")), "<a><b>1</b><c/><x/></a>");
    assert_eq!(document.edited(node("b"), Edit::Append("<x/>")), "<a><b>1<x/></b><c/></a>");
    assert_eq!(document.edited(node("c"), Edit::Append("<x/>")), "<a><b>1</b><c><x/></c></a>");
    assert_eq!(document.edited(node("a"), Edit::Append("<x/>")), "<a><b>1</b><c/><x/></a>");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic_and_what_it_reads_it_reads_again(
        text in "(<[a-c:]{1,3}( [a-c:]{1,3}='[a&;<\\PC]{0,3}')?/?>|</[a-c]>|[<>/a-c&;\"'= !\\[\\]\\-?:x#0-9\\PC]{0,6}){0,12}",
    ) {
        let limits = Limits::default();
        if let Ok(document) = Document::parse(&text, &limits) {
            let written = document.root().to_xml();
            let again = Document::parse(&written, &limits).unwrap();
            proptest::prop_assert_eq!(again.root().to_xml(), written);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
        let _ = Document::parse_bytes(&bytes, &Limits::default());
    }
}

#[test]
fn what_is_hidden_is_written_as_something_else() {
    let document = parse("<a k='1' m='2'><b>x<c>y</c></b><d>z</d>t</a>");
    let hide = |path: &str| {
        let hidden = crate::XPath::compile(path, &[]).unwrap();
        document.root().to_xml_hiding(&hidden.nodes(document.root()).unwrap(), "*")
    };
    assert_eq!(hide("/a/b"), "<a k=\"1\" m=\"2\"><b>*</b><d>z</d>t</a>");
    assert_eq!(hide("//@k | /a/text() | /a/d"), "<a k=\"*\" m=\"2\"><b>x<c>y</c></b><d>*</d>*</a>");
    assert_eq!(hide("/none"), document.root().to_xml());
}
