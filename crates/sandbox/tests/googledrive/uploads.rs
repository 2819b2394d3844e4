//! The three ways to upload.

use http::StatusCode;
use pierhead_sandbox::google::GoogleDriveOptions;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Answer, Double};

const BLOCK: usize = 256 * 1024;

async fn open(double: &Double, query: &str, headers: &[(&str, &str)], body: Value) -> Answer {
    let bearer = format!("Bearer {}", double.token);
    let mut all = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
    all.extend(headers);
    let path = format!("/upload/drive/v3/files?uploadType=resumable{query}");
    double.send("POST", &path, &all, body.to_string()).await
}

async fn session(double: &Double) -> String {
    let opened = open(double, "&fields=id,name,size,sha256Checksum", &[], json!({"name": "big.bin"})).await;
    assert_eq!(opened.status, 200, "{}", String::from_utf8_lossy(&opened.bytes));
    opened.header("location").to_owned()
}

async fn put(double: &Double, session: &str, range: &str, bytes: &[u8]) -> Answer {
    double.send("PUT", session, &[("content-range", range)], bytes.to_vec()).await
}

#[tokio::test]
async fn multipart_takes_crlf_lf_and_base64_bodies() {
    let double = Double::start().await;
    for (newline, encoding, sent) in [
        ("\r\n", "binary", "line\r\n--nearly\r\n"),
        ("\n", "binary", "line\r\n--nearly\n\r"),
        ("\r\n", "base64", "bGluZQ0K\r\nLS1uZWFybHkNCg=="),
    ] {
        let body = [
            "--b 1",
            "Content-Type: application/json; charset=UTF-8",
            "",
            "{\"name\": \"m.txt\"}",
            "--b 1",
            "Content-Type: text/x-special",
            &format!("Content-Transfer-Encoding: {encoding}"),
            "",
            sent,
            "--b 1--",
            "",
        ]
        .join(newline);
        let bearer = format!("Bearer {}", double.token);
        let headers =
            [("authorization", bearer.as_str()), ("content-type", "multipart/related; boundary=\"b 1\"")];
        let path = "/upload/drive/v3/files?uploadType=multipart&fields=id,name,mimeType";

        let made = double.send("POST", path, &headers, body).await.ok();
        let content =
            double.get(&format!("/drive/v3/files/{}?alt=media", made["id"].as_str().unwrap())).await;

        let expected = if encoding == "base64" { "line\r\n--nearly\r\n" } else { sent };
        assert_eq!((&made["name"], &made["mimeType"]), (&json!("m.txt"), &json!("text/x-special")));
        assert_eq!(content.bytes, expected, "{newline:?} {encoding}");
    }
}

#[tokio::test]
async fn a_malformed_multipart_body_makes_no_file() {
    let double = Double::start().await;
    let before = double.names("trashed = false").await;
    let bearer = format!("Bearer {}", double.token);
    for (content_type, body) in [
        ("multipart/related", "--b\n"),
        ("multipart/related; boundary=b", ""),
        ("multipart/related; boundary=b", "--c\n\n{}\n--c--"),
        ("multipart/related; boundary=b", "--b\nContent-Type: application/json\n\n{}\n--b--"),
        ("multipart/related; boundary=b", "--b\nContent-Type: application/json\n\n{}\n--b\n\nno end"),
        ("multipart/related; boundary=b", "--b\nContent-Type: text/plain\n\n{}\n--b\n\nx\n--b--"),
        ("multipart/related; boundary=b", "--b\n\n{}\n--b\n\nx\n--b\n\ny\n--b--"),
    ] {
        let headers = [("authorization", bearer.as_str()), ("content-type", content_type)];
        let answer = double.send("POST", "/upload/drive/v3/files?uploadType=multipart", &headers, body).await;
        answer.refused(400, "badRequest");
    }
    assert_eq!(double.names("trashed = false").await, before);
}

#[tokio::test]
async fn chunks_arrive_in_order_and_the_last_one_makes_the_file() {
    let double = Double::start().await;
    let content: Vec<u8> = (0..2 * BLOCK + 77).map(|at| (at % 251) as u8).collect();
    let total = content.len();
    let uri = session(&double).await;

    let nothing = put(&double, &uri, &format!("bytes */{total}"), b"").await;
    let first = put(&double, &uri, &format!("bytes 0-{}/{total}", BLOCK - 1), &content[..BLOCK]).await;
    let asked = put(&double, &uri, "bytes */*", b"").await;
    let again = put(&double, &uri, &format!("bytes 0-{}/{total}", BLOCK - 1), &content[..BLOCK]).await;
    // A client that goes back further than it must is understood.
    let rest = put(&double, &uri, &format!("bytes 0-{}/{total}", total - 1), &content).await;
    let done = put(&double, &uri, &format!("bytes */{total}"), b"").await;

    assert_eq!((nothing.status, nothing.header("range")), (StatusCode::PERMANENT_REDIRECT, ""));
    for answer in [first, asked, again] {
        assert_eq!((answer.status.as_u16(), answer.header("range")), (308, "bytes=0-262143"));
    }
    let file = rest.ok();
    assert_eq!((&file["name"], &file["size"]), (&json!("big.bin"), &json!(total.to_string())));
    assert_eq!(file["sha256Checksum"], hex::encode(Sha256::digest(&content)));
    assert_eq!(done.ok(), file, "a session that is done answers with its file");
}

#[tokio::test]
async fn a_chunk_that_breaks_the_rules_is_refused_and_the_session_lives() {
    let double = Double::start().await;
    let uri = session(&double).await;
    for (range, length) in [
        ("bytes 0-99/1000", 100),
        ("bytes 262144-524287/1000000", BLOCK),
        ("bytes 0-262143/1000000", 5),
        ("bytes zero-99/1000", 100),
        ("bytes 99-0/1000", 100),
    ] {
        let answer = put(&double, &uri, range, &vec![0; length]).await;
        answer.refused(400, "badRequest");
    }
    // What the refused requests said of the total does not bind; a fresh session shows the whole in one go.
    let uri = session(&double).await;
    let whole = double.send("PUT", &uri, &[], "all at once").await.ok();
    assert_eq!(whole["size"], "11");
}

#[tokio::test]
async fn what_a_broken_connection_leaves_counts_in_whole_blocks() {
    let double = Double::start().await;
    let content: Vec<u8> = (0..3 * BLOCK).map(|at| (at % 241) as u8).collect();
    let total = content.len();
    let uri = session(&double).await;
    let (host, path) = uri.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let head = format!(
        "PUT /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {total}\r\n\
         Content-Range: bytes 0-{}/{total}\r\n\r\n",
        total - 1
    );
    let mut connection = TcpStream::connect(host).await.unwrap();
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&content[..BLOCK + 1000]).await.unwrap();
    connection.shutdown().await.unwrap();
    // The end of the answer, or of the connection, says that the double has noticed.
    drop(connection.read_to_end(&mut Vec::new()).await);

    let so_far = put(&double, &uri, &format!("bytes */{total}"), b"").await;
    let range = format!("bytes {BLOCK}-{}/{total}", total - 1);
    let file = put(&double, &uri, &range, &content[BLOCK..]).await.ok();

    assert_eq!((so_far.status.as_u16(), so_far.header("range")), (308, "bytes=0-262143"));
    assert_eq!(file["sha256Checksum"], hex::encode(Sha256::digest(&content)));
}

#[tokio::test]
async fn a_session_needs_no_token_but_refuses_a_dead_one() {
    let double = Double::start().await;
    let uri = session(&double).await;
    let dead = [("authorization", "Bearer ya29.dead")];
    double.send("PUT", &uri, &dead, "x").await.refused(401, "authError");
    double.handle.expire_access_tokens();

    let kept = double.send("PUT", &uri, &[], "x").await;

    assert_eq!(kept.status, 200);
    double.send("PUT", &format!("{uri}x"), &[], "x").await.refused(404, "notFound");
}

#[tokio::test]
async fn a_session_ends_after_a_week_or_when_given_up() {
    let double = Double::start().await;
    let (late, dropped) = (session(&double).await, session(&double).await);

    let cancelled = double.send("DELETE", &dropped, &[], "").await;
    double.clock.advance(std::time::Duration::from_secs(7 * 24 * 3600 + 1));

    assert_eq!(cancelled.status.as_u16(), 499);
    double.send("PUT", &dropped, &[], "x").await.refused(404, "notFound");
    double.send("PUT", &late, &[], "x").await.refused(404, "notFound");
}

#[tokio::test]
async fn a_write_that_is_not_allowed_is_refused_before_any_byte() {
    let double = Double::start().await;
    let opened = open(&double, "", &[], json!({"name": "x", "parents": ["nonsense"]})).await;
    opened.refused(404, "notFound");
    open(&double, "&fields=colour", &[], json!({})).await.refused(400, "invalidParameter");
    open(&double, "", &[("x-upload-content-length", "many")], json!({})).await.refused(400, "badRequest");
    double.json("POST", "/upload/drive/v3/files", json!({})).await.refused(400, "required");
    double.json("POST", "/upload/drive/v3/files?uploadType=pigeon", json!({})).await.refused(400, "invalid");
}

#[tokio::test]
async fn storage_has_an_end() {
    let options = GoogleDriveOptions { storage_limit: 1000, ..GoogleDriveOptions::default() };
    let double = Double::with(options).await;
    let bearer = format!("Bearer {}", double.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/plain")];

    let answer =
        double.send("POST", "/upload/drive/v3/files?uploadType=media", &headers, vec![0; 1001]).await;
    answer.refused(403, "storageQuotaExceeded");
    open(&double, "", &[("x-upload-content-length", "1001")], json!({}))
        .await
        .refused(403, "storageQuotaExceeded");
}

#[tokio::test]
async fn a_type_nobody_states_is_guessed_from_the_name() {
    let double = Double::start().await;
    let opened =
        open(&double, "&fields=mimeType,fileExtension,fullFileExtension", &[], json!({"name": "a.tar.gz"}))
            .await;
    let file = double.send("PUT", opened.header("location"), &[], "x").await.ok();
    assert_eq!(
        file,
        json!({"mimeType": "application/gzip", "fileExtension": "gz", "fullFileExtension": "tar.gz"})
    );
}

#[tokio::test]
async fn text_can_become_a_google_document_and_a_picture_cannot() {
    let double = Double::start().await;
    let document = json!({"name": "d", "mimeType": "application/vnd.google-apps.document"});
    let opened = open(&double, "", &[("x-upload-content-type", "text/plain")], document.clone()).await;
    let made = double.send("PUT", opened.header("location"), &[], "hello").await.ok();
    let opened = open(&double, "", &[("x-upload-content-type", "image/png")], document).await;

    let text = double
        .get(&format!("/drive/v3/files/{}/export?mimeType=text/plain", made["id"].as_str().unwrap()))
        .await;

    assert_eq!(text.bytes, "\u{feff}hello");
    double.send("PUT", opened.header("location"), &[], "x").await.refused(400, "badRequest");
    let bearer = format!("Bearer {}", double.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", "image/png")];
    let path = format!("/upload/drive/v3/files/{}?uploadType=media", made["id"].as_str().unwrap());
    double.send("PATCH", &path, &headers, "x").await.refused(400, "badRequest");
}
