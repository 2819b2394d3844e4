use crate::compile::{compile, compile_shared_flow};
use crate::design::{PolicyText, SharedFlowDesign};
use crate::snapshot::{FlowHook, HookPoint, Snapshot};
use crate::testing::*;

const READS: &str = "<AssignMessage><AssignTo createNew=\"true\" type=\"request\">m</AssignTo><Copy source=\"message\"><Payload/></Copy></AssignMessage>";
const RAISE: &str =
    "<RaiseFault><FaultResponse><Set><StatusCode>418</StatusCode></Set></FaultResponse></RaiseFault>";

fn callout(flow: &str) -> String {
    format!("<FlowCallout><SharedFlowBundle>{flow}</SharedFlowBundle></FlowCallout>")
}

fn hook(point: HookPoint, flow: &str, continue_on_error: bool) -> impl Fn(&Snapshot) -> Snapshot {
    let hook = FlowHook { shared_flow: flow.into(), continue_on_error };
    move |old| old.with_flow_hook(point, Some(hook.clone()))
}

#[test]
fn a_changed_shared_flow_is_seen_by_the_next_request_of_every_proxy() {
    let empty = Snapshot::empty("acme", "test");
    let old = empty.with_shared_flow(shared_flow("common", &[&mark("old")], &empty));
    let design = design().step(&callout("common"));
    let proxy = compile(&design, "3", &world_on(old.clone())).unwrap();
    let bench = Bench::on(old.with_proxy(proxy).unwrap());
    let under_way = bench.begin(get("/p")).unwrap();
    assert_eq!((under_way.reads().request, under_way.reads().response), (false, false));

    let bench = bench.with(|old| old.with_shared_flow(shared_flow("common", &[&mark("new"), READS], old)));

    assert_eq!(bench.get("/p").var("trail"), "new,");
    let reads = bench.begin(get("/p")).unwrap().reads();
    assert_eq!((reads.request, reads.response), (true, false), "message is the request where it is called");
    assert_eq!(under_way.snapshot().shared_flow("common").unwrap().steps.len(), 1, "a request keeps its own");
}

#[test]
fn what_a_shared_flow_reads_depends_on_where_it_is_called_and_goes_through_nested_calls() {
    let empty = Snapshot::empty("acme", "test");
    let one = empty.with_shared_flow(shared_flow("inner", &[READS], &empty));
    let two = one.with_shared_flow(shared_flow("outer", &[&callout("inner")], &one));
    let mut design = design().policy("call", &callout("outer"));
    design.proxy().flows.post.response = vec![step("call")];
    let proxy = compile(&design, "3", &world_on(two.clone())).unwrap();
    let reads = Bench::on(two.with_proxy(proxy).unwrap()).begin(get("/p")).unwrap().reads();
    assert_eq!((reads.request, reads.response), (false, true));
}

#[test]
fn flow_hooks_run_around_every_proxy() {
    let mut design = design().policy("own", &mark("own"));
    design.proxy().flows.pre.request = vec![step("own")];
    design.target().flows.pre.request = vec![step("own")];
    design.target().flows.post.response = vec![step("own")];
    design.proxy().flows.post.response = vec![step("own")];
    let mut bench = Bench::new(&design);
    for (point, name) in [
        (HookPoint::PreProxy, "pre-proxy"),
        (HookPoint::PreTarget, "pre-target"),
        (HookPoint::PostTarget, "post-target"),
        (HookPoint::PostProxy, "post-proxy"),
    ] {
        bench = bench
            .with(|old| old.with_shared_flow(shared_flow(name, &[&mark(name)], old)))
            .with(hook(point, name, false));
    }
    let sent = bench.get("/p").receive(response(200, &[], ""));
    assert_eq!(sent.var("trail"), "pre-proxy,own,pre-target,own,own,post-target,own,post-proxy,");
    let unhooked = bench.with(|old| old.with_flow_hook(HookPoint::PreProxy, None));
    assert!(unhooked.get("/p").var("trail").starts_with("own,"));
}

#[test]
fn a_hook_that_fails_stops_the_proxy_unless_it_may_go_on() {
    let failing = |go_on: bool| {
        Bench::new(&design())
            .with(|old| old.with_shared_flow(shared_flow("strict", &[RAISE], old)))
            .with(hook(HookPoint::PreProxy, "strict", go_on))
            .get("/p")
    };
    assert_eq!(failing(false).status(), 418);
    let sent = failing(true);
    assert!(!sent.is_answered());
    assert_eq!(sent.var("fault.name"), "RaiseFault");
    let gone = Bench::new(&design()).with(hook(HookPoint::PreTarget, "gone", false)).get("/p");
    assert_eq!(gone.code(), "steps.flowcallout.SharedFlowNotFound");
}

#[test]
fn the_bodies_that_hooks_read_are_in_memory() {
    let with = |point| {
        let bench = Bench::new(&design())
            .with(|old| old.with_shared_flow(shared_flow("reader", &[READS], old)))
            .with(hook(point, "reader", false));
        let reads = bench.begin(get("/p")).unwrap().reads();
        (reads.request, reads.response)
    };
    assert_eq!(with(HookPoint::PreTarget), (true, false));
    assert_eq!(with(HookPoint::PostTarget), (false, true));
}

#[test]
fn mistakes_of_a_shared_flow_are_found_when_it_is_compiled() {
    let rules = |design: &SharedFlowDesign| {
        let problems = compile_shared_flow(design, "1", &world()).err().unwrap_or_default();
        problems.iter().map(|problem| problem.rule).collect::<Vec<_>>()
    };
    let policy = |xml: &str| PolicyText { name: "x".into(), xml: xml.into(), ..PolicyText::default() };
    let with = |xml: &str| SharedFlowDesign {
        name: "S".into(),
        steps: vec![step("x")],
        policies: vec![policy(xml)],
        ..SharedFlowDesign::default()
    };
    assert!(rules(&with("<RaiseFault/>")).is_empty());
    assert_eq!(rules(&with("<RaiseFault><Oops/></RaiseFault>")), ["UnknownElement"]);
    assert_eq!(rules(&with(&callout("S"))), ["SharedFlowNotFound", "SharedFlowCallsItself"]);
    assert_eq!(rules(&SharedFlowDesign { name: " ".into(), ..with("<RaiseFault/>") }), ["NameIsMissing"]);
    let secret = "<OpenConnectors><InstanceSecret kvm-map-name=\"m\" kvm-key-name=\"k\"/></OpenConnectors>";
    assert_eq!(rules(&with(secret)), ["OpenConnectorsOnce"]);
    let degraded = compile_shared_flow(&with("<JavaCallout/>"), "1", &world()).unwrap();
    assert!(degraded.degradations[0].attached);
}
