use http::Method;

use crate::design::Destination;
use crate::testing::*;

/// Runs a policy on `POST /p/x?a=1&b=2` and forwards.
fn run(inside: &str) -> Sent {
    let headers = [
        ("host", "api.example"),
        ("x-one", "1"),
        ("x-two", "a"),
        ("x-two", "b"),
        ("content-type", "text/plain"),
    ];
    Bench::new(&design().step(&format!("<AssignMessage>{inside}</AssignMessage>"))).send(request(
        Method::POST,
        "/p/x?a=1&b=2",
        &headers,
        "hello",
    ))
}

fn sent_body(sent: &Sent) -> String {
    sent.cx.request.content().into_owned()
}

#[test]
fn set_replaces_and_add_appends() {
    let sent = run(
        "<Set><Headers><Header name=\"X-Two\">{request.verb}</Header><Header name=\"new\">n</Header></Headers>\
         <QueryParams><QueryParam name=\"a\">9 9</QueryParam></QueryParams><Verb>PUT</Verb><Path>/y</Path></Set>\
         <Add><Headers><Header name=\"x-one\">2</Header></Headers><QueryParams><QueryParam name=\"a\">3</QueryParam></QueryParams></Add>",
    );
    assert_eq!(
        (sent.header("x-two"), sent.header("x-one"), sent.header("new")),
        ("POST".into(), "1|2".into(), "n".into())
    );
    assert_eq!(sent.url(), "https://backend.example:443/api/y?a=9%209&b=2&a=3");
    assert_eq!(sent.var("request.verb"), "PUT");
}

#[test]
fn values_can_be_set_and_removed_by_index() {
    let sent = run(
        "<Set><Headers><Header name=\"x-two.2\">B</Header></Headers></Set><Remove><QueryParams><QueryParam name=\"b.1\"/></QueryParams></Remove>",
    );
    assert_eq!(sent.header("x-two"), "a|B");
    assert!(sent.url().ends_with("?a=1"));
    assert_eq!(run("<Remove><Headers><Header name=\"x-two.1\"/></Headers></Remove>").header("x-two"), "b");
    let sent = run("<Set><QueryParams><QueryParam name=\"a.2\">x</QueryParam></QueryParams></Set>");
    assert_eq!(sent.var("request.queryparam.a.values"), "[1, x]");
}

#[test]
fn the_order_of_the_document_is_the_order_of_the_changes() {
    let sent = run(
        "<Set><Headers><Header name=\"h\">1</Header></Headers></Set><Remove><Headers/></Remove><Set><Headers><Header name=\"k\">2</Header></Headers></Set>",
    );
    assert_eq!(
        (sent.header("h"), sent.header("k"), sent.header("x-one")),
        (String::new(), "2".into(), String::new())
    );
    let sent = run("<Remove><Headers/></Remove><Set><Headers><Header name=\"h\">1</Header></Headers></Set>");
    assert_eq!(sent.header("h"), "1");
}

#[test]
fn an_empty_group_is_all_of_it() {
    let sent = run("<Remove><QueryParams/><Payload/></Remove>");
    assert_eq!((sent.url().as_str(), sent_body(&sent)), ("https://backend.example:443/api/x", String::new()));
    let sent = run("<Remove><Payload>false</Payload></Remove>");
    assert_eq!(sent_body(&sent), "hello");
}

#[test]
fn a_payload_sets_its_type_and_may_have_its_own_delimiters() {
    let sent = run(
        "<Set><Payload contentType=\"application/json\" variablePrefix=\"@\" variableSuffix=\"#\">{\"v\":\"@request.verb#\"}</Payload></Set>",
    );
    assert_eq!(
        (sent_body(&sent), sent.header("content-type")),
        ("{\"v\":\"POST\"}".into(), "application/json".into())
    );
    let sent = run("<Set><Payload>{\"v\":\"{request.content}\"}</Payload></Set>");
    assert_eq!(
        (sent_body(&sent), sent.header("content-type")),
        ("{\"v\":\"hello\"}".into(), "text/plain".into())
    );
}

#[test]
fn form_parameters_are_edited_in_the_body() {
    let design = design().step(
        "<AssignMessage><Set><FormParams><FormParam name=\"a\">{request.formparam.b}&amp;</FormParam></FormParams></Set>\
         <Remove><FormParams><FormParam name=\"b\"/></FormParams></Remove>\
         <Add><FormParams><FormParam name=\"c\">3</FormParam></FormParams></Add></AssignMessage>",
    );
    let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let sent = Bench::new(&design).send(request(Method::POST, "/p", &form, "a=1&b=x+y"));
    assert_eq!(sent_body(&sent), "a=x+y%26&c=3");
}

#[test]
fn copying_takes_what_is_named() {
    let into = |copy: &str| {
        run(&format!(
            "<AssignTo createNew=\"true\" type=\"request\">m</AssignTo><Copy source=\"request\">{copy}</Copy>"
        ))
    };
    let sent = into("<Headers><Header name=\"x-two\"/></Headers><QueryParams/><Verb/><Path/><Payload/>");
    assert_eq!(sent.var("m.header.x-two.values"), "[a, b]");
    assert_eq!(sent.var("m.header.x-one"), "null");
    assert_eq!((sent.var("m.querystring"), sent.var("m.verb")), ("a=1&b=2".into(), "POST".into()));
    assert_eq!((sent.var("m.path"), sent.var("m.content")), ("/x".into(), "hello".into()));
    let sent = into("<Verb>false</Verb><QueryParams><QueryParam name=\"b\"/></QueryParams>");
    assert_eq!(
        (sent.var("m.verb"), sent.var("m.querystring"), sent.var("m.content")),
        ("GET".into(), "b=2".into(), String::new())
    );
    let sent = into("");
    assert_eq!((sent.var("m.header.x-one"), sent.var("m.content")), ("1".into(), "hello".into()));
}

#[test]
fn a_response_can_be_made_in_the_request_flow_and_copied_from() {
    let mut design = design()
        .step("<AssignMessage><AssignTo createNew=\"true\" type=\"response\">made</AssignTo><Set><StatusCode>202</StatusCode><ReasonPhrase>Mine</ReasonPhrase><Payload>p</Payload></Set></AssignMessage>")
        .policy("copy", "<AssignMessage><AssignTo type=\"response\"/><Copy source=\"made\"><StatusCode/><ReasonPhrase/><Payload/></Copy></AssignMessage>");
    design.proxy().flows.post.response = vec![step("copy")];
    let sent = Bench::new(&design).get("/p").receive(response(200, &[], "theirs"));
    assert_eq!(
        (sent.status(), sent.body(), sent.var("response.reason.phrase")),
        (202, "p".into(), "Mine".into())
    );
}

#[test]
fn a_type_without_a_name_is_the_present_message_but_for_a_response_to_come() {
    let set = |kind: &str| {
        format!(
            "<AssignMessage><AssignTo createNew='false' type='{kind}'/><Set><Headers><Header name='x-set'>1</Header></Headers></Set></AssignMessage>"
        )
    };
    for kind in ["request", "response"] {
        let mut design = design().policy("set", &set(kind));
        design.proxy().flows.post.response = vec![step("set")];
        let sent = Bench::new(&design).get("/p").receive(response(200, &[], ""));
        assert_eq!(sent.response_header("x-set"), "1", "{kind} in the response flow");

        let sent = Bench::new(&crate::testing::design().step(&set(kind))).get("/p");
        let (asked, answer) = (sent.header("x-set"), sent.receive(response(200, &[], "")));
        assert_eq!(asked.is_empty(), kind == "response", "{kind} in the request flow");
        assert_eq!(answer.status(), 200);

        let mut design = crate::testing::design().step("<RaiseFault><FaultResponse><Set><StatusCode>418</StatusCode></Set></FaultResponse></RaiseFault>").policy("set", &set(kind));
        design
            .proxy()
            .flows
            .fault_rules
            .push(crate::design::FaultRule { steps: vec![step("set")], ..Default::default() });
        let sent = Bench::new(&design).get("/p");
        assert_eq!(
            (sent.status(), sent.response_header("x-set").as_str()),
            (418, "1"),
            "{kind} in a fault rule"
        );
    }
}

#[test]
fn create_new_empties_the_request_but_keeps_its_line() {
    let sent = run(
        "<AssignTo createNew=\"true\">request</AssignTo><Set><Headers><Header name=\"only\">1</Header></Headers></Set>",
    );
    assert_eq!(
        (sent.header("x-one"), sent.header("only"), sent_body(&sent)),
        (String::new(), "1".into(), String::new())
    );
    assert_eq!(
        (sent.url().as_str(), sent.var("request.verb").as_str()),
        ("https://backend.example:443/api/x?a=1&b=2", "POST")
    );
}

#[test]
fn variables_take_ref_then_template_then_value() {
    let assign =
        |inside: &str| run(&format!("<AssignVariable><Name>v</Name>{inside}</AssignVariable>")).var("v");
    assert_eq!(assign("<Ref>request.verb</Ref><Value>x</Value>"), "POST");
    assert_eq!(assign("<Ref>none</Ref><Value>x</Value>"), "x");
    assert_eq!(assign("<Value>{request.verb}</Value>"), "{request.verb}", "a value is no template");
    assert_eq!(assign("<Template>{request.verb}-{request.queryparam.a}</Template>"), "POST-1");
    assert_eq!(assign("<Template ref=\"request.content\"/>"), "hello");
    assert_eq!(assign("<Value></Value>"), "");
}

#[test]
fn a_variable_keeps_its_type() {
    let sent = run("<AssignVariable><Name>t</Name><Ref>system.timestamp</Ref></AssignVariable>");
    let condition = crate::condition::Condition::parse("t > 1496775291006L").unwrap().unwrap();
    assert!(condition.holds(&sent.cx));
}

#[test]
fn fault_unresolved_variable() {
    for inside in [
        "<Set><Headers><Header name=\"h\">{none}</Header></Headers></Set>",
        "<Set><Payload>{none}</Payload></Set>",
        "<Add><QueryParams><QueryParam name=\"h\">{none}</QueryParam></QueryParams></Add>",
        "<AssignVariable><Name>v</Name><Ref>none</Ref></AssignVariable>",
        "<AssignVariable><Name>v</Name><Template>{none}</Template></AssignVariable>",
    ] {
        let sent = run(inside);
        assert_eq!(
            (sent.status(), sent.code().as_str()),
            (500, "steps.assignmessage.UnresolvedVariable"),
            "{inside}"
        );
        assert!(sent.body().contains("Unresolved variable : none"), "{}", sent.body());
        assert!(
            !run(&format!("{inside}<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>"))
                .is_answered()
        );
    }
}

#[test]
fn fault_variable_of_non_message_type() {
    for inside in ["<Copy source=\"nothing\"/>", "<Copy source=\"response\"/>"] {
        assert_eq!(run(inside).code(), "steps.assignmessage.VariableOfNonMsgType", "{inside}");
    }
}

#[test]
fn fault_set_variable_failed() {
    for inside in [
        "<AssignVariable><Name>system.time</Name><Value>x</Value></AssignVariable>",
        "<AssignVariable><Name>client.ip</Name><Value>x</Value></AssignVariable>",
        "<Set><Verb>{request.header.x-two.values}</Verb></Set>",
        "<Set><Path>/a/../b</Path></Set>",
        "<Set><StatusCode>{request.header.x-one}</StatusCode></Set>",
    ] {
        assert_eq!(run(inside).code(), "steps.assignmessage.SetVariableFailed", "{inside}");
    }
}

#[test]
fn a_header_value_cannot_smuggle_a_line() {
    let design = design().step("<AssignMessage><Set><Headers><Header name=\"h\">{request.queryparam.v}</Header></Headers></Set></AssignMessage>");
    let sent = Bench::new(&design).get("/p?v=a%0d%0aevil:%201");
    assert_eq!(sent.code(), "steps.assignmessage.SetVariableFailed");
    assert!(!sent.body().contains("evil"), "the value is not repeated");
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("<Set><Headers><Header name=\"h.0\">1</Header></Headers></Set>", "InvalidIndex"),
        ("<Set><Headers><Header>1</Header></Headers></Set>", "NameIsMissing"),
        ("<Set><Headers><Header name=\"a b\">1</Header></Headers></Set>", "InvalidHeaderName"),
        ("<Set><Headers><Heading name=\"a\">1</Heading></Headers></Set>", "UnknownElement"),
        ("<Set><StatusCode>99</StatusCode></Set>", "InvalidStatusCode"),
        ("<Set><Payload variablePrefix=\"\">x</Payload></Set>", "InvalidPayload"),
        ("<Set><Payload colour=\"red\">x</Payload></Set>", "UnknownAttribute"),
        ("<Set><Payload>{xpath('a[',b)}</Payload></Set>", "BadTemplate"),
        ("<AssignVariable><Value>1</Value></AssignVariable>", "InvalidVariableName"),
        ("<AssignVariable><Name>a b</Name></AssignVariable>", "InvalidVariableName"),
        (
            "<AssignVariable><Name>a</Name><ResourceURL>jsc://x.js</ResourceURL></AssignVariable>",
            "NoResourceForURL",
        ),
        (
            "<AssignVariable><Name>a</Name><PropertySetRef>x</PropertySetRef></AssignVariable>",
            "InvalidPropertySetRef",
        ),
        ("<AssignTo transport=\"jms\">m</AssignTo>", "InvalidTransport"),
        ("<AssignTo>a b</AssignTo>", "InvalidVariableName"),
        ("<IgnoreUnresolvedVariables>perhaps</IgnoreUnresolvedVariables>", "NotABoolean"),
        ("<AssignTo/><AssignTo/>", "RepeatedElement"),
        ("<Nonsense/>", "UnknownElement"),
    ] {
        assert_eq!(problem_of(&format!("<AssignMessage>\n{inside}</AssignMessage>")), rule, "{inside}");
    }
}

#[test]
fn a_resource_of_the_proxy_can_be_a_value() {
    let mut design = design().step("<AssignMessage><AssignVariable><Name>v</Name><ResourceURL>jsc://a.js</ResourceURL></AssignVariable></AssignMessage>");
    design.resources.push(crate::design::FileResource {
        name: "a.js".into(),
        kind: "js".into(),
        content: "1+1".into(),
        binary: false,
    });
    design = design.on_target(Destination::Url("http://h/".into()));
    assert_eq!(Bench::new(&design).get("/p").var("v"), "1+1");
}

#[test]
fn a_header_made_of_a_private_variable_is_never_printed() {
    let sent = run(
        "<AssignVariable><Name>private.t</Name><Value>s3cret</Value></AssignVariable><Set><Headers><Header name=\"authorization\">Bearer {private.t}</Header></Headers></Set>",
    );
    assert_eq!(sent.header("authorization"), "Bearer s3cret");
    assert!(!format!("{:?}", sent.cx.request).contains("s3cret"));
}

#[test]
fn text_that_doubles_itself_ends_in_a_fault_and_not_in_the_machines_memory() {
    let double = "<AssignVariable><Name>v</Name><Template>{v}{v}</Template></AssignVariable>".repeat(40);
    let sent =
        run(&format!("<AssignVariable><Name>v</Name><Value>12345678</Value></AssignVariable>{double}"));
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.assignmessage.SetVariableFailed"));
}

#[test]
fn a_variable_can_be_assigned_a_property() {
    let mut proxy = design().step(
        "<AssignMessage>\
         <AssignVariable><Name>a</Name><PropertySetRef>mine.foo</PropertySetRef></AssignVariable>\
         <AssignVariable><Name>b</Name><PropertySetRef>{request.queryparam.set}.{request.queryparam.key}</PropertySetRef></AssignVariable>\
         <AssignVariable><Name>c</Name><Value>default</Value><PropertySetRef>mine.none</PropertySetRef></AssignVariable>\
         <AssignVariable><Name>d</Name><Ref>request.verb</Ref><PropertySetRef>mine.foo</PropertySetRef></AssignVariable>\
         </AssignMessage>",
    );
    proxy.resources.push(crate::design::FileResource {
        name: "mine.properties".into(),
        kind: "properties".into(),
        content: "foo=bar\nn=5".into(),
        binary: false,
    });
    let sent = Bench::new(&proxy).get("/p?set=mine&key=n");
    assert_eq!([sent.var("a"), sent.var("b"), sent.var("c"), sent.var("d")], ["bar", "5", "default", "GET"]);
    let sent = Bench::new(&proxy).get("/p?set=mine&key=none");
    assert_eq!(sent.code(), "steps.assignmessage.UnresolvedVariable");
    let broken = "<AssignMessage><AssignVariable><Name>a</Name><PropertySetRef>foo</PropertySetRef></AssignVariable></AssignMessage>";
    assert_eq!(problem_of(broken), "InvalidPropertySetRef");
}

/// Public bundles have `responset`, and the originals run them.
#[test]
fn an_unknown_message_type_is_a_warning_and_counts_as_none() {
    let design = design().step(
        "<AssignMessage><AssignTo type='responset' transport='https'>m</AssignTo>\
         <Set><Payload>x</Payload></Set></AssignMessage>",
    );
    let examined = crate::compile::examine(&design, "1", &world());
    assert_eq!(examined.warnings.len(), 1, "{:?}", examined.warnings);
    assert_eq!(examined.warnings[0].rule, "InvalidMessageType");
    assert_eq!(Bench::new(&design).get("/p").var("m.content"), "x");
}

#[test]
fn a_payload_may_be_written_as_markup() {
    let design = design().step(
        "<AssignMessage><AssignTo createNew='true' type='request'>m</AssignTo><Set><Payload contentType='text/xml'>\n  \
         <a:root xmlns:a=\"urn:a\"><name kind='k'>{request.verb}</name><!-- c --><empty/>&amp;</a:root>\n</Payload></Set>\
         </AssignMessage>",
    );
    assert_eq!(
        Bench::new(&design).get("/p").var("m.content").trim(),
        "<a:root xmlns:a=\"urn:a\"><name kind='k'>GET</name><!-- c --><empty/>&amp;</a:root>"
    );
}

#[test]
fn a_form_can_be_copied() {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let copied = |group: &str| {
        let proxy = design().step(&format!(
            "<AssignMessage><AssignTo createNew=\"true\" type=\"request\">m</AssignTo><Copy source=\"request\">{group}</Copy></AssignMessage>"
        ));
        Bench::new(&proxy).send(request(Method::POST, "/p", &form, "a=1&b=2&a=3")).var("m.content")
    };
    assert_eq!(copied("<FormParams/>"), "a=1&b=2&a=3");
    assert_eq!(copied("<FormParams><FormParam name=\"a\"/></FormParams>"), "a=1&a=3");
    assert_eq!(copied("<FormParams><FormParam name=\"a.2\"/></FormParams>"), "a=3");
}

#[test]
fn a_version_is_read_and_changes_nothing() {
    let sent = run(
        "<Set><Version>1.0</Version></Set><Remove><Version/></Remove><Copy source=\"request\"><Version/></Copy>",
    );
    assert!(!sent.is_answered());
    assert_eq!((sent.var("request.version"), sent_body(&sent)), ("1.1".into(), "hello".into()));
}

#[test]
fn what_a_message_always_has_is_reset_or_stays() {
    let sent = run("<Remove><Verb/><Path/></Remove>");
    assert_eq!(sent.var("request.verb"), "POST");
    assert_eq!(sent.url(), "https://backend.example:443/api/?a=1&b=2");
    let mut proxy = design().policy(
        "a",
        "<AssignMessage><Set><ReasonPhrase>Mine</ReasonPhrase></Set><Remove><StatusCode/><ReasonPhrase/></Remove></AssignMessage>",
    );
    proxy.proxy().flows.post.response = vec![step("a")];
    let sent = Bench::new(&proxy).get("/p").receive(response(201, &[], ""));
    assert_eq!((sent.status(), sent.var("response.reason.phrase")), (201, "Created".into()));
}

#[test]
fn failure_is_told_in_a_variable() {
    let sent = run("<Copy source=\"nothing\"/>");
    assert_eq!(sent.var("assignmessage.s0.failed"), "true");
    assert_eq!(run("<Remove><Headers/></Remove>").var("assignmessage.s0.failed"), "null");
}

#[test]
fn a_header_outside_of_its_group_is_told_and_does_nothing() {
    let xml = "<AssignMessage><Add><Headers/><Header name=\"x\">1</Header></Add></AssignMessage>";
    let design = design().step(xml);
    assert_eq!(compiled(&design).warnings[0].rule, "WithoutEffect");
    assert_eq!(Bench::new(&design).get("/p").header("x"), "");
}
