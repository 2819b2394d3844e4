//! Responses that can be read in two ways, and what they may not do to the next request.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::stage::{Proxy, Stage, Upstream, read_head};

/// A target that answers every request of a connection with the same bytes.
async fn always(bytes: &'static [u8]) -> Upstream {
    Upstream::handling(move |mut stream, _| async move {
        let mut buffer = Vec::new();
        while read_head(&mut stream, &mut buffer).await.is_some() {
            if stream.write_all(bytes).await.is_err() {
                return;
            }
        }
    })
    .await
}

#[tokio::test]
async fn ambiguous_responses_are_bad_gateways() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ] {
        let upstream = always(bytes).await;
        let answer = Stage::towards(&upstream).get("/").await;
        let name = String::from_utf8_lossy(bytes);
        assert_eq!(
            (answer.status, answer.error_code().as_str()),
            (502, "protocol.http.BadResponse"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_response_that_nobody_asked_for_answers_nobody() {
    let upstream = always(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned",
    )
    .await;
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| {
        config.threads = std::num::NonZeroUsize::new(1);
    });
    for _ in 0..4 {
        assert_eq!(stage.get("/").await.text(), "ok");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(upstream.connection_count(), 4, "no such connection is used again");
}

#[tokio::test]
async fn interim_responses_are_passed_over() {
    let upstream = always(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let answer = Stage::towards(&upstream).get("/").await;
    assert_eq!((answer.status, answer.text().as_str(), answer.header("link").len()), (200, "ok", 0));
}

#[tokio::test]
async fn a_body_with_a_broken_chunk_is_cut_off_never_ended() {
    let upstream =
        always(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n0\r\n\r\n").await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut seen = Vec::new();
    let _ = client.stream.read_to_end(&mut seen).await;
    let seen = String::from_utf8_lossy(&seen);
    assert!(seen.contains("2\r\nok\r\n") && !seen.ends_with("0\r\n\r\n"), "{seen}");
}

#[tokio::test]
async fn a_body_without_framing_ends_with_the_connection() {
    let upstream = Upstream::handling(|mut stream, _| async move {
        read_head(&mut stream, &mut Vec::new()).await;
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nto the end").await;
    })
    .await;
    let stage = Stage::towards(&upstream);
    assert_eq!(stage.get("/").await.text(), "to the end");
    assert_eq!(stage.get("/").await.text(), "to the end");
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_is_passed_on() {
    let upstream = Upstream::handling(|mut stream, _| async move {
        read_head(&mut stream, &mut Vec::new()).await;
        let _ = stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig").await;
        let mut rest = [0; 4096];
        while matches!(stream.read(&mut rest).await, Ok(1..)) {}
    })
    .await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;
    client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nbegin").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.text().as_str()), (413, "big"));
}
