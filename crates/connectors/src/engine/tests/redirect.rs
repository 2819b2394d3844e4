//! Vendors that answer a read with "look there".

use serde_json::json;

use super::odd_vendor::{PLAIN, answers, ask, things};
use super::*;

fn to(status: u16, location: &str) -> Response<Body> {
    let mut answer = answers(status, "text/html", "moved");
    answer.headers_mut().insert(header::LOCATION, location.parse().unwrap());
    answer
}

#[tokio::test]
async fn a_read_is_followed_with_its_credentials_on_the_same_origin() {
    let (seen, calls) = ask(&things(PLAIN), "GET /things/1", |_, request| {
        assert!(request.headers().contains_key("authorization"));
        match request.uri().path() {
            "/api/things/1" => to(302, "/new/1?x=1#part"),
            _ => {
                assert_eq!(request.uri(), "http://v.test/new/1?x=1");
                answers(200, "application/json", r#"{"id": 1}"#)
            }
        }
    })
    .await;
    assert_eq!((seen.status, seen.json()["id"].clone(), calls), (200, json!(1), 2));
}

#[tokio::test]
async fn another_origin_is_asked_without_credentials() {
    let (seen, calls) = ask(&things(PLAIN), "GET /things/1", |number, request| {
        assert_eq!(request.headers().contains_key("authorization"), number == 0);
        match number {
            0 => to(307, "http://store.test/1"),
            _ => answers(200, "application/json", r#"{"id": 1}"#),
        }
    })
    .await;
    assert_eq!((seen.status, calls), (200, 2));
}

#[tokio::test]
async fn a_write_a_circle_and_a_leading_nowhere_end_as_a_bad_gateway() {
    let things = things(PLAIN);
    let (seen, calls) = ask(&things, "GET /things/1", |_, _| to(301, "/api/things/1")).await;
    assert_eq!((seen.status, calls), (502, 6), "{}", seen.json());
    let (seen, _) = ask(&things, "GET /things/1", |_, _| to(301, "http://[")).await;
    assert_eq!(seen.status, 502, "{}", seen.json());
    let (seen, calls) = ask(&things, "POST /things", |_, request| match request.method().as_str() {
        "POST" => to(307, "/elsewhere"),
        _ => answers(200, "application/json", "{}"),
    })
    .await;
    assert_eq!((seen.status, calls), (502, 2), "{}", seen.json());
}
