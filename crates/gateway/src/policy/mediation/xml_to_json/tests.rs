use http::Method;
use proptest::prelude::*;

use super::options::Options;
use super::read::convert;
use crate::dialect::Dialect;
use crate::testing::*;

/// What a policy with this inside makes of an XML response.
fn json_in(dialect: Dialect, inside: &str, xml: &str) -> String {
    let mut proxy = design().policy("x", &format!("<XMLToJSON>{inside}</XMLToJSON>"));
    proxy.proxy().flows.post.response.push(step("x"));
    let mut world = world();
    world.dialect = dialect;
    let compiled = crate::compile::compile(&proxy, "1", &world).unwrap_or_else(|bad| panic!("{bad:#?}"));
    let bench = Bench::on(crate::snapshot::Snapshot::empty("acme", "test").with_proxy(compiled).unwrap());
    let sent = bench.get("/p").receive(response(
        200,
        &[("content-type", "text/xml; charset=utf-8"), ("content-encoding", "x")],
        xml,
    ));
    assert_eq!(sent.status(), 200, "{xml}: {}", sent.body());
    assert_eq!(sent.response_header("content-type"), "application/json");
    assert_eq!(sent.response_header("content-encoding"), "");
    sent.body()
}

fn options(options: &str, xml: &str) -> String {
    json_in(Dialect::Apigee, &format!("<Options>{options}</Options>"), xml)
}

fn format(name: &str, xml: &str) -> String {
    json_in(Dialect::Apigee, &format!("<Format>{name}</Format>"), xml)
}

#[test]
fn elements_become_members_and_repeated_ones_arrays() {
    for (xml, json) in [
        ("<a>text</a>", r#"{"a":"text"}"#),
        (
            "<?xml version=\"1.0\"?>\n<!-- c --><a>\n <b>1</b>\n <c>x</c>\n <b>2</b>\n</a>\n",
            r#"{"a":{"b":["1","2"],"c":"x"}}"#,
        ),
        ("<a><b>1</b><b>2</b><b>3</b></a>", r#"{"a":{"b":["1","2","3"]}}"#),
        ("<a><b/><c></c><d> </d></a>", r#"{"a":{"b":{},"c":{},"d":{}}}"#),
        ("<a x=\"1\" y='&lt;'/>", r#"{"a":{"x":"1","y":"<"}}"#),
        ("<a x=\"1\">t</a>", r##"{"a":{"x":"1","#text":"t"}}"##),
        ("<a>one<b>two</b>three</a>", r##"{"a":{"b":"two","#text":["one","three"]}}"##),
        ("<a>x &amp; <![CDATA[<y>]]>&#65;<!-- c -->z</a>", r#"{"a":"x & <y>Az"}"#),
        ("<n:a xmlns:n='u' n:x='1'><n:b>1</n:b></n:a>", r#"{"a":{"x":"1","b":"1"}}"#),
    ] {
        assert_eq!(options("", xml), json, "{xml}");
    }
    let many: String = (0..40).map(|n| format!("<c{n}>{n}</c{n}><c{n}>x</c{n}>")).collect();
    let json: serde_json::Value = serde_json::from_str(&options("", &format!("<a>{many}</a>"))).unwrap();
    assert_eq!(json["a"].as_object().unwrap().len(), 40);
    assert_eq!(json["a"]["c39"], serde_json::json!(["39", "x"]));
}

#[test]
fn xml_com_is_a_format() {
    for (xml, json) in [
        ("<e/>", r#"{"e":null}"#),
        ("<e>text</e>", r#"{"e":"text"}"#),
        ("<e name=\"value\"/>", r#"{"e":{"@name":"value"}}"#),
        ("<e name=\"value\">text</e>", r##"{"e":{"@name":"value","#text":"text"}}"##),
        ("<e><a>text</a><b>1</b></e>", r#"{"e":{"a":"text","b":"1"}}"#),
        ("<e><a>text</a><a>text</a></e>", r#"{"e":{"a":["text","text"]}}"#),
        ("<e>text<a>text</a></e>", r##"{"e":{"a":"text","#text":"text"}}"##),
    ] {
        assert_eq!(format("xml.com", xml), json, "{xml}");
    }
}

#[test]
fn yahoo_is_a_format() {
    assert_eq!(format("yahoo", "<e n=\"v\">5<a>6.50</a></e>"), r#"{"e":{"n":"v","a":6.50,"content":5}}"#);
    assert_eq!(format("yahoo", "<e><a>true</a><b/></e>"), r#"{"e":{"a":"true","b":{}}}"#);
}

#[test]
fn google_is_a_format() {
    let xml = "<e xmlns:g='u'><g:a x='1'>text</g:a></e>";
    assert_eq!(format("google", xml), r#"{"e":{"g$a":{"x":"1","$t":"text"}}}"#);
    assert_eq!(format("google", "<e>1</e>"), r#"{"e":{"$t":"1"}}"#);
}

#[test]
fn badger_fish_is_a_format() {
    for (xml, json) in [
        ("<alice>bob</alice>", r#"{"alice":{"$":"bob"}}"#),
        (
            "<alice><bob>charlie</bob><david>edgar</david></alice>",
            r#"{"alice":{"bob":{"$":"charlie"},"david":{"$":"edgar"}}}"#,
        ),
        (
            "<alice><bob>charlie</bob><bob>david</bob></alice>",
            r#"{"alice":{"bob":[{"$":"charlie"},{"$":"david"}]}}"#,
        ),
        ("<alice charlie=\"david\">bob</alice>", r#"{"alice":{"@charlie":"david","$":"bob"}}"#),
        (
            "<alice xmlns=\"http://some-namespace\">bob</alice>",
            r#"{"alice":{"@xmlns":{"$":"http://some-namespace"},"$":"bob"}}"#,
        ),
        ("<c:alice xmlns:c=\"u\">bob</c:alice>", r#"{"c:alice":{"@xmlns":{"c":"u"},"$":"bob"}}"#),
    ] {
        assert_eq!(format("badgerFish", xml), json, "{xml}");
    }
}

#[test]
fn numbers_are_recognized_when_asked() {
    let xml = "<x n='7'><y>999</y><z>value</z><w>-1.50e3</w><v>007</v><u> 5 </u><t>1.</t></x>";
    assert_eq!(
        options("<RecognizeNumber>true</RecognizeNumber>", xml),
        r#"{"x":{"n":7,"y":999,"z":"value","w":-1.50e3,"v":"007","u":5,"t":"1."}}"#
    );
    assert_eq!(options("<RecognizeNumber>false</RecognizeNumber>", "<x>1</x>"), r#"{"x":"1"}"#);
    let long = "123456789012345678901234567890";
    assert_eq!(
        options("<RecognizeNumber>true</RecognizeNumber>", &format!("<x>{long}</x>")),
        format!("{{\"x\":{long}}}")
    );
}

#[test]
fn booleans_are_recognized_when_asked() {
    let xml = "<x><y>false</y><z>value</z><w>TRUE</w></x>";
    assert_eq!(
        options("<RecognizeBoolean>true</RecognizeBoolean>", xml),
        r#"{"x":{"y":false,"z":"value","w":"TRUE"}}"#
    );
    assert_eq!(
        options("<RecognizeBoolean>false</RecognizeBoolean>", xml),
        r#"{"x":{"y":"false","z":"value","w":"TRUE"}}"#
    );
}

#[test]
fn null_is_recognized_when_asked() {
    let xml = "<x><y/><z>value</z><w>NULL</w><v>none</v></x>";
    assert_eq!(
        options("<RecognizeNull>true</RecognizeNull>", xml),
        r#"{"x":{"y":null,"z":"value","w":null,"v":"none"}}"#
    );
    assert_eq!(
        options("<RecognizeNull>false</RecognizeNull>", xml),
        r#"{"x":{"y":{},"z":"value","w":"NULL","v":"none"}}"#
    );
    let named = "<RecognizeNull>true</RecognizeNull><NullValue>none</NullValue>";
    assert_eq!(options(named, xml), r#"{"x":{"y":null,"z":"value","w":"NULL","v":null}}"#);
}

#[test]
fn sap_recognizes_numbers_and_booleans_by_itself() {
    let xml = "<x><a>1</a><b>true</b><c/></x>";
    assert_eq!(json_in(Dialect::Sap, "<Options/>", xml), r#"{"x":{"a":1,"b":true,"c":{}}}"#);
    assert_eq!(json_in(Dialect::Apigee, "<Options/>", xml), r#"{"x":{"a":"1","b":"true","c":{}}}"#);
    let told = "<Options><RecognizeNumber>false</RecognizeNumber></Options>";
    assert_eq!(json_in(Dialect::Sap, told, xml), r#"{"x":{"a":"1","b":true,"c":{}}}"#);
}

#[test]
fn namespaces_can_be_kept() {
    let xml = "<a xmlns='http://ns.com' xmlns:ns1='http://ns1.com'><ns1:b>value</ns1:b></a>";
    assert_eq!(options("", xml), r#"{"a":{"b":"value"}}"#);
    let kept = "<NamespaceBlockName>#namespaces</NamespaceBlockName><DefaultNamespaceNodeName>&amp;</DefaultNamespaceNodeName>\
                <NamespaceSeparator>***</NamespaceSeparator>";
    assert_eq!(
        options(kept, xml),
        r##"{"a":{"#namespaces":{"&":"http://ns.com","ns1":"http://ns1.com"},"ns1***b":"value"}}"##
    );
}

#[test]
fn text_can_always_be_a_property() {
    let xml = "<a><b>value1</b><c>value2<d>value3</d>value4</c></a>";
    let named = "<TextNodeName>TEXT</TextNodeName>";
    assert_eq!(
        options(&format!("{named}<TextAlwaysAsProperty>true</TextAlwaysAsProperty>"), xml),
        r#"{"a":{"b":{"TEXT":"value1"},"c":{"d":{"TEXT":"value3"},"TEXT":["value2","value4"]}}}"#
    );
    assert_eq!(
        options(&format!("{named}<TextAlwaysAsProperty>false</TextAlwaysAsProperty>"), xml),
        r#"{"a":{"b":"value1","c":{"d":"value3","TEXT":["value2","value4"]}}}"#
    );
}

#[test]
fn attributes_can_have_a_block_and_a_prefix() {
    let xml = "<a att1=\"value1\" att2=\"value2\"/>";
    let (block, prefix) =
        ("<AttributeBlockName>FOO_BLOCK</AttributeBlockName>", "<AttributePrefix>BAR_</AttributePrefix>");
    assert_eq!(
        options(&format!("{block}{prefix}"), xml),
        r#"{"a":{"FOO_BLOCK":{"BAR_att1":"value1","BAR_att2":"value2"}}}"#
    );
    assert_eq!(options(block, xml), r#"{"a":{"FOO_BLOCK":{"att1":"value1","att2":"value2"}}}"#);
    assert_eq!(options(prefix, xml), r#"{"a":{"BAR_att1":"value1","BAR_att2":"value2"}}"#);
}

#[test]
fn the_output_can_have_a_prefix_and_a_suffix() {
    let wrapped = "<OutputPrefix>PREFIX_</OutputPrefix><OutputSuffix>_SUFFIX</OutputSuffix>";
    assert_eq!(options(wrapped, "<x>value</x>"), r#"PREFIX_{"x":"value"}_SUFFIX"#);
}

#[test]
fn outer_levels_can_be_stripped() {
    let xml = "<s:E xmlns:s='u'><s:H/><s:B><R a='1'><Success>true</Success><City>B</City><City>C</City></R></s:B></s:E>";
    let strip = |levels: usize| options(&format!("<StripLevels>{levels}</StripLevels>"), xml);
    assert_eq!(strip(0), r#"{"E":{"H":{},"B":{"R":{"a":"1","Success":"true","City":["B","C"]}}}}"#);
    assert_eq!(strip(2), r#"{"R":{"a":"1","Success":"true","City":["B","C"]}}"#);
    assert_eq!(strip(3), r#"{"Success":"true","City":["B","C"]}"#);
    assert_eq!(options("<StripLevels>2</StripLevels>", "<a><b>x</b></a>"), r#""x""#);
    assert_eq!(strip(9), r##"{"#text":["true","B","C"]}"##);
}

#[test]
fn elements_can_be_treated_as_arrays() {
    let xml = "<teachers><teacher><name>teacherA</name><studentnames><name>student1</name></studentnames></teacher></teachers>";
    let arrays = |paths: &str| options(&format!("<TreatAsArray>{paths}</TreatAsArray>"), xml);
    assert_eq!(
        arrays("<Path>teachers/teacher/studentnames/name</Path>"),
        r#"{"teachers":{"teacher":{"name":"teacherA","studentnames":{"name":["student1"]}}}}"#
    );
    assert_eq!(
        arrays("<Path unwrap=\"true\">/teachers/teacher/studentnames/name</Path>"),
        r#"{"teachers":{"teacher":{"name":"teacherA","studentnames":["student1"]}}}"#
    );
    assert_eq!(
        arrays(
            "<Path unwrap=\"true\">teachers/teacher</Path><Path unwrap=\"true\">teachers/teacher/studentnames/name</Path>"
        ),
        r#"{"teachers":[{"name":"teacherA","studentnames":["student1"]}]}"#
    );
    // What stands beside it keeps it from being unwrapped.
    assert_eq!(
        arrays("<Path unwrap=\"true\">teachers/teacher/name</Path>"),
        r#"{"teachers":{"teacher":{"name":["teacherA"],"studentnames":{"name":"student1"}}}}"#
    );
}

fn run(inside: &str, kind: &str, body: &str) -> Sent {
    let proxy = design().step(&format!("<XMLToJSON><Options/>{inside}</XMLToJSON>"));
    Bench::new(&proxy).send(request(Method::POST, "/p", &[("content-type", kind)], body))
}

#[test]
fn other_content_types_are_left_as_they_are() {
    for kind in ["application/json", "text/plain", ""] {
        let sent = run("", kind, "<a/>");
        assert_eq!((sent.header("content-type"), sent.var("request.content")), (kind.into(), "<a/>".into()));
    }
    assert_eq!(run("", "application/soap+xml", "<a>1</a>").var("request.content"), r#"{"a":"1"}"#);
}

#[test]
fn the_output_can_be_another_message_or_variable() {
    let sent =
        run("<Source>request</Source><OutputVariable>made</OutputVariable>", "application/xml", "<a>1</a>");
    assert_eq!(sent.var("made.content"), r#"{"a":"1"}"#);
    assert_eq!(sent.var("made.header.content-type"), "application/json");
    assert_eq!(sent.var("request.content"), "<a>1</a>");
    let sent = run(
        "<Source>request.content</Source><OutputVariable>text</OutputVariable>",
        "text/plain",
        "<a>1</a>",
    );
    assert_eq!(sent.var("text"), r#"{"a":"1"}"#);
}

#[test]
fn fault_output_variable_source_and_types() {
    for (inside, name, text) in [
        ("<Source>response</Source>", "SourceUnavailable", "XMLToJSON[s0]: Source response is not available"),
        ("<Source>xyz</Source>", "SourceUnavailable", "XMLToJSON[s0]: Source xyz is not available"),
        ("<Source>request.content</Source>", "OutputVariableIsNotAvailable", ""),
        ("<Source>request.content</Source><OutputVariable>request</OutputVariable>", "InCompatibleTypes", ""),
        ("<OutputVariable>request.verb</OutputVariable>", "InCompatibleTypes", ""),
        ("<Source>client.port</Source><OutputVariable>x</OutputVariable>", "InvalidSourceType", ""),
    ] {
        let sent = run(inside, "text/xml", "<a/>");
        assert_eq!((sent.status(), sent.code()), (500, format!("steps.xmltojson.{name}")), "{inside}");
        assert!(sent.body().contains(text), "{}", sent.body());
        assert_eq!(sent.var("xmltojson.s0.failed"), "true");
    }
}

#[test]
fn fault_execution_failed_on_what_is_no_xml() {
    for xml in [
        "",
        "no",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>x",
        "<a x='1' x='2'/>",
        "<a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
    ] {
        let sent = run("", "text/xml", xml);
        assert_eq!(sent.code(), "steps.xmltojson.ExecutionFailed", "{xml}");
    }
    assert!(run("", "text/xml", "<a>\n\n</b>").body().contains("at line 3"));
    assert_eq!(run("", "text/xml", &"<a>".repeat(10_000)).code(), "steps.xmltojson.ExecutionFailed");
    let wide: String = (0..5000).map(|n| format!(" a{n}=''")).collect();
    assert!(run("", "text/xml", &format!("<a{wide}/>")).body().contains("attributes"));
}

#[test]
fn fault_codes_have_the_prefix_of_the_dialect() {
    let proxy = design().step("<XMLToJSON><Options/><Source>xyz</Source></XMLToJSON>");
    let mut world = world();
    world.dialect = Dialect::Sap;
    let compiled = crate::compile::compile(&proxy, "1", &world).unwrap();
    let bench = Bench::on(crate::snapshot::Snapshot::empty("acme", "test").with_proxy(compiled).unwrap());
    let sent = bench.get("/p");
    assert_eq!(sent.code(), "steps.xml2json.SourceUnavailable");
    assert!(sent.body().contains("XMLToJSON[s0]: Source xyz is not available"));
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("", "EitherOptionOrFormat"),
        ("<Options/><Format>yahoo</Format>", "EitherOptionOrFormat"),
        ("<Format>Yahoo</Format>", "UnknownFormat"),
        ("<Options><Nope/></Options>", "UnknownElement"),
        ("<Options><StripLevels>x</StripLevels></Options>", "InvalidStripLevels"),
        ("<Options><RecognizeNull>x</RecognizeNull></Options>", "NotABoolean"),
        ("<Options><TreatAsArray><Path/></TreatAsArray></Options>", "InvalidPath"),
        ("<Options/><OutputVariable>a b</OutputVariable>", "InvalidVariableName"),
    ] {
        assert_eq!(problem_of(&format!("<XMLToJSON>{inside}</XMLToJSON>")), rule, "{inside}");
    }
}

proptest! {
    #[test]
    fn no_document_makes_it_panic_and_what_comes_out_is_json(xml in "(<[ab]( x='1')?/?>|</[ab]>|t|&lt;|<!--c-->|\\PC){0,12}") {
        for options in [Options::default()] {
            if let Ok(json) = convert(&xml, &options, Dialect::Sap) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{}", json);
            }
        }
    }
}
