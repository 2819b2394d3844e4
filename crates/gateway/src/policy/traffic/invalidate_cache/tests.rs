use crate::dialect::Dialect;
use crate::testing::*;

fn key(fragment: &str) -> String {
    format!("<CacheKey><KeyFragment ref='{fragment}'/></CacheKey>")
}

/// Remembers by query parameter `k`; `?forget=` runs the policy under test.
fn bench(invalidate: &str) -> Bench {
    let key = key("request.queryparam.k");
    let mut design = design()
        .policy("put", &format!("<PopulateCache>{key}<Source>request.queryparam.v</Source></PopulateCache>"))
        .policy("get", &format!("<LookupCache>{key}<AssignTo>flow.found</AssignTo></LookupCache>"))
        .policy("forget", &format!("<InvalidateCache>{invalidate}</InvalidateCache>"));
    design.proxy().flows.pre.request =
        vec![step("put"), step_if("forget", "request.queryparam.forget != null"), step("get")];
    Bench::new(&design)
}

fn found(bench: &Bench, key: &str) -> String {
    bench.get(&format!("/p?k={key}")).var("flow.found")
}

#[test]
fn one_entry_is_forgotten_and_others_stay() {
    let bench = bench(&key("request.queryparam.forget"));
    bench.get("/p?k=a&v=1");
    bench.get("/p?k=b&v=2");
    bench.get("/p?forget=a");
    assert_eq!((found(&bench, "a"), found(&bench, "b")), ("null".into(), "2".into()));
}

#[test]
fn with_purge_child_entries_all_of_a_prefix_go() {
    let bench =
        bench(&format!("{}<PurgeChildEntries>true</PurgeChildEntries>", key("request.queryparam.forget")));
    bench.get("/p?k=a&v=1");
    bench.get("/p?k=b&v=2");
    bench.get("/p?forget=1");
    assert_eq!((found(&bench, "a"), found(&bench, "b")), ("null".into(), "null".into()));
}

#[test]
fn entries_of_other_scopes_prefixes_and_caches_stay() {
    for elsewhere in [
        "<Scope>Target</Scope>",
        "<CacheResource>other</CacheResource>",
        "<CacheContext><ProxyName>other</ProxyName></CacheContext>",
        "<CacheContext><APIProxyName>Other</APIProxyName></CacheContext>",
        "<CacheContext><TargetName>default2</TargetName></CacheContext>",
    ] {
        let bench = bench(&format!("{}{elsewhere}", key("request.queryparam.forget")));
        bench.get("/p?k=a&v=1");
        bench.get("/p?forget=a");
        assert_eq!(found(&bench, "a"), "1", "{elsewhere}");
    }
}

#[test]
fn a_context_names_whose_entries_are_meant() {
    for context in [
        "<APIProxyName>P</APIProxyName>",
        "<APIProxyName ref='apiproxy.name'/><ProxyName>default</ProxyName>",
        "<ProxyName>default</ProxyName>",
        "<APIProxyName/><ProxyName/><TargetName/>",
    ] {
        let bench =
            bench(&format!("{}<CacheContext>{context}</CacheContext>", key("request.queryparam.forget")));
        bench.get("/p?k=a&v=1");
        bench.get("/p?forget=a");
        assert_eq!(found(&bench, "a"), "null", "{context}");
    }
    let target = bench(&format!(
        "{}<CacheContext><TargetName>default</TargetName></CacheContext>",
        key("request.queryparam.forget")
    ));
    target.get("/p?k=a&v=1");
    target.get("/p?forget=a");
    assert_eq!(found(&target, "a"), "null", "an endpoint and a target of one name have the same keys");
}

#[test]
fn mistakes_are_found_at_deploy() {
    let key = key("v");
    for (inside, rule) in [
        ("<CacheContext><Nope/></CacheContext>", "UnknownElement"),
        ("<PurgeChildEntries>all</PurgeChildEntries>", "NotABoolean"),
    ] {
        assert_eq!(problem_of(&format!("<InvalidateCache>{key}{inside}</InvalidateCache>")), rule);
    }
}

#[test]
fn in_sap_an_invalidate_cache_step_needs_a_condition() {
    let mut design = design().step(&format!("<InvalidateCache>{}</InvalidateCache>", key("v")));
    let rule = |design: &crate::design::ProxyDesign, dialect| {
        let world = crate::compile::World { dialect, ..world() };
        crate::compile::compile(design, "1", &world).err().map(|problems| problems[0].rule)
    };
    assert_eq!(rule(&design, Dialect::Apigee), None);
    assert_eq!(rule(&design, Dialect::Sap), Some("StepConditionMissing"));
    design.proxy().flows.pre.request[0].condition = "a is null".into();
    assert_eq!(rule(&design, Dialect::Sap), None);
}
