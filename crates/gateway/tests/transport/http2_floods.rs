//! Clients that make work for nothing (hostile-input §4.2 line 7): they are sent away, the others are served.

use std::time::Duration;

use crate::http2_clients::{big, silent};
use crate::http2_frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE,
    frame, request_block,
};
use crate::stage::{Proxy, Stage, Upstream, eventually};

/// More than anybody needs, and than waits in the system's buffers: a server that takes all of it has no bound.
const FRAMES: u32 = 5_000_000;

/// Beyond any test.
const LONG: Duration = Duration::from_secs(3600);

/// Sends `flood` until the server hangs up, reading what it says. Gives the frames that went out.
async fn flood(stage: &Stage, begin: Vec<u8>, mut make: impl FnMut(u32) -> Vec<u8> + Send + 'static) -> u32 {
    let mut frames = Frames::connect(stage.addr()).await;
    frames.send(&begin).await;
    let (mut read, mut write) = frames.stream.into_split();
    let reading = tokio::spawn(async move {
        let mut sink = [0; 4096];
        while matches!(tokio::io::AsyncReadExt::read(&mut read, &mut sink).await, Ok(1..)) {}
    });
    let mut sent = 0;
    while sent < FRAMES && !reading.is_finished() {
        let batch: Vec<u8> = (sent..sent + 100).flat_map(&mut make).collect();
        if tokio::io::AsyncWriteExt::write_all(&mut write, &batch).await.is_err() {
            break;
        }
        sent += 100;
        tokio::task::yield_now().await;
    }
    tokio::time::timeout(Duration::from_secs(60), reading)
        .await
        .expect("the server hangs up")
        .expect("reads");
    sent
}

/// Floods, then looks whether the flood ended early and the others are as before.
async fn is_sent_away(begin: Vec<u8>, make: impl FnMut(u32) -> Vec<u8> + Send + 'static) {
    let upstream = Upstream::ok().await;
    // No time-out ends the flood, and none its neighbour.
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| {
        (config.limits.header_timeout, config.limits.idle_timeout) = (LONG, LONG);
    });
    let mut neighbour = crate::http2_clients::connect(stage.addr()).await;

    let sent = flood(&stage, begin, make).await;

    assert!(sent < FRAMES, "all {sent} frames were taken");
    let answer = crate::http2_clients::ask(&mut neighbour, crate::http2_clients::get("/")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(stage.get("/").await.status, 200);
    eventually("nothing is in flight", || stage.gateway.counters().in_flight == 0).await;
}

fn get() -> Vec<u8> {
    request_block(&[(":method", "GET"), (":path", "/")])
}

fn post() -> Vec<u8> {
    frame(HEADERS, END_HEADERS, 1, &request_block(&[(":method", "POST"), (":path", "/")]))
}

#[tokio::test]
async fn requests_that_are_taken_back_at_once_end_the_connection() {
    // CVE-2023-44487, rapid reset.
    is_sent_away(Vec::new(), |number| {
        let stream = number * 2 + 1;
        let cancel = frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
        [frame(HEADERS, END_HEADERS | END_STREAM, stream, &get()), cancel].concat()
    })
    .await;
}

#[tokio::test]
async fn requests_that_make_the_server_reset_them_end_the_connection() {
    // CVE-2025-8671, made you reset: a window that overflows is the stream's fault, so the server resets it.
    is_sent_away(Vec::new(), |number| {
        let stream = number * 2 + 1;
        let overflow = frame(WINDOW_UPDATE, 0, stream, &0x7fff_ffff_u32.to_be_bytes());
        [frame(HEADERS, END_HEADERS | END_STREAM, stream, &get()), overflow].concat()
    })
    .await;
}

#[tokio::test]
async fn a_head_that_never_ends_ends_the_connection() {
    // CVE-2024-27316, CONTINUATION without an end.
    let begin = frame(HEADERS, END_STREAM, 1, &get());
    is_sent_away(begin, |number| {
        let field = crate::http2_frames::block(&[(&format!("x-{number}"), "1")]);
        frame(CONTINUATION, 0, 1, &field)
    })
    .await;
}

#[tokio::test]
async fn pings_without_end_end_the_connection() {
    // CVE-2019-9512.
    is_sent_away(Vec::new(), |_| frame(PING, 0, 0, &[7; 8])).await;
}

#[tokio::test]
async fn settings_without_end_end_the_connection() {
    // CVE-2019-9515.
    is_sent_away(Vec::new(), |_| frame(SETTINGS, 0, 0, &[])).await;
}

#[tokio::test]
async fn empty_data_without_end_ends_the_connection() {
    // CVE-2019-9518.
    is_sent_away(post(), |_| frame(DATA, 0, 1, &[])).await;
}

#[tokio::test]
async fn window_updates_and_priorities_without_end_end_the_connection() {
    // CVE-2019-9511 and 9513.
    is_sent_away(Vec::new(), |_| frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes())).await;
    is_sent_away(Vec::new(), |number| frame(2, 0, number * 2 + 1, &[0, 0, 0, 0, 16])).await;
}

#[tokio::test]
async fn names_without_letters_are_refused() {
    // CVE-2019-9516: headers of no length.
    is_sent_away(Vec::new(), |number| {
        let mut block = get();
        block.extend([0, 0, 0].repeat(40));
        frame(HEADERS, END_HEADERS | END_STREAM, number * 2 + 1, &block)
    })
    .await;
}

#[tokio::test]
async fn a_head_that_grows_when_it_is_unpacked_is_refused() {
    // One long field that the table remembers, named again by one byte each (RFC 7541 §6.1).
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    let mut frames = Frames::connect(stage.addr()).await;
    let mut block = get();
    let value = "a".repeat(100);
    block.extend([&[0x40, 5][..], b"x-big", &[100], value.as_bytes()].concat());
    block.extend([0x80 | 62].repeat(12_000));
    frames.headers(1, &block, true).await;

    while let Some(frame) = frames.next().await {
        if frame.stream == 1 && (frame.kind == RST_STREAM || frame.ends_stream()) {
            break;
        }
    }

    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
    assert_eq!(stage.get("/").await.status, 200);
}

#[tokio::test]
async fn more_streams_than_allowed_are_refused() {
    let silent = silent().await;
    let stage = Stage::towards(&silent);
    let mut frames = Frames::connect(stage.addr()).await;
    for number in 0..110_u32 {
        frames.headers(number * 2 + 1, &get(), true).await;
    }
    let mut refused = 0;
    while refused < 10 {
        let frame = frames.next().await.expect("the server is there");
        if frame.kind == RST_STREAM {
            assert_eq!(frame.payload, 7_u32.to_be_bytes(), "REFUSED_STREAM");
            refused += 1;
        }
    }
    eventually("a hundred are in flight", || stage.gateway.counters().in_flight == 100).await;
}

#[tokio::test]
async fn answers_that_nobody_takes_hold_little() {
    // CVE-2019-9517 and the window stall: many answers asked for, no window for any of them.
    let upstream = big(2_000_000).await;
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| {
        config.limits.client_timeout = Duration::from_millis(300);
    });
    let mut frames = Frames::connect(stage.addr()).await;
    let no_window = [0, 4, 0, 0, 0, 0];
    frames.send(&frame(SETTINGS, 0, 0, &no_window)).await;
    for number in 0..50_u32 {
        frames.headers(number * 2 + 1, &get(), true).await;
    }
    let mut cut = 0;
    while cut < 50 {
        let frame = frames.next().await.expect("the server is there");
        assert!(frame.kind != DATA || frame.payload.is_empty(), "{frame:?}");
        cut += u32::from(frame.kind == RST_STREAM);
    }
    eventually("nothing is in flight", || stage.gateway.counters().in_flight == 0).await;
    assert!(stage.gateway.counters().sent_bytes < 100_000, "{:?}", stage.gateway.counters());
}

#[tokio::test]
async fn half_a_preface_does_not_stay() {
    let upstream = Upstream::ok().await;
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| {
        config.limits.header_timeout = Duration::from_millis(100);
    });
    for said in ["PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"] {
        let mut client = crate::stage::Client::connect(stage.addr()).await;
        client.send(said).await;
        let ended = tokio::time::timeout(Duration::from_secs(60), async {
            let mut sink = Vec::new();
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut client.stream, &mut sink).await;
        });
        assert!(ended.await.is_ok(), "{said:?} keeps its connection");
    }
    let stage = Stage::towards(&upstream);
    let late = "GET / HTTP/1.1\r\nHost: a\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut client = crate::stage::Client::connect(stage.addr()).await;
    client.send(late).await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(client.answer().await.status, 400, "in the middle of a connection it is bad input");
}
