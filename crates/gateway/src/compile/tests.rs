use super::*;
use crate::design::{Destination, Property, TlsSettings};
use crate::snapshot::Snapshot;
use crate::testing::*;

fn rules(design: &ProxyDesign) -> Vec<&'static str> {
    problems(design).into_iter().map(|problem| problem.rule).collect()
}

#[test]
fn every_mistake_is_reported_at_once_with_its_place() {
    let mut design = design()
        .policy("Broken", "<AssignMessage>\n<Set>\n<Oops/>\n</Set></AssignMessage>")
        .policy("NoXml", "<A>\n\n<B></A>")
        .policy("Future", "<Future/>");
    design.proxy().base_path = "nope".into();
    design.proxy().routes[0].target = Some("nowhere".into());
    design.proxy().flows.pre.request = vec![step("missing"), step_if("Broken", "a = ")];
    design.target().destination = Destination::Provider { name: "unknown".into(), relative_path: "/".into() };

    let found: Vec<String> = problems(&design).iter().map(ToString::to_string).collect();

    assert_eq!(
        found,
        [
            "policy Broken, line 3: Set has no element 'Oops' here [UnknownElement]",
            "policy NoXml, line 3: not a policy document: ill-formed document: expected `</B>`, but `</A>` was found [BadXml]",
            "policy Future, line 1: neither original has policies of kind Future [UnknownPolicyKind]",
            "target endpoint default: there is no API provider 'unknown' [UnknownProvider]",
            "proxy endpoint default: base path 'nope': the path does not start with a slash [InvalidBasePath]",
            "proxy endpoint default: PreFlow, step missing: there is no policy 'missing' [UnknownPolicy]",
            "proxy endpoint default: PreFlow, step Broken: condition, character 4: expected a value after the operator [BadCondition]",
            "proxy endpoint default: route rule r: there is no target endpoint 'nowhere' [UnknownTarget]",
        ]
    );
}

#[test]
fn names_are_unique_and_endpoints_are_needed() {
    let twice = design().policy("A", "<RaiseFault/>").policy("A", "<RaiseFault/>");
    assert_eq!(rules(&twice), ["DuplicatePolicy"]);

    let mut endpoints = design();
    endpoints.proxy_endpoints.push(endpoints.proxy_endpoints[0].clone());
    endpoints.target_endpoints.push(endpoints.target_endpoints[0].clone());
    assert_eq!(rules(&endpoints), ["DuplicateEndpoint", "DuplicateEndpoint", "DuplicateBasePath"]);

    let mut none = design();
    none.proxy_endpoints.clear();
    assert_eq!(rules(&none), ["NoProxyEndpoint"]);

    let mut unnamed = design();
    unnamed.name = " ".into();
    assert_eq!(rules(&unnamed), ["NameIsMissing"]);
    assert_eq!(rules(&design().policy("a/../b", "<RaiseFault/>")), ["InvalidPolicyName"]);
}

#[test]
fn a_base_path_that_another_proxy_has_is_refused_but_not_the_own() {
    let running = Snapshot::empty("acme", "test").with_proxy(compiled(&design())).unwrap();
    let world = world_on(running);
    assert!(compile(&design(), "4", &world).is_ok());

    let mut other = design();
    other.name = "Q".into();
    other.proxy().base_path = "/p/".into();
    let problems = compile(&other, "1", &world).unwrap_err();
    assert_eq!(problems[0].rule, "DuplicateBasePath");
    assert_eq!(problems[0].message, "base path '/p' is taken by API proxy 'P'");
}

#[test]
fn unknown_virtual_hosts_are_refused() {
    let mut design = design();
    design.proxy().virtual_hosts = vec!["secure".into()];
    assert_eq!(rules(&design), ["UnknownVirtualHost"]);
}

#[test]
fn target_urls_and_relative_paths_are_checked() {
    assert!(rules(&design().on_target(Destination::Url("https://{x}/y".into()))).is_empty());
    let provider = |name: &str, path: &str| {
        rules(&design().on_target(Destination::Provider { name: name.into(), relative_path: path.into() }))
    };
    for path in ["/a/../b", "/a?b", "/a b", "/a\\b"] {
        assert_eq!(provider("backend", path), ["InvalidRelativePath"], "{path}");
    }
    for path in ["", "a", "/a/"] {
        assert!(provider("backend", path).is_empty(), "{path}");
    }
    for path in ["/", "/elements", "/elements/api-v2x", "/other"] {
        assert_eq!(provider("oc", path), ["InvalidRelativePath"], "{path}");
    }
    assert!(provider("oc", "/elements/api-v2").is_empty());
}

#[test]
fn properties_are_known_and_have_good_values() {
    let property = |name: &str, value: &str| {
        let mut design = design();
        design.target().properties = vec![Property { name: name.into(), value: value.into() }];
        rules(&design)
    };
    for (name, value) in [
        ("io.timeout.millis", "1000"),
        ("connect.timeout.millis", "3000"),
        ("keepalive.timeout.millis", "60000"),
        ("success.codes", "1xx,2xx,3xx,404"),
        ("response.streaming.enabled", "true"),
        ("compression.algorithm", "none"),
        ("supports.http10", "false"),
    ] {
        assert!(property(name, value).is_empty(), "{name} {value}");
    }
    assert_eq!(property("io.timeout.millis", "0"), ["InvalidProperty"]);
    assert_eq!(property("io.timeout.millis", "1s"), ["InvalidProperty"]);
    assert_eq!(property("success.codes", "2xy"), ["InvalidProperty"]);
    assert_eq!(property("success.codes", "9xx"), ["InvalidProperty"]);
    assert_eq!(property("supports.http11", "yes"), ["InvalidProperty"]);
    assert!(property("compression.algorithm", "gzip").is_empty());
    assert_eq!(property("compression.algorithm", "brotli"), ["InvalidProperty"]);
    assert_eq!(property("request.retain.headers.enabled", "no"), ["InvalidProperty"]);
    assert_eq!(property("GET.override.method", "a b"), ["InvalidProperty"]);
    assert!(property("io.timeout", "5").is_empty());

    let mut timed = design();
    timed.target().properties = vec![Property { name: "io.timeout.millis".into(), value: "1500".into() }];
    assert_eq!(compiled(&timed).targets[0].timeouts.io.as_millis(), 1500);
}

#[test]
fn an_unknown_property_is_said_and_does_no_harm() {
    let mut design = design();
    design.target().properties = vec![Property { name: "io.timeout".into(), value: "5".into() }];

    let proxy = compiled(&design);

    assert_eq!(proxy.warnings.len(), 1);
    assert_eq!(
        proxy.warnings[0].to_string(),
        "target endpoint default: there is no property 'io.timeout' here [UnknownProperty]"
    );
    design.proxy().base_path = "nope".into();
    let examined = examine(&design, "1", &world());
    assert!(examined.result.is_err());
    assert_eq!(examined.warnings.len(), 1, "also when the design does not compile");
}

#[test]
fn tls_that_cannot_be_spoken_as_asked_is_not_spoken_at_all() {
    let with = |tls: TlsSettings| {
        let mut design = design().on_target(Destination::Url("https://b.example/".into()));
        design.target().tls = Some(TlsSettings { enabled: true, ..tls });
        design
    };
    for tls in [
        TlsSettings { client_auth: true, key_store: "ref://ours".into(), ..TlsSettings::default() },
        TlsSettings { trust_store: "theirs".into(), ..TlsSettings::default() },
        TlsSettings { protocols: vec!["TLSv1".into()], ..TlsSettings::default() },
    ] {
        let sent = Bench::new(&with(tls)).get("/p");
        assert_eq!((sent.status(), sent.code().as_str()), (501, "messaging.runtime.TargetNotSupported"));
    }
    let any = with(TlsSettings { ignore_validation_errors: true, ..TlsSettings::default() });
    let sent = Bench::new(&any).get("/p");
    assert!(matches!(&sent.to, Some(crate::flow::ForwardTo::Network { endpoint, .. }) if endpoint.trust_all));
    let plain = Bench::new(&with(TlsSettings::default())).get("/p");
    assert!(
        matches!(&plain.to, Some(crate::flow::ForwardTo::Network { endpoint, .. }) if !endpoint.trust_all)
    );
    let choosy =
        with(TlsSettings { protocols: vec!["TLSv1.1".into(), "TLSv1.2".into()], ..TlsSettings::default() });
    assert_eq!(compiled(&choosy).warnings[0].rule, "TlsChoiceNotRead");
}

#[test]
fn a_condition_that_only_lacks_its_last_parenthesis_is_said_and_runs() {
    let mut design = design();
    design.proxy().routes[0].condition = "(request.verb = \"GET\"".into();
    assert_eq!(compiled(&design).warnings[0].rule, "UnclosedParenthesis");
}

#[test]
fn a_server_of_node_is_replaced_by_the_script_of_its_file() {
    let xml = "<ScriptTarget><ResourceURL>node://server.js</ResourceURL></ScriptTarget>";
    let target = Destination::Foreign { kind: "ScriptTarget".into(), xml: xml.into() };
    let script = "var asked = request.content.asJSON; response.headers['Content-Type'] = 'application/json';\
                  response.status = asked.bad ? 400 : 201; response.content = JSON.stringify({hello: asked.name, path: request.path});";
    let mut design = design().on_target(target).resource("jsc", "server.js.js", script);
    design = design.policy("After", &mark("after"));
    design.target().flows.post.response.push(step("After"));
    assert!(!compiled(&design).is_degraded());
    let bench = Bench::new(&design);
    let ask = |body: &str| bench.send_waiting(request(http::Method::POST, "/p/x", &[], body));

    let sent = ask(r#"{"name":"Ann"}"#);
    assert_eq!((sent.status(), sent.body().as_str()), (201, r#"{"hello":"Ann","path":"/p/x"}"#));
    assert_eq!(sent.response_header("content-type"), "application/json");
    assert_eq!(sent.var("trail"), "after,", "the target's response flows run");
    let sent = ask(r#"{"bad":true}"#);
    assert_eq!((sent.status(), sent.var("fault.name").as_str()), (400, "ErrorResponseCode"));
    let sent = ask("no json");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.javascript.ScriptExecutionFailed"));

    design.resources.clear();
    let proxy = compiled(&design);
    assert!(proxy.degradations[0].reason.contains("jsc://server.js.js"), "{:?}", proxy.degradations);
}

#[test]
fn a_target_that_cannot_be_called_degrades_the_routes_to_it() {
    let script = Destination::Foreign { kind: "ScriptTarget".into(), xml: "<ScriptTarget/>".into() };
    let degraded = design().on_target(script);

    let proxy = compiled(&degraded);

    assert_eq!(proxy.degradations[0].part, DesignPart::TargetEndpoint("default".into()));
    assert_eq!((proxy.degradations[0].kind.as_str(), proxy.is_degraded()), ("ScriptTarget", true));
    let sent = Bench::new(&degraded).get("/p");
    assert_eq!((sent.status(), sent.code().as_str()), (501, "messaging.runtime.TargetNotSupported"));
    assert!(sent.body().contains("ScriptTarget of target endpoint 'default'"), "{}", sent.body());

    let mut idle = degraded;
    idle.proxy().routes[0].target = None;
    assert!(!compiled(&idle).is_degraded());
    let mut google = design();
    google.target().authentication =
        "<Authentication><GoogleIDToken><Audience>a</Audience></GoogleIDToken></Authentication>".into();
    assert_eq!(Bench::new(&google).get("/p").status(), 501);
}

#[test]
fn a_url_that_asks_for_itself_waits_for_a_step_to_set_it() {
    for url in ["https://{target.url}", "http://{target.host}/"] {
        let mut design = design().on_target(Destination::Url(url.into()));
        assert_eq!(compiled(&design).warnings[0].rule, "InvalidTargetUrl");
        assert_eq!(Bench::new(&design).get("/p").code(), "messaging.runtime.UnknownTargetEndpoint");
        let set = "<AssignMessage><AssignVariable><Name>target.url</Name><Value>https://a.example/x</Value></AssignVariable></AssignMessage>";
        design = design.policy("Set", set);
        design.target().flows.post.request = vec![step("Set")];
        assert_eq!(Bench::new(&design).get("/p").url(), "https://a.example:443/x");
    }
}

#[test]
fn a_placeholder_for_a_url_deploys_and_fails_when_it_is_reached() {
    for url in ["", "backend", "@TARGETURL@", "ftp://x", "http://", "/x", "https://the end point/x"] {
        let design = design().on_target(Destination::Url(url.into()));
        let proxy = compiled(&design);
        assert_eq!((proxy.degradations[0].kind.as_str(), proxy.is_degraded()), ("URL", true), "{url}");
        let sent = Bench::new(&design).get("/p");
        assert_eq!((sent.status(), &*sent.code()), (500, "messaging.runtime.UnknownTargetEndpoint"), "{url}");
    }
}

#[test]
fn limits_are_kept() {
    let mut world = world();
    world.limits = Limits { policies: 1, policy_bytes: 40, condition_bytes: 10, ..Limits::default() };
    let two = design().policy("a", "<RaiseFault/>").policy("b", "<RaiseFault/>");
    assert_eq!(compile(&two, "1", &world).unwrap_err()[0].rule, "TooManyPolicies");
    let long = design().policy("a", &format!("<RaiseFault>{}</RaiseFault>", " ".repeat(40)));
    assert_eq!(compile(&long, "1", &world).unwrap_err()[0].rule, "PolicyTooLong");
    let mut condition = design();
    condition.proxy().routes[0].condition = "a = \"0123456789\"".into();
    assert_eq!(compile(&condition, "1", &world).unwrap_err()[0].rule, "ConditionTooLong");
}

#[test]
fn the_open_connectors_policy_is_attached_once() {
    let secret = "<OpenConnectors xmlns=\"http://www.sap.com/apimgmt\"><InstanceSecret kvm-map-name=\"m\" kvm-key-name=\"k\"/></OpenConnectors>";
    let mut once = design().policy("OC", secret);
    once.target().flows.post.request = vec![step("OC")];
    assert!(rules(&once).is_empty());
    once.proxy().flows.pre.request = vec![step("OC")];
    assert_eq!(rules(&once), ["OpenConnectorsOnce"]);
}

#[test]
fn common_attributes_are_read_and_others_refused() {
    let policy = |xml: &str| rules(&design().policy("x", xml));
    assert!(policy("<RaiseFault async=\"false\" continueOnError=\"true\" enabled=\"false\" name=\"y\"><DisplayName>d</DisplayName><Properties/></RaiseFault>").is_empty());
    assert_eq!(policy("<RaiseFault enabled=\"maybe\"/>"), ["NotABoolean"]);
    assert_eq!(policy("<RaiseFault colour=\"red\"/>"), ["UnknownAttribute"]);
    assert_eq!(policy("<RaiseFault><What/></RaiseFault>"), ["UnknownElement"]);
}

#[test]
fn a_problem_names_no_secret_of_a_provider() {
    let world = world();
    let shown = format!("{world:?}");
    assert!(!shown.contains("o-1") && !shown.contains("u-1"), "{shown}");
}

#[test]
fn an_event_flow_takes_few_kinds_of_policies_and_one_content_type() {
    use crate::design::{EventFlow, PolicyText, Step};
    let with = |kind: &str, xml: &str, content_type: &str| {
        let mut design = design();
        let (name, kind, xml) = ("E".to_owned(), kind.to_owned(), xml.to_owned());
        design.policies.push(PolicyText { name, kind, xml, fixed: false });
        let response = vec![Step { policy: "E".into(), ..Step::default() }];
        let content_type = content_type.to_owned();
        design.target().flows.event = Some(EventFlow { name: "e".into(), content_type, response });
        let problems = compile(&design, "1", &world()).err().unwrap_or_default();
        problems.iter().map(|problem| problem.rule.to_string()).collect::<Vec<_>>()
    };
    assert!(with("RaiseFault", "<RaiseFault/>", "text/event-stream").is_empty());
    assert_eq!(with("RaiseFault", "<RaiseFault/>", "application/json"), ["InvalidEventFlow"]);
    assert_eq!(with("AssignMessage", "<AssignMessage/>", "text/event-stream"), ["InvalidEventFlow"]);
}

#[test]
fn a_file_is_looked_for_in_the_design_then_in_the_environment_then_in_the_organization() {
    let file = |name: &str, content: &str| crate::design::FileResource {
        kind: "jsc".into(),
        name: name.into(),
        content: content.into(),
        binary: false,
    };
    let script = |name: &str| {
        format!("<Javascript timeLimit=\"200\"><ResourceURL>jsc://{name}</ResourceURL></Javascript>")
    };
    let set = |value: &str| format!("context.setVariable('from', '{value}');");
    let mut world = world_on(Snapshot::empty("acme", "test"));
    world.resources = [
        file("own.js", &set("environment")),
        file("both.js", &set("environment")),
        file("both.js", &set("organization")),
        file("far.js", &set("organization")),
    ]
    .into();
    for (name, from) in [("own.js", "design"), ("both.js", "environment"), ("far.js", "organization")] {
        let design = design().resource("jsc", "own.js", &set("design")).step(&script(name));
        let compiled = compile(&design, "1", &world).unwrap();
        let sent = Bench::on(Snapshot::empty("acme", "test").with_proxy(compiled).unwrap()).get("/p");
        assert_eq!(sent.var("from"), from, "{name}");
    }
    let problems = compile(&design().step(&script("none.js")), "1", &world).unwrap_err();
    assert!(problems[0].to_string().contains("jsc://none.js"), "{}", problems[0]);
}

#[test]
fn what_comes_with_a_design_counts_as_running() {
    let xml = "<FlowCallout><SharedFlowBundle>sf</SharedFlowBundle></FlowCallout>";
    let design = design().step(xml);
    assert_eq!(rules(&design), ["SharedFlowNotFound"]);
    let mut coming = Coming::default();
    coming.shared_flows.insert("sf".into());
    let world = World { coming: Arc::new(coming), ..world_on(Snapshot::empty("acme", "test")) };
    assert!(compile(&design, "1", &world).is_ok());
}
