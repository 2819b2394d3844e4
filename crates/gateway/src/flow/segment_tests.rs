//! What runs in which part of an exchange, on the way out above all (api-management §4).

use futures_util::FutureExt as _;

use crate::design::{ProxyDesign, RouteRule, Step};
use crate::testing::*;

const RAISE: &str = "<RaiseFault><FaultResponse><Set><StatusCode>418</StatusCode><Payload>tea</Payload></Set></FaultResponse></RaiseFault>";

fn marked() -> ProxyDesign {
    ["a", "b", "c", "d"]
        .into_iter()
        .fold(design(), |design, name| design.policy(name, &mark(name)))
        .policy("raise", RAISE)
        .policy("see", &mark("{message.status.code}/{response.status.code}/{is.error}"))
}

fn post_client(sent: &mut Sent) {
    super::run_post_client(&mut sent.cx).now_or_never().unwrap();
}

#[test]
fn a_conditional_flow_is_chosen_anew_on_the_way_out() {
    let mut design = marked();
    design.proxy().flows.conditional = vec![
        conditional("accepted", "response.status.code = 202", &["a"], &["b"]),
        conditional("others", "", &["c"], &["d"]),
    ];
    let bench = Bench::new(&design);
    assert_eq!(bench.get("/p").receive(response(202, &[], "")).var("trail"), "c,b,");
    assert_eq!(bench.get("/p").receive(response(200, &[], "")).var("trail"), "c,d,");
}

#[test]
fn with_a_null_route_the_response_flows_run_on_an_empty_200() {
    let mut design = marked();
    design.proxy().routes = vec![RouteRule { name: "none".into(), ..RouteRule::default() }];
    design.proxy().flows.pre.response = vec![step("see")];
    design.proxy().flows.conditional = vec![conditional("f", "", &[], &["b"])];
    design.target().flows.pre.response = vec![step("d")];
    let sent = Bench::new(&design).get("/p");
    assert!(sent.is_answered());
    assert_eq!((sent.status(), sent.body().as_str()), (200, ""));
    assert_eq!(sent.var("trail"), "200/200/false,b,");
    assert_eq!((sent.var("route.name"), sent.var("route.target")), ("none".into(), "null".into()));
}

#[test]
fn what_policies_wrote_into_the_response_is_the_null_routes_answer() {
    let set = "<AssignMessage><AssignTo type=\"response\">response</AssignTo><Set><StatusCode>201</StatusCode><Payload>made</Payload></Set></AssignMessage>";
    let mut design = marked().step(set);
    design.proxy().routes = vec![RouteRule { name: "none".into(), ..RouteRule::default() }];
    let sent = Bench::new(&design).get("/p");
    assert_eq!((sent.status(), sent.body().as_str()), (201, "made"));
}

#[test]
fn a_payload_that_a_policy_wrote_into_the_request_is_the_null_routes_answer_and_the_clients_own_is_not() {
    let set = "<AssignMessage><AssignTo>request</AssignTo><Set><Payload contentType=\"text/x-made\">made</Payload></Set></AssignMessage>";
    for (step, body, kind) in [
        (set, "made", "text/x-made"),
        (
            "<AssignMessage><AssignVariable><Name>v</Name><Ref>request.content</Ref></AssignVariable></AssignMessage>",
            "",
            "",
        ),
    ] {
        let mut design = design().step(step);
        design.proxy().routes = vec![RouteRule { name: "none".into(), ..RouteRule::default() }];
        let headers = [("content-type", "text/plain"), ("x-mine", "1")];
        let sent = Bench::new(&design).send(request(http::Method::POST, "/p", &headers, "the client's"));
        assert_eq!((sent.status(), sent.body().as_str()), (200, body));
        assert_eq!(
            (sent.response_header("content-type").as_str(), sent.response_header("x-mine").as_str()),
            (kind, "")
        );
    }
}

#[test]
fn after_the_answer_steps_see_the_response_and_after_a_fault_only_the_message() {
    let mut design = marked();
    design.proxy().flows.post_client = vec![step("see")];
    let mut sent = Bench::new(&design).get("/p").receive(response(201, &[], "ok"));
    assert_eq!(sent.cx.take_answer().map(|answer| answer.status().as_u16()), Some(201));
    post_client(&mut sent);
    assert_eq!(sent.var("trail"), "201/201/false,");

    design.proxy().flows.pre.request = vec![step("raise")];
    let mut sent = Bench::new(&design).get("/p");
    assert_eq!(sent.cx.take_answer().map(|answer| answer.content().into_owned()), Some("tea".into()));
    post_client(&mut sent);
    assert_eq!(sent.var("trail"), "418//true,");
}

#[test]
fn the_rules_of_the_endpoint_where_it_happened_are_tried() {
    let at = |place: fn(&mut ProxyDesign) -> &mut Vec<Step>| {
        let mut design = marked();
        *place(&mut design) = vec![step("raise")];
        design.proxy().flows.fault_rules = vec![fault_rule("r", "", &["a"])];
        design.target().flows.fault_rules = vec![fault_rule("r", "", &["b"])];
        let sent = Bench::new(&design).get("/p");
        if sent.is_answered() { sent } else { sent.receive(response(200, &[], "")) }.var("trail")
    };
    assert_eq!(at(|design| &mut design.proxy().flows.pre.request), "a,");
    assert_eq!(at(|design| &mut design.target().flows.pre.request), "b,");
    assert_eq!(at(|design| &mut design.target().flows.post.response), "b,");
    assert_eq!(at(|design| &mut design.proxy().flows.pre.response), "a,");
}

#[test]
fn a_default_rule_with_a_condition_and_the_error_that_steps_see() {
    let mut design = marked();
    design.proxy().flows.pre.request = vec![step("raise")];
    let mut rule = fault_rule("default", "fault.name = \"Other\"", &["a"]);
    design.proxy().flows.default_fault_rule = Some(rule.clone());
    assert_eq!(Bench::new(&design).get("/p").var("trail"), "null");
    rule.condition = "fault.name = \"RaiseFault\"".into();
    rule.steps = vec![step_if("see", "error.content = \"tea\""), step_if("a", "message.content = \"x\"")];
    design.proxy().flows.default_fault_rule = Some(rule);
    assert_eq!(Bench::new(&design).get("/p").var("trail"), "418//true,");
}

#[test]
fn a_fault_on_the_way_out_replaces_the_targets_answer() {
    let mut design = marked();
    design.proxy().flows.post.response = vec![step("raise"), step("a")];
    let sent = Bench::new(&design).get("/p").receive(response(200, &[("x-own", "1")], "theirs"));
    assert_eq!(
        (sent.status(), sent.body().as_str(), sent.response_header("x-own").as_str()),
        (418, "tea", "")
    );
    assert_eq!(sent.var("trail"), "null");
}

#[test]
fn a_disabled_step_is_passed_by() {
    let mut design = marked().policy("off", "<RaiseFault enabled=\"false\"/>");
    design.proxy().flows.pre.request = vec![step("a"), step("off"), step("b")];
    assert_eq!(Bench::new(&design).get("/p").var("trail"), "a,b,");
}
