//! What a client may ask of a connection, and what becomes of it.

use std::time::Duration;

use pierhead_gateway::design::{EndpointFlows, Flow, Step};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::stage::{Client, Proxy, Stage, Upstream, eventually, read_head};

/// Served at `/api` only.
async fn stage() -> (Stage, Upstream) {
    let upstream = Upstream::ok().await;
    (Stage::serving([Proxy::new("p", "/api", upstream.addr)]), upstream)
}

#[tokio::test]
async fn http_10_is_answered_in_its_own_version_and_closed_unless_it_asks_to_stay() {
    let (stage, _upstream) = stage().await;
    let mut client = stage.client().await;

    client.send("GET /api HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").await;
    let kept = client.answer().await;
    client.send("GET /api HTTP/1.0\r\n\r\n").await;
    let last = client.answer().await;

    assert!(kept.head.starts_with("HTTP/1.0 200 OK\r\n"), "{}", kept.head);
    assert_eq!(kept.header("connection"), ["keep-alive"]);
    assert_eq!((last.status, last.text().as_str()), (200, "ok"));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_client_that_says_close_is_answered_and_closed() {
    let (stage, upstream) = stage().await;
    let mut client = stage.client().await;

    client
        .send("GET /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /api HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;

    let answer = client.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (200, vec!["close"]));
    assert!(client.is_closed().await);
    assert_eq!(upstream.seen().len(), 1, "what followed was not served");
}

#[tokio::test]
async fn every_answer_has_one_date_the_targets_own_when_there_is_one() {
    let upstream = Upstream::answering(|seen| match seen.request_line() {
        "GET /dated HTTP/1.1" => {
            b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n".to_vec()
        }
        _ => b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec(),
    })
    .await;
    let stage = Stage::towards(&upstream);

    let (dated, undated) = (stage.get("/dated").await, stage.get("/").await);

    assert_eq!(dated.header("date"), ["Thu, 01 Jan 1970 00:00:00 GMT"]);
    assert_eq!(undated.header("date").len(), 1);
    assert!(undated.header("date")[0].ends_with(" GMT") && undated.header("date")[0].len() == 29);
}

#[tokio::test]
async fn a_small_body_that_nobody_reads_is_passed_over() {
    let (stage, _upstream) = stage().await;
    let mut client = stage.client().await;

    client.send("PUT /no HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello").await;
    let missed = client.answer().await;
    client.send("PUT /no HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /api HTTP/1.1\r\nHost: x\r\n\r\n").await;

    assert_eq!((missed.status, missed.header("connection")), (404, vec![]));
    assert_eq!(client.answer().await.status, 404);
    assert_eq!(client.answer().await.status, 200);
}

#[tokio::test]
async fn a_client_that_still_sends_what_nobody_reads_is_told_that_this_is_the_end() {
    let (stage, upstream) = stage().await;
    let mut client = stage.client().await;

    client.send("PUT /no HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nbegin").await;

    let answer = client.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (404, vec!["close"]));
    client.send("GET /api HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(client.is_closed().await, "what is left of the body is not taken for a request");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_client_that_falls_silent_in_its_body_is_cut_off() {
    let upstream = Upstream::ok().await;
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| {
        config.limits.client_timeout = Duration::from_millis(200);
    });
    let mut client = stage.client().await;

    client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello").await;

    assert!(client.is_closed().await);
    assert!(upstream.seen().is_empty(), "the target never saw the end of the body");
}

#[tokio::test]
async fn a_target_may_answer_while_it_reads_and_the_connection_goes_on() {
    let upstream = Upstream::handling(|mut stream, _| async move {
        let mut buffer = Vec::new();
        while read_head(&mut stream, &mut buffer).await.is_some() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n").await;
            for _ in 0..3 {
                while buffer.len() < 2 {
                    if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                let pair: Vec<u8> = buffer.drain(..2).collect();
                let _ = stream.write_all(&pair).await;
            }
        }
    })
    .await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;

    for _ in 0..2 {
        client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n").await;
        let mut echo = Vec::new();
        for pair in ["ab", "cd", "ef"] {
            client.send(pair).await;
            while !echo.ends_with(pair.as_bytes()) {
                assert!(client.stream.read_buf(&mut echo).await.expect("open") > 0, "{echo:?}");
            }
        }
        assert!(echo.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
    assert_eq!(upstream.connection_count(), 1);
}

#[tokio::test]
async fn nobody_of_http_10_is_told_to_continue() {
    let (stage, _upstream) = stage().await;
    let request = "PUT /api HTTP/1.0\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello";
    assert_eq!(stage.exchange(request).await.status, 200);
}

#[tokio::test]
async fn what_a_policy_says_about_the_framing_is_not_believed() {
    let xml = r#"<AssignMessage name="Lie"><Set><Headers><Header name="Content-Length">99</Header><Header name="Transfer-Encoding">gzip</Header><Header name="X-Request-Id">mine</Header><Header name="X-Kept">yes</Header></Headers></Set><AssignTo createNew="false" type="response">response</AssignTo></AssignMessage>"#;
    let post =
        Flow { response: vec![Step { policy: "Lie".into(), condition: String::new() }], ..Flow::default() };
    let flows = EndpointFlows { post, ..EndpointFlows::default() };
    let upstream = Upstream::ok().await;
    let stage =
        Stage::serving([Proxy::new("p", "/", upstream.addr).policy("Lie", "AssignMessage", xml, flows)]);

    let answer = stage.get("/").await;

    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    assert_eq!((answer.header("content-length"), answer.header("transfer-encoding")), (vec!["2"], vec![]));
    assert_eq!((answer.header("x-kept"), answer.header("x-request-id").len()), (vec!["yes"], 1));
    assert_ne!(answer.header("x-request-id"), ["mine"]);
}

#[tokio::test]
async fn a_head_of_many_pieces_and_the_largest_size_is_served() {
    let (stage, upstream) = stage().await;
    let mut client = stage.client().await;
    let request = format!("GET /api HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "a".repeat(17 * 1024));

    for piece in request.as_bytes().chunks(1000) {
        client.send(piece).await;
        tokio::task::yield_now().await;
    }

    assert_eq!(client.answer().await.status, 200);
    assert_eq!(upstream.seen()[0].header("x-long")[0].len(), 17 * 1024);
}

#[tokio::test]
async fn a_header_laid_ready_for_the_answer_replaces_the_targets() {
    let xml = r#"<CORS name="Share"><AllowOrigins>{request.header.origin}</AllowOrigins><AllowMethods>GET</AllowMethods></CORS>"#;
    let pre =
        Flow { request: vec![Step { policy: "Share".into(), condition: String::new() }], ..Flow::default() };
    let flows = EndpointFlows { pre, ..EndpointFlows::default() };
    let upstream = Upstream::answering(|_| {
        b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 2\r\n\r\nok".to_vec()
    })
    .await;
    let stage = Stage::serving([Proxy::new("p", "/", upstream.addr).policy("Share", "CORS", xml, flows)]);

    let answer = stage.exchange("GET / HTTP/1.1\r\nHost: x\r\nOrigin: https://a.test\r\n\r\n").await;

    assert_eq!(answer.header("access-control-allow-origin"), ["https://a.test"]);
}

#[tokio::test]
async fn one_address_cannot_have_all_connections() {
    let upstream = Upstream::ok().await;
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| {
        config.limits.connections_of_address = 1;
    });
    let mut first = stage.client().await;
    first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(first.answer().await.status, 200);

    let refused = stage.client().await.answer().await;

    assert_eq!((refused.status, refused.header("retry-after")), (503, vec!["1"]));
    let other = tokio::net::TcpSocket::new_v4().expect("a socket");
    other.bind("127.0.0.2:0".parse().expect("an address")).expect("binds");
    let stream = other.connect(stage.addr()).await.expect("connects");
    let mut other = Client::over(stream);
    other.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(other.answer().await.status, 200, "another address has its own share");
    drop(first);
    eventually("room again", || stage.gateway.counters().connections == 1).await;
    assert_eq!(stage.get("/").await.status, 200);
}

#[tokio::test]
async fn a_connection_is_closed_in_order_after_its_last_request() {
    let upstream = Upstream::ok().await;
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| {
        config.limits.requests_of_connection = 2;
    });
    let mut client = stage.client().await;
    client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n").await;

    let (first, second) = (client.answer().await, client.answer().await);

    assert_eq!((first.status, first.header("connection")), (200, vec![]));
    assert_eq!((second.status, second.header("connection")), (200, vec!["close"]));
    assert!(client.is_closed().await);
}
