//! A write with Basic needs the CSRF token and the cookies of one session (api-management §8.3).

use std::time::Duration;

use http::Method;
use pierhead_testkit::{Admin, Answer, Pierhead, Request};
use serde_json::json;

struct Session {
    token: String,
    cookie: String,
}

async fn fetch(pierhead: &Pierhead, admin: &Admin, method: Method) -> Session {
    let request = Request::new(method, pierhead.management(""))
        .header("authorization", &admin.basic())
        .header("x-csrf-token", "Fetch");
    let answer = pierhead.client.send(request).await.expect_status(200);
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("JSESSIONID="), "{cookie}");
    Session { token: answer.header("x-csrf-token").to_owned(), cookie }
}

/// The seed's body for the map of a proxy, with Basic, and what of the protocol is given.
async fn post_map(
    pierhead: &Pierhead,
    admin: &Admin,
    method: Method,
    token: Option<&str>,
    cookie: Option<&str>,
) -> Answer {
    let body = json!({
        "name": "m", "scope": "ENV", "encrypted": true,
        "keyMapEntryValues": [{"name": "k", "map_name": "m", "value": "v-4711"}],
    });
    let path = if method == Method::POST { "/KeyMapEntries" } else { "/KeyMapEntries('m')" };
    let mut request =
        Request::new(method, pierhead.management(path)).header("authorization", &admin.basic()).json(&body);
    for (name, value) in [("x-csrf-token", token), ("cookie", cookie)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    pierhead.client.send(request).await
}

#[track_caller]
fn assert_required(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 403, "{what}: {}", answer.text());
    assert_eq!(answer.header("x-csrf-token"), "Required", "{what}");
    assert!(!answer.text().contains("v-4711"), "{what}");
}

#[tokio::test]
async fn missing_stale_and_foreign_tokens_are_403_required_and_write_nothing() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let own = fetch(&pierhead, &admin, Method::HEAD).await;
    let other = fetch(&pierhead, &admin, Method::GET).await;
    let elsewhere = Pierhead::start().await;
    let foreign = fetch(&elsewhere, &elsewhere.admin().await, Method::HEAD).await;
    let second = json!({
        "email": "bo@example.com", "firstName": "Bo", "lastName": "Keel", "password": "Ferry-Master-8",
        "roles": [{"key": "org-admin"}],
    });
    admin.call(Method::POST, "/users", Some(&second)).await.expect_status(200);
    let second = pierhead.log_in("bo@example.com", "Ferry-Master-8").await;
    let others = fetch(&pierhead, &second, Method::HEAD).await;
    let forged = format!("JSESSIONID={}-ffffffff", "0".repeat(32));

    for (what, token, cookie) in [
        ("nothing", None, None),
        ("no token", None, Some(&own.cookie)),
        ("no cookie", Some(&own.token), None),
        ("empty token", Some(&String::new()), Some(&own.cookie)),
        ("the word", Some(&"Fetch".to_owned()), Some(&own.cookie)),
        ("another session's token", Some(&other.token), Some(&own.cookie)),
        ("another session's cookie", Some(&own.token), Some(&other.cookie)),
        ("another administrator's", Some(&others.token), Some(&others.cookie)),
        ("another installation's", Some(&foreign.token), Some(&foreign.cookie)),
        ("a forged session", Some(&own.token), Some(&forged)),
    ] {
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            let (token, cookie) = (token.map(String::as_str), cookie.map(String::as_str));
            let answer = post_map(&pierhead, &admin, method.clone(), token, cookie).await;
            assert_required(&answer, &format!("{method} with {what}"));
        }
    }
    admin.manage(Method::GET, "/KeyMapEntries('m')", None).await.expect_status(404);

    post_map(&pierhead, &admin, Method::POST, Some(&own.token), Some(&own.cookie)).await.expect_status(201);
}

#[tokio::test]
async fn a_token_goes_stale_after_twelve_hours() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let own = fetch(&pierhead, &admin, Method::HEAD).await;
    pierhead.advance(Duration::from_secs(12 * 3600));

    let late = post_map(&pierhead, &admin, Method::POST, Some(&own.token), Some(&own.cookie)).await;

    assert_required(&late, "stale");
    let fresh = fetch(&pierhead, &admin, Method::HEAD).await;
    post_map(&pierhead, &admin, Method::POST, Some(&fresh.token), Some(&fresh.cookie))
        .await
        .expect_status(201);
}

#[tokio::test]
async fn a_batch_is_a_write_and_its_parts_cannot_bring_their_own_token() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let own = fetch(&pierhead, &admin, Method::HEAD).await;
    let part = format!(
        "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: application/http\r\n\
         Content-Transfer-Encoding: binary\r\n\r\nPOST KeyMapEntries HTTP/1.1\r\nContent-Type: application/json\r\n\
         X-CSRF-Token: {}\r\nCookie: {}\r\n\r\n{{\"name\":\"m\",\"scope\":\"ENV\"}}\r\n--c--\r\n--b--\r\n",
        own.token, own.cookie
    );
    let batch = || {
        Request::post(pierhead.management("/$batch"))
            .header("authorization", &admin.basic())
            .body("multipart/mixed; boundary=b", part.clone())
    };

    assert_required(&pierhead.client.send(batch()).await, "the token inside");
    admin.manage(Method::GET, "/KeyMapEntries('m')", None).await.expect_status(404);

    let outside = batch().header("x-csrf-token", &own.token).header("cookie", &own.cookie);
    pierhead.client.send(outside).await.expect_status(202);
    admin.manage(Method::GET, "/KeyMapEntries('m')", None).await.expect_status(200);
}
