use crate::testing::*;

fn run(inside: &str) -> Sent {
    Bench::new(&design().step(&format!("<RaiseFault>{inside}</RaiseFault>"))).get("/p?a=1")
}

#[test]
fn fault_raise_fault_has_the_answer_that_was_made() {
    let sent = run(
        "<FaultResponse><Set><Headers><Header name=\"x\">{request.queryparam.a}</Header></Headers>\
         <Payload contentType=\"text/plain\">no {none}</Payload><StatusCode>429</StatusCode><ReasonPhrase>Slow down</ReasonPhrase></Set>\
         <AssignVariable><Name>seen</Name><Value>yes</Value></AssignVariable></FaultResponse>",
    );
    assert_eq!((sent.status(), sent.body(), sent.response_header("x")), (429, "no ".into(), "1".into()));
    assert_eq!(sent.response_header("content-type"), "text/plain");
    assert_eq!(sent.var("error.reason.phrase"), "Slow down");
    assert_eq!((sent.var("fault.name"), sent.var("seen")), ("RaiseFault".into(), "yes".into()));
}

#[test]
fn fault_raise_fault_without_a_response_is_the_stock_one() {
    let sent = run("");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.raisefault.RaiseFault"));
    assert!(sent.body().contains("Raising fault. Fault name : s0"), "{}", sent.body());
    assert_eq!(run("<FaultResponse/>").status(), 500);
    assert_eq!(run("<FaultResponse/>").body(), "");
}

#[test]
fn fault_unresolved_variable_only_when_asked_for() {
    let inside = "<IgnoreUnresolvedVariables>false</IgnoreUnresolvedVariables><FaultResponse><Set><Payload>{none}</Payload></Set></FaultResponse>";
    assert_eq!(run(inside).code(), "steps.raisefault.UnresolvedVariable");
}

#[test]
fn fault_variable_of_non_message_type_and_set_variable_failed() {
    let sent = run("<FaultResponse><Copy source=\"nothing\"/></FaultResponse>");
    assert_eq!(sent.code(), "steps.raisefault.VariableOfNonMsgType");
    let sent =
        run("<FaultResponse><Set><StatusCode>{request.queryparam.a}</StatusCode></Set></FaultResponse>");
    assert_eq!(sent.code(), "steps.raisefault.SetVariableFailed");
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("<FaultResponse><Set><Nope/></Set></FaultResponse>", "UnknownElement"),
        ("<FaultResponse><Nope/></FaultResponse>", "UnknownElement"),
        ("<Set/>", "UnknownElement"),
        ("<ShortFaultReason>x</ShortFaultReason>", "NotABoolean"),
    ] {
        assert_eq!(problem_of(&format!("<RaiseFault>{inside}</RaiseFault>")), rule, "{inside}");
    }
}

#[test]
fn an_assign_to_in_the_fault_response_changes_nothing() {
    let sent = run(
        "<FaultResponse><AssignTo createNew=\"false\" type=\"request\">x</AssignTo><Set><StatusCode>418</StatusCode></Set></FaultResponse>",
    );
    assert_eq!((sent.status(), sent.var("x.content")), (418, "null".into()));
}

#[test]
fn an_assign_to_left_at_the_root_is_told_and_changes_nothing() {
    let xml = "<RaiseFault><FaultResponse><Set><StatusCode>418</StatusCode></Set></FaultResponse><AssignTo type=\"response\">x</AssignTo></RaiseFault>";
    let design = design().step(xml);
    assert_eq!(compiled(&design).warnings[0].rule, "WithoutEffect");
    let sent = Bench::new(&design).get("/p");
    assert_eq!((sent.status(), sent.var("x.content")), (418, "null".into()));
}

#[test]
fn a_short_reason_is_read_and_changes_nothing() {
    let sent = run(
        "<ShortFaultReason>true</ShortFaultReason><FaultResponse><Set><StatusCode>409</StatusCode></Set></FaultResponse>",
    );
    assert_eq!((sent.status(), sent.var("raisefault.s0.failed")), (409, "true".into()));
}

#[test]
fn every_change_of_a_message_can_make_the_answer() {
    let sent = run(
        "<FaultResponse><Copy source=\"request\"><Headers><Header name=\"host\"/></Headers></Copy>\
         <Add><Headers><Header name=\"host\">two</Header></Headers></Add>\
         <Set><Headers><Header name=\"gone\">x</Header></Headers></Set><Remove><Headers><Header name=\"gone\"/></Headers></Remove></FaultResponse>",
    );
    assert_eq!(
        (sent.response_header("host"), sent.response_header("gone")),
        ("api.example|two".into(), String::new())
    );
}
