//! From a design to what runs: deploy, undeploy, what hangs together.

use serde_json::json;

use crate::client::{Portal, googledrive, open_connectors, seed_map};

const PROXY: &str = "/APIProxies('Googledrive')";

fn is_live(portal: &Portal, name: &str) -> bool {
    portal.snapshots.load().proxy(name).is_some()
}

#[tokio::test]
async fn deploying_makes_a_proxy_live_and_undeploying_stops_it() {
    let portal = Portal::start().await.with_open_connectors_proxy().await;
    assert!(!is_live(&portal, "Googledrive"));

    let deployed = portal.send("POST", &format!("{PROXY}/Deploy"), None).await.expect(200).d();
    assert_eq!(deployed, json!({"Deploy": {"name": "Googledrive", "state": "DEPLOYED", "revision": "1"}}));
    assert_eq!(portal.snapshots.load().base_path_owner("", "/googledrive"), Some("Googledrive"));
    assert_eq!(portal.get(PROXY).await.d()["state"], "DEPLOYED");
    assert!(portal.restart().await.load().proxy("Googledrive").is_some());

    let stopped = portal.send("POST", &format!("{PROXY}/Undeploy"), None).await.expect(200).d();
    assert_eq!(stopped["Undeploy"]["state"], "UNDEPLOYED");
    assert!(!is_live(&portal, "Googledrive"));
    assert!(portal.restart().await.load().proxy("Googledrive").is_none());
    portal.send("POST", "/APIProxies('nothing')/Deploy", None).await.expect(404);
}

#[tokio::test]
async fn a_bad_revision_never_replaces_a_good_one() {
    let portal = Portal::start().await.with_open_connectors_proxy().await;
    portal.send("POST", &format!("{PROXY}/Deploy"), None).await.expect(200);
    let policy =
        json!({"name": "Broken", "policy_content": "<AssignMessage>\n  <NoSuchThing/>\n</AssignMessage>"});
    portal.post(&format!("{PROXY}/policies"), policy).await.expect(201);
    let flow = json!({"preFlow": {"request": {"steps": [{"policy_name": "Broken", "sequence": 1}]}}});
    portal.send("MERGE", "/APIProxyEndPoints('Googledrive:proxy:default')", Some(flow)).await.expect(204);
    assert_eq!(portal.get(PROXY).await.d()["hasChanges"], true);

    let refused = portal.send("POST", &format!("{PROXY}/Deploy"), None).await.expect(400);

    assert_eq!(refused.code(), "DEPLOYMENT_VALIDATION_ERROR");
    let message = refused.message();
    assert!(message.contains("policy Broken, line 2") && message.contains("NoSuchThing"), "{message}");
    assert_eq!(&*portal.snapshots.load().proxy("Googledrive").unwrap().revision, "1");
    assert_eq!(&*portal.restart().await.load().proxy("Googledrive").unwrap().revision, "1");

    portal.send("DELETE", "/Policies('Googledrive:policy:Broken')", None).await.expect(204);
    let flow = json!({"preFlow": {"request": {"steps": []}}});
    portal.send("MERGE", "/APIProxyEndPoints('Googledrive:proxy:default')", Some(flow)).await.expect(204);
    let deployed = portal.send("POST", &format!("{PROXY}/Deploy"), None).await.expect(200).d();
    assert_eq!(deployed["Deploy"]["revision"], "2");
    assert_eq!(portal.get(PROXY).await.d()["hasChanges"], false);
}

#[tokio::test]
async fn the_fixed_policy_is_shown_and_refuses_every_change() {
    let portal = Portal::start().await.with_open_connectors_proxy().await;
    let shown = portal
        .get(&format!("{PROXY}?$expand=policies,targetEndPoints/postFlow/request/steps"))
        .await
        .expect(200)
        .d();
    assert_eq!(shown["policies"]["results"][0]["policy_type"], "OpenConnectors");
    assert_eq!(shown["policies"]["results"][0]["readOnly"], true);
    let steps = &shown["targetEndPoints"]["results"][0]["postFlow"]["request"]["steps"]["results"];
    assert_eq!(steps[0]["policy_name"], "OpenConnectors");

    let policy = "/Policies('Googledrive:policy:OpenConnectors')";
    let target = "/APITargetEndPoints('Googledrive:target:default')";
    let content = json!({"policy_content": "<OpenConnectors/>"});
    for (method, path, body) in [
        ("DELETE", policy, None),
        ("PUT", policy, Some(content)),
        ("MERGE", target, Some(json!({"postFlow": {"request": {"steps": []}}}))),
        (
            "MERGE",
            target,
            Some(json!({"preFlow": {"request": {"steps": [{"policy_name": "OpenConnectors"}]}}})),
        ),
        ("MERGE", PROXY, Some(json!({"policies": []}))),
        (
            "POST",
            "/APIProxies('Googledrive')/policies",
            Some(json!({"name": "x", "policy_content": "<OpenConnectors/>"})),
        ),
    ] {
        let refused = portal.send(method, path, body).await.expect(400);
        assert_eq!(refused.code(), "OPEN_CONNECTORS_POLICY_FIXED", "{method} {path}");
    }
    assert_eq!(portal.get(&format!("{PROXY}/policies")).await.results().len(), 1);

    let internet =
        json!({"name": "web", "destType": "Internet", "host": "example.com", "port": 443, "useSSL": true});
    portal.post("/APIProviders", internet).await.expect(201);
    portal.send("MERGE", target, Some(json!({"provider_id": "web"}))).await.expect(204);
    assert!(portal.get(&format!("{PROXY}/policies")).await.results().is_empty());
}

#[tokio::test]
async fn names_and_base_paths_have_one_owner() {
    let portal = Portal::start().await.with_open_connectors_proxy().await;
    let taken = portal.post("/APIProxies", googledrive()).await.expect(400);
    assert_eq!(taken.code(), "API_PROXY_NAME_DUPLICATION_ERROR");
    let mut other = googledrive();
    other["name"] = "Other".into();
    let taken = portal.post("/APIProxies", other.clone()).await.expect(400);
    assert_eq!(taken.code(), "API_PROXY_BASE_PATH_DUPLICATION_ERROR");
    assert!(taken.message().contains("Googledrive"));
    other["proxyEndPoints"][0]["base_path"] = "/googledrive/".into();
    portal.post("/APIProxies", other.clone()).await.expect(400);
    let taken = portal.post("/APIProviders", open_connectors("oc")).await.expect(400);
    assert_eq!(taken.code(), "API_PROVIDER_NAME_DUPLICATION_ERROR");
    assert_eq!(portal.get("/APIProxies/$count").await.text, "1");

    other["proxyEndPoints"][0]["base_path"] = "/other".into();
    portal.post("/APIProxies", other).await.expect(201);
    let moved = json!({"base_path": "/googledrive"});
    portal.send("MERGE", "/APIProxyEndPoints('Other:proxy:default')", Some(moved)).await.expect(400);
}

#[tokio::test]
async fn of_two_clients_creating_the_same_proxy_one_wins() {
    let portal = Portal::start().await;
    portal.post("/APIProviders", open_connectors("oc")).await.expect(201);
    let creates = (0..6).map(|_| portal.post("/APIProxies", googledrive()));
    let answers = futures_util::future::join_all(creates).await;
    let won = answers.iter().filter(|answer| answer.status.as_u16() == 201).count();
    assert_eq!(won, 1);
    assert!(
        answers
            .iter()
            .filter(|answer| answer.status.as_u16() == 400)
            .all(|answer| answer.code().contains("DUPLICATION"))
    );
}

#[tokio::test]
async fn deleting_a_proxy_stops_it_and_takes_its_maps() {
    let portal = Portal::start().await.with_open_connectors_proxy().await;
    portal.post("/GenericKeyMapEntries", seed_map()).await.expect(201);
    portal.send("POST", &format!("{PROXY}/Deploy"), None).await.expect(200);

    portal.send("DELETE", PROXY, None).await.expect(204);

    assert!(!is_live(&portal, "Googledrive"));
    assert!(portal.get("/GenericKeyMapEntries").await.results().is_empty());
    let gone = portal.get(PROXY).await.expect(404);
    assert!(gone.message().contains("not be found"), "{}", gone.message());
    portal.post("/APIProxies", googledrive()).await.expect(201);
    assert!(portal.get("/GenericKeyMapEntryValues").await.results().is_empty());
}

#[tokio::test]
async fn a_provider_in_use_stays_and_says_by_whom() {
    let portal = Portal::start().await.with_open_connectors_proxy().await;
    let refused = portal.send("DELETE", "/APIProviders('oc')", None).await.expect(400);
    assert!(refused.message().contains("Googledrive"), "{}", refused.message());
    let other_type = json!({"name": "oc", "destType": "Internet", "host": "example.com"});
    portal.send("PUT", "/APIProviders('oc')", Some(other_type)).await.expect(400);

    portal.send("DELETE", PROXY, None).await.expect(204);
    portal.send("DELETE", "/APIProviders('oc')", None).await.expect(204);
    portal.get("/APIProviders('oc')").await.expect(404);
}

#[tokio::test]
async fn a_changed_provider_is_live_at_once() {
    let portal = Portal::start().await.with_open_connectors_proxy().await;
    portal.send("POST", &format!("{PROXY}/Deploy"), None).await.expect(200);
    let before = portal.snapshots.load().generation();
    let secret = json!({"userSecret": "bmV3"});
    portal.send("MERGE", "/APIProviders('oc')", Some(secret)).await.expect(204);
    assert!(portal.snapshots.load().generation() > before);
    let compiled = format!("{:?}", portal.snapshots.load().proxy("Googledrive").unwrap());
    assert!(!compiled.contains("bmV3"), "a secret shows in Debug");
}
