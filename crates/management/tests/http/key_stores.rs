//! Key stores and references over Apigee's API: keys go in and never out, and a change reaches what runs.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use pierhead_store::on_both_databases;
use serde_json::{Value, json};

use crate::client::Portal;

const PILOT: &str = include_str!("certificates/pilot.pem");
const PILOT_KEY: &str = include_str!("certificates/pilot_key.pem");
const ANOTHER_KEY: &str = include_str!("certificates/another_key.pem");
const AUTHORITY: &str = include_str!("certificates/authority.pem");

const ENVIRONMENT: &str = "/v1/organizations/acme/environments/prod";

async fn call(portal: &Portal, method: &str, path: &str, body: Value) -> (u16, Value, String) {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let (status, _, answer) =
        portal.bytes(method, &format!("{ENVIRONMENT}{path}"), "application/json", body).await;
    let text = String::from_utf8_lossy(&answer).into_owned();
    (status.as_u16(), serde_json::from_slice(&answer).unwrap_or_default(), text)
}

/// The form that Apigee's tools send.
async fn upload(portal: &Portal, store: &str, alias: &str, parts: &[(&str, &str)]) -> (u16, Value) {
    let mut form = String::new();
    for (name, content) in parts {
        form += &format!(
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}.pem\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n{content}\r\n"
        );
    }
    form += "--b--\r\n";
    let path = format!("{ENVIRONMENT}/keystores/{store}/aliases?alias={alias}&format=keycertfile");
    let (status, _, answer) =
        portal.bytes("POST", &path, "multipart/form-data; boundary=b", form.into_bytes()).await;
    (status.as_u16(), serde_json::from_slice(&answer).unwrap_or_default())
}

on_both_databases! {
    async fn a_private_key_goes_in_and_never_out(store: Store) {
        let portal = Portal::on(store).await;
        assert_eq!(call(&portal, "POST", "/keystores", json!({"name": "ours"})).await.0, 201);
        assert_eq!(call(&portal, "POST", "/keystores", json!({"name": "ours"})).await.0, 409);

        let (status, made) =
            upload(&portal, "ours", "pilot", &[("certFile", PILOT), ("keyFile", PILOT_KEY)]).await;

        assert_eq!(status, 201, "{made}");
        let (_, alias, text) = call(&portal, "GET", "/keystores/ours/aliases/pilot", Value::Null).await;
        assert_eq!(alias["keyName"], "pilot");
        let facts = &alias["certsInfo"]["certInfo"][0];
        assert_eq!((&facts["subject"], &facts["issuer"]), (&json!("CN=Pilot"), &json!("CN=Harbour Authority")));
        assert!(facts["expiryDate"].as_i64() > facts["validFrom"].as_i64(), "{facts}");
        let (_, store, shown) = call(&portal, "GET", "/keystores/ours", Value::Null).await;
        assert_eq!(store["keys"], json!(["pilot"]));
        let (_, _, pem) = call(&portal, "GET", "/keystores/ours/aliases/pilot/certificate", Value::Null).await;
        assert_eq!(pem.replace("\r\n", "\n").trim(), PILOT.trim());
        assert_eq!(call(&portal, "GET", "/keystores/ours/aliases", Value::Null).await.1, json!(["pilot"]));
        let secret = PILOT_KEY.lines().nth(1).unwrap();
        for text in [text, shown, pem] {
            assert!(!text.contains(secret) && !text.contains("PRIVATE"), "{text}");
        }
    }

    async fn what_does_not_belong_together_or_cannot_be_read_is_refused_by_name(store: Store) {
        let portal = Portal::on(store).await;
        call(&portal, "POST", "/keystores", json!({"name": "ours"})).await;
        for (parts, rule) in [
            (vec![("certFile", PILOT), ("keyFile", ANOTHER_KEY)], "key and certificate"),
            (vec![("certFile", "nothing")], "the certificate cannot be read"),
            (vec![("keyFile", PILOT_KEY)], "certFile"),
            (vec![("certFile", PILOT), ("keyFile", PILOT_KEY), ("password", "x")], "password"),
        ] {
            let (status, answer) = upload(&portal, "ours", "a", &parts).await;
            let message = answer["message"].as_str().unwrap_or_default().to_owned();
            assert_eq!(status, 400, "{answer}");
            assert!(message.starts_with(rule), "{message}");
            assert!(!message.contains("MII"), "{message}");
        }
        assert_eq!(upload(&portal, "lost", "a", &[("certFile", PILOT)]).await.0, 404);
        assert_eq!(call(&portal, "DELETE", "/keystores/ours/aliases/a", Value::Null).await.0, 404);
        let pkcs12 = call(&portal, "POST", "/keystores/ours/aliases?alias=a&format=pkcs12", json!({})).await;
        assert_eq!(pkcs12.0, 400);
        let guest = Request::post(format!("{ENVIRONMENT}/keystores"))
            .header("authorization", "Bearer guest")
            .header("content-type", "application/json")
            .body(Body::from(json!({"name": "x"}).to_string()))
            .unwrap();
        assert_eq!(portal.raw(guest).await.status, 403);
    }
}

on_both_databases! {
    async fn a_store_and_a_turned_reference_reach_the_proxies_that_use_them_and_cannot_be_removed_from_under_them(store: Store) {
        let portal = Portal::on(store).await;
        let mut files = pierhead_bundle::Files::default();
        files.insert("apiproxy/P.xml", "<APIProxy name=\"P\" revision=\"1\"/>");
        files.insert(
            "apiproxy/proxies/default.xml",
            "<ProxyEndpoint name=\"default\"><HTTPProxyConnection><BasePath>/p</BasePath></HTTPProxyConnection>\
             <RouteRule name=\"r\"><TargetEndpoint>default</TargetEndpoint></RouteRule></ProxyEndpoint>",
        );
        files.insert(
            "apiproxy/targets/default.xml",
            "<TargetEndpoint name=\"default\"><HTTPTargetConnection><URL>https://h.test/</URL><SSLInfo>\
             <Enabled>true</Enabled><TrustStore>ref://believed</TrustStore></SSLInfo></HTTPTargetConnection>\
             </TargetEndpoint>",
        );
        let zip = pierhead_bundle::write_archive(&files).unwrap();
        let import = "/v1/organizations/acme/apis?action=import&name=P";
        portal.bytes("POST", import, "application/octet-stream", zip).await;
        assert_eq!(call(&portal, "POST", "/apis/P/revisions/1/deployments", Value::Null).await.0, 200);
        let running = || portal.snapshots.load().proxy("P").unwrap().clone();
        assert!(running().is_degraded(), "there is no such store yet");

        for name in ["old", "new"] {
            call(&portal, "POST", "/keystores", json!({"name": name})).await;
            assert_eq!(upload(&portal, name, "authority", &[("certFile", AUTHORITY)]).await.0, 201);
        }
        let reference = |store: &str| json!({"name": "believed", "refers": store, "resourceType": "TrustStore"});
        assert_eq!(call(&portal, "POST", "/references", reference("lost")).await.0, 400);
        assert_eq!(call(&portal, "POST", "/references", reference("old")).await.0, 201);
        let first = running();
        assert!(!first.is_degraded(), "{:?}", first.degradations);

        let turned = call(&portal, "PUT", "/references/believed", json!({"refers": "new"})).await;
        assert_eq!((turned.0, &turned.1["refers"]), (200, &json!("new")));
        assert!(!Arc::ptr_eq(&first, &running()), "it runs with the new store");
        assert_eq!(
            call(&portal, "DELETE", "/keystores/old", Value::Null).await.0,
            200,
            "nobody uses it any more"
        );
        let (status, why, _) = call(&portal, "DELETE", "/keystores/new", Value::Null).await;
        assert_eq!(status, 400);
        assert!(why["message"].as_str().unwrap().contains("reference believed"), "{why}");
        let (status, why, _) = call(&portal, "DELETE", "/references/believed", Value::Null).await;
        assert_eq!(status, 400);
        assert!(why["message"].as_str().unwrap().contains("API proxy P"), "{why}");
        let again = portal.restart().await;
        assert!(!again.load().proxy("P").unwrap().is_degraded(), "after a restart too");
    }
}
