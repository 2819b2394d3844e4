//! Bodies of every size, both ways, in bounded memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pierhead_gateway::design::{EndpointFlows, Flow, Step};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::stage::{Proxy, Stage, Upstream, eventually, pattern, read_head};

const MIB: usize = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn downloads_of_every_size_arrive_byte_for_byte() {
    let upstream = Upstream::answering(|seen| {
        let path = seen.request_line().split(' ').nth(1).expect("a path");
        let (kind, size) = path[1..].split_once('/').expect("kind and size");
        let body = pattern(size.parse().expect("a size"));
        if kind == "sized" {
            return [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes(), body]
                .concat();
        }
        let mut all = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in body.chunks(100_000) {
            all.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            all.extend(chunk);
            all.extend(b"\r\n");
        }
        all.extend(b"0\r\n\r\n");
        all
    })
    .await;
    let stage = Stage::towards(&upstream);
    for size in [0, 1, 5 * MIB, 64 * MIB] {
        for kind in ["sized", "chunked"] {
            let answer = stage.get(&format!("/{kind}/{size}")).await;
            assert_eq!(answer.status, 200);
            assert!(answer.body == pattern(size), "{kind} {size}: {} bytes", answer.body.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_every_size_arrive_byte_for_byte() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    for size in [0, 1, 5 * MIB, 64 * MIB] {
        let body = pattern(size);
        let sized = [
            format!("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n").into_bytes(),
            body.clone(),
        ];
        assert_eq!(stage.exchange(sized.concat()).await.status, 200);
        let mut chunked = b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in body.chunks(70_001) {
            chunked.extend(format!("{:x};ext=1\r\n", chunk.len()).into_bytes());
            chunked.extend(chunk);
            chunked.extend(b"\r\n");
        }
        chunked.extend(b"0\r\n\r\n");
        assert_eq!(stage.exchange(chunked).await.status, 200);
        let seen = upstream.seen();
        assert!(seen[seen.len() - 2].body == body, "sized {size}");
        assert!(seen[seen.len() - 1].body == body, "chunked {size}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_stops_the_target() {
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let upstream = Upstream::handling(move |mut stream, _| {
        let count = Arc::clone(&count);
        async move {
            read_head(&mut stream, &mut Vec::new()).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 268435456\r\n\r\n").await;
            let part = vec![7; 64 * 1024];
            while stream.write_all(&part).await.is_ok() {
                count.fetch_add(part.len(), Ordering::SeqCst);
            }
        }
    })
    .await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;

    let still = settled(&written).await;

    // What two pairs of socket buffers and one read buffer hold; the rest waits at the target.
    assert!(still < 32 * MIB, "{still} bytes were taken from the target");
    let mut read = vec![0; MIB];
    client.stream.read_exact(&mut read).await.expect("flows on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_read_stops_the_client() {
    let upstream = Upstream::handling(|mut stream, _| async move {
        read_head(&mut stream, &mut Vec::new()).await;
        std::future::pending::<()>().await;
    })
    .await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;
    client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 268435456\r\n\r\n").await;
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let sending = tokio::spawn(async move {
        let part = vec![7; 64 * 1024];
        while client.stream.write_all(&part).await.is_ok() {
            count.fetch_add(part.len(), Ordering::SeqCst);
        }
    });

    let still = settled(&written).await;

    assert!(still < 32 * MIB, "{still} bytes were taken from the client");
    sending.abort();
}

/// The count once it has not changed for a while.
async fn settled(count: &AtomicUsize) -> usize {
    let mut last = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = count.load(Ordering::SeqCst);
        if now == last && now > 0 {
            return now;
        }
        last = now;
    }
}

#[tokio::test]
async fn answers_without_a_body_have_none_and_the_connection_goes_on() {
    let upstream = Upstream::answering(|seen| match seen.request_line().split(' ').nth(1) {
        Some("/head") => b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n".to_vec(),
        Some("/204") => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        Some("/304") => b"HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\nContent-Length: 77\r\n\r\n".to_vec(),
        _ => b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec(),
    })
    .await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;

    client.send("HEAD /head HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let head = client.answer_to("HEAD").await;
    client.send("GET /204 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let empty = client.answer().await;
    client.send("GET /304 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let unchanged = client.answer().await;
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let last = client.answer().await;

    assert_eq!((head.status, head.header("content-length")), (200, vec!["12345"]));
    assert_eq!(
        (empty.status, empty.header("content-length"), empty.header("transfer-encoding")),
        (204, vec![], vec![])
    );
    assert_eq!(
        (unchanged.status, unchanged.header("content-length"), unchanged.header("etag")),
        (304, vec![], vec!["\"e\""])
    );
    assert_eq!((last.status, last.text().as_str()), (200, "ok"));
    assert_eq!(upstream.connection_count(), 1, "the target's connection was used again each time");
}

#[tokio::test]
async fn early_hints_and_other_interim_answers_are_not_the_answer() {
    let upstream = Upstream::answering(|_| {
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
    })
    .await;
    let answer = Stage::towards(&upstream).get("/").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
}

#[tokio::test]
async fn a_body_that_ends_with_the_connection_arrives_whole() {
    let upstream = Upstream::handling(|mut stream, _| async move {
        read_head(&mut stream, &mut Vec::new()).await;
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").await;
        let _ = stream.write_all(&pattern(MIB)).await;
    })
    .await;
    let stage = Stage::towards(&upstream);
    assert!(stage.get("/").await.body == pattern(MIB));
    let old = stage.exchange("GET / HTTP/1.0\r\nHost: x\r\n\r\n").await;
    assert!(old.body == pattern(MIB), "a client of HTTP/1.0 too");
    assert!(old.header("transfer-encoding").is_empty());
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_cut_off_not_ended() {
    let upstream = Upstream::handling(|mut stream, _| async move {
        read_head(&mut stream, &mut Vec::new()).await;
        let _ =
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
    })
    .await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut all = Vec::new();
    let _ = client.stream.read_to_end(&mut all).await;
    let text = String::from_utf8_lossy(&all);
    assert!(text.contains("5\r\nhello\r\n"), "{text}");
    assert!(!text.ends_with("0\r\n\r\n"), "the end was not made up: {text}");
    eventually("counted", || stage.gateway.counters().target_errors == 1).await;
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_request_body_reaches_the_client() {
    let upstream = Upstream::handling(|mut stream, _| async move {
        read_head(&mut stream, &mut Vec::new()).await;
        let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await;
        std::future::pending::<()>().await;
    })
    .await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;
    client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nbegin").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.text().as_str()), (403, "no"));
    assert!(client.is_closed().await, "what is left of the body is not taken for a request");
    stage.get("/").await;
    assert_eq!(upstream.connection_count(), 2, "a target connection with half a request is not used again");
}

const READS_BODY: &str = r#"<AssignMessage name="Read"><AssignVariable><Name>seen</Name><Ref>request.content</Ref></AssignVariable></AssignMessage>"#;

#[tokio::test]
async fn a_body_that_a_step_reads_is_buffered_up_to_the_limit_and_no_further() {
    let upstream = Upstream::ok().await;
    let pre =
        Flow { request: vec![Step { policy: "Read".into(), condition: String::new() }], ..Flow::default() };
    let flows = EndpointFlows { pre, ..EndpointFlows::default() };
    let stage = Stage::serving([Proxy::new("p", "/", upstream.addr).policy(
        "Read",
        "AssignMessage",
        READS_BODY,
        flows,
    )]);
    let body = pattern(3 * MIB);
    let fits = [
        format!("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes(),
        body.clone(),
    ];

    let accepted = stage.exchange(fits.concat()).await;
    let declared =
        stage.exchange("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nbegin").await;

    assert_eq!(accepted.status, 200, "{}", accepted.text());
    assert!(upstream.seen()[0].body == body);
    assert_eq!((declared.status, declared.error_code().as_str()), (413, "protocol.http.TooBigBody"));
    assert_eq!(upstream.seen().len(), 1);
}
