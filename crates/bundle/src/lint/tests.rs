//! Each rule finds what it is for, with file and line, and leaves the rest alone.

use std::sync::Arc;

use pierhead_gateway::compile::World;
use pierhead_gateway::ports::KvmScope;
use pierhead_gateway::snapshot::Snapshot;

use crate::{Bundle, Files, Finding, Limits, Report, Severity, Verdict, read_files, report};

const ENDPOINT: &str = "<ProxyEndpoint name=\"default\">
<FaultRules><FaultRule name=\"f\"><Step><Name>Limit</Name></Step></FaultRule></FaultRules>
<PreFlow><Request>
<Step><Name>Key</Name></Step>
<Step><Name>Limit</Name><Condition>request.verb = \"PUT\" and request.verb = \"GET\"</Condition></Step>
</Request></PreFlow>
<Flows>
<Flow name=\"all\"><Request/></Flow>
<Flow name=\"late\"><Condition>request.verb = \"GET\"</Condition><Response>
<Step><Name>Key</Name><Condition>request.verb = \"POST\"</Condition></Step></Response></Flow>
</Flows>
<HTTPProxyConnection><BasePath>/a</BasePath></HTTPProxyConnection>
<RouteRule name=\"always\"><TargetEndpoint>default</TargetEndpoint></RouteRule>
<RouteRule name=\"never\"/>
</ProxyEndpoint>";

const TARGET: &str = "<TargetEndpoint name=\"default\"><HTTPTargetConnection><URL>http://backend.test</URL></HTTPTargetConnection></TargetEndpoint>";

fn bundle(policies: &[(&str, &str)], more: &[(&str, &str)]) -> Bundle {
    let mut files = Files::default();
    files.insert("apiproxy/a.xml", "<APIProxy name=\"a\"/>");
    files.insert("apiproxy/proxies/default.xml", ENDPOINT);
    files.insert("apiproxy/targets/default.xml", TARGET);
    files.insert(
        "apiproxy/policies/Key.xml",
        "<VerifyAPIKey name=\"Key\"><APIKey ref=\"request.queryparam.k\"/></VerifyAPIKey>",
    );
    files.insert(
        "apiproxy/policies/Limit.xml",
        "<Quota name=\"Limit\"><Allow count=\"1\"/><Interval>1</Interval><TimeUnit>minute</TimeUnit></Quota>",
    );
    for (name, xml) in policies {
        files.insert(format!("apiproxy/policies/{name}.xml"), *xml);
    }
    for (path, text) in more {
        files.insert(format!("apiproxy/{path}"), *text);
    }
    read_files(&files, "a", &Limits::default()).unwrap()
}

fn world() -> World {
    World::new(Arc::new(Snapshot::empty("o", "e")))
}

fn said(report: &Report, rule: &str) -> Vec<(String, usize)> {
    let of_rule = |finding: &&Finding| finding.rule == rule;
    report.findings.iter().filter(of_rule).map(|finding| (finding.file.clone(), finding.line)).collect()
}

fn at(file: &str, line: usize) -> Vec<(String, usize)> {
    vec![(format!("apiproxy/{file}"), line)]
}

#[test]
fn routes_flows_and_conditions_that_are_never_reached_are_found() {
    let report = report(&bundle(&[], &[]), &world());
    let endpoint = "proxies/default.xml";
    assert_eq!(said(&report, "UnreachableRoute"), at(endpoint, 14));
    assert_eq!(said(&report, "UnreachableFlow"), at(endpoint, 9));
    assert_eq!(said(&report, "NeverHolds"), [at(endpoint, 5), at(endpoint, 10)].concat());
    assert_eq!(said(&report, "ReusedQuota"), at("policies/Limit.xml", 1));
    assert_eq!(said(&report, "PlainHttpTarget"), at("targets/default.xml", 1));
    assert_eq!(said(&report, "NoFaultRules"), []);
}

#[test]
fn policies_that_never_run_are_found() {
    let idle = "<AssignMessage name=\"Idle\">\n<DisplayName>x</DisplayName></AssignMessage>";
    let twin = "<AssignMessage name=\"Twin\">\n\n<DisplayName>x</DisplayName></AssignMessage>";
    let report = report(&bundle(&[("Idle", idle), ("Twin", twin)], &[]), &world());
    assert_eq!(
        said(&report, "UnattachedPolicy"),
        [at("policies/Idle.xml", 1), at("policies/Twin.xml", 1)].concat()
    );
    assert_eq!(said(&report, "DuplicateDisplayName"), at("policies/Twin.xml", 3));
}

#[test]
fn resources_are_held_against_the_policies() {
    let java = "<JavaCallout name=\"Java\"><ClassName>a.B</ClassName>\n<ResourceURL>java://gone.jar</ResourceURL></JavaCallout>";
    let report = report(&bundle(&[("Java", java)], &[("resources/jsc/idle.js", "1")]), &world());
    assert_eq!(said(&report, "MissingResource"), at("policies/Java.xml", 2));
    assert_eq!(said(&report, "UnusedResource"), at("resources/jsc/idle.js", 0));
}

#[test]
fn a_map_is_known_when_the_environment_has_it_or_the_bundle_writes_it() {
    let read = |map: &str| {
        format!(
            "<KeyValueMapOperations name=\"Read\" mapIdentifier=\"{map}\"><Get assignTo=\"a\"><Key><Parameter>k</Parameter></Key></Get></KeyValueMapOperations>"
        )
    };
    let unknown =
        |map: &str, world: &World| said(&report(&bundle(&[("Read", &read(map))], &[]), world), "UnknownMap");
    assert_eq!(unknown("m", &world()), at("policies/Read.xml", 1));
    let snapshot = Snapshot::empty("o", "e").with_kvm_map(KvmScope::Environment, "m", [], false);
    assert_eq!(unknown("m", &World::new(Arc::new(snapshot))), []);
    let both = bundle(
        &[
            ("Read", &read("m")),
            (
                "Write",
                "<KeyValueMapOperations name=\"Write\" mapIdentifier=\"m\"><Put><Key><Parameter>k</Parameter></Key><Value>v</Value></Put></KeyValueMapOperations>",
            ),
        ],
        &[],
    );
    assert_eq!(said(&report(&both, &world()), "UnknownMap"), []);
}

#[test]
fn compile_errors_name_the_bundles_file_and_line() {
    let endpoint = "<ProxyEndpoint name=\"default\">\n<PreFlow><Request>\n<Step><Name>Gone</Name></Step>\n<Step><Name>Key</Name>\n<Condition>a = </Condition></Step></Request></PreFlow>\n<HTTPProxyConnection><BasePath>/a</BasePath></HTTPProxyConnection>\n<RouteRule name=\"r\"><TargetEndpoint>gone</TargetEndpoint></RouteRule></ProxyEndpoint>";
    let bad = "<VerifyAPIKey name=\"Bad\">\n<Surprise/></VerifyAPIKey>";
    let report = report(&bundle(&[("Bad", bad)], &[("proxies/default.xml", endpoint)]), &world());
    assert_eq!(report.verdict, Verdict::Refused);
    assert_eq!(said(&report, "UnknownPolicy"), at("proxies/default.xml", 3));
    assert_eq!(said(&report, "BadCondition"), at("proxies/default.xml", 4));
    assert_eq!(said(&report, "UnknownTarget"), at("proxies/default.xml", 7));
    assert_eq!(said(&report, "UnknownElement"), at("policies/Bad.xml", 2));
    let step = report.steps.iter().find(|step| step.policy == "Gone").unwrap();
    assert!(!step.runs && step.line == 3 && step.why.contains("no policy 'Gone'"), "{step:?}");
    let text = report.to_string();
    assert!(text.starts_with("API proxy a: refused (0 of 2 steps"), "{text}");
    assert!(text.contains("apiproxy/proxies/default.xml:3: error: PreFlow, step Gone"), "{text}");
}

#[test]
fn what_cannot_run_is_said_for_each_step() {
    let java = "<!-- x -->\n<JavaCallout name=\"Java\"><ClassName>a.B</ClassName></JavaCallout>";
    let endpoint = "<ProxyEndpoint name=\"default\"><PreFlow><Request>\n<Step><Name>Java</Name></Step></Request></PreFlow><HTTPProxyConnection><BasePath>/a</BasePath></HTTPProxyConnection><RouteRule name=\"r\"/></ProxyEndpoint>";
    let report = report(&bundle(&[("Java", java)], &[("proxies/default.xml", endpoint)]), &world());
    assert_eq!(
        (report.verdict, report.degradations.as_slice()),
        (Verdict::Degraded, &["JavaCallout".to_owned()][..])
    );
    assert_eq!(said(&report, "CannotRunHere")[..1], at("policies/Java.xml", 2));
    assert_eq!(
        (report.steps[0].line, report.steps[0].runs, report.steps[0].kind.as_str()),
        (2, false, "JavaCallout")
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(
        (json["verdict"].as_str(), json["steps"][0]["runs"].as_bool()),
        (Some("degraded"), Some(false))
    );
    assert!(report.count(Severity::Warning) > 0);
}
