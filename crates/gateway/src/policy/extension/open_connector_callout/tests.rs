use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};

use crate::exchange::Message;
use crate::fault::EngineFault;
use crate::ports::{Hub, HubBody, PortFuture};
use crate::testing::*;

const MAP: &str = "apim.occallout.instance.secret.one";

fn callout(provider: &str, path: &str) -> String {
    format!(
        "<OpenConnectorCallout><Request><Set><Headers><Header name='X-H'>h</Header></Headers>\
         <QueryParams><QueryParam name='path'>/a.pdf</QueryParam></QueryParams><Verb>POST</Verb><Path>{path}</Path>\
         <Payload>body</Payload></Set></Request><Response>r</Response><Timeout>30000</Timeout>\
         <APIProvider>{provider}</APIProvider>\
         <InstanceSecret kvm-map-name='{MAP}' kvm-key-name='default'/></OpenConnectorCallout>"
    )
}

fn bench(xml: &str, answers: Vec<Result<Message, EngineFault>>) -> Bench {
    let bench = Bench::new(&design().step(xml)).kvm(MAP, true, &[("default", "e-1")]);
    *bench.outside.answers.borrow_mut() = answers;
    bench
}

#[test]
fn a_hub_elsewhere_is_called_with_the_three_secrets_that_no_step_sees() {
    for path in ["/files", "/elements/api-v2/files"] {
        let bench = bench(&callout("oc-remote", path), vec![Ok(response(200, &[], "file"))]);
        let sent = bench.send_waiting(get("/p"));
        assert_eq!(sent.var("r.content"), "file", "{}", sent.body());
        let called = bench.outside.called.borrow();
        assert_eq!(called[0].request.headers["authorization"], "User u-1, Organization o-1, Element e-1");
        assert!(called[0].request.headers["authorization"].is_sensitive());
        assert_eq!(
            called[0].request.as_request().unwrap().uri.as_str(),
            "/elements/api-v2/files?path=%2Fa.pdf"
        );
        assert_eq!((&*called[0].endpoint.host, called[0].within.as_secs()), ("hub.example", 30));
        assert_eq!(sent.var("servicecallout.request.header.authorization"), "null");
        assert_eq!(sent.header("authorization"), "");
    }
}

/// Answers with what it was asked.
#[derive(Default)]
struct Echo(Mutex<Vec<String>>);

impl Hub for Echo {
    fn call(&self, request: http::Request<HubBody>) -> PortFuture<http::Response<HubBody>> {
        let shown = format!("{} {} {:?}", request.method(), request.uri(), request.headers().get("x-h"));
        self.0.lock().unwrap().push(shown);
        let secrets = request.headers()["authorization"].to_str().unwrap().to_owned();
        Box::pin(async move {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let echo = [secrets.as_bytes(), b" / ", &body].concat();
            http::Response::new(HubBody::new(Full::new(echo.into()).map_err(|never| match never {})))
        })
    }
}

#[test]
fn the_hub_of_this_installation_is_called_in_process() {
    let bench = bench(&callout("oc", "/files"), vec![]);
    let hub = Arc::new(Echo::default());
    let sent = bench.send_waiting_with_hub(get("/p"), hub.clone());
    assert_eq!(sent.var("r.content"), "User u-1, Organization o-1, Element e-1 / body", "{}", sent.body());
    assert_eq!(*hub.0.lock().unwrap(), ["POST /files?path=%2Fa.pdf Some(\"h\")"]);
}

#[test]
fn form_parameters_become_the_body() {
    let xml = callout("oc-remote", "/files")
        .replace("<Payload>body</Payload>", "<FormParams><FormParam name='a'>1 2</FormParam></FormParams>");
    let bench = bench(&xml, vec![Ok(response(200, &[], ""))]);
    bench.send_waiting(get("/p"));
    let called = bench.outside.called.borrow();
    assert_eq!(called[0].request.body.bytes(), b"a=1+2");
    assert_eq!(called[0].request.headers["content-type"], "application/x-www-form-urlencoded");
}

#[test]
fn only_hub_calls_pass() {
    for path in ["/organizations", "/instances", "/elements/api-v2/instances", "/x;y", ""] {
        let sent = bench(&callout("oc-remote", path), vec![]).send_waiting(get("/p"));
        assert_eq!((sent.status(), sent.code().as_str()), (403, "oc.PlatformRouteForbidden"), "{path}");
    }
}

#[test]
fn without_a_token_the_hub_is_not_called() {
    let bench = Bench::new(&design().step(&callout("oc-remote", "/files")));
    let sent = bench.send_waiting(get("/p"));
    assert_eq!((sent.status(), sent.code().as_str()), (500, "oc.NoInstanceToken"));
    assert!(bench.outside.called.borrow().is_empty());
}

#[test]
fn an_error_of_the_hub_fails_the_step() {
    let failed =
        bench(&callout("oc-remote", "/files"), vec![Ok(response(404, &[], "none"))]).send_waiting(get("/p"));
    assert_eq!(
        (failed.status(), failed.code().as_str()),
        (500, "steps.openconnectorcallout.ExecutionFailed")
    );
    assert_eq!([failed.var("r.content"), failed.var("openconnectorcallout.s0.failed")], ["none", "true"]);
    let down = bench(&callout("oc", "/files"), vec![]).send_waiting(get("/p"));
    assert_eq!(down.code(), "steps.openconnectorcallout.ExecutionFailed");
}

#[test]
fn mistakes_in_the_policy_are_told_with_their_rules() {
    let good = callout("oc", "/files");
    for (xml, rule) in [
        (good.replace("<APIProvider>oc</APIProvider>", ""), "ConnectionInfoMissing"),
        (good.replace(">oc<", ">backend<"), "NotAnOpenConnectorsProvider"),
        (good.replace(">oc<", ">none<"), "UnknownProvider"),
        (good.replace("kvm-key-name='default'", ""), "InstanceSecretIsMissing"),
        (good.replace("30000", "-1"), "InvalidTimeoutValue"),
        (
            good.replace(
                "<APIProvider>oc</APIProvider>",
                "<HTTPTargetConnection><URL>x</URL><APIProvider>oc</APIProvider></HTTPTargetConnection>",
            ),
            "UnknownElement",
        ),
    ] {
        assert_eq!(problem_of(&xml), rule, "{xml}");
    }
}
