use http::Method;

use super::*;
use crate::design::Destination;
use crate::dialect::Dialect;
use crate::testing::*;

fn sent() -> Sent {
    let headers = [
        ("Host", "api.example:8080"),
        ("Accept", "text/html, application/json"),
        ("X-Two", "a"),
        ("X-Two", "b, c"),
        ("User-Agent", "curl (x, y)"),
        ("X-Forwarded-For", "198.51.100.1, 198.51.100.2"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let bench = Bench::new(&design());
    bench.send(request(Method::POST, "/p/some%2dpath?q=1&r=x%20y&q=2", &headers, "f=1&g=a+b&f=2"))
}

#[test]
fn the_parts_of_a_message_can_be_read() {
    let sent = sent();
    for (name, value) in [
        ("request.verb", "POST"),
        ("request.version", "1.1"),
        ("request.header.Accept", "text/html, application/json"),
        ("request.header.accept.values", "[text/html, application/json]"),
        ("request.header.accept.1", "text/html"),
        ("request.header.x-two", "a"),
        ("request.header.x-two.2", "b"),
        ("request.header.x-two.4", "null"),
        ("request.header.x-two.values", "[a, b, c]"),
        ("request.header.x-two.values.count", "3"),
        ("request.header.x-two.values.string", "a,b, c"),
        ("request.header.user-agent.values.count", "1"),
        ("request.header.none", "null"),
        ("request.header.none.values.count", "0"),
        ("request.headers.count", "6"),
        ("request.headers.names", "[host, accept, x-two, user-agent, x-forwarded-for, content-type]"),
        ("request.queryparam.q", "1"),
        ("request.queryparam.r", "x y"),
        ("request.queryparam.q.2", "2"),
        ("request.queryparam.q.values", "[1, 2]"),
        ("request.queryparam.q.values.count", "2"),
        ("request.queryparam.z", "null"),
        ("request.queryparams.count", "2"),
        ("request.queryparams.names", "[q, r]"),
        ("request.querystring", "q=1&r=x%20y&q=2"),
        ("request.formparam.f", "1"),
        ("request.formparam.g", "a b"),
        ("request.formparam.f.values.count", "2"),
        ("request.formparams.count", "2"),
        ("request.formparams.names", "[f, g]"),
        ("request.formstring", "f=1&g=a+b&f=2"),
        ("request.content", "f=1&g=a+b&f=2"),
        ("request", "f=1&g=a+b&f=2"),
        ("request.transportid", "http"),
        ("request.status.code", "null"),
        ("message.verb", "POST"),
        ("response.content", "null"),
        ("response.status.code", "null"),
        ("error.content", "null"),
    ] {
        assert_eq!(sent.var(name), value, "{name}");
    }
}

#[test]
fn what_the_exchange_knows_can_be_read() {
    let sent = sent();
    for (name, value) in [
        ("proxy.basepath", "/p"),
        ("proxy.pathsuffix", "/some-path"),
        ("proxy.url", "http://api.example:8080/p/some-path?q=1&r=x%20y&q=2"),
        ("proxy.name", "default"),
        ("proxy.client.ip", "198.51.100.2"),
        ("apiproxy.name", "P"),
        ("apiproxy.revision", "3"),
        ("apiproxy.basepath", "/p"),
        ("organization.name", "acme"),
        ("environment.name", "test"),
        ("virtualhost.name", "default"),
        ("virtualhost.ssl.enabled", "false"),
        ("virtualhost.aliases.values", "[]"),
        ("route.name", "r"),
        ("route.target", "default"),
        ("client.ip", "203.0.113.9"),
        ("client.host", "127.0.0.1"),
        ("client.port", "4711"),
        ("client.scheme", "http"),
        ("client.ssl.enabled", "false"),
        ("client.cn", "null"),
        ("client.received.start.timestamp", "1496775291007"),
        ("client.received.start.time", "Tue, 06 Jun 2017 18:54:51 UTC"),
        ("client.sent.end.timestamp", "null"),
        ("target.name", "default"),
        ("target.url", "https://backend.example:443/api/"),
        ("target.basepath", "/api/"),
        ("target.host", "backend.example"),
        ("target.port", "443"),
        ("target.scheme", "https"),
        ("target.ssl.enabled", "true"),
        ("target.copy.pathsuffix", "true"),
        ("system.timestamp", "1496775291007"),
        ("system.time", "Tue, 06 Jun 2017 18:54:51 UTC"),
        ("system.time.year", "2017"),
        ("system.time.month", "6"),
        ("system.time.day", "6"),
        ("system.time.dayofweek", "Tuesday"),
        ("system.time.hour", "18"),
        ("system.time.minute", "54"),
        ("system.time.second", "51"),
        ("system.time.millisecond", "7"),
        ("system.time.zone", "UTC"),
        ("is.error", "false"),
        ("error.state", "null"),
        ("fault.name", "null"),
        ("current.flow.name", "PostFlow"),
        ("proxy.flow.name", "PostFlow"),
        ("target.flow.name", "PostFlow"),
        ("nothing.of.the.kind", "null"),
    ] {
        assert_eq!(sent.var(name), value, "{name}");
    }
    assert_eq!(sent.var("messageid").len(), 24);
    assert_eq!(sent.var("messageid"), sent.var("messageid"));
}

#[test]
fn the_uri_is_the_targets_once_there_is_one() {
    let sent = sent();
    assert_eq!(sent.var("request.uri"), "/api/some-path?q=1&r=x%20y&q=2");
    assert_eq!(sent.var("request.path"), "/api/some-path");
    assert_eq!(sent.var("request.url"), "https://backend.example:443/api/some-path?q=1&r=x%20y&q=2");

    let before = Bench::new(&design()).begin(get("/p/some%2dpath?q=1")).unwrap();
    let read = |name: &str| {
        use crate::condition::Lookup;
        before.value(&Variable::new(name)).to_string()
    };
    assert_eq!(read("request.uri"), "/p/some%2dpath?q=1");
    assert_eq!(read("request.path"), "/p/some-path");
    assert_eq!(read("target.url"), "null");
}

#[test]
fn the_hub_of_this_installation_has_a_path_and_no_server() {
    let oc = Destination::Provider { name: "oc".into(), relative_path: "/elements/api-v2/".into() };
    let sent = Bench::new(&design().on_target(oc)).get("/p/files?a=1");
    assert_eq!(sent.var("request.uri"), "/elements/api-v2/files?a=1");
    assert_eq!(sent.var("target.host"), "null");
}

#[test]
fn a_node_and_its_targets_address_have_names() {
    let mut sent = sent();
    for (name, value) in [
        ("system.pod.name", "pod-1"),
        ("system.region.name", "eu"),
        ("system.uuid", "9-9"),
        ("system.interface.eth0", "10.0.0.5"),
        ("system.interface.eth1", "null"),
        ("target.expectedcn", "backend.example"),
        ("target.ip", "null"),
    ] {
        assert_eq!(sent.var(name), value, "{name}");
    }
    sent.cx.target_ip = Some([192, 0, 2, 1].into());
    assert_eq!(sent.var("target.ip"), "192.0.2.1");
    assert!(sent.cx.set(&Variable::new("system.interface.eth0"), None).is_err());
}

#[test]
fn error_variables_tell_what_happened() {
    let sent = Bench::new(&design().step("<RaiseFault/>")).get("/p");
    for (name, value) in [
        ("is.error", "true"),
        ("error.status.code", "500"),
        ("error.reason.phrase", "Internal Server Error"),
        ("error.header.content-type", "application/json"),
        ("error.message", "Raising fault. Fault name : s0"),
        ("error.state", "1"),
        ("fault.name", "RaiseFault"),
        ("fault.type", "steps.raisefault"),
        ("fault.category", "Step"),
        ("fault.policy", "s0"),
        ("message.status.code", "500"),
    ] {
        assert_eq!(sent.var(name), value, "{name}");
    }
    assert!(sent.var("error.content").contains("steps.raisefault.RaiseFault"));
    assert_eq!(sent.var("error"), sent.var("error.content"));
}

#[test]
fn sap_shows_only_the_first_item_of_a_list() {
    let mut world = world();
    world.dialect = Dialect::Sap;
    let proxy = crate::compile::compile(&design(), "1", &world).unwrap();
    let bench = Bench::on(crate::snapshot::Snapshot::empty("acme", "test").with_proxy(proxy).unwrap());
    let headers = [("accept", "text/html, application/json"), ("authorization", "User a, Organization b")];
    let sent = bench.send(request(Method::GET, "/p", &headers, ""));
    assert_eq!(sent.var("request.header.accept"), "text/html");
    assert_eq!(sent.var("request.header.authorization"), "User a, Organization b");
}

#[test]
fn variables_of_a_fixed_name_cannot_be_set_but_for_three() {
    for name in Fact::NAMES {
        let mut sent = sent();
        let writable = matches!(*name, "target.url" | "target.copy.pathsuffix" | "target.copy.queryparams");
        let set = sent.cx.set(&Variable::new(name), Some("x".into()));
        assert_eq!(set.is_ok(), writable, "{name}");
    }
}

#[test]
fn private_variables_are_known_by_their_name() {
    assert!(Variable::new("private.x").is_private());
    assert!(!Variable::new("privatex").is_private());
}
