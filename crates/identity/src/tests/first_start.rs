//! First start, by the operator's configuration and by the setup page.

use std::sync::Arc;

use pierhead_domain::{SharedClock, SharedRng, SystemRng};
use pierhead_store::on_both_databases;
use pierhead_web::Authenticator;
use serde_json::json;

use super::house::{EMAIL, House, PASSWORD};
use crate::{FirstStart, Identity, IdentitySettings, open_vault};

#[tokio::test]
async fn the_administrator_of_the_first_start_can_do_everything() {
    let house = House::empty().await;
    assert!(!house.identity.administrator_exists().await.unwrap());
    let made = house.start().await;
    assert!(house.identity.administrator_exists().await.unwrap());
    let caller = house.identity.basic_caller(EMAIL, &PASSWORD.into()).await.unwrap();
    assert_eq!(
        (caller.organization, caller.account, caller.user),
        (made.organization, made.account, Some(made.user))
    );
    assert!(caller.is_org_admin());
}

#[tokio::test]
async fn a_second_first_start_changes_nothing() {
    let house = House::new().await;
    let again =
        house.identity.first_start("other@example.com", &"Other-word-1".into(), "Other").await.unwrap();
    assert_eq!(again, FirstStart::AlreadyDone);
    house.log_in("other@example.com", "Other-word-1").await.expect(401);
    let root = house.root().await;
    assert_eq!(house.get(&root, "/organizations/me").await.expect(200).text("name"), "Acme");
}

on_both_databases! {
    async fn of_two_first_starts_at_once_one_wins_and_the_other_sees_it(store: Store) {
        let keys = tempfile::tempdir().unwrap();
        let clock: SharedClock = Arc::new(pierhead_domain::SystemClock);
        let rng: SharedRng = Arc::new(SystemRng);
        let mut processes = Vec::new();
        for _ in 0..2 {
            let vault = open_vault(&store, &keys.path().join("k"), &clock, &rng).await.unwrap();
            let settings = IdentitySettings::default();
            processes.push(Identity::new(store.clone(), Arc::new(vault), clock.clone(), rng.clone(), settings));
        }
        let password = PASSWORD.into();
        let (one, two) = tokio::join!(
            processes[0].first_start(EMAIL, &password, "One"),
            processes[1].first_start(EMAIL, &password, "Two"),
        );
        let ends = [one.unwrap(), two.unwrap()];
        assert_eq!(ends.iter().filter(|end| **end == FirstStart::AlreadyDone).count(), 1, "{ends:?}");
        for process in &processes {
            let caller = process.basic_caller(EMAIL, &password).await.unwrap();
            assert!(caller.is_org_admin());
        }
    }
}

#[tokio::test]
async fn setup_asks_for_the_code_and_works_once() {
    let house = House::empty().await;
    let none: [(&str, &str); 0] = [];
    let needed = house.send("GET", "/api/v1/setup", &none, "").await.expect(200);
    assert_eq!(needed.body, json!({"needed": true}));
    let code = house.identity.setup_code().expose().to_owned();
    let good = json!({"email": "Ada@Example.com", "password": "Correct-horse-7", "organization": "Acme", "code": code});
    let setup = |change: serde_json::Value| {
        let mut body = good.clone();
        for (name, value) in change.as_object().unwrap() {
            body[name.as_str()] = value.clone();
        }
        body.to_string()
    };

    for (change, status, field) in [
        (json!({"code": "wrong"}), 403, None),
        (json!({"code": null}), 400, Some("code")),
        (json!({"email": "ada"}), 400, Some("email")),
        (json!({"password": "short"}), 400, Some("password")),
        (json!({"password": 7}), 400, Some("password")),
        (json!({"organization": "<i></i>"}), 400, Some("organization")),
        (json!({"organization": "x".repeat(300)}), 400, Some("organization")),
    ] {
        let answer = house.send("POST", "/api/v1/setup", &none, setup(change)).await.expect(status);
        assert_eq!(answer.body["field"].as_str(), field, "{answer:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(!answer.body.to_string().contains(&code));
    }
    house.send("POST", "/api/v1/setup", &none, "not json").await.expect(400);
    house.send("PUT", "/api/v1/setup", &none, "").await.expect(405);

    house.send("POST", "/api/v1/setup", &none, setup(json!({}))).await.expect(201);
    house.send("POST", "/api/v1/setup", &none, setup(json!({}))).await.expect(409);
    let needed = house.send("GET", "/api/v1/setup", &none, "").await.expect(200);
    assert_eq!(needed.body, json!({"needed": false}));
    house.log_in("ada@example.com", "Correct-horse-7").await.expect(200);
}

#[tokio::test]
async fn guessing_the_setup_code_is_slowed_down() {
    let house = House::empty().await;
    for _ in 0..5 {
        house.send("POST", "/api/v1/setup", &[], r#"{"code": "guess"}"#).await.expect(403);
    }
    let slow = house.send("POST", "/api/v1/setup", &[], r#"{"code": "guess"}"#).await.expect(429);
    assert_eq!(slow.header("retry-after"), "1");
}

#[tokio::test]
async fn no_secret_lies_in_the_database_in_clear() {
    let house = House::new().await;
    let root = house.root().await;
    let secrets = house.get(&root, "/authentication/secrets").await.expect(200);
    let person = house.store.identities().person_by_email(EMAIL).await.unwrap().unwrap();
    let organization = house.store.identities().organization(person.organization).await.unwrap().unwrap();
    let stored = format!("{person:?} {organization:?}");
    for secret in [secrets.text("userSecret"), secrets.text("organizationSecret"), PASSWORD.into()] {
        assert!(!stored.contains(&secret));
        let sealed = [person.secret_sealed.clone(), organization.secret_sealed.clone()].concat();
        assert!(!sealed.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}
