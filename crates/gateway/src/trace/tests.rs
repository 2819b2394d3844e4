use http::Method;

use super::*;
use crate::testing::*;

const SET: &str = "<AssignMessage><AssignVariable><Name>flow.x</Name><Ref>request.header.who</Ref></AssignVariable>\
                   <Set><Headers><Header name=\"x-new\">{request.verb}</Header></Headers></Set></AssignMessage>";

fn of_p() -> TraceSettings {
    TraceSettings { proxy: "P".into(), ..TraceSettings::default() }
}

fn traced(bench: &Bench, settings: TraceSettings) -> u64 {
    bench.traces.start(settings, NOW)
}

fn only(bench: &Bench, id: u64) -> Transaction {
    let all = bench.traces.transactions(id).unwrap();
    assert_eq!(all.len(), 1);
    Transaction::clone(&all[0])
}

fn ask(bench: &Bench, headers: &[(&str, &str)]) {
    let sent = bench.send(request(Method::POST, "/p/x?q=1", headers, "body"));
    let mut sent =
        if sent.is_answered() { sent } else { sent.receive(response(201, &[("x-back", "1")], "made")) };
    sent.cx.take_answer();
}

fn described(point: &Point) -> String {
    match point {
        Point::Message { at, url, message } => {
            format!("{at} {} {}", message.line, url.as_deref().unwrap_or_default()).trim_end().to_owned()
        }
        Point::Condition { at, of, held, .. } => format!("{at} {of}: {held}"),
        Point::Step { at, policy, kind, .. } => format!("{at} {policy} ({kind})"),
        Point::Fault { at, fault } => format!("{at} {}", fault.code),
    }
}

#[test]
fn every_step_condition_and_message_is_written_down_in_order() {
    let mut design = design().policy("set", SET);
    design.proxy().flows.pre.request =
        vec![step_if("set", "request.header.who = \"me\""), step_if("set", "request.verb = \"GET\"")];
    design.proxy().flows.conditional = vec![conditional("c", "proxy.pathsuffix = \"/x\"", &[], &[])];
    design.proxy().routes[0].condition = "flow.x = \"me\"".into();
    let bench = Bench::new(&design);
    let id = traced(&bench, of_p());

    ask(&bench, &[("who", "me")]);

    let seen = only(&bench, id);
    let points: Vec<String> = seen.points.iter().map(described).collect();
    assert_eq!(
        points,
        [
            "received POST /p/x?q=1",
            "ProxyRequest/PreFlow step set: true",
            "ProxyRequest/PreFlow set (AssignMessage)",
            "ProxyRequest/PreFlow step set: false",
            "ProxyRequest/PreFlow flow c: true",
            "ProxyRequest/PostFlow route r: true",
            "sent to target POST /p/x?q=1 https://backend.example:443/api/x?q=1",
            "received from target 201 Created",
            "ProxyResponse/PreFlow flow c: true",
            "answer 201 Created",
        ]
    );
    assert_eq!(
        (seen.status, seen.proxy.as_str(), seen.revision.as_str(), seen.truncated),
        (Some(201), "P", "3", false)
    );
    let Point::Step { read, assigned, changed, fault, .. } = &seen.points[2] else { panic!("a step") };
    assert!(read.contains(&Reading { name: "request.header.who".into(), value: Some("me".into()) }));
    let assignment = Assignment { name: "flow.x".into(), before: None, after: Some("me".into()) };
    assert_eq!((assigned.as_slice(), fault.is_none()), (&[assignment][..], true));
    assert_eq!(changed[0].name, "request");
    assert!(changed[0].headers.contains(&("x-new".into(), "POST".into())));
    let Point::Condition { text, read, .. } = &seen.points[1] else { panic!("a condition") };
    assert_eq!((text.as_str(), read.len()), ("request.header.who = \"me\"", 1));
    let Point::Message { message, .. } = &seen.points[0] else { panic!("a message") };
    assert_eq!(message.body, BodyShot::Text { text: "body".into(), bytes: 4 });
}

#[test]
fn faults_are_shown_where_they_happened() {
    let mut design = design().step("<RaiseFault/>").policy("mend", &mark("m"));
    design.proxy().flows.fault_rules = vec![fault_rule("rule", "fault.name = \"RaiseFault\"", &["mend"])];
    let bench = Bench::new(&design);
    let id = traced(&bench, of_p());
    ask(&bench, &[]);
    let points: Vec<String> = only(&bench, id).points.iter().map(described).collect();
    assert_eq!(
        points,
        [
            "received POST /p/x?q=1",
            "ProxyRequest/PreFlow s0 (RaiseFault)",
            "ProxyRequest/PreFlow steps.raisefault.RaiseFault",
            "Error/FaultRules fault rule rule: true",
            "Error/FaultRules mend (AssignMessage)",
            "answer 500 Internal Server Error",
        ]
    );
}

#[test]
fn only_what_the_filter_picks_is_recorded() {
    let bench = Bench::new(&design());
    let sessions = [
        traced(&bench, TraceSettings { proxy: "Other".into(), ..of_p() }),
        traced(&bench, TraceSettings { revision: Some("4".into()), ..of_p() }),
        traced(&bench, TraceSettings { headers: vec![("who".into(), "you".into())], ..of_p() }),
        traced(&bench, TraceSettings { until: Some(NOW), ..of_p() }),
    ];
    ask(&bench, &[("who", "me")]);
    for id in sessions {
        assert_eq!(bench.traces.transactions(id).unwrap().len(), 0);
        assert!(bench.traces.stop(id));
    }
    assert!(!bench.traces.is_on());
    let id = traced(
        &bench,
        TraceSettings { revision: Some("3".into()), headers: vec![("Who".into(), "me".into())], ..of_p() },
    );
    ask(&bench, &[("who", "me")]);
    assert_eq!(only(&bench, id).id.len(), bench.begin(get("/p")).unwrap().message_id().as_str().len());
    assert!(bench.traces.stop(id) && !bench.traces.stop(id));
    assert_eq!(bench.traces.transactions(id), None);
}

#[test]
fn what_is_private_never_gets_in_not_even_as_a_copy() {
    let secret = "<AssignMessage><AssignVariable><Name>private.token</Name><Value>hunter22</Value></AssignVariable>\
                  <AssignVariable><Name>copy</Name><Template>x{private.token}y</Template></AssignVariable>\
                  <Set><Headers><Header name=\"x-copy\">{copy}</Header></Headers></Set></AssignMessage>";
    let bench = Bench::new(&design().step(secret)).kvm("m", true, &[]);
    let masks = Masks { variables: vec!["flow.*".into()], fields: vec!["q".into()], ..Masks::default() };
    let id = traced(&bench, TraceSettings { masks, ..of_p() });
    ask(&bench, &[("authorization", "Bearer geheim")]);
    let shown = bench.traces.export(id).unwrap().to_string();
    assert!(!shown.contains("hunter22") && !shown.contains("geheim"), "{shown}");
    assert!(shown.contains("x***y") && shown.contains("private.token"), "{shown}");
    assert!(!shown.contains("q=1"), "{shown}");
}

#[test]
fn a_session_has_bounds_and_the_oldest_make_room() {
    let bench = Bench::new(&design());
    let id = traced(&bench, TraceSettings { max_transactions: 30, ..of_p() });
    for _ in 0..50 {
        ask(&bench, &[]);
    }
    let summary = &bench.traces.list()[0];
    assert_eq!((summary.id, summary.transactions, summary.dropped), (id, 30, 20));
    bench.traces.stop(id);

    let id = traced(&bench, TraceSettings { max_bytes: 2000, ..of_p() });
    for _ in 0..50 {
        ask(&bench, &[("long", &"x".repeat(300))]);
    }
    assert!((1..6).contains(&bench.traces.transactions(id).unwrap().len()));
    bench.traces.stop(id);

    let id = traced(&bench, TraceSettings { max_transaction_bytes: 120, body_bytes: 2, ..of_p() });
    ask(&bench, &[]);
    let cut = only(&bench, id);
    assert!(cut.truncated && cut.points.len() < 4, "{cut:?}");
    let Point::Message { message, .. } = &cut.points[0] else { panic!("a message") };
    assert_eq!(message.body, BodyShot::Text { text: "bo".into(), bytes: 4 });
}

#[test]
fn an_export_holds_the_session_and_its_exchanges() {
    let bench = Bench::new(&design().step(SET));
    let id = traced(&bench, of_p());
    ask(&bench, &[("who", "me")]);
    let export = bench.traces.export(id).unwrap();
    assert_eq!(export["session"]["settings"]["proxy"], "P");
    let transaction = &export["transactions"][0];
    assert_eq!(transaction["status"], 201);
    assert_eq!(transaction["points"][0]["point"], "message");
    assert_eq!(transaction["points"][1]["point"], "step");
    assert_eq!(transaction["points"][1]["assigned"][0]["after"], "me");
    assert_eq!(bench.traces.export(id + 1), None);
}

#[test]
fn tracing_changes_nothing_of_what_happens() {
    let design = design().step(SET).step("<RaiseFault continueOnError=\"true\"/>");
    let outcome = |on: bool| {
        let bench = Bench::new(&design);
        if on {
            traced(&bench, of_p());
        }
        let sent = bench.send(request(Method::POST, "/p/x", &[("who", "me")], "b"));
        (sent.url(), sent.var("flow.x"), sent.var("raisefault.s1.failed"), sent.var("fault.name"))
    };
    assert_eq!(outcome(true), outcome(false));
}
