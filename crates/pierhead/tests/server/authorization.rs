//! Wrong and missing secrets are 401, however the header is spelled (open-connectors §2.1, §2.2).

use http::Method;
use pierhead_testkit::{Admin, Answer, Pierhead, Request};
use serde_json::json;

/// GETs with this `Authorization`; empty stands for none.
async fn get(pierhead: &Pierhead, path: &str, authorization: &str) -> Answer {
    let request = Request::get(pierhead.hub(path));
    let request = match authorization {
        "" => request,
        value => request.header("authorization", value),
    };
    pierhead.client.send(request).await
}

/// 401 in the hub's words: a request id, a text, and nothing of what was sent.
#[track_caller]
fn assert_refused(answer: Answer, sent: &str, secrets: &[&str]) {
    let shown = format!("'{sent}': {}", answer.text());
    assert_eq!(answer.status, 401, "{shown}");
    let body = answer.json();
    assert_eq!(body["requestId"].as_str().map(str::len), Some(24), "{shown}");
    assert_eq!(body["requestId"], answer.header("elements-request-id"), "{shown}");
    assert!(!body["message"].as_str().unwrap().is_empty(), "{shown}");
    for secret in secrets {
        assert!(!answer.text().contains(secret), "a secret in {shown}");
    }
}

async fn with_a_folder() -> (Pierhead, Admin, String) {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let token = admin.connect_folder(&pierhead.folder("files")).await;
    (pierhead, admin, token)
}

#[tokio::test]
async fn every_good_spelling_of_the_header_is_taken() {
    let (pierhead, Admin { user: u, organization: o, bearer, .. }, e) = with_a_folder().await;
    for good in [
        format!("User {u}, Organization {o}"),
        format!("Organization {o}, User {u}"),
        format!("User {u},Organization {o}"),
        format!("user {u}, ORGANIZATION {o}"),
        format!("User {u}, Organization {o}, Element {e}"),
        format!("Bearer {bearer}"),
        format!("bearer {bearer}"),
    ] {
        get(&pierhead, "/organizations/me", &good).await.expect_status(200);
    }
    for good in [
        format!("User {u}, Element {e}"),
        format!("Element {e}, User {u}"),
        format!("Element {e},User {u},Organization {o}"),
        format!("User {u}, Organization {o}, Element {e}"),
        format!("  User {u} ,  Element {e} "),
        format!("uSER {u}, eLEMENT {e}"),
    ] {
        get(&pierhead, "/folders/contents?path=/", &good).await.expect_status(200);
    }
}

#[tokio::test]
async fn a_platform_call_needs_user_and_organization_and_both_right() {
    let (pierhead, Admin { user: u, organization: o, bearer, .. }, e) = with_a_folder().await;
    let basic = pierhead.admin().await.basic();
    let secrets = [u.as_str(), o.as_str(), e.as_str(), bearer.as_str()];
    for path in
        ["/organizations/me", "/accounts", "/users", "/instances", "/instances/1", "/authentication/secrets"]
    {
        for bad in [
            String::new(),
            format!("User {u}"),
            format!("Organization {o}"),
            format!("User {u}, Organization {o}x"),
            format!("User {u}x, Organization {o}"),
            format!("User {o}, Organization {u}"),
            format!("User {u}, Organization"),
            format!("User , Organization {o}"),
            format!("User {u}, User {u}, Organization {o}"),
            format!("User {u}; Organization {o}"),
            format!("User={u}, Organization={o}"),
            format!("Customer {u}, Organization {o}"),
            format!("{u}, {o}"),
            "User null, Organization null".into(),
            "User, Organization".into(),
            ",".into(),
            "Bearer".into(),
            "Bearer ".into(),
            "Bearer x".into(),
            format!("Bearer {u}"),
            format!("Bearer {bearer}x"),
            format!("Bearer {bearer}, User {u}"),
            "Digest username=\"ada\"".into(),
            basic.clone(),
            "Basic !!".into(),
        ] {
            assert_refused(get(&pierhead, path, &bad).await, &format!("{path} {bad}"), &secrets);
        }
    }
}

#[tokio::test]
async fn a_hub_call_needs_user_and_element_and_both_right() {
    let (pierhead, Admin { user: u, organization: o, bearer, .. }, e) = with_a_folder().await;
    let secrets = [u.as_str(), o.as_str(), e.as_str(), bearer.as_str()];
    for path in ["/folders/contents?path=/", "/hubs/documents/files?path=/a", "/ping", "/objects"] {
        for bad in [
            String::new(),
            format!("User {u}"),
            format!("Element {e}"),
            format!("User {u}, Organization {o}"),
            format!("User {u}, Element {e}x"),
            format!("User {u}x, Element {e}"),
            format!("User {e}, Element {u}"),
            format!("User {u}, Organization {o}x, Element {e}"),
            format!("User {u}, Element {e}, Element {e}"),
            format!("User {u}, Element"),
            format!("User {u} Element {e}"),
            format!("Bearer {bearer}"),
        ] {
            assert_refused(get(&pierhead, path, &bad).await, &format!("{path} {bad}"), &secrets);
        }
    }
}

#[tokio::test]
async fn two_authorization_headers_are_not_a_choice() {
    let (pierhead, admin, _) = with_a_folder().await;
    let twice = Request::get(pierhead.hub("/organizations/me"))
        .header("authorization", "User x, Organization y")
        .header("authorization", &admin.platform());
    pierhead.client.send(twice).await.expect_status(401);
}

#[tokio::test]
async fn a_wrong_password_is_401_and_guessing_gets_slower() {
    let pierhead = Pierhead::start().await;
    let attempt = |username: &str, password: &str| {
        let login = json!({"username": username, "password": password});
        pierhead.client.send(Request::post(pierhead.hub("/authentication")).json(&login))
    };
    let known = attempt(pierhead_testkit::ADMIN_EMAIL, "Wrong-Pilot-7").await;
    let unknown = attempt("nobody@example.com", "Wrong-Pilot-7").await;
    assert_eq!(known.json()["message"], unknown.json()["message"], "the text must not tell who is known");
    assert_refused(known, "known", &["Wrong-Pilot-7"]);
    assert_refused(unknown, "unknown", &["Wrong-Pilot-7"]);

    for _ in 0..4 {
        attempt(pierhead_testkit::ADMIN_EMAIL, "Wrong-Pilot-7").await.expect_status(401);
    }
    let throttled = attempt(pierhead_testkit::ADMIN_EMAIL, pierhead_testkit::ADMIN_PASSWORD).await;
    assert!(throttled.header("retry-after").parse::<u64>().unwrap() >= 1);
    throttled.expect_status(429);

    pierhead.advance(std::time::Duration::from_secs(2));
    attempt(pierhead_testkit::ADMIN_EMAIL, pierhead_testkit::ADMIN_PASSWORD).await.expect_status(200);
}

#[tokio::test]
async fn the_management_service_refuses_in_its_own_dialect() {
    let (pierhead, admin, _) = with_a_folder().await;
    for bad in ["", "Basic !!", "Basic eDp5", "Bearer x", &admin.platform(), "nonsense"] {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::HEAD] {
            let request = Request::new(method.clone(), pierhead.management("/APIProviders"));
            let request = if bad.is_empty() { request } else { request.header("authorization", bad) };
            let answer = pierhead.client.send(request).await.expect_status(401);
            assert!(answer.header("www-authenticate").starts_with("Basic "), "{bad}");
            if method != Method::HEAD {
                let body = answer.json();
                assert!(!body["error"]["message"]["value"].as_str().unwrap().is_empty(), "{body}");
                assert!(!answer.text().contains(&admin.user), "{body}");
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_connector_is_404_everywhere() {
    let (pierhead, admin, _) = with_a_folder().await;
    let before = admin.call(Method::GET, "/instances/count", None).await.expect_status(200).json();
    for path in [
        "/elements/nonesuch",
        "/elements/999999",
        "/elements/nonesuch/oauth/url?apiKey=a&apiSecret=b&callbackUrl=http://x/",
        "/elements/nonesuch/instances",
        "/elements/%2e%2e",
        "/elements/%00",
        "/hubs/nonesuch/elements",
    ] {
        let answer = admin.call(Method::GET, path, None).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{path}: {} {}", answer.status, answer.text());
        assert!(answer.json()["message"].is_string(), "{path}");
    }
    for (path, body) in [
        ("/instances", json!({"name": "n", "element": {"key": "nonesuch"}, "configuration": {}})),
        ("/instances", json!({"name": "n", "element": {"id": 999_999}, "configuration": {}})),
        ("/elements/nonesuch/instances", json!({"name": "n", "configuration": {}})),
    ] {
        let answer = admin.call(Method::POST, path, Some(&body)).await.expect_status(404);
        assert!(answer.json()["message"].as_str().unwrap().contains("No element found"), "{}", answer.text());
    }
    assert_eq!(admin.call(Method::GET, "/instances/count", None).await.json(), before);
    pierhead.client.get(pierhead.hub("/elements/nonesuch")).await.expect_status(404);
}
