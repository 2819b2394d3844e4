//! Targets that are away, slow, broken or forbidden.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use pierhead_gateway::design::{EndpointFlows, Flow, Step};

use crate::stage::{Proxy, Stage, Upstream, eventually, read_head};

#[tokio::test]
async fn a_target_that_refuses_connections_is_unavailable() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("binds").local_addr().expect("bound");
    let stage = Stage::serving([Proxy::new("p", "/", free)]);
    let answer = stage.get("/").await;
    assert_eq!(
        (answer.status, answer.error_code().as_str()),
        (503, "messaging.adaptors.http.flow.ServiceUnavailable")
    );
    assert_eq!(stage.gateway.counters().target_errors, 1);
}

#[tokio::test]
async fn a_target_that_does_not_accept_in_time_is_unavailable() {
    // A listener with a full backlog: the kernel leaves further connections unanswered.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("binds");
    socket.listen(0).expect("listens");
    let addr = socket.local_addr().expect("bound").as_socket().expect("an address");
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let attempt =
            tokio::time::timeout(Duration::from_millis(50), tokio::net::TcpStream::connect(addr)).await;
        waiting.push(attempt);
    }
    let stage = Stage::serving([Proxy::new("p", "/", addr).target_property("connect.timeout.millis", "200")]);
    let began = Instant::now();

    let answer = stage.get("/").await;

    assert_eq!(
        (answer.status, answer.error_code().as_str()),
        (503, "messaging.adaptors.http.flow.ServiceUnavailable")
    );
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_target_that_does_not_answer_in_time_is_a_gateway_timeout() {
    let upstream = Upstream::handling(|mut stream, _| async move {
        read_head(&mut stream, &mut Vec::new()).await;
        std::future::pending::<()>().await;
    })
    .await;
    let stage =
        Stage::serving([Proxy::new("p", "/", upstream.addr).target_property("io.timeout.millis", "200")]);
    let mut client = stage.client().await;
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    for _ in 0..2 {
        let answer = client.answer().await;
        assert_eq!(
            (answer.status, answer.error_code().as_str()),
            (504, "messaging.adaptors.http.flow.GatewayTimeout")
        );
    }
}

#[tokio::test]
async fn a_target_that_falls_silent_in_its_body_is_cut_off() {
    let upstream = Upstream::handling(|mut stream, _| async move {
        read_head(&mut stream, &mut Vec::new()).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello").await;
        std::future::pending::<()>().await;
    })
    .await;
    let stage =
        Stage::serving([Proxy::new("p", "/", upstream.addr).target_property("io.timeout.millis", "200")]);
    let began = Instant::now();
    let answer = stage.get("/").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
    assert!(began.elapsed() < Duration::from_secs(5), "cut after {:?}", began.elapsed());
}

#[tokio::test]
async fn the_whole_exchange_may_have_a_limit_of_its_own() {
    let upstream = Upstream::handling(|mut stream, _| async move {
        read_head(&mut stream, &mut Vec::new()).await;
        std::future::pending::<()>().await;
    })
    .await;
    let stage = Stage::serving([Proxy::new("p", "/", upstream.addr).property("api.timeout", "200")]);
    assert_eq!(stage.get("/").await.status, 504);
}

#[tokio::test]
async fn a_target_that_closes_or_talks_nonsense_is_a_bad_gateway() {
    for (bytes, code) in [
        (&b""[..], "messaging.adaptors.http.flow.UnexpectedEOFAtTarget"),
        (b"HTTP/1.1 200 OK\r\nContent-", "messaging.adaptors.http.flow.UnexpectedEOFAtTarget"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "protocol.http.BadResponse"),
        (b"HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n", "protocol.http.BadResponse"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n",
            "protocol.http.BadResponse",
        ),
    ] {
        let upstream = Upstream::handling(move |mut stream, _| async move {
            read_head(&mut stream, &mut Vec::new()).await;
            let _ = stream.write_all(bytes).await;
        })
        .await;
        let answer = Stage::towards(&upstream).get("/").await;
        assert_eq!(
            (answer.status, answer.error_code().as_str()),
            (502, code),
            "{}",
            String::from_utf8_lossy(bytes)
        );
    }
}

#[tokio::test]
async fn a_target_with_an_endless_head_is_a_bad_gateway() {
    let upstream = Upstream::handling(|mut stream, _| async move {
        read_head(&mut stream, &mut Vec::new()).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream
            .write_all(b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")
            .await
            .is_ok()
        {}
    })
    .await;
    assert_eq!(Stage::towards(&upstream).get("/").await.status, 502);
}

#[tokio::test]
async fn a_target_with_too_many_headers_is_a_bad_gateway() {
    let upstream = Upstream::answering(|_| {
        let headers: String = (0..1000).map(|number| format!("X-{number}: 1\r\n")).collect();
        format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 0\r\n\r\n").into_bytes()
    })
    .await;
    let answer = Stage::towards(&upstream).get("/").await;
    assert_eq!((answer.status, answer.error_code().as_str()), (502, "protocol.http.BadResponse"));
}

#[tokio::test]
async fn a_target_that_resets_the_connection_is_a_bad_gateway() {
    let upstream = Upstream::handling(|stream, _| async move {
        // Closing with something unread is a reset.
        let _ = stream.readable().await;
    })
    .await;
    let answer = Stage::towards(&upstream).get("/").await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(answer.error_code(), "messaging.adaptors.http.flow.UnexpectedEOFAtTarget");
}

#[tokio::test]
async fn an_endless_answer_into_a_step_that_reads_it_is_a_fault_at_the_cap_and_the_target_is_let_go() {
    let (sent, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, over) = (Arc::clone(&sent), Arc::clone(&ended));
    let upstream = Upstream::handling(move |mut stream, _| {
        let (count, over) = (Arc::clone(&count), Arc::clone(&over));
        async move {
            read_head(&mut stream, &mut Vec::new()).await;
            let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            while stream.write_all(&chunk).await.is_ok() {
                count.fetch_add(0x10000, Ordering::SeqCst);
            }
            over.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    let reads = "<AssignMessage><AssignVariable><Name>all</Name><Ref>response.content</Ref></AssignVariable></AssignMessage>";
    let step = Step { policy: "Read".into(), ..Step::default() };
    let flows =
        EndpointFlows { pre: Flow { response: vec![step], ..Flow::default() }, ..EndpointFlows::default() };
    let stage =
        Stage::serving([Proxy::new("p", "/", upstream.addr).policy("Read", "AssignMessage", reads, flows)]);

    let answer = stage.get("/").await;

    assert_eq!((answer.status, answer.error_code().as_str()), (502, "protocol.http.TooBigBody"));
    eventually("the target is let go", || ended.load(Ordering::SeqCst) == 1).await;
    assert!(sent.load(Ordering::SeqCst) < 64 << 20, "{} bytes were taken", sent.load(Ordering::SeqCst));
}

#[tokio::test]
async fn connections_are_kept_and_a_closed_one_is_replaced_without_a_word() {
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    let upstream = Upstream::handling(move |mut stream, _| {
        let count = Arc::clone(&count);
        async move {
            // Two requests, then the target closes an idle connection.
            let mut buffer = Vec::new();
            for _ in 0..2 {
                if read_head(&mut stream, &mut buffer).await.is_none() {
                    return;
                }
                count.fetch_add(1, Ordering::SeqCst);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            }
        }
    })
    .await;
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| {
        config.threads = std::num::NonZeroUsize::new(1);
    });
    let mut client = stage.client().await;
    for _ in 0..10 {
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert_eq!(client.answer().await.status, 200);
        // The target's close needs to arrive: the retry is for a connection known to be closed.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(served.load(Ordering::SeqCst), 10, "nothing was sent twice");
    assert_eq!(upstream.connection_count(), 5);
}

#[tokio::test]
async fn metadata_addresses_are_no_targets() {
    let metadata = std::net::SocketAddr::from(([169, 254, 169, 254], 80));
    let answer = Stage::serving([Proxy::new("p", "/", metadata)]).get("/latest/meta-data").await;
    assert_eq!(answer.status, 503);
}

#[tokio::test]
async fn the_certificate_of_a_tls_target_is_verified_unless_the_provider_trusts_all() {
    let upstream = tls_upstream().await;
    let stage = Stage::serving([
        Proxy::tls("verified", "/verified", upstream, "127.0.0.1", false),
        Proxy::tls("trusting", "/trusting", upstream, "127.0.0.1", true),
    ]);
    let refused = stage.get("/verified").await;
    let trusted = stage.get("/trusting").await;
    assert_eq!(
        (refused.status, refused.error_code().as_str()),
        (503, "messaging.adaptors.http.flow.SslHandshakeFailed")
    );
    assert_eq!((trusted.status, trusted.text().as_str()), (200, "ok"));
}

/// A TLS server with a certificate nobody signed, made for these tests only.
async fn tls_upstream() -> std::net::SocketAddr {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
    let certificate = CertificateDer::from(include_bytes!("tls/certificate.der").to_vec());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(include_bytes!("tls/key.der").to_vec()));
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a certificate and its key");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let addr = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = [0; 1024];
                let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut request).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
                let _ = stream.shutdown().await;
            });
        }
    });
    addr
}
