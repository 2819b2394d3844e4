//! What belongs to somebody else is as unknown as nothing.

use http::Method;
use pierhead_testkit::{Admin, Pierhead, Request};
use serde_json::json;

/// Ada's folder instance, and Finn, who belongs to another account of the same organization.
async fn two_accounts() -> (Pierhead, Admin, Admin, String, String) {
    let pierhead = Pierhead::start().await;
    let ada = pierhead.admin().await;
    let root = pierhead.folder("files");
    std::fs::write(root.join("a.txt"), "tide table").unwrap();
    let token = ada.connect_folder(&root).await;
    let id = ada.call(Method::GET, "/instances", None).await.expect_status(200).json()[0]["id"].to_string();
    let finn = ada.another_account("finn").await;
    (pierhead, ada, finn, token, id)
}

#[tokio::test]
async fn another_accounts_instance_is_404_by_id_and_nothing_changes() {
    let (_pierhead, ada, finn, token, id) = two_accounts().await;
    let before = ada.call(Method::GET, &format!("/instances/{id}"), None).await.expect_status(200).json();
    let rename = json!({"name": "mine now"});
    for (method, path, body) in [
        (Method::GET, format!("/instances/{id}"), None),
        (Method::PATCH, format!("/instances/{id}"), Some(&rename)),
        (Method::PUT, format!("/instances/{id}"), Some(&rename)),
        (Method::DELETE, format!("/instances/{id}/enabled"), None),
        (Method::GET, format!("/instances/{id}/configuration"), None),
        (Method::DELETE, format!("/instances/{id}"), None),
    ] {
        let answer = finn.call(method.clone(), &path, body).await;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text());
        assert!(!answer.text().contains(&token), "{method} {path}");
    }
    finn.call(Method::GET, "/instances", None).await.expect_status(404);
    let after = ada.call(Method::GET, &format!("/instances/{id}"), None).await.expect_status(200).json();
    assert_eq!(after, before);
}

#[tokio::test]
async fn another_accounts_token_is_401_with_the_own_secrets() {
    let (pierhead, ada, finn, token, _) = two_accounts().await;
    finn.hub_get(&token, "/files?path=/a.txt").await.expect_status(401);
    let mixed = Request::get(pierhead.hub("/instances"))
        .header("authorization", &format!("{}, Element {token}", finn.platform()));
    pierhead.client.send(mixed).await.expect_status(401);
    assert_eq!(ada.hub_get(&token, "/files?path=/a.txt").await.expect_status(200).text(), "tide table");
}

#[tokio::test]
async fn a_plain_user_neither_connects_a_folder_nor_makes_accounts_or_providers() {
    let (pierhead, ada, finn, _, _) = two_accounts().await;
    let folder = json!({
        "name": "f", "element": {"key": "folder"},
        "configuration": {"root.path": pierhead.folder("finns").display().to_string()},
    });
    finn.call(Method::POST, "/instances", Some(&folder)).await.expect_status(403);
    let account = json!({"externalId": "x", "name": "x"});
    finn.call(Method::POST, "/accounts", Some(&account)).await.expect_status(403);
    let provider = json!({"name": "p", "title": "p", "destType": "Internet", "host": "example.com"});
    finn.manage(Method::POST, "/APIProviders", Some(&provider)).await.expect_status(403);
    ada.manage(Method::GET, "/APIProviders('p')", None).await.expect_status(404);
    let secrets = finn.call(Method::GET, "/authentication/secrets", None).await.expect_status(200).json();
    assert_ne!(secrets["userSecret"], ada.user, "everybody has a secret of one's own");
}

#[tokio::test]
async fn another_accounts_users_are_not_to_be_changed_or_read() {
    let (_pierhead, ada, finn, _, _) = two_accounts().await;
    let body = json!({"firstName": "Mallory"});
    let users = ada.call(Method::GET, "/users", None).await.expect_status(200).json();
    let id = users.as_array().unwrap().iter().find(|user| user["email"] == pierhead_testkit::ADMIN_EMAIL);
    let id = &id.unwrap()["id"];
    for (method, body) in [(Method::PATCH, Some(&body)), (Method::DELETE, None)] {
        let answer = finn.call(method.clone(), &format!("/users/{id}"), body).await;
        assert!(matches!(answer.status.as_u16(), 403 | 404), "{method}: {} {}", answer.status, answer.text());
    }
    let still = ada.call(Method::GET, &format!("/users/{id}"), None).await.expect_status(200).json();
    assert_ne!(still["firstName"], "Mallory");
}

#[tokio::test]
async fn an_account_that_goes_takes_its_users_secrets_with_it() {
    let (_pierhead, ada, finn, _, _) = two_accounts().await;
    let accounts = ada.call(Method::GET, "/accounts", None).await.expect_status(200).json();
    let id =
        accounts.as_array().unwrap().iter().find(|account| account["externalId"] == "finn").unwrap()["id"]
            .clone();
    finn.call(Method::GET, "/authentication/secrets", None).await.expect_status(200);

    ada.call(Method::DELETE, &format!("/accounts/{id}"), None).await.expect_status(200);

    finn.call(Method::GET, "/authentication/secrets", None).await.expect_status(401);
    ada.call(Method::GET, &format!("/accounts/{id}"), None).await.expect_status(404);
}
