mod calls;
mod xml;

use http::Method;

use crate::testing::*;

/// A step with this script inline.
fn inline(script: &str) -> String {
    format!("<Javascript><Source><![CDATA[{script}]]></Source></Javascript>")
}

fn ran(script: &str) -> Sent {
    Bench::new(&design().step(&inline(script))).send(sample())
}

fn sample() -> crate::exchange::Message {
    let headers = [
        ("host", "api.example"),
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("x-many", "one"),
        ("x-many", "two"),
    ];
    request(Method::POST, "/p/a%20b?q=1&q=2&r=x%20y", &headers, r#"{"a":{"b":[1,"zwei"]}}"#)
}

/// What the script leaves in the variable `out`, which is text unless told otherwise.
fn out(script: &str) -> String {
    let sent = ran(&format!("context.setVariable('out', '' + ({script}));"));
    assert!(sent.to.is_some(), "{script}: {}", sent.body());
    sent.var("out")
}

/// Whether the request was forwarded, and what the fault says if not.
fn fault_of(script: &str) -> (String, String) {
    let sent = ran(script);
    assert_eq!(sent.status(), 500, "{script}");
    (sent.code(), fault_text(&sent))
}

fn fault_text(sent: &Sent) -> String {
    let body: serde_json::Value = serde_json::from_str(&sent.body()).unwrap();
    body["fault"]["faultstring"].as_str().unwrap().to_owned()
}

#[test]
fn variables_are_read_with_their_types() {
    assert_eq!(
        out("typeof context.getVariable('request.verb') + context.getVariable('request.verb')"),
        "stringPOST"
    );
    assert_eq!(out("context.getVariable('system.timestamp') + 1"), "1496775291008");
    assert_eq!(out("typeof context.getVariable('client.ssl.enabled')"), "boolean");
    assert_eq!(out("context.getVariable('nobody.sets.this')"), "null");
    assert_eq!(out("context.getVariable('proxy.pathsuffix').equals('/a b')"), "true");
}

#[test]
fn variables_are_set_with_their_types_and_removed() {
    let sent = ran(
        "context.setVariable('t', 'text'); context.setVariable('n', 1); context.setVariable('d', 1.5);\
         context.setVariable('l', 12345678901); context.setVariable('b', true); context.setVariable('gone', 'x');\
         context.removeVariable('gone'); context.setVariable('nothing', null);\
         context.setVariable('request.header.x-new', 'v'); context.setVariable('request.verb', 'PUT');",
    );
    assert_eq!(
        ["t", "n", "d", "l", "b", "gone", "nothing"].map(|name| sent.var(name)),
        ["text", "1", "1.5", "12345678901", "true", "null", "null"]
    );
    assert_eq!((sent.header("x-new").as_str(), sent.var("request.verb").as_str()), ("v", "PUT"));
    assert_eq!(out("context.setVariable('messageid', 'x')"), "false");
    let (code, text) = fault_of("context.setVariable('request.header.x', 'a\\nb')");
    assert_eq!(code, "steps.javascript.ScriptExecutionFailed");
    assert!(text.contains("request.header.x"), "{text}");
}

#[test]
fn objects_stay_objects_from_one_script_to_the_next() {
    let design = design()
        .step(&inline(
            "context.setVariable('config', {path: '/x', list: [1]}); context.session.count = 1;\
             context.setVariable('text', '{\"a\":1}'); context.setVariable('lib', {f: function () { return 1 }});",
        ))
        .step(&inline(
            "var config = context.getVariable('config'); config.list.push(2); context.session.count++;\
             context.session['other'] = {deep: true};",
        ))
        .step(&inline(
            "var config = context.getVariable('config');\
             context.setVariable('out', config.path + config.list.length + context.session.count + \
             context.session.other.deep + typeof context.getVariable('text') + ('none' in context.session));\
             try { context.getVariable('lib').f() } catch (e) { context.setVariable('why', e.message) }",
        ));
    let sent = Bench::new(&design).get("/p");
    assert_eq!(sent.var("out"), "/x22truestringfalse");
    assert!(sent.var("why").contains("function"), "{}", sent.var("why"));
    assert_eq!(sent.var("config"), r#"{"path":"/x","list":[1,2]}"#);
}

#[test]
fn an_object_is_the_same_object_within_a_script() {
    assert_eq!(
        out("(function () { var o = {f: function () { return 'called' }}; context.setVariable('o', o); \
             return context.getVariable('o') === o && context.getVariable('o').f() })()"),
        "called"
    );
    let design = design()
        .step(&inline("context.setVariable('v', {a: 1}); context.setVariable('v', 'text'); context.setVariable('w', {a: 1})"))
        .step("<AssignMessage><AssignVariable><Name>w</Name><Value>other</Value></AssignVariable></AssignMessage>")
        .step(&inline("context.setVariable('out', typeof context.getVariable('v') + context.getVariable('w'))"));
    assert_eq!(Bench::new(&design).get("/p").var("out"), "stringother");
}

#[test]
fn headers_are_read_as_text_and_as_several_values() {
    for (script, value) in [
        ("request.headers.Accept", "application/json"),
        ("request.headers['accept'][0] === 'application/json'", "true"),
        ("request.headers['Accept'] == 'application/json'", "true"),
        ("request.headers['Accept'].split('/')[1]", "json"),
        ("request.headers['x-many']", "one,two"),
        ("request.headers['X-Many'].length + request.headers['X-Many'][1]", "2two"),
        ("request.headers.missing === undefined", "true"),
        ("'host' in request.headers", "true"),
        (
            "(function () { var all = []; for (var n in request.headers) all.push(n); return all.sort() })()",
            "accept,content-type,host,x-many",
        ),
        (
            "JSON.stringify({h: request.headers.host, m: request.headers['x-many']})",
            r#"{"h":"api.example","m":["one","two"]}"#,
        ),
        ("context.proxyRequest.headers['host']", "api.example"),
    ] {
        assert_eq!(out(script), value, "{script}");
    }
}

#[test]
fn headers_are_set_replaced_and_removed() {
    let sent = ran(
        "request.headers['X-A'] = 'a'; request.headers['x-many'] = ['3', '4']; delete request.headers.accept;\
         request.headers['X-Copy'] = request.headers['x-many'];",
    );
    assert_eq!(["x-a", "x-many", "accept", "x-copy"].map(|name| sent.header(name)), ["a", "3|4", "", "3|4"]);
    let sent = ran("request.headers = {only: 'this'};");
    assert_eq!((sent.header("only").as_str(), sent.header("host").as_str()), ("this", ""));
    assert_eq!(fault_of("request.headers['bad name'] = 'x'").0, "steps.javascript.ScriptExecutionFailed");
}

#[test]
fn query_parameters_are_read_and_written() {
    assert_eq!(
        out("request.queryParams.q + '/' + request.queryParams.q[1] + '/' + request.queryParams.r"),
        "1,2/2/x y"
    );
    assert_eq!(out("request.queryParams.country == undefined"), "true");
    let sent =
        ran("request.queryParams.q = 'new'; delete request.queryParams.r; request.queryParams['s'] = '&';");
    assert!(sent.url().ends_with("?q=new&s=%26"), "{}", sent.url());
}

#[test]
fn a_body_is_text_and_json_and_changing_the_object_changes_it() {
    assert_eq!(out("JSON.parse(request.content).a.b[1]"), "zwei");
    assert_eq!(out("request.body.asJSON.a.b[0]"), "1");
    assert_eq!(out("request.content.length + request.content.substring(0, 3)"), r#"22{"a"#);
    let sent = ran("var json = request.content.asJSON; json.a = 1; request.content.asJSON.c = 2;");
    assert_eq!(sent.var("request.content"), r#"{"a":1,"c":2}"#);
    let sent = ran(
        "request.content = ''; request.content.asJSON.error = 'why'; context.setVariable('o', context.getVariable('request.content'))",
    );
    assert_eq!(
        (sent.var("request.content").as_str(), sent.var("o").as_str()),
        (r#"{"error":"why"}"#, r#"{"error":"why"}"#)
    );
    let sent = ran("request.content.asJSON.a = 1; context.setVariable('request.content', 'new');");
    assert_eq!(sent.var("request.content"), "new");
    let untouched = ran("request.content.asJSON.a;");
    assert_eq!(untouched.var("request.content"), r#"{"a":{"b":[1,"zwei"]}}"#);
    assert_eq!(
        fault_of("request.content = 'no json'; request.content.asJSON").0,
        "steps.javascript.ScriptExecutionFailed"
    );
}

#[test]
fn a_body_is_a_form() {
    let sent = ran(
        "request.headers['Content-Type'] = 'application/x-www-form-urlencoded'; request.content = 'a=1+2&b=%26';\
         context.setVariable('out', request.body.asForm.a + request.body.asForm['b'] + request.formParams.a);\
         request.body.asForm.c = 'x y';",
    );
    assert_eq!(
        (sent.var("out").as_str(), sent.var("request.content").as_str()),
        ("1 2&1 2", "a=1%202&b=%26&c=x%20y")
    );
}

#[test]
fn a_request_has_verb_path_and_url() {
    assert_eq!(
        out("[request.method, request.path, request.querystring, request.status === undefined]"),
        "POST,/p/a b,q=1&q=2&r=x%20y,true"
    );
    let sent = ran("request.method = 'PATCH'; request.path = '/other';");
    assert_eq!(sent.var("request.verb"), "PATCH");
    assert_eq!(sent.url(), "https://backend.example:443/api/other?q=1&q=2&r=x%20y");
}

#[test]
fn a_response_has_status_headers_and_content() {
    let mut design = design().policy(
        "S",
        &inline(
            "context.setVariable('was', '' + response.status + response.status.code + response.status.message + \
             (response.status == 201) + response.content.asJSON.n + context.flow);\
             response.status = 404; response.status.message = 'Nope';\
             context.proxyResponse.headers['Content-Type'] = 'text/plain'; context.targetResponse.content = 'new';",
        ),
    );
    design.proxy().flows.post.response.push(step("S"));
    let sent = Bench::new(&design).get("/p").receive(response(
        201,
        &[("content-type", "application/json")],
        r#"{"n":5}"#,
    ));
    assert_eq!(sent.var("was"), "201201Createdtrue5PROXY_RESP_FLOW");
    assert_eq!(
        (sent.status(), sent.body().as_str(), sent.response_header("content-type").as_str()),
        (404, "new", "text/plain")
    );
    assert_eq!(sent.var("response.reason.phrase"), "Nope");
}

#[test]
fn the_flow_is_named() {
    assert_eq!(out("context.flow"), "PROXY_REQ_FLOW");
    let mut design =
        design().policy("S", &inline("context.setVariable('f', context.getVariable('f') + context.flow)"));
    design.target().flows.pre.request.push(step("S"));
    design.target().flows.pre.response.push(step("S"));
    let sent = Bench::new(&design).get("/p").receive(response(200, &[], ""));
    assert_eq!(sent.var("f"), "nullTARGET_REQ_FLOWTARGET_RESP_FLOW");
}

#[test]
fn digests_and_dates_are_made() {
    for (script, value) in [
        ("crypto.getMD5().update('a').update('b').digest()", "187ef4436122d1cc2f40dc2b92f0eba0"),
        (
            "(function () { var s = crypto.getSHA1(); s.update('abc'); return s.hex() })()",
            "a9993e364706816aba3e25717850c26c9cd0d89d",
        ),
        ("crypto.getSHA256().update('').digest64()", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        ("crypto.getSHA512().update('abc').digest().substring(0, 8)", "ddaf35a1"),
        ("crypto.dateFormat('yyyy-MM-dd HH:mm:ss.SSS')", "2017-06-06 18:54:51.007"),
        ("crypto.dateFormat(\"yyyy-MM-dd'T'HH:mm\", 'UTC', 0)", "1970-01-01T00:00"),
    ] {
        assert_eq!(out(script), value, "{script}");
    }
    assert!(fault_of("crypto.dateFormat('yyyy', 'Europe/Berlin')").1.contains("Europe/Berlin"));
}

#[test]
fn properties_are_read_by_name_and_may_be_templates() {
    let xml = "<Javascript><Properties><Property name='fixed'>a b</Property>\
               <Property name='verb'>{request.verb}</Property></Properties><Source>\
               context.setVariable('out', properties.fixed + properties['verb'] + properties.none + Object.keys(properties));\
               </Source></Javascript>";
    assert_eq!(Bench::new(&design().step(xml)).get("/p").var("out"), "a bGETundefinedfixed,verb");
    let names = "<Javascript><Properties><Property>x</Property></Properties><Source>1</Source></Javascript>";
    assert_eq!(problem_of(names), "NameIsMissing");
}

#[test]
fn includes_run_before_the_resource_in_one_scope() {
    let xml = "<Javascript timeLimit='200'><IncludeURL>jsc://a.js</IncludeURL><IncludeURL>jsc://b.js</IncludeURL>\
               <ResourceURL>jsc://main.js</ResourceURL></Javascript>";
    let design = design()
        .resource("jsc", "a.js", "var base = 'a';\nfunction more() { return base + extra }")
        .resource("jsc", "b.js", "var extra = 'b';")
        .resource("jsc", "main.js", "print('x', 1); context.setVariable('out', more())\n\nif (context.getVariable('request.verb') == 'PUT') nope()")
        .step(xml);
    assert_eq!(Bench::new(&design).get("/p").var("out"), "ab");
    let failed = Bench::new(&design).send(request(Method::PUT, "/p", &[], ""));
    assert_eq!(
        fault_text(&failed),
        "Execution of s0 failed with error: Javascript runtime error: \"ReferenceError: nope is not defined. (main.js:3)\""
    );
}

#[test]
fn what_a_script_throws_is_the_documented_fault() {
    assert_eq!(
        fault_of("var a;\nthrow new Error('not today')"),
        (
            "steps.javascript.ScriptExecutionFailed".into(),
            "Execution of s0 failed with error: Javascript runtime error: \"Error: not today. (Source:2)\""
                .into()
        )
    );
    assert!(fault_of("throw 'text'").1.contains("\"text.\""));
    let sent = ran("throw 1");
    assert_eq!(
        (sent.var("javascript.s0.failed").as_str(), sent.var("fault.name").as_str()),
        ("true", "ScriptExecutionFailed")
    );
}

#[test]
fn a_script_that_loops_is_stopped_after_its_time_limit_and_the_next_request_is_served() {
    // The next run has the same limit, and may have to wait for a processor that others use.
    let xml = "<Javascript timeLimit='1000'><Source>while (context.getVariable('request.verb') === 'PUT') {}</Source></Javascript>";
    let bench = Bench::new(&design().step(xml));
    let looping = bench.send(request(Method::PUT, "/p", &[], ""));
    assert_eq!(looping.code(), "steps.javascript.ScriptExecutionFailed");
    assert!(
        fault_text(&looping).ends_with("Javascript runtime exceeded limit of 1000ms"),
        "{}",
        looping.body()
    );
    // It was slow once, so it runs aside now.
    assert!(!bench.send_waiting(get("/p")).is_answered());
}

#[test]
fn a_script_that_uses_up_its_stack_is_told_with_its_line() {
    let (code, text) = fault_of("function f() { return 1 + f() }\nf()");
    assert_eq!(code, "steps.javascript.ScriptExecutionFailedLineNumber");
    assert!(text.contains("(Source:1)"), "{text}");
}

#[test]
fn a_script_that_reaches_for_java_is_a_security_error() {
    let (code, text) = fault_of("var s = java.lang.System.getenv()");
    assert_eq!(code, "steps.javascript.ScriptSecurityError");
    assert!(text.contains("java"), "{text}");
}

#[test]
fn nothing_of_one_request_is_seen_by_the_next() {
    let bench = Bench::new(&design().step(&inline(
        "context.setVariable('out', typeof leaked + typeof ''.mine + (context.other === undefined) + typeof context.session.s);\
         leaked = 1; String.prototype.mine = 1; context.other = 1; context.session.s = 1; context.getVariable = null;",
    )));
    for _ in 0..4 {
        assert_eq!(bench.get("/p").var("out"), "undefinedundefinedtrueundefined");
    }
}

#[test]
fn mistakes_in_the_policy_are_told_with_their_rules() {
    for (xml, rule) in [
        ("<Javascript/>", "NoResourceForURL"),
        ("<Javascript><ResourceURL>main.js</ResourceURL></Javascript>", "InvalidResourceUrlFormat"),
        ("<Javascript><ResourceURL>jsc://</ResourceURL></Javascript>", "InvalidResourceUrlReference"),
        ("<Javascript><ResourceURL>xsl://a.xsl</ResourceURL></Javascript>", "WrongResourceType"),
        ("<Javascript><ResourceURL>jsc://none.js</ResourceURL></Javascript>", "NoResourceForURL"),
        ("<Javascript timeLimit='soon'><Source>1</Source></Javascript>", "InvalidTimeLimit"),
        ("<Javascript><Source>var = 1</Source></Javascript>", "ScriptCompilationFailed"),
        ("<Javascript><Sourc>1</Sourc><Source>1</Source></Javascript>", "UnknownElement"),
        ("<Javascript time='1'><Source>1</Source></Javascript>", "UnknownAttribute"),
        (
            "<Javascript><Properties><Property name='pierhead.language'>basic</Property></Properties><Source>1</Source></Javascript>",
            "InvalidLanguage",
        ),
    ] {
        assert_eq!(problem_of(xml), rule, "{xml}");
    }
}

#[test]
fn a_script_that_does_not_compile_is_told_with_file_and_line() {
    let design = design()
        .resource("jsc", "main.js", "var ok = 1;\nvar = 2;")
        .step("<Javascript><ResourceURL>jsc://main.js</ResourceURL></Javascript>");
    let found = problems(&design);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].part.to_string().as_str(), found[0].line, found[0].rule),
        ("resource jsc://main.js", 2, "ScriptCompilationFailed")
    );
}

#[test]
fn a_time_limit_of_nought_is_ours_and_runs_aside() {
    let xml = "<Javascript timeLimit='0'><Source>context.setVariable('out', request.headers.host)</Source></Javascript>";
    assert_eq!(Bench::new(&design().step(xml)).send_waiting(get("/p")).var("out"), "api.example");
    let xml = "<Javascript timeout='5000'><Source>context.setVariable('out', 'x')</Source></Javascript>";
    assert_eq!(Bench::new(&design().step(xml)).send_waiting(get("/p")).var("out"), "x");
}

#[test]
fn es2020_is_a_language_of_its_own() {
    let xml = "<Javascript><Properties><Property name='pierhead.language'>es2020</Property></Properties><Source><![CDATA[\
               const later = async (x) => (await x)?.name ?? 'none';\
               later(Promise.resolve({name: 'n'})).then((n) => context.setVariable('out', n));]]></Source></Javascript>";
    assert_eq!(Bench::new(&design().step(xml)).get("/p").var("out"), "n");
}

#[test]
fn a_script_that_reads_no_body_lets_it_stream() {
    let streams = compiled(&design().step(&inline("request.headers['x'] = 'y'")));
    assert!(!streams.endpoints[0].reads.request);
    let reads = compiled(&design().step(&inline("request.content")));
    assert!(reads.endpoints[0].reads.request);
}
