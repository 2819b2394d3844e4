//! Clients that trickle their request bodies (hostile-input §4.2 line 6).

use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use pierhead_gateway::design::{EndpointFlows, Flow, Step};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http2_clients::{Told, connect, echo, read};
use crate::stage::{Proxy, Stage, Upstream, eventually, read_head};

/// Nobody can be as fast as this gateway wants it.
fn hasty(proxy: Proxy) -> Stage {
    Stage::with([proxy], |config| {
        config.limits.body_bytes_per_second = 1_000_000_000_000;
        config.limits.body_grace = Duration::from_millis(50);
    })
}

/// Once this is answered, a body that began before has come too slowly, too.
async fn trickle(stage: &Stage) -> String {
    let stream = TcpStream::connect(stage.addr()).await.expect("connects");
    let (mut answer, mut body) = stream.into_split();
    let dripping = tokio::spawn(async move {
        let _ = body.write_all(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n").await;
        while body.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let mut told = Vec::new();
    let reading = answer.read_to_end(&mut told);
    let _ = tokio::time::timeout(Duration::from_secs(60), reading).await.expect("an end in time");
    dripping.abort();
    String::from_utf8_lossy(&told).into_owned()
}

#[tokio::test]
async fn a_client_that_trickles_its_body_is_answered_408_and_closed() {
    let upstream = Upstream::ok().await;
    let stage = hasty(Proxy::new("p", "/", upstream.addr));

    let told = trickle(&stage).await;

    assert!(told.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{told}");
    assert!(told.contains("\r\nconnection: close\r\n"), "{told}");
    assert!(told.contains("messaging.adaptors.http.flow.RequestTimeOut"), "{told}");
    assert!(upstream.seen().is_empty(), "the target never saw the end of the body");
}

#[tokio::test]
async fn the_same_holds_for_a_body_that_a_step_reads() {
    let upstream = Upstream::ok().await;
    let steps = vec![Step { policy: "AM".into(), ..Step::default() }];
    let flows = EndpointFlows { pre: Flow { request: steps, ..Flow::default() }, ..EndpointFlows::default() };
    let xml = r#"<AssignMessage name="AM"><Set><Payload>{request.content}!</Payload></Set></AssignMessage>"#;
    let stage = hasty(Proxy::new("p", "/", upstream.addr).policy("AM", "AssignMessage", xml, flows));

    let told = trickle(&stage).await;

    assert!(told.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{told}");
    assert_eq!(upstream.connection_count(), 0);
}

#[tokio::test]
async fn a_body_in_time_is_not_cut_by_any_pace() {
    let upstream = echo().await;
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| {
        config.limits.body_bytes_per_second = 1_000_000_000_000;
        config.limits.body_grace = Duration::from_secs(3600);
    });

    let answer = stage
        .exchange("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
        .await;

    assert_eq!((answer.status, answer.text().as_str()), (200, "hi"));
}

/// A request in HTTP/2 whose body has begun.
async fn begun(
    client: &mut h2::client::SendRequest<Bytes>,
    kind: &str,
) -> (h2::client::ResponseFuture, h2::SendStream<Bytes>) {
    let request = Request::post("http://api.test/").header("content-type", kind).body(());
    poll_fn(|cx| client.poll_ready(cx)).await.expect("ready");
    let (response, mut body) = client.send_request(request.expect("a request"), false).expect("sent");
    body.send_data(Bytes::from_static(b"he"), false).expect("sent");
    (response, body)
}

async fn told(response: h2::client::ResponseFuture) -> Told {
    tokio::time::timeout(Duration::from_secs(60), read(response)).await.expect("in time").expect("an answer")
}

#[tokio::test]
async fn streams_of_http2_have_the_same_pace_and_grpc_calls_their_own() {
    let upstream = echo().await;
    let stage = hasty(Proxy::new("p", "/", upstream.addr));
    let mut client = connect(stage.addr()).await;

    let (call, mut messages) = begun(&mut client, "application/grpc").await;
    let (slow, _body) = begun(&mut client, "text/plain").await;
    let slow = told(slow).await;
    messages.send_data(Bytes::from_static(b"llo"), true).expect("nobody has cut it");
    let call = told(call).await;

    assert_eq!(slow.status(), 408);
    assert!(String::from_utf8_lossy(&slow.body).contains("RequestTimeOut"));
    assert_eq!((call.status(), call.body.as_slice()), (200, &b"hello"[..]));
}

#[tokio::test]
async fn once_the_answer_has_begun_the_body_may_come_as_it_likes() {
    let upstream = Upstream::handling(|mut stream, record| async move {
        let mut buffer = Vec::new();
        let Some(head) = read_head(&mut stream, &mut buffer).await else { return };
        if !head.contains("/both-ways") {
            return std::future::pending().await;
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").await;
        while buffer.len() < 5 {
            let _ = stream.read_buf(&mut buffer).await;
        }
        let _ = stream.write_all(&buffer).await;
        let seen = crate::stage::Seen { head, body: buffer, trailers: String::new() };
        record.0.lock().expect("not poisoned").push(seen);
    })
    .await;
    let stage = hasty(Proxy::new("p", "/", upstream.addr));
    let mut client = stage.client().await;

    client.send("PUT /both-ways HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n").await;
    let head = read_head(&mut client.stream, &mut client.buffer).await.expect("an answer");
    assert!(trickle(&stage).await.starts_with("HTTP/1.1 408"));
    client.send("hello").await;

    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    eventually("the target has the body", || upstream.seen().iter().any(|seen| seen.body == b"hello")).await;
}
