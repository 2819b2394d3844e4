//! TLS towards targets as `SSLInfo` asks for it. The certificates were made for these tests only.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pierhead_gateway::design::{EndpointFlows, Flow, Step, TlsSettings};
use pierhead_gateway::{KeyEntry, KeyStore, KeyStores};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::stage::{Proxy, Stage, Upstream};

const AUTHORITY: &[u8] = include_bytes!("tls/authority.der");
const SERVER: &[u8] = include_bytes!("tls/server.der");
const SERVER_KEY: &[u8] = include_bytes!("tls/server_key.der");
/// For another name than the host's.
const ODD_NAME: &[u8] = include_bytes!("tls/odd_name.der");
const ODD_NAME_KEY: &[u8] = include_bytes!("tls/odd_name_key.der");
const CLIENT: &[u8] = include_bytes!("tls/client.der");
const CLIENT_KEY: &[u8] = include_bytes!("tls/client_key.der");

/// Speaks TLS with clients that may, or must, show a certificate of the authority.
fn acceptor(certificate: &[u8], key: &[u8], demands: bool) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(AUTHORITY.to_vec())).expect("an authority");
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let clients = if demands { clients } else { clients.allow_unauthenticated() };
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(clients.build().expect("a verifier"))
        .with_single_cert(
            vec![CertificateDer::from(certificate.to_vec())],
            PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.to_vec())),
        )
        .expect("a certificate and its key");
    TlsAcceptor::from(Arc::new(config))
}

/// A target that answers with `shown` or `nobody`: whether the gateway showed a certificate.
struct SecureTarget {
    addr: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl SecureTarget {
    async fn start(certificate: &[u8], key: &[u8]) -> Self {
        Self::accepting(acceptor(certificate, key, false)).await
    }

    async fn accepting(acceptor: TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let this = Self { addr: listener.local_addr().expect("bound"), connections: Arc::default() };
        let connections = Arc::clone(&this.connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, connections) = (acceptor.clone(), Arc::clone(&connections));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    connections.fetch_add(1, Ordering::SeqCst);
                    let shown = stream.get_ref().1.peer_certificates().is_some();
                    let body = if shown { "shown " } else { "nobody" };
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n{body}");
                    let mut request = Vec::new();
                    while stream.read_buf(&mut request).await.unwrap_or(0) > 0 {
                        if request.ends_with(b"\r\n\r\n") {
                            request.clear();
                            if stream.write_all(answer.as_bytes()).await.is_err() {
                                return;
                            }
                        }
                    }
                });
            }
        });
        this
    }

    fn connection_count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// A proxy towards it, by its address.
    fn proxy(&self, path: &str, settings: TlsSettings) -> Proxy {
        let settings = TlsSettings { enabled: true, ..settings };
        Proxy::tls(path, &format!("/{path}"), self.addr, "127.0.0.1", false).ssl_info(settings, &stores())
    }
}

/// `authorities` and `ref://believed`, `the-server-itself`, `ours` with the alias `pilot`.
fn stores() -> KeyStores {
    let entry = |chain: &[u8], key: Option<&[u8]>| {
        KeyEntry::read(&[chain.to_vec()], key.map(<[u8]>::to_vec)).expect("an entry")
    };
    let authorities = Arc::new(KeyStore::default().with("authority", entry(AUTHORITY, None)));
    KeyStores::default()
        .with("authorities", Arc::clone(&authorities))
        .with("ref://believed", authorities)
        .with("the-server-itself", Arc::new(KeyStore::default().with("server", entry(SERVER, None))))
        .with("ours", Arc::new(KeyStore::default().with("pilot", entry(CLIENT, Some(CLIENT_KEY)))))
}

fn trusting(store: &str) -> TlsSettings {
    TlsSettings { trust_store: store.into(), ..TlsSettings::default() }
}

fn showing(store: &str, alias: &str) -> TlsSettings {
    TlsSettings {
        client_auth: true,
        key_store: store.into(),
        key_alias: alias.into(),
        ..trusting("authorities")
    }
}

fn serving(proxies: impl IntoIterator<Item = Proxy>) -> Stage {
    Stage::with(proxies, |config| config.threads = NonZeroUsize::new(1))
}

#[tokio::test]
async fn a_named_trust_store_is_believed_and_nothing_else_is() {
    let target = SecureTarget::start(SERVER, SERVER_KEY).await;
    let stage = serving([
        target.proxy("public", TlsSettings::default()),
        target.proxy("named", trusting("authorities")),
        target.proxy("referred", trusting("ref://believed")),
        target.proxy("itself", trusting("the-server-itself")),
        target.proxy("other", trusting("ours")),
    ]);
    for (path, status) in
        [("public", 503), ("named", 200), ("referred", 200), ("itself", 200), ("other", 503)]
    {
        let answer = stage.get(&format!("/{path}")).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        if status == 503 {
            assert_eq!(answer.error_code(), "messaging.adaptors.http.flow.SslHandshakeFailed");
        }
    }
}

#[tokio::test]
async fn our_certificate_is_shown_where_the_design_says_so_and_on_no_other_connection() {
    let target = SecureTarget::start(SERVER, SERVER_KEY).await;
    let stage = serving([
        target.proxy("shows", showing("ours", "pilot")),
        target.proxy("shows-the-only-one", showing("ours", "")),
        target.proxy("hides", trusting("authorities")),
    ]);
    for _ in 0..3 {
        for (path, body) in [("shows", "shown "), ("hides", "nobody"), ("shows-the-only-one", "shown ")] {
            let answer = stage.get(&format!("/{path}")).await;
            assert_eq!((answer.status, answer.text().as_str()), (200, body), "{path}");
        }
    }
    assert_eq!(target.connection_count(), 3, "each has its own, and uses it again");
}

#[tokio::test]
async fn a_certificate_must_carry_the_name_that_the_design_expects() {
    let target = SecureTarget::start(ODD_NAME, ODD_NAME_KEY).await;
    let expecting = |name: &str, wildcard| TlsSettings {
        common_name: name.into(),
        common_name_wildcard: wildcard,
        ..trusting("authorities")
    };
    let stage = serving([
        target.proxy("host", trusting("authorities")),
        target.proxy("exact", expecting("abc.myhost.example", false)),
        target.proxy("wild", expecting("*.myhost.example", true)),
        target.proxy("tame", expecting("*.myhost.example", false)),
        target.proxy("another", expecting("def.myhost.example", false)),
    ]);
    for (path, status) in [("host", 503), ("exact", 200), ("wild", 200), ("tame", 503), ("another", 503)] {
        assert_eq!(stage.get(&format!("/{path}")).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn the_names_of_stores_may_come_from_variables() {
    let target = SecureTarget::start(SERVER, SERVER_KEY).await;
    let stage = serving([target.proxy("p", showing("{request.header.store}", "pilot"))]);
    let with = async |store: &str| {
        stage.exchange(format!("GET /p HTTP/1.1\r\nHost: x\r\nStore: {store}\r\n\r\n")).await
    };

    let (known, again, unknown) = (with("ours").await, with("ours").await, with("theirs").await);

    assert_eq!((known.text().as_str(), again.text().as_str()), ("shown ", "shown "));
    assert_eq!(unknown.status, 503);
    assert_eq!(target.connection_count(), 1, "what has the same names shares connections");
}

#[tokio::test]
async fn a_store_that_is_missing_is_said_by_name() {
    let target = SecureTarget::start(SERVER, SERVER_KEY).await;
    let answer = serving([target.proxy("p", trusting("lost"))]).get("/p").await;
    assert_eq!(answer.status, 501);
    assert!(answer.text().contains("there is no trust store 'lost'"), "{}", answer.text());
}

#[tokio::test]
async fn a_callout_shows_our_certificate_and_says_whom_it_expects() {
    let target = SecureTarget::start(ODD_NAME, ODD_NAME_KEY).await;
    let xml = format!(
        "<ServiceCallout name='C'><Request/><Response>answer</Response><HTTPTargetConnection>\
         <URL>https://127.0.0.1:{}/</URL><SSLInfo><Enabled>true</Enabled>\
         <ClientAuthEnabled>true</ClientAuthEnabled><KeyStore>ours</KeyStore><KeyAlias>pilot</KeyAlias>\
         <TrustStore>ref://believed</TrustStore>\
         <CommonName wildcardMatch='true'>*.myhost.example</CommonName></SSLInfo>\
         </HTTPTargetConnection></ServiceCallout>",
        target.addr.port()
    );
    let flows = on_request("C");
    let upstream = Upstream::ok().await;
    let proxy = Proxy::new("p", "/", upstream.addr)
        .with_stores(&stores())
        .target_property("request.streaming.enabled", "false")
        .policy("C", "ServiceCallout", &xml, flows);

    let answer = serving([proxy]).get("/").await;

    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"), "{}", answer.head);
    assert_eq!(target.connection_count(), 1);
}

/// The policy runs on each request.
fn on_request(policy: &str) -> EndpointFlows {
    let step = Step { policy: policy.into(), ..Step::default() };
    EndpointFlows { pre: Flow { request: vec![step], ..Flow::default() }, ..EndpointFlows::default() }
}

const SHOWING_OURS: &str = "<SSLInfo><Enabled>true</Enabled><ClientAuthEnabled>true</ClientAuthEnabled>\
    <KeyStore>ours</KeyStore><KeyAlias>pilot</KeyAlias><TrustStore>authorities</TrustStore></SSLInfo>";
const SHOWING_NOTHING: &str =
    "<SSLInfo><Enabled>true</Enabled><TrustStore>authorities</TrustStore></SSLInfo>";

/// Serves one policy in front of an upstream.
fn with_policy(upstream: &Upstream, kind: &str, xml: &str) -> Stage {
    let proxy = Proxy::new("p", "/", upstream.addr).with_stores(&stores());
    serving([proxy.policy("C", kind, xml, on_request("C"))])
}

#[tokio::test]
async fn a_script_and_a_callout_reach_a_target_that_demands_a_certificate() {
    let target = SecureTarget::accepting(acceptor(SERVER, SERVER_KEY, true)).await;
    let port = target.addr.port();
    let upstream = Upstream::ok().await;
    for (info, got, status) in [(SHOWING_OURS, "shown ", 200), (SHOWING_NOTHING, "true", 500)] {
        let script = format!(
            "<Javascript timeLimit='60000'>{info}<Source>var call = httpClient.get('https://127.0.0.1:{port}/');\
             call.waitForComplete(); request.headers['x-got'] = call.isError() ? 'true' : call.getResponse().content + '';</Source></Javascript>"
        );
        assert_eq!(with_policy(&upstream, "Javascript", &script).get("/").await.status, 200);
        let seen = upstream.seen().pop().expect("it was reached");
        assert_eq!(seen.header("x-got"), [got.trim()], "{info}");

        let callout = format!(
            "<ServiceCallout><Request/><Response>answer</Response><HTTPTargetConnection>\
             <URL>https://127.0.0.1:{port}/</URL>{info}</HTTPTargetConnection></ServiceCallout>"
        );
        let answer = with_policy(&upstream, "ServiceCallout", &callout).get("/").await;
        assert_eq!(answer.status, status, "{info}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_line_reaches_a_log_server_that_demands_a_certificate() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let xml = format!(
        "<MessageLogging><Syslog><Message>{{request.path}}</Message><Host>127.0.0.1</Host><Port>{}</Port>\
         <Protocol>TCP</Protocol><PayloadOnly>true</PayloadOnly>{SHOWING_OURS}</Syslog></MessageLogging>",
        listener.local_addr().expect("bound").port()
    );
    let upstream = Upstream::ok().await;
    let stage = with_policy(&upstream, "MessageLogging", &xml);
    assert_eq!(stage.get("/x").await.status, 200);

    let (stream, _) = listener.accept().await.expect("a connection");
    let stream = acceptor(SERVER, SERVER_KEY, true).accept(stream).await.expect("a certificate of ours");
    let line = BufReader::new(stream).lines().next_line().await.expect("a line");
    assert_eq!(line.as_deref(), Some("/x"));
}
