use http::Method;

use crate::testing::*;

fn run(inside: &str, kind: &str, body: &str) -> Sent {
    let proxy = design().step(&format!("<XMLThreatProtection>{inside}</XMLThreatProtection>"));
    Bench::new(&proxy).send(request(
        Method::POST,
        "/p",
        &[("content-type", kind), ("accept", "application/json")],
        body,
    ))
}

/// What follows `reason: ` in the text of the fault; empty when there was none.
fn reason(inside: &str, body: &str) -> String {
    let sent = run(inside, "application/xml", body);
    if !sent.is_answered() {
        return String::new();
    }
    assert_eq!(
        (sent.status(), sent.code().as_str()),
        (500, "steps.xmlthreatprotection.ExecutionFailed"),
        "{body}"
    );
    assert_eq!(sent.var("xmlattack.s0.failed"), "true");
    let body: serde_json::Value = serde_json::from_str(&sent.body()).unwrap();
    let text = body["fault"]["faultstring"].as_str().unwrap();
    let prefix = "XMLThreatProtection[s0]: Execution failed. reason: XMLThreatProtection[s0]: ";
    text.strip_prefix(prefix).unwrap_or_else(|| panic!("{text}")).to_owned()
}

/// What is at the bound passes; what is one more is refused in that line.
fn bounded(inside: &str, at: &str, beyond: &str, says: &str) {
    assert_eq!(reason(inside, at), "", "{at}");
    assert_eq!(reason(inside, beyond), says, "{beyond}");
}

fn names(of: &str) -> String {
    format!("<NameLimits><{of}>3</{of}></NameLimits>")
}

fn structure(of: &str) -> String {
    format!("<StructureLimits><{of}>2</{of}></StructureLimits>")
}

fn values(of: &str) -> String {
    format!("<ValueLimits><{of}>3</{of}></ValueLimits>")
}

#[test]
fn element_name_exceeded() {
    bounded(
        &names("Element"),
        "<long:abc xmlns:long='u'/>",
        "<a>\n<abcd/></a>",
        "Element name length exceeded 3 at line 2",
    );
}

#[test]
fn attribute_name_exceeded() {
    bounded(
        &names("Attribute"),
        "<abcde abc='' xmlns:long='u' long:abc=''/>",
        "<a abcd=''/>",
        "Attribute name length exceeded 3 at line 1",
    );
}

#[test]
fn namespace_prefix_exceeded() {
    bounded(
        &names("NamespacePrefix"),
        "<abc:a xmlns:abc='u'/>",
        "<a\n xmlns:abcd='u'/>",
        "Namespace prefix length exceeded 3 at line 1",
    );
}

#[test]
fn processing_instruction_target_exceeded() {
    let says = "Processing Instruction target length exceeded 3 at line 1";
    bounded(&names("ProcessingInstructionTarget"), "<a><?abc long data?></a>", "<a><?abcd?></a>", says);
}

#[test]
fn node_depth_exceeded() {
    bounded(
        &structure("NodeDepth"),
        "<a><b/><b>x</b></a>",
        "<a>\n<b>\n<c/></b></a>",
        "Node depth exceeded 2 at line 3",
    );
}

#[test]
fn attribute_count_exceeded() {
    let at = "<a xmlns='u' xmlns:b='v' c='' d=''><e f='' g=''/></a>";
    bounded(
        &structure("AttributeCountPerElement"),
        at,
        "<a b='' c='' d=''/>",
        "Attribute count exceeded 2 at line 1",
    );
}

#[test]
fn namespace_count_exceeded() {
    let at = "<a xmlns='u' xmlns:b='v' c='' d='' e=''/>";
    bounded(
        &structure("NamespaceCountPerElement"),
        at,
        "<a xmlns='u' xmlns:b='v' xmlns:c='w'/>",
        "Namespace count exceeded 2 at line 1",
    );
}

#[test]
fn child_count_exceeded() {
    let says = "Children count exceeded 2 at line 1";
    bounded(&structure("ChildCount"), "<a><b><c/></b>x&amp;<![CDATA[y]]></a>", "<a>x<b/>y</a>", says);
    for (kind, three) in [
        ("includeComment", "<a><!--1--><!--2--><!--3--></a>"),
        ("includeElement", "<a><b/><b/><b/></a>"),
        ("includeProcessingInstruction", "<a><?b?><?b?><?b?></a>"),
    ] {
        let without = format!("<StructureLimits><ChildCount {kind}='false'>2</ChildCount></StructureLimits>");
        bounded(&without, three, "<a>1<b/>2<?c?>3<!--d--></a>", says);
    }
    let without = "<StructureLimits><ChildCount includeText='false'>2</ChildCount></StructureLimits>";
    bounded(without, "<a>1<b/>2<b/>3</a>", "<a><b/><b/><b/></a>", says);
}

#[test]
fn text_exceeded() {
    bounded(
        &values("Text"),
        "<a>éé&amp;<b/>abc</a>",
        "<a>ab<![CDATA[cd]]></a>",
        "Text length exceeded 3 at line 1",
    );
}

#[test]
fn attribute_value_exceeded() {
    bounded(
        &values("Attribute"),
        "<a b='é&amp;c' xmlns='long'/>",
        "<a b='abcd'/>",
        "Attribute value length exceeded 3 at line 1",
    );
}

#[test]
fn namespace_uri_exceeded() {
    bounded(
        &values("NamespaceURI"),
        "<a xmlns:b='abc'/>",
        "<a xmlns='abcd'/>",
        "Namespace uri length exceeded 3 at line 1",
    );
}

#[test]
fn comment_exceeded() {
    bounded(
        &values("Comment"),
        "<a><!--abc--></a>",
        "<!--abcd--><a/>",
        "Comment length exceeded 3 at line 1",
    );
}

#[test]
fn processing_instruction_data_exceeded() {
    let says = "Processing Instruction data length exceeded 3 at line 1";
    bounded(&values("ProcessingInstructionData"), "<a><?target abc?></a>", "<a><?t abcd?></a>", says);
}

#[test]
fn bounds_that_are_absent_or_negative_are_none() {
    let deep = format!("{}{}", "<a>".repeat(3_000), "</a>".repeat(3_000));
    assert_eq!(reason("", &deep), "");
    assert_eq!(
        reason("<StructureLimits><NodeDepth>-1</NodeDepth><ChildCount/></StructureLimits>", &deep),
        ""
    );
}

#[test]
fn fault_invalid_xml_payload() {
    for (body, line) in [
        ("<a>\n<b></a>", 2),
        ("", 1),
        ("<a/>\n<b/>", 2),
        ("<a>&nope;</a>", 1),
        ("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", 1),
        ("<a b='1' b='2'/>", 1),
        ("<a b='<'/>", 1),
        ("<a>\u{1}</a>", 1),
        ("\n<a>", 2),
    ] {
        let sent = run("", "text/xml; charset=utf-8", body);
        assert_eq!(
            (sent.status(), sent.code().as_str()),
            (500, "steps.xmlthreatprotection.InvalidXMLPayload"),
            "{body}"
        );
        let says = format!("XMLThreatProtection[s0]: Invalid XML payload at line {line}: ");
        assert!(sent.body().contains(&says), "{}", sent.body());
    }
}

#[test]
fn other_content_types_are_not_looked_at() {
    for kind in ["text/plain", "application/json", ""] {
        assert!(!run("", kind, "<a>").is_answered(), "{kind}");
    }
    assert!(run("", "application/soap+xml", "<a>").is_answered());
}

#[test]
fn a_response_can_be_the_source() {
    let mut proxy = design().policy(
        "x",
        &format!(
            "<XMLThreatProtection><Source>response</Source>{}</XMLThreatProtection>",
            structure("NodeDepth")
        ),
    );
    proxy.proxy().flows.post.response.push(step("x"));
    let sent = Bench::new(&proxy).get("/p").receive(response(
        200,
        &[("content-type", "text/xml")],
        "<a><b><c/></b></a>",
    ));
    assert_eq!(sent.code(), "steps.xmlthreatprotection.ExecutionFailed");
}

#[test]
fn fault_source_unavailable_and_non_message_variable() {
    for (source, code, text) in [
        ("response", "SourceUnavailable", "XMLThreatProtection[s0]: Source response is not available"),
        (
            "request.verb",
            "NonMessageVariable",
            "XMLThreatProtection[s0]: Variable request.verb does not resolve to a Message",
        ),
    ] {
        let sent = run(&format!("<Source>{source}</Source>"), "text/xml", "<a/>");
        assert_eq!((sent.status(), sent.code()), (500, format!("steps.xmlthreatprotection.{code}")));
        assert!(sent.body().contains(text), "{}", sent.body());
    }
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("<NameLimits><Element>x</Element></NameLimits>", "InvalidLimit"),
        ("<NameLimits><Elements>1</Elements></NameLimits>", "UnknownElement"),
        (
            "<StructureLimits><ChildCount includeAll='true'>1</ChildCount></StructureLimits>",
            "UnknownAttribute",
        ),
        ("<ValueLimits><Text a='b'>1</Text></ValueLimits>", "UnknownAttribute"),
        ("<Limits/>", "UnknownElement"),
    ] {
        assert_eq!(
            problem_of(&format!("<XMLThreatProtection>{inside}</XMLThreatProtection>")),
            rule,
            "{inside}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_payload_makes_the_check_panic(body in "[<>/a-c&;\"'= !\\[\\]\\-?:x#0-9\\PC]{0,60}") {
        let _ = super::Bounds::default().check(body.as_bytes());
    }
}
