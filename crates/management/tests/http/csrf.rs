//! Who is let in, and the CSRF protocol (reference 8.2, 8.3).

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;

use crate::client::{Answer, Portal, ROOT, basic, open_connectors};

struct Fetched {
    token: String,
    cookie: String,
}

async fn fetch(portal: &Portal, user: &str, method: &str, path: &str, cookie: Option<&str>) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", basic(user))
        .header("X-CSRF-Token", "Fetch");
    if let Some(cookie) = cookie {
        request = request.header("cookie", format!("other=1; {cookie}"));
    }
    portal.raw(request.body(Body::empty()).unwrap()).await
}

fn fetched(answer: &Answer) -> Fetched {
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    Fetched { token: answer.header("x-csrf-token").to_owned(), cookie }
}

async fn create(portal: &Portal, user: &str, token: Option<&str>, cookie: Option<&str>) -> Answer {
    let mut request = Request::builder()
        .method("POST")
        .uri(format!("{ROOT}/APIProviders"))
        .header("authorization", basic(user))
        .header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("x-csrf-token", token);
    }
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    portal.raw(request.body(Body::from(open_connectors("oc").to_string())).unwrap()).await
}

#[tokio::test]
async fn a_token_is_fetched_by_head_and_get_at_every_address() {
    let portal = Portal::start().await;
    for path in ["", "/", "/APIProviders", "/csrf", "/GenericKeyMapEntries"] {
        for method in ["HEAD", "GET"] {
            let answer = fetch(&portal, "admin", method, &format!("{ROOT}{path}"), None).await.expect(200);
            assert_eq!(answer.header("x-csrf-token").len(), 32, "{method} {path}");
            let cookie = answer.header("set-cookie");
            assert!(cookie.starts_with("JSESSIONID=") && cookie.contains("HttpOnly"), "{cookie}");
            assert!(cookie.contains("SameSite=Lax"), "{cookie}");
            assert_eq!(answer.text.is_empty(), method == "HEAD" || path == "/csrf");
        }
    }
    for path in ["/csrf", "/apiportal/api/1.0/csrf"] {
        assert!(
            !fetch(&portal, "admin", "HEAD", path, None).await.expect(200).header("x-csrf-token").is_empty()
        );
    }
}

#[tokio::test]
async fn a_write_with_basic_needs_token_and_cookie_of_one_session_and_caller() {
    let portal = Portal::start().await;
    let own = fetched(&fetch(&portal, "admin", "HEAD", ROOT, None).await);
    let other_session = fetched(&fetch(&portal, "admin", "HEAD", ROOT, None).await);
    let other_caller = fetched(&fetch(&portal, "admin2", "HEAD", ROOT, None).await);

    for (token, cookie) in [
        (None, None),
        (None, Some(&own.cookie)),
        (Some(&own.token), None),
        (Some(&"x".to_owned()), Some(&own.cookie)),
        (Some(&"fetch".to_owned()), Some(&own.cookie)),
        (Some(&other_session.token), Some(&own.cookie)),
        (Some(&other_caller.token), Some(&other_caller.cookie)),
        (Some(&own.token), Some(&"JSESSIONID=made-up".to_owned())),
    ] {
        let refused = create(&portal, "admin", token.map(|t| t.as_str()), cookie.map(|c| c.as_str())).await;
        assert_eq!(refused.status.as_u16(), 403);
        assert_eq!(refused.header("x-csrf-token"), "Required");
        assert_eq!(refused.code(), "CSRF_TOKEN_REQUIRED");
    }
    assert!(portal.get("/APIProviders").await.results().is_empty());

    create(&portal, "admin", Some(&own.token), Some(&own.cookie)).await.expect(201);
}

#[tokio::test]
async fn a_new_cookie_comes_only_with_a_new_session() {
    let portal = Portal::start().await;
    let first = fetched(&fetch(&portal, "admin", "HEAD", ROOT, None).await);

    let again = fetch(&portal, "admin", "HEAD", ROOT, Some(&first.cookie)).await.expect(200);
    assert_eq!(again.header("set-cookie"), "");
    assert_eq!(again.header("x-csrf-token"), first.token);

    portal.clock.advance(Duration::from_secs(13 * 60 * 60));
    create(&portal, "admin", Some(&first.token), Some(&first.cookie)).await.expect(403);
    let later = fetch(&portal, "admin", "HEAD", ROOT, Some(&first.cookie)).await.expect(200);
    assert_ne!(later.header("set-cookie"), "");
}

#[tokio::test]
async fn a_write_with_a_bearer_token_needs_no_csrf_token() {
    let portal = Portal::start().await;
    portal.post("/APIProviders", open_connectors("oc")).await.expect(201);
}

#[tokio::test]
async fn wrong_credentials_are_401_and_lesser_roles_403() {
    let portal = Portal::start().await;
    let with = |method: &'static str, authorization: Option<String>| {
        let mut request = Request::builder().method(method).uri(format!("{ROOT}/APIProviders"));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        portal.raw(request.body(Body::from("{}")).unwrap())
    };
    for wrong in [
        None,
        Some(basic("wrong")),
        Some("Bearer wrong".into()),
        Some("nonsense".into()),
        Some("User a, Organization b".into()),
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = with(method, wrong.clone()).await.expect(401);
            assert!(answer.header("www-authenticate").starts_with("Basic "), "{wrong:?}");
            assert!(!answer.message().is_empty());
        }
    }
    with("GET", Some("Bearer guest".into())).await.expect(200);
    for (method, who) in
        [("POST", "guest"), ("PUT", "guest"), ("GET", "nobody"), ("GET", "stranger"), ("POST", "stranger")]
    {
        with(method, Some(format!("Bearer {who}"))).await.expect(403);
    }
}
