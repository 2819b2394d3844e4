//! One proxy as the target of another, and properties that change what a target sees.

use pierhead_gateway::design::Destination;

use crate::stage::{Proxy, Stage, Upstream, pattern};

fn local(name: &str) -> Destination {
    Destination::LocalProxy { proxy: name.into(), endpoint: "default".into() }
}

#[tokio::test]
async fn bodies_stream_through_both_proxies_without_a_hop() {
    let body = pattern(3 << 20);
    let answer = body.clone();
    let up = Upstream::answering(move |seen| {
        let mut bytes =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", seen.body.len()).into_bytes();
        bytes.extend_from_slice(&seen.body);
        bytes
    })
    .await;
    let outer = Proxy::new("outer", "/outer", up.addr).towards(local("inner"));
    let stage = Stage::serving([Proxy::new("inner", "/inner", up.addr), outer]);
    let mut client = stage.client().await;
    client
        .send(format!("POST /outer/x?q=1 HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len()))
        .await;
    client.send(&body).await;

    let received = client.answer().await;

    assert_eq!((received.status, received.body == answer), (200, true));
    assert_eq!(up.seen()[0].request_line(), "POST /x?q=1 HTTP/1.1");
    assert_eq!(stage.gateway.counters().requests, 1, "the inner call is no request of a client");
}

#[tokio::test]
async fn proxies_in_a_circle_are_stopped() {
    let up = Upstream::ok().await;
    let one = Proxy::new("one", "/one", up.addr).towards(local("two"));
    let two = Proxy::new("two", "/two", up.addr).towards(Destination::LocalPath("/one".into()));
    let stage = Stage::serving([one, two]);
    let answer = stage.get("/one/x").await;
    assert_eq!((answer.status, answer.error_code().as_str()), (508, "messaging.runtime.LoopDetected"));
    assert!(up.seen().is_empty());
}

#[tokio::test]
async fn a_verb_can_be_sent_as_another() {
    let up = Upstream::ok().await;
    let proxy = Proxy::new("p", "/", up.addr)
        .target_property("enable.method.override", "true")
        .target_property("GET.override.method", "POST");
    let stage = Stage::serving([proxy]);
    assert_eq!(stage.get("/x").await.status, 200);
    assert_eq!(stage.exchange("DELETE /x HTTP/1.1\r\nHost: h\r\n\r\n").await.status, 200);
    let seen = up.seen();
    assert_eq!(seen[0].request_line(), "POST /x HTTP/1.1");
    assert_eq!(seen[0].header("x-http-method-override"), ["GET"]);
    assert_eq!(seen[1].request_line(), "DELETE /x HTTP/1.1");
    let off = Proxy::new("p", "/", up.addr).target_property("GET.override.method", "POST");
    Stage::serving([off]).get("/x").await;
    assert_eq!(up.seen()[2].request_line(), "GET /x HTTP/1.1");
}

#[tokio::test]
async fn a_target_that_speaks_http10_only_gets_no_chunks() {
    let up = Upstream::ok().await;
    let old = Proxy::new("p", "/", up.addr).target_property("supports.http11", "false");
    let chunked =
        "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n";
    assert_eq!(Stage::serving([old]).exchange(chunked).await.status, 200);
    let seen = up.seen();
    assert_eq!(seen[0].request_line(), "POST /x HTTP/1.0");
    assert_eq!((seen[0].header("content-length"), seen[0].body.as_slice()), (vec!["4"], &b"abcd"[..]));

    let stage = Stage::towards(&up);
    stage.exchange("GET /y HTTP/1.0\r\nHost: h\r\n\r\n").await;
    assert_eq!(up.seen()[1].request_line(), "GET /y HTTP/1.0", "as the client asked");
    let new = Proxy::new("p", "/", up.addr).target_property("supports.http10", "false");
    Stage::serving([new]).exchange("GET /z HTTP/1.0\r\nHost: h\r\n\r\n").await;
    assert_eq!(up.seen()[2].request_line(), "GET /z HTTP/1.1");
}

#[tokio::test]
async fn bodies_are_compressed_and_unpacked_as_the_endpoints_say() {
    let up = Upstream::answering(|seen| {
        let coding = seen.header("content-encoding").join(",");
        let mut bytes = b"HTTP/1.1 200 OK\r\n".to_vec();
        if !coding.is_empty() {
            bytes.extend_from_slice(format!("Content-Encoding: {coding}\r\n").as_bytes());
        }
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", seen.body.len()).as_bytes());
        bytes.extend_from_slice(&seen.body);
        bytes
    })
    .await;
    let packing = Proxy::new("p", "/", up.addr).target_property("compression.algorithm", "gzip");
    let body = "packed and unpacked ".repeat(500);
    let post = format!("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}", body.len());

    let answer = Stage::serving([packing.property("compression.algorithm", "none")]).exchange(&post).await;

    let seen = up.seen();
    assert_eq!(seen[0].header("content-encoding"), ["gzip"]);
    assert!(seen[0].body.len() < body.len() / 5, "{}", seen[0].body.len());
    assert_eq!((answer.header("content-encoding").len(), answer.text() == body), (0, true));

    let packing = Proxy::new("p", "/", up.addr).property("compression.algorithm", "deflate");
    let answer = Stage::serving([packing]).exchange(&post).await;
    assert_eq!(answer.header("content-encoding"), ["deflate"]);
    assert!(answer.body.len() < body.len() / 5 && answer.body.starts_with(&[0x78]), "{}", answer.body.len());
    let empty = Proxy::new("p", "/", up.addr).property("compression.algorithm", "gzip");
    let answer = Stage::serving([empty]).get("/x").await;
    assert_eq!((answer.status, answer.header("content-encoding").len(), answer.body.len()), (200, 0, 0));
}
