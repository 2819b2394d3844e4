//! HTTP/2 towards targets.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::server::{self, SendResponse};
use h2::{Reason, RecvStream};
use http::{HeaderMap, Request, Response};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::stage::{Client, Proxy, Stage, Upstream, eventually, pattern, read_head};

/// A target that speaks HTTP/2 and records what reaches it.
struct Http2Target {
    addr: SocketAddr,
    connections: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<http::request::Parts>>>,
}

/// What a target does with one request.
type Handler = Arc<dyn Fn(usize, Request<RecvStream>, SendResponse<Bytes>) -> Doing + Send + Sync>;

enum Doing {
    /// Goes on by itself.
    Spawned,
    /// Is the connection's last.
    Leave,
}

impl Http2Target {
    /// With TLS a connection speaks what `protocols` and the gateway have in common.
    async fn start(tls: Option<&[&[u8]]>, handler: Handler) -> Self {
        let acceptor = tls.map(acceptor);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let addr = listener.local_addr().expect("bound");
        let this = Self { addr, connections: Arc::default(), seen: Arc::default() };
        let (connections, seen) = (Arc::clone(&this.connections), Arc::clone(&this.seen));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = connections.fetch_add(1, Ordering::SeqCst);
                let (handler, seen, acceptor) = (Arc::clone(&handler), Arc::clone(&seen), acceptor.clone());
                tokio::spawn(async move {
                    let Some(acceptor) = acceptor else {
                        return speak(stream, number, &handler, &seen).await;
                    };
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                        return speak(stream, number, &handler, &seen).await;
                    }
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\n") {
                        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\none1").await;
                    // The gateway closes: what it has not read yet must not be lost to a reset.
                    while stream.read_buf(&mut request).await.unwrap_or(0) > 0 {}
                });
            }
        });
        this
    }

    async fn tls(handler: Handler) -> Self {
        Self::start(Some(&[b"h2", b"http/1.1"]), handler).await
    }

    fn connection_count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn acceptor(protocols: &[&[u8]]) -> tokio_rustls::TlsAcceptor {
    let certificate = CertificateDer::from(include_bytes!("tls/certificate.der").to_vec());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(include_bytes!("tls/key.der").to_vec()));
    let mut config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a certificate and its key");
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    tokio_rustls::TlsAcceptor::from(Arc::new(config))
}

async fn speak<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    number: usize,
    handler: &Handler,
    seen: &Mutex<Vec<http::request::Parts>>,
) {
    let Ok(mut connection) = server::handshake(stream).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        let (parts, body) = request.into_parts();
        seen.lock().expect("not poisoned").push(parts.clone());
        if let Doing::Leave = handler(number, Request::from_parts(parts, body), respond) {
            connection.graceful_shutdown();
        }
    }
}

/// Answers 200 with the number of the connection.
fn numbering() -> Handler {
    Arc::new(|number, _, mut respond| {
        answer(&mut respond, number.to_string());
        Doing::Spawned
    })
}

fn answer(respond: &mut SendResponse<Bytes>, body: impl Into<Bytes>) {
    if let Ok(mut stream) = respond.send_response(Response::new(()), false) {
        let _ = stream.send_data(body.into(), true);
    }
}

/// One proxy on every path, one thread.
fn stage(proxy: Proxy) -> Stage {
    Stage::with([proxy], |config| config.threads = NonZeroUsize::new(1))
}

fn secure(target: &Http2Target) -> Proxy {
    Proxy::tls("p", "/", target.addr, "127.0.0.1", true)
}

fn in_clear_text(target: SocketAddr) -> Proxy {
    Proxy::new("p", "/", target).target_property("supports.http2", "only")
}

#[tokio::test]
async fn a_tls_target_that_chooses_http2_gets_all_requests_on_one_connection() {
    let held = Arc::new(tokio::sync::Semaphore::new(0));
    let gate = Arc::clone(&held);
    let target = Http2Target::tls(Arc::new(move |_, _, mut respond| {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move {
            let _ = gate.acquire().await.expect("open");
            answer(&mut respond, "two");
        });
        Doing::Spawned
    }))
    .await;
    let stage = stage(secure(&target));
    let addr = stage.addr();
    let clients: Vec<_> = (0..10)
        .map(|number| {
            tokio::spawn(async move {
                let mut client = Client::connect(addr).await;
                client
                    .send(format!("GET /{number}?a=b HTTP/1.1\r\nHost: api.test\r\nX-Own: 1\r\n\r\n"))
                    .await;
                client.answer().await
            })
        })
        .collect();
    eventually("all ten are under way", || target.seen.lock().expect("seen").len() == 10).await;

    held.add_permits(1);
    for client in clients {
        let answer = client.await.expect("no panic");
        assert_eq!((answer.status, answer.text().as_str()), (200, "two"));
    }

    assert_eq!(target.connection_count(), 1);
    let seen = target.seen.lock().expect("seen");
    let (port, head) = (target.addr.port(), &seen[0]);
    assert_eq!(head.uri.authority().map(ToString::to_string), Some(format!("127.0.0.1:{port}")));
    assert_eq!((head.uri.scheme_str(), head.uri.query()), (Some("https"), Some("a=b")));
    assert_eq!((head.headers["x-own"].as_bytes(), head.headers.get("host")), (&b"1"[..], None));
}

#[tokio::test]
async fn http11_is_spoken_where_the_target_chooses_it_or_the_design_says_so() {
    let both = Http2Target::tls(numbering()).await;
    let old = Http2Target::start(Some(&[b"http/1.1"]), numbering()).await;

    let kept_to_it = stage(secure(&both).target_property("supports.http2", "false")).get("/").await;
    let chosen = stage(secure(&old)).get("/").await;

    assert_eq!((kept_to_it.status, kept_to_it.text().as_str()), (200, "one1"));
    assert_eq!((chosen.status, chosen.text().as_str()), (200, "one1"));
}

#[tokio::test]
async fn clear_text_is_http2_only_where_the_design_says_so() {
    let target = Http2Target::start(None, numbering()).await;
    let old = Upstream::ok().await;

    let spoken = stage(in_clear_text(target.addr)).get("/").await;
    let unsaid = stage(Proxy::new("p", "/", old.addr)).get("/").await;
    let not_understood =
        stage(in_clear_text(old.addr).target_property("io.timeout.millis", "60000")).get("/").await;

    assert_eq!((spoken.status, spoken.text().as_str()), (200, "0"));
    assert_eq!(unsaid.status, 200);
    assert_eq!(not_understood.status, 502);
}

#[tokio::test]
async fn bodies_stream_both_ways_at_once_over_http2() {
    let target = Http2Target::start(
        None,
        Arc::new(|_, request, mut respond| {
            tokio::spawn(async move {
                let mut body = request.into_body();
                let mut stream = respond.send_response(Response::new(()), false).expect("answers");
                while let Some(Ok(part)) = body.data().await {
                    let _ = body.flow_control().release_capacity(part.len());
                    send(&mut stream, part).await;
                }
                let _ = stream.send_data(Bytes::new(), true);
            });
            Doing::Spawned
        }),
    )
    .await;
    let stage = stage(in_clear_text(target.addr));
    let mut client = stage.client().await;
    client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n").await;
    let mut buffer = Vec::new();
    let head =
        read_head(&mut client.stream, &mut buffer).await.expect("the answer begins before the request ends");
    while !buffer.ends_with(b"5\r\nfirst\r\n") {
        assert!(client.stream.read_buf(&mut buffer).await.expect("reads") > 0);
    }
    client.send("0\r\n\r\n").await;

    let big = pattern(3 * 1024 * 1024);
    let mut whole = stage.client().await;
    let length = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", big.len());
    let Client { stream, .. } = &mut whole;
    let (mut reads, mut writes) = stream.split();
    let upload = async {
        writes.write_all(length.as_bytes()).await.expect("writes");
        writes.write_all(&big).await.expect("writes");
    };
    let mut came = Vec::new();
    let download = async {
        while !came.ends_with(b"\r\n0\r\n\r\n") {
            assert!(reads.read_buf(&mut came).await.expect("reads") > 0);
        }
    };
    tokio::join!(upload, download);

    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(came.len() > big.len());
    assert_eq!(target.seen.lock().expect("seen")[1].headers["content-length"], big.len().to_string());
}

async fn send(stream: &mut h2::SendStream<Bytes>, mut part: Bytes) {
    while !part.is_empty() {
        stream.reserve_capacity(part.len());
        while stream.capacity() == 0 {
            if poll_fn(|cx| stream.poll_capacity(cx)).await.is_none_or(|capacity| capacity.is_err()) {
                return;
            }
        }
        let count = stream.capacity().min(part.len());
        if stream.send_data(part.split_to(count), false).is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn what_a_target_refuses_to_begin_with_is_sent_again_and_nothing_else() {
    let refusing = |reads: bool| -> Handler {
        let count = AtomicUsize::new(0);
        Arc::new(move |_, request, mut respond| {
            let first = count.fetch_add(1, Ordering::SeqCst) == 0;
            tokio::spawn(async move {
                if !first {
                    return answer(&mut respond, "done");
                }
                let mut body = request.into_body();
                if reads {
                    let _ = body.data().await;
                }
                respond.send_reset(Reason::REFUSED_STREAM);
            });
            Doing::Spawned
        })
    };
    let (unread, read) =
        (Http2Target::start(None, refusing(false)).await, Http2Target::start(None, refusing(true)).await);

    let again = stage(in_clear_text(unread.addr)).get("/").await;
    let reading = stage(in_clear_text(read.addr));
    let mut client = reading.client().await;
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello").await;
    let begun = client.answer().await;

    assert_eq!((again.status, again.text().as_str()), (200, "done"));
    assert_eq!(unread.seen.lock().expect("seen").len(), 2);
    assert_eq!(begun.status, 502);
    assert_eq!(read.seen.lock().expect("seen").len(), 1);
}

#[tokio::test]
async fn a_target_that_refuses_for_ever_is_asked_a_few_times_only() {
    let target = Http2Target::start(
        None,
        Arc::new(|_, _, mut respond: SendResponse<Bytes>| {
            respond.send_reset(Reason::REFUSED_STREAM);
            Doing::Spawned
        }),
    )
    .await;

    let answer = stage(in_clear_text(target.addr)).get("/").await;

    assert_eq!(answer.status, 503);
    assert_eq!(target.seen.lock().expect("seen").len(), 4);
}

#[tokio::test]
async fn after_goaway_the_next_request_finds_a_new_connection_and_none_is_lost() {
    let target = Http2Target::start(
        None,
        Arc::new(|number, _, mut respond| {
            answer(&mut respond, number.to_string());
            Doing::Leave
        }),
    )
    .await;
    let stage = stage(in_clear_text(target.addr));

    for round in 0..5 {
        let answer = stage.get("/").await;
        assert_eq!(answer.status, 200, "{round}: {}", answer.text());
    }

    assert!(target.connection_count() > 1);
}

#[tokio::test]
async fn a_silent_target_is_given_up_and_its_connection_takes_no_more() {
    let target = Http2Target::start(
        None,
        Arc::new(|number, _, mut respond| {
            if number > 0 {
                answer(&mut respond, "new");
            } else {
                tokio::spawn(async move { poll_fn(|cx| respond.poll_reset(cx)).await });
            }
            Doing::Spawned
        }),
    )
    .await;
    // Two proxies and one target: they share its connections.
    let proxy = |path: &str| {
        Proxy::new(path, &format!("/{path}"), target.addr).target_property("supports.http2", "only")
    };
    let hasty = proxy("hasty").target_property("io.timeout.millis", "50");
    let stage = Stage::with([hasty, proxy("patient")], |config| config.threads = NonZeroUsize::new(1));

    let silent = stage.get("/hasty").await;
    let next = stage.get("/patient").await;

    assert_eq!((silent.status, next.status), (504, 200));
}

#[tokio::test]
async fn headers_of_one_hop_do_not_cross_it_in_http2_either() {
    let target = Http2Target::start(
        None,
        Arc::new(|_, _, mut respond: SendResponse<Bytes>| {
            let mut response = Response::new(());
            response.headers_mut().insert("proxy-authenticate", http::HeaderValue::from_static("x"));
            response.headers_mut().insert("x-own", http::HeaderValue::from_static("y"));
            let mut stream = respond.send_response(response, false).expect("answers");
            let _ = stream.send_data(Bytes::from_static(b"body"), false);
            let _ = stream.send_trailers(HeaderMap::new());
            Doing::Spawned
        }),
    )
    .await;
    let stage = stage(in_clear_text(target.addr));

    let answer = stage
        .exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: X-Named\r\nX-Named: 1\r\nTE: gzip\r\nContent-Type: application/grpc+proto\r\n\r\n")
        .await;

    assert_eq!((answer.status, answer.text().as_str()), (200, "body"));
    assert_eq!((answer.header("proxy-authenticate").len(), answer.header("x-own")), (0, vec!["y"]));
    let seen = target.seen.lock().expect("seen");
    assert_eq!((seen[0].headers.get("x-named"), seen[0].headers["te"].as_bytes()), (None, &b"trailers"[..]));
}
