//! `httpClient`: calls that scripts make.

use super::inline;
use crate::fault::EngineFault;
use crate::testing::*;

#[test]
fn a_script_can_call_out_and_wait() {
    let bench = Bench::new(&design().step(&inline(
        "var call = httpClient.send(new Request('https://other.example/x?y=1', 'POST', {'Content-Type': 'text/plain', 'X-A': ['1', '2']}, 'hello'));\
         call.waitForComplete(); var answer = call.getResponse();\
         context.setVariable('out', [call.isComplete(), call.isSuccess(), call.isError(), answer.status, answer.status == 201, \
         answer.headers['x-b'], answer.headers['X-B'][0], answer.content.asJSON.ok, call.getError()].join('|'));",
    )));
    bench.outside.answers.borrow_mut().push(Ok(response(201, &[("X-B", "b")], r#"{"ok":true}"#)));
    let sent = bench.send_waiting(get("/p"));
    assert_eq!(sent.var("out"), "true|true|false|201|true|b|b|true|");
    let called = bench.outside.called.borrow();
    assert_eq!(called.len(), 1);
    let head = called[0].request.as_request().unwrap();
    assert_eq!((head.method.as_str(), head.uri.as_str()), ("POST", "/x?y=1"));
    assert_eq!(
        (&*called[0].endpoint.host, called[0].endpoint.port, called[0].endpoint.tls),
        ("other.example", 443, true)
    );
    assert_eq!(called[0].request.body.bytes(), b"hello");
    assert_eq!(called[0].request.headers.get_all("x-a").iter().count(), 2);
}

#[test]
fn a_call_that_fails_is_an_error_of_the_exchange() {
    let bench = Bench::new(&design().step(&inline(
        "var out = []; ['http://down.example/', 'nonsense'].forEach(function (url) { var call = httpClient.get(url);\
         call.waitForComplete(1000); out.push(call.isSuccess(), call.isError(), call.getError()); });\
         context.setVariable('out', out.join('|'));",
    )));
    bench.outside.answers.borrow_mut().push(Err(EngineFault::GatewayTimeout));
    let sent = bench.send_waiting(get("/p"));
    assert_eq!(
        sent.var("out"),
        "false|true|Gateway Timeout|false|true|'nonsense' is not an http or https URL"
    );
}

#[test]
fn a_callback_is_called_with_answer_or_error() {
    let bench = Bench::new(&design().step(&inline(
        "function done(answer, error) { context.setVariable('out', (context.getVariable('out') || '') + (error ? 'E:' + error : answer.content) + ';') }\
         httpClient.get('http://a.example/', done); httpClient.send(new Request('http://b.example/'), done);",
    )));
    bench
        .outside
        .answers
        .borrow_mut()
        .extend([Ok(response(200, &[], "first")), Err(EngineFault::ServiceUnavailable)]);
    let sent = bench.send_waiting(get("/p"));
    assert_eq!(sent.var("out"), "first;E:The Service is temporarily unavailable;");
}

#[test]
fn a_call_begun_in_one_script_is_waited_for_in_another() {
    let design = design()
        .step(&inline("context.session['call'] = httpClient.get('http://a.example/'); context.setVariable('again', context.session.call)"))
        .step(&inline(
            "var call = context.session['call']; call.waitForComplete();\
             context.setVariable('out', call.getResponse().content + context.getVariable('again').isSuccess())",
        ));
    let bench = Bench::new(&design);
    bench.outside.answers.borrow_mut().push(Ok(response(200, &[], "kept ")));
    assert_eq!(bench.send_waiting(get("/p")).var("out"), "kept true");
}

#[test]
fn ssl_info_can_trust_every_certificate_and_asks_for_no_more() {
    let xml = "<Javascript><SSLInfo><Enabled>true</Enabled><ClientAuthEnabled>false</ClientAuthEnabled><KeyStore/><KeyAlias/><TrustStore/>\
               <Ciphers/><Protocols/><IgnoreValidationErrors>true</IgnoreValidationErrors></SSLInfo>\
               <Source>httpClient.get('https://a.example/').waitForComplete()</Source></Javascript>";
    let bench = Bench::new(&design().step(xml));
    bench.send_waiting(get("/p"));
    assert!(bench.outside.called.borrow()[0].endpoint.trust_all);
    let trusting = "<Javascript><SSLInfo><Enabled>true</Enabled><TrustStore>ts</TrustStore></SSLInfo><Source>1</Source></Javascript>";
    assert!(compiled(&design().step(trusting)).is_degraded());
}
