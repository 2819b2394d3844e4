use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::testing::{ADMIN, TestHub, element};

const CLIENT: &str = "apiKey=client&apiSecret=secret&callbackUrl=https://app.example/back";

fn ask(provider_data: Value) -> Value {
    json!({
        "name": "t",
        "element": {"key": "things"},
        "providerData": provider_data,
        "configuration": {
            "oauth.callback.url": "https://app.example/back",
            "oauth.api.key": "client",
            "oauth.api.secret": "secret",
        },
    })
}

async fn authorize_url(hub: &TestHub, more: &str) -> String {
    let answer = hub.get(&format!("/elements/things/oauth/url?{CLIENT}{more}"), "").await;
    assert_eq!(
        (answer.status, answer.json["element"].as_str()),
        (StatusCode::OK, Some("things")),
        "{}",
        answer.text
    );
    answer.json["oauthUrl"].as_str().unwrap().to_owned()
}

fn parameter(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

async fn nothing_made(hub: &TestHub) {
    assert_eq!(hub.get("/instances", ADMIN).await.message(), "No instances found");
}

#[tokio::test]
async fn a_consent_becomes_an_instance_whose_token_is_refreshed_by_itself() {
    let hub = TestHub::start().await;
    let url = authorize_url(&hub, "").await;
    assert_eq!(parameter(&url, "state"), "things");
    assert_eq!(parameter(&url, "code_challenge_method"), "S256");
    assert_eq!(parameter(&url, "scope"), "read write");
    assert_eq!(parameter(&url, "redirect_uri"), "https://app.example/back");
    assert!(!url.contains("secret"), "{url}");

    let made = hub.make(ADMIN, ask(json!({"code": hub.vendor.consent(&url)}))).await;

    assert!(made.get("providerData").is_none());
    assert_eq!(made["configuration"]["oauth.api.secret"], "********");
    assert_eq!(made["configuration"]["oauth.api.key"], "********");
    assert_eq!(made["configuration"]["colour"], "red");
    let token = element("admin", &made);
    assert_eq!(hub.get("/things/7", &token).await.json["token"], "access-1");
    hub.clock.advance(Duration::from_secs(3600));
    assert_eq!(hub.get("/things/7", &token).await.json["token"], "access-2");
    hub.vendor.end_access_tokens();
    assert_eq!(
        hub.get("/things/7", &token).await.json["token"],
        "access-3",
        "refused once, refreshed, called again"
    );
    assert_eq!(hub.vendor.token_calls(), 3);
}

#[tokio::test]
async fn a_post_and_an_own_server_work_as_well() {
    let hub = TestHub::start().await;
    let body = json!({
        "apiKey": "client", "apiSecret": "secret", "callbackUrl": "https://app.example/back", "state": "mine",
        "oauth.authorization.url": "https://other.example/consent",
    });
    let answer = hub.call("POST", "/elements/99001/oauth/url", ADMIN, Some(body)).await;
    let url = answer.json["oauthUrl"].as_str().unwrap();
    assert!(url.starts_with("https://other.example/consent?"), "{url}");
    assert_eq!(parameter(url, "state"), "mine");
}

#[tokio::test]
async fn what_the_consent_page_needs_is_asked_for_by_name() {
    let hub = TestHub::start().await;
    for (path, text) in [
        ("/elements/things/oauth/url?callbackUrl=https://a.example", "apiKey"),
        ("/elements/things/oauth/url?apiKey=a", "callbackUrl"),
        ("/elements/things/oauth/url?apiKey=a&callbackUrl=javascript:x", "callbackUrl"),
        (
            "/elements/things/oauth/url?apiKey=a&callbackUrl=https://a.example&oauth.authorization.url=ftp://x",
            "authorization",
        ),
        ("/elements/desk/oauth/url?apiKey=a&callbackUrl=https://a.example", "OAuth 2"),
    ] {
        let answer = hub.get(path, "").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(answer.message().contains(text), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_replayed_code_or_a_denied_consent_makes_nothing_and_says_what_to_do() {
    let hub = TestHub::start().await;
    for (data, text) in [
        (json!({"code": "never-issued"}), "used before, has expired"),
        (json!({"error": "access_denied", "error_description": "no"}), "Consent was not given"),
        (json!({}), "providerData.code is required"),
    ] {
        let answer = hub.call("POST", "/instances", ADMIN, Some(ask(data))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
        assert!(answer.message().contains(text) && answer.message().contains("oauth/url"), "{}", answer.text);
    }
    nothing_made(&hub).await;

    let code = hub.vendor.consent(&authorize_url(&hub, "").await);
    hub.make(ADMIN, ask(json!({"code": code}))).await;
    let again = hub.call("POST", "/instances", ADMIN, Some(ask(json!({"code": code})))).await;
    assert_eq!((again.status, again.json["providerMessage"].is_string()), (StatusCode::BAD_REQUEST, true));
    assert_eq!(hub.get("/instances/count", ADMIN).await.json["totalInstances"], 1);
}

#[tokio::test]
async fn a_state_is_good_once_for_ten_minutes_and_only_if_it_was_sent_there() {
    let hub = TestHub::start().await;
    let code = hub.vendor.consent(&authorize_url(&hub, "&state=s1").await);
    let refused = async |data: Value| {
        let answer = hub.call("POST", "/instances", ADMIN, Some(ask(data))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
        assert!(answer.message().contains("providerData.state"), "{}", answer.text);
    };
    refused(json!({"code": code, "state": "forged"})).await;
    hub.make(ADMIN, ask(json!({"code": code, "state": "s1"}))).await;
    refused(json!({"code": "another", "state": "s1"})).await;

    authorize_url(&hub, "&state=s2").await;
    hub.clock.advance(Duration::from_secs(601));
    refused(json!({"code": "late", "state": "s2"})).await;
}

#[tokio::test]
async fn people_who_consent_at_the_same_time_without_sending_their_state_back_all_succeed() {
    let hub = TestHub::start().await;
    let mut codes = Vec::new();
    for more in ["", "&state=a", "&state=b", ""] {
        codes.push(hub.vendor.consent(&authorize_url(&hub, more).await));
    }
    for code in codes {
        hub.make(ADMIN, ask(json!({"code": code}))).await;
    }
}

#[tokio::test]
async fn a_vendor_that_is_down_makes_no_instance_and_spends_no_state() {
    let hub = TestHub::start().await;
    let code = hub.vendor.consent(&authorize_url(&hub, "&state=s").await);
    hub.vendor.behave(|habits| habits.down = true);
    let data = json!({"code": code, "state": "s"});
    let answer = hub.call("POST", "/instances", ADMIN, Some(ask(data.clone()))).await;
    assert_eq!((answer.status, &answer.json["retryable"]), (StatusCode::BAD_GATEWAY, &json!(true)));
    nothing_made(&hub).await;

    hub.vendor.behave(|habits| habits.down = false);
    hub.make(ADMIN, ask(data)).await;
}

#[tokio::test]
async fn an_instance_to_reconnect_shows_why_and_is_connected_again_in_place() {
    let hub = TestHub::start().await;
    let made =
        hub.make(ADMIN, ask(json!({"code": hub.vendor.consent(&authorize_url(&hub, "").await)}))).await;
    let (path, token) = (format!("/instances/{}", made["id"]), element("admin", &made));
    hub.vendor
        .behave(|habits| habits.fails = Some((StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#)));
    hub.clock.advance(Duration::from_secs(3600));
    let refused = hub.get("/things/7", &token).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.message().contains("Connect it again"), "{}", refused.text);
    let shown = hub.get(&path, ADMIN).await.json;
    assert_eq!((shown["valid"].as_bool(), shown["disabled"].as_bool()), (Some(false), Some(false)));
    assert_eq!(shown["credentialState"]["state"], "reconnect");

    hub.vendor.behave(|habits| habits.fails = None);
    let code = hub.vendor.consent(&authorize_url(&hub, "").await);
    let again = hub.call("PUT", &path, ADMIN, Some(json!({"providerData": {"code": code}}))).await;

    assert_eq!((&again.json["id"], &again.json["token"]), (&made["id"], &made["token"]), "{}", again.text);
    assert_eq!((again.json["valid"].as_bool(), again.json["name"].as_str()), (Some(true), Some("t")));
    assert_eq!(hub.get("/things/7", &token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_refresh_token_of_the_callers_own_is_proven_first() {
    let hub = TestHub::start().await;
    let (_, refresh_token) = hub.vendor.grant();
    let mut own = ask(json!({}));
    own["externalAuthentication"] = "initial".into();
    own["configuration"]["oauth.user.refresh_token"] = refresh_token.into();
    let made = hub.make(ADMIN, own.clone()).await;
    assert_eq!(made["externalAuthentication"], "initial");
    assert!(made["configuration"].get("oauth.user.refresh_token").is_none());
    assert_eq!(hub.get("/things/7", &element("admin", &made)).await.status, StatusCode::OK);

    own["configuration"]["oauth.user.refresh_token"] = "stolen".into();
    assert_eq!(hub.call("POST", "/instances", ADMIN, Some(own)).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_scheduler_refreshes_before_anybody_calls_and_deleting_revokes() {
    let hub = TestHub::start().await;
    let made =
        hub.make(ADMIN, ask(json!({"code": hub.vendor.consent(&authorize_url(&hub, "").await)}))).await;
    assert_eq!(hub.hub.refresh_due().await.unwrap(), 0);
    hub.clock.advance(Duration::from_secs(3300));
    assert_eq!(hub.hub.refresh_due().await.unwrap(), 1);
    assert_eq!(hub.hub.refresh_due().await.unwrap(), 0);
    assert_eq!(hub.vendor.token_calls(), 2);

    hub.call("DELETE", &format!("/instances/{}", made["id"]), ADMIN, None).await;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if !hub.vendor.revoked().is_empty() {
            break;
        }
    }
    assert_eq!(hub.vendor.revoked(), ["refresh-2"]);
}
