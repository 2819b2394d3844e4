//! Key value maps and caches over Apigee's API, and the same maps through SAP's.

use pierhead_gateway::ports::KvmScope;
use pierhead_store::on_both_databases;
use serde_json::{Value, json};

use crate::client::Portal;

const ORGANIZATION: &str = "/v1/organizations/acme";
const ENVIRONMENT: &str = "/v1/organizations/acme/environments/prod";

async fn call(portal: &Portal, method: &str, path: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let (status, _, answer) = portal.bytes(method, path, "application/json", body).await;
    (status.as_u16(), serde_json::from_slice(&answer).unwrap_or_default())
}

fn running(portal: &Portal, scope: &KvmScope, map: &str, key: &str) -> Option<String> {
    let snapshot = portal.snapshots.load();
    Some(snapshot.kvm(scope, map)?.entries.get(key)?.expose().to_owned())
}

on_both_databases! {
    async fn maps_of_each_scope_are_made_read_changed_and_deleted(store: Store) {
        let portal = Portal::on(store).await.with_open_connectors_proxy().await;
        for (root, scope) in [
            (ORGANIZATION.to_owned(), KvmScope::Organization),
            (ENVIRONMENT.to_owned(), KvmScope::Environment),
            (format!("{ORGANIZATION}/apis/Googledrive"), KvmScope::Proxy("Googledrive".into())),
        ] {
            let maps = format!("{root}/keyvaluemaps");
            let body = json!({"name": "m", "entry": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]});
            let shown = json!({"name": "m", "encrypted": false, "entry": body["entry"]});
            assert_eq!(call(&portal, "POST", &maps, body.clone()).await, (201, shown.clone()));
            assert_eq!(call(&portal, "POST", &maps, body).await.0, 409);
            assert_eq!(call(&portal, "GET", &format!("{maps}/m"), Value::Null).await, (200, shown));
            assert!(call(&portal, "GET", &maps, Value::Null).await.1.as_array().unwrap().contains(&json!("m")));
            assert_eq!(running(&portal, &scope, "m", "a").as_deref(), Some("1"), "at once in what runs");

            let entries = format!("{maps}/m/entries");
            let new = json!({"name": "c", "value": "3"});
            assert_eq!(call(&portal, "POST", &entries, new.clone()).await, (201, new.clone()));
            assert_eq!(call(&portal, "POST", &entries, new).await.0, 409);
            let changed = json!({"name": "a", "value": "9"});
            assert_eq!(call(&portal, "POST", &format!("{entries}/a"), changed.clone()).await, (200, changed.clone()));
            assert_eq!(call(&portal, "PUT", &format!("{entries}/none"), json!({"value": "1"})).await.0, 404);
            assert_eq!(call(&portal, "PUT", &format!("{entries}/a"), json!({"name": "x", "value": "1"})).await.0, 400);
            assert_eq!(call(&portal, "GET", &format!("{entries}/a"), Value::Null).await, (200, changed));
            assert_eq!(call(&portal, "DELETE", &format!("{entries}/b"), Value::Null).await.0, 200);
            assert_eq!(call(&portal, "DELETE", &format!("{entries}/b"), Value::Null).await.0, 404);
            assert_eq!(call(&portal, "GET", &format!("{maps}/m/keys"), Value::Null).await.1, json!(["a", "c"]));
            let all = json!([{"name": "a", "value": "9"}, {"name": "c", "value": "3"}]);
            assert_eq!(call(&portal, "GET", &entries, Value::Null).await.1["keyValueEntries"], all);
            assert_eq!(running(&portal, &scope, "m", "a").as_deref(), Some("9"));
            assert_eq!(running(&portal, &scope, "m", "b"), None);

            let more = json!({"name": "m", "entry": [{"name": "d", "value": "4"}]});
            assert_eq!(call(&portal, "PUT", &format!("{maps}/m"), more).await.1["entry"].as_array().unwrap().len(), 3);
            assert_eq!(call(&portal, "DELETE", &format!("{maps}/m"), Value::Null).await.0, 200);
            let gone = call(&portal, "GET", &format!("{maps}/m"), Value::Null).await;
            assert_eq!((gone.0, &gone.1["code"]), (404, &json!("messaging.config.beans.KeyValueMapDoesNotExist")));
            assert_eq!(running(&portal, &scope, "m", "a"), None);
        }
        assert_eq!(call(&portal, "GET", &format!("{ORGANIZATION}/apis/Nobody/keyvaluemaps"), Value::Null).await.0, 404);
    }

    async fn what_one_face_changes_the_other_sees_and_an_encrypted_value_neither(store: Store) {
        let portal = Portal::on(store).await;
        let maps = format!("{ENVIRONMENT}/keyvaluemaps");
        let secret = json!({"name": "s", "encrypted": true, "entry": [{"name": "k", "value": "geheim-7"}]});
        let (status, made) = call(&portal, "POST", &maps, secret).await;
        assert_eq!((status, &made["entry"][0]["value"]), (201, &json!("********")));
        assert_eq!(running(&portal, &KvmScope::Environment, "s", "k").as_deref(), Some("geheim-7"));
        let seen = portal.get("/KeyMapEntryValues(map_name='s',name='k')").await.expect(200).d();
        assert_eq!(seen["value"], "********");
        // What was shown comes back and changes nothing.
        let back = json!({"name": "k", "value": "********"});
        assert_eq!(call(&portal, "PUT", &format!("{maps}/s/entries/k"), back).await.0, 200);
        assert_eq!(running(&portal, &KvmScope::Environment, "s", "k").as_deref(), Some("geheim-7"));
        assert_eq!(call(&portal, "PUT", &format!("{maps}/s"), json!({"encrypted": false})).await.0, 400);

        portal.post("/KeyMapEntries", json!({"name": "o", "scope": "ENV", "encrypted": false})).await.expect(201);
        portal.post("/KeyMapEntryValues", json!({"name": "k", "map_name": "o", "value": "v"})).await.expect(201);
        let entry = format!("{maps}/o/entries/k");
        assert_eq!(call(&portal, "GET", &entry, Value::Null).await.1, json!({"name": "k", "value": "v"}));
        assert_eq!(call(&portal, "PUT", &entry, json!({"value": "w"})).await.0, 200);
        let seen = portal.get("/KeyMapEntryValues(map_name='o',name='k')").await.expect(200).d();
        assert_eq!(seen["value"], "w");
    }

    async fn a_map_or_an_entry_that_breaks_a_rule_is_refused_by_its_field(store: Store) {
        let portal = Portal::on(store).await;
        let maps = format!("{ENVIRONMENT}/keyvaluemaps");
        for (body, field) in [
            (json!({}), "name"),
            (json!({"name": "a/b"}), "name"),
            (json!({"name": "m", "encrypted": 1}), "encrypted"),
            (json!({"name": "m", "entry": 1}), "entry"),
            (json!({"name": "m", "entry": [{"value": "1"}]}), "name of an entry"),
            (json!({"name": "m", "entry": [{"name": "k"}]}), "value of entry 'k'"),
            (json!({"name": "m", "entry": [{"name": "k", "value": "x".repeat(10_241)}]}), "value of 'k'"),
            (json!({"name": "m", "entry": [{"name": "k ", "value": "x"}]}), "name of an entry"),
            (json!({"name": "m", "entry": [{"name": "k", "value": "********"}]}), "value of 'k'"),
        ] {
            let (status, answer) = call(&portal, "POST", &maps, body.clone()).await;
            let why = answer["message"].as_str().unwrap_or_default();
            assert!(status == 400 && why.starts_with(field), "{body}: {status} {why}");
        }
        assert_eq!(call(&portal, "GET", &maps, Value::Null).await.1, json!([]), "a refused map leaves nothing");
    }

    async fn caches_are_described_and_cleared(store: Store) {
        let portal = Portal::on(store).await;
        let caches = format!("{ENVIRONMENT}/caches");
        let body = json!({"description": "tides", "expirySettings": {"timeoutInSec": {"value": "60"}}});
        let (status, made) = call(&portal, "POST", &format!("{caches}?name=tides"), body).await;
        assert_eq!((status, &made["name"], &made["description"]), (201, &json!("tides"), &json!("tides")));
        assert_eq!(call(&portal, "POST", &caches, json!({"name": "tides"})).await.0, 409);
        assert_eq!(call(&portal, "GET", &caches, Value::Null).await.1, json!(["tides"]));
        assert_eq!(call(&portal, "PUT", &format!("{caches}/tides"), json!({"description": "x"})).await.0, 200);
        assert_eq!(call(&portal, "GET", &format!("{caches}/tides"), Value::Null).await.1["description"], "x");
        assert_eq!(call(&portal, "POST", &format!("{caches}/tides/entries?action=clear"), Value::Null).await.0, 200);
        assert_eq!(call(&portal, "POST", &format!("{caches}/tides/entries?action=x"), Value::Null).await.0, 400);
        assert_eq!(call(&portal, "DELETE", &format!("{caches}/tides"), Value::Null).await.0, 200);
        assert_eq!(call(&portal, "GET", &format!("{caches}/tides"), Value::Null).await.0, 404);
    }
}
