mod targets;

use http::Method;

use crate::design::{Destination, ProxyDesign, RouteRule, Step};
use crate::fault::EngineFault;
use crate::testing::*;

/// A design in which every place of the flows leaves its mark.
fn marked() -> ProxyDesign {
    let mut design = design();
    for name in ["p1", "p2", "p3", "t1", "t2", "t3", "T1", "T2", "T3", "P1", "P2", "P3", "never"] {
        design = design.policy(name, &mark(name));
    }
    let proxy = &mut design.proxy().flows;
    proxy.pre.request = vec![step("p1")];
    proxy.conditional = vec![
        conditional("no", "request.verb = \"PUT\"", &["never"], &["never"]),
        conditional("first", "proxy.pathsuffix MatchesPath \"/x/**\"", &["p2"], &[]),
        conditional("second", "", &["never"], &["P2"]),
    ];
    proxy.post.request = vec![step("p3")];
    (proxy.pre.response, proxy.post.response) = (vec![step("P1")], vec![step("P3")]);
    let target = &mut design.target().flows;
    target.pre.request = vec![step("t1")];
    target.conditional = vec![conditional("t", "", &["t2"], &["T2"])];
    target.post.request = vec![step("t3")];
    (target.pre.response, target.post.response) = (vec![step("T1")], vec![step("T3")]);
    design
}

#[test]
fn flows_run_in_the_order_of_the_reference() {
    let sent = Bench::new(&marked()).get("/p/x/y?a=1");

    assert_eq!(sent.url(), "https://backend.example:443/api/x/y?a=1");
    assert_eq!(sent.var("trail"), "p1,p2,p3,t1,t2,t3,");

    // The first conditional flow that holds runs its response steps too: it has none.
    let sent = sent.receive(response(200, &[], "ok"));
    assert_eq!(sent.var("trail"), "p1,p2,p3,t1,t2,t3,T1,T2,T3,P1,P3,");
    assert_eq!((sent.status(), sent.body().as_str()), (200, "ok"));
}

#[test]
fn conditions_of_flows_are_asked_again_for_the_response() {
    let mut design = marked();
    design.proxy().flows.conditional = vec![
        conditional("request", "response.status.code is null", &["p2"], &["never"]),
        conditional("response", "response.status.code = 201", &["never"], &["P2"]),
    ];

    let sent = Bench::new(&design).get("/p").receive(response(201, &[], ""));

    assert_eq!(sent.var("trail"), "p1,p2,p3,t1,t2,t3,T1,T2,T3,P1,P2,P3,");
}

#[test]
fn a_step_runs_only_when_its_condition_holds_and_it_is_enabled() {
    let mut design = design()
        .policy("a", &mark("a"))
        .policy("b", &mark("b"))
        .policy("off", "<RaiseFault enabled=\"false\"/>");
    design.proxy().flows.pre.request =
        vec![step_if("a", "request.verb = \"POST\""), step("off"), step_if("b", "request.verb = \"GET\"")];
    assert_eq!(Bench::new(&design).get("/p").var("trail"), "b,");
}

#[test]
fn the_first_route_rule_that_holds_wins() {
    let mut design = design();
    let mut second = design.target_endpoints[0].clone();
    second.name = "second".into();
    second.destination = Destination::Url("http://other.example/base".into());
    design.target_endpoints.push(second);
    let rule = |name: &str, condition: &str, target: Option<&str>| RouteRule {
        name: name.into(),
        condition: condition.into(),
        target: target.map(Into::into),
        ..RouteRule::default()
    };
    design.proxy().routes = vec![
        rule("null", "request.verb = \"OPTIONS\"", None),
        rule("other", "request.header.x = \"2\"", Some("second")),
        rule("last", "", Some("default")),
    ];
    let bench = Bench::new(&design);

    assert_eq!(bench.get("/p/a").url(), "https://backend.example:443/api/a");
    let sent = bench.send(request(Method::GET, "/p/a?b", &[("x", "2")], ""));
    assert_eq!(sent.url(), "http://other.example:80/base/a?b");
    assert_eq!((sent.var("route.name"), sent.var("route.target")), ("other".into(), "second".into()));
    let sent = bench.send(request(Method::OPTIONS, "/p", &[], ""));
    assert!(sent.is_answered());
    assert_eq!((sent.status(), sent.body().as_str()), (200, ""));
}

#[test]
fn response_steps_run_for_a_null_route() {
    let mut design = design().policy(
        "answer",
        "<AssignMessage><Set><StatusCode>201</StatusCode><Payload contentType=\"text/plain\">made</Payload></Set></AssignMessage>",
    );
    design.proxy().routes[0].target = None;
    design.proxy().flows.post.response = vec![step("answer")];

    let sent = Bench::new(&design).get("/p");

    assert_eq!((sent.status(), sent.body().as_str()), (201, "made"));
}

#[test]
fn without_a_route_that_holds_the_fault_says_so() {
    let mut design = design();
    design.proxy().routes[0].condition = "request.verb = \"PUT\"".into();
    let sent = Bench::new(&design).get("/p");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "messaging.runtime.RouteFailed"));
}

#[test]
fn no_proxy_for_a_path_is_a_404_with_the_originals_text() {
    let bench = Bench::new(&design());
    let miss = bench.begin(get("/other/x?y=1")).err().unwrap();
    let answer = miss.answer();
    assert_eq!(answer.status().as_u16(), 404);
    assert_eq!(
        answer.content(),
        r#"{"fault":{"faultstring":"Unable to identify proxy for host: default and url: /other/x","detail":{"errorcode":"messaging.adaptors.http.flow.ApplicationNotFound"}}}"#
    );
    let miss = bench.begin(get("/p/../other")).err().unwrap();
    assert!(matches!(miss.fault, EngineFault::BadPath(_)));
    assert_eq!(miss.answer().status().as_u16(), 400);
}

#[test]
fn a_client_that_asks_for_xml_gets_the_fault_in_xml() {
    let bench = Bench::new(&design());
    let answer =
        bench.begin(request(Method::GET, "/x&y", &[("accept", "text/xml")], "")).err().unwrap().answer();
    assert_eq!(answer.headers["content-type"], "application/xml");
    assert!(answer.content().starts_with("<fault><faultstring>Unable to identify"), "{}", answer.content());
    assert!(answer.content().contains("/x&amp;y</faultstring>"), "{}", answer.content());
    let json = request(Method::GET, "/x", &[("accept", "application/json, text/xml")], "");
    assert_eq!(bench.begin(json).err().unwrap().answer().headers["content-type"], "application/json");
}

fn raising(condition: &str) -> ProxyDesign {
    let mut design = marked().policy(
        "raise",
        "<RaiseFault><FaultResponse><Set><StatusCode>418</StatusCode><Payload>tea</Payload></Set></FaultResponse></RaiseFault>",
    );
    design.proxy().flows.pre.request =
        vec![step("p1"), Step { policy: "raise".into(), condition: condition.into() }];
    design
}

#[test]
fn a_fault_skips_the_rest_and_its_answer_goes_out() {
    let sent = Bench::new(&raising("")).get("/p/x/y");
    assert!(sent.is_answered());
    assert_eq!((sent.status(), sent.body().as_str()), (418, "tea"));
    assert_eq!(sent.var("trail"), "p1,");
    assert_eq!(sent.var("fault.name"), "RaiseFault");
    assert_eq!(sent.var("raisefault.raise.failed"), "true");
}

#[test]
fn fault_rules_of_a_proxy_endpoint_are_tried_from_the_last() {
    let mut design = raising("");
    design.proxy().flows.fault_rules = vec![
        fault_rule("first", "", &["P1"]),
        fault_rule("second", "fault.name = \"RaiseFault\"", &["P2"]),
        fault_rule("third", "fault.name = \"Other\"", &["never"]),
    ];
    design.proxy().flows.default_fault_rule = Some(fault_rule("default", "", &["P3"]));
    let sent = Bench::new(&design).get("/p");
    assert_eq!(sent.var("trail"), "p1,P2,", "only one rule runs, and the default one does not");
}

#[test]
fn the_default_fault_rule_runs_when_no_rule_did_or_always() {
    let mut design = raising("");
    design.proxy().flows.fault_rules = vec![fault_rule("no", "fault.name = \"Other\"", &["never"])];
    design.proxy().flows.default_fault_rule = Some(fault_rule("default", "", &["P3"]));
    assert_eq!(Bench::new(&design).get("/p").var("trail"), "p1,P3,");

    design.proxy().flows.fault_rules = vec![fault_rule("yes", "", &["P1"])];
    assert_eq!(Bench::new(&design).get("/p").var("trail"), "p1,P1,");

    design.proxy().flows.default_fault_rule.as_mut().unwrap().always_enforce = true;
    assert_eq!(Bench::new(&design).get("/p").var("trail"), "p1,P1,P3,");

    // Not after a rule that raised a fault.
    design.proxy().flows.fault_rules = vec![fault_rule("yes", "", &["P1", "raise"])];
    assert_eq!(Bench::new(&design).get("/p").var("trail"), "p1,P1,");
}

#[test]
fn a_rule_whose_steps_do_not_run_still_keeps_the_default_rule_away() {
    let mut design = raising("");
    design.proxy().flows.fault_rules = vec![fault_rule("rule", "", &["never"])];
    design.proxy().flows.fault_rules[0].steps[0].condition = "request.verb = \"PUT\"".into();
    design.proxy().flows.default_fault_rule = Some(fault_rule("default", "", &["never"]));
    let sent = Bench::new(&design).get("/p");
    assert_eq!((sent.var("trail"), sent.status()), ("p1,".into(), 418));
}

#[test]
fn fault_rules_change_the_error_message() {
    let mut design = raising("").policy(
        "mend",
        "<AssignMessage><Set><Headers><Header name=\"x-fault\">{fault.name}</Header></Headers><StatusCode>503</StatusCode></Set></AssignMessage>",
    );
    design.proxy().flows.fault_rules =
        vec![fault_rule("r", "message.status.code = 418 and is.error", &["mend"])];
    let sent = Bench::new(&design).get("/p");
    assert_eq!(
        (sent.status(), sent.response_header("x-fault"), sent.body()),
        (503, "RaiseFault".into(), "tea".into())
    );
}

#[test]
fn a_fault_raised_in_a_fault_rule_replaces_the_first() {
    let mut design = raising("").policy(
        "again",
        "<RaiseFault><FaultResponse><Set><StatusCode>409</StatusCode></Set></FaultResponse></RaiseFault>",
    );
    design.proxy().flows.fault_rules = vec![fault_rule("r", "", &["again"])];
    assert_eq!(Bench::new(&design).get("/p").status(), 409);
}

#[test]
fn an_error_answer_of_the_target_is_a_fault_that_keeps_its_body() {
    let mut design = marked();
    design.target().flows.fault_rules = vec![
        fault_rule("no", "error.status.code = 500", &["never"]),
        fault_rule("first", "error.status.code = 404 and fault.name = \"ErrorResponseCode\"", &["T1"]),
        fault_rule("second", "", &["never"]),
    ];
    let bench = Bench::new(&design);

    let sent = bench.get("/p").receive(response(404, &[("x-own", "1")], "theirs"));

    assert_eq!(
        (sent.status(), sent.body(), sent.response_header("x-own")),
        (404, "theirs".into(), "1".into())
    );
    assert!(sent.var("trail").ends_with("t3,T1,"), "{}", sent.var("trail"));
    assert_eq!(sent.var("fault.type"), "messaging.adaptors.http.flow");
}

#[test]
fn success_codes_decide_what_a_fault_is() {
    let mut design = marked();
    design.target().properties =
        vec![crate::design::Property { name: "success.codes".into(), value: "1xx, 2xx,404".into() }];
    let bench = Bench::new(&design);
    assert!(bench.get("/p").receive(response(404, &[], "")).var("trail").ends_with("P3,"));
    assert!(bench.get("/p").receive(response(302, &[], "")).var("trail").ends_with("t3,"));
}

#[test]
fn a_target_that_fails_is_answered_in_the_fault_format() {
    for (fault, status, name) in [
        (EngineFault::ServiceUnavailable, 503, "ServiceUnavailable"),
        (EngineFault::TargetForbidden, 503, "ServiceUnavailable"),
        (EngineFault::GatewayTimeout, 504, "GatewayTimeout"),
        (EngineFault::UnexpectedEofAtTarget, 502, "UnexpectedEOFAtTarget"),
        (EngineFault::SslHandshakeFailed, 503, "SslHandshakeFailed"),
        (EngineFault::TargetWriteTimeOut, 408, "RequestTimeOut"),
        (EngineFault::TooBigBody(10), 413, "TooBigBody"),
    ] {
        let sent = Bench::new(&design()).get("/p").fail(fault);
        assert_eq!((sent.status(), sent.var("fault.name").as_str()), (status, name));
    }
}

#[test]
fn continue_on_error_sets_the_variables_and_goes_on() {
    let mut design = design()
        .policy("bad", "<AssignMessage continueOnError=\"true\"><Set><Headers><Header name=\"x\">{none}</Header></Headers></Set></AssignMessage>")
        .policy("after", &mark("after"));
    design.proxy().flows.pre.request = vec![step("bad"), step("after")];

    let sent = Bench::new(&design).get("/p");

    assert!(!sent.is_answered());
    assert_eq!(sent.var("trail"), "after,");
    assert_eq!(sent.var("assignmessage.bad.failed"), "true");
    assert_eq!(sent.var("fault.name"), "UnresolvedVariable");
    assert_eq!(sent.var("is.error"), "false");
}

#[test]
fn post_client_steps_run_and_cannot_hurt() {
    use futures_util::FutureExt as _;
    let mut design = design().policy("after", &mark("after")).policy("raise", "<RaiseFault/>");
    design.proxy().flows.post_client = vec![step("after"), step("raise")];
    let mut sent = Bench::new(&design).get("/p").receive(response(200, &[], "ok"));
    super::run_post_client(&mut sent.cx).now_or_never().unwrap();
    assert_eq!((sent.var("trail"), sent.body()), ("after,".into(), "ok".into()));
}

#[test]
fn only_bodies_that_a_step_reads_are_asked_for() {
    let reads = |design: &ProxyDesign| {
        let cx = Bench::new(design).begin(get("/p")).unwrap();
        (cx.reads().request, cx.reads().response)
    };
    assert_eq!(reads(&marked()), (false, false));

    let mut design = marked();
    design.proxy().flows.conditional[0].condition = "request.formparam.a = \"1\"".into();
    assert_eq!(reads(&design), (true, false));

    let mut design = marked();
    design.target().flows.post.response[0].condition = "message.content Matches \"*x*\"".into();
    assert_eq!(reads(&design), (false, true));

    let mut design = marked();
    design.proxy().flows.fault_rules = vec![fault_rule("r", "error.content = \"x\"", &["P1"])];
    assert_eq!(reads(&design), (false, true));

    let design = design_with_copy("request");
    assert_eq!(reads(&design), (true, false));
}

fn design_with_copy(source: &str) -> ProxyDesign {
    design().step(&format!("<AssignMessage><AssignTo createNew=\"true\" type=\"request\">m</AssignTo><Copy source=\"{source}\"><Payload/></Copy></AssignMessage>"))
}

#[test]
fn variables_say_where_the_exchange_is() {
    let mut design = design().policy("flow", &mark("{current.flow.name}"));
    design.proxy().flows.pre.request = vec![step("flow")];
    design.proxy().flows.conditional = vec![conditional("mine", "", &["flow"], &["flow"])];
    design.target().flows.post.request = vec![step("flow")];
    let sent = Bench::new(&design).get("/p").receive(response(200, &[], ""));
    assert_eq!(sent.var("trail"), "PreFlow,mine,PostFlow,mine,");
}

#[test]
fn an_escape_does_not_lead_around_a_condition() {
    let mut design = design().policy("guard", "<RaiseFault/>");
    design.proxy().flows.conditional =
        vec![conditional("guarded", "proxy.pathsuffix MatchesPath \"/r(**\"", &["guard"], &[])];
    let bench = Bench::new(&design);
    for path in ["/p/r('1')", "/p/r%28'1')", "/p/%72%28%271%27%29"] {
        assert!(bench.get(path).is_answered(), "{path}");
    }
    assert_eq!(bench.get("/p/a%20b/%c3%a9%2f").url(), "https://backend.example:443/api/a%20b/%C3%A9%2F");
}

#[test]
fn the_answers_head_can_be_read_after_it_was_taken() {
    use futures_util::FutureExt as _;
    let mut design = design().policy("after", &mark("{response.status.code}"));
    design.proxy().flows.post_client = vec![step("after")];
    let mut sent = Bench::new(&design).get("/p").receive(response(201, &[], "ok"));
    assert_eq!(sent.cx.take_answer().unwrap().content(), "ok");
    super::run_post_client(&mut sent.cx).now_or_never().unwrap();
    assert_eq!(sent.var("trail"), "201,");
}
