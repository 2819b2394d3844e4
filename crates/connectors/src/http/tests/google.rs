//! The whole story against the stateful double of the first OAuth vendor, over real connections.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use pierhead_domain::SystemRng;
use pierhead_sandbox::google::{GoogleDrive, GoogleDriveOptions, Handle};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use crate::testing::{ADMIN, TestHub, element};

async fn double(hub: &TestHub) -> Handle {
    let options = GoogleDriveOptions { samples: false, ..GoogleDriveOptions::default() };
    let drive = GoogleDrive::new(options, Arc::new(hub.clock.clone()), Arc::new(SystemRng)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let handle = drive.handle(listener.local_addr().unwrap());
    tokio::spawn(drive.serve(listener, std::future::pending()));
    handle
}

fn configuration(handle: &Handle) -> Value {
    let base = handle.base_url();
    json!({
        "oauth.callback.url": "http://127.0.0.1:9/back",
        "oauth.api.key": handle.client_id(),
        "oauth.api.secret": handle.client_secret().expose(),
        "base.url": base,
        "oauth.authorization.url": format!("{base}/o/oauth2/v2/auth"),
        "oauth.token.url": format!("{base}/token"),
        "oauth.token.revoke_url": format!("{base}/revoke"),
    })
}

async fn consent(hub: &TestHub, handle: &Handle, allow: bool) -> Vec<(String, String)> {
    let base = handle.base_url();
    let asked = json!({
        "apiKey": handle.client_id(),
        "apiSecret": handle.client_secret().expose(),
        "callbackUrl": "http://127.0.0.1:9/back",
        "oauth.authorization.url": format!("{base}/o/oauth2/v2/auth"),
    });
    let answer = hub.call("POST", "/elements/googledrive/oauth/url", "", Some(asked)).await;
    let url = answer.json["oauthUrl"].as_str().unwrap_or_else(|| panic!("{}", answer.text));
    let back = handle.consent(url, allow, None).unwrap();
    Url::parse(&back).unwrap().query_pairs().into_owned().collect()
}

fn ask(handle: &Handle, back: &[(String, String)]) -> Value {
    let data: serde_json::Map<String, Value> =
        back.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({
        "name": "drive",
        "element": {"key": "googledrive"},
        "providerData": data,
        "configuration": configuration(handle),
    })
}

#[tokio::test]
async fn a_drive_is_connected_used_refreshed_and_disconnected() {
    let hub = TestHub::on_the_network().await;
    let drive = double(&hub).await;
    let back = consent(&hub, &drive, true).await;
    let made = hub.make(ADMIN, ask(&drive, &back)).await;
    let token = element("admin", &made);

    let uploaded = hub.upload("/files?path=/story/a.txt", &token, "a.txt", b"hello").await;
    assert_eq!(uploaded.status, StatusCode::OK, "{}", uploaded.text);
    assert_eq!(hub.get("/files?path=/story/a.txt", &token).await.text, "hello");
    let id = uploaded.json["id"].as_str().unwrap();
    assert_eq!(hub.get(&format!("/hubs/documents/files/{id}"), &token).await.text, "hello");
    assert_eq!(hub.get("/folders/contents?path=/story", &token).await.json[0]["name"], "a.txt");
    assert_eq!(drive.refresh_count(), 0);

    drive.expire_access_tokens();
    let calls = (0..20).map(|_| hub.get("/files?path=/story/a.txt", &token));
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "hello"));
    }
    assert_eq!(drive.refresh_count(), 1, "refused tokens are refreshed once");
    hub.clock.advance(Duration::from_secs(3600));
    assert_eq!(hub.get("/files?path=/story/a.txt", &token).await.text, "hello");
    assert_eq!(drive.refresh_count(), 2);

    drive.revoke_all();
    let refused = hub.get("/files?path=/story/a.txt", &token).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{}", refused.text);
    let path = format!("/instances/{}", made["id"]);
    assert_eq!(hub.get(&path, ADMIN).await.json["valid"], false);
    let back = consent(&hub, &drive, true).await;
    let again = hub.call("PATCH", &path, ADMIN, Some(json!({"providerData": {"code": code(&back)}}))).await;
    assert_eq!((again.status, &again.json["token"]), (StatusCode::OK, &made["token"]), "{}", again.text);
    assert_eq!(hub.get("/files?path=/story/a.txt", &token).await.text, "hello");
    assert_eq!(hub.call("DELETE", &path, ADMIN, None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn denied_and_replayed_consents_make_nothing() {
    let hub = TestHub::on_the_network().await;
    let drive = double(&hub).await;
    let denied = consent(&hub, &drive, false).await;
    let answer = hub.call("POST", "/instances", ADMIN, Some(ask(&drive, &denied))).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    assert!(answer.message().contains("Consent was not given"), "{}", answer.text);

    let back = consent(&hub, &drive, true).await;
    hub.make(ADMIN, ask(&drive, &back)).await;
    let replayed = hub.call("POST", "/instances", ADMIN, Some(ask(&drive, &back))).await;
    assert_eq!(replayed.status, StatusCode::BAD_REQUEST, "{}", replayed.text);
    assert_eq!(hub.get("/instances/count", ADMIN).await.json["totalInstances"], 1);
}

#[tokio::test]
async fn an_address_that_is_not_allowed_is_never_called() {
    let hub = TestHub::on_the_network().await;
    let drive = double(&hub).await;
    let back = consent(&hub, &drive, true).await;
    let mut inside = ask(&drive, &back);
    inside["configuration"]["oauth.token.url"] = "http://10.0.0.1/token".into();
    let answer = hub.call("POST", "/instances", ADMIN, Some(inside)).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{}", answer.text);
    assert_eq!(hub.get("/instances", ADMIN).await.message(), "No instances found");
}

fn code(back: &[(String, String)]) -> &str {
    &back.iter().find(|(name, _)| name == "code").unwrap().1
}
