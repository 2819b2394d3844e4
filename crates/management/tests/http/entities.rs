//! Providers, proxies and their parts: fields, masks, bad input.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::client::{Portal, ROOT, googledrive, open_connectors};

const MASK: &str = "********";

#[tokio::test]
async fn secrets_that_were_given_for_one_server_are_not_sent_to_another() {
    let portal = Portal::start().await;
    portal.post("/APIProviders", open_connectors("oc")).await.expect(201);
    let evil = json!({"host": "hub.evil.example", "port": 443});
    let mut masked = evil.clone();
    masked["organizationSecret"] = "********".into();
    masked["userSecret"] = "********".into();
    for (method, body) in [
        ("MERGE", evil.clone()),
        ("MERGE", masked),
        ("PUT", json!({"name": "oc", "destType": "OPENCONNECTORS", "host": "hub.evil.example"})),
    ] {
        let refused = portal.send(method, "/APIProviders('oc')", Some(body)).await.expect(400);
        let message = refused.message();
        assert!(message.contains("organizationSecret") && message.contains("userSecret"), "{message}");
    }
    // Nor by a detour over a type that sends none.
    let plain = json!({"destType": "Internet", "host": "hub.evil.example", "port": 443});
    portal.send("MERGE", "/APIProviders('oc')", Some(plain)).await.expect(204);
    let back = json!({"destType": "OPENCONNECTORS"});
    portal.send("MERGE", "/APIProviders('oc')", Some(back)).await.expect(400);

    let whole = json!({
        "destType": "OPENCONNECTORS", "host": "hub.example", "port": 443,
        "organizationSecret": "o2", "userSecret": "u2",
    });
    portal.send("MERGE", "/APIProviders('oc')", Some(whole)).await.expect(204);
    portal.send("MERGE", "/APIProviders('oc')", Some(json!({"title": "t"}))).await.expect(204);
    let open = json!({"useSSL": false, "port": 443});
    portal.send("MERGE", "/APIProviders('oc')", Some(open)).await.expect(400);
    // The same host behind any certificate, or at another path of it, is another server.
    for elsewhere in [
        json!({"trustAll": true}),
        json!({"sslInfo": {"ignoreValidationErrors": true}}),
        json!({"pathPrefix": "/not/the/hub"}),
    ] {
        let refused = portal.send("MERGE", "/APIProviders('oc')", Some(elsewhere)).await.expect(400);
        assert!(refused.message().contains("must be given again"), "{}", refused.message());
    }
}

#[tokio::test]
async fn the_secrets_of_a_provider_read_as_a_mask_and_survive_it() {
    let portal = Portal::start().await;
    let made = portal.post("/APIProviders", open_connectors("oc")).await.expect(201);
    assert!(!made.text.contains("dXNlcg") && !made.text.contains("0123456789abcdef"));
    let mut read = portal.get("/APIProviders('oc')").await.expect(200).d();
    assert_eq!(read["organizationSecret"], MASK);
    assert_eq!(read["userSecret"], MASK);
    assert_eq!(read["password"], Value::Null);
    assert_eq!(read["host"], "");
    assert_eq!(read["life_cycle"]["created_by"], "admin");
    assert_eq!(read["life_cycle"]["created_at"], "/Date(1700000000000)/");

    read["title"] = "Renamed".into();
    portal.send("PUT", "/APIProviders('oc')", Some(read)).await.expect(204);
    portal
        .send("PUT", "/APIProviders('oc')", Some(json!({"name": "oc", "destType": "OPENCONNECTORS"})))
        .await
        .expect(204);
    let read = portal.get("/APIProviders('oc')").await.d();
    assert_eq!(read["title"], "");
    assert_eq!(read["userSecret"], MASK);
}

#[tokio::test]
async fn a_provider_out_of_bounds_is_named_and_not_made() {
    let portal = Portal::start().await;
    let with = |name: &str, value: Value| {
        let mut body = open_connectors("oc");
        body[name] = value;
        body
    };
    for (body, field) in [
        (with("name", "".into()), "APIProviders.name"),
        (with("name", "x".repeat(256).into()), "APIProviders.name"),
        (with("name", "a/b".into()), "APIProviders.name"),
        (with("name", "DEST_CI".into()), "reserved"),
        (with("name", "tc_x".into()), "reserved"),
        (with("name", "Apimgmt_rt_1".into()), "reserved"),
        (with("destType", "CPI".into()), "destType"),
        (with("host", "http://h".into()), "host"),
        (with("host", "h\r\nX: y".into()), "host"),
        (json!({"name": "w", "destType": "Internet"}), "host"),
        (json!({"name": "w", "destType": "Internet", "host": "h", "port": 70_000}), "port"),
        (with("port", "x".into()), "port"),
        (with("useSSL", 3.into()), "useSSL"),
        (with("organizationSecret", Value::Null), "organizationSecret"),
        (with("userSecret", "a b".into()), "userSecret"),
        (with("authType", "BASIC".into()), "authType"),
        (with("nonsense", 1.into()), "nonsense"),
        (with("sslInfo", json!({"nonsense": 1})), "sslInfo/nonsense"),
        (with("description", "x".repeat(5000).into()), "description"),
    ] {
        let refused = portal.post("/APIProviders", body).await.expect(400);
        assert!(refused.message().contains(field), "{field}: {}", refused.message());
    }
    assert!(portal.get("/APIProviders").await.results().is_empty());
}

#[tokio::test]
async fn a_proxy_has_the_fields_that_clients_insist_on() {
    let portal = Portal::start().await.with_open_connectors_proxy().await;
    let proxy = portal.get("/APIProxies?$format=json").await.expect(200).results().remove(0);
    for field in
        ["version", "title", "state", "service_code", "hasChanges", "provider_name", "isCopy", "life_cycle"]
    {
        assert!(!proxy[field].is_null(), "{field}");
    }
    assert_eq!(proxy["provider_name"], "oc");
    assert_eq!(proxy["state"], "UNDEPLOYED");
    let metadata = &proxy["__metadata"];
    assert_eq!(metadata["type"], "apiportal.APIProxy");
    assert!(metadata["uri"].as_str().unwrap().ends_with("/Management.svc/APIProxies('Googledrive')"));
    let endpoint = portal.get("/APIProxies(name='Googledrive')/proxyEndPoints").await.results().remove(0);
    assert_eq!(endpoint["base_path"], "/googledrive");
    assert_eq!(endpoint["publishUrl"], "http://127.0.0.1:8080/googledrive");
    let by_id = portal.get("/APIProxyEndPoints('Googledrive:proxy:default')/routeRules").await.results();
    assert_eq!(by_id[0]["targetEndPointName"], "default");
    let target = portal.get("/APITargetEndPoints('Googledrive:target:default')").await.d();
    assert_eq!(
        (&target["provider_id"], &target["relativePath"]),
        (&json!("oc"), &json!("/elements/api-v2/"))
    );
}

#[tokio::test]
async fn a_whole_design_goes_in_and_comes_out_with_the_big_expand() {
    let portal = Portal::start().await;
    let step = |name: &str| json!({"request": {"steps": [{"policy_name": name, "condition": "true", "sequence": 1}]}});
    let body = json!({
        "name": "Whole", "title": "Whole",
        "policies": [{"name": "Say", "policy_type": "RaiseFault", "policy_content": "<RaiseFault/>"}],
        "fileResources": [{"name": "a.js", "content": "var a;"}],
        "proxyEndPoints": [{
            "base_path": "/whole", "virtualhosts": [{"__metadata": {"uri": "VirtualHosts('default')"}}],
            "routeRules": [{"name": "null", "conditions": "request.verb = \"OPTIONS\"", "sequence": 1},
                           {"name": "rest", "targetEndPointName": "default", "sequence": 2}],
            "properties": [{"name": "api.timeout", "value": "1000"}],
            "apiResources": [{"name": "files", "title": "Files", "resource_path": "/files", "canShowGet": true,
                "documentations": [{"locale": "en", "mime_type": "text/html", "content": "<b/>", "apiResourceName": "files"}]}],
            "preFlow": step("Say"),
            "conditionalFlows": [{"name": "b", "conditions": "false", "sequence": 2, "response": {"steps": [{"policy_name": "Say"}]}},
                                 {"name": "a", "conditions": "true", "sequence": 1}],
            "faultRules": [{"name": "f", "condition": "true", "steps": [{"policy_name": "Say"}]}],
            "defaultFaultRule": {"name": "d", "alwaysEnforce": true, "steps": []},
        }],
        "targetEndPoints": [{"url": "https://example.com/x", "postFlow": step("Say")}],
    });
    portal.post("/APIProxies", body).await.expect(201);

    let expand = "proxyEndPoints,targetEndPoints,apiProducts,proxyEndPoints/virtualhosts,proxyEndPoints/routeRules,\
        %20proxyEndPoints/apiResources,proxyEndPoints/apiResources/documentations,policies,fileResources,\
        %20proxyEndPoints/preFlow/request/steps,proxyEndPoints/preFlow/response/steps,\
        proxyEndPoints/postFlow/request/steps,proxyEndPoints/postFlow/response/steps,\
        proxyEndPoints/conditionalFlows/request/steps,proxyEndPoints/conditionalFlows/response/steps,\
        targetEndPoints/preFlow/request/steps,targetEndPoints/postFlow/request/steps,\
        targetEndPoints/conditionalFlows/request/steps,targetEndPoints/properties,proxyEndPoints/properties,\
        proxyEndPoints/faultRules/steps,proxyEndPoints/defaultFaultRule";
    let whole = portal.get(&format!("/APIProxies(name='Whole')?$expand={expand}")).await.expect(200).d();
    let entrance = &whole["proxyEndPoints"]["results"][0];
    assert_eq!(entrance["virtualhosts"]["results"][0]["id"], "default");
    assert_eq!(entrance["routeRules"]["results"][0]["targetEndPointName"], Value::Null);
    assert_eq!(entrance["conditionalFlows"]["results"][0]["name"], "a");
    assert_eq!(
        entrance["conditionalFlows"]["results"][1]["response"]["steps"]["results"][0]["policy_name"],
        "Say"
    );
    assert_eq!(entrance["preFlow"]["request"]["steps"]["results"][0]["condition"], "true");
    assert_eq!(entrance["apiResources"]["results"][0]["documentations"]["results"][0]["content"], "<b/>");
    assert_eq!(entrance["properties"]["results"][0]["value"], "1000");
    assert_eq!(entrance["faultRules"]["results"][0]["steps"]["results"][0]["policy_name"], "Say");
    assert_eq!(entrance["defaultFaultRule"]["alwaysEnforce"], true);
    assert_eq!(whole["targetEndPoints"]["results"][0]["url"], "https://example.com/x");
    assert_eq!(whole["fileResources"]["results"][0]["type"], "js");
    assert_eq!(whole["apiProducts"]["results"], json!([]));

    // Every link that an answer holds leads to what it names.
    let uri = entrance["preFlow"]["request"]["steps"]["results"][0]["__metadata"]["uri"].as_str().unwrap();
    let path = uri.split_once("Management.svc").unwrap().1;
    assert_eq!(portal.get(path).await.expect(200).d()["policy_name"], "Say");
    let uri = entrance["apiResources"]["results"][0]["documentations"]["results"][0]["__metadata"]["uri"]
        .as_str()
        .unwrap();
    portal.get(uri.split_once("Management.svc").unwrap().1).await.expect(200);
}

#[tokio::test]
async fn a_proxy_out_of_bounds_is_named_and_not_made() {
    let portal = Portal::start().await;
    portal.post("/APIProviders", open_connectors("oc")).await.expect(201);
    let with = |pointer: &str, value: Value| {
        let mut body = googledrive();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for (body, field) in [
        (with("/name", "x".repeat(256).into()), "APIProxies.name"),
        (with("/name", "../x".into()), "APIProxies.name"),
        (with("/service_code", "GRPC".into()), "service_code"),
        (with("/proxyEndPoints", json!([])), "proxyEndPoints"),
        (with("/proxyEndPoints/0/base_path", "x".into()), "base_path"),
        (with("/proxyEndPoints/0/base_path", "/a/../b".into()), "base_path"),
        (with("/proxyEndPoints/0/base_path", "/a%2e".into()), "base_path"),
        (with("/proxyEndPoints/0/name", "a:b".into()), "APIProxyEndPoints.name"),
        (with("/targetEndPoints/0/provider_id", "nothing".into()), "nothing"),
        (with("/targetEndPoints/0/relativePath", "/../x".into()), "relativePath"),
        (with("/provider_name", "other".into()), "provider_name"),
        (
            with("/proxyEndPoints", json!([{"base_path": "/a"}, {"base_path": "/b"}])),
            "APIProxyEndPoints.name",
        ),
        (
            with(
                "/proxyEndPoints",
                json!([{"base_path": "/a", "routeRules": [{"targetEndPointName": "x"}]}]),
            ),
            "targetEndPointName",
        ),
        (
            with(
                "/proxyEndPoints",
                json!([{"base_path": "/a", "virtualhosts": [{"__metadata": {"uri": "VirtualHosts('x')"}}]}]),
            ),
            "virtualhosts",
        ),
        (
            with(
                "/targetEndPoints",
                json!([{"name": "a", "provider_id": "oc"}, {"name": "b", "provider_id": "oc"}]),
            ),
            "one target endpoint",
        ),
    ] {
        let refused = portal.post("/APIProxies", body).await.expect(400);
        assert!(refused.message().contains(field), "{field}: {}", refused.message());
    }
    assert!(portal.get("/APIProxies").await.results().is_empty());
    assert!(portal.get("/GenericKeyMapEntries").await.results().is_empty());
}

#[tokio::test]
async fn a_body_that_is_no_entity_is_400_and_one_too_large_413() {
    let portal = Portal::start().await;
    let post = |kind: &'static str, body: String| {
        let request = Request::builder()
            .method("POST")
            .uri(format!("{ROOT}/APIProviders"))
            .header("authorization", "Bearer admin")
            .header("content-type", kind)
            .body(Body::from(body))
            .unwrap();
        portal.raw(request)
    };
    for body in ["", "{", "[]", "7", "{\"d\":[]}", "{\"name\":{}}", "nul\0"] {
        post("application/json", body.into()).await.expect(400);
    }
    let deep = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
    post("application/json", deep).await.expect(400);
    post("application/atom+xml", "<entry/>".into()).await.expect(415);
    post("application/json", " ".repeat(17 * 1024 * 1024)).await.expect(413);
    assert!(portal.get("/APIProviders").await.results().is_empty());
}
