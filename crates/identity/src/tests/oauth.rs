//! Service keys and `/oauth/token`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pierhead_domain::Role;
use pierhead_web::Authenticator;
use serde_json::{Value, json};

use super::house::{EMAIL, House, PASSWORD, Signed};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn key(house: &House, body: Value) -> (String, String) {
    let root = house.root().await;
    let made = house.call(&root, "POST", "/api/v1/service-keys", body).await.expect(201);
    assert_eq!(made.text("url"), "http://pierhead.test");
    assert_eq!(made.text("tokenUrl"), "http://pierhead.test/oauth/token");
    (made.text("clientId"), made.text("clientSecret"))
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

#[tokio::test]
async fn every_way_in_which_clients_of_the_original_ask_gets_a_token() {
    let house = House::new().await;
    let (id, secret) = key(&house, json!({"name": "ci"})).await;
    let header = basic(&id, &secret);
    let basic = [("authorization", header.as_str())];
    let basic_form = [("authorization", header.as_str()), FORM];
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let query = "/oauth/token?grant_type=client_credentials";
    for answer in [
        house.send("POST", "/oauth/token", &[FORM], form).await,
        house.send("POST", "/oauth/token", &basic_form, "grant_type=client_credentials").await,
        house.send("POST", query, &basic, "").await,
        house.send("GET", query, &basic, "").await,
        house.send("GET", &format!("{query}&response_type=token"), &basic, "").await,
    ] {
        let answer = answer.expect(200);
        assert_eq!(answer.text("token_type"), "bearer");
        assert_eq!(answer.body["expires_in"], json!(3600));
        assert_eq!(answer.text("scope"), "APIPortal.Administrator");
        assert_eq!(answer.header("cache-control"), "no-store");
        let caller = house.identity.bearer_caller(&answer.text("access_token").into()).await.unwrap();
        assert_eq!((caller.user, caller.name.as_str()), (None, id.as_str()));
        assert!(caller.may_design_apis() && !caller.is_org_admin());
    }
    let caller = house.identity.basic_caller(&id, &secret.as_str().into()).await.unwrap();
    assert!(caller.roles.has(Role::ApiAdministrator));
}

#[tokio::test]
async fn errors_are_those_of_the_rfc() {
    let house = House::new().await;
    let (id, secret) = key(&house, json!({"name": "ci", "roles": [{"key": "APIPortal.Guest"}]})).await;
    let good = basic(&id, &secret);
    let wrong = basic(&id, "wrong");
    let person = basic(EMAIL, PASSWORD);
    let query = "/oauth/token?grant_type=client_credentials";
    for (path, header, status, code) in [
        ("/oauth/token", Some(&good), 400, "invalid_request"),
        ("/oauth/token?grant_type=password", Some(&good), 400, "unsupported_grant_type"),
        (query, None, 401, "invalid_client"),
        (query, Some(&wrong), 401, "invalid_client"),
        (query, Some(&person), 401, "invalid_client"),
        ("/oauth/token?grant_type=client_credentials&scope=org-admin", Some(&good), 400, "invalid_scope"),
        ("/oauth/token?grant_type=client_credentials&grant_type=a", Some(&good), 400, "invalid_request"),
        ("/oauth/token?grant_type=client_credentials&client_id=other", Some(&good), 400, "invalid_request"),
    ] {
        let headers: Vec<(&str, &str)> =
            header.iter().map(|value| ("authorization", value.as_str())).collect();
        let answer = house.send("GET", path, &headers, "").await.expect(status);
        assert_eq!(answer.text("error"), code, "{path}");
        assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401);
        assert!(!answer.body.to_string().contains(&secret));
    }
    let in_address = format!("{query}&client_id={id}&client_secret={secret}");
    let answer = house.send("GET", &in_address, &[], "").await.expect(400);
    assert_eq!(answer.text("error"), "invalid_request");
    let json = [("content-type", "application/json"), ("authorization", good.as_str())];
    house.send("POST", "/oauth/token", &json, "{}").await.expect(400);
    house.send("POST", "/oauth/token", &[FORM], "a".repeat(20_000)).await.expect(413);
    assert_eq!(house.send("PUT", "/oauth/token", &[], "").await.expect(405).text("error"), "invalid_request");
}

#[tokio::test]
async fn a_scope_narrows_the_token_and_not_the_key() {
    let house = House::new().await;
    let (id, secret) =
        key(&house, json!({"name": "ci", "roles": ["APIPortal.Guest", "APIPortal.Administrator"]})).await;
    let header = basic(&id, &secret);
    let path = "/oauth/token?grant_type=client_credentials&scope=APIPortal.Guest";
    let answer = house.send("GET", path, &[("authorization", &header)], "").await.expect(200);
    assert_eq!(answer.text("scope"), "APIPortal.Guest");
    let caller = house.identity.bearer_caller(&answer.text("access_token").into()).await.unwrap();
    assert!(caller.may_read_apis() && !caller.may_design_apis());
}

#[tokio::test]
async fn tokens_end_with_their_time_and_with_their_key() {
    let house = House::new().await;
    let (id, secret) = key(&house, json!({"name": "ci", "roles": [{"key": "org-admin"}]})).await;
    let header = basic(&id, &secret);
    let ask = || async {
        house
            .send("GET", "/oauth/token?grant_type=client_credentials", &[("authorization", &header)], "")
            .await
    };
    let bearer = |answer: super::house::Answer| Signed(format!("Bearer {}", answer.text("access_token")));

    let old = bearer(ask().await.expect(200));
    house.get(&old, "/organizations/me").await.expect(200);
    house.get(&old, "/authentication/secrets").await.says(403, "service key");
    house.wait(3600);
    house.get(&old, "/organizations/me").await.expect(401);

    let revoked = bearer(ask().await.expect(200));
    house.get(&revoked, "/organizations/me").await.expect(200);
    let root = house.root().await;
    house.call(&root, "DELETE", &format!("/api/v1/service-keys/{id}"), json!(null)).await.expect(204);
    house.get(&revoked, "/organizations/me").await.expect(401);
    ask().await.expect(401);
    assert!(house.identity.basic_caller(&id, &secret.as_str().into()).await.is_err());
    house.call(&root, "DELETE", &format!("/api/v1/service-keys/{id}"), json!(null)).await.expect(404);
}

#[tokio::test]
async fn a_key_with_an_end_gives_no_token_beyond_it() {
    let house = House::new().await;
    let (id, secret) = key(&house, json!({"name": "ci", "expiresInDays": 1})).await;
    let header = basic(&id, &secret);
    house.wait(24 * 3600 - 60);
    let path = "/oauth/token?grant_type=client_credentials";
    let last = house.send("GET", path, &[("authorization", &header)], "").await.expect(200);
    assert_eq!(last.body["expires_in"], json!(60));
    house.wait(60);
    house.send("GET", path, &[("authorization", &header)], "").await.expect(401);
    assert!(house.identity.bearer_caller(&last.text("access_token").into()).await.is_err());
}

#[tokio::test]
async fn service_keys_are_listed_without_secrets_and_only_for_administrators() {
    let house = House::new().await;
    let (id, secret) = key(&house, json!({"name": "<b>ci</b>"})).await;
    let root = house.root().await;
    let list = house.get(&root, "/api/v1/service-keys").await.expect(200);
    assert_eq!(list.body[0]["name"], json!("ci"));
    assert!(!list.body.to_string().contains(&secret) && !list.body.to_string().contains("secret"));
    house.get(&root, &format!("/api/v1/service-keys/{id}")).await.expect(200);
    house.get(&root, "/api/v1/service-keys/none").await.expect(404);

    for (body, field) in [
        (json!({}), "name"),
        (json!({"name": "x", "roles": ["king"]}), "roles"),
        (json!({"name": "x", "expiresInDays": 0}), "expiresInDays"),
    ] {
        let answer = house.call(&root, "POST", "/api/v1/service-keys", body).await.expect(400);
        assert_eq!(answer.body["field"], json!(field));
    }
    let (ann, _, _) = house.member("ann", &["admin"]).await;
    house.get(&ann, "/api/v1/service-keys").await.expect(403);
    house.call(&ann, "POST", "/api/v1/service-keys", json!({"name": "x"})).await.expect(403);
    house.call(&ann, "DELETE", &format!("/api/v1/service-keys/{id}"), json!(null)).await.expect(403);
    house.send("GET", "/api/v1/service-keys", &[], "").await.expect(401);
}

#[tokio::test]
async fn a_form_of_another_page_cannot_use_the_browsers_basic_login() {
    let house = House::new().await;
    let header = basic(EMAIL, PASSWORD);
    let text = [("authorization", header.as_str()), ("content-type", "text/plain")];
    house.send("POST", "/api/v1/service-keys", &text, r#"{"name":"x"}"#).await.says(400, "application/json");
    let json = [("authorization", header.as_str()), ("content-type", "application/json; charset=utf-8")];
    house.send("POST", "/api/v1/service-keys", &json, r#"{"name":"x"}"#).await.expect(201);
}
