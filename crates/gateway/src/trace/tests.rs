use http::Method;

use super::*;
use crate::testing::*;

const SET: &str = "<AssignMessage><AssignVariable><Name>flow.x</Name><Ref>request.header.who</Ref></AssignVariable>\
                   <Set><Headers><Header name=\"x-new\">{request.verb}</Header></Headers></Set></AssignMessage>";

fn of_p() -> TraceSettings {
    TraceSettings { proxy: "P".into(), ..TraceSettings::default() }
}

fn traced(bench: &Bench, settings: TraceSettings) -> u64 {
    bench.traces.start(settings, NOW).unwrap()
}

fn only(bench: &Bench, id: u64) -> Transaction {
    let all = bench.traces.recorded(id).unwrap();
    assert_eq!(all.len(), 1);
    Transaction::clone(&all[0].transaction)
}

fn exported(bench: &Bench, id: u64) -> serde_json::Value {
    serde_json::to_value(bench.traces.export(id, NOW).unwrap()).unwrap()
}

fn ask(bench: &Bench, headers: &[(&str, &str)]) {
    let sent = bench.send(request(Method::POST, "/p/x?q=1", headers, "body"));
    let mut sent =
        if sent.is_answered() { sent } else { sent.receive(response(201, &[("x-back", "1")], "made")) };
    sent.cx.take_answer();
}

fn described(timed: &TimedPoint) -> String {
    match &timed.point {
        Point::Message { at, url, message } => {
            format!("{at} {} {}", message.line, url.as_deref().unwrap_or_default()).trim_end().to_owned()
        }
        Point::Condition { at, of, held, .. } => format!("{at} {of}: {held}"),
        Point::Step { at, policy, kind, .. } => format!("{at} {policy} ({kind})"),
        Point::Call { url, request, .. } => format!("call {} {url}", request.line),
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
    let Point::Step { read, assigned, changed, fault, .. } = &seen.points[2].point else { panic!("a step") };
    assert!(read.contains(&Reading { name: "request.header.who".into(), value: Some("me".into()) }));
    let assignment = Assignment { name: "flow.x".into(), before: None, after: Some("me".into()) };
    assert_eq!((assigned.as_slice(), fault.is_none()), (&[assignment][..], true));
    assert_eq!(changed[0].name, "request");
    assert!(changed[0].headers.contains(&("x-new".into(), "POST".into())));
    let Point::Condition { text, read, .. } = &seen.points[1].point else { panic!("a condition") };
    assert_eq!((text.as_str(), read.len()), ("request.header.who = \"me\"", 1));
    let Point::Message { message, .. } = &seen.points[0].point else { panic!("a message") };
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
        traced(&bench, TraceSettings { query: vec![("q".into(), "2".into())], ..of_p() }),
        traced(&bench, TraceSettings { condition: "request.verb = \"GET\"".into(), ..of_p() }),
    ];
    ask(&bench, &[("who", "me")]);
    for id in sessions {
        assert_eq!(bench.traces.recorded(id).unwrap().len(), 0);
        assert!(bench.traces.remove(id, NOW));
    }
    assert!(!bench.traces.is_on());
    let id = traced(
        &bench,
        TraceSettings {
            revision: Some("3".into()),
            headers: vec![("Who".into(), "me".into())],
            query: vec![("q".into(), "1".into())],
            condition: "request.verb = \"POST\"".into(),
            ..of_p()
        },
    );
    ask(&bench, &[("who", "me")]);
    assert_eq!(only(&bench, id).id.len(), bench.begin(get("/p")).unwrap().message_id().as_str().len());
    assert!(bench.traces.remove(id, NOW) && !bench.traces.remove(id, NOW));
    assert!(bench.traces.recorded(id).is_none());
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
    let shown = exported(&bench, id).to_string();
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
    let summary = &bench.traces.list(NOW)[0];
    assert_eq!((summary.id, summary.transactions, summary.dropped), (id, 30, 20));
    bench.traces.remove(id, NOW);

    let id = traced(&bench, TraceSettings { max_bytes: 2000, ..of_p() });
    for _ in 0..50 {
        ask(&bench, &[("long", &"x".repeat(300))]);
    }
    assert!((1..6).contains(&bench.traces.recorded(id).unwrap().len()));
    bench.traces.remove(id, NOW);

    let id = traced(&bench, TraceSettings { max_transaction_bytes: 120, body_bytes: 2, ..of_p() });
    ask(&bench, &[]);
    let cut = only(&bench, id);
    assert!(cut.truncated && cut.points.len() < 4, "{cut:?}");
    let Point::Message { message, .. } = &cut.points[0].point else { panic!("a message") };
    assert_eq!(message.body, BodyShot::Text { text: "bo".into(), bytes: 4 });
}

#[test]
fn an_export_holds_the_session_and_its_exchanges() {
    let bench = Bench::new(&design().step(SET));
    let id = traced(&bench, of_p());
    ask(&bench, &[("who", "me")]);
    let export = exported(&bench, id);
    assert_eq!(export["session"]["settings"]["proxy"], "P");
    let transaction = &export["transactions"][0];
    assert_eq!(transaction["status"], 201);
    assert_eq!(transaction["points"][0]["point"], "message");
    assert_eq!(transaction["points"][1]["point"], "step");
    assert_eq!(transaction["points"][1]["assigned"][0]["after"], "me");
    assert_eq!(bench.traces.export(id + 1, NOW), None);
    let read: TraceExport = serde_json::from_value(export).unwrap();
    assert_eq!(read, bench.traces.export(id, NOW).unwrap(), "what is written can be read");
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

#[test]
fn a_session_that_ended_keeps_what_it_has_and_makes_room_for_another() {
    let bench = Bench::new(&design());
    let id = traced(&bench, of_p());
    ask(&bench, &[]);
    assert!(bench.traces.stop(id, NOW) && !bench.traces.is_on());
    ask(&bench, &[]);
    assert_eq!(bench.traces.recorded(id).unwrap().len(), 1);
    assert!(!bench.traces.list(NOW)[0].recording);

    for _ in 1..MOST_SESSIONS {
        traced(&bench, of_p());
    }
    let newest = traced(&bench, of_p());
    assert!(bench.traces.recorded(id).is_none(), "the ended one went");
    assert!(matches!(bench.traces.start(of_p(), NOW), Err(CannotTrace::TooMany)));
    for summary in bench.traces.list(NOW) {
        assert!(bench.traces.stop(summary.id, NOW));
    }
    assert_eq!(bench.traces.list(NOW.plus(KEPT_FOR)).len(), 0, "forgotten, {newest} too");
}

#[test]
fn a_session_that_ends_by_itself_costs_nothing_from_then_on() {
    let bench = Bench::new(&design());
    traced(&bench, TraceSettings { until: Some(NOW.plus(std::time::Duration::from_secs(600))), ..of_p() });
    bench.clock.advance(std::time::Duration::from_secs(600));
    assert!(bench.traces.is_on());
    ask(&bench, &[]);
    assert!(!bench.traces.is_on(), "whoever looked first found nothing to do");
}

#[test]
fn two_sessions_that_want_the_same_exchange_both_get_it() {
    let bench = Bench::new(&design());
    let sessions =
        [traced(&bench, of_p()), traced(&bench, TraceSettings { revision: Some("3".into()), ..of_p() })];
    let hides_more = Masks { fields: vec!["q".into()], ..Masks::default() };
    let other = traced(&bench, TraceSettings { masks: hides_more, ..of_p() });
    ask(&bench, &[]);
    assert_eq!(only(&bench, sessions[0]), only(&bench, sessions[1]));
    assert_eq!(bench.traces.recorded(other).unwrap().len(), 0, "it would see what it hides");
}

#[test]
fn what_a_path_hides_is_hidden_wherever_its_value_goes() {
    let copy = "<ExtractVariables><JSONPayload><Variable name=\"card\"><JSONPath>$.card</JSONPath></Variable></JSONPayload></ExtractVariables>";
    let bench = Bench::new(&design().step(copy));
    let mut masks = Masks::default();
    masks.request.json.push("$.card".into());
    masks.hide_variable("request.header.x-pin");
    let id = traced(&bench, TraceSettings { masks, ..of_p() });
    let headers = [("content-type", "application/json"), ("x-pin", "geheim")];
    let sent = bench.send(request(Method::POST, "/p/x", &headers, r#"{"card":"4111-22","name":"Kim"}"#));
    assert_eq!(sent.var("card"), "4111-22");
    drop(sent);
    let shown = exported(&bench, id).to_string();
    assert!(!shown.contains("4111-22") && !shown.contains("geheim"), "{shown}");
    assert!(shown.contains("Kim") && shown.contains("\"card\""), "{shown}");
}

#[test]
fn calls_of_steps_are_written_down() {
    let callout = "<ServiceCallout><HTTPTargetConnection><URL>http://erp.example/stock?key=k</URL></HTTPTargetConnection><Response>calloutResponse</Response></ServiceCallout>";
    let bench = Bench::new(&design().step(callout));
    let token = r#"{"n":7,"access_token":"ya29-geheim"}"#;
    bench.outside.answers.borrow_mut().push(Ok(response(200, &[], token)));
    let id = traced(
        &bench,
        TraceSettings { masks: Masks { fields: vec!["key".into()], ..Masks::default() }, ..of_p() },
    );
    drop(bench.send_waiting(request(Method::POST, "/p/x?q=1", &[], "body")));
    let seen = only(&bench, id);
    let call = seen.points.iter().find_map(|timed| match &timed.point {
        Point::Call { url, answer, .. } => Some((url.clone(), answer.clone().unwrap())),
        _ => None,
    });
    let (url, answer) = call.expect("the call is there");
    assert_eq!((url.as_str(), answer.line.as_str()), ("http://erp.example:80/stock?key=***", "200 OK"));
    assert_eq!(answer.body, BodyShot::Text { text: token.replace("ya29-geheim", "***"), bytes: token.len() });
}

fn seen(bench: &Bench, headers: &[(&str, &str)]) -> Transaction {
    let id = traced(bench, of_p());
    ask(bench, headers);
    let seen = only(bench, id);
    bench.traces.remove(id, NOW);
    seen
}

#[test]
fn differences_name_what_a_client_a_target_and_a_step_would_notice() {
    let before = seen(&Bench::new(&design().step(SET)), &[("who", "me")]);
    assert_eq!(differences(&before, &before), []);
    let mut design = design().step(SET).step("<RaiseFault/>");
    design.proxy().flows.pre.request.swap(0, 1);
    let after = seen(&Bench::new(&design), &[("who", "me")]);
    let found = differences(&before, &after);
    let of = |part: Part| {
        found.iter().filter(|one| one.part == part).map(|one| one.name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(found[0].recorded.as_deref().zip(found[0].replayed.as_deref()), Some(("201", "500")));
    assert_eq!(of(Part::Header), ["content-type", "x-back"]);
    assert_eq!((of(Part::Body).len(), of(Part::Target).len(), of(Part::Variable)), (1, 1, vec!["flow.x"]));
    let steps = of(Part::Step);
    assert_eq!(steps[0], "ProxyRequest/PreFlow: s0", "{steps:?}");
    assert!(steps[1].starts_with("ProxyRequest/PreFlow: s1 failed with"), "{steps:?}");
}

#[test]
fn bodies_are_compared_as_json_where_they_are() {
    let bench = Bench::new(&design());
    let with = |body: &str| {
        let id = traced(&bench, of_p());
        let mut sent = bench.send(request(Method::GET, "/p", &[], "")).receive(response(200, &[], body));
        sent.cx.take_answer();
        drop(sent);
        let seen = only(&bench, id);
        bench.traces.remove(id, NOW);
        seen
    };
    let before = with(r#"{"a": 1, "b": [1, {"c/d": "x"}], "e": null}"#);
    let after = with(r#"{"b":[1,{"c/d":"y"},2],"a":1}"#);
    let found: Vec<String> = differences(&before, &after)
        .into_iter()
        .map(|one| format!("{} {:?} {:?}", one.name, one.recorded, one.replayed))
        .collect();
    assert_eq!(
        found,
        [r#"/b/1/c~1d Some("\"x\"") Some("\"y\"")"#, r#"/b/2 None Some("2")"#, r#"/e Some("null") None"#,]
    );
}
