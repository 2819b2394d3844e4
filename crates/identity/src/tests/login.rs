//! Logging in, secrets, the grammar of the Authorization header, and who gets in.

use pierhead_domain::SecretString;
use pierhead_web::Authenticator;
use pierhead_web::auth::AuthFailure;
use serde_json::json;

use super::house::{EMAIL, House, PASSWORD, Signed};

#[tokio::test]
async fn a_login_answers_the_authenticated_user_and_its_token_shows_the_secrets() {
    let house = House::new().await;
    let user = house.log_in("ROOT@example.com", PASSWORD).await.expect(200);
    assert_eq!(user.text("username"), EMAIL);
    assert_eq!(user.text("organizationName"), "Acme");
    assert_eq!(user.text("lastLoginDate"), "2017-07-14");
    assert_eq!(user.body["organizationAdmin"], json!(true));
    assert_eq!(user.body["roles"][0]["key"], json!("org-admin"));

    let secrets = house
        .get(&Signed(format!("Bearer {}", user.text("token"))), "/authentication/secrets")
        .await
        .expect(200);
    assert_eq!(secrets.text("userSecret").len(), 44);
    assert_eq!(secrets.text("organizationSecret").len(), 32);
}

#[tokio::test]
async fn wrong_logins_are_all_refused_alike() {
    let house = House::new().await;
    let wrong = house.log_in(EMAIL, "Wrong-horse-7").await.expect(401);
    let nobody = house.log_in("nobody@example.com", PASSWORD).await.expect(401);
    assert_eq!(wrong.body["message"], nobody.body["message"]);
    assert!(!wrong.body.to_string().contains("Wrong-horse-7"));
    house.send("POST", "/authentication", &[], r#"{"username": "a"}"#).await.says(400, "password");
    house.send("POST", "/authentication", &[], r#"{"password": "a"}"#).await.says(400, "username");
    house.send("POST", "/authentication", &[], "[]").await.expect(400);
    house.send("POST", "/authentication", &[], "x".repeat(70_000)).await.expect(413);
    house.send("GET", "/authentication", &[], "").await.expect(405);
}

#[tokio::test]
async fn failed_logins_must_wait_and_a_right_one_ends_it() {
    let house = House::new().await;
    for _ in 0..5 {
        house.log_in(EMAIL, "wrong").await.expect(401);
    }
    let slow = house.log_in(EMAIL, PASSWORD).await.expect(429);
    assert_eq!(slow.header("retry-after"), "1");
    house.wait(2);
    house.log_in(EMAIL, PASSWORD).await.expect(200);
    house.log_in(EMAIL, "wrong").await.expect(401);
    house.log_in(EMAIL, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn failures_from_one_address_do_not_hold_up_another() {
    let house = House::new().await;
    for _ in 0..5 {
        house.log_in_from("192.0.2.1", EMAIL, "wrong").await.expect(401);
    }
    house.log_in_from("192.0.2.1", EMAIL, PASSWORD).await.expect(429);
    house.log_in_from("192.0.2.2", EMAIL, PASSWORD).await.expect(200);
    for host in 1..=5 {
        house.log_in_from(&format!("2001:db8::{host}"), EMAIL, "wrong").await.expect(401);
    }
    house.log_in_from("2001:db8::99", EMAIL, PASSWORD).await.expect(429);
    house.log_in_from("2001:db8:0:1::1", EMAIL, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_program_that_is_known_is_not_held_up_by_guesses_for_its_user() {
    let house = House::new().await;
    house.identity.basic_caller(EMAIL, &PASSWORD.into()).await.unwrap();
    for _ in 0..5 {
        house.identity.basic_caller(EMAIL, &"wrong".into()).await.unwrap_err();
    }
    let slow = house.identity.basic_caller(EMAIL, &"wrong".into()).await.unwrap_err();
    assert!(matches!(slow, AuthFailure::TooMany { .. }), "{slow:?}");
    house.identity.basic_caller(EMAIL, &PASSWORD.into()).await.unwrap();
}

#[tokio::test]
async fn the_header_is_read_in_every_order_and_with_every_credential() {
    let house = House::new().await;
    let root = house.root().await.0;
    let (user, organization) = root.split_once(", ").unwrap();
    for header in [
        format!("{organization}, {user}"),
        format!("{user},{organization}"),
        format!("{user}, {organization}, Element anything="),
        format!("Element anything=, {organization},{user}"),
    ] {
        house.get(&Signed(header), "/organizations/me").await.expect(200);
    }
    let token = house.log_in(EMAIL, PASSWORD).await.text("token");
    house.get(&Signed(format!("bearer {token}")), "/organizations/me").await.expect(200);
}

#[tokio::test]
async fn missing_malformed_and_foreign_credentials_are_refused() {
    let house = House::new().await;
    let root = house.root().await.0;
    let (user, organization) = root.split_once(", ").unwrap();
    house.send("GET", "/organizations/me", &[], "").await.says(401, "Authorization");
    for header in [
        user.to_owned(),
        organization.to_owned(),
        "User x".into(),
        format!("{user}, Organization 0123456789abcdef0123456789abcdef"),
        format!("User AAAA, {organization}"),
        format!("{user}, {organization}, {user}"),
        "Bearer x".into(),
        "Bearer phl_x".into(),
        "Bearer pha_x".into(),
        "Basic cm9vdEBleGFtcGxlLmNvbTpDb3JyZWN0LWhvcnNlLTc=".into(),
        "nonsense".into(),
    ] {
        let refusal = house.get(&Signed(header.clone()), "/organizations/me").await.expect(401);
        assert!(refusal.body["requestId"].is_string(), "{header}");
        let secret = header.rsplit(' ').next().unwrap();
        assert!(secret.len() < 10 || !refusal.body.to_string().contains(secret), "{header}");
    }
    let twice = [("authorization", root.as_str()), ("authorization", root.as_str())];
    house.send("GET", "/organizations/me", &twice, "").await.expect(401);
}

#[tokio::test]
async fn a_login_ends_with_its_time_with_logging_out_and_with_a_new_password() {
    let house = House::new().await;
    let bearer = |answer: &super::house::Answer| Signed(format!("Bearer {}", answer.text("token")));

    let old = bearer(&house.log_in(EMAIL, PASSWORD).await);
    house.get(&old, "/organizations/me").await.expect(200);
    house.wait(12 * 3600);
    house.get(&old, "/organizations/me").await.expect(401);

    let left = bearer(&house.log_in(EMAIL, PASSWORD).await);
    house.get(&left, "/api/v1/session").await.expect(200);
    house.call(&left, "DELETE", "/api/v1/session", json!(null)).await.expect(204);
    house.get(&left, "/organizations/me").await.expect(401);

    let before = bearer(&house.log_in(EMAIL, PASSWORD).await);
    house
        .call(&before, "POST", "/authentication/passwords", json!({"password": "weak"}))
        .await
        .says(400, "at least");
    let after = house
        .call(&before, "POST", "/authentication/passwords", json!({"password": "Better-horse-8"}))
        .await
        .expect(200);
    house.get(&before, "/organizations/me").await.expect(401);
    house.get(&bearer(&after), "/organizations/me").await.expect(200);
    house.log_in(EMAIL, PASSWORD).await.expect(401);
    house.log_in(EMAIL, "Better-horse-8").await.expect(200);
}

#[tokio::test]
async fn a_deactivated_user_is_out_at_once_by_every_door() {
    let house = House::new().await;
    let (ann, account, id) = house.member("ann", &["default-user"]).await;
    let token = house.log_in("ann@example.com", "Zebra-crossing-9").await.text("token");
    let password = SecretString::new("Zebra-crossing-9");
    house.identity.basic_caller("ann@example.com", &password).await.unwrap();
    house.get(&ann, &format!("/accounts/{account}")).await.expect(200);

    let root = house.root().await;
    house.call(&root, "PATCH", &format!("/users/{id}"), json!({"active": false})).await.expect(200);

    house.get(&ann, &format!("/accounts/{account}")).await.expect(401);
    house.get(&Signed(format!("Bearer {token}")), &format!("/accounts/{account}")).await.expect(401);
    let refusal = house.identity.basic_caller("ann@example.com", &password).await.unwrap_err();
    assert!(matches!(refusal, AuthFailure::Refused(_)), "{refusal:?}");
    house.log_in("ann@example.com", "Zebra-crossing-9").await.expect(401);

    house.call(&root, "PATCH", &format!("/users/{id}"), json!({"active": true})).await.expect(200);
    house.get(&ann, &format!("/accounts/{account}")).await.expect(200);
    house.call(&root, "PATCH", &format!("/accounts/{account}"), json!({"active": false})).await.expect(200);
    house.get(&ann, &format!("/accounts/{account}")).await.expect(401);
}

#[tokio::test]
async fn the_hub_header_alone_is_enough_for_hub_calls() {
    let house = House::new().await;
    let root = house.root().await.0;
    let user = root.split_once(", ").unwrap().0.strip_prefix("User ").unwrap();
    let auth = format!("Element e, User {user}").parse().unwrap();
    let caller = house.identity.connector_caller(&auth).await.unwrap();
    assert_eq!(caller.name, EMAIL);
    // The second time it comes from memory, and a wrong organization is still refused.
    house.identity.connector_caller(&auth).await.unwrap();
    let wrong = format!("User {user}, Organization ffffffffffffffffffffffffffffffff").parse().unwrap();
    assert!(house.identity.connector_caller(&wrong).await.is_err());
}
