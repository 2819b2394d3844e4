//! Where requests go, and what goes with them.

use super::*;

#[test]
fn the_target_url_and_its_parts_can_be_set() {
    let set = |name: &str, value: &str| {
        let mut design = design().policy(
            "set",
            &format!("<AssignMessage><AssignVariable><Name>{name}</Name><Value>{value}</Value></AssignVariable></AssignMessage>"),
        );
        design.target().flows.pre.request = vec![step("set")];
        Bench::new(&design).get("/p/x?a=1")
    };
    assert_eq!(set("target.url", "http://new.example:81/y?z=2").url(), "http://new.example:81/y?z=2&a=1");
    assert_eq!(set("target.copy.pathsuffix", "false").url(), "https://backend.example:443/api/?a=1");
    assert_eq!(set("target.copy.queryparams", "false").url(), "https://backend.example:443/api/x");
    let sent = set("target.url", "ftp://x/y");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "messaging.runtime.UnknownTargetEndpoint"));
    assert_eq!(set("target.url", "http://user:pw@h/").status(), 500);
}

#[test]
fn a_route_may_lead_to_a_url_without_a_target_endpoint() {
    let mut design = marked();
    design.proxy().routes[0].target = None;
    design.proxy().routes[0].url = Some("https://other.example/v2/{request.header.part}".into());
    let bench = Bench::new(&design);
    let sent = bench.send(request(Method::GET, "/p/x/y", &[("part", "a")], ""));
    assert_eq!(sent.url(), "https://other.example:443/v2/a/x/y");
    assert_eq!(sent.var("trail"), "p1,p2,p3,", "no target endpoint, no flows of one");
    assert_eq!(sent.var("route.name"), "r");
    let sent = sent.receive(response(200, &[], "ok"));
    assert_eq!(sent.body(), "ok");
    design.proxy().routes[0].url = Some("ftp://x".into());
    assert_eq!(compiled(&design).degradations[0].kind, "URL");
}

fn with_properties(properties: &[(&str, &str)]) -> Bench {
    let mut design = design().policy(
        "set",
        "<AssignMessage><Set><Headers><Header name=\"x-ours\">1</Header></Headers></Set></AssignMessage>",
    );
    design.target().flows.pre.request = vec![step("set")];
    let property = |(name, value): &(&str, &str)| crate::design::Property {
        name: (*name).into(),
        value: (*value).into(),
    };
    design.target().properties = properties.iter().map(property).collect();
    Bench::new(&design)
}

#[test]
fn only_listed_headers_and_parameters_go_on_when_others_are_not_retained() {
    let headers = [("host", "h"), ("x-a", "1"), ("x-b", "2"), ("content-type", "text/plain")];
    let get = || request(Method::POST, "/p?a=1&b=2&A=3", &headers, "x");
    let sent = with_properties(&[]).send(get());
    assert_eq!(
        (sent.header("x-a"), sent.url()),
        ("1".into(), "https://backend.example:443/api/?a=1&b=2&A=3".into())
    );
    let bench = with_properties(&[
        ("request.retain.headers.enabled", "false"),
        ("request.retain.headers", "X-A, x-c"),
        ("request.retain.queryparams.enabled", "false"),
        ("request.retain.queryparams", "b"),
        ("response.retain.headers.enabled", "false"),
        ("response.retain.headers", "x-kept"),
    ]);
    let sent = bench.send(get());
    assert_eq!(
        (sent.header("x-a"), sent.header("x-b"), sent.header("x-ours")),
        ("1".into(), String::new(), "1".into())
    );
    assert_eq!(sent.header("content-type"), "text/plain", "what tells how to read the body stays with it");
    assert_eq!(sent.url(), "https://backend.example:443/api/?b=2");
    let sent = sent.receive(response(200, &[("x-kept", "1"), ("x-dropped", "1")], "ok"));
    assert_eq!(
        (sent.response_header("x-kept"), sent.response_header("x-dropped")),
        ("1".into(), String::new())
    );
    let all = with_properties(&[("request.retain.headers", "x-a")]).send(get());
    assert_eq!(all.header("x-b"), "2", "a list alone drops nothing");
}

#[test]
fn a_target_url_may_be_a_template() {
    let design = design().on_target(Destination::Url("https://{request.header.to}.example/v1".into()));
    let bench = Bench::new(&design);
    let sent = bench.send(request(Method::GET, "/p/x", &[("to", "eu")], ""));
    assert_eq!(sent.url(), "https://eu.example:443/v1/x");
    assert_eq!(sent.var("target.url"), "https://eu.example/v1");
    assert_eq!(bench.get("/p/x").status(), 500);
}

#[test]
fn through_an_open_connectors_provider_only_hub_calls_pass() {
    let at = |provider: &str, path: &str| {
        let design = design().on_target(Destination::Provider {
            name: provider.into(),
            relative_path: "/elements/api-v2/".into(),
        });
        Bench::new(&design).get(path)
    };
    assert_eq!(at("oc", "/p/files?path=/a.pdf").url(), "hub:/files?path=/a.pdf");
    assert_eq!(
        at("oc-remote", "/p/hubs/documents/files").url(),
        "https://hub.example:443/elements/api-v2/hubs/documents/files"
    );
    for path in [
        "/p",
        "/p/",
        "/p/organizations/me",
        "/p/instances",
        "/p/authentication/secrets",
        "/p/Instances",
        "/p/%69nstances",
        "/p/files%2f..%2finstances",
        "/p//instances",
        "/p/instances;x",
    ] {
        for provider in ["oc", "oc-remote"] {
            let sent = at(provider, path);
            assert!(sent.is_answered(), "{path}");
            assert_eq!((sent.status(), sent.code().as_str()), (403, "oc.PlatformRouteForbidden"), "{path}");
        }
    }
}

#[test]
fn a_path_of_two_meanings_towards_a_hub_is_a_closed_door_too() {
    let oc = Destination::Provider { name: "oc".into(), relative_path: "/elements/api-v2/".into() };
    let bench = Bench::new(&design().on_target(oc));
    for path in
        ["/p/./instances", "/p/files/%2e%2e/instances", "/p/files/..%5cinstances", "/p/%00", "/p/%c0%af"]
    {
        let answer = bench.begin(get(path)).err().unwrap().answer();
        assert_eq!(answer.status().as_u16(), 403, "{path}");
        assert!(answer.content().contains("oc.PlatformRouteForbidden"), "{}", answer.content());
    }
    assert_eq!(bench.begin(get("/other/../p/files")).err().unwrap().answer().status().as_u16(), 400);
}

#[test]
fn the_secrets_of_a_hub_cannot_be_sent_elsewhere() {
    let oc = Destination::Provider { name: "oc".into(), relative_path: "/elements/api-v2/".into() };
    let with = |xml: &str| {
        let mut design = design().on_target(oc.clone()).policy("set", xml);
        design.target().flows.pre.request = vec![step("set")];
        Bench::new(&design).get("/p/files")
    };
    let url = "<AssignMessage><AssignVariable><Name>target.url</Name><Value>http://evil.example/</Value></AssignVariable></AssignMessage>";
    assert_eq!(with(url).status(), 500);
    let path = "<AssignMessage><Set><Path>/instances</Path></Set></AssignMessage>";
    assert_eq!(with(path).status(), 403);
    let path = "<AssignMessage><Set><Path>/files/9</Path></Set></AssignMessage>";
    assert_eq!(with(path).url(), "hub:/files/9");
}
