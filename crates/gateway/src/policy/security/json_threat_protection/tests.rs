use http::Method;

use crate::testing::*;

fn run(bounds: &str, kind: &str, body: &str) -> Sent {
    let proxy = design().step(&format!("<JSONThreatProtection>{bounds}</JSONThreatProtection>"));
    Bench::new(&proxy).send(request(Method::POST, "/p", &[("content-type", kind)], body))
}

/// What follows `reason: ` in the text of the fault; empty when there was none.
fn reason(bounds: &str, body: &str) -> String {
    let sent = run(bounds, "application/json", body);
    if !sent.is_answered() {
        return String::new();
    }
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.jsonthreatprotection.ExecutionFailed"));
    assert_eq!(sent.var("jsonattack.s0.failed"), "true");
    let body: serde_json::Value = serde_json::from_str(&sent.body()).unwrap();
    let text = body["fault"]["faultstring"].as_str().unwrap();
    let prefix = "JSONThreatProtection[s0]: Execution failed. reason: JSONThreatProtection[s0]: ";
    text.strip_prefix(prefix).unwrap_or_else(|| panic!("{text}")).to_owned()
}

/// What is at the bound passes; what is one more is refused in that line.
fn bounded(bounds: &str, at: &str, beyond: &str, says: &str) {
    assert_eq!(reason(bounds, at), "", "{at}");
    assert_eq!(reason(bounds, beyond), says, "{beyond}");
}

#[test]
fn fault_execution_failed_at_the_array_element_count() {
    bounded(
        "<ArrayElementCount>2</ArrayElementCount>",
        "[[1,2],[3,[]]]",
        "[1,\n[3,{},\n\"x\"]]",
        "Exceeded array element count at line 3",
    );
}

#[test]
fn fault_execution_failed_at_the_container_depth() {
    bounded(
        "<ContainerDepth>2</ContainerDepth>",
        r#"[{"a":1},[2],{}]"#,
        "{\"a\":\n[\n{}]}",
        "Exceeded container depth at line 3",
    );
}

#[test]
fn fault_execution_failed_at_the_object_entry_count() {
    bounded(
        "<ObjectEntryCount>2</ObjectEntryCount>",
        r#"{"a":{"b":1,"c":[1,2,3]},"d":[]}"#,
        "{\"a\":1,\n\"a\":1,\n\"a\":1}",
        "Exceeded object entry count at line 3",
    );
}

#[test]
fn fault_execution_failed_at_the_object_entry_name_length() {
    bounded(
        "<ObjectEntryNameLength>2</ObjectEntryNameLength>",
        r#"{"éé":"long enough"}"#,
        "\n{\"\\u0061bc\":1}",
        "Exceeded object entry name length at line 2",
    );
}

#[test]
fn fault_execution_failed_at_the_string_value_length() {
    bounded(
        "<StringValueLength>2</StringValueLength>",
        r#"{"long name":"éé","n":123456}"#,
        "[\"a\",\n\"abc\"]",
        "Exceeded string value length at line 2",
    );
}

#[test]
fn fault_execution_failed_on_what_is_no_json() {
    for (body, line) in [("{\"a\":1,\n}", 2), ("", 1), ("[1] 2", 1)] {
        let reason = reason("", body);
        assert!(reason.starts_with("The input JSON Payload is invalid: "), "{reason}");
        assert!(reason.ends_with(&format!("at line {line}")), "{reason}");
    }
}

#[test]
fn bounds_that_are_absent_or_negative_are_none() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(reason("", &deep), "");
    assert_eq!(reason("<ContainerDepth>-1</ContainerDepth><ArrayElementCount/>", &deep), "");
    assert!(reason("<ContainerDepth>0</ContainerDepth>", "[]").starts_with("Exceeded container depth"));
}

#[test]
fn other_content_types_are_not_looked_at() {
    for kind in ["text/plain", "application/xml", ""] {
        assert!(!run("<ContainerDepth>0</ContainerDepth>", kind, "[[").is_answered(), "{kind}");
    }
    assert!(run("", "application/vnd.api+json", "[[").is_answered());
}

#[test]
fn a_response_can_be_the_source() {
    let mut proxy =
        design().policy("j", "<JSONThreatProtection><Source>response</Source><ObjectEntryCount>0</ObjectEntryCount></JSONThreatProtection>");
    proxy.proxy().flows.post.response.push(step("j"));
    let sent = Bench::new(&proxy).get("/p").receive(response(
        200,
        &[("content-type", "application/json")],
        "{\"a\":1}",
    ));
    assert_eq!(sent.code(), "steps.jsonthreatprotection.ExecutionFailed");
}

#[test]
fn fault_source_unavailable_and_non_message_variable() {
    for (source, code, text) in [
        ("response", "SourceUnavailable", "JSONThreatProtection[s0]: Source response is not available"),
        ("nothing", "SourceUnavailable", "JSONThreatProtection[s0]: Source nothing is not available"),
        (
            "request.verb",
            "NonMessageVariable",
            "JSONThreatProtection[s0]: Variable request.verb does not resolve to a Message",
        ),
    ] {
        let sent = run(&format!("<Source>{source}</Source>"), "application/json", "{}");
        assert_eq!((sent.status(), sent.code()), (500, format!("steps.jsonthreatprotection.{code}")));
        assert!(sent.body().contains(text), "{}", sent.body());
    }
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("<ContainerDepth>x</ContainerDepth>", "InvalidLimit"),
        ("<ContainerDepth>1.5</ContainerDepth>", "InvalidLimit"),
        ("<Depth>1</Depth>", "UnknownElement"),
        ("<Source a=\"b\"/>", "UnknownAttribute"),
    ] {
        assert_eq!(
            problem_of(&format!("<JSONThreatProtection>{inside}</JSONThreatProtection>")),
            rule,
            "{inside}"
        );
    }
}
