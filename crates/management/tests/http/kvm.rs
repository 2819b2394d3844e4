//! Key value maps in both families (reference 8.5).

use std::time::Duration;

use pierhead_gateway::ports::{KvmAddress, KvmScope};
use serde_json::{Value, json};

use crate::client::{Portal, seed_map};

const MASK: &str = "********";
const TOKEN_MAP: &str =
    "/GenericKeyMapEntries(name='apim.oc.instance.token',scope='APIPROXY',scopeId='Googledrive')";
const TOKEN_ENTRY: &str = "/GenericKeyMapEntryValues(name='default',mapName='apim.oc.instance.token',scope='APIPROXY',scopeId='Googledrive')";

fn live(portal: &Portal, scope: &KvmScope, map: &str, key: &str) -> Option<String> {
    let snapshot = portal.snapshots.load();
    snapshot.kvm(scope, map)?.entries.get(key).map(|value| value.expose().to_owned())
}

fn proxy() -> KvmScope {
    KvmScope::Proxy("Googledrive".into())
}

#[tokio::test]
async fn the_seeds_body_fills_the_map_that_the_proxy_made_and_only_once() {
    let portal = Portal::start().await.with_open_connectors_proxy().await;
    let made = portal.get(TOKEN_MAP).await.expect(200).d();
    assert_eq!(made["isEncrypted"], true);
    assert!(portal.get(&format!("{TOKEN_MAP}/genericKeyMapEntryValues")).await.results().is_empty());

    let filled = portal.post("/GenericKeyMapEntries", seed_map()).await.expect(201).d();
    assert_eq!(filled["__metadata"]["type"], "apiportal.GenericKeyMapEntry");
    assert!(
        filled["genericKeyMapEntryValues"]["__deferred"]["uri"]
            .as_str()
            .unwrap()
            .ends_with("/genericKeyMapEntryValues")
    );
    assert_eq!(live(&portal, &proxy(), "apim.oc.instance.token", "default").unwrap(), "the-instance-token");

    let again = portal.post("/GenericKeyMapEntries", seed_map()).await.expect(400);
    assert_eq!(again.code(), "KEY_MAP_ENTRY_NAME_DUPLICATION_ERROR");
    let reads = portal.get(&format!("{TOKEN_MAP}?$expand=genericKeyMapEntryValues")).await.expect(200);
    assert!(!reads.text.contains("the-instance-token"));
    assert_eq!(reads.d()["genericKeyMapEntryValues"]["results"][0]["value"], MASK);
}

#[tokio::test]
async fn the_seeds_fields_are_accepted_at_the_other_family_and_without_list_brackets() {
    let portal = Portal::start().await.with_open_connectors_proxy().await;
    let mut body = seed_map();
    body["genericKeyMapEntryValues"] = body["genericKeyMapEntryValues"][0].clone();
    let made = portal.post("/KeyMapEntries", body).await.expect(201).d();
    assert_eq!(made["scope"], "APIPROXY");
    assert_eq!(live(&portal, &proxy(), "apim.oc.instance.token", "default").unwrap(), "the-instance-token");
}

#[tokio::test]
async fn an_unchanged_mask_keeps_the_value() {
    let portal = Portal::start().await.with_open_connectors_proxy().await;
    portal.post("/GenericKeyMapEntries", seed_map()).await.expect(201);

    portal.send("PUT", TOKEN_ENTRY, Some(json!({"value": MASK}))).await.expect(204);
    assert_eq!(live(&portal, &proxy(), "apim.oc.instance.token", "default").unwrap(), "the-instance-token");
    portal.send("PUT", TOKEN_ENTRY, Some(json!({"value": "second"}))).await.expect(204);
    assert_eq!(live(&portal, &proxy(), "apim.oc.instance.token", "default").unwrap(), "second");
    portal.send("MERGE", TOKEN_ENTRY, Some(json!({"name": "default"}))).await.expect(204);
    assert_eq!(live(&portal, &proxy(), "apim.oc.instance.token", "default").unwrap(), "second");

    portal.send("DELETE", TOKEN_ENTRY, None).await.expect(204);
    assert_eq!(live(&portal, &proxy(), "apim.oc.instance.token", "default"), None);
    portal.send("DELETE", TOKEN_ENTRY, None).await.expect(404);
}

#[tokio::test]
async fn a_map_bears_when_its_entries_last_changed() {
    let portal = Portal::start().await.with_open_connectors_proxy().await;
    let changed = async || portal.get(TOKEN_MAP).await.expect(200).d()["life_cycle"]["changed_at"].clone();
    let made = changed().await;
    let mut last = made.clone();
    let entry = json!({"name": "more", "mapName": "apim.oc.instance.token", "scope": "APIPROXY",
        "scopeId": "Googledrive", "value": "v"});
    let writes = [
        ("POST", "/GenericKeyMapEntries", Some(seed_map()), 201),
        ("POST", "/GenericKeyMapEntryValues", Some(entry), 201),
        ("PUT", TOKEN_ENTRY, Some(json!({"value": "second"})), 204),
        ("DELETE", TOKEN_ENTRY, None, 204),
    ];
    for (method, path, body, status) in writes {
        portal.clock.advance(Duration::from_secs(1));
        portal.send(method, path, body).await.expect(status);
        let now = changed().await;
        assert_ne!(now, last, "{method} {path}");
        last = now;
    }
    let life_cycle = &portal.get(TOKEN_MAP).await.expect(200).d()["life_cycle"];
    assert_eq!(life_cycle["created_at"], made, "{life_cycle}");
}

#[tokio::test]
async fn environment_maps_are_the_same_maps_in_both_families() {
    let portal = Portal::start().await;
    let body = json!({"name": "m", "encrypted": false, "scope": "ENV",
        "keyMapEntryValues": [{"name": "k", "map_name": "m", "value": "v"}]});
    portal.post("/KeyMapEntries", body.clone()).await.expect(201);
    assert_eq!(
        portal.post("/KeyMapEntries", body).await.expect(400).code(),
        "KEY_MAP_ENTRY_NAME_DUPLICATION_ERROR"
    );

    let other = "/GenericKeyMapEntryValues(name='k',mapName='m',scope='ENV',scopeId='')";
    assert_eq!(portal.get(other).await.expect(200).d()["value"], "v");
    let body = json!({"name": "k2", "mapName": "m", "scope": "ENV", "value": "v2"});
    portal.post("/GenericKeyMapEntryValues", body).await.expect(201);
    assert_eq!(portal.get("/KeyMapEntryValues(map_name='m',name='k2')").await.d()["value"], "v2");
    assert_eq!(live(&portal, &KvmScope::Environment, "m", "k2").unwrap(), "v2");
    assert_eq!(portal.get("/KeyMapEntries?forceUpdateFromRT=true&$format=json").await.results().len(), 1);
    let above = portal.get("/KeyMapEntryValues(map_name='m',name='k')/keyMapEntry").await.expect(200).d();
    assert_eq!(above["name"], "m");

    portal.send("DELETE", "/KeyMapEntries('m')", None).await.expect(204);
    portal.get(other).await.expect(404);
    assert!(portal.snapshots.load().kvm(&KvmScope::Environment, "m").is_none());
}

#[tokio::test]
async fn organization_maps_live_in_the_generic_family_only() {
    let portal = Portal::start().await;
    let body = json!({"name": "m", "scope": "ORG", "isEncrypted": false,
        "genericKeyMapEntryValues": [{"name": "k", "value": "v"}]});
    portal.post("/GenericKeyMapEntries", body).await.expect(201);
    assert_eq!(live(&portal, &KvmScope::Organization, "m", "k").unwrap(), "v");
    assert!(portal.get("/KeyMapEntries").await.results().is_empty());
    assert_eq!(portal.get("/GenericKeyMapEntries").await.results().len(), 1);
}

#[tokio::test]
async fn what_is_out_of_bounds_is_named_and_changes_nothing() {
    let portal = Portal::start().await;
    portal.post("/KeyMapEntries", json!({"name": "m", "encrypted": false})).await.expect(201);
    let entry = |name: &str, value: Value| json!({"map_name": "m", "name": name, "value": value});
    for (body, field) in [
        (entry(&"k".repeat(2049), "v".into()), "KeyMapEntryValues.name"),
        (entry("k", "v".repeat(10_241).into()), "KeyMapEntryValues.value"),
        (entry("k ", "v".into()), "KeyMapEntryValues.name"),
        (entry("a//b", "v".into()), "KeyMapEntryValues.name"),
        (entry("", "v".into()), "KeyMapEntryValues.name"),
        (entry("k", 7.into()), "KeyMapEntryValues.value"),
        (entry("k", Value::Null), "KeyMapEntryValues.value"),
        (entry("k", MASK.into()), "KeyMapEntryValues.value"),
        (json!({"map_name": "m", "name": "k", "value": "v", "valu": 1}), "valu"),
    ] {
        let refused = portal.post("/KeyMapEntryValues", body).await.expect(400);
        assert!(refused.message().contains(field), "{field}: {}", refused.message());
    }
    for (body, field) in [
        (json!({"name": "x", "scope": "PLANET"}), "scope"),
        (json!({"name": "x", "scope": "APIPROXY"}), "scopeId"),
        (json!({"name": "n".repeat(256)}), "name"),
        (json!({"name": "a/b"}), "name"),
        (
            json!({"name": "x", "keyMapEntryValues": [{"name": "k", "value": "v"}, {"name": "k", "value": "w"}]}),
            "k",
        ),
        (
            json!({"name": "x", "keyMapEntryValues": [{"name": "k", "map_name": "y", "value": "v"}]}),
            "map_name",
        ),
        (json!({"name": "x", "keyMapEntryValues": "k"}), "keyMapEntryValues"),
    ] {
        let refused = portal.post("/KeyMapEntries", body).await.expect(400);
        assert!(refused.message().contains(field), "{field}: {}", refused.message());
    }
    assert_eq!(portal.get("/KeyMapEntries").await.results().len(), 1);
    assert!(portal.get("/KeyMapEntryValues").await.results().is_empty());
    portal
        .post("/KeyMapEntryValues", json!({"map_name": "none", "name": "k", "value": "v"}))
        .await
        .expect(404);
    portal.post("/KeyMapEntryValues", entry("k", "v".into())).await.expect(201);
    let twice = portal.post("/KeyMapEntryValues", entry("k", "v".into())).await.expect(400);
    assert_eq!(twice.code(), "KEY_MAP_ENTRY_VALUE_NAME_DUPLICATION_ERROR");
}

#[tokio::test]
async fn concurrent_writes_to_one_map_lose_nothing() {
    let portal = Portal::start().await;
    portal.post("/KeyMapEntries", json!({"name": "m", "encrypted": false})).await.expect(201);
    let writer = portal.management.kvm_writer();

    let posts = (0..15).map(|number| {
        let body = json!({"map_name": "m", "name": format!("post{number}"), "value": "v"});
        let portal = &portal;
        async move { portal.post("/KeyMapEntryValues", body).await.expect(201) }
    });
    let puts = (0..15).map(|number| {
        let at = KvmAddress { scope: KvmScope::Environment, map: "m".into(), key: format!("put{number}") };
        writer.put(at, "v".into(), true)
    });
    let (_, puts) = tokio::join!(futures_util::future::join_all(posts), futures_util::future::join_all(puts));
    assert!(puts.into_iter().all(|put| put.is_ok()));

    assert_eq!(portal.get("/KeyMapEntries('m')/keyMapEntryValues/$count").await.text, "30");
    let snapshot = portal.snapshots.load();
    assert_eq!(snapshot.kvm(&KvmScope::Environment, "m").unwrap().entries.len(), 30);
}

#[tokio::test]
async fn what_policies_write_is_durable_live_and_seen_by_the_api() {
    let portal = Portal::start().await;
    let writer = portal.management.kvm_writer();
    let at = |key: &str| KvmAddress { scope: proxy(), map: "m".into(), key: key.into() };

    writer.put(at("k"), "1".into(), true).await.unwrap();
    writer.put(at("k"), "2".into(), false).await.unwrap();
    assert_eq!(live(&portal, &proxy(), "m", "k").unwrap(), "1");
    writer.put(at("k"), "3".into(), true).await.unwrap();
    let entry = "/GenericKeyMapEntryValues(name='k',mapName='m',scope='APIPROXY',scopeId='Googledrive')";
    assert_eq!(portal.get(entry).await.expect(200).d()["value"], "3");
    let restarted = portal.restart().await.load();
    assert_eq!(restarted.kvm(&proxy(), "m").unwrap().entries["k"].expose(), "3");

    writer.delete(at("k")).await.unwrap();
    writer.delete(at("k")).await.unwrap();
    assert_eq!(live(&portal, &proxy(), "m", "k"), None);
}
