use http::Method;
use proptest::prelude::*;

use crate::dialect::Dialect;
use crate::testing::*;

fn run(inside: &str, kind: &str, body: &str) -> Sent {
    let proxy = design().step(&format!("<JSONToXML>{inside}</JSONToXML>"));
    Bench::new(&proxy).send(request(Method::POST, "/p", &[("content-type", kind)], body))
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// The XML without its declaration.
fn xml(options: &str, json: &str) -> String {
    let sent = run(&format!("<Options>{options}</Options>"), "application/json", json);
    assert!(!sent.is_answered(), "{json}: {}", sent.body());
    assert_eq!(sent.header("content-type"), "application/xml");
    let xml = sent.var("request.content");
    xml.strip_prefix(DECLARATION).unwrap_or_else(|| panic!("{xml}")).to_owned()
}

#[test]
fn members_become_elements_and_arrays_repeat_them() {
    for (json, expected) in [
        (r#"{"person":{"name":"Adam","age":30}}"#, "<person><name>Adam</name><age>30</age></person>"),
        (r#"{"xyz":"123","abc":"234"}"#, "<Root><xyz>123</xyz><abc>234</abc></Root>"),
        (r#"{"a":[1,2.50,true]}"#, "<Root><a>1</a><a>2.50</a><a>true</a></Root>"),
        (r#"{"a":{"b":[{"c":1},{"c":2}]}}"#, "<a><b><c>1</c></b><b><c>2</c></b></a>"),
        (r#"{"a":{"b":[[1,2],[]]}}"#, "<a><b><Item>1</Item><Item>2</Item></b><b/></a>"),
        (r#"{"a":{"b":[]}}"#, "<a/>"),
        (r#"{"a":{}}"#, "<a/>"),
        (r#"{"a":""}"#, "<a/>"),
        (r#"{"a":null}"#, "<a/>"),
        ("{}", "<Root/>"),
        ("[]", "<Array/>"),
        ("5", "<Root>5</Root>"),
        (
            r#"["Doctor",{"occupation":"Engineer"}]"#,
            "<Array><Item>Doctor</Item><Item><occupation>Engineer</occupation></Item></Array>",
        ),
        (r#"{"a":"<&>\"'\u0001\t"}"#, "<a>&lt;&amp;&gt;\"'_\t</a>"),
        (r#"{"a":123456789012345678901234567890}"#, "<a>123456789012345678901234567890</a>"),
    ] {
        assert_eq!(xml("", json), expected, "{json}");
    }
}

#[test]
fn roots_and_items_have_their_names_from_the_options() {
    let named = "<ObjectRootElementName>O</ObjectRootElementName><ArrayRootElementName>A</ArrayRootElementName>\
                 <ArrayItemElementName>I</ArrayItemElementName>";
    assert_eq!(xml(named, r#"{"a":1,"b":2}"#), "<O><a>1</a><b>2</b></O>");
    assert_eq!(xml(named, "[1]"), "<A><I>1</I></A>");
}

#[test]
fn the_declaration_can_be_left_out() {
    let sent = run(
        "<Options><OmitXmlDeclaration>true</OmitXmlDeclaration></Options>",
        "application/json",
        "{\"a\":1}",
    );
    assert_eq!(sent.var("request.content"), "<a>1</a>");
    let sent = run("", "application/json", "{\"a\":1}");
    assert_eq!(sent.var("request.content"), format!("{DECLARATION}<a>1</a>"));
}

#[test]
fn a_text_can_mean_null() {
    assert_eq!(xml("", r#"{"person":"NULL"}"#), "<person/>");
    let named = "<NullValue>NULL_VALUE</NullValue>";
    assert_eq!(
        xml(named, r#"{"p":{"a":"NULL_VALUE","b":"NULL","@c":"NULL_VALUE"}}"#),
        "<p c=\"\"><a/><b>NULL</b></p>"
    );
}

#[test]
fn what_names_may_not_have_is_replaced() {
    assert_eq!(
        xml("<InvalidCharsReplacement>_</InvalidCharsReplacement>", r#"{"First%%%Name":"Adam"}"#),
        "<First_Name>Adam</First_Name>"
    );
    for (name, element) in
        [("1a", "_1a"), ("", "_"), ("a:b", "a_b"), ("-", "_-"), ("é", "é"), ("a b/c", "a_b_c")]
    {
        assert_eq!(xml("", &format!("{{\"{name}\":1}}")), format!("<{element}>1</{element}>"), "{name}");
    }
    assert_eq!(xml("<InvalidCharsReplacement>x</InvalidCharsReplacement>", r#"{"a$":1}"#), "<ax>1</ax>");
}

#[test]
fn a_member_can_be_the_text() {
    let json = r#"{"person":{"firstName":"Adam","lastName":"Philip","age":30}}"#;
    let named = "<TextNodeName>age</TextNodeName>";
    assert_eq!(xml(named, json), "<person><firstName>Adam</firstName><lastName>Philip</lastName>30</person>");
    assert_eq!(xml("", r##"{"a":{"#text":["x","y"],"b":1}}"##), "<a>xy<b>1</b></a>");
}

#[test]
fn a_block_can_be_attributes() {
    let json =
        r##"{"person":{"#attrs":{"firstName":"Adam","lastName":"\"P\"\n<"},"location":"California"}}"##;
    let expected = "<person firstName=\"Adam\" lastName=\"&quot;P&quot;&#10;&lt;\"><location>California</location></person>";
    assert_eq!(xml("", json), expected);
    assert_eq!(xml("<AttributeBlockName>#attrs</AttributeBlockName>", json), expected);
    assert_eq!(xml("<AttributeBlockName>at</AttributeBlockName>", r#"{"p":{"at":{"a":1}}}"#), "<p a=\"1\"/>");
}

#[test]
fn a_prefix_can_mark_attributes() {
    let json = r##"{"person":{"#firstName":"Adam","location":"California"}}"##;
    assert_eq!(
        xml("<AttributePrefix>#</AttributePrefix>", json),
        "<person firstName=\"Adam\"><location>California</location></person>"
    );
    assert_eq!(xml("", r#"{"p":{"@a":1,"@a":2,"b":3}}"#), "<p a=\"1\"><b>3</b></p>");
}

#[test]
fn a_block_can_be_namespaces() {
    let named = "<NamespaceBlockName>#ns</NamespaceBlockName><DefaultNamespaceNodeName>$d</DefaultNamespaceNodeName>\
                 <NamespaceSeparator>.</NamespaceSeparator>";
    let json = r##"{"vehicle":{"#ns":{"$d":"http://n","xmlns:model":"http://m"},"name":"Car","model.name":"Alto","other.name":1}}"##;
    assert_eq!(
        xml(named, json),
        "<vehicle xmlns=\"http://n\" xmlns:model=\"http://m\"><name>Car</name><model:name>Alto</model:name><other.name>1</other.name></vehicle>"
    );
    // A prefix is known where it is declared and below; an unknown one would be no XML with namespaces.
    let json = r##"{"r":{"p:a":{"#namespaces":{"p":"u","$default":""},"p:b":1},"p:c":2}}"##;
    assert_eq!(xml("", json), "<r><p:a xmlns:p=\"u\" xmlns=\"\"><p:b>1</p:b></p:a><p_c>2</p_c></r>");
}

#[test]
fn the_xml_can_be_indented() {
    assert_eq!(
        xml("<Indent>true</Indent>", r#"{"a":{"b":1,"c":{"d":""}}}"#),
        "\n<a>\n  <b>1</b>\n  <c>\n    <d/>\n  </c>\n</a>"
    );
}

#[test]
fn other_content_types_are_left_as_they_are() {
    for kind in ["application/xml", "text/plain", ""] {
        assert_eq!(run("", kind, "{}").var("request.content"), "{}", "{kind}");
    }
    assert!(run("", "application/hal+json", "{}").var("request.content").ends_with("<Root/>"));
}

#[test]
fn the_output_can_be_another_message_or_variable() {
    let sent =
        run("<Source>request</Source><OutputVariable>made</OutputVariable>", "application/json", "{\"a\":1}");
    assert_eq!(sent.var("made.content"), format!("{DECLARATION}<a>1</a>"));
    assert_eq!(sent.var("request.content"), "{\"a\":1}");
    let sent =
        run("<Source>request.content</Source><OutputVariable>t</OutputVariable>", "text/plain", "{\"a\":1}");
    assert_eq!(sent.var("t"), format!("{DECLARATION}<a>1</a>"));
}

#[test]
fn fault_source_output_and_types() {
    for (inside, name) in [
        ("<Source>response</Source>", "SourceUnavailable"),
        ("<Source>request.content</Source>", "OutputVariableIsNotAvailable"),
        ("<Source>request.content</Source><OutputVariable>message</OutputVariable>", "InCompatibleTypes"),
        ("<Source>client.port</Source><OutputVariable>x</OutputVariable>", "InvalidSourceType"),
    ] {
        let sent = run(inside, "application/json", "{}");
        assert_eq!((sent.status(), sent.code()), (500, format!("steps.jsontoxml.{name}")), "{inside}");
        assert_eq!(sent.var("jsontoxml.s0.failed"), "true");
    }
}

#[test]
fn fault_execution_failed_on_what_is_no_json() {
    for body in ["", "{\n,}", "[1", "{\"a\":1}x"] {
        let sent = run("", "application/json", body);
        assert_eq!(sent.code(), "steps.jsontoxml.ExecutionFailed", "{body}");
        assert!(sent.body().contains("JSONToXML[s0]: Execution failed due to reason: "), "{}", sent.body());
    }
}

#[test]
fn fault_codes_have_the_prefix_of_the_dialect() {
    let proxy = design().step("<JSONToXML><Source>abc</Source></JSONToXML>");
    let mut world = world();
    world.dialect = Dialect::Sap;
    let compiled = crate::compile::compile(&proxy, "1", &world).unwrap();
    let sent =
        Bench::on(crate::snapshot::Snapshot::empty("acme", "test").with_proxy(compiled).unwrap()).get("/p");
    assert_eq!(sent.code(), "steps.json2xml.SourceUnavailable");
    assert!(sent.body().contains("JSONToXML[s0]: Source abc is not available"));
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("<Options><Nope/></Options>", "UnknownElement"),
        ("<Options><Indent>x</Indent></Options>", "NotABoolean"),
        ("<Options><ObjectRootElementName>a b</ObjectRootElementName></Options>", "InvalidElementName"),
        ("<Options><ArrayItemElementName>1</ArrayItemElementName></Options>", "InvalidElementName"),
        (
            "<Options><InvalidCharsReplacement>&lt;</InvalidCharsReplacement></Options>",
            "InvalidCharsReplacement",
        ),
    ] {
        assert_eq!(problem_of(&format!("<JSONToXML>{inside}</JSONToXML>")), rule, "{inside}");
    }
}

proptest! {
    #[test]
    fn every_document_gives_well_formed_xml(json in "(\\{|\\}|\\[|\\]|,|:|\"(@?[a:<]|#attrs|#text|#namespaces|\\$default|x y|\u{1})\"|1|null){1,16}") {
        if crate::json::Json::parse(&json).is_ok() {
            let written = run("", "application/json", &json).var("request.content");
            let document = written.strip_prefix(DECLARATION).unwrap();
            prop_assert!(crate::policy::Element::parse(document).is_ok(), "{} {}", json, written);
        }
    }
}
