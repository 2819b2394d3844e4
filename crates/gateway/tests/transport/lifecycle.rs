//! Starting, swapping, shedding, draining, leaving.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pierhead_gateway::{AccessLog, AccessRecord};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::stage::{Client, Proxy, Stage, Upstream, eventually, read_head};

/// A target that answers when told to.
async fn patient_target() -> (Upstream, Arc<Notify>, Arc<AtomicUsize>) {
    let (go, waiting) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let (notify, count) = (Arc::clone(&go), Arc::clone(&waiting));
    let upstream = Upstream::handling(move |mut stream, _| {
        let (notify, count) = (Arc::clone(&notify), Arc::clone(&count));
        async move {
            let mut buffer = Vec::new();
            while read_head(&mut stream, &mut buffer).await.is_some() {
                count.fetch_add(1, Ordering::SeqCst);
                notify.notified().await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            }
        }
    })
    .await;
    (upstream, go, waiting)
}

#[tokio::test]
async fn hosts_and_longest_base_paths_choose_the_proxy() {
    let (short, long) = (Upstream::ok().await, Upstream::ok().await);
    let stage =
        Stage::serving([Proxy::new("short", "/api", short.addr), Proxy::new("long", "/api/v2", long.addr)]);

    for path in ["/api", "/api/", "/api/v1/x", "/api/v22", "/%61pi/v1"] {
        assert_eq!(stage.get(path).await.status, 200, "{path}");
    }
    assert_eq!(stage.get("/api/v2/x?y=z").await.status, 200);
    let missed = stage.get("/ap").await;

    assert_eq!((short.seen().len(), long.seen().len()), (5, 1));
    assert_eq!(long.seen()[0].request_line(), "GET /x?y=z HTTP/1.1");
    assert_eq!(
        (missed.status, missed.error_code().as_str()),
        (404, "messaging.adaptors.http.flow.ApplicationNotFound")
    );
    assert!(
        missed.text().contains("Unable to identify proxy for host: default and url: /ap"),
        "{}",
        missed.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_swapped_under_load_fails_no_request() {
    let (a, b) = (Upstream::ok().await, Upstream::ok().await);
    let stage = Arc::new(Stage::serving([Proxy::new("p", "/", a.addr)]));
    let mut clients = Vec::new();
    for _ in 0..8 {
        let addr = stage.addr();
        clients.push(tokio::spawn(async move {
            let mut client = Client::connect(addr).await;
            for _ in 0..300 {
                client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
                assert_eq!(client.answer().await.status, 200);
            }
        }));
    }
    let mut swaps = 0;
    while clients.iter().any(|client| !client.is_finished()) {
        let next = if swaps % 2 == 0 { b.addr } else { a.addr };
        stage
            .snapshot
            .try_update(|now| now.with_proxy(Proxy::new("p", "/", next).compile()))
            .expect("the path is its own");
        swaps += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for client in clients {
        client.await.expect("no request failed");
    }
    assert!(swaps > 3, "{swaps} swaps");
    assert!(!a.seen().is_empty() && !b.seen().is_empty(), "both revisions served");
    assert_eq!(stage.gateway.counters().answers[1], 2400);
}

#[tokio::test]
async fn a_change_is_seen_by_the_next_request_on_the_same_connection() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
    stage.snapshot.update(|now| now.without_proxy("p"));
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 404);
}

#[tokio::test]
async fn a_drain_lets_requests_in_flight_end_and_takes_no_new_ones() {
    let (upstream, go, waiting) = patient_target().await;
    let stage = Stage::towards(&upstream);
    let addr = stage.addr();
    let mut idle = stage.client().await;
    let mut client = stage.client().await;
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    eventually("the target has the request", || waiting.load(Ordering::SeqCst) == 1).await;

    let shutdown = tokio::spawn(stage.gateway.shutdown(Duration::from_secs(10)));
    assert!(idle.is_closed().await, "idle connections are closed at once");
    while TcpStream::connect(addr).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    go.notify_waiters();

    let answer = client.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (200, vec!["close"]));
    let counters = shutdown.await.expect("drained");
    assert_eq!((counters.answers[1], counters.in_flight, counters.connections), (1, 0, 0));
}

#[tokio::test]
async fn a_drain_cuts_what_is_left_at_its_deadline() {
    let (upstream, _go, waiting) = patient_target().await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    eventually("the target has the request", || waiting.load(Ordering::SeqCst) == 1).await;

    let began = std::time::Instant::now();
    stage.gateway.shutdown(Duration::from_millis(100)).await;

    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_request_at_the_target() {
    let (gone, waiting) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let (notify, count) = (Arc::clone(&gone), Arc::clone(&waiting));
    let upstream = Upstream::handling(move |mut stream, _| {
        let (notify, count) = (Arc::clone(&notify), Arc::clone(&count));
        async move {
            read_head(&mut stream, &mut Vec::new()).await;
            count.fetch_add(1, Ordering::SeqCst);
            let mut byte = [0];
            let _ = stream.read(&mut byte).await;
            notify.notify_one();
        }
    })
    .await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    eventually("the target has the request", || waiting.load(Ordering::SeqCst) == 1).await;

    drop(client);

    tokio::time::timeout(Duration::from_secs(5), gone.notified()).await.expect("the target saw the end");
    eventually("counted as aborted", || stage.gateway.counters().aborted == 1).await;
    assert_eq!(stage.gateway.counters().in_flight, 0);
}

#[tokio::test]
async fn requests_beyond_the_limit_are_shed_with_retry_after() {
    let (upstream, go, waiting) = patient_target().await;
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| {
        config.threads = std::num::NonZeroUsize::new(1);
        config.limits.requests_in_flight = 1;
    });
    let mut first = stage.client().await;
    first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    eventually("the target has the request", || waiting.load(Ordering::SeqCst) == 1).await;

    let second = stage.get("/").await;
    go.notify_waiters();

    assert_eq!((second.status, second.header("retry-after")), (503, vec!["1"]));
    assert_eq!(first.answer().await.status, 200);
    assert_eq!(stage.gateway.counters().shed, 1);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_answered_503() {
    let upstream = Upstream::ok().await;
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| config.limits.connections = 1);
    let mut first = stage.client().await;
    first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(first.answer().await.status, 200);

    let mut second = stage.client().await;
    let answer = second.answer().await;

    assert_eq!(
        (answer.status, answer.header("retry-after"), answer.header("connection")),
        (503, vec!["1"], vec!["close"])
    );
    drop((first, second));
    eventually("room again", || stage.gateway.counters().connections == 0).await;
    assert_eq!(stage.get("/").await.status, 200);
}

#[tokio::test]
async fn the_counters_tell_what_happened() {
    let upstream = Upstream::ok().await;
    let stage = Stage::serving([Proxy::new("p", "/api", upstream.addr)]);
    for path in ["/api", "/api", "/nowhere"] {
        stage.get(path).await;
    }
    // A client may have read the last byte before the thread that wrote it has counted it.
    eventually("everything is over and counted", || {
        let counters = stage.gateway.counters();
        counters.in_flight == 0 && counters.sent_bytes > 300
    })
    .await;
    let counters = stage.gateway.counters();
    assert_eq!(counters.requests, 3);
    assert_eq!(counters.answers, [0, 2, 0, 1, 0]);
    assert!(counters.received_bytes > 100, "{counters:?}");
    assert_eq!(counters.upstream_connects + counters.upstream_reuses, 2);
}

#[derive(Debug, Default)]
struct Lines(Mutex<Vec<String>>);

impl AccessLog for Lines {
    fn record(&self, record: &AccessRecord<'_>) {
        let status = record.status.map_or(0, |status| status.as_u16());
        let line =
            format!("{} {} {} {status} {}", record.method, record.path, record.proxy, record.body_bytes);
        self.0.lock().expect("not poisoned").push(line);
    }
}

#[tokio::test]
async fn the_access_log_is_told_about_each_request_and_no_query() {
    let upstream = Upstream::ok().await;
    let log = Arc::new(Lines::default());
    let lines = Arc::clone(&log);
    let stage =
        Stage::with([Proxy::new("p", "/api", upstream.addr)], |config| config.access_log = Some(lines));
    stage.get("/api/x?secret=1").await;
    stage.get("/nowhere").await;
    eventually("logged", || log.0.lock().expect("not poisoned").len() == 2).await;
    let lines = log.0.lock().expect("not poisoned").clone();
    assert_eq!(lines[0], "GET /api/x p 200 2");
    assert!(lines[1].starts_with("GET /nowhere  404 "), "{}", lines[1]);
}
