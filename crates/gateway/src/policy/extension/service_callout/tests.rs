use std::sync::Arc;
use std::time::Duration;

use http::Method;

use crate::compile::{TargetServer, World, compile};
use crate::dialect::Dialect;
use crate::exchange::Message;
use crate::fault::EngineFault;
use crate::testing::*;

const CONNECTION: &str =
    "<HTTPTargetConnection><URL>http://a.example/base?own=1</URL></HTTPTargetConnection>";

fn callout(inside: &str) -> String {
    format!("<ServiceCallout>{inside}<Response>answer</Response>{CONNECTION}</ServiceCallout>")
}

fn bench(xml: &str, answers: Vec<Result<Message, EngineFault>>) -> Bench {
    bench_of(&design().step(xml), answers)
}

fn bench_of(design: &crate::design::ProxyDesign, answers: Vec<Result<Message, EngineFault>>) -> Bench {
    let bench = Bench::new(design);
    *bench.outside.answers.borrow_mut() = answers;
    bench
}

fn ok(body: &str) -> Result<Message, EngineFault> {
    Ok(response(200, &[("x-a", "1")], body))
}

/// `VERB url` of the only call.
fn line(bench: &Bench) -> String {
    let called = bench.outside.called.borrow();
    assert_eq!(called.len(), 1);
    let head = called[0].request.as_request().unwrap();
    let to = &called[0].endpoint;
    let scheme = if to.tls { "https" } else { "http" };
    format!("{} {scheme}://{}:{}{}", head.method, to.host, to.port, head.uri)
}

fn assign(inside: &str) -> String {
    format!(
        "<AssignMessage><AssignTo createNew='true' type='request'>mine</AssignTo>{inside}</AssignMessage>"
    )
}

#[test]
fn a_request_is_built_and_its_answer_kept() {
    let xml = callout(
        "<Request variable='mine'><Set><Headers><Header name='X-H'>{request.verb}</Header></Headers>\
         <QueryParams><QueryParam name='q'>a b</QueryParam></QueryParams><Payload contentType='text/plain'>body {request.verb}</Payload>\
         <Verb>POST</Verb><Path>/more</Path></Set></Request>",
    );
    let bench = bench(&xml, vec![ok("hello")]);
    let sent = bench.send_waiting(get("/p?client=1"));
    assert_eq!(line(&bench), "POST http://a.example:80/base/more?own=1&q=a%20b");
    let called = bench.outside.called.borrow();
    assert_eq!(called[0].request.headers["x-h"], "GET");
    assert_eq!(called[0].request.body.bytes(), b"body GET");
    assert_eq!(called[0].within, Duration::from_secs(55));
    assert_eq!(
        ["answer.content", "answer.header.x-a", "answer.status.code", "servicecallout.requesturi"]
            .map(|name| sent.var(name)),
        ["hello", "1", "200", "/base/more?own=1&q=a%20b"]
    );
    assert_eq!(sent.var("servicecallout.s0.target.url"), "http://a.example:80/base/more?own=1&q=a%20b");
}

#[test]
fn a_request_without_anything_is_a_get_and_the_clients_request_is_untouched() {
    let bench = bench(&callout(""), vec![ok("")]);
    let sent = bench.send_waiting(request(Method::POST, "/p/x?client=1", &[("x-c", "1")], "mine"));
    assert_eq!(line(&bench), "GET http://a.example:80/base?own=1");
    assert_eq!(bench.outside.called.borrow()[0].request.headers.len(), 0);
    assert_eq!((sent.var("request.verb").as_str(), sent.var("request.content").as_str()), ("POST", "mine"));
}

#[test]
fn a_message_that_was_made_before_is_sent() {
    let design = design()
        .step(&assign("<Set><Verb>PUT</Verb><Path>/made</Path><Payload>x</Payload></Set>"))
        .step(&callout("<Request variable='mine' clearPayload='false'/>"));
    let bench = bench_of(&design, vec![ok("")]);
    let sent = bench.send_waiting(get("/p"));
    assert_eq!(line(&bench), "PUT http://a.example:80/base/made?own=1");
    assert_eq!(sent.var("mine.content"), "x");
}

#[test]
fn the_clients_request_can_be_sent_without_its_path_and_host() {
    let bench = bench(&callout("<Request variable='request'/>"), vec![ok("")]);
    bench.send_waiting(request(
        Method::POST,
        "/p/suffix?q=1",
        &[("host", "api.example"), ("accept-encoding", "gzip"), ("x-c", "1")],
        "mine",
    ));
    assert_eq!(line(&bench), "POST http://a.example:80/base?own=1&q=1");
    let called = bench.outside.called.borrow();
    assert_eq!(called[0].request.headers.keys().map(http::HeaderName::as_str).collect::<Vec<_>>(), ["x-c"]);
    assert_eq!(called[0].request.body.bytes(), b"mine");
}

#[test]
fn copying_a_request_copies_all_but_its_path() {
    let bench = bench(
        &callout(
            "<Request><Copy source='request'/><Remove><Headers><Header name='x-no'/></Headers></Remove>\
                  <Add><Headers><Header name='x-c'>2</Header></Headers></Add></Request>",
        ),
        vec![ok("")],
    );
    bench.send_waiting(request(Method::POST, "/p/suffix?q=1", &[("x-c", "1"), ("x-no", "1")], "mine"));
    assert_eq!(line(&bench), "POST http://a.example:80/base?own=1&q=1");
    let called = bench.outside.called.borrow();
    assert_eq!(called[0].request.headers.get_all("x-c").iter().count(), 2);
    assert!(!called[0].request.headers.contains_key("x-no"));
}

#[test]
fn the_payload_is_cleared_after_sending_as_the_dialect_says() {
    let xml = callout("<Request variable='mine'><Set><Payload>big</Payload></Set></Request>");
    for (attribute, dialect, left) in [
        ("", Dialect::Apigee, ""),
        ("", Dialect::Sap, "big"),
        ("clearPayload='true'", Dialect::Sap, ""),
        ("clearPayload='false'", Dialect::Apigee, "big"),
    ] {
        let xml = xml.replace("variable='mine'", &format!("variable='mine' {attribute}"));
        let world = World { dialect, ..world() };
        let proxy = compile(&design().step(&xml), "1", &world).unwrap();
        let bench = Bench::on(crate::snapshot::Snapshot::empty("acme", "test").with_proxy(proxy).unwrap());
        bench.outside.answers.borrow_mut().push(ok(""));
        assert_eq!(bench.send_waiting(get("/p")).var("mine.content"), left, "{attribute} {dialect:?}");
        assert_eq!(bench.outside.called.borrow()[0].request.body.bytes(), b"big");
    }
}

#[test]
fn without_a_response_nobody_waits_for_the_answer() {
    let xml = format!("<ServiceCallout>{CONNECTION}</ServiceCallout>");
    let bench = bench(&xml, vec![Err(EngineFault::ServiceUnavailable)]);
    let mut cx = bench.begin(get("/p")).unwrap();
    on_a_runtime(async {
        crate::flow::run_request(&mut cx).await;
        tokio::task::yield_now().await;
    });
    assert!(cx.error.is_none());
    assert_eq!(line(&bench), "GET http://a.example:80/base?own=1");
}

#[test]
fn an_answer_can_take_the_place_of_a_message() {
    let to = |name: &str| callout("").replace(">answer<", &format!(">{name}<"));
    let sent = bench(&to("request"), vec![ok("new")]).send_waiting(request(
        Method::PUT,
        "/p",
        &[("x-c", "1")],
        "old",
    ));
    assert_eq!(
        ["request.content", "request.verb", "request.header.x-a", "request.header.x-c"]
            .map(|name| sent.var(name)),
        ["new", "PUT", "1", "null"]
    );
    let sent = bench(&to("response"), vec![ok("new")]).send_waiting(get("/p"));
    assert_eq!(sent.var("response.content"), "new");
}

#[test]
fn a_status_that_is_an_error_fails_the_step_and_keeps_the_answer() {
    let sent = bench(&callout(""), vec![Ok(response(404, &[], "none"))]).send_waiting(get("/p"));
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.servicecallout.ExecutionFailed"));
    assert!(
        sent.body()
            .contains("Execution of ServiceCallout s0 failed. Reason: ResponseCode 404 is treated as error"),
        "{}",
        sent.body()
    );
    assert_eq!([sent.var("answer.content"), sent.var("servicecallout.s0.failed")], ["none", "true"]);
}

#[test]
fn success_codes_can_be_chosen() {
    let xml = callout("").replace("<URL>", "<Properties><Property name='success.codes'>2xx, 404</Property>\
        <Property name='io.timeout.millis'>1000</Property><Property name='connect.timeout.millis'>70</Property>\
        <Property name='request.streaming.enabled'>true</Property></Properties><URL>");
    let bench = bench(&xml, vec![Ok(response(404, &[], "none"))]);
    let sent = bench.send_waiting(get("/p"));
    assert!(!sent.is_answered(), "{}", sent.body());
    let called = bench.outside.called.borrow();
    assert_eq!((called[0].within.as_millis(), called[0].timeouts.connect.as_millis()), (1000, 70));
}

#[test]
fn what_goes_wrong_on_the_way_is_the_reason() {
    for (fault, reason) in [
        (EngineFault::GatewayTimeout, "timeout occurred in s0"),
        (EngineFault::ServiceUnavailable, "Host not reachable"),
        (EngineFault::SslHandshakeFailed, "SSL Handshake failed"),
    ] {
        let sent = bench(&callout("<Timeout>1500</Timeout>"), vec![Err(fault)]).send_waiting(get("/p"));
        assert_eq!(sent.code(), "steps.servicecallout.ExecutionFailed");
        assert!(sent.body().contains(&format!("Reason: {reason}")), "{}", sent.body());
    }
}

#[test]
fn the_timeout_bounds_the_call() {
    let bench = bench(&callout("<Timeout>1500</Timeout>"), vec![ok("")]);
    bench.send_waiting(get("/p"));
    assert_eq!(bench.outside.called.borrow()[0].within, Duration::from_millis(1500));
}

#[test]
fn the_url_is_a_template_and_a_step_can_replace_it() {
    let xml = callout("")
        .replace("http://a.example/base?own=1", "https://{request.header.to}/x/{request.queryparam.id}");
    let made = bench(&xml, vec![ok("")]);
    let sent = made.send_waiting(request(Method::GET, "/p?id=7", &[("to", "b.example:8443")], ""));
    assert_eq!(line(&made), "GET https://b.example:8443/x/7");
    assert_eq!(sent.var("servicecallout.s0.expectedcn"), "b.example");

    let unresolved = bench(&xml, vec![]).send_waiting(get("/p"));
    assert_eq!(unresolved.code(), "steps.servicecallout.ExecutionFailed");

    let replaced = design()
        .step("<AssignMessage><AssignVariable><Name>servicecallout.s1.target.url</Name><Value>http://c.example/y</Value></AssignVariable></AssignMessage>")
        .step(&callout(""));
    let bench = bench_of(&replaced, vec![ok("")]);
    bench.send_waiting(get("/p"));
    assert_eq!(line(&bench), "GET http://c.example:80/y");
}

#[test]
fn the_same_callout_twice_asks_for_the_same() {
    let mut twice = design().step(&callout("<Request><Set><Path>/x</Path></Set></Request>"));
    twice.proxy().flows.pre.request.push(step("s0"));
    let bench = bench_of(&twice, vec![ok("1"), ok("2")]);
    bench.send_waiting(get("/p"));
    let called = bench.outside.called.borrow();
    let uris: Vec<_> =
        called.iter().map(|call| call.request.as_request().unwrap().uri.as_str().to_owned()).collect();
    assert_eq!(uris, ["/base/x?own=1", "/base/x?own=1"]);
}

#[test]
fn unresolved_variables_fail_unless_they_may_be_empty() {
    let xml = |lenient: &str| {
        callout(&format!("<Request>{lenient}<Set><Payload>[{{none}}]</Payload></Set></Request>"))
    };
    let strict = bench(&xml(""), vec![]).send_waiting(get("/p"));
    assert!(strict.body().contains("Unresolved variable : none"), "{}", strict.body());
    let lenient = bench(&xml("<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>"), vec![ok("")]);
    lenient.send_waiting(get("/p"));
    assert_eq!(lenient.outside.called.borrow()[0].request.body.bytes(), b"[]");
}

#[test]
fn a_variable_that_is_no_request_message_is_refused() {
    let text = design()
        .step("<AssignMessage><AssignVariable><Name>mine</Name><Value>x</Value></AssignVariable></AssignMessage>")
        .step(&callout("<Request variable='mine'/>"));
    assert_eq!(
        bench_of(&text, vec![]).send_waiting(get("/p")).code(),
        "steps.servicecallout.RequestVariableNotMessageType"
    );
    let answer = design()
        .step("<AssignMessage><AssignTo createNew='true' type='response'>mine</AssignTo></AssignMessage>")
        .step(&callout("<Request variable='mine'/>"));
    assert_eq!(
        bench_of(&answer, vec![]).send_waiting(get("/p")).code(),
        "steps.servicecallout.RequestVariableNotRequestMessageType"
    );
}

#[test]
fn an_api_provider_and_a_path_take_the_place_of_a_url() {
    let xml = "<ServiceCallout><Request><Set><Path>/z</Path></Set></Request><Response>r</Response>\
               <HTTPTargetConnection><APIProvider>backend</APIProvider><Path>/x/{request.verb}</Path></HTTPTargetConnection></ServiceCallout>";
    let bench = bench(xml, vec![ok("")]);
    bench.send_waiting(get("/p"));
    assert_eq!(line(&bench), "GET https://backend.example:443/x/GET/z");
}

#[test]
fn a_provider_of_open_connectors_is_no_place_for_a_service_callout() {
    for provider in ["oc", "oc-remote"] {
        let xml = format!(
            "<ServiceCallout><Response>r</Response><HTTPTargetConnection><APIProvider>{provider}</APIProvider>\
             <Path>/elements/api-v2/files</Path></HTTPTargetConnection></ServiceCallout>"
        );
        assert_eq!(problem_of(&xml), "OpenConnectorsProvider");
    }
}

#[test]
fn a_load_balancer_goes_on_to_the_next_server() {
    let xml = "<ServiceCallout><Response>r</Response><HTTPTargetConnection><LoadBalancer><Algorithm>RoundRobin</Algorithm>\
               <Server name='one'/><Server name='two'/></LoadBalancer><Path>/x</Path></HTTPTargetConnection></ServiceCallout>";
    let mut world = world();
    for name in ["one", "two"] {
        let endpoint = endpoint(&format!("{name}.example"));
        let server = TargetServer { endpoint, enabled: true };
        world.target_servers.insert(name.into(), Arc::new(server));
    }
    let proxy = compile(&design().step(xml), "1", &world).unwrap();
    let bench = Bench::on(crate::snapshot::Snapshot::empty("acme", "test").with_proxy(proxy).unwrap());
    *bench.outside.answers.borrow_mut() = vec![Err(EngineFault::ServiceUnavailable), ok("second")];
    let sent = bench.send_waiting(get("/p"));
    assert_eq!(sent.var("r.content"), "second");
    let called = bench.outside.called.borrow();
    let hosts: Vec<_> = called.iter().map(|call| call.endpoint.host.to_string()).collect();
    assert_eq!(hosts, ["one.example", "two.example"]);
    assert_eq!(called[1].request.as_request().unwrap().uri.as_str(), "/x");
}

#[test]
fn another_proxy_is_called_in_process() {
    let mut other = design();
    other.name = "Other".into();
    other.proxy().base_path = "/other".into();
    other.proxy().routes[0].target = None;
    let answering = "<AssignMessage><AssignTo type='response' createNew='true'>response</AssignTo><Set><Payload>from {proxy.pathsuffix} {request.verb}</Payload></Set></AssignMessage>";
    let other = other.step(answering);
    for connection in
        ["<APIProxy>Other</APIProxy><ProxyEndpoint>default</ProxyEndpoint>", "<Path>/other</Path>"]
    {
        let xml = format!(
            "<ServiceCallout><Request><Set><Verb>PUT</Verb><Path>/sub</Path></Set></Request><Response>r</Response>\
             <LocalTargetConnection>{connection}</LocalTargetConnection></ServiceCallout>"
        );
        let snapshot = crate::snapshot::Snapshot::empty("acme", "test")
            .with_proxy(compiled(&other))
            .unwrap()
            .with_proxy(compiled(&design().step(&xml)))
            .unwrap();
        let sent = Bench::on(snapshot).send_waiting(get("/p"));
        assert_eq!(sent.var("r.content"), "from /sub PUT", "{connection}: {}", sent.body());
    }
}

#[test]
fn ssl_info_can_trust_every_certificate() {
    let xml = callout("").replace("<URL>http:", "<SSLInfo><Enabled>true</Enabled><IgnoreValidationErrors>true</IgnoreValidationErrors></SSLInfo><URL>https:");
    let bench = bench(&xml, vec![ok("")]);
    bench.send_waiting(get("/p"));
    assert!(bench.outside.called.borrow()[0].endpoint.trust_all);
}

#[test]
fn credentials_of_googles_cloud_degrade_the_step_where_there_is_no_key() {
    let xml = callout("").replace("<URL>", "<Authentication><GoogleAccessToken><Scopes><Scope>s</Scope></Scopes></GoogleAccessToken></Authentication><Verb>POST</Verb><URL>");
    assert!(compiled(&design().step(&xml)).is_degraded());
}

#[test]
fn a_placeholder_for_a_url_deploys_and_fails_when_it_is_called() {
    for url in ["ftp://x", "OAuth token end point", "https://Token end point/oauth"] {
        let connection = format!("<HTTPTargetConnection><URL>{url}</URL></HTTPTargetConnection>");
        let design =
            design().step(&format!("<ServiceCallout><Response>r</Response>{connection}</ServiceCallout>"));
        assert!(compiled(&design).is_degraded(), "{url}");
        let sent = Bench::new(&design).send_waiting(get("/p"));
        assert_eq!(sent.code(), "steps.servicecallout.ExecutionFailed", "{url}");
        assert!(sent.body().contains("not an http or https URL"), "{}", sent.body());
    }
}

#[test]
fn a_verb_in_the_connection_is_used_where_the_request_sets_none() {
    let bench = bench(&callout("").replace("<URL>", "<Verb>POST</Verb><URL>"), vec![ok("")]);
    bench.send_waiting(get("/p"));
    assert_eq!(line(&bench), "POST http://a.example:80/base?own=1");
}

#[test]
fn mistakes_in_the_policy_are_told_with_their_rules() {
    let to =
        |connection: &str| format!("<ServiceCallout><Response>r</Response>{connection}</ServiceCallout>");
    for (xml, rule) in [
        (to(""), "ConnectionInfoMissing"),
        (to("<LocalTargetConnection/>"), "ConnectionInfoMissing"),
        (to("<HTTPTargetConnection/>"), "URLMissing"),
        (to("<HTTPTargetConnection><URL/></HTTPTargetConnection>"), "URLMissing"),
        (
            to("<HTTPTargetConnection><APIProvider>none</APIProvider></HTTPTargetConnection>"),
            "UnknownProvider",
        ),
        (to("<HTTPTargetConnection><LoadBalancer/></HTTPTargetConnection>"), "NoTargetServer"),
        (
            to(
                "<HTTPTargetConnection><LoadBalancer><Server name='x'/></LoadBalancer></HTTPTargetConnection>",
            ),
            "UnknownTargetServer",
        ),
        (callout("<Timeout>0</Timeout>"), "InvalidTimeoutValue"),
        (callout("<Timeout>soon</Timeout>"), "InvalidTimeoutValue"),
        (callout("<Request variable='a b'/>"), "InvalidVariableName"),
        (callout("<Request><Sett/></Request>"), "UnknownElement"),
        (
            callout("").replace("<URL>", "<Properties><Property name='x'>1</Property></Properties><URL>"),
            "UnknownProperty",
        ),
        (
            callout("").replace(
                "<URL>",
                "<Properties><Property name='success.codes'>good</Property></Properties><URL>",
            ),
            "InvalidProperty",
        ),
    ] {
        assert_eq!(problem_of(&xml), rule, "{xml}");
    }
}
