//! HTTP/2 from clients: the same requests, the same answers, the same rules.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Reason, RecvStream};
use http::{HeaderMap, Method, Request, Response};
use tokio::net::TcpStream;

use crate::http2_frames::{Frames, HEADERS, RST_STREAM, request_block, told};
use crate::stage::{Proxy, Stage, Upstream, eventually, pattern};

/// A target that answers with what it was sent.
pub(crate) async fn echo() -> Upstream {
    Upstream::answering(|seen| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", seen.body.len());
        [head.as_bytes(), &seen.body].concat()
    })
    .await
}

/// A target that takes a request and says nothing.
pub(crate) async fn silent() -> Upstream {
    Upstream::handling(|stream, _| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await
}

/// A target that answers with so many bytes.
pub(crate) async fn big(length: usize) -> Upstream {
    Upstream::answering(move |_| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        [head.as_bytes(), &pattern(length)].concat()
    })
    .await
}

/// A client that speaks HTTP/2 at once.
pub(crate) async fn connect(addr: SocketAddr) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(addr).await.expect("connects");
    let (send, connection) = h2::client::handshake(stream).await.expect("speaks HTTP/2");
    tokio::spawn(connection);
    send.ready().await.expect("ready")
}

pub(crate) fn get(path: &str) -> Request<()> {
    let request = Request::builder().uri(format!("http://api.test{path}"));
    request.body(()).expect("a request")
}

/// What came back of one request.
pub(crate) struct Told {
    pub(crate) head: Response<()>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Told {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.head.headers().get(name).map_or("", |value| value.to_str().expect("text"))
    }

    pub(crate) fn status(&self) -> u16 {
        self.head.status().as_u16()
    }
}

pub(crate) async fn read(response: h2::client::ResponseFuture) -> Result<Told, h2::Error> {
    let (parts, mut body) = response.await?.into_parts();
    let mut all = Vec::new();
    while let Some(part) = next(&mut body).await {
        let part = part?;
        let _ = body.flow_control().release_capacity(part.len());
        all.extend_from_slice(&part);
    }
    let trailers = poll_fn(|cx| body.poll_trailers(cx)).await?;
    Ok(Told { head: Response::from_parts(parts, ()), body: all, trailers })
}

async fn next(body: &mut RecvStream) -> Option<Result<Bytes, h2::Error>> {
    poll_fn(|cx| body.poll_data(cx)).await
}

/// One request without a body.
pub(crate) async fn ask(client: &mut SendRequest<Bytes>, request: Request<()>) -> Told {
    poll_fn(|cx| client.poll_ready(cx)).await.expect("ready");
    let (response, _) = client.send_request(request, true).expect("sent");
    read(response).await.expect("an answer")
}

/// Sends all of `body`, as the window allows.
pub(crate) async fn upload(mut stream: h2::SendStream<Bytes>, mut body: Bytes) {
    while !body.is_empty() {
        stream.reserve_capacity(body.len());
        match poll_fn(|cx| stream.poll_capacity(cx)).await {
            Some(Ok(0)) => {}
            Some(Ok(count)) => {
                let part = body.split_to(count.min(body.len()));
                if stream.send_data(part, body.is_empty()).is_err() {
                    return;
                }
            }
            _ => return,
        }
    }
}

#[tokio::test]
async fn a_request_over_http2_takes_the_path_of_all_requests() {
    let upstream = Upstream::ok().await;
    let stage = Stage::serving([Proxy::new("p", "/", upstream.addr).property("X-Forwarded-For", "true")]);
    let mut client = connect(stage.addr()).await;
    let mut request = get("/a/b?c=d");
    request.headers_mut().insert("x-own", "1".parse().expect("value"));
    request.headers_mut().insert("te", "trailers".parse().expect("value"));

    let answer = ask(&mut client, request).await;

    assert_eq!((answer.status(), answer.header("content-length")), (200, "2"));
    assert_eq!(answer.body, b"ok");
    assert!(!answer.header("date").is_empty() && !answer.header("x-request-id").is_empty());
    let seen = &upstream.seen()[0];
    assert_eq!(seen.request_line(), "GET /a/b?c=d HTTP/1.1");
    assert_eq!(seen.header("x-own"), ["1"]);
    assert_eq!(seen.header("x-forwarded-host"), ["api.test"]);
    assert_eq!((seen.header("te"), seen.header("connection")), (vec!["trailers"], vec!["te"]));
}

#[tokio::test]
async fn bodies_of_any_length_go_both_ways_and_streams_do_not_wait_for_each_other() {
    let upstream = echo().await;
    let stage = Stage::towards(&upstream);
    let client = connect(stage.addr()).await;
    let tasks: Vec<_> = [0, 1, 70_000, 2_000_000, 300_000]
        .into_iter()
        .map(|length| {
            let mut client = client.clone();
            tokio::spawn(async move {
                poll_fn(|cx| client.poll_ready(cx)).await.expect("ready");
                let body = Bytes::from(pattern(length));
                let mut request = get("/echo");
                *request.method_mut() = Method::POST;
                let (response, stream) = client.send_request(request, length == 0).expect("sent");
                let (answer, ()) = tokio::join!(read(response), upload(stream, body.clone()));
                let answer = answer.expect("an answer");
                assert_eq!(answer.status(), 200);
                assert!(answer.body == body, "{} of {length} bytes", answer.body.len());
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("as it should");
    }
}

#[tokio::test]
async fn head_and_empty_answers_have_no_body() {
    let upstream = Upstream::answering(|_| b"HTTP/1.1 204 No Content\r\nX-Kept: 1\r\n\r\n".to_vec()).await;
    let stage = Stage::towards(&upstream);
    let mut client = connect(stage.addr()).await;
    let mut request = get("/");
    *request.method_mut() = Method::HEAD;

    let head = ask(&mut client, request).await;
    let empty = ask(&mut client, get("/")).await;

    assert_eq!((head.status(), head.body.len()), (204, 0));
    assert_eq!((empty.status(), empty.header("x-kept"), empty.header("content-length")), (204, "1", ""));
}

#[tokio::test]
async fn a_client_that_waits_to_be_told_is_told_to_go_on() {
    let upstream = echo().await;
    let stage = Stage::towards(&upstream);
    let mut frames = Frames::connect(stage.addr()).await;
    let block = request_block(&[(":method", "POST"), (":path", "/"), ("expect", "100-continue")]);
    frames.headers(1, &block, false).await;

    let head = frames.next_of(1).await;
    assert_eq!((head.kind, head.ends_stream()), (HEADERS, false), "an interim head: {head:?}");
    frames.data(1, b"body", true).await;
    let head = frames.next_of(1).await;
    assert_eq!((head.kind, head.ends_stream()), (HEADERS, false), "the answer's head: {head:?}");
    assert_eq!(frames.body_of(1).await, b"body");
}

#[tokio::test]
async fn malformed_requests_end_their_stream_and_no_other() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    let base = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "api.test")];
    let with = |more: &[(&'static str, &'static str)]| [&base[..], more].concat();
    for (rule, fields) in [
        ("names in capitals", with(&[("X-Big", "1")])),
        ("a connection header", with(&[("connection", "close")])),
        ("a transfer coding", with(&[("transfer-encoding", "chunked")])),
        ("an upgrade", with(&[("upgrade", "websocket")])),
        ("te other than trailers", with(&[("te", "gzip")])),
        ("a path twice", with(&[(":path", "/b")])),
        ("a pseudo header behind others", [&[("x-a", "1")][..], &base].concat()),
        ("a blank in a name", with(&[("x y", "1")])),
        ("a colon in a name", with(&[("x:y", "1")])),
        ("a line end in a value", with(&[("x-a", "1\r\nx-b: 2")])),
        (
            "a line end in a path",
            [(":method", "GET"), (":scheme", "http"), (":path", "/a\r\nb"), (":authority", "a")].to_vec(),
        ),
        ("no scheme", base.iter().copied().filter(|(name, _)| *name != ":scheme").collect()),
        ("no path", base.iter().copied().filter(|(name, _)| *name != ":path").collect()),
        ("no method", base.iter().copied().filter(|(name, _)| *name != ":method").collect()),
    ] {
        let mut frames = Frames::connect(stage.addr()).await;
        frames.headers(1, &crate::http2_frames::block(&fields), true).await;
        let mut reset_or_closed = false;
        while let Some(frame) = frames.next().await {
            if frame.stream == 1 || frame.kind == crate::http2_frames::GOAWAY {
                assert!(matches!(frame.kind, RST_STREAM | crate::http2_frames::GOAWAY), "{rule}: {frame:?}");
                reset_or_closed = true;
                break;
            }
        }
        assert!(reset_or_closed, "{rule}");
    }
    assert!(upstream.seen().is_empty(), "nothing of it is forwarded: {:?}", upstream.seen());
    assert_eq!(stage.get("/").await.status, 200);
}

#[tokio::test]
async fn a_length_that_the_frames_contradict_ends_the_stream() {
    let upstream = echo().await;
    let stage = Stage::towards(&upstream);
    for (said, sent) in [("3", &b"four"[..]), ("5", b"four")] {
        let mut frames = Frames::connect(stage.addr()).await;
        let block = request_block(&[(":method", "POST"), (":path", "/"), ("content-length", said)]);
        frames.headers(1, &block, false).await;
        frames.data(1, sent, true).await;
        loop {
            let frame = frames.next_of(1).await;
            if frame.kind == RST_STREAM {
                break;
            }
            assert!(!frame.ends_stream(), "{said}: {frame:?}");
        }
    }
    for seen in upstream.seen() {
        assert_ne!(seen.body, b"four", "no whole request reaches a target");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_as_in_http1() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    let mut client = connect(stage.addr()).await;
    let built = |change: &dyn Fn(&mut Request<()>)| {
        let mut request = get("/");
        change(&mut request);
        request
    };
    let header = |name: &'static str, value: &'static str| {
        move |request: &mut Request<()>| {
            request.headers_mut().append(name, value.parse().expect("a value"));
        }
    };
    let many = |request: &mut Request<()>| {
        for number in 0..101 {
            let name = http::HeaderName::try_from(format!("x-{number}")).expect("a name");
            request.headers_mut().insert(name, http::HeaderValue::from_static("1"));
        }
    };
    let long = |request: &mut Request<()>| {
        *request.uri_mut() = format!("http://api.test/{}", "a".repeat(8 * 1024)).parse().expect("a URI");
    };
    let cases: [(&str, u16, Request<()>); 7] = [
        ("two hosts", 400, built(&header("host", "other.test"))),
        ("an expectation", 400, built(&header("expect", "coffee"))),
        ("too many headers", 431, built(&many)),
        ("a long path", 414, built(&long)),
        (
            "an escape that is none",
            400,
            built(&|request| *request.uri_mut() = "http://api.test/%zz".parse().expect("a URI")),
        ),
        (
            "a user in the authority",
            400,
            built(&|request| *request.uri_mut() = "http://a@api.test/".parse().expect("a URI")),
        ),
        ("the host twice is no mistake", 200, built(&header("host", "api.test"))),
    ];
    for (rule, status, request) in cases {
        let answer = ask(&mut client, request).await;
        assert_eq!(answer.status(), status, "{rule}: {}", String::from_utf8_lossy(&answer.body));
    }
    let mut frames = Frames::connect(stage.addr()).await;
    frames.headers(1, &request_block(&[(":method", "CONNECT"), (":authority", "a:1")]), true).await;
    let _ = told(&mut frames).await;
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_exchange() {
    let silent = silent().await;
    let stage = Stage::towards(&silent);
    let mut client = connect(stage.addr()).await;
    poll_fn(|cx| client.poll_ready(cx)).await.expect("ready");
    let (response, mut stream) = client.send_request(get("/"), false).expect("sent");
    eventually("the request is in flight", || stage.gateway.counters().in_flight == 1).await;

    stream.send_reset(Reason::CANCEL);

    drop(response);
    eventually("nothing is in flight", || stage.gateway.counters().in_flight == 0).await;
    assert_eq!(stage.gateway.counters().aborted, 1);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off_and_the_answer_is_not_held_for_it() {
    let upstream = big(4_000_000).await;
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| {
        config.limits.client_timeout = Duration::from_millis(300);
    });
    let mut frames = Frames::connect(stage.addr()).await;
    frames.headers(1, &request_block(&[(":method", "GET"), (":path", "/")]), true).await;

    let mut taken = 0;
    loop {
        let frame = frames.next_of(1).await;
        if frame.kind == RST_STREAM {
            break;
        }
        taken += frame.payload.len();
    }
    assert!(taken < 70_000, "the window is kept: {taken}");
    eventually("nothing is in flight", || stage.gateway.counters().in_flight == 0).await;
}

#[tokio::test]
async fn a_drain_ends_with_goaway_after_the_last_answer() {
    let (send, held) = tokio::sync::watch::channel(false);
    let upstream = Upstream::handling(move |mut stream, _| {
        let mut held = held.clone();
        async move {
            let mut buffer = Vec::new();
            let _ = crate::stage::read_head(&mut stream, &mut buffer).await;
            let _ = held.wait_for(|go| *go).await;
            use tokio::io::AsyncWriteExt;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate").await;
            std::future::pending::<()>().await;
        }
    })
    .await;
    let stage = Stage::towards(&upstream);
    let mut frames = Frames::connect(stage.addr()).await;
    frames.headers(1, &request_block(&[(":method", "GET"), (":path", "/")]), true).await;
    eventually("the request is in flight", || stage.gateway.counters().in_flight == 1).await;

    let gateway = stage.gateway;
    let stopping = tokio::spawn(gateway.shutdown(Duration::from_secs(60)));
    frames.until(crate::http2_frames::GOAWAY).await;
    send.send_replace(true);

    assert!(frames.body_of(1).await.ends_with(b"late"));
    while frames.next().await.is_some() {}
    let counters = stopping.await.expect("stops");
    assert_eq!((counters.in_flight, counters.answers[1]), (0, 1));
}

#[tokio::test]
async fn an_idle_connection_is_told_to_go() {
    let upstream = Upstream::ok().await;
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| {
        // Long enough for a client that is slow to say its first words.
        config.limits.header_timeout = Duration::from_secs(3);
        config.limits.idle_timeout = Duration::from_millis(100);
    });
    let mut never_asked = Frames::connect(stage.addr()).await;
    let mut asked = Frames::connect(stage.addr()).await;
    asked.headers(1, &request_block(&[(":method", "GET"), (":path", "/")]), true).await;
    for frames in [&mut never_asked, &mut asked] {
        frames.until(crate::http2_frames::GOAWAY).await;
        while frames.next().await.is_some() {}
    }
}

/// A target that is a gRPC server: it echoes each message and ends with a status.
async fn grpc_server() -> (SocketAddr, std::sync::Arc<std::sync::Mutex<Vec<http::request::Parts>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let addr = listener.local_addr().expect("bound");
    let seen: std::sync::Arc<std::sync::Mutex<Vec<_>>> = std::sync::Arc::default();
    let record = std::sync::Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let record = std::sync::Arc::clone(&record);
            tokio::spawn(async move {
                let Ok(mut connection) = h2::server::handshake(stream).await else { return };
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    let (parts, mut body) = request.into_parts();
                    record.lock().expect("not poisoned").push(parts);
                    tokio::spawn(async move {
                        let head = Response::builder().header("content-type", "application/grpc");
                        let head = head.body(()).expect("a head");
                        let mut stream = respond.send_response(head, false).expect("sent");
                        while let Some(Ok(part)) = next(&mut body).await {
                            let _ = body.flow_control().release_capacity(part.len());
                            let _ = stream.send_data(part, false);
                        }
                        let said = poll_fn(|cx| body.poll_trailers(cx)).await.ok().flatten();
                        let mut trailers = HeaderMap::new();
                        trailers.insert("grpc-status", "0".parse().expect("a value"));
                        if let Some(said) = said.and_then(|said| said.get("x-last").cloned()) {
                            trailers.insert("x-last", said);
                        }
                        let _ = stream.send_trailers(trailers);
                    });
                }
            });
        }
    });
    (addr, seen)
}

fn call() -> Request<()> {
    Request::builder()
        .method(Method::POST)
        .uri("http://api.test/demo.Echo/Stream")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .expect("a request")
}

#[tokio::test]
async fn a_grpc_call_goes_both_ways_at_once_and_ends_with_its_trailers() {
    let (addr, seen) = grpc_server().await;
    let proxy = Proxy::new("p", "/", addr).target_property("supports.http2", "only");
    let stage = Stage::serving([proxy]);
    let mut client = connect(stage.addr()).await;
    let (response, mut up) = client.send_request(call(), false).expect("sent");

    // Each message is answered before the next is sent: nothing waits for the whole.
    up.send_data(Bytes::from_static(b"\0\0\0\0\x03one"), false).expect("sent");
    let (head, mut down) = response.await.expect("a head").into_parts();
    assert_eq!(
        (head.status.as_u16(), head.headers["content-type"].as_bytes()),
        (200, &b"application/grpc"[..])
    );
    assert_eq!(next(&mut down).await.expect("a message").expect("whole").len(), 8);
    up.send_data(Bytes::from_static(b"\0\0\0\0\x03two"), false).expect("sent");
    assert_eq!(&next(&mut down).await.expect("a message").expect("whole")[5..], b"two");
    let mut last = HeaderMap::new();
    last.insert("x-last", "of the client".parse().expect("a value"));
    up.send_trailers(last).expect("sent");

    assert!(next(&mut down).await.is_none());
    let trailers = poll_fn(|cx| down.poll_trailers(cx)).await.expect("an end").expect("trailers");
    assert_eq!(
        (trailers["grpc-status"].as_bytes(), trailers["x-last"].as_bytes()),
        (&b"0"[..], &b"of the client"[..])
    );
    assert_eq!(seen.lock().expect("not poisoned")[0].headers["te"], "trailers");
}

#[tokio::test]
async fn a_unary_call_is_answered_with_message_and_status() {
    let (addr, _) = grpc_server().await;
    let proxy = Proxy::new("p", "/", addr).target_property("supports.http2", "only");
    let stage = Stage::serving([proxy]);
    let mut client = connect(stage.addr()).await;
    let (response, mut up) = client.send_request(call(), false).expect("sent");
    up.send_data(Bytes::from_static(b"\0\0\0\0\x03one"), true).expect("sent");

    let told = read(response).await.expect("an answer");

    assert_eq!(&told.body[5..], b"one");
    assert_eq!(told.trailers.expect("trailers")["grpc-status"], "0");
}

#[tokio::test]
async fn faults_are_told_to_grpc_callers_in_their_own_words() {
    let dead =
        tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds").local_addr().expect("bound");
    let stage = Stage::serving([Proxy::new("p", "/there", dead)]);
    let mut client = connect(stage.addr()).await;
    for (path, status) in [("/there/demo.Echo/Stream", "14"), ("/elsewhere", "12")] {
        let mut request = call();
        *request.uri_mut() = format!("http://api.test{path}").parse().expect("a URI");
        let told = ask(&mut client, request).await;
        assert_eq!((told.status(), told.header("content-type")), (200, "application/grpc"), "{path}");
        assert_eq!((told.header("grpc-status"), told.body.len()), (status, 0), "{path}");
        assert!(!told.header("grpc-message").is_empty(), "{path}");
    }
    let plain = ask(&mut client, get("/there")).await;
    assert_eq!((plain.status(), plain.header("grpc-status")), (503, ""));
}
