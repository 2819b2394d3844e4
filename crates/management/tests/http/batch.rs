//! `$batch` (reference 8.4): change sets are all or nothing.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::client::{Answer, Portal, ROOT};

async fn batch(portal: &Portal, text: &str) -> Answer {
    let request = Request::builder()
        .method("POST")
        .uri(format!("{ROOT}/$batch"))
        .header("authorization", "Bearer admin")
        .header("accept", "application/json")
        .header("content-type", "multipart/mixed; boundary=batch_1")
        .body(Body::from(text.to_owned()))
        .unwrap();
    portal.raw(request).await
}

fn change_set(calls: &[(&str, &str, &str)], end: &str) -> String {
    let mut lines: Vec<String> =
        ["--batch_1", "Content-Type: multipart/mixed; boundary=changeset_1", ""].map(String::from).to_vec();
    for (method, uri, body) in calls {
        lines.extend(
            [
                "--changeset_1",
                "Content-Type: application/http",
                "Content-Transfer-Encoding: binary",
                "x-csrf-token: fetch",
                "",
                &format!("{method} {uri} HTTP/1.1"),
                "Content-Type: application/json",
                "Accept: application/json",
                "MaxDataServiceVersion: 2.0",
                "DataServiceVersion: 2.0",
                "RequestId: 7",
                "",
                body,
                "",
            ]
            .map(String::from),
        );
    }
    lines.extend(["--changeset_1--", "", "--batch_1--", ""].map(String::from));
    lines.join(end)
}

async fn with_map() -> Portal {
    let portal = Portal::start().await;
    let map = json!({"name": "m", "encrypted": false, "scope": "ENV",
        "keyMapEntryValues": [{"name": "k", "map_name": "m", "value": "v"}]});
    portal.post("/KeyMapEntries", map).await.expect(201);
    portal
}

async fn entries(portal: &Portal) -> Vec<(String, String)> {
    let entries = portal.get("/KeyMapEntries('m')/keyMapEntryValues?$orderby=name").await.results();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    entries.iter().map(|entry| (text(&entry["name"]), text(&entry["value"]))).collect()
}

const NEW: &str =
    r#"{"name":"n","value":"1","map_name":"m","keyMapEntry":{"__metadata":{"uri":"KeyMapEntries('m')"}}}"#;

#[tokio::test]
async fn a_change_set_creates_updates_and_deletes_with_every_form_of_uri() {
    for end in ["\r\n", "\n"] {
        let portal = with_map().await;
        let absolute = format!("http://localhost{ROOT}/KeyMapEntryValues(map_name='m',name='k')");
        let from_host = format!("{ROOT}/KeyMapEntryValues");
        let text = change_set(
            &[
                ("POST", "KeyMapEntryValues", NEW),
                ("PUT", &absolute, r#"{"value":"w"}"#),
                ("POST", &from_host, &NEW.replace("\"n\"", "\"gone\"")),
                ("DELETE", "/KeyMapEntryValues(map_name%3D'm'%2Cname='gone')", ""),
            ],
            end,
        );
        let answer = batch(&portal, &text).await.expect(202);
        assert!(answer.header("content-type").starts_with("multipart/mixed; boundary=batch_"));
        assert!(answer.text.starts_with("--batch_"));
        assert_eq!(answer.text.matches("HTTP/1.1 201 Created").count(), 2, "{}", answer.text);
        assert_eq!(answer.text.matches("HTTP/1.1 204 No Content").count(), 2);
        assert_eq!(entries(&portal).await, [("k".into(), "w".into()), ("n".into(), "1".into())]);
    }
}

#[tokio::test]
async fn a_change_set_whose_last_call_fails_changes_nothing() {
    let portal = with_map().await;
    let text = change_set(
        &[
            ("POST", "KeyMapEntryValues", NEW),
            ("DELETE", "KeyMapEntryValues(map_name='m',name='k')", ""),
            ("PUT", "KeyMapEntryValues(map_name='m',name='nothing')", r#"{"value":"w"}"#),
        ],
        "\r\n",
    );

    let answer = batch(&portal, &text).await.expect(202);

    assert_eq!(answer.text.matches("HTTP/1.1 ").count(), 1);
    assert!(
        answer.text.contains("HTTP/1.1 404 Not Found") && answer.text.contains("nothing"),
        "{}",
        answer.text
    );
    assert_eq!(entries(&portal).await, [("k".into(), "v".into())]);
}

#[tokio::test]
async fn calls_outside_a_change_set_stand_alone() {
    let portal = with_map().await;
    let part = |call: &str| {
        format!(
            "--batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{call}\r\n\r\n"
        )
    };
    let text = [
        part("DELETE KeyMapEntries('nothing') HTTP/1.1\r\n"),
        part("GET KeyMapEntries('m')?$expand=keyMapEntryValues HTTP/1.1\r\nAccept: application/json\r\n"),
        "--batch_1--".into(),
    ]
    .concat();
    let answer = batch(&portal, &text).await.expect(202);
    let (first, second) = answer.text.split_once("HTTP/1.1 200 OK").unwrap();
    assert!(first.contains("404 Not Found"));
    assert!(second.contains(r#""value":"v""#), "{second}");
}

#[tokio::test]
async fn a_later_call_may_name_what_an_earlier_one_made() {
    let portal = Portal::start().await;
    let text = change_set(
        &[
            ("POST", "KeyMapEntries", r#"{"name":"m","encrypted":false}"#),
            ("POST", "$1/keyMapEntryValues", r#"{"name":"k","value":"v"}"#),
        ],
        "\r\n",
    )
    .replacen(
        "Content-Transfer-Encoding: binary",
        "Content-Transfer-Encoding: binary\r\nContent-ID: 1",
        1,
    );
    let answer = batch(&portal, &text).await.expect(202);
    assert_eq!(answer.text.matches("201 Created").count(), 2, "{}", answer.text);
    assert_eq!(entries(&portal).await, [("k".into(), "v".into())]);
}

#[tokio::test]
async fn a_malformed_batch_is_refused_whole() {
    let portal = with_map().await;
    let good = change_set(&[("POST", "KeyMapEntryValues", NEW)], "\r\n");
    for (text, word) in [
        (good.replace("--batch_1--", ""), "closing boundary"),
        (good.replace("--changeset_1--", ""), "closing boundary"),
        (good.replace("POST KeyMapEntryValues HTTP/1.1", "POST KeyMapEntryValues"), "HTTP/1.1"),
        (good.replace("POST Key", "GET Key"), "change set"),
        (good.replace("Content-Type: application/http", "Content-Type: text/plain"), "application/http"),
        (good.replace("KeyMapEntryValues HTTP", "http://elsewhere/x HTTP"), "another service"),
        (good.replace("KeyMapEntryValues HTTP", "$batch HTTP"), "batch"),
        (good.replace("boundary=changeset_1", "boundary="), "application/http"),
    ] {
        let answer = batch(&portal, &text).await.expect(400);
        assert!(answer.message().contains(word), "{word}: {}", answer.message());
    }
    assert_eq!(entries(&portal).await.len(), 1);
    let many = change_set(&vec![("DELETE", "KeyMapEntries('x')", ""); 1001], "\n");
    assert!(batch(&portal, &many).await.expect(400).message().contains("1000 operations"));
}
