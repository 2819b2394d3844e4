//! WebSocket on a stream of HTTP/2 (RFC 8441): a tunnel beside other streams, an upgrade of HTTP/1.1 for the target.

use std::future::poll_fn;

use base64::Engine as _;
use bytes::Bytes;
use h2::client::SendRequest;
use h2::ext::Protocol;
use h2::{RecvStream, SendStream};
use http::{Method, Request, Response};
use pierhead_gateway::design::{EndpointFlows, Flow, Step};
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::http2_clients::{ask, connect, get};
use crate::stage::{Proxy, Seen, Stage, Upstream, eventually, read_head};

/// Agrees as RFC 6455 has it, greets, gives back what it gets, and notes what came in all.
async fn echoing() -> Upstream {
    Upstream::handling(|mut stream, record| async move {
        let mut buffer = Vec::new();
        let Some(head) = read_head(&mut stream, &mut buffer).await else { return };
        let mut seen = Seen { head, body: buffer, trailers: String::new() };
        if !seen.request_line().starts_with("GET /chat") {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            return;
        }
        let key =
            format!("{}258EAFA5-E914-47DA-95CA-C5AB0DC85B11", seen.header("sec-websocket-key").concat());
        let accept = base64::engine::general_purpose::STANDARD.encode(Sha1::digest(key));
        let agrees = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Accept: {accept}\r\n\r\nhello "
        );
        let _ = stream.write_all(agrees.as_bytes()).await;
        let mut bytes = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut bytes).await {
            seen.body.extend_from_slice(&bytes[..count]);
            if stream.write_all(&bytes[..count]).await.is_err() {
                break;
            }
        }
        record.0.lock().expect("not poisoned").push(seen);
    })
    .await
}

fn asks(protocol: &'static str) -> Request<()> {
    let request = Request::builder().method(Method::CONNECT).uri("http://api.test/chat?room=1");
    let request = request.header("sec-websocket-version", "13").header("sec-websocket-protocol", "chat");
    request.extension(Protocol::from_static(protocol)).body(()).expect("a request")
}

/// A client that has heard what the gateway speaks.
async fn client(stage: &Stage) -> SendRequest<Bytes> {
    let mut client = connect(stage.addr()).await;
    assert_eq!(ask(&mut client, get("/plain")).await.status(), 200);
    assert!(client.is_extended_connect_protocol_enabled(), "it says so in its settings");
    client
}

async fn open(
    client: &mut SendRequest<Bytes>,
    request: Request<()>,
) -> (Response<RecvStream>, SendStream<Bytes>) {
    poll_fn(|cx| client.poll_ready(cx)).await.expect("ready");
    let (response, up) = client.send_request(request, false).expect("sent");
    (response.await.expect("an answer"), up)
}

async fn read_exactly(down: &mut RecvStream, count: usize) -> String {
    let mut all = Vec::new();
    while all.len() < count {
        let part = poll_fn(|cx| down.poll_data(cx)).await.expect("it goes on").expect("whole");
        let _ = down.flow_control().release_capacity(part.len());
        all.extend_from_slice(&part);
    }
    String::from_utf8(all).expect("text")
}

#[tokio::test]
async fn a_websocket_on_a_stream_is_an_upgrade_for_the_target() {
    let upstream = echoing().await;
    let stage = Stage::towards(&upstream);
    let mut client = client(&stage).await;

    let (answer, mut up) = open(&mut client, asks("websocket")).await;
    let headers = answer.headers().clone();
    let status = answer.status();
    let mut down = answer.into_body();
    let greeting = read_exactly(&mut down, 6).await;
    up.send_data(Bytes::from_static(b"one"), false).expect("sent");
    let first = read_exactly(&mut down, 3).await;
    assert_eq!(ask(&mut client, get("/plain")).await.status(), 200, "other streams go on");
    up.send_data(Bytes::from_static(b"two"), true).expect("sent");
    let second = read_exactly(&mut down, 3).await;
    let mut end = poll_fn(|cx| down.poll_data(cx)).await;
    while end.as_ref().is_some_and(|part| part.as_ref().is_ok_and(Bytes::is_empty)) {
        end = poll_fn(|cx| down.poll_data(cx)).await;
    }

    assert_eq!(
        (status.as_u16(), greeting.as_str(), first.as_str(), second.as_str()),
        (200, "hello ", "one", "two")
    );
    assert!(end.is_none(), "the target's end is one of the stream: {end:?}");
    assert_eq!(headers["sec-websocket-protocol"], "chat");
    for gone in ["sec-websocket-accept", "upgrade", "connection", "content-length"] {
        assert!(!headers.contains_key(gone), "{gone}");
    }
    eventually("the target has seen the end", || upstream.seen().len() == 1).await;
    let seen = &upstream.seen()[0];
    assert_eq!((seen.request_line(), seen.body.as_slice()), ("GET /chat?room=1 HTTP/1.1", &b"onetwo"[..]));
    assert_eq!((seen.header("upgrade"), seen.header("connection")), (vec!["websocket"], vec!["upgrade"]));
    assert_eq!(seen.header("sec-websocket-version"), ["13"]);
    assert_eq!(seen.header("sec-websocket-key").concat().len(), 24, "sixteen bytes of the gateway's own");
}

#[tokio::test]
async fn a_target_that_answers_to_another_key_is_not_believed() {
    let upstream = Upstream::handling(|mut stream, _| async move {
        let mut buffer = Vec::new();
        let Some(head) = read_head(&mut stream, &mut buffer).await else { return };
        if !head.starts_with("GET /chat") {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            return;
        }
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello";
        let _ = stream.write_all(answer).await;
        while stream.read_buf(&mut buffer).await.unwrap_or(0) > 0 {}
    })
    .await;
    let stage = Stage::towards(&upstream);
    let mut client = client(&stage).await;

    let (answer, _up) = open(&mut client, asks("websocket")).await;

    assert_eq!(answer.status(), 502);
}

#[tokio::test]
async fn other_protocols_and_tunnels_are_not_served() {
    let upstream = echoing().await;
    let stage = Stage::towards(&upstream);
    let mut client = client(&stage).await;

    let (answer, _up) = open(&mut client, asks("connect-udp")).await;

    assert_eq!(answer.status(), 501);
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn policies_run_before_the_bridge_is_built() {
    let upstream = echoing().await;
    let steps = vec![Step { policy: "RF".into(), condition: "request.path = \"/chat\"".into() }];
    let flows = EndpointFlows { pre: Flow { request: steps, ..Flow::default() }, ..EndpointFlows::default() };
    let xml =
        "<RaiseFault><FaultResponse><Set><StatusCode>401</StatusCode></Set></FaultResponse></RaiseFault>";
    let stage = Stage::serving([Proxy::new("p", "/", upstream.addr).policy("RF", "RaiseFault", xml, flows)]);
    let mut client = client(&stage).await;

    let (answer, _up) = open(&mut client, asks("websocket")).await;

    assert_eq!(answer.status(), 401);
    assert_eq!(upstream.connection_count(), 1, "of the other request");
}

#[tokio::test]
async fn a_client_that_resets_its_stream_closes_the_target() {
    let upstream = echoing().await;
    let stage = Stage::towards(&upstream);
    let mut client = client(&stage).await;
    let (answer, mut up) = open(&mut client, asks("websocket")).await;
    let mut down = answer.into_body();
    assert_eq!(read_exactly(&mut down, 6).await, "hello ");

    up.send_reset(h2::Reason::CANCEL);

    eventually("the target was closed", || upstream.seen().len() == 1).await;
}
