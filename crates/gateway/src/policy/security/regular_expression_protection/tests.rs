use http::Method;

use crate::exchange::Message;
use crate::testing::*;

const SQL: &str = r"[\s]*(?i)((delete)|(exec)|(drop\s*table)|(insert)|(shutdown)|(update)|(\bor\b))";

fn post(path: &str, kind: &str, body: &str) -> Message {
    request(Method::POST, path, &[("content-type", kind), ("x-a", "fine"), ("x-a", "<b>")], body)
}

fn run(inside: &str, request: Message) -> Sent {
    let xml = format!("<RegularExpressionProtection>{inside}</RegularExpressionProtection>");
    Bench::new(&design().step(&xml)).send(request)
}

/// Whether the message was taken for a threat; every other fault is none of this.
fn is_threat(inside: &str, request: Message) -> bool {
    let sent = run(inside, request);
    if sent.is_answered() {
        assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.regexprotection.ThreatDetected"));
        assert_eq!(sent.var("regularexpressionprotection.s0.failed"), "true");
    }
    sent.is_answered()
}

#[test]
fn fault_threat_detected_in_a_query_parameter() {
    let inside = format!("<QueryParam name=\"query\"><Pattern>{SQL}</Pattern></QueryParam>");
    for (query, threat) in [
        ("query=delete", true),
        ("query=x%20OR%201=1", true),
        ("query=fine&query=Drop%20Table", true),
        ("query=order", false),
        ("other=delete", false),
        ("", false),
    ] {
        assert_eq!(is_threat(&inside, get(&format!("/p?{query}"))), threat, "{query}");
    }
    let sent = run(&inside, get("/p?query=delete"));
    let text = format!("Regular Expression Threat Detected in s0: regex: {SQL} input: delete");
    let body: serde_json::Value = serde_json::from_str(&sent.body()).unwrap();
    assert_eq!(body["fault"]["faultstring"], text);
}

#[test]
fn fault_threat_detected_in_the_path() {
    let inside = "<URIPath><Pattern>/internal(/|$)</Pattern></URIPath>";
    for (path, threat) in [("/p/internal", true), ("/p/a/inter%6eal/b", true), ("/p/internals", false)] {
        assert_eq!(is_threat(inside, get(path)), threat, "{path}");
    }
    assert!(is_threat("<URIPath><Pattern>^/admin</Pattern></URIPath>", get("/p/admin/x")));
}

#[test]
fn fault_threat_detected_in_any_line_of_a_header() {
    let inside = "<Header name=\"X-A\"><Pattern><![CDATA[<[^>]*>]]></Pattern></Header>";
    assert!(is_threat(inside, post("/p", "text/plain", "")));
    assert!(!is_threat(&inside.replace("X-A", "X-B"), post("/p", "text/plain", "")));
}

#[test]
fn fault_threat_detected_in_a_form_parameter() {
    let inside = "<FormParam name=\"a\"><Pattern>evil</Pattern></FormParam>";
    assert!(is_threat(inside, post("/p", "application/x-www-form-urlencoded", "b=1&a=so+evil")));
    assert!(!is_threat(inside, post("/p", "application/x-www-form-urlencoded", "b=evil")));
}

#[test]
fn fault_threat_detected_in_a_variable() {
    let inside =
        "<Variable name=\"request.content\"><Pattern>ev+il</Pattern><Pattern>bad</Pattern></Variable>";
    for (body, threat) in [("so evvil!", true), ("bad", true), ("good", false)] {
        assert_eq!(is_threat(inside, post("/p", "text/plain", body)), threat, "{body}");
    }
}

#[test]
fn what_is_private_is_not_shown() {
    let proxy = design()
        .step("<AssignMessage><AssignVariable><Name>private.x</Name><Value>evil secret</Value></AssignVariable></AssignMessage>")
        .step("<RegularExpressionProtection><Variable name=\"private.x\"><Pattern>evil</Pattern></Variable></RegularExpressionProtection>");
    let sent = Bench::new(&proxy).get("/p");
    assert!(sent.body().contains("input: ***") && !sent.body().contains("secret"), "{}", sent.body());
}

#[test]
fn fault_variable_resolution_failed_unless_ignored() {
    let inside = "<Variable name=\"none\"><Pattern>x</Pattern></Variable>";
    assert_eq!(run(inside, get("/p")).code(), "steps.regexprotection.VariableResolutionFailed");
    let lenient = format!("{inside}<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>");
    assert!(!run(&lenient, get("/p")).is_answered());
}

#[test]
fn fault_threat_detected_in_json() {
    let json = |path: &str, pattern: &str| {
        format!(
            "<JSONPayload><JSONPath><Expression>{path}</Expression><Pattern><![CDATA[{pattern}]]></Pattern></JSONPath></JSONPayload>"
        )
    };
    let body = r#"{"command":{"action":"a threat"},"list":["fine","\u003cscript>x</script>"],"n":42}"#;
    let script = r"<\s*script\b[^>]*>[^<]+<\s*\/\s*script\s*>";
    for (path, pattern, threat) in [
        ("$.command.action", "(.*)(threat)(.*)", true),
        ("$.command", "threat", true),
        ("$.list[0]", "threat", false),
        ("$.list[*]", script, true),
        ("$.", script, true),
        ("$", "\"n\":42", true),
        ("$.n", "^42$", true),
        ("$.none", ".*", false),
    ] {
        assert_eq!(
            is_threat(&json(path, pattern), post("/p", "application/json", body)),
            threat,
            "{path} {pattern}"
        );
    }
    assert!(!is_threat(&json("$", ".*"), post("/p", "text/plain", body)));
}

#[test]
fn slashes_are_also_looked_at_escaped_unless_that_is_off() {
    let json = |attribute: &str| {
        format!(
            "<JSONPayload{attribute}><JSONPath><Expression>$.a</Expression><Pattern>x\\\\/y</Pattern></JSONPath></JSONPayload>"
        )
    };
    let body = r#"{"a":"x/y"}"#;
    for (attribute, threat) in
        [("", true), (" escapeSlashCharacter=\"true\"", true), (" escapeSlashCharacter=\"false\"", false)]
    {
        assert_eq!(is_threat(&json(attribute), post("/p", "application/json", body)), threat, "{attribute}");
    }
}

#[test]
fn fault_threat_detected_in_xml() {
    let xml = |kind: &str, path: &str, pattern: &str| {
        format!(
            "<XMLPayload><Namespaces><Namespace prefix=\"s\">urn:s</Namespace></Namespaces><XPath><Expression>{path}</Expression>\
             <Type>{kind}</Type><Pattern><![CDATA[{pattern}]]></Pattern></XPath></XMLPayload>"
        )
    };
    let body = "<c xmlns='urn:s'><action>fine</action><action>a <b>threat</b></action><n>7</n></c>";
    for (kind, path, pattern, threat) in [
        ("string", "/s:c/s:action", "a threat", true),
        ("string", "/s:c/s:n", "threat", false),
        ("nodeset", "/s:c/s:action", "<b", true),
        ("string", "/s:c/s:action", "<b", false),
        ("double", "count(//s:action)", "^2$", true),
        ("string", "/c", ".*", false),
    ] {
        assert_eq!(
            is_threat(&xml(kind, path, pattern), post("/p", "application/xml", body)),
            threat,
            "{path} {pattern}"
        );
    }
    assert!(!is_threat(&xml("string", "/*", ".*"), post("/p", "text/plain", body)));
}

#[test]
fn fault_execution_failed_on_a_broken_payload() {
    let json =
        "<JSONPayload><JSONPath><Expression>$</Expression><Pattern>x</Pattern></JSONPath></JSONPayload>";
    let xml = "<XMLPayload><XPath><Expression>/a</Expression><Pattern>x</Pattern></XPath></XMLPayload>";
    for (inside, kind, body) in [(json, "application/json", "{"), (xml, "text/xml", "<a>")] {
        let sent = run(inside, post("/p", kind, body));
        assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.regexprotection.ExecutionFailed"));
        assert!(sent.body().contains("StepDefinition s0. Reason: "), "{}", sent.body());
    }
}

#[test]
fn fault_source_message_not_available_and_non_message_variable() {
    let header = "<Header name=\"a\"><Pattern>x</Pattern></Header>";
    let sent = run(&format!("<Source>response</Source>{header}"), get("/p"));
    assert_eq!(sent.code(), "steps.regexprotection.SourceMessageNotAvailable");
    assert!(
        sent.body()
            .contains("response message is not available for RegularExpressionProtection StepDefinition s0")
    );
    let sent = run(&format!("<Source>request.verb</Source>{header}"), get("/p"));
    assert_eq!(sent.code(), "steps.regexprotection.NonMessageVariable");
    // A check of a variable needs no message.
    let variable =
        "<Source>response</Source><Variable name=\"request.verb\"><Pattern>GET</Pattern></Variable>";
    assert!(is_threat(variable, get("/p")));
}

#[test]
fn a_response_can_be_the_source() {
    let mut proxy = design().policy(
        "r",
        "<RegularExpressionProtection><Source>response</Source><Header name=\"x\"><Pattern>Exception in</Pattern></Header></RegularExpressionProtection>",
    );
    proxy.proxy().flows.post.response.push(step("r"));
    let sent = Bench::new(&proxy).get("/p").receive(response(200, &[("x", "Exception in thread")], ""));
    assert_eq!(sent.code(), "steps.regexprotection.ThreatDetected");
}

#[test]
fn mistakes_are_found_at_deploy() {
    let json = |inside: &str| {
        format!("<JSONPayload><JSONPath>{inside}<Pattern>x</Pattern></JSONPath></JSONPayload>")
    };
    let xml = |inside: &str| format!("<XMLPayload><XPath>{inside}<Pattern>x</Pattern></XPath></XMLPayload>");
    for (inside, rule) in [
        (String::new(), "NothingToEnforce"),
        ("<JSONPayload/>".into(), "NothingToEnforce"),
        ("<XMLPayload/>".into(), "NothingToEnforce"),
        ("<URIPath/>".into(), "NoPatternsToEnforce"),
        ("<URIPath><Pattern/></URIPath>".into(), "NoPatternsToEnforce"),
        ("<URIPath><Pattern>foo){2}</Pattern></URIPath>".into(), "InvalidRegularExpression"),
        ("<URIPath><Pattern>(?=a)b</Pattern></URIPath>".into(), "InvalidRegularExpression"),
        ("<Header><Pattern>x</Pattern></Header>".into(), "MissingName"),
        ("<Header name=\"a b\"><Pattern>x</Pattern></Header>".into(), "InvalidHeaderName"),
        (json(""), "EmptyJSONPathExpression"),
        (json("<Expression>$[</Expression>"), "JSONPathCompilationFailed"),
        (xml("<Expression/>"), "EmptyXPathExpression"),
        (xml("<Expression>/p:a</Expression>"), "XPathCompilationFailed"),
        (xml("<Expression>count(/a)</Expression><Type>nodeset</Type>"), "CannotBeConvertedToNodeset"),
        (xml("<Expression>/a</Expression><Type>text</Type>"), "InstantiationFailed"),
        ("<XMLPayload><Namespaces><Namespace prefix=\"a\">u</Namespace><Namespace prefix=\"a\">v</Namespace></Namespaces>\
          <XPath><Expression>/a:b</Expression><Pattern>x</Pattern></XPath></XMLPayload>".into(), "DuplicatePrefix"),
        ("<XMLPayload><Namespaces><Namespace prefix=\"a\"/></Namespaces><XPath><Expression>/b</Expression><Pattern>x</Pattern></XPath></XMLPayload>".into(), "NONEmptyPrefixMappedToEmptyURI"),
    ] {
        let xml = format!("<RegularExpressionProtection>{inside}</RegularExpressionProtection>");
        assert_eq!(problem_of(&xml), rule, "{inside}");
    }
}
