use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::testing::{ADMIN, STREAM_LIMIT, TestHub, element};

async fn folder(hub: &TestHub) -> Value {
    let root = hub.shared.path().to_str().unwrap();
    hub.make(ADMIN, json!({"name": "f", "element": {"key": "folder"}, "configuration": {"root.path": root}}))
        .await
}

#[tokio::test]
async fn a_file_goes_into_a_folder_and_comes_back_by_path_and_by_id() {
    let hub = TestHub::start().await;
    let token = element("admin", &folder(&hub).await);

    let made = hub.upload("/hubs/documents/files?path=/in/a.txt", &token, "a.txt", b"hello").await;

    assert_eq!((made.status, made.json["size"].as_i64()), (StatusCode::OK, Some(5)), "{}", made.text);
    assert_eq!(std::fs::read(hub.shared.path().join("in/a.txt")).unwrap(), b"hello");
    let by_path = hub.get("/files?path=/in/a.txt", &token).await;
    assert_eq!((by_path.text.as_str(), by_path.header("content-length")), ("hello", "5"));
    assert!(by_path.header("content-disposition").starts_with("attachment"), "{:?}", by_path.headers);
    assert_eq!(by_path.header("x-content-type-options"), "nosniff");
    let id = made.json["id"].as_str().unwrap();
    assert_eq!(hub.get(&format!("/hubs/documents/files/{id}"), &token).await.text, "hello");
    let list = hub.get("/folders/contents?path=/in", &token).await;
    assert_eq!((list.json[0]["name"].as_str(), list.header("elements-returned-count")), (Some("a.txt"), "1"));
    let twice = hub.upload("/files?path=/in/a.txt", &token, "a.txt", b"again").await;
    assert_eq!(twice.status, StatusCode::CONFLICT, "{}", twice.text);
    assert_eq!(hub.get("/files?path=/none", &token).await.status, StatusCode::NOT_FOUND);
    let helium = hub.get("/objects", &token).await.json;
    assert!(helium.as_array().unwrap().contains(&json!("files")), "{helium}");
    assert_eq!(hub.get("/objects/files/metadata", &token).await.json["fields"][0]["vendorPath"], "id");
    let custom = hub.get("/objects/files/metadata?customFieldsOnly=true", &token).await;
    assert_eq!(custom.json["fields"], json!([]), "the definition adds no fields of its own");
}

#[tokio::test]
async fn a_link_gives_its_file_without_credentials_until_it_expires_or_the_instance_goes() {
    let hub = TestHub::start().await;
    let made = folder(&hub).await;
    let token = element("admin", &made);
    hub.upload("/files?path=/a b.txt".replace(' ', "%20").as_str(), &token, "a b.txt", b"hello").await;
    let links = hub.get("/files/links?path=/a%20b.txt", &token).await;
    let link = links.json["cloudElementsLink"].as_str().unwrap_or_else(|| panic!("{}", links.text));
    let path = link.strip_prefix("http://hub.example/elements/api-v2").unwrap();

    assert_eq!(hub.get(path, "").await.text, "hello");
    let part = Request::get(format!("/elements/api-v2{path}")).header(header::RANGE, "bytes=1-2");
    let part = hub.send(part.body(Body::empty()).unwrap()).await;
    assert_eq!((part.status, part.text.as_str()), (StatusCode::PARTIAL_CONTENT, "el"));
    assert_eq!(hub.get(&format!("{}x", &path[..path.len() - 1]), "").await.status, StatusCode::NOT_FOUND);
    hub.call("DELETE", &format!("/instances/{}/enabled", made["id"]), ADMIN, None).await;
    assert_eq!(hub.get(path, "").await.status, StatusCode::FORBIDDEN);
    hub.call("PUT", &format!("/instances/{}/enabled", made["id"]), ADMIN, None).await;
    hub.clock.advance(Duration::from_secs(4 * 3600));
    assert_eq!(hub.get(path, "").await.status, StatusCode::FORBIDDEN);
    let fresh = hub.get("/files/links?path=/a%20b.txt", &token).await.json["cloudElementsLink"].clone();
    hub.call("DELETE", &format!("/instances/{}", made["id"]), ADMIN, None).await;
    let path = fresh.as_str().unwrap().strip_prefix("http://hub.example/elements/api-v2").unwrap().to_owned();
    assert_eq!(hub.get(&path, "").await.status, StatusCode::NOT_FOUND);
}

/// The length is not announced, so that it is only known when it is too much (open-connectors §8.4).
#[tokio::test]
async fn an_upload_that_grows_beyond_the_limit_is_429_and_leaves_nothing() {
    let hub = TestHub::start().await;
    let token = element("admin", &folder(&hub).await);
    let piece = Bytes::from(vec![7u8; 1 << 20]);
    for (kind, head) in [
        ("application/octet-stream", ""),
        (
            "multipart/form-data; boundary=edge",
            "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"big\"\r\n\r\n",
        ),
    ] {
        let pieces = usize::try_from(STREAM_LIMIT >> 20).unwrap() + 1;
        let pieces = std::iter::once(Bytes::from(head)).chain(std::iter::repeat_n(piece.clone(), pieces));
        let body = futures_util::stream::iter(pieces.map(Ok::<_, std::convert::Infallible>));
        let upload = Request::post("/elements/api-v2/files?path=/big")
            .header(header::AUTHORIZATION, &token)
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from_stream(body))
            .unwrap();

        let answer = hub.send(upload).await;

        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{kind}: {}", answer.text);
        assert!(answer.text.contains("larger than"), "{}", answer.text);
        assert_eq!(std::fs::read_dir(hub.shared.path()).unwrap().count(), 0, "{kind} left something behind");
    }
}

/// Over a real connection, in pieces: neither side ever holds the whole.
#[tokio::test]
async fn large_files_stream_both_ways_over_a_connection() {
    const PIECES: usize = 256;
    let hub = TestHub::start().await;
    let token = element("admin", &folder(&hub).await);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, hub.app.clone()).into_future());
    let (mut client, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(TcpStream::connect(address).await.unwrap()))
            .await
            .unwrap();
    tokio::spawn(connection);

    let piece = Bytes::from(vec![7u8; 64 * 1024]);
    let head = "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"big\"\r\n\r\n";
    let pieces = std::iter::once(Bytes::from(head))
        .chain(std::iter::repeat_n(piece.clone(), PIECES))
        .chain(std::iter::once(Bytes::from("\r\n--edge--\r\n")));
    let body = StreamBody::new(futures_util::stream::iter(
        pieces.map(|bytes| Ok::<_, std::convert::Infallible>(Frame::data(bytes))),
    ));
    let upload = Request::post("/elements/api-v2/files?path=/big")
        .header(header::HOST, "hub")
        .header(header::AUTHORIZATION, &token)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .body(body.boxed())
        .unwrap();
    let made = client.send_request(upload).await.unwrap();
    assert_eq!(made.status(), StatusCode::OK);
    made.into_body().collect().await.unwrap();

    let empty = StreamBody::new(futures_util::stream::empty()).boxed();
    let download = Request::get("/elements/api-v2/files?path=/big")
        .header(header::HOST, "hub")
        .header(header::AUTHORIZATION, &token)
        .body(empty)
        .unwrap();
    let mut answer = client.send_request(download).await.unwrap();
    assert_eq!(answer.headers()[header::CONTENT_LENGTH], (PIECES * piece.len()).to_string());
    let mut seen = 0;
    while let Some(frame) = answer.body_mut().frame().await {
        let data = frame.unwrap().into_data().unwrap();
        assert!(data.iter().all(|byte| *byte == 7));
        seen += data.len();
    }
    assert_eq!(seen, PIECES * piece.len());
    server.abort();
}
