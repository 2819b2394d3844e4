use super::*;
use crate::{Document, Limits, XPath};

const ENOUGH: usize = 1 << 20;

fn parse(xml: &str) -> Document {
    Document::parse(xml, &Limits::default()).unwrap()
}

fn whole(xml: &str, comments: bool) -> String {
    let method = Canonical { comments, ..Canonical::INCLUSIVE };
    method.write(parse(xml).root(), None, ENOUGH).unwrap()
}

fn part(xml: &str, path: &str, method: &Canonical) -> String {
    let document = parse(xml);
    let path = XPath::compile(path, &[("a", "urn:a"), ("b", "urn:b")]).unwrap();
    method.write(path.nodes(document.root()).unwrap()[0], None, ENOUGH).unwrap()
}

#[test]
fn what_is_beside_the_outermost_element_has_lines_of_its_own() {
    let xml = "<?xml version='1.0'?>\n\n<?sheet  href=\"doc.xsl\"\n   type=\"x\"   ?>\n<doc>Hello<!-- in --></doc>\n\n<?tail  ?>\n<!-- a -->\n<!-- b -->";

    let bare = "<?sheet href=\"doc.xsl\"\n   type=\"x\"   ?>\n<doc>Hello</doc>\n<?tail?>";
    assert_eq!(whole(xml, false), bare);
    let commented = "<?sheet href=\"doc.xsl\"\n   type=\"x\"   ?>\n<doc>Hello<!-- in --></doc>\n<?tail?>\n<!-- a -->\n<!-- b -->";
    assert_eq!(whole(xml, true), commented);
}

#[test]
fn white_space_in_content_stays() {
    let xml = "<doc>\n   <clean>   </clean>\n   <mixed>\n      A\n      <d/>\n   </mixed>\n</doc>";
    assert_eq!(whole(xml, false), xml.replace("<d/>", "<d></d>"));
}

#[test]
fn tags_have_one_form() {
    let xml = "<doc>\n <e1   />\n <e2   ></e2>\n <e3   name = \"elem3\"   id=\"elem3\"   />\n <e5 a:attr=\"out\" b:attr=\"sorted\" attr2=\"all\" attr=\"I'm\"\n  xmlns:b=\"http://www.ietf.org\" xmlns:a=\"http://www.w3.org\" xmlns=\"http://example.org\"/>\n <e6 xmlns=\"\" xmlns:a=\"http://www.w3.org\"><e7 xmlns=\"http://www.ietf.org\"><e8 xmlns=\"\" xmlns:a=\"http://www.w3.org\"><e9 xmlns=\"\" xmlns:a=\"http://www.ietf.org\"/></e8></e7></e6>\n</doc>";

    let expected = "<doc>\n <e1></e1>\n <e2></e2>\n <e3 id=\"elem3\" name=\"elem3\"></e3>\n <e5 xmlns=\"http://example.org\" xmlns:a=\"http://www.w3.org\" xmlns:b=\"http://www.ietf.org\" attr=\"I'm\" attr2=\"all\" b:attr=\"sorted\" a:attr=\"out\"></e5>\n <e6 xmlns:a=\"http://www.w3.org\"><e7 xmlns=\"http://www.ietf.org\"><e8 xmlns=\"\"><e9 xmlns:a=\"http://www.ietf.org\"></e9></e8></e7></e6>\n</doc>";
    assert_eq!(whole(xml, false), expected);
}

#[test]
fn characters_have_one_form() {
    let xml = "<doc>\r\n<t>First line&#x0d;&#10;Second</t><v>&#x32;</v><c><![CDATA[v>\"0\" && v<\"10\" ?\"valid\":\"error\"]]></c><e expr='v>\"0\" &amp;&amp; v&lt;\"10\"'/><n attr=' a  &#x9;b&#xA;c &#xD;\n'/></doc>";

    let expected = "<doc>\n<t>First line&#xD;\nSecond</t><v>2</v><c>v&gt;\"0\" &amp;&amp; v&lt;\"10\" ?\"valid\":\"error\"</c><e expr=\"v>&quot;0&quot; &amp;&amp; v&lt;&quot;10&quot;\"></e><n attr=\" a  &#x9;b&#xA;c &#xD; \"></n></doc>";
    assert_eq!(whole(xml, false), expected);
}

#[test]
fn a_part_has_all_namespaces_in_scope_when_inclusive_and_the_used_ones_when_exclusive() {
    let xml = "<a:r xmlns:a='urn:a' xmlns:b='urn:b' xmlns='urn:d' xml:lang='en' xml:space='preserve'><b:p b:x='1' xml:space='default'><q/><a:s/></b:p></a:r>";

    let inclusive = part(xml, "//b:p", &Canonical::INCLUSIVE);
    assert_eq!(
        inclusive,
        "<b:p xmlns=\"urn:d\" xmlns:a=\"urn:a\" xmlns:b=\"urn:b\" xml:lang=\"en\" xml:space=\"default\" b:x=\"1\"><q></q><a:s></a:s></b:p>"
    );
    let exclusive = part(xml, "//b:p", &Canonical::EXCLUSIVE);
    assert_eq!(
        exclusive,
        "<b:p xmlns:b=\"urn:b\" xml:space=\"default\" b:x=\"1\"><q xmlns=\"urn:d\"></q><a:s xmlns:a=\"urn:a\"></a:s></b:p>"
    );
}

#[test]
fn the_context_of_a_part_is_no_matter_when_exclusive() {
    let inside = "<b:p xmlns:b='urn:b'><x xmlns=''/></b:p>";
    let other = format!("<r xmlns='urn:d' xmlns:z='urn:z'>{inside}</r>");

    let alone = part(inside, "//b:p", &Canonical::EXCLUSIVE);
    assert_eq!(alone, "<b:p xmlns:b=\"urn:b\"><x></x></b:p>");
    assert_eq!(part(&other, "//b:p", &Canonical::EXCLUSIVE), alone);
    assert_ne!(part(&other, "//b:p", &Canonical::INCLUSIVE), part(inside, "//b:p", &Canonical::INCLUSIVE));
}

#[test]
fn listed_prefixes_are_inclusive() {
    let xml = "<r xmlns='urn:d' xmlns:z='urn:z'><b:p xmlns:b='urn:b'><b:q xmlns:z='urn:y'/></b:p></r>";
    let with = |prefixes: &[&str]| {
        let inclusive_prefixes = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
        part(xml, "//b:p", &Canonical { inclusive_prefixes, ..Canonical::EXCLUSIVE })
    };

    assert_eq!(
        with(&["z", "none"]),
        "<b:p xmlns:b=\"urn:b\" xmlns:z=\"urn:z\"><b:q xmlns:z=\"urn:y\"></b:q></b:p>"
    );
    assert_eq!(with(&[""]), "<b:p xmlns=\"urn:d\" xmlns:b=\"urn:b\"><b:q></b:q></b:p>");
}

#[test]
fn an_undone_default_is_said_where_it_matters_only() {
    let xml = "<a xmlns='urn:d'><b xmlns=''><c xmlns='urn:d'><d xmlns=''/></c></b></a>";
    let expected = "<a xmlns=\"urn:d\"><b xmlns=\"\"><c xmlns=\"urn:d\"><d xmlns=\"\"></d></c></b></a>";
    assert_eq!(whole(xml, false), expected);
    assert_eq!(part(xml, "/*", &Canonical::EXCLUSIVE), expected);
}

#[test]
fn a_node_can_be_left_out() {
    let document = parse("<a><b>1</b><c/>2</a>");
    let root = document.element().unwrap();
    let out = Canonical::EXCLUSIVE.write(root, root.first_child(), ENOUGH).unwrap();
    assert_eq!(out, "<a><c></c>2</a>");
    assert_eq!(
        Canonical::EXCLUSIVE.write(root, root.children().last(), ENOUGH).unwrap(),
        "<a><b>1</b><c></c></a>"
    );
}

#[test]
fn namespaces_that_are_repeated_without_end_are_refused() {
    let xml = format!("<r xmlns:a='{}'>{}</r>", "u".repeat(10_000), "<a:x/>".repeat(1_000));
    let document = parse(&xml);
    assert_eq!(Canonical::EXCLUSIVE.write(document.root(), None, 100_000), Err(TooLong(100_000)));
    assert!(Canonical::INCLUSIVE.write(document.root(), None, 100_000).is_ok());
}

#[test]
fn identifiers_name_the_methods() {
    for exclusive in [false, true] {
        for comments in [false, true] {
            let method = Canonical { exclusive, comments, inclusive_prefixes: Vec::new() };
            assert_eq!(Canonical::identified(method.uri()), Some(method));
        }
    }
    assert_eq!(Canonical::identified("http://www.w3.org/2006/12/xml-c14n11"), None);
}

proptest::proptest! {
    #[test]
    fn the_canonical_form_of_a_canonical_form_is_itself(
        names in proptest::collection::vec("[a-c]", 1..8),
        text in "[ a-z&<>\"'\u{e4}]{0,8}",
    ) {
        let mut xml = String::new();
        for (depth, name) in names.iter().enumerate() {
            let uri = if depth % 3 == 2 { "" } else { name };
            xml.push_str(&format!(
                "<{name} xmlns='{uri}' xmlns:p{depth}='urn:{name}' p{depth}:k=\"{}\">{}",
                crate::escape_attribute(&text),
                crate::escape_text(&text)
            ));
        }
        for name in names.iter().rev() {
            xml.push_str(&format!("</{name}>"));
        }
        for method in [Canonical::INCLUSIVE, Canonical::EXCLUSIVE] {
            let once = method.write(parse(&xml).root(), None, ENOUGH).unwrap();
            let twice = method.write(parse(&once).root(), None, ENOUGH).unwrap();
            proptest::prop_assert_eq!(once, twice);
        }
    }
}
