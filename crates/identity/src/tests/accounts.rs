//! Organizations, accounts, their roles, and the lists.

use serde_json::json;

use super::house::House;

#[tokio::test]
async fn an_organization_shows_its_secret_and_takes_a_new_name() {
    let house = House::new().await;
    let root = house.root().await;
    let me = house.get(&root, "/organizations/me").await.expect(200);
    assert_eq!((me.text("vdrVersion").as_str(), me.text("name").as_str()), ("v1", "Acme"));
    assert!(root.0.contains(&me.text("secret")));
    let renamed =
        house.call(&root, "PUT", "/organizations/me", json!({"name": "<b>Acme</b> GmbH"})).await.expect(200);
    assert_eq!(renamed.text("name"), "Acme GmbH");
    house.call(&root, "PUT", "/organizations/me", json!({"name": ""})).await.says(400, "name");
    let (ann, _, _) = house.member("ann", &["admin"]).await;
    house.call(&ann, "PUT", "/organizations/me", json!({"name": "Ann's"})).await.expect(403);
    house.get(&ann, "/organizations/me").await.expect(200);
}

#[tokio::test]
async fn an_account_lives_from_create_to_delete_and_back() {
    let house = House::new().await;
    let root = house.root().await;
    let body = json!({"externalId": "x-1", "name": "<i>North</i>", "description": "d"});
    let made = house.call(&root, "POST", "/accounts", body).await.expect(200);
    assert_eq!(made.text("name"), "North");
    assert_eq!(made.text("type"), "CompanyAccount");
    assert_eq!(made.text("createdDate"), "2017-07-14T02:40:00Z");
    assert_eq!(made.body["defaultAccount"], json!(false));
    let path = format!("/accounts/{}", made.id());

    let patched = house.call(&root, "PATCH", &path, json!({"description": null})).await.expect(200);
    assert_eq!((patched.text("name").as_str(), &patched.body["description"]), ("North", &json!(null)));
    house.call(&root, "PUT", &path, json!({"name": "South"})).await.expect(200);
    assert_eq!(house.get(&root, &path).await.expect(200).text("name"), "South");

    house.call(&root, "DELETE", &path, json!(null)).await.expect(200);
    house.get(&root, &path).await.expect(404);
    house.call(&root, "DELETE", &path, json!(null)).await.expect(404);
    house.get(&root, &format!("{path}?includeInactive=true")).await.expect(200);
    house.call(&root, "PATCH", &path, json!({"active": true})).await.expect(200);
    house.get(&root, &path).await.expect(200);
}

#[tokio::test]
async fn deleting_an_account_takes_its_users_and_reactivating_leaves_them_gone() {
    let house = House::new().await;
    let (ann, account, user) = house.member("ann", &[]).await;
    let root = house.root().await;
    house.call(&root, "DELETE", &format!("/accounts/{account}"), json!(null)).await.expect(200);
    house.get(&ann, "/organizations/me").await.expect(401);
    house.call(&root, "PATCH", &format!("/accounts/{account}"), json!({"active": true})).await.expect(200);
    house.get(&root, &format!("/users/{user}?includeInactive=true")).await.expect(404);
    let users = house.get(&root, &format!("/accounts/{account}/users")).await.expect(200);
    assert_eq!(users.body, json!([]));
}

#[tokio::test]
async fn plain_deactivation_keeps_the_users_and_permanent_does_not() {
    let house = House::new().await;
    let (_, account, user) = house.member("ann", &[]).await;
    let root = house.root().await;
    let path = format!("/accounts/{account}");
    house.call(&root, "PATCH", &path, json!({"active": false})).await.expect(200);
    house.get(&root, &format!("/users/{user}")).await.expect(200);
    house.call(&root, "PATCH", &format!("{path}?permanent=true"), json!({"active": false})).await.expect(200);
    house.get(&root, &format!("/users/{user}")).await.expect(404);
}

#[tokio::test]
async fn bad_accounts_are_refused_by_field_and_nothing_is_made() {
    let house = House::new().await;
    let root = house.root().await;
    for (body, field) in [
        (json!({}), "externalId"),
        (json!({"externalId": 5}), "externalId"),
        (json!({"externalId": "x".repeat(256)}), "externalId"),
        (json!({"externalId": "a", "name": "a\u{1}"}), "name"),
        (json!({"externalId": "a", "description": "x".repeat(2001)}), "description"),
    ] {
        house.call(&root, "POST", "/accounts", body).await.says(400, field);
    }
    let all = house.get(&root, "/accounts").await.expect(200);
    assert_eq!(all.header("elements-total-count"), "1");
    let default = all.body[0]["id"].as_i64().unwrap();
    for (method, body) in [("DELETE", json!(null)), ("PATCH", json!({"active": false}))] {
        house.call(&root, method, &format!("/accounts/{default}"), body).await.says(400, "default account");
    }
    house
        .call(&root, "PATCH", &format!("/accounts/{default}"), json!({"active": "perhaps"}))
        .await
        .says(400, "active");
    for unknown in ["999", "0", "abc", "-1", "99999999999999999999", "%00"] {
        house.get(&root, &format!("/accounts/{unknown}")).await.expect(404);
    }
}

#[tokio::test]
async fn lists_page_by_token_and_filter_by_where() {
    let house = House::new().await;
    let root = house.root().await;
    for name in ["a", "b", "c'd"] {
        house.call(&root, "POST", "/accounts", json!({"externalId": name})).await.expect(200);
    }
    let mut seen = Vec::new();
    let mut path = "/accounts?pageSize=1".to_owned();
    loop {
        let page = house.get(&root, &path).await.expect(200);
        assert_eq!((page.header("elements-returned-count"), page.header("elements-total-count")), ("1", "4"));
        seen.push(page.body[0]["name"].as_str().unwrap().to_owned());
        match page.header("elements-next-page-token") {
            "" => break,
            token => path = format!("/accounts?pageSize=1&nextPage={token}"),
        }
    }
    assert_eq!(seen, ["Acme", "a", "b", "c'd"]);
    let past = house.get(&root, "/accounts?page=9&pageSize=2").await.expect(200);
    assert_eq!(past.body, json!([]));

    for (condition, names) in [
        ("defaultAccount=true", vec!["Acme"]),
        ("name%3D'c''d'", vec!["c'd"]),
        ("name in ('a','b') AND active=true", vec!["a", "b"]),
        ("externalId='none'", vec![]),
    ] {
        let path = format!("/accounts?where={}", condition.replace(' ', "%20"));
        let found = house.get(&root, &path).await.expect(200);
        let found: Vec<&str> =
            found.body.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{condition}");
    }
    for bad in ["name", "nonsense='x'", "name='x", "id='x'"] {
        house.get(&root, &format!("/accounts?where={bad}")).await.says(400, "Error parsing query");
    }
    for (bad, field) in [
        ("pageSize=0", "pageSize"),
        ("pageSize=201", "pageSize"),
        ("page=x", "page"),
        ("nextPage=x", "nextPage"),
        ("offset=x", "offset"),
    ] {
        house.get(&root, &format!("/accounts?{bad}")).await.says(400, field);
    }
}

#[tokio::test]
async fn an_account_administrator_sees_and_changes_the_own_account_only() {
    let house = House::new().await;
    let (ann, account, _) = house.member("ann", &["admin"]).await;
    let (_, other, _) = house.member("bob", &[]).await;
    let list = house.get(&ann, "/accounts").await.expect(200);
    assert_eq!(list.body[0]["id"], json!(account));
    assert_eq!(list.header("elements-total-count"), "1");
    house.call(&ann, "PATCH", &format!("/accounts/{account}"), json!({"name": "Mine"})).await.expect(200);
    house.call(&ann, "PATCH", &format!("/accounts/{account}"), json!({"active": false})).await.expect(403);
    house.get(&ann, &format!("/accounts/{other}")).await.expect(403);
    house.call(&ann, "POST", "/accounts", json!({"externalId": "x"})).await.expect(403);
    house.call(&ann, "DELETE", &format!("/accounts/{account}"), json!(null)).await.expect(403);
    house.get(&ann, "/organizations/users").await.expect(403);
    house.get(&ann, &format!("/accounts/{account}/users")).await.expect(200);
}

#[tokio::test]
async fn accounts_are_reached_through_their_organization_too() {
    let house = House::new().await;
    let root = house.root().await;
    let organization = house.get(&root, "/organizations/me").await.id();
    let made = house
        .call(&root, "POST", &format!("/organizations/{organization}/accounts"), json!({"externalId": "x"}))
        .await
        .expect(200);
    house.get(&root, &format!("/organizations/{organization}/accounts/{}", made.id())).await.expect(200);
    let all = house.get(&root, &format!("/organizations/{organization}/accounts")).await.expect(200);
    assert_eq!(all.body.as_array().unwrap().len(), 2);
    house.get(&root, &format!("/organizations/{organization}/accounts/999")).await.expect(404);
    house.get(&root, "/organizations/999/accounts").await.expect(404);
}

#[tokio::test]
async fn a_role_of_an_account_is_held_by_its_users() {
    let house = House::new().await;
    let (ann, account, _) = house.member("ann", &["default-user"]).await;
    let root = house.root().await;
    let path = format!("/accounts/{account}/roles/admin");
    house.get(&ann, &format!("/accounts/{account}/users")).await.expect(403);
    house.get(&root, &path).await.expect(404);
    for _ in 0..2 {
        house.call(&root, "PUT", &path, json!(null)).await.expect(200);
    }
    assert_eq!(house.get(&root, &path).await.expect(200).text("key"), "admin");
    house.get(&ann, &format!("/accounts/{account}/users")).await.expect(200);
    house
        .call(&ann, "PUT", &format!("/accounts/{account}/roles/org-admin"), json!(null))
        .await
        .says(403, "above");
    house.call(&root, "DELETE", &path, json!(null)).await.expect(200);
    house.get(&ann, &format!("/accounts/{account}/users")).await.expect(403);
    house.call(&root, "PUT", &format!("/accounts/{account}/roles/king"), json!(null)).await.expect(400);
    house.call(&root, "PUT", "/accounts/999/roles/admin", json!(null)).await.expect(404);
}

#[tokio::test]
async fn the_roles_there_are_can_be_read() {
    let house = House::new().await;
    let root = house.root().await;
    let roles = house.get(&root, "/organizations/roles").await.expect(200);
    let keys: Vec<&str> =
        roles.body.as_array().unwrap().iter().map(|role| role["key"].as_str().unwrap()).collect();
    assert_eq!(
        keys,
        ["org-admin", "admin", "org", "default-user", "APIPortal.Administrator", "APIPortal.Guest"]
    );
    assert_eq!(house.get(&root, "/organizations/roles/admin").await.expect(200).text("name"), "Account");
    house.get(&root, "/organizations/roles/king").await.expect(404);
    house.send("GET", "/organizations/roles", &[], "").await.expect(401);
}
