use http::Method;

use crate::design::Destination;
use crate::testing::*;

const XML: &str = "<OpenConnectors async=\"false\" continueOnError=\"false\" enabled=\"true\" xmlns=\"http://www.sap.com/apimgmt\"><InstanceSecret kvm-map-name=\"apim.oc.instance.token\" kvm-key-name=\"default\"/></OpenConnectors>";

fn bench_against(provider: &str) -> Bench {
    let path = "/elements/api-v2/".to_owned();
    let mut design = design()
        .on_target(Destination::Provider { name: provider.into(), relative_path: path })
        .policy("OpenConnectors", XML);
    design.target().flows.post.request = vec![step("OpenConnectors")];
    Bench::new(&design)
}

#[test]
fn the_three_secrets_replace_what_the_caller_sent() {
    let bench = bench_against("oc").kvm("apim.oc.instance.token", true, &[("default", "e-1=")]);
    let theirs = [("authorization", "Basic theirs"), ("authorization", "second")];
    let sent = bench.send(request(Method::GET, "/p/files?path=/x.pdf", &theirs, ""));
    assert_eq!(sent.header("authorization"), "User u-1, Organization o-1, Element e-1=");
    assert_eq!(sent.url(), "hub:/files?path=/x.pdf");
}

#[test]
fn the_header_never_shows_in_debug_output() {
    let bench = bench_against("oc").kvm("apim.oc.instance.token", true, &[("default", "e-1=")]);
    let sent = bench.get("/p/files");
    assert!(sent.cx.request.headers["authorization"].is_sensitive());
    assert!(!format!("{:?}", sent.cx.request).contains("e-1"));
}

#[test]
fn no_policy_can_read_or_copy_the_three_secrets() {
    let path = "/elements/api-v2/".to_owned();
    let read = "<AssignMessage><Set><Headers><Header name=\"x-read\">{request.header.authorization}</Header></Headers></Set><IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables><AssignTo type=\"response\">response</AssignTo></AssignMessage>";
    let copied = "<AssignMessage><Copy source=\"request\"><Headers><Header name=\"Authorization\"/></Headers></Copy><AssignTo type=\"response\">response</AssignTo></AssignMessage>";
    let all = "<AssignMessage><Copy source=\"request\"><Headers/></Copy><AssignTo type=\"response\">response</AssignTo></AssignMessage>";
    let design = design()
        .on_target(Destination::Provider { name: "oc".into(), relative_path: path })
        .policy("OpenConnectors", XML)
        .policy("read", read)
        .policy("copied", copied)
        .policy("all", all);
    let kept = "<AssignMessage><AssignVariable><Name>kept</Name><Template>{request.header.authorization}</Template></AssignVariable><IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables></AssignMessage>";
    let mut design = design.policy("kept", kept);
    design.target().flows.post.request = vec![step("OpenConnectors"), step("kept")];
    design.target().flows.post.response = vec![step("read"), step("copied"), step("all")];
    let bench = Bench::new(&design).kvm("apim.oc.instance.token", true, &[("default", "e-1=")]);
    let answered = bench.get("/p/files").receive(response(200, &[], "x"));
    let headers = &answered.cx.response.as_ref().unwrap().headers;
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        assert!(!["u-1", "o-1", "e-1="].iter().any(|secret| value.contains(secret)), "{name}: {value}");
    }
    assert_eq!(answered.var("request.header.authorization"), "null");
    assert_eq!(answered.var("kept"), "");
}

#[test]
fn fault_no_instance_token_names_map_and_key() {
    for (bench, why) in [
        (bench_against("oc"), "no such map"),
        (bench_against("oc").kvm("apim.oc.instance.token", true, &[("other", "s3cret")]), "no such key"),
        (bench_against("oc").kvm("apim.oc.instance.token", true, &[("default", "")]), "no such key"),
    ] {
        let sent = bench.get("/p/files");
        assert_eq!((sent.status(), sent.code().as_str()), (500, "oc.NoInstanceToken"));
        let body = sent.body();
        assert!(
            body.contains("'apim.oc.instance.token'") && body.contains("'default'") && body.contains(why),
            "{body}"
        );
        assert!(!body.contains("s3cret") && !body.contains("u-1"), "{body}");
    }
}

#[test]
fn fault_no_provider_when_the_target_is_of_another_type() {
    let sent =
        bench_against("backend").kvm("apim.oc.instance.token", true, &[("default", "e-1")]).get("/p/files");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "oc.NoProvider"));
}

#[test]
fn fault_bad_instance_token_when_it_would_begin_another_part() {
    for token in ["a, User evil", "a b", "a\r\nx: y", "a\0"] {
        let sent =
            bench_against("oc").kvm("apim.oc.instance.token", true, &[("default", token)]).get("/p/files");
        assert_eq!((sent.status(), sent.code().as_str()), (500, "oc.BadInstanceToken"), "{token:?}");
        assert!(!sent.body().contains("evil"));
    }
}

#[test]
fn the_faults_before_the_target_run_the_targets_fault_rules() {
    let mut design = design()
        .on_target(Destination::Provider { name: "oc".into(), relative_path: "/elements/api-v2/".into() })
        .policy("OpenConnectors", XML)
        .policy("rule", &mark("rule"));
    design.target().flows.post.request = vec![step("OpenConnectors")];
    design.target().flows.fault_rules = vec![fault_rule("r", "fault.name = \"NoInstanceToken\"", &["rule"])];
    assert_eq!(Bench::new(&design).get("/p/files").var("trail"), "rule,");
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("", "InstanceSecretIsMissing"),
        ("<InstanceSecret kvm-map-name=\"m\"/>", "InstanceSecretIsMissing"),
        ("<InstanceSecret kvm-map-name=\"m\" kvm-key-name=\"\"/>", "InstanceSecretIsMissing"),
        ("<InstanceSecret kvm-map-name=\"m\" kvm-key-name=\"k\" token=\"t\"/>", "UnknownAttribute"),
        ("<InstanceSecret kvm-map-name=\"m\" kvm-key-name=\"k\"/><Header/>", "UnknownElement"),
        (
            "<InstanceSecret kvm-map-name=\"m\" kvm-key-name=\"k\"/><InstanceSecret kvm-map-name=\"m\" kvm-key-name=\"k\"/>",
            "RepeatedElement",
        ),
    ] {
        assert_eq!(problem_of(&format!("<OpenConnectors>{inside}</OpenConnectors>")), rule, "{inside}");
    }
}
