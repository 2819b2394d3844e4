use crate::snapshot::Snapshot;
use crate::testing::*;

fn callout(flow: &str, parameters: &str) -> String {
    format!(
        "<FlowCallout><Parameters>{parameters}</Parameters><SharedFlowBundle>{flow}</SharedFlowBundle></FlowCallout>"
    )
}

fn running(flows: &[(&str, &[&str])]) -> Snapshot {
    flows.iter().fold(Snapshot::empty("acme", "test"), |snapshot, (name, policies)| {
        snapshot.with_shared_flow(shared_flow(name, policies, &snapshot))
    })
}

/// A proxy whose PreFlow request runs these policies, on these shared flows.
fn bench(flows: &[(&str, &[&str])], policies: &[&str]) -> Bench {
    let running = running(flows);
    let design = policies.iter().fold(design(), |design, xml| design.step(xml));
    let proxy = crate::compile::compile(&design, "3", &world_on(running.clone())).unwrap();
    Bench::on(running.with_proxy(proxy).unwrap())
}

#[test]
fn the_steps_of_a_shared_flow_run_in_place_of_the_step() {
    let shared = mark("{sharedflow.name}/{sharedflow.revision}");
    let bench =
        bench(&[("common", &[&shared, &mark("b")])], &[&mark("a"), &callout("common", ""), &mark("c")]);
    let sent = bench.get("/p");
    assert_eq!(sent.var("trail"), "a,common/7,b,c,");
    assert_eq!(
        (sent.var("sharedflow.name"), sent.var("sharedflow.revision")),
        ("null".into(), "null".into())
    );
}

#[test]
fn parameters_are_seen_by_the_shared_flow_only() {
    let parameters = "<Parameter name=\"who\" ref=\"request.header.who\">nobody</Parameter>\
                      <Parameter name=\"what\" ref=\"request.header.none\">it</Parameter><Parameter name=\"lit\">{x}</Parameter>";
    let set = "<AssignMessage><AssignVariable><Name>who</Name><Value>outer</Value></AssignVariable></AssignMessage>";
    let bench = bench(
        &[("common", &[&mark("{who} {what} {lit}")])],
        &[set, &callout("common", parameters), &mark("{who}|{what}")],
    );
    let sent = bench.send(request(http::Method::GET, "/p", &[("who", "me")], ""));
    assert_eq!(sent.var("trail"), "me it {x},outer|,");
}

#[test]
fn a_fault_inside_a_shared_flow_is_the_proxys() {
    let raise =
        "<RaiseFault><FaultResponse><Set><StatusCode>418</StatusCode></Set></FaultResponse></RaiseFault>";
    let bench = bench(&[("common", &[raise, &mark("never")])], &[&callout("common", ""), &mark("never")]);
    let sent = bench.get("/p");
    assert_eq!((sent.status(), sent.var("trail").as_str()), (418, "null"));
    assert_eq!(sent.var("fault.name"), "RaiseFault");
    assert_eq!(
        (sent.var("raisefault.common0.failed"), sent.var("flowcallout.s0.failed")),
        ("true".into(), "true".into())
    );
    assert_eq!(sent.var("sharedflow.name"), "null");
}

#[test]
fn shared_flows_may_be_nested_to_a_bound() {
    let mut flows: Vec<(String, String)> = vec![("f0".into(), mark("end"))];
    for depth in 1..=16 {
        flows.push((format!("f{depth}"), callout(&format!("f{}", depth - 1), "")));
    }
    let policies: Vec<[&str; 1]> = flows.iter().map(|(_, xml)| [xml.as_str()]).collect();
    let all: Vec<(&str, &[&str])> =
        flows.iter().zip(&policies).map(|((name, _), xml)| (name.as_str(), xml.as_slice())).collect();
    assert_eq!(bench(&all, &[&callout("f15", "")]).get("/p").var("trail"), "end,");
    let sent = bench(&all, &[&callout("f16", "")]).get("/p");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.flowcallout.TooManyNestedFlows"));
}

#[test]
fn a_shared_flow_that_is_gone_is_a_fault() {
    let bench = bench(&[("common", &[&mark("x")])], &[&callout("common", "")]);
    let sent = bench.with(|old| old.without_shared_flow("common")).get("/p");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.flowcallout.SharedFlowNotFound"));
}

#[test]
fn mistakes_are_found_at_deploy() {
    assert_eq!(problem_of("<FlowCallout/>"), "SharedFlowBundleIsMissing");
    assert_eq!(
        problem_of("<FlowCallout><SharedFlowBundle>nowhere</SharedFlowBundle></FlowCallout>"),
        "SharedFlowNotFound"
    );
    let running = running(&[("common", &[])]);
    let with = |parameters: &str| {
        let design = design().step(&callout("common", parameters));
        let compiled = crate::compile::compile(&design, "1", &world_on(running.clone()));
        compiled.err().map_or_else(Vec::new, |problems| problems.iter().map(|problem| problem.rule).collect())
    };
    assert!(with("").is_empty());
    assert_eq!(with("<Parameter>x</Parameter>"), ["ParameterNameIsMissing"]);
    assert_eq!(with("<Parameter name=\"proxy.name\">x</Parameter>"), ["InvalidParameterName"]);
    assert_eq!(with("<Other/>"), ["UnknownElement"]);
}
