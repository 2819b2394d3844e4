//! The client against listeners of its own on 127.0.0.1.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::*;

/// Answers each look-up with the next list; the last list stays.
struct Script {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Script {
    fn of(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |list: &&[&str]| list.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().map(parse).collect()),
            asked: AtomicUsize::new(0),
        })
    }
}

impl Resolve for Script {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() };
        Box::pin(async move { Ok(answer) })
    }
}

fn settings(allow: &[&str]) -> EgressSettings {
    EgressSettings {
        allow: allow.iter().map(|net| net.parse().unwrap()).collect(),
        ..EgressSettings::default()
    }
}

fn egress(allow: &[&str], resolver: Arc<dyn Resolve>) -> Egress {
    Egress::new(&settings(allow), resolver).unwrap()
}

fn local() -> Egress {
    egress(&["127.0.0.0/8"], Arc::new(SystemResolver))
}

fn get(address: &str) -> Request<Body> {
    Request::get(address).body(empty_body()).unwrap()
}

fn quick() -> CallLimits {
    CallLimits {
        connect: Duration::from_millis(300),
        first_byte: Duration::from_millis(300),
        idle: Duration::from_millis(300),
        total: None,
        max_body: None,
    }
}

/// Reads one request head; answers what it read.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).await.unwrap_or(0) == 0 {
            break;
        }
        seen.push(byte[0]);
    }
    String::from_utf8(seen).unwrap()
}

/// A server that answers each request of every connection with the next of `answers`, and records heads.
async fn server(answers: Vec<String>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&answers), Arc::clone(&seen)));
        }
    });
    (port, heads)
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answers: Arc<Mutex<VecDeque<String>>>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    loop {
        let request = head(&mut stream).await;
        if request.is_empty() {
            return;
        }
        seen.lock().unwrap().push(request);
        let Some(answer) = answers.lock().unwrap().pop_front() else { return };
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn redirect(status: u16, to: &str) -> String {
    format!("HTTP/1.1 {status} Moved\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
}

async fn text(response: http::Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn a_call_goes_out_and_its_answer_comes_back_over_one_connection() {
    let (port, heads) = server(vec![ok("one"), ok("two")]).await;
    let client = local();

    let mut request = get(&format!("http://127.0.0.1:{port}/a?b=c"));
    request.headers_mut().insert("connection", "x-private".parse().unwrap());
    request.headers_mut().insert("x-private", "1".parse().unwrap());
    let first = client.send(request, quick()).await.unwrap();
    assert_eq!(text(first).await, "one");
    let second = client.send(get(&format!("http://127.0.0.1:{port}/")), quick()).await.unwrap();
    assert_eq!(text(second).await, "two");

    let head = heads.lock().unwrap()[0].to_lowercase();
    assert!(head.starts_with("get /a?b=c http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: 127.0.0.1:{port}\r\n")) && head.contains("user-agent: pierhead/"));
    assert!(!head.contains("x-private") && !head.contains("connection:"), "{head}");
}

#[tokio::test]
async fn every_notation_of_a_local_address_is_refused_without_an_allow_list() {
    let client = egress(&[], Arc::new(SystemResolver));
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "localhost",
        "localhost.",
        "a.localhost",
        "LOCALHOST",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::]",
        "0.0.0.0",
        "0",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "169.254.169.254",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fd00:ec2::254]",
    ] {
        let Ok(address) = format!("http://{host}:9/").parse::<http::Uri>() else { continue };
        let mut request = get("http://x/");
        *request.uri_mut() = address;
        let refusal = client.send(request, quick()).await.unwrap_err();
        assert!(matches!(refusal, EgressError::Refused { .. }), "{host}: {refusal:?}");
        assert!(!refusal.may_have_been_sent());
        assert!(refusal.to_string().contains("egress.allow"), "{refusal}");
    }
}

#[tokio::test]
async fn addresses_that_cannot_be_called_are_named_by_their_rule() {
    for (address, rule) in [
        ("/relative", "http://"),
        ("ftp://vendor.test/", "http://"),
        ("http://user:secret@vendor.test/", "user name"),
        ("http://127.0.0.1@vendor.test/", "user name"),
    ] {
        let refusal = local().send(get(address), quick()).await.unwrap_err();
        assert!(matches!(refusal, EgressError::BadUrl { .. }), "{address}: {refusal:?}");
        assert!(refusal.to_string().contains(rule) && !refusal.to_string().contains("secret"), "{refusal}");
    }
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_dialled() {
    let (port, _) = server(vec![ok("good")]).await;
    let script = Script::of(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let client = egress(&["127.0.0.0/8"], script.clone());
    let address = format!("http://rebind.test:{port}/");

    let answer = client.send(get(&address), quick()).await.unwrap();

    assert_eq!(text(answer).await, "good");
    assert_eq!(script.asked.load(Ordering::SeqCst), 1);
    let fresh = egress(&["127.0.0.0/8"], script);
    let refusal = fresh.send(get(&address), quick()).await.unwrap_err();
    let EgressError::Refused { host, address, rule } = refusal else { panic!("{refusal:?}") };
    assert_eq!(
        (host.as_str(), address.to_string().as_str(), rule),
        ("rebind.test", "10.0.0.1", "a private address")
    );
}

#[tokio::test]
async fn of_a_mixed_answer_only_the_permitted_addresses_are_dialled() {
    let (port, _) = server(vec![ok("good")]).await;
    let client = egress(&["127.0.0.1/32"], Script::of(&[&["10.0.0.1", "::1", "127.0.0.1"]]));
    let answer = client.send(get(&format!("http://mixed.test:{port}/")), quick()).await.unwrap();
    assert_eq!(text(answer).await, "good");
}

#[tokio::test]
async fn a_dead_address_does_not_hide_a_living_one() {
    let (port, _) = server(vec![ok("good")]).await;
    let client = egress(&["127.0.0.0/8"], Script::of(&[&["127.0.0.9", "127.0.0.1"]]));
    let answer = client.send(get(&format!("http://two.test:{port}/")), quick()).await.unwrap();
    assert_eq!(text(answer).await, "good");
}

#[tokio::test]
async fn what_fails_before_the_request_left_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let refused = local().send(get(&format!("http://127.0.0.1:{port}/")), quick()).await.unwrap_err();
    assert!(matches!(refused, EgressError::Connect { .. }), "{refused:?}");
    assert!(!refused.may_have_been_sent());

    let nowhere = egress(&[], Script::of(&[&[]]));
    let unknown = nowhere.send(get("http://nowhere.test/"), quick()).await.unwrap_err();
    assert!(matches!(unknown, EgressError::Dns { .. }), "{unknown:?}");
    assert!(!unknown.may_have_been_sent());
}

#[tokio::test]
async fn a_tls_server_that_never_greets_is_a_connect_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let late = local().send(get(&format!("https://127.0.0.1:{port}/")), quick()).await.unwrap_err();
    assert!(matches!(late, EgressError::ConnectTimeout { .. }), "{late:?}");
    assert!(late.is_timeout() && !late.may_have_been_sent());
}

#[tokio::test]
async fn silence_after_the_request_is_a_first_byte_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let _silent = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        std::future::pending::<()>().await;
    });
    let late = local().send(get(&format!("http://127.0.0.1:{port}/")), quick()).await.unwrap_err();
    assert!(matches!(late, EgressError::FirstByteTimeout { .. }), "{late:?}");
    assert!(late.may_have_been_sent());
    let limits = CallLimits { total: Some(Duration::from_millis(50)), ..CallLimits::default() };
    let late = local().send(get(&format!("http://127.0.0.1:{port}/")), limits).await.unwrap_err();
    assert!(matches!(late, EgressError::TotalTimeout { .. }), "{late:?}");
}

#[tokio::test]
async fn a_response_that_stops_in_the_middle_is_an_idle_timeout() {
    let (port, _) = server(vec!["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".into()]).await;
    let answer = local().send(get(&format!("http://127.0.0.1:{port}/")), quick()).await.unwrap();
    let broken = answer.into_body().collect().await.unwrap_err();
    let found = EgressError::find(broken.as_ref()).unwrap();
    assert!(matches!(found, EgressError::IdleTimeout { which: "response", .. }), "{found:?}");
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_a_body_is_an_error_and_no_short_file() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
    });
    let answer = local().send(get(&format!("http://127.0.0.1:{port}/")), quick()).await.unwrap();
    let broken = answer.into_body().collect().await.unwrap_err();
    assert!(matches!(EgressError::find(broken.as_ref()), Some(EgressError::Protocol { .. })), "{broken:?}");
}

#[tokio::test]
async fn a_request_body_that_stops_is_an_idle_timeout_and_a_failing_one_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move { tokio::io::copy(&mut stream, &mut tokio::io::sink()).await });
        }
    });
    let address = format!("http://127.0.0.1:{port}/");
    let stuck = futures_util::stream::once(async { Ok(Frame::data(Bytes::from("a"))) });
    let stuck = futures_util::StreamExt::chain(stuck, futures_util::stream::pending());
    let request = Request::post(&address).body(StreamBody::new(stuck).boxed_unsync()).unwrap();
    let late = local().send(request, quick()).await.unwrap_err();
    assert!(matches!(late, EgressError::IdleTimeout { which: "request", .. }), "{late:?}");

    let failing = futures_util::stream::iter([Err::<Frame<Bytes>, BoxError>("disk gone".into())]);
    let request = Request::post(&address).body(StreamBody::new(failing).boxed_unsync()).unwrap();
    let failed = local().send(request, quick()).await.unwrap_err();
    assert!(matches!(failed, EgressError::RequestBody { .. }), "{failed:?}");
}

#[tokio::test]
async fn more_than_the_limit_is_refused_in_head_and_body() {
    let huge = format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "a".repeat(300_000));
    let (port, _) = server(vec![huge]).await;
    let refusal = local().send(get(&format!("http://127.0.0.1:{port}/")), quick()).await.unwrap_err();
    assert!(matches!(refusal, EgressError::TooLarge { what: "response head", .. }), "{refusal:?}");

    let (port, _) = server(vec![ok("0123456789")]).await;
    let limits = CallLimits { max_body: Some(9), ..quick() };
    let answer = local().send(get(&format!("http://127.0.0.1:{port}/")), limits).await.unwrap();
    let broken = answer.into_body().collect().await.unwrap_err();
    assert!(matches!(EgressError::find(broken.as_ref()), Some(EgressError::TooLarge { limit: 9, .. })));
}

#[tokio::test]
async fn what_is_no_http_is_a_protocol_error_that_may_have_been_sent() {
    let (port, _) = server(vec!["SSH-2.0-OpenSSH_9\r\n\r\n".into()]).await;
    let broken = local().send(get(&format!("http://127.0.0.1:{port}/")), quick()).await.unwrap_err();
    assert!(matches!(broken, EgressError::Protocol { .. }), "{broken:?}");
    assert!(broken.may_have_been_sent());
}

#[tokio::test]
async fn redirects_are_answers_unless_they_are_followed() {
    let (port, _) = server(vec![redirect(302, "/b"), redirect(302, "/b"), ok("there")]).await;
    let address = format!("http://127.0.0.1:{port}/a");
    let plain = local().send(get(&address), quick()).await.unwrap();
    assert_eq!(plain.status(), StatusCode::FOUND);
    let request = Request::get(&address).body(Bytes::new()).unwrap();
    let followed = local().follow(request, quick(), 5).await.unwrap();
    assert_eq!(followed.extensions().get::<FinalUri>().unwrap().0.path(), "/b");
    assert_eq!(text(followed).await, "there");
}

#[tokio::test]
async fn a_redirect_to_another_origin_takes_no_credentials_along() {
    let (there, heads) = server(vec![ok("")]).await;
    let (here, _) = server(vec![redirect(307, &format!("http://127.0.0.1:{there}/x"))]).await;
    let mut key = http::HeaderValue::from_static("k");
    key.set_sensitive(true);
    let request = Request::post(format!("http://127.0.0.1:{here}/"))
        .header("authorization", "Bearer t")
        .header("cookie", "c=1")
        .header("x-api-key", key)
        .header("x-plain", "kept")
        .body(Bytes::from("body"))
        .unwrap();
    local().follow(request, quick(), 5).await.unwrap();
    let head = heads.lock().unwrap()[0].clone();
    assert!(
        head.starts_with("POST /x") && head.contains("x-plain: kept") && head.contains("content-length: 4"),
        "{head}"
    );
    for secret in ["authorization", "cookie", "x-api-key"] {
        assert!(!head.contains(secret), "{head}");
    }
}

#[tokio::test]
async fn a_redirect_passes_the_guard_again_and_circles_end() {
    let (port, _) = server(vec![redirect(302, "http://169.254.169.254/latest/meta-data/")]).await;
    let request = Request::get(format!("http://127.0.0.1:{port}/")).body(Bytes::new()).unwrap();
    let refusal = local().follow(request, quick(), 5).await.unwrap_err();
    assert!(matches!(refusal, EgressError::Refused { .. }), "{refusal:?}");

    let (port, heads) = server(vec![redirect(302, "/"); 9]).await;
    let request = Request::get(format!("http://127.0.0.1:{port}/")).body(Bytes::new()).unwrap();
    let circle = local().follow(request, quick(), 3).await.unwrap_err();
    assert!(matches!(circle, EgressError::Redirect { .. }), "{circle:?}");
    assert_eq!(heads.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_post_that_is_sent_elsewhere_becomes_a_get() {
    let (port, heads) = server(vec![redirect(303, "/done"), ok("")]).await;
    let request = Request::post(format!("http://127.0.0.1:{port}/")).header("content-type", "text/plain");
    // The server does not read bodies, so this one has none.
    local().follow(request.body(Bytes::new()).unwrap(), quick(), 5).await.unwrap();
    let head = heads.lock().unwrap()[1].clone();
    assert!(head.starts_with("GET /done") && !head.contains("content-type"), "{head}");
}

/// A TLS server for `vendor.test`, whose certificate only the test authority vouches for.
async fn tls_server() -> u16 {
    let key =
        rustls::pki_types::PrivateKeyDer::try_from(&include_bytes!("../tests/tls/leaf.key.der")[..]).unwrap();
    let leaf = include_bytes!("../tests/tls/leaf.der").to_vec().into();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, Arc::new(Mutex::new(VecDeque::from([ok("safe")]))), Arc::default()).await;
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_certificate_is_verified_against_authority_and_name() {
    let port = tls_server().await;
    let resolver = Script::of(&[&["127.0.0.1"]]);
    let trusting = EgressSettings {
        extra_roots: vec![include_bytes!("../tests/tls/ca.der").to_vec()],
        ..settings(&["127.0.0.0/8"])
    };
    let trusting = Egress::new(&trusting, resolver.clone()).unwrap();

    let good =
        trusting.send(get(&format!("https://vendor.test:{port}/")), CallLimits::default()).await.unwrap();
    assert_eq!(text(good).await, "safe");

    let other_name = trusting.send(get(&format!("https://other.test:{port}/")), CallLimits::default()).await;
    let strange = egress(&["127.0.0.0/8"], resolver);
    let other_authority =
        strange.send(get(&format!("https://vendor.test:{port}/")), CallLimits::default()).await;
    for refusal in [other_name.unwrap_err(), other_authority.unwrap_err()] {
        assert!(matches!(refusal, EgressError::Tls { .. }), "{refusal:?}");
        assert!(!refusal.may_have_been_sent());
    }
}

#[test]
fn settings_that_cannot_work_are_named() {
    let no_root = EgressSettings { extra_roots: vec![b"junk".to_vec()], ..EgressSettings::default() };
    let no_agent = EgressSettings { user_agent: "a\nb".into(), ..EgressSettings::default() };
    for (bad, name) in [(no_root, "extra_roots"), (no_agent, "user_agent")] {
        let why = Egress::new(&bad, Arc::new(SystemResolver)).unwrap_err().to_string();
        assert!(why.contains(name), "{why}");
    }
}
