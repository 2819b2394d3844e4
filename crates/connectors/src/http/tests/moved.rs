//! Secrets go where they were meant to go: who moves an instance to another server gives them again.

use http::StatusCode;
use serde_json::{Value, json};

use crate::testing::{ADMIN, CLERK, TestHub, element};

fn desk() -> Value {
    json!({
        "name": "d", "element": {"key": "desk"},
        "configuration": {"username": "ada", "password": "good"},
    })
}

#[tokio::test]
async fn a_password_is_not_sent_to_another_server_than_it_was_given_for() {
    let hub = TestHub::start().await;
    let made = hub.make(ADMIN, desk()).await;
    let path = format!("/instances/{}", made["id"]);
    let evil = json!({"configuration": {"base.url": "https://evil.example"}});
    let masked = json!({"configuration": {"base.url": "https://evil.example", "password": "********"}});
    for (path, body) in [
        (path.clone(), evil),
        (path.clone(), masked),
        (format!("{path}/configuration/base.url"), json!({"propertyValue": "https://evil.example"})),
    ] {
        for who in [CLERK, ADMIN] {
            let answer = hub.call("PATCH", &path, who, Some(body.clone())).await;
            assert_ne!(answer.status, StatusCode::OK, "{path} {who} {body}: {}", answer.text);
        }
    }
    let refused = hub
        .call("PATCH", &path, CLERK, Some(json!({"configuration": {"base.url": "https://evil.example"}})))
        .await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.message().contains("configuration['password']"), "{}", refused.text);

    let whole = json!({"configuration": {"base.url": "https://new.example", "password": "good"}});
    let moved = hub.call("PATCH", &path, CLERK, Some(whole)).await;
    assert_eq!(moved.status, StatusCode::OK, "{}", moved.text);
    let same = json!({"configuration": {"base.url": "https://new.example/"}});
    assert_eq!(hub.call("PATCH", &path, CLERK, Some(same)).await.status, StatusCode::OK);
    assert_eq!(hub.get("/tickets/1", &element("clerk", &made)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn tokens_and_client_secrets_are_not_sent_to_another_server_either() {
    let hub = TestHub::start().await;
    let client = "apiKey=client&apiSecret=secret&callbackUrl=https://app.example/back";
    let consent = async || {
        let answer = hub.get(&format!("/elements/things/oauth/url?{client}"), "").await;
        hub.vendor.consent(answer.json["oauthUrl"].as_str().unwrap())
    };
    let own = json!({
        "oauth.callback.url": "https://app.example/back", "oauth.api.key": "client", "oauth.api.secret": "secret",
    });
    let ask = json!({
        "name": "t", "element": {"key": "things"}, "providerData": {"code": consent().await},
        "configuration": own,
    });
    let made = hub.make(ADMIN, ask).await;
    let path = format!("/instances/{}", made["id"]);
    let asked = hub.vendor.token_calls();
    for key in ["base.url", "oauth.token.url", "oauth.token.revoke_url"] {
        let mut with_secrets = own.clone();
        with_secrets[key] = "https://evil.example/token".into();
        let without = json!({key: "https://evil.example/token"});
        for configuration in [without, with_secrets] {
            let body = json!({"configuration": configuration});
            let answer = hub.call("PATCH", &path, CLERK, Some(body.clone())).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {}", answer.text);
            assert!(answer.message().contains(key), "{}", answer.text);
        }
        let body = json!({
            "providerData": {"code": consent().await},
            "configuration": {key: "https://evil.example/token"},
        });
        let answer = hub.call("PATCH", &path, CLERK, Some(body)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    }
    assert_eq!(hub.vendor.token_calls(), asked, "nobody was asked for a token");

    let mut moved = own.clone();
    moved["oauth.token.url"] = "https://new.example/token".into();
    let body = json!({"providerData": {"code": consent().await}, "configuration": moved});
    let answer = hub.call("PATCH", &path, ADMIN, Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}
