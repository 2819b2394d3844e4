//! Caches and counters over the wire: what streams by is cached, and threads count together.

use std::sync::atomic::{AtomicUsize, Ordering};

use pierhead_gateway::design::{EndpointFlows, Flow, Step};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::stage::{Proxy, Stage, Upstream, pattern, read_head};

const CACHE: &str =
    r#"<ResponseCache name="c"><CacheKey><KeyFragment ref="request.uri"/></CacheKey></ResponseCache>"#;

fn step(policy: &str) -> Vec<Step> {
    vec![Step { policy: policy.into(), condition: String::new() }]
}

fn cached(upstream: &Upstream) -> Stage {
    let pre = Flow { request: step("c"), response: step("c"), ..Flow::default() };
    let flows = EndpointFlows { pre, ..EndpointFlows::default() };
    Stage::serving([Proxy::new("p", "/", upstream.addr).policy("c", "ResponseCache", CACHE, flows)])
}

#[tokio::test]
async fn a_body_that_streams_by_is_cached_when_it_has_gone_by_whole() {
    let upstream = Upstream::answering(|seen| {
        let path = seen.request_line().split(' ').nth(1).expect("a path").to_owned();
        let (kind, size) = path[1..].split_once('/').expect("kind and size");
        let body = pattern(size.parse().expect("a size"));
        let length = body.len();
        let head = match kind {
            "sized" => format!("HTTP/1.1 200 OK\r\nX-From: target\r\nContent-Length: {length}\r\n\r\n"),
            _ => format!(
                "HTTP/1.1 200 OK\r\nX-From: target\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n"
            ),
        };
        let end: &[u8] = match kind {
            "sized" => b"",
            _ => b"\r\n0\r\n\r\n",
        };
        [head.as_bytes(), &body, end].concat()
    })
    .await;
    let stage = cached(&upstream);
    for (path, calls) in [
        ("/sized/0", 1),
        ("/sized/9", 1),
        ("/sized/500000", 1),
        ("/chunked/500000", 1),
        ("/sized/600000", 3),
        ("/chunked/600000", 3),
    ] {
        let before = upstream.seen().len();
        for _ in 0..3 {
            let answer = stage.get(path).await;
            let size: usize = path.rsplit('/').next().expect("a size").parse().expect("a size");
            assert_eq!((answer.status, answer.header("x-from")), (200, vec!["target"]), "{path}");
            assert!(answer.body == pattern(size), "{path}");
        }
        assert_eq!(upstream.seen().len() - before, calls, "{path}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_cached() {
    let calls = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let upstream = Upstream::handling(move |mut stream, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            read_head(&mut stream, &mut Vec::new()).await;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
                .await;
        }
    })
    .await;
    let stage = cached(&upstream);
    for _ in 0..2 {
        let mut client = stage.client().await;
        client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let _ = client.stream.read_to_end(&mut Vec::new()).await;
    }
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn threads_count_together_and_a_deploy_forgets_nothing() {
    const QUOTA: &str = r#"<Quota name="q" type="rollingwindow"><Allow count="20"/><Interval>1</Interval><TimeUnit>day</TimeUnit></Quota>"#;
    let upstream = Upstream::ok().await;
    let pre = Flow { request: step("q"), ..Flow::default() };
    let flows = EndpointFlows { pre, ..EndpointFlows::default() };
    let proxy = || Proxy::new("p", "/", upstream.addr).policy("q", "Quota", QUOTA, flows.clone());
    let stage = Stage::serving([proxy()]);

    let mut statuses = Vec::new();
    // Each request has a connection of its own, so that both threads get some.
    for turn in 0..30 {
        if turn == 15 {
            stage.snapshot.update(|old| old.with_proxy(proxy().compile()).expect("free path"));
        }
        statuses.push(stage.get("/").await.status);
    }

    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 20);
    assert!(statuses[20..].iter().all(|status| *status == 429), "{statuses:?}");
}
