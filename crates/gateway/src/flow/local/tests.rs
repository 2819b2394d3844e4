use futures_util::FutureExt as _;
use http::Method;

use super::*;
use crate::design::{Destination, ProxyDesign, RouteRule};
use crate::snapshot::Snapshot;
use crate::testing::*;

/// A second proxy at `/inner`, whose null route answers with what it was asked.
fn inner() -> ProxyDesign {
    let answer = "<AssignMessage><Set><StatusCode>201</StatusCode><Payload>{request.verb} {proxy.pathsuffix} {request.queryparam.a} {request.content} {messageid}</Payload></Set><IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables></AssignMessage>";
    let mut design = design().policy("answer", answer);
    design.name = "Inner".into();
    design.proxy().base_path = "/inner".into();
    design.proxy().routes = vec![RouteRule { name: "none".into(), ..RouteRule::default() }];
    design.proxy().flows.post.response = vec![step("answer")];
    design
}

fn bench(destination: Destination) -> Bench {
    let outer = design().on_target(destination);
    let snapshot = Snapshot::empty("acme", "test").with_proxy(compiled(&inner())).unwrap();
    Bench::on(snapshot.with_proxy(compiled(&outer)).unwrap())
}

fn to_inner() -> Destination {
    Destination::LocalProxy { proxy: "Inner".into(), endpoint: "default".into() }
}

#[test]
fn another_proxy_is_found_by_name_or_by_path() {
    assert_eq!(bench(to_inner()).get("/p/x%20y?a=1").url(), "local:Inner:/inner/x%20y?a=1");
    let by_path = |path: &str| bench(Destination::LocalPath(path.into())).get("/p/x?a=1");
    assert_eq!(by_path("/inner/v1").url(), "local:Inner:/inner/v1/x?a=1");
    assert_eq!(by_path("/{request.header.host}").status(), 404);
    let unknown = Destination::LocalProxy { proxy: "Inner".into(), endpoint: "other".into() };
    let sent = bench(unknown).get("/p");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "messaging.runtime.UnknownTargetEndpoint"));
}

#[test]
fn a_proxy_that_is_not_deployed_yet_is_said_at_deploy() {
    let outer = design().on_target(to_inner());
    assert_eq!(compiled(&outer).warnings[0].rule, "UnknownProxy");
}

#[test]
fn a_step_can_call_another_proxy_of_its_snapshot() {
    let bench = bench(to_inner());
    let cx = bench.begin(get("/p")).unwrap();
    let by_name = LocalAddress::Proxy { proxy: "Inner".into(), endpoint: "default".into() };
    let request = request(Method::POST, "/below?a=7", &[], "body");
    let answer = call_local(&cx, &by_name, request.clone()).now_or_never().unwrap().unwrap();
    let expected = format!("POST /below 7 body {}", cx.message_id().as_str());
    assert_eq!((answer.status().as_u16(), answer.content().into_owned()), (201, expected));

    let mut by_path = request;
    by_path.as_request_mut().unwrap().uri = "/inner/z".parse().unwrap();
    let answer = call_local(&cx, &LocalAddress::Path, by_path).now_or_never().unwrap().unwrap();
    assert!(answer.content().starts_with("POST /z "), "{}", answer.content());
    let nowhere = call_local(&cx, &LocalAddress::Path, get("/nowhere")).now_or_never().unwrap();
    assert!(matches!(nowhere, Err(EngineFault::UnknownTarget(_))));
}

#[test]
fn a_proxy_called_by_a_step_calls_its_own_target() {
    let bench = bench(to_inner());
    let mut network = inner();
    network.proxy().routes[0].target = Some("default".into());
    let bench = bench.with(|old| old.with_proxy(compiled(&network)).unwrap());
    bench.outside.answers.borrow_mut().push(Ok(response(200, &[("x-from", "backend")], "theirs")));
    let cx = bench.begin(get("/p")).unwrap();
    let to = LocalAddress::Proxy { proxy: "Inner".into(), endpoint: "default".into() };

    let answer = call_local(&cx, &to, request(Method::PUT, "/x", &[], "b")).now_or_never().unwrap().unwrap();

    assert_eq!((answer.status().as_u16(), &answer.headers["x-from"]), (201, &"backend".parse().unwrap()));
    let called = bench.outside.called.borrow();
    assert_eq!(called[0].request.as_request().unwrap().uri, "/api/x");
    assert_eq!(called[0].request.content(), "b");
    drop(called);
    let failed = call_local(&cx, &to, get("/x")).now_or_never().unwrap().unwrap();
    assert_eq!(failed.status().as_u16(), 503, "as it would be over the network");
}

#[test]
fn proxies_that_call_each_other_in_a_circle_are_stopped() {
    let mut circle = inner().on_target(to_inner());
    circle.proxy().routes[0].target = Some("default".into());
    circle.proxy().flows.post.response.clear();
    let bench = bench(to_inner()).with(|old| old.with_proxy(compiled(&circle)).unwrap());
    let cx = bench.begin(get("/p")).unwrap();
    let to = LocalAddress::Proxy { proxy: "Inner".into(), endpoint: "default".into() };
    let answer = call_local(&cx, &to, get("/x")).now_or_never().unwrap().unwrap();
    assert_eq!(answer.status().as_u16(), 508);
    assert!(answer.content().contains("messaging.runtime.LoopDetected"), "{}", answer.content());
}
