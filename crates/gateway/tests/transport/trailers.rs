//! What follows bodies: passed on where it was asked for or announced, in HTTP/1.1, in HTTP/2 and between them.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use tokio::net::TcpListener;

use crate::http2_clients::{ask, connect, get, read};
use crate::stage::{Proxy, Stage, Upstream};

/// A target whose answer has a checksum behind it, and what has no place there.
async fn with_trailers() -> Upstream {
    Upstream::answering(|_| {
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Set-Cookie\r\n\r\n\
          2\r\nok\r\n0\r\nX-Sum: 9\r\nX-Took: 3\r\nSet-Cookie: a=b\r\nContent-Length: 9\r\n\r\n"
            .to_vec()
    })
    .await
}

/// A target that speaks HTTP/2: it answers with the trailers it was sent, and a checksum.
async fn http2_target() -> (std::net::SocketAddr, Arc<Mutex<Vec<HeaderMap>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let addr = listener.local_addr().expect("bound");
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                let Ok(mut connection) = h2::server::handshake(stream).await else { return };
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    let seen = Arc::clone(&seen);
                    tokio::spawn(async move {
                        let (parts, mut body) = request.into_parts();
                        seen.lock().expect("not poisoned").push(parts.headers);
                        while let Some(Ok(part)) = poll_fn(|cx| body.poll_data(cx)).await {
                            let _ = body.flow_control().release_capacity(part.len());
                        }
                        let came = poll_fn(|cx| body.poll_trailers(cx)).await.ok().flatten();
                        let mut trailers = came.unwrap_or_default();
                        trailers.insert("x-sum", "9".parse().expect("a value"));
                        let head =
                            Response::builder().header("trailer", "x-sum").header("content-length", "2");
                        let head = head.body(()).expect("a head");
                        let mut stream = respond.send_response(head, false).expect("sent");
                        stream.send_data(Bytes::from_static(b"ok"), false).expect("sent");
                        stream.send_trailers(trailers).expect("sent");
                    });
                }
            });
        }
    });
    (addr, heads)
}

const ASKING: &str = "GET / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nConnection: TE\r\n\r\n";

#[tokio::test]
async fn trailers_of_a_response_reach_who_asked_for_them() {
    let upstream = with_trailers().await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;

    client.send(ASKING).await;
    let asked = client.answer().await;
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let unasked = client.answer().await;

    assert_eq!((asked.text().as_str(), asked.header("trailer")), ("ok", vec!["x-sum"]));
    assert_eq!(asked.trailers, "x-sum: 9\r\nx-took: 3\r\n", "and no framing, no cookie");
    assert_eq!(upstream.seen()[0].header("te"), ["trailers"]);
    assert_eq!((unasked.text().as_str(), unasked.trailers.as_str()), ("ok", ""));
    assert!(unasked.header("trailer").is_empty() && upstream.seen()[1].header("te").is_empty());
    assert_eq!(upstream.connection_count(), 1, "both connections go on");
}

#[tokio::test]
async fn trailers_of_a_request_reach_the_target_when_they_were_announced() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;

    client
        .send(
            "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Authorization\r\n\r\n\
             2\r\nhi\r\n0\r\nX-Sum: 9\r\nX-Else: 1\r\nAuthorization: Basic y\r\nContent-Length: 7\r\n\r\n",
        )
        .await;
    assert_eq!(client.answer().await.status, 200);
    client
        .send(
            "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 9\r\n\r\n",
        )
        .await;
    assert_eq!(client.answer().await.status, 200);

    let seen = upstream.seen();
    assert_eq!((seen[0].body.as_slice(), seen[0].header("trailer")), (&b"hi"[..], vec!["x-sum"]));
    assert_eq!(seen[0].trailers, "x-sum: 9\r\n");
    assert_eq!((seen[1].body.as_slice(), seen[1].trailers.as_str()), (&b"hi"[..], ""));
    assert!(seen[1].header("trailer").is_empty());
}

#[tokio::test]
async fn trailers_come_however_the_bytes_are_cut() {
    let upstream = Upstream::handling(|mut stream, _| async move {
        let mut buffer = Vec::new();
        let _ = crate::stage::read_request(&mut stream, &mut buffer).await;
        let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 9\r\n\r\n";
        for byte in answer {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &[*byte]).await;
            tokio::task::yield_now().await;
        }
        std::future::pending::<()>().await;
    })
    .await;
    let stage = Stage::towards(&upstream);

    let answer = stage.exchange(ASKING).await;

    assert_eq!((answer.text().as_str(), answer.trailers.as_str()), ("ok", "x-sum: 9\r\n"));
}

#[tokio::test]
async fn trailers_cross_from_http2_to_http1() {
    let upstream = with_trailers().await;
    let stage = Stage::towards(&upstream);
    let mut client = connect(stage.addr()).await;

    let mut asking = get("/");
    asking.headers_mut().insert("te", "trailers".parse().expect("a value"));
    let told = ask(&mut client, asking).await;
    let unasked = ask(&mut client, get("/")).await;
    let request = Request::put("http://api.test/").header("trailer", "x-sum").body(()).expect("a request");
    poll_fn(|cx| client.poll_ready(cx)).await.expect("ready");
    let (response, mut up) = client.send_request(request, false).expect("sent");
    up.send_data(Bytes::from_static(b"hi"), false).expect("sent");
    let mut last = HeaderMap::new();
    last.insert("x-sum", "9".parse().expect("a value"));
    last.insert("x-else", "1".parse().expect("a value"));
    up.send_trailers(last).expect("sent");
    assert_eq!(read(response).await.expect("an answer").status(), 200);

    assert_eq!((told.header("trailer"), told.body.as_slice()), ("x-sum", &b"ok"[..]));
    let trailers = told.trailers.expect("trailers");
    assert_eq!((trailers.len(), trailers["x-sum"].as_bytes()), (2, &b"9"[..]));
    assert!(unasked.trailers.is_none());
    let seen = &upstream.seen()[2];
    assert_eq!((seen.body.as_slice(), seen.trailers.as_str()), (&b"hi"[..], "x-sum: 9\r\n"));
}

#[tokio::test]
async fn trailers_cross_from_http1_to_http2() {
    let (addr, heads) = http2_target().await;
    let stage = Stage::serving([Proxy::new("p", "/", addr).target_property("supports.http2", "only")]);

    let answer = stage
        .exchange(
            "PUT / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nTrailer: X-Own\r\n\r\n\
             2\r\nhi\r\n0\r\nX-Own: 7\r\nX-Else: 1\r\n\r\n",
        )
        .await;
    let unasked = stage.get("/").await;

    assert_eq!((answer.text().as_str(), answer.header("trailer")), ("ok", vec!["x-sum"]));
    assert_eq!(answer.trailers, "x-own: 7\r\nx-sum: 9\r\n");
    assert_eq!(
        (unasked.text().as_str(), unasked.header("content-length"), unasked.trailers.as_str()),
        ("ok", vec!["2"], "")
    );
    let heads = heads.lock().expect("not poisoned");
    assert_eq!(
        (heads[0]["te"].as_bytes(), heads[0]["trailer"].as_bytes()),
        (&b"trailers"[..], &b"x-own"[..])
    );
    assert!(heads[1].get("te").is_none());
}

#[tokio::test]
async fn a_body_that_a_step_holds_has_nothing_behind_it() {
    use pierhead_gateway::design::{EndpointFlows, Flow, Step};
    let upstream = with_trailers().await;
    let steps = vec![Step { policy: "AM".into(), ..Step::default() }];
    let flows =
        EndpointFlows { pre: Flow { response: steps, ..Flow::default() }, ..EndpointFlows::default() };
    let xml = r#"<AssignMessage name="AM"><Set><Payload>{response.content}!</Payload></Set></AssignMessage>"#;
    let stage =
        Stage::serving([Proxy::new("p", "/", upstream.addr).policy("AM", "AssignMessage", xml, flows)]);

    let answer = stage.exchange(ASKING).await;

    assert_eq!((answer.text().as_str(), answer.header("content-length")), ("ok!", vec!["3"]));
    assert!(answer.header("trailer").is_empty() && answer.trailers.is_empty());
}
