use crate::testing::*;

fn run(inside: &str) -> Sent {
    let design = design().step(&format!("<HTTPModifier>{inside}</HTTPModifier>"));
    let headers = [("host", "api.example"), ("x-old", "1"), ("x-two", "a")];
    Bench::new(&design).send(request(http::Method::GET, "/p/a?q=1&r=2", &headers, ""))
}

#[test]
fn headers_and_parameters_are_added_set_and_removed_in_the_order_of_the_document() {
    let sent = run(
        "<Add><Headers><Header name='x-two'>b</Header></Headers><QueryParams><QueryParam name='q'>3</QueryParam></QueryParams></Add>\
         <Set><Headers><Header name='x-new'>{request.verb}</Header></Headers><QueryParams><QueryParam name='s'>4</QueryParam></QueryParams></Set>\
         <Remove><Headers><Header name='x-old'/></Headers><QueryParams><QueryParam name='r'/></QueryParams></Remove>",
    );
    assert_eq!(
        (sent.header("x-two"), sent.header("x-new"), sent.header("x-old")),
        ("a|b".into(), "GET".into(), "".into())
    );
    assert_eq!(sent.var("request.querystring"), "q=1&q=3&s=4");
    let sent = run("<Remove><Headers/></Remove><Set><Headers><Header name='x'>1</Header></Headers></Set>");
    assert_eq!((sent.header("x-two"), sent.header("x")), ("".into(), "1".into()));
}

#[test]
fn an_empty_remove_removes_everything() {
    let sent = run("<Remove/>");
    assert_eq!((sent.header("x-two"), sent.var("request.querystring")), ("".into(), "".into()));
}

#[test]
fn verb_path_and_form_are_set() {
    let sent = run(
        "<Set><Verb>POST</Verb><Path>/b</Path><Version>1.1</Version><FormParams><FormParam name='f'>1</FormParam></FormParams></Set>",
    );
    assert_eq!(sent.var("request.verb"), "POST");
    assert_eq!(sent.url(), "https://backend.example:443/api/b?q=1&r=2");
    assert_eq!(sent.var("request.content"), "f=1");
    let sent = run("<Set><FormParams><FormParam name='f'>1</FormParam></FormParams></Set>\
         <Add><FormParams><FormParam name='g'>2</FormParam></FormParams></Add>\
         <Remove><FormParams><FormParam name='f'/></FormParams></Remove>");
    assert_eq!(sent.var("request.content"), "g=2");
}

#[test]
fn a_response_gets_status_and_reason() {
    let modifier = "<HTTPModifier><AssignTo createNew='false' transport='http' type='response'/><Set><StatusCode>202</StatusCode><ReasonPhrase>Later</ReasonPhrase></Set></HTTPModifier>";
    let mut design = design().policy("m", modifier);
    design.proxy().flows.post.response.push(step("m"));
    let sent = Bench::new(&design).get("/p").receive(response(200, &[], ""));
    assert_eq!((sent.status(), sent.var("response.reason.phrase")), (202, "Later".into()));
}

#[test]
fn another_message_can_be_made() {
    let sent = run(
        "<AssignTo createNew='true' type='request'>mine</AssignTo><Set><Headers><Header name='x'>1</Header></Headers></Set>",
    );
    assert_eq!((sent.var("mine.header.x"), sent.header("x")), ("1".into(), "".into()));
}

#[test]
fn fault_unresolved_variable_unless_ignored() {
    let set = "<Set><Headers><Header name='x'>a{none}</Header></Headers></Set>";
    let sent = run(set);
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.httpmodifier.UnresolvedVariable"));
    assert_eq!(sent.var("httpmodifier.s0.failed"), "true");
    let sent = run(&format!("{set}<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>"));
    assert_eq!(sent.header("x"), "a");
}

#[test]
fn fault_set_variable_failed_and_variable_of_non_message_type() {
    let sent = run("<Set><Verb>{request.queryparam.q} x</Verb></Set>");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.httpmodifier.SetVariableFailed"));
    let modifier = "<HTTPModifier><AssignTo>error</AssignTo><Set><Headers><Header name='x'>1</Header></Headers></Set></HTTPModifier>";
    let sent = Bench::new(&design().step(modifier)).get("/p");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.httpmodifier.VariableOfNonMsgType"));
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("<Copy/>", "UnknownElement"),
        ("<AssignVariable><Name>a</Name></AssignVariable>", "UnknownElement"),
        ("<Set><Payload>x</Payload></Set>", "UnknownElement"),
        ("<Set><StatusCode>99</StatusCode></Set>", "InvalidStatusCode"),
        ("<Set><Headers><Header name='x.0'>1</Header></Headers></Set>", "InvalidIndex"),
    ] {
        assert_eq!(problem_of(&format!("<HTTPModifier>{inside}</HTTPModifier>")), rule, "{inside}");
    }
}
