//! What hyper hides is refused, and no target ever sees it (hostile-input §4.2, §4.4).

use std::time::Duration;

use crate::stage::{Client, Proxy, Stage, Upstream};

/// Sends `request`, expects `status` and a close, and that no target saw anything.
async fn refused(name: &str, request: impl AsRef<[u8]>, status: u16) {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;

    client.send(request).await;

    let answer = client.answer().await;
    assert_eq!(answer.status, status, "{name}: {}", answer.text());
    assert!(!answer.error_code().is_empty(), "{name}: a fault, not {:?}", answer.text());
    assert_eq!(answer.header("connection"), ["close"], "{name}");
    assert!(client.is_closed().await, "{name}: closed");
    assert_eq!(upstream.seen().len(), 0, "{name}: nothing was forwarded");
    assert_eq!(upstream.connection_count(), 0, "{name}: nobody was called");
    assert_eq!(stage.gateway.counters().refused, 1, "{name}: counted");
}

macro_rules! refused {
    ($($name:ident: $request:expr => $status:expr;)+) => {
        $(#[tokio::test]
        async fn $name() {
            refused(stringify!($name), $request, $status).await;
        })+
    };
}

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

refused! {
    cl_then_te_is_refused:
        format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}") => 400;
    te_then_cl_is_refused:
        format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n{SMUGGLED}") => 400;
    te_on_http_10_is_refused:
        "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" => 400;
    two_different_cl_are_refused:
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab" => 400;
    two_equal_cl_are_refused:
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na" => 400;
    cl_with_a_plus_is_refused: "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n" => 400;
    cl_with_a_space_inside_is_refused: "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1 0\r\n\r\n" => 400;
    cl_in_hex_is_refused: "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\na" => 400;
    chunked_with_a_tab_is_refused:
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n" => 400;
    chunked_in_a_list_is_refused:
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" => 400;
    xchunked_is_not_implemented:
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" => 501;
    bare_lf_line_ends_are_refused: "GET / HTTP/1.1\nHost: x\n\n" => 400;
    one_bare_lf_among_headers_is_refused: "GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n" => 400;
    a_bare_lf_before_the_blank_line_is_refused: "GET / HTTP/1.1\r\nHost: x\r\n\n" => 400;
    a_space_before_the_colon_is_refused: "GET / HTTP/1.1\r\nHost : x\r\n\r\n" => 400;
    obs_fold_is_refused: "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n" => 400;
    two_hosts_are_refused: "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" => 400;
    no_host_on_11_is_refused: "GET / HTTP/1.1\r\n\r\n" => 400;
    a_host_with_a_path_is_refused: "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n" => 400;
    a_chunk_line_ended_by_lf_is_refused:
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n" => 400;
    a_chunk_size_that_overflows_is_refused:
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n" => 400;
    a_chunk_longer_than_it_says_is_refused:
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n" => 400;
    a_nul_in_a_header_is_refused: "GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n" => 400;
    a_control_character_in_a_header_is_refused: "GET / HTTP/1.1\r\nHost: x\r\nX: a\x01b\r\n\r\n" => 400;
    a_bare_cr_in_a_header_is_refused: "GET / HTTP/1.1\r\nHost: x\r\nX: a\rY: b\r\n\r\n" => 400;
    a_nul_in_the_path_is_refused: "GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n" => 400;
    a_raw_byte_in_the_path_is_refused: b"GET /\xc0\xae\xc0\xae/ HTTP/1.1\r\nHost: x\r\n\r\n" => 400;
    a_fragment_in_the_path_is_refused: "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n" => 400;
    a_path_of_10_kb_is_too_long: format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(10_000)) => 414;
    headers_beyond_18_kb_are_too_big:
        format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(19_000)) => 431;
    a_hundred_and_one_headers_are_too_many:
        format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(100)) => 431;
    a_chunk_extension_with_a_control_character_is_refused:
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\0\r\nhello\r\n0\r\n\r\n" => 400;
    an_endless_chunk_extension_is_refused:
        format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(300)) => 400;
    a_trailer_that_is_no_header_is_refused:
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX : y\r\n\r\n" => 400;
    two_transfer_encodings_are_refused:
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" => 400;
    connect_is_not_implemented: "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n" => 501;
    a_preface_that_is_nearly_that_of_http_2_is_refused: "PRI / HTTP/2.0\r\n\r\nSM\r\n\r\n" => 400;
    a_tls_hello_is_refused: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n" => 400;
}

#[tokio::test]
async fn requests_before_a_refused_one_are_answered_first() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;

    client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\nHost: x\n\n").await;

    assert_eq!(client.answer().await.status, 200);
    assert_eq!(client.answer().await.status, 200);
    let last = client.answer().await;
    assert_eq!((last.status, last.header("connection")), (400, vec!["close"]));
    assert!(client.is_closed().await);
    let paths: Vec<_> = upstream.seen().iter().map(|seen| seen.request_line().to_owned()).collect();
    assert_eq!(paths, ["GET /1 HTTP/1.1", "GET /2 HTTP/1.1"]);
}

#[tokio::test]
async fn a_head_in_single_bytes_is_judged_like_one_in_a_piece() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        ("GET / HTTP/1.1\r\nHost: x\n\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
    ] {
        let mut client = stage.client().await;
        client.stream.set_nodelay(true).expect("sets");
        for byte in request.bytes() {
            client.send([byte]).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(client.answer().await.status, status, "{request:?}");
    }
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_body_that_breaks_its_framing_later_never_ends_well_for_the_target() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;

    client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.send("5\nworld\r\n0\r\n\r\n").await;

    let answer = client.answer().await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(client.is_closed().await);
    assert!(upstream.seen().is_empty(), "the target never saw the end of the body");
}

#[tokio::test]
async fn an_unknown_upgrade_is_ignored_and_what_follows_is_the_next_request() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;

    client
        .send("GET /1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;

    assert_eq!(client.answer().await.status, 200);
    assert_eq!(client.answer().await.status, 200);
    let seen = upstream.seen();
    assert_eq!(seen.len(), 2);
    assert!(
        seen[0].header("upgrade").is_empty() && seen[0].header("connection").is_empty(),
        "{}",
        seen[0].head
    );
}

#[tokio::test]
async fn paths_that_servers_read_differently_are_refused() {
    let upstream = Upstream::ok().await;
    let stage = Stage::serving([Proxy::new("p", "/api", upstream.addr)]);
    for path in [
        "/api/../x",
        "/api/%2e%2e/x",
        "/api/.%2E/x",
        "/api/..",
        "/api/a%00b",
        "/api/a%5cb",
        "/api/%zz",
        "/api/%",
        "/api/a\\b",
    ] {
        let answer = stage.get(path).await;
        assert_eq!((answer.status, answer.error_code().as_str()), (400, "protocol.http.BadPath"), "{path}");
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_path_has_one_reading_for_routing_conditions_and_the_target() {
    use pierhead_gateway::design::{EndpointFlows, Flow, Step};
    let upstream = Upstream::ok().await;
    let steps = vec![Step { policy: "AM".into(), ..Step::default() }];
    let flows = EndpointFlows { pre: Flow { request: steps, ..Flow::default() }, ..EndpointFlows::default() };
    let xml = r#"<AssignMessage name="AM"><Set><Headers><Header name="x-seen">{proxy.pathsuffix}</Header></Headers></Set></AssignMessage>"#;
    let proxy = Proxy::new("p", "/api", upstream.addr).policy("AM", "AssignMessage", xml, flows);
    let stage = Stage::serving([proxy]);
    for (sent, condition, forwarded) in [
        ("/api/%61dmin", "/admin", "/admin"),
        ("/%61pi/admin", "/admin", "/admin"),
        ("/api/a%2fb", "/a%2Fb", "/a%2Fb"),
        ("/api/a;x=1/b", "/a;x=1/b", "/a;x=1/b"),
        ("/api/a%3bb", "/a%3Bb", "/a%3Bb"),
        ("/api//a", "//a", "//a"),
    ] {
        let before = upstream.seen().len();
        assert_eq!(stage.get(sent).await.status, 200, "{sent}");
        let seen = &upstream.seen()[before];
        assert_eq!(seen.request_line(), format!("GET {forwarded} HTTP/1.1"), "{sent}");
        let read = seen.header("x-seen").concat();
        assert_eq!(read, condition, "{sent}");
    }
    for unread in ["//api/a", "/api%2fa", "/api;/a"] {
        assert_eq!(stage.get(unread).await.status, 404, "{unread}: another base path");
    }
    for refused in ["/api/%c0%ae%c0%ae/a", "/api/%e0%80%ae/a", "/api/..;/a%5c"] {
        assert_eq!(stage.get(refused).await.status, 400, "{refused}");
    }
}

#[tokio::test]
async fn an_absolute_target_and_another_host_are_refused() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    let same = stage.exchange("GET http://x/a HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let other = stage.exchange("GET http://y/a HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((same.status, other.status), (200, 400));
    assert_eq!(upstream.seen()[0].request_line(), "GET /a HTTP/1.1");
}

#[tokio::test]
async fn a_head_that_does_not_come_in_time_is_answered_408() {
    let upstream = Upstream::ok().await;
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| {
        config.limits.header_timeout = Duration::from_millis(200);
    });
    let mut client = stage.client().await;

    client.send("GET / HTTP/1.1\r\nHost: x\r\nX-Slow:").await;

    let answer = client.answer().await;
    assert_eq!(
        (answer.status, answer.error_code().as_str()),
        (408, "messaging.adaptors.http.flow.RequestTimeOut")
    );
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn idle_connections_are_closed_without_a_word() {
    let upstream = Upstream::ok().await;
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| {
        config.limits.header_timeout = Duration::from_millis(150);
        config.limits.idle_timeout = Duration::from_millis(150);
    });
    let mut never_spoke = stage.client().await;
    let mut served = stage.client().await;
    served.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(served.answer().await.status, 200);

    assert!(never_spoke.is_closed().await);
    assert!(served.is_closed().await);
}

#[tokio::test]
async fn a_post_without_a_length_is_answered_411() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    let answer = stage.exchange("POST / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(
        (answer.status, answer.error_code().as_str()),
        (411, "messaging.adaptors.http.flow.LengthRequired")
    );
    let empty = stage.exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(empty.status, 200);
}

#[tokio::test]
async fn garbage_of_every_kind_leaves_the_gateway_serving() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    for seed in 0..64_u64 {
        let mut client = Client::connect(stage.addr()).await;
        let mut bytes = crate::stage::pattern(200 + seed as usize * 7);
        bytes.rotate_left(seed as usize * 3);
        client.send(bytes).await;
        drop(client);
    }
    assert_eq!(stage.get("/").await.status, 200);
}
