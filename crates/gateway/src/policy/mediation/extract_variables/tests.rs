use http::Method;

use crate::exchange::Message;
use crate::testing::*;

fn post(path: &str, kind: &str, body: &str) -> Message {
    let headers = [
        ("host", "api.example"),
        ("content-type", kind),
        ("authorization", "Bearer abc.def"),
        ("x-two", "first"),
        ("x-two", "second"),
    ];
    request(Method::POST, path, &headers, body)
}

/// Runs the policy as the first step on a request.
fn run(inside: &str, request: Message) -> Sent {
    Bench::new(&design().step(&format!("<ExtractVariables>{inside}</ExtractVariables>"))).send(request)
}

fn on_path(inside: &str, path: &str) -> Sent {
    run(inside, get(path))
}

fn on_json(inside: &str, body: &str) -> Sent {
    let inside = format!("<JSONPayload>{inside}</JSONPayload>");
    run(&inside, post("/p", "application/json; charset=utf-8", body))
}

const LENIENT: &str = "<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>";

#[test]
fn a_path_pattern_is_matched_against_the_path_suffix() {
    let accounts = "<URIPath><Pattern>/accounts/{id}</Pattern></URIPath>";
    assert_eq!(on_path(accounts, "/p/accounts/12797282?x=1").var("id"), "12797282");
    assert_eq!(on_path(accounts, "/p/accounts/a%20b").var("id"), "a b");
    // A variable is within one segment, and the whole path must fit.
    for path in ["/p/accounts/1/2", "/p/accounts/", "/p/accounts", "/p/ACCOUNTS/1", "/p/x/accounts/1"] {
        assert_eq!(on_path(accounts, path).var("id"), "null", "{path}");
    }
    let model = "<URIPath><Pattern>/v1/projects/*/models/{model}:generate</Pattern></URIPath>";
    assert_eq!(on_path(model, "/p/v1/projects/p-1/models/m.2:generate").var("model"), "m.2");
    assert_eq!(on_path(model, "/p/v1/projects/p/1/models/m.2:generate").var("model"), "null");
    let deep = "<URIPath><Pattern>/a/**/z/{last}</Pattern></URIPath>";
    assert_eq!(on_path(deep, "/p/a/b/c/z/1").var("last"), "1");
}

#[test]
fn case_can_be_ignored() {
    let pattern = "<URIPath><Pattern ignoreCase=\"true\">/Accounts/{id}</Pattern></URIPath>";
    assert_eq!(on_path(pattern, "/p/aCCOUNTS/Ab").var("id"), "Ab");
}

#[test]
fn what_an_earlier_pattern_found_stands() {
    let patterns = "<URIPath><Pattern>/{a}/{b}</Pattern><Pattern>/{kind}/{b}</Pattern><Pattern>/{none}</Pattern></URIPath>";
    let sent = on_path(patterns, "/p/x/y");
    assert_eq!([sent.var("a"), sent.var("b"), sent.var("kind"), sent.var("none")], ["x", "y", "x", "null"]);
}

#[test]
fn a_query_parameter_is_matched() {
    let code = "<QueryParam name=\"code\"><Pattern ignoreCase=\"true\">DBN{dbncode}</Pattern></QueryParam>\
                <VariablePrefix>queryinfo</VariablePrefix>";
    assert_eq!(on_path(code, "/p?code=dbn88271").var("queryinfo.dbncode"), "88271");
    assert_eq!(on_path(code, "/p?code=88271").var("queryinfo.dbncode"), "null");
    let second = "<QueryParam name=\"w.2\"><Pattern>{second}</Pattern></QueryParam>";
    assert_eq!(on_path(second, "/p?w=Boston&w=Chicago%20IL").var("second"), "Chicago IL");
}

#[test]
fn a_header_is_matched() {
    let sent = run(
        "<Header name=\"Authorization\"><Pattern>Bearer {token}</Pattern></Header>\
         <Header name=\"x-two.2\"><Pattern>{two}</Pattern></Header>",
        post("/p", "text/plain", ""),
    );
    assert_eq!((sent.var("token"), sent.var("two")), ("abc.def".into(), "second".into()));
}

#[test]
fn a_variable_takes_as_little_as_it_can_and_the_last_one_the_rest() {
    let url = "<Variable name=\"request.queryparam.to\"><Pattern>https://{host}/{path}</Pattern></Variable>";
    let sent = on_path(url, "/p?to=https://a.example/b/c%0Ad");
    assert_eq!((sent.var("host"), sent.var("path")), ("a.example".into(), "b/c\nd".into()));
}

#[test]
fn a_form_parameter_is_matched() {
    let form = "<FormParam name=\"greeting\"><Pattern>hello {user}</Pattern></FormParam>";
    let body = "x=1&greeting=hello+Bob";
    assert_eq!(run(form, post("/p", "application/x-www-form-urlencoded", body)).var("user"), "Bob");
    let sent = run(&format!("{form}{LENIENT}"), post("/p", "text/plain", body));
    assert_eq!(sent.var("user"), "null");
}

#[test]
fn a_variable_is_matched() {
    let sent = run(
        "<Variable name=\"request.content\"><Pattern>hello {user}!</Pattern></Variable>",
        post("/p", "text/plain", "hello Bob!"),
    );
    assert_eq!(sent.var("user"), "Bob");
}

#[test]
fn json_payloads_give_values_by_path() {
    let sent = on_json(
        "<Variable name=\"lat\"><JSONPath>$.results[0].lat</JSONPath></Variable>\
         <Variable name=\"all\"><JSONPath>$.results[*].lat</JSONPath></Variable>\
         <Variable name=\"first\"><JSONPath>$.nothing</JSONPath><JSONPath>$.name</JSONPath></Variable>\
         <Variable name=\"object\"><JSONPath>$.results[1]</JSONPath></Variable>",
        r#"{"name":"a \"b\"","results":[{"lat":37.4224764},{"lat":2}]}"#,
    );
    for (name, value) in
        [("lat", "37.4224764"), ("all", "[37.4224764,2]"), ("first", "a \"b\""), ("object", "{\"lat\":2}")]
    {
        assert_eq!(sent.var(name), value, "{name}");
    }
}

#[test]
fn a_json_path_may_hold_variables_that_stay_values() {
    let inside = "<JSONPayload><Variable name=\"found\"><JSONPath>$.[?(@.region=='{request.queryparam.r}')].name</JSONPath></Variable></JSONPayload>";
    let body = r#"[{"name":"pod1","region":"us"},{"name":"pod2","region":"it's"}]"#;
    let ask =
        |query: &str| run(inside, post(&format!("/p?r={query}"), "application/json", body)).var("found");
    assert_eq!(ask("us"), "[\"pod1\"]");
    assert_eq!(ask("it's"), "[\"pod2\"]");
    assert_eq!(ask("x'%20||%20@.name%20!=%20'y"), "[]");
}

#[test]
fn fault_invalid_json_path_of_a_template() {
    let sent = run(
        "<JSONPayload><Variable name=\"x\"><JSONPath>$.{request.queryparam.r}</JSONPath></Variable></JSONPayload>",
        post("/p?r=a%20b", "application/json", "{}"),
    );
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.extractvariables.InvalidJSONPath"));
}

#[test]
fn values_have_the_type_that_was_asked_for() {
    let types = |kind: &str, body: &str| {
        let inside = format!("<Variable name=\"x\" type=\"{kind}\"><JSONPath>$.a</JSONPath></Variable>");
        on_json(&inside, body)
    };
    for (kind, body, value) in [
        ("string", r#"{"a":"1.50"}"#, "1.50"),
        ("boolean", r#"{"a":true}"#, "true"),
        ("integer", r#"{"a":"12"}"#, "12"),
        ("long", r#"{"a":12345678901}"#, "12345678901"),
        ("float", r#"{"a":1.5}"#, "1.5"),
        ("double", r#"{"a":1e3}"#, "1000"),
        ("nodeset", r#"{"a":[1]}"#, "[1]"),
    ] {
        assert_eq!(types(kind, body).var("x"), value, "{kind}");
    }
    // Types decide how conditions compare.
    let mut proxy = design().step(
        "<ExtractVariables><JSONPayload><Variable name=\"n\" type=\"integer\"><JSONPath>$.n</JSONPath></Variable></JSONPayload></ExtractVariables>",
    );
    proxy = proxy.policy("m", &mark("more"));
    proxy.proxy().flows.pre.request.push(step_if("m", "n > 9"));
    let sent = Bench::new(&proxy).send(post("/p", "application/json", "{\"n\":10}"));
    assert_eq!(sent.var("trail"), "more,");
}

#[test]
fn fault_unable_to_cast() {
    for (kind, value) in [("integer", "1.5"), ("boolean", "\"yes\""), ("long", "\"x\""), ("float", "{}")] {
        let inside = format!("<Variable name=\"x\" type=\"{kind}\"><JSONPath>$.a</JSONPath></Variable>");
        let sent = on_json(&inside, &format!("{{\"a\":{value}}}"));
        assert_eq!(sent.code(), "steps.extractvariables.UnableToCast", "{kind}");
        assert_eq!(sent.var("extractvariables.s0.failed"), "true");
    }
}

#[test]
fn only_payloads_of_their_content_type_are_read() {
    let inside = "<JSONPayload><Variable name=\"x\"><JSONPath>$.a</JSONPath></Variable></JSONPayload>";
    for (kind, value) in [
        ("application/json", "1"),
        ("application/problem+json", "1"),
        ("APPLICATION/JSON;charset=UTF-8", "1"),
        ("text/plain", "null"),
        ("", "null"),
    ] {
        let sent = run(inside, post("/p", kind, "{\"a\":1}"));
        assert!(!sent.is_answered(), "{kind}: {}", sent.body());
        assert_eq!(sent.var("x"), value, "{kind}");
    }
}

#[test]
fn text_in_a_variable_is_read_as_what_the_policy_says() {
    let inside = "<Source>request.content</Source><JSONPayload><Variable name=\"x\"><JSONPath>$.a</JSONPath></Variable></JSONPayload>";
    assert_eq!(run(inside, post("/p", "text/plain", "{\"a\":1}")).var("x"), "1");
}

#[test]
fn a_response_can_be_the_source() {
    let mut proxy = design().policy(
        "ev",
        "<ExtractVariables><Source>response</Source><VariablePrefix>mock</VariablePrefix><JSONPayload><Variable name=\"a\"><JSONPath>$.a</JSONPath></Variable></JSONPayload></ExtractVariables>",
    );
    proxy.proxy().flows.post.response.push(step("ev"));
    let bench = Bench::new(&proxy);
    let sent =
        bench.get("/p").receive(response(200, &[("content-type", "application/json")], "{\"a\":\"v\"}"));
    assert_eq!(sent.var("mock.a"), "v");
}

#[test]
fn the_payload_can_be_cleared() {
    let payload = "<JSONPayload><Variable name=\"x\"><JSONPath>$.a</JSONPath></Variable></JSONPayload>";
    for (flag, left) in [("true", ""), ("false", "{\"a\":1}")] {
        let inside = format!("<Source clearPayload=\"{flag}\">request</Source>{payload}");
        let sent = run(&inside, post("/p", "application/json", "{\"a\":1}"));
        assert_eq!((sent.var("x"), sent.var("request.content")), ("1".into(), left.into()));
    }
}

#[test]
fn fault_variable_resolution_failed_unless_ignored() {
    let json = "<JSONPayload><Variable name=\"x\"><JSONPath>$.b</JSONPath></Variable></JSONPayload>";
    let query = "<QueryParam name=\"q\"><Pattern>{x}</Pattern></QueryParam>";
    let header = "<Header name=\"none\"><Pattern>{x}</Pattern></Header>";
    let variable = "<Variable name=\"none\"><Pattern>{x}</Pattern></Variable>";
    for inside in [json, query, header, variable] {
        let sent = run(inside, post("/p", "application/json", "{\"a\":1}"));
        assert_eq!(
            (sent.status(), sent.code().as_str()),
            (500, "steps.extractvariables.VariableResolutionFailed")
        );
        let sent = run(&format!("{inside}{LENIENT}"), post("/p", "application/json", "{\"a\":1}"));
        assert!(!sent.is_answered());
        assert_eq!(sent.var("x"), "null");
    }
}

#[test]
fn fault_source_message_not_available() {
    let json = "<JSONPayload><Variable name=\"x\"><JSONPath>$.b</JSONPath></Variable></JSONPayload>";
    for source in ["response", "calloutResponse"] {
        let sent = on_path(&format!("<Source>{source}</Source>{json}{LENIENT}"), "/p");
        assert_eq!(sent.code(), "steps.extractvariables.SourceMessageNotAvailable");
        assert!(sent.body().contains(&format!("{source} message is not available")), "{}", sent.body());
    }
    // Patterns on variables ask for no message.
    let variable =
        "<Source>response</Source><Variable name=\"request.verb\"><Pattern>{v}</Pattern></Variable>";
    assert_eq!(on_path(variable, "/p").var("v"), "GET");
}

#[test]
fn fault_execution_failed_on_a_broken_payload() {
    for body in ["{\"a\":", ""] {
        let sent = on_json(&format!("<Variable name=\"x\"><JSONPath>$.a</JSONPath></Variable>{}", ""), body);
        assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.extractvariables.ExecutionFailed"));
    }
}

#[test]
fn fault_immutable_variable_and_set_variable_failed() {
    let to = |name: &str| {
        on_json(&format!("<Variable name=\"{name}\"><JSONPath>$.a</JSONPath></Variable>"), r#"{"a":"x\ny"}"#)
    };
    assert_eq!(to("proxy.name").code(), "steps.extractvariables.ImmutableVariable");
    assert_eq!(to("request.header.x").code(), "steps.extractvariables.SetVariableFailed");
}

#[test]
fn fault_unsupported_operation_on_text() {
    let header = "<Source>request.content</Source><Header name=\"x\"><Pattern>{x}</Pattern></Header>";
    assert_eq!(
        run(header, post("/p", "text/plain", "x")).code(),
        "steps.extractvariables.UnsupportedOperation"
    );
    let path = "<Source>request.content</Source><URIPath><Pattern>/{x}</Pattern></URIPath>";
    assert_eq!(
        run(path, post("/p", "text/plain", "x")).code(),
        "steps.extractvariables.UnsupportedOperation"
    );
}

#[test]
fn fault_json_path_parsing_failure_when_a_path_takes_too_long() {
    let items: Vec<String> = (0..3000).map(|n| format!("{{\"a\":{n}}}")).collect();
    let sent = on_json(
        "<Variable name=\"x\"><JSONPath>$[?(@.a in $..a)]</JSONPath></Variable>",
        &format!("[{}]", items.join(",")),
    );
    assert_eq!(sent.code(), "steps.extractvariables.JsonPathParsingFailure");
}

#[test]
fn what_editors_leave_empty_does_nothing() {
    let inside = "<URIPath name=\"name\"/><QueryParam name=\"name\"/><JSONPayload/><VariablePrefix/>\
                  <QueryParam name=\"a\"><Pattern>{a}</Pattern></QueryParam>";
    assert_eq!(on_path(inside, "/p?a=1").var("a"), "1");
}

#[test]
fn mistakes_are_found_at_deploy() {
    let json = |inside: &str| format!("<JSONPayload>{inside}</JSONPayload>");
    for (inside, rule) in [
        (String::new(), "NothingToExtract"),
        ("<QueryParam><Pattern>{a}</Pattern></QueryParam>".into(), "MissingName"),
        (json("<Variable><JSONPath>$</JSONPath></Variable>"), "MissingName"),
        ("<URIPath><Pattern>/a</Pattern></URIPath>".into(), "PatternWithoutVariable"),
        ("<URIPath><Pattern>/{a</Pattern></URIPath>".into(), "InvalidPattern"),
        ("<URIPath><Pattern>/a}{b}</Pattern></URIPath>".into(), "InvalidPattern"),
        ("<URIPath><Pattern>/{}</Pattern></URIPath>".into(), "InvalidPattern"),
        (format!("<URIPath><Pattern>{}</Pattern></URIPath>", "{a}".repeat(60_000)), "InstantiationFailed"),
        (json("<Variable name=\"a\"/>"), "NoJSONPathsToEvaluate"),
        (json("<Variable name=\"a\"><JSONPath/></Variable>"), "EmptyJSONPathExpression"),
        (json("<Variable name=\"a\"><JSONPath>$[</JSONPath></Variable>"), "JSONPathCompilationFailed"),
        (
            json("<Variable name=\"a\" type=\"String\"><JSONPath>$</JSONPath></Variable>"),
            "InstantiationFailed",
        ),
        ("<URIPath><pattern>/{a}</pattern></URIPath>".into(), "UnknownElement"),
        (format!("{}{}", json(""), json("")), "RepeatedElement"),
        ("<Source><x/></Source><URIPath/>".into(), "UnknownElement"),
        ("<URIPath><Pattern ignoreCase=\"maybe\">/{a}</Pattern></URIPath>".into(), "NotABoolean"),
    ] {
        let xml = format!("<ExtractVariables>{inside}</ExtractVariables>");
        assert_eq!(problem_of(&xml), rule, "{}", &inside[..inside.len().min(200)]);
    }
}

fn on_xml(inside: &str, xml: &str) -> Sent {
    run(&format!("<XMLPayload>{inside}</XMLPayload>"), post("/p", "text/xml", xml))
}

#[test]
fn xml_payloads_give_values_by_xpath() {
    let sent = on_xml(
        "<Variable name=\"mode\"><XPath>/r/step/@mode</XPath></Variable>\
         <Variable name=\"city\" type=\"string\"><XPath>//none</XPath><XPath>//city</XPath></Variable>\
         <Variable name=\"count\"><XPath>count(//city)</XPath></Variable>\
         <Variable name=\"text\"><XPath>/r/city[2]/text()</XPath></Variable>",
        "<r><step mode=\"WALK\"/><city>Rome &amp; <b>Bonn</b></city><city>Ulm</city></r>",
    );
    for (name, value) in [("mode", "WALK"), ("city", "Rome & Bonn"), ("count", "2"), ("text", "Ulm")] {
        assert_eq!(sent.var(name), value, "{name}");
    }
    let sent = run(
        "<Source>request.content</Source><XMLPayload><Variable name=\"x\"><XPath>/a</XPath></Variable></XMLPayload>",
        post("/p", "text/plain", "<a>1</a>"),
    );
    assert_eq!(sent.var("x"), "1");
    let skipped = "<XMLPayload><Variable name=\"x\"><XPath>/a</XPath></Variable></XMLPayload>";
    assert_eq!(run(skipped, post("/p", "application/json", "<a>1</a>")).var("x"), "null");
}

#[test]
fn namespaces_of_the_policy_are_known_to_its_xpaths() {
    let sent = on_xml(
        "<Namespaces><Namespace prefix=\"S\">urn:soap</Namespace><Namespace prefix=\"n\">urn:n</Namespace></Namespaces>\
         <Variable name=\"id\"><XPath>/S:Envelope/S:Body/n:login/n:id/text()</XPath></Variable>",
        "<e:Envelope xmlns:e=\"urn:soap\"><e:Body><login xmlns=\"urn:n\"><id>4711</id></login></e:Body></e:Envelope>",
    );
    assert_eq!(sent.var("id"), "4711");
}

#[test]
fn xml_values_have_the_type_that_was_asked_for() {
    let xml = "<r><n>12</n><b>true</b><f>1.5</f><t x=\"1\">a<u/></t><t>b</t></r>";
    for (kind, path, value) in [
        ("string", "/r/n", "12"),
        ("integer", "/r/n", "12"),
        ("long", "/r/n", "12"),
        ("boolean", "/r/b", "true"),
        ("boolean", "count(/r/t) = 2", "true"),
        ("float", "/r/f", "1.5"),
        ("double", "sum(/r/n)", "12"),
        ("nodeset", "/r/t", "<t x=\"1\">a<u/></t><t>b</t>"),
    ] {
        let sent =
            on_xml(&format!("<Variable name=\"x\" type=\"{kind}\"><XPath>{path}</XPath></Variable>"), xml);
        assert_eq!(sent.var("x"), value, "{kind} {path}");
    }
    let sent = on_xml("<Variable name=\"x\" type=\"integer\"><XPath>/r/f</XPath></Variable>", xml);
    assert_eq!(sent.code(), "steps.extractvariables.UnableToCast");
}

#[test]
fn xml_processing_can_stop_at_the_first_variable() {
    let variables = "<Variable name=\"a\"><XPath>/r/none</XPath></Variable><Variable name=\"b\"><XPath>/r/b</XPath></Variable>\
                     <Variable name=\"c\"><XPath>/r/c</XPath></Variable>";
    let ask = |flag: &str| {
        let inside =
            format!("<XMLPayload stopPayloadProcessing=\"{flag}\">{variables}</XMLPayload>{LENIENT}");
        let sent = run(&inside, post("/p", "text/xml", "<r><b>1</b><c>2</c></r>"));
        [sent.var("a"), sent.var("b"), sent.var("c")]
    };
    assert_eq!(ask("true"), ["null", "1", "null"]);
    assert_eq!(ask("false"), ["null", "1", "2"]);
}

#[test]
fn fault_execution_failed_on_broken_xml() {
    let inside = "<Variable name=\"x\"><XPath>/a</XPath></Variable>";
    for xml in ["<a>", "", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"] {
        assert_eq!(on_xml(inside, xml).code(), "steps.extractvariables.ExecutionFailed", "{xml}");
    }
    assert_eq!(on_xml(inside, "<b/>").code(), "steps.extractvariables.VariableResolutionFailed");
}

#[test]
fn mistakes_of_xml_payloads_are_found_at_deploy() {
    for (inside, rule) in [
        ("<Variable name=\"a\"/>", "NoXPathsToEvaluate"),
        ("<Variable name=\"a\"><XPath/></Variable>", "EmptyXPathExpression"),
        ("<Variable name=\"a\"><XPath>/p:a</XPath></Variable>", "XPathCompilationFailed"),
        ("<Variable name=\"a\"><XPath>/a[</XPath></Variable>", "XPathCompilationFailed"),
        (
            "<Variable name=\"a\" type=\"nodeset\"><XPath>count(/a)</XPath></Variable>",
            "CannotBeConvertedToNodeset",
        ),
        ("<Variable><XPath>/a</XPath></Variable>", "MissingName"),
        ("<Variable name=\"a\" type=\"bool\"><XPath>/a</XPath></Variable>", "InstantiationFailed"),
        (
            "<Namespaces><Namespace prefix=\"a\">u</Namespace><Namespace prefix=\"a\">v</Namespace></Namespaces>",
            "DuplicatePrefix",
        ),
        ("<Namespaces><Namespace prefix=\"a\"/></Namespaces>", "NONEmptyPrefixMappedToEmptyURI"),
    ] {
        let xml = format!("<ExtractVariables><XMLPayload>{inside}</XMLPayload></ExtractVariables>");
        assert_eq!(problem_of(&xml), rule, "{inside}");
    }
}
