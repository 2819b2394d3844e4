//! WebSocket through the gateway: policies first, then bytes both ways.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pierhead_domain::SystemClock;
use pierhead_gateway::TlsListener;
use pierhead_gateway::design::{EndpointFlows, Flow, Step};
use pierhead_gateway::tls::{CertificateFiles, ClientCertificates, Tls, TlsSettings, TlsVersion};
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::stage::{Client, Proxy, Stage, Upstream, eventually, read_head};

const ASKS: &str = "GET /chat?room=1 HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
                    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const AGREES: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Agrees, greets, and gives back what it gets.
async fn echoing() -> Upstream {
    Upstream::handling(|mut stream, record| async move {
        let mut buffer = Vec::new();
        let Some(head) = read_head(&mut stream, &mut buffer).await else { return };
        // What has come beside the head came too early.
        record.0.lock().expect("not poisoned").push(crate::stage::Seen {
            head,
            body: buffer,
            trailers: String::new(),
        });
        let _ = stream.write_all(&[AGREES, b"hello "].concat()).await;
        let mut bytes = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut bytes).await {
            if stream.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    })
    .await
}

async fn read_exactly(client: &mut Client, count: usize) -> String {
    let mut bytes = std::mem::take(&mut client.buffer);
    while bytes.len() < count {
        assert!(client.stream.read_buf(&mut bytes).await.expect("reads") > 0, "it has ended");
    }
    String::from_utf8(bytes).expect("text")
}

fn serving(proxy: Proxy) -> Stage {
    Stage::with([proxy], |config| config.threads = NonZeroUsize::new(1))
}

fn step(policy: &str) -> Flow {
    let steps = vec![Step { policy: policy.into(), ..Step::default() }];
    Flow { request: steps.clone(), response: steps, ..Flow::default() }
}

#[tokio::test]
async fn a_websocket_is_joined_once_the_target_has_agreed() {
    let upstream = echoing().await;
    let stage = serving(Proxy::new("p", "/", upstream.addr));
    let mut client = stage.client().await;

    client.send(format!("{ASKS}early ")).await;
    let agreed = client.answer().await;
    let begun = read_exactly(&mut client, 12).await;
    client.send("and more").await;
    let more = read_exactly(&mut client, 8).await;

    assert_eq!(agreed.status, 101);
    assert_eq!((agreed.header("upgrade"), agreed.header("connection")), (vec!["websocket"], vec!["upgrade"]));
    assert_eq!(agreed.header("sec-websocket-accept"), ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]);
    assert!(agreed.header("content-length").is_empty() && agreed.header("transfer-encoding").is_empty());
    assert_eq!((begun.as_str(), more.as_str()), ("hello early ", "and more"));
    let seen = &upstream.seen()[0];
    assert_eq!(seen.request_line(), "GET /chat?room=1 HTTP/1.1");
    assert_eq!((seen.header("connection"), seen.header("upgrade")), (vec!["upgrade"], vec!["websocket"]));
    assert_eq!(seen.header("sec-websocket-key"), ["dGhlIHNhbXBsZSBub25jZQ=="]);
    assert!(seen.body.is_empty(), "nothing before the target agreed");
    assert_eq!(stage.gateway.counters().tunnels, 1);

    drop(client);
    eventually("the tunnel is closed", || stage.gateway.counters().tunnels == 0).await;
    assert_eq!(stage.gateway.counters().tunnels_opened, 1);
}

#[tokio::test]
async fn policies_run_before_and_on_the_agreement() {
    let upstream = echoing().await;
    let header = "<AssignMessage><Set><Headers><Header name='X-Seen'>{response.status.code}</Header></Headers></Set></AssignMessage>";
    let refuse =
        "<RaiseFault><FaultResponse><Set><StatusCode>403</StatusCode></Set></FaultResponse></RaiseFault>";
    let flows = |flow| EndpointFlows { pre: flow, ..EndpointFlows::default() };
    let on_the_way_back = Flow { request: Vec::new(), ..step("Say") };
    let open = Proxy::new("open", "/chat", upstream.addr).policy(
        "Say",
        "AssignMessage",
        header,
        flows(on_the_way_back),
    );
    let closed =
        Proxy::new("shut", "/shut", upstream.addr).policy("No", "RaiseFault", refuse, flows(step("No")));
    let stage = Stage::serving([open, closed]);

    let mut client = stage.client().await;
    client.send(ASKS).await;
    let agreed = client.answer().await;
    let refused = stage.exchange(ASKS.replace("/chat", "/shut")).await;

    assert_eq!((agreed.status, agreed.header("x-seen")), (101, vec!["101"]));
    assert_eq!(refused.status, 403);
    assert_eq!(upstream.seen().len(), 1, "who is refused does not reach the target");
}

#[tokio::test]
async fn a_target_that_does_not_agree_answers_as_it_always_does() {
    let upstream =
        Upstream::answering(|_| b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno".to_vec())
            .await;
    let stage = serving(Proxy::new("p", "/", upstream.addr));
    let mut client = stage.client().await;
    for _ in 0..2 {
        client.send(ASKS).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.text().as_str()), (426, "no"));
    }
    assert_eq!(upstream.connection_count(), 1);
}

#[tokio::test]
async fn nothing_but_websocket_is_asked_for_and_never_with_a_body() {
    let upstream = Upstream::ok().await;
    let stage = serving(Proxy::new("p", "/", upstream.addr));
    for request in [
        ASKS.replace("WebSocket\r\n", "h2c\r\n"),
        ASKS.replace("WebSocket\r\n", "websocket, h2c\r\n"),
        ASKS.replace("Upgrade: WebSocket\r\n", "Upgrade: websocket\r\nUpgrade: websocket\r\n"),
        ASKS.replace("keep-alive, Upgrade", "keep-alive"),
        ASKS.replace("GET", "POST").replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n"),
        ASKS.replace("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\nab"),
        ASKS.replace("HTTP/1.1", "HTTP/1.0"),
    ] {
        let answer = stage.exchange(&request).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok"), "{request}");
        let seen = upstream.seen();
        let seen = seen.last().expect("it came");
        assert!(seen.header("upgrade").is_empty() && seen.header("connection").is_empty(), "{}", seen.head);
    }
}

#[tokio::test]
async fn a_target_that_agrees_to_something_else_is_502() {
    let upstream = Upstream::answering(|_| {
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n".to_vec()
    })
    .await;
    assert_eq!(serving(Proxy::new("p", "/", upstream.addr)).exchange(ASKS).await.status, 502);
}

#[tokio::test]
async fn a_websocket_in_which_nothing_moves_is_closed() {
    let upstream = echoing().await;
    let proxy = Proxy::new("p", "/", upstream.addr).target_property("websocket.idle.timeout.millis", "40");
    let stage = serving(proxy);
    let mut client = stage.client().await;
    client.send(ASKS).await;
    assert_eq!(client.answer().await.status, 101);

    eventually("it is closed", || stage.gateway.counters().tunnels == 0).await;

    let mut rest = Vec::new();
    let _ = client.stream.read_to_end(&mut rest).await;
    assert_eq!([client.buffer.as_slice(), &rest].concat(), b"hello ");
}

#[tokio::test]
async fn a_drain_waits_for_a_websocket_until_its_deadline() {
    let upstream = echoing().await;
    let stage = serving(Proxy::new("p", "/", upstream.addr));
    let mut client = stage.client().await;
    client.send(ASKS).await;
    client.answer().await;
    read_exactly(&mut client, 6).await;
    let counters = stage.gateway.counter_reader();

    let drained = stage.gateway.shutdown(Duration::from_millis(50)).await;

    assert_eq!(drained.tunnels_opened, 1);
    eventually("it is cut", || counters.read().connections == 0).await;
    assert!(client.is_closed().await);
}

/// A listener on a free port that shows the certificate of 127.0.0.1.
fn tls_listener(folder: &Path) -> TlsListener {
    let write = |name: &str, label: &str, der: &[u8]| {
        let file = folder.join(name);
        let text = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der));
        std::fs::write(&file, text).expect("writes");
        file
    };
    let files = CertificateFiles {
        chain: write("chain.pem", "CERTIFICATE", include_bytes!("tls/server.der")),
        key: write("key.pem", "PRIVATE KEY", include_bytes!("tls/server_key.der")),
    };
    let settings = TlsSettings {
        certificates: vec![files.into()],
        minimum: TlsVersion::Tls12,
        clients: ClientCertificates::None,
        protocols: vec!["h2", "http/1.1"],
    };
    let tls = Tls::open(settings, Arc::new(SystemClock)).expect("usable");
    TlsListener { addr: (Ipv4Addr::LOCALHOST, 0).into(), tls }
}

async fn connect_tls(to: SocketAddr) -> TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    let authority: &[u8] = include_bytes!("tls/authority.der");
    roots.add(CertificateDer::from(authority)).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let stream = TcpStream::connect(to).await.expect("connects");
    let name = ServerName::from(to.ip());
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a handshake")
}

/// What comes, up to and with `last`.
async fn read_until(stream: &mut TlsStream<TcpStream>, last: &str) -> String {
    let mut bytes = Vec::new();
    let reading = async {
        while !bytes.ends_with(last.as_bytes()) {
            assert!(stream.read_buf(&mut bytes).await.expect("reads") > 0, "it has ended");
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading).await.expect("it comes in time");
    String::from_utf8(bytes).expect("text")
}

#[tokio::test]
async fn a_websocket_is_joined_over_tls_as_in_clear_text() {
    let upstream = echoing().await;
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::with([Proxy::new("p", "/", upstream.addr)], |config| {
        config.threads = NonZeroUsize::new(1);
        config.tls = vec![tls_listener(folder.path())];
    });
    let mut client = connect_tls(stage.gateway.tls_addrs()[0]).await;

    client.write_all(format!("{ASKS}early ").as_bytes()).await.expect("writes");
    let begun = read_until(&mut client, "hello early ").await;
    client.write_all(b"and more").await.expect("writes");
    let more = read_until(&mut client, "more").await;

    assert!(begun.starts_with("HTTP/1.1 101 ") && begun.ends_with("\r\n\r\nhello early "), "{begun}");
    assert_eq!(more, "and more");
    assert_eq!(stage.gateway.counters().tunnels, 1);

    drop(client);
    eventually("the tunnel is closed", || stage.gateway.counters().tunnels == 0).await;
}
