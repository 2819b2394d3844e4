//! Users and their roles.

use pierhead_domain::EpochMillis;
use pierhead_store::identity::{NewAccount, NewOrganization, NewPerson};
use serde_json::{Value, json};

use super::house::{EMAIL, House, PASSWORD};

fn person(email: &str) -> Value {
    json!({"email": email, "firstName": "Ada", "lastName": "Lovelace", "password": "Correct-horse-7"})
}

#[tokio::test]
async fn a_new_user_comes_with_secret_and_roles_and_later_only_with_the_password() {
    let house = House::new().await;
    let root = house.root().await;
    let mut body = person("Ada@Example.com");
    body["phone"] = json!("1234");
    let made = house.call(&root, "POST", "/organizations/users", body).await.expect(200);
    assert_eq!(made.text("secret").len(), 44);
    assert_eq!((made.text("email").as_str(), made.text("phone").as_str()), ("ada@example.com", "1234"));
    assert_eq!(made.body["roles"][0]["key"], json!("org"));

    for path in ["/users/ada@example.com", "/organizations/users/ADA@example.com"] {
        let shown = house.get(&root, path).await.expect(200);
        assert!(shown.body.get("secret").is_none(), "{shown:?}");
    }
    let path = format!("/users/{}", made.id());
    let with = |password: &'static str| {
        [("authorization", root.0.clone()), ("elements-user-password", password.to_owned())]
    };
    let headers = with("Correct-horse-7");
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert_eq!(house.send("GET", &path, &headers, "").await.expect(200).text("secret"), made.text("secret"));
    let headers = with("wrong");
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    house.send("GET", &path, &headers, "").await.expect(401);
}

#[tokio::test]
async fn bad_users_are_refused_by_field_and_a_taken_email_is_a_conflict() {
    let house = House::new().await;
    let root = house.root().await;
    let account = house.get(&root, "/accounts").await.body[0]["id"].as_i64().unwrap();
    let path = format!("/accounts/{account}/users");
    let but = |field: &str, value: Value| {
        let mut body = person("ada@example.com");
        body[field] = value;
        body
    };
    for (body, words) in [
        (json!({}), "email"),
        (but("email", json!("ada")), "email"),
        (but("firstName", json!(null)), "firstName"),
        (but("lastName", json!("<b>")), "lastName"),
        (but("password", json!(null)), "password"),
        (but("password", json!("Short-1")), "at least"),
        (but("password", json!("lower-case-1")), "uppercase"),
        (but("password", json!("UPPER-CASE-1")), "lowercase"),
        (but("password", json!("No-digits-xx")), "numeric"),
        (but("password", json!("NoSymbols123")), "special character"),
        (but("password", json!("Xx-ada-12345")), "first name"),
        (but("password", json!("Xx-lovelace-1")), "last name"),
        (but("roles", json!([{"key": "king"}])), "roles"),
        (but("phone", json!(5)), "phone"),
    ] {
        house.call(&root, "POST", &path, body).await.says(400, words);
    }
    house.call(&root, "POST", &path, person("ada@example.com")).await.expect(200);
    house.call(&root, "POST", &path, person("ADA@example.com")).await.says(409, "email");
    let all = house.get(&root, "/users").await.expect(200);
    assert_eq!(all.header("elements-total-count"), "2");
}

#[tokio::test]
async fn an_administrator_of_an_account_cannot_become_somebody_above_its_own_role() {
    let house = House::new().await;
    let root = house.root().await;
    let (admin, account, _) = house.member("ann", &["admin"]).await;
    for role in ["APIPortal.Administrator", "APIPortal.Guest", "org-admin"] {
        let email = format!("{}@example.com", role.to_lowercase());
        let mut body = person(&email);
        body["roles"] = json!([{"key": role}]);
        let path = format!("/accounts/{account}/users");
        let above = house.call(&root, "POST", &path, body).await.expect(200).id();
        let path = format!("/users/{above}");
        for change in [json!({"password": "Zebra-crossing-8"}), json!({"email": "x@example.com"})] {
            house.call(&admin, "PATCH", &path, change).await.expect(403);
        }
        house.call(&admin, "DELETE", &path, Value::Null).await.expect(403);
        house.log_in(&email, "Zebra-crossing-8").await.expect(401);
    }
    let path = format!("/accounts/{account}/users");
    let below = house.call(&admin, "POST", &path, person("below@example.com")).await.expect(200).id();
    let change = json!({"password": "Zebra-crossing-8"});
    house.call(&admin, "PATCH", &format!("/users/{below}"), change).await.expect(200);
}

#[tokio::test]
async fn of_two_users_with_one_email_at_once_one_is_made() {
    let house = House::new().await;
    let root = house.root().await;
    let (one, two) = tokio::join!(
        house.call(&root, "POST", "/users", person("ada@example.com")),
        house.call(&root, "POST", "/users", person("ada@example.com")),
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[tokio::test]
async fn a_user_is_changed_listed_and_deleted() {
    let house = House::new().await;
    let (_, account, id) = house.member("ann", &[]).await;
    let root = house.root().await;
    let path = format!("/accounts/{account}/users/{id}");
    let patched = house
        .call(&root, "PATCH", &path, json!({"firstName": "<u>Anna</u>", "city": "Rome"}))
        .await
        .expect(200);
    assert_eq!(
        (
            patched.text("firstName").as_str(),
            patched.text("lastName").as_str(),
            patched.text("city").as_str()
        ),
        ("Anna", "Other", "Rome")
    );
    house
        .call(&root, "PUT", &format!("/users/{id}"), json!({"city": null, "email": "anna@example.com"}))
        .await
        .expect(200);
    let shown = house.get(&root, "/users/anna@example.com").await.expect(200);
    assert!(shown.body.get("city").is_none());
    house.call(&root, "PATCH", &path, json!({"email": EMAIL})).await.expect(409);
    house.call(&root, "PATCH", &path, json!({"lastName": ""})).await.says(400, "lastName");

    let named = house.get(&root, "/organizations/users?where=firstName%3D'anna'").await.expect(200);
    assert_eq!(named.body[0]["id"], json!(id));
    house.get(&root, "/users?where=x").await.says(400, "Error parsing query");

    house.call(&root, "PATCH", &path, json!({"active": false})).await.expect(200);
    house.get(&root, &format!("/users/{id}")).await.expect(404);
    assert_eq!(house.get(&root, &format!("/accounts/{account}/users")).await.body, json!([]));
    let with = house.get(&root, &format!("/accounts/{account}/users?includeInactive=true")).await;
    assert_eq!(with.body[0]["active"], json!(false));
    house.call(&root, "DELETE", &path, json!(null)).await.expect(200);
    house.call(&root, "DELETE", &path, json!(null)).await.expect(404);
    for unknown in ["999", "nobody@example.com", "%00", "x'%20or%201=1"] {
        house.get(&root, &format!("/users/{unknown}")).await.expect(404);
    }
}

#[tokio::test]
async fn users_look_after_themselves_but_not_their_power() {
    let house = House::new().await;
    let (ann, account, id) = house.member("ann", &["default-user"]).await;
    let path = format!("/users/{id}");
    house.get(&ann, &path).await.expect(200);
    house
        .call(&ann, "PATCH", &path, json!({"firstName": "Anna", "password": "Giraffe-crossing-9"}))
        .await
        .expect(200);
    house.log_in("ann@example.com", "Giraffe-crossing-9").await.expect(200);
    house.call(&ann, "PATCH", &path, json!({"roles": [{"key": "org-admin"}]})).await.expect(403);
    house.call(&ann, "PATCH", &path, json!({"roles": [{"key": "default-user"}]})).await.expect(200);
    house.call(&ann, "PATCH", &path, json!({"active": false})).await.expect(403);
    house.call(&ann, "DELETE", &path, json!(null)).await.expect(403);
    house.get(&ann, "/users").await.expect(403);
    house.get(&ann, &format!("/accounts/{account}/users")).await.expect(403);
    house.get(&ann, &format!("/users/{EMAIL}")).await.expect(403);
    house
        .call(&ann, "POST", &format!("/accounts/{account}/users"), person("x@example.com"))
        .await
        .expect(403);
}

#[tokio::test]
async fn an_account_administrator_cannot_reach_above_itself() {
    let house = House::new().await;
    let (ann, account, _) = house.member("ann", &["admin"]).await;
    let users = format!("/accounts/{account}/users");
    let made = house.call(&ann, "POST", &users, person("ada@example.com")).await.expect(200);
    assert_eq!(made.body["roles"][0]["key"], json!("default-user"));
    let mut above = person("eve@example.com");
    above["roles"] = json!([{"key": "org-admin"}]);
    house.call(&ann, "POST", &users, above).await.says(403, "above");
    house
        .call(&ann, "PUT", &format!("/users/{}/roles/org-admin", made.id()), json!(null))
        .await
        .says(403, "above");
    house.call(&ann, "PUT", &format!("/users/{}/roles/admin", made.id()), json!(null)).await.expect(200);

    let root = house.root().await;
    house.call(&root, "PUT", &format!("/users/{}/roles/org-admin", made.id()), json!(null)).await.expect(200);
    let path = format!("/users/{}", made.id());
    house.call(&ann, "PATCH", &path, json!({"password": "Taken-over-1"})).await.expect(403);
    house.call(&ann, "DELETE", &path, json!(null)).await.expect(403);
}

#[tokio::test]
async fn roles_are_granted_by_the_rules_of_the_suite() {
    let house = House::new().await;
    let (ann, _, id) = house.member("ann", &["default-user"]).await;
    let root = house.root().await;
    let own = house.get(&root, &format!("/users/{EMAIL}")).await.id();
    let path = |user: i64, key: &str| format!("/users/{user}/roles/{key}");
    assert_eq!(
        house.call(&root, "PUT", &path(id, "admin"), json!(null)).await.expect(200).text("key"),
        "admin"
    );
    house.call(&root, "PUT", &path(id, "admin"), json!(null)).await.expect(409);
    house.call(&root, "PUT", &path(own, "admin"), json!(null)).await.expect(403);
    house.call(&root, "PUT", &path(999, "admin"), json!(null)).await.expect(404);
    house.call(&root, "PUT", &path(id, "king"), json!(null)).await.expect(400);
    house.call(&ann, "PUT", &path(own, "admin"), json!(null)).await.expect(403);
    let roles = house.get(&root, &format!("/users/{id}/roles")).await.expect(200);
    assert_eq!(roles.body.as_array().unwrap().len(), 2);
    house.call(&root, "DELETE", &path(id, "admin"), json!(null)).await.expect(200);
    house.call(&root, "DELETE", &path(id, "admin"), json!(null)).await.expect(404);
    house
        .call(
            &root,
            "PATCH",
            &format!("/users/{id}"),
            json!({"roles": [{"key": "admin"}, {"key": "APIPortal.Guest"}]}),
        )
        .await
        .expect(200);
    let roles = house.get(&root, &format!("/users/{id}/roles")).await.expect(200);
    let keys: Vec<&str> =
        roles.body.as_array().unwrap().iter().map(|role| role["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["APIPortal.Guest", "admin"]);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let house = House::new().await;
    let (ann, _, id) = house.member("ann", &["org-admin"]).await;
    let root = house.root().await;
    let own = house.get(&root, &format!("/users/{EMAIL}")).await.id();
    house.call(&ann, "DELETE", &format!("/users/{own}/roles/org-admin"), json!(null)).await.expect(200);
    let (bob, _, _) = house.member_by(&ann, "bob", &["default-user"]).await;
    house.call(&bob, "DELETE", &format!("/users/{id}"), json!(null)).await.expect(403);
    house.call(&ann, "PATCH", &format!("/users/{id}"), json!({"active": false})).await.expect(403);
    house.call(&ann, "DELETE", &format!("/users/{id}/roles/org-admin"), json!(null)).await.expect(403);
    house.log_in(EMAIL, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn another_organization_is_out_of_reach() {
    let house = House::new().await;
    let root = house.root().await;
    let now = EpochMillis::new(1);
    let tx = house.store.write().await.unwrap();
    let new = NewOrganization { name: "Other".into(), secret_hash: "o".into(), created: now };
    let organization = tx.add_organization(&new).await.unwrap();
    let new = NewAccount {
        organization,
        name: "n".into(),
        external_id: None,
        description: None,
        is_default: true,
        created: now,
    };
    let account = tx.add_account(&new).await.unwrap();
    let stranger = tx
        .add_person(&NewPerson {
            organization,
            account,
            email: "stranger@example.com".into(),
            first_name: "S".into(),
            last_name: "T".into(),
            profile: Default::default(),
            external_id: None,
            password_hash: String::new(),
            secret_hash: "s".into(),
            secret_sealed: Vec::new(),
            created: now,
        })
        .await
        .unwrap();
    tx.commit().await.unwrap();

    for path in [
        format!("/accounts/{account}"),
        format!("/users/{stranger}"),
        "/users/stranger@example.com".into(),
        format!("/accounts/{account}/users"),
        format!("/organizations/{organization}/accounts"),
    ] {
        house.get(&root, &path).await.expect(404);
    }
    for (method, path) in [
        ("PATCH", format!("/users/{stranger}")),
        ("DELETE", format!("/users/{stranger}")),
        ("DELETE", format!("/accounts/{account}")),
    ] {
        house.call(&root, method, &path, json!({})).await.expect(404);
    }
    house.call(&root, "PUT", &format!("/users/{stranger}/roles/admin"), json!(null)).await.expect(403);
    house.call(&root, "PUT", &format!("/accounts/{account}/roles/admin"), json!(null)).await.expect(403);
    assert_eq!(house.get(&root, "/users?includeInactive=true").await.header("elements-total-count"), "1");
}
