use std::sync::Mutex;

use pierhead_domain::SecretString;

use crate::ports::KvmScope;
use crate::snapshot::Snapshot;
use crate::testing::*;

fn policy(inside: &str) -> String {
    format!(
        "<KeyValueMapOperations mapIdentifier=\"m\"><Scope>apiproxy</Scope>{inside}</KeyValueMapOperations>"
    )
}

fn bench(inside: &str) -> Bench {
    Bench::new(&design().step(&policy(inside)))
}

fn run(inside: &str) -> Sent {
    bench(inside)
        .kvm(
            "m",
            false,
            &[("k", "v"), ("a__GET", "joined"), ("many", "[\"x\",\"y\"]"), ("brackets", "[not json")],
        )
        .get("/p?key=k")
}

const GET_K: &str = "<Get assignTo=\"v\"><Key><Parameter>k</Parameter></Key></Get>";

#[test]
fn entries_are_read_by_literal_and_variable_keys() {
    assert_eq!(run(GET_K).var("v"), "v");
    assert_eq!(
        run("<Get assignTo=\"v\"><Key><Parameter ref=\"request.queryparam.key\"/></Key></Get>").var("v"),
        "v"
    );
    let joined =
        "<Get assignTo=\"v\"><Key><Parameter>a</Parameter><Parameter ref=\"request.verb\"/></Key></Get>";
    assert_eq!(run(joined).var("v"), "joined");
    let default = "<Get assignTo=\"v\"><Key><Parameter ref=\"none\">k</Parameter></Key></Get>";
    assert_eq!(run(default).var("v"), "v");
}

#[test]
fn a_missing_key_or_map_leaves_the_variable_null() {
    let sent = run("<Get assignTo=\"v\"><Key><Parameter>zzz</Parameter></Key></Get>");
    assert!(!sent.is_answered());
    assert_eq!(sent.var("v"), "null");
    assert_eq!(bench(GET_K).get("/p").var("v"), "null");
}

#[test]
fn an_index_counts_from_one_and_without_it_several_values_are_a_list() {
    let get = |index: &str, key: &str| {
        run(&format!("<Get assignTo=\"v\" {index}><Key><Parameter>{key}</Parameter></Key></Get>")).var("v")
    };
    assert_eq!(get("index=\"1\"", "many"), "x");
    assert_eq!(get("index=\"2\"", "many"), "y");
    assert_eq!(get("index=\"3\"", "many"), "null");
    assert_eq!(get("", "many"), "[x, y]");
    assert_eq!(get("index=\"1\"", "k"), "v");
    assert_eq!(get("index=\"2\"", "k"), "null");
    assert_eq!(get("", "brackets"), "[not json");
}

#[test]
fn scopes_are_told_apart() {
    let entry = |value: &str| [("k".to_owned(), SecretString::from(value))];
    let fill = |old: &Snapshot| {
        old.with_kvm_map(KvmScope::Environment, "m", entry("environment"), false)
            .with_kvm_map(KvmScope::Organization, "m", entry("organization"), false)
            .with_kvm_map(KvmScope::Proxy("P".into()), "m", entry("apiproxy"), false)
            .with_kvm_map(KvmScope::Proxy("Q".into()), "m", entry("other proxy"), false)
            .with_kvm_map(
                KvmScope::Policy { proxy: "P".into(), policy: "s0".into() },
                "m",
                entry("policy"),
                false,
            )
    };
    for (scope, value) in [
        ("<Scope>environment</Scope>", "environment"),
        ("", "environment"),
        ("<Scope>organization</Scope>", "organization"),
        ("<Scope>apiproxy</Scope>", "apiproxy"),
        ("<Scope>policy</Scope>", "policy"),
    ] {
        let xml =
            format!("<KeyValueMapOperations mapIdentifier=\"m\">{scope}{GET_K}</KeyValueMapOperations>");
        assert_eq!(Bench::new(&design().step(&xml)).with(fill).get("/p").var("v"), value, "{scope}");
    }
}

#[test]
fn the_name_of_the_map_may_come_from_a_variable_and_is_kvmap_by_default() {
    let xml = |inside: &str| {
        format!("<KeyValueMapOperations><Scope>apiproxy</Scope>{inside}{GET_K}</KeyValueMapOperations>")
    };
    let get = |inside: &str| {
        Bench::new(&design().step(&xml(inside)))
            .kvm("kvmap", false, &[("k", "default")])
            .kvm("GET", false, &[("k", "by variable")])
            .get("/p")
    };
    assert_eq!(get("").var("v"), "default");
    assert_eq!(get("<MapName ref=\"request.verb\"/>").var("v"), "by variable");
    assert_eq!(get("<MapName ref=\"none\">GET</MapName>").var("v"), "by variable");
    assert_eq!(
        get("<MapName ref=\"none\"/>").code(),
        "steps.keyvaluemapoperations.UnsupportedOperationException"
    );
}

#[test]
fn fault_set_variable_failed_for_an_encrypted_entry_outside_private() {
    let encrypted = |into: &str| {
        bench(&format!("<Get assignTo=\"{into}\"><Key><Parameter>k</Parameter></Key></Get>"))
            .kvm("m", true, &[("k", "s3cret")])
            .get("/p")
    };
    let sent = encrypted("v");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.keyvaluemapoperations.SetVariableFailed"));
    assert!(sent.body().contains("map 'm'") && !sent.body().contains("s3cret"), "{}", sent.body());
    assert_eq!(encrypted("private.v").var("private.v"), "s3cret");
    assert_eq!(encrypted("system.time").code(), "steps.keyvaluemapoperations.SetVariableFailed");
}

#[test]
fn fault_unresolved_variable_in_a_key() {
    let sent = run("<Get assignTo=\"v\"><Key><Parameter ref=\"none\"/></Key></Get>");
    assert_eq!(sent.code(), "steps.keyvaluemapoperations.UnresolvedVariable");
    assert!(sent.body().contains("none"));
}

#[test]
fn what_is_put_is_written_and_seen_by_the_same_request() {
    let bench = bench(&format!(
        "<Put override=\"true\"><Key><Parameter>k</Parameter></Key><Value ref=\"request.verb\"/></Put>{GET_K}\
         <Put><Key><Parameter>many</Parameter></Key><Value>1</Value><Value>2</Value></Put>\
         <Get assignTo=\"two\" index=\"2\"><Key><Parameter>many</Parameter></Key></Get>"
    ))
    .kvm("m", false, &[("k", "old")]);

    let sent = bench.get("/p");

    assert_eq!((sent.var("v"), sent.var("two")), ("GET".into(), "2".into()));
    let written = bench.written.0.lock().unwrap();
    let put: Vec<_> =
        written.iter().map(|(at, value, replace)| (at.key.as_str(), value.as_deref(), *replace)).collect();
    assert_eq!(put, [("k", Some("GET"), true), ("many", Some("[\"1\",\"2\"]"), false)]);
    assert_eq!(written[0].0.scope, KvmScope::Proxy("P".into()));
}

#[test]
fn without_override_an_entry_that_is_there_stays() {
    let put = format!("<Put><Key><Parameter>k</Parameter></Key><Value>new</Value></Put>{GET_K}");
    assert_eq!(run(&put).var("v"), "v");
}

#[test]
fn what_is_deleted_is_gone_for_the_same_request() {
    let bench = bench(&format!("<Delete><Key><Parameter>k</Parameter></Key></Delete>{GET_K}")).kvm(
        "m",
        false,
        &[("k", "v")],
    );
    assert_eq!(bench.get("/p").var("v"), "null");
    assert_eq!(bench.written.0.lock().unwrap()[0].1, None);
}

#[test]
fn fault_unsupported_operation_when_the_map_cannot_be_written() {
    let mut bench =
        bench("<Put override=\"true\"><Key><Parameter>k</Parameter></Key><Value>s3cret</Value></Put>");
    bench.written = std::sync::Arc::new(WrittenKvm(Mutex::default(), true));
    let sent = bench.get("/p");
    assert_eq!(
        (sent.status(), sent.code().as_str()),
        (500, "steps.keyvaluemapoperations.UnsupportedOperationException")
    );
    assert!(!sent.body().contains("s3cret"));
}

#[test]
fn initial_entries_are_asked_for_at_deploy() {
    let proxy = compiled(&design().policy(
        "K",
        &policy(
            "<InitialEntries><Entry><Key><Parameter>a</Parameter><Parameter>b</Parameter></Key><Value>1</Value></Entry>\
             <Entry><Key><Parameter>c</Parameter></Key><Value>1</Value><Value>2</Value></Entry></InitialEntries>",
        ),
    ));
    let entries: Vec<_> = proxy
        .initial_entries
        .iter()
        .map(|(at, value)| (at.map.as_str(), at.key.as_str(), value.as_str()))
        .collect();
    assert_eq!(entries, [("m", "a__b", "1"), ("m", "c", "[\"1\",\"2\"]")]);
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("<Get assignTo=\"v\" index=\"0\"><Key><Parameter>k</Parameter></Key></Get>", "InvalidIndex"),
        ("<Get assignTo=\"v\" index=\"x\"><Key><Parameter>k</Parameter></Key></Get>", "InvalidIndex"),
        ("<Get assignTo=\"v\"/>", "KeyIsMissing"),
        ("<Get assignTo=\"v\"><Key/></Get>", "KeyIsMissing"),
        ("<Get><Key><Parameter>k</Parameter></Key></Get>", "InvalidVariableName"),
        ("<Put><Key><Parameter>k</Parameter></Key></Put>", "ValueIsMissing"),
        ("<Delete/>", "KeyIsMissing"),
        (
            "<InitialEntries><Entry><Key><Parameter>k</Parameter></Key></Entry></InitialEntries>",
            "ValueIsMissing",
        ),
        (
            "<InitialEntries><Entry><Key><Parameter ref=\"a\"/></Key><Value>1</Value></Entry></InitialEntries>",
            "LiteralNeeded",
        ),
        ("<ExpiryTimeInSecs>soon</ExpiryTimeInSecs>", "InvalidExpiryTime"),
        ("<Scope>galaxy</Scope>", "InvalidScope"),
        ("<Post/>", "UnknownElement"),
    ] {
        let xml = format!("<KeyValueMapOperations>\n{inside}</KeyValueMapOperations>");
        assert_eq!(problem_of(&xml), rule, "{inside}");
    }
}

#[test]
fn settings_of_a_cache_are_read_and_change_nothing() {
    let settings = "<ExclusiveCache>true</ExclusiveCache><ExpiryTimeInSecs ref=\"x\">0</ExpiryTimeInSecs>";
    assert_eq!(run(&format!("{settings}{GET_K}")).var("v"), "v");
    let sent = run(&format!("{settings}<Get assignTo=\"v\"><Key><Parameter ref=\"none\"/></Key></Get>"));
    assert_eq!(sent.var("keyvaluemapoperations.s0.failed"), "true");
    let wrong = policy(&format!("<ExpiryTimeInSecs>soon</ExpiryTimeInSecs>{GET_K}"));
    assert_eq!(problem_of(&wrong), "InvalidExpiryTime");
}
