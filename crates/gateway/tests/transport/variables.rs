//! Every variable of api-management §7 in a real exchange: over TLS on both sides, with certificates, a body, a load
//! balancer, a fault, and steps after the answer.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use pierhead_domain::SystemClock;
use pierhead_gateway::TlsListener;
use pierhead_gateway::design::{EndpointFlows, FaultRule, Flow, Step};
use pierhead_gateway::exchange::Node;
use pierhead_gateway::tls::{CertificateFiles, ClientCertificates, Tls, TlsSettings, TlsVersion};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use crate::stage::{Proxy, Stage};

/// What a variable holds.
enum Is {
    /// Just this.
    Just(&'static str),
    /// Something that is another one each time.
    Some,
    /// Nothing, for this reason.
    Nothing(&'static str),
}
use Is::{Just, Nothing, Some as Any};

/// In the target's response flow.
const SEEN: &[(&str, Is)] = &[
    // The messages.
    ("request.content", Just("f=1&g=2&f=3")),
    ("request.header.x-two", Just("a")),
    ("request.header.x-two.2", Just("b")),
    ("request.header.x-two.values", Just("[a, b]")),
    ("request.header.x-two.values.count", Just("2")),
    ("request.header.x-two.values.string", Just("a,b")),
    ("request.headers.count", Any),
    ("request.headers.names", Any),
    ("request.queryparam.q", Just("1")),
    ("request.queryparam.q.2", Just("2")),
    ("request.queryparam.q.values", Just("[1, 2]")),
    ("request.queryparam.q.values.count", Just("2")),
    ("request.queryparams.count", Just("1")),
    ("request.queryparams.names", Just("[q]")),
    ("request.querystring", Just("q=1&q=2")),
    ("request.formparam.f", Just("1")),
    ("request.formparam.f.values", Just("[1, 3]")),
    ("request.formparam.f.values.count", Just("2")),
    ("request.formparams.count", Just("2")),
    ("request.formparams.names", Just("[f, g]")),
    ("request.formstring", Just("f=1&g=2&f=3")),
    ("request.verb", Just("POST")),
    ("request.path", Just("/base/a/b")),
    ("request.uri", Just("/base/a/b?q=1&q=2")),
    ("request.url", Any),
    ("request.version", Just("1.1")),
    ("request.transport.message", Any),
    ("request.transportid", Just("http")),
    ("request.status.code", Nothing("a request has none")),
    ("response.content", Just("ok")),
    ("response.header.x-answer", Just("yes")),
    ("response.headers.count", Any),
    ("response.status.code", Just("200")),
    ("response.reason.phrase", Just("Fine")),
    ("response.transport.message", Nothing("it is the request's")),
    ("response.verb", Nothing("a response has none")),
    ("message.status.code", Just("200")),
    ("message.content", Just("ok")),
    ("made.content", Just("mine")),
    ("made.header.x-own", Just("1")),
    ("made.verb", Just("PUT")),
    ("error.content", Nothing("there was no fault")),
    // The proxy.
    ("proxy.basepath", Just("/p")),
    ("proxy.pathsuffix", Just("/a/b")),
    ("proxy.url", Just("https://vessel.test/p/a/b?q=1&q=2")),
    ("proxy.name", Just("default")),
    ("proxy.client.ip", Just("127.0.0.1")),
    ("apiproxy.name", Just("p")),
    ("apiproxy.revision", Just("1")),
    ("apiproxy.basepath", Just("/p")),
    ("organization.name", Just("org")),
    ("environment.name", Just("test")),
    ("application.basepath", Nothing("no application has a path of its own here: it is empty")),
    ("virtualhost.name", Just("default")),
    ("virtualhost.aliases.values", Just("[]")),
    ("virtualhost.ssl.enabled", Just("false")),
    ("messageid", Any),
    ("current.flow.name", Just("PostFlow")),
    ("current.flow.description", Just("after it")),
    ("proxy.flow.name", Just("PostFlow")),
    ("proxy.flow.description", Nothing("the flow has none")),
    ("target.flow.name", Just("PostFlow")),
    ("target.flow.description", Just("after it")),
    ("route.name", Just("default")),
    ("route.target", Just("default")),
    // The client.
    ("client.ip", Just("127.0.0.1")),
    ("client.host", Just("127.0.0.1")),
    ("client.port", Any),
    ("client.scheme", Just("https")),
    ("client.ssl.enabled", Just("true")),
    ("client.cn", Just("vessel.test")),
    ("client.country", Just("DE")),
    ("client.email.address", Just("pilot@harbour.test")),
    ("client.locality", Just("Vegesack")),
    ("client.organization", Just("Harbour")),
    ("client.organization.unit", Just("Pilots")),
    ("client.state", Just("Bremen")),
    ("client.received.start.time", Any),
    ("client.received.start.timestamp", Any),
    ("client.received.end.time", Any),
    ("client.received.end.timestamp", Any),
    ("client.sent.start.timestamp", Nothing("nothing was sent yet: it is there after the answer")),
    // The target.
    ("target.url", Any),
    ("target.basepath", Just("/base/")),
    ("target.name", Just("default")),
    ("target.host", Just("127.0.0.1")),
    ("target.ip", Just("127.0.0.1")),
    ("target.port", Any),
    ("target.scheme", Just("https")),
    ("target.ssl.enabled", Just("true")),
    ("target.expectedcn", Just("127.0.0.1")),
    ("target.cn", Just("vessel.test")),
    ("target.country", Just("DE")),
    ("target.email.address", Just("pilot@harbour.test")),
    ("target.locality", Just("Vegesack")),
    ("target.organization", Just("Harbour")),
    ("target.organization.unit", Just("Pilots")),
    ("target.state", Just("Bremen")),
    ("target.copy.pathsuffix", Just("true")),
    ("target.copy.queryparams", Just("true")),
    ("target.sent.start.time", Any),
    ("target.sent.start.timestamp", Any),
    ("target.sent.end.time", Any),
    ("target.sent.end.timestamp", Any),
    ("target.received.start.time", Any),
    ("target.received.start.timestamp", Any),
    ("target.received.end.time", Any),
    ("target.received.end.timestamp", Any),
    ("onpremise.target.host", Nothing("there is no cloud connector: a target is called directly")),
    ("onpremise.target.port", Nothing("the same")),
    ("onpremise.target.basepath", Nothing("the same")),
    ("loadbalancing.targetserver", Nothing("this target is one server: balancing.rs has several")),
    ("loadbalancing.failedservers", Nothing("the same")),
    ("loadbalancing.isfallback", Nothing("the same")),
    // The system.
    ("system.timestamp", Any),
    ("system.time", Any),
    ("system.time.year", Any),
    ("system.time.month", Any),
    ("system.time.day", Any),
    ("system.time.dayofweek", Any),
    ("system.time.hour", Any),
    ("system.time.minute", Any),
    ("system.time.second", Any),
    ("system.time.millisecond", Any),
    ("system.time.zone", Just("UTC")),
    ("system.interface.eth0", Just("192.0.2.7")),
    ("system.pod.name", Just("pod-1")),
    ("system.region.name", Just("eu")),
    ("system.uuid", Just("u-1")),
    // The rest.
    ("private.own", Just("secret")),
    ("propertyset.mine.color", Just("red")),
    ("apiproduct.name", Nothing("no key was verified: VerifyAPIKey and OAuthV2 set it, their tests show it")),
    ("developer.email", Nothing("the same")),
    ("client_id", Nothing("the same")),
    ("is.error", Just("false")),
];

/// After the answer.
const AFTER: &[(&str, Is)] = &[
    ("client.sent.start.time", Any),
    ("client.sent.start.timestamp", Any),
    ("client.sent.end.time", Any),
    ("client.sent.end.timestamp", Any),
    ("client.received.end.timestamp", Any),
    ("target.sent.end.timestamp", Any),
    ("target.received.end.timestamp", Any),
    ("current.flow.name", Just("PostClientFlow")),
    ("message.status.code", Just("200")),
];

/// In the fault rules.
const FAILED: &[(&str, Is)] = &[
    ("fault.name", Just("RaiseFault")),
    ("fault.type", Just("steps.raisefault")),
    ("fault.category", Just("Step")),
    ("fault.subcategory", Just("Policy")),
    ("error", Any),
    ("error.content", Any),
    ("error.message", Any),
    ("error.status.code", Just("500")),
    ("error.reason.phrase", Just("Internal Server Error")),
    ("error.state", Just("1")),
    ("error.header.content-type", Just("application/json")),
    ("is.error", Just("true")),
    ("message.status.code", Just("500")),
    ("route.name", Nothing("the fault came before")),
    ("target.url", Nothing("the same")),
];

fn template(variables: &[(&str, Is)]) -> String {
    variables.iter().fold(String::new(), |mut all, (name, _)| {
        let _ = write!(all, "{name}=[{{{name}}}];");
        all
    })
}

/// Every mistake at once.
fn check(variables: &[(&str, Is)], shown: &str) {
    let mut wrong = String::new();
    for (name, is) in variables {
        let before = format!("{name}=[");
        let value = shown.split(&before).nth(1).and_then(|rest| rest.split("];").next());
        let (right, expected) = match is {
            Just(value_of) => (value == Some(value_of), *value_of),
            Any => (value.is_some_and(|value| !value.is_empty()), "something"),
            Nothing(why) => (value == Some(""), *why),
        };
        if !right {
            let _ = writeln!(wrong, "{name} is {value:?}, not {expected}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}\nin {shown}");
}

fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/transport/tls", name].iter().collect()
}

fn certificate() -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_file_iter(file("vessel.pem")).expect("a file");
    let key = PrivateKeyDer::from_pem_file(file("vessel.key")).expect("a key");
    (chain.map(|one| one.expect("a certificate")).collect(), key)
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A target that shows the certificate and answers every request.
async fn target() -> std::net::SocketAddr {
    let (chain, key) = certificate();
    let config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate and its key");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let addr = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = Vec::new();
                while stream.read_buf(&mut request).await.unwrap_or(0) > 0 {
                    if request.ends_with(b"f=1&g=2&f=3") {
                        request.clear();
                        let answer = b"HTTP/1.1 200 Fine\r\nX-Answer: yes\r\nContent-Length: 2\r\n\r\nok";
                        let _ = stream.write_all(answer).await;
                    }
                }
            });
        }
    });
    addr
}

/// Sends a request over TLS, shows the certificate, and reads until the gateway closes.
async fn ask(to: std::net::SocketAddr, request: &str) -> String {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file("vessel_authority.pem")).expect("a file")).expect("fits");
    let (chain, key) = certificate();
    let config = rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .expect("a certificate and its key");
    let stream = TcpStream::connect(to).await.expect("connects");
    let name = ServerName::try_from("vessel.test").expect("a name");
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await.expect("speaks TLS");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    // A peer that closes without a farewell has said all it had to say.
    let reading = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(std::time::Duration::from_secs(60), reading).await.expect("in time");
    String::from_utf8(answer).expect("text")
}

fn steps(policy: &str) -> Vec<Step> {
    vec![Step { policy: policy.into(), ..Step::default() }]
}

/// Proxies at `/p` and `/fault`; the line of the first goes to a log.
async fn stage(log: &UdpSocket) -> Stage {
    let show = |variables| {
        format!(
            "<AssignMessage><IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>\
             <Set><Payload contentType=\"text/plain\">{}</Payload></Set></AssignMessage>",
            template(variables)
        )
    };
    let make = "<AssignMessage><AssignTo createNew=\"true\" type=\"request\">made</AssignTo>\
        <Set><Verb>PUT</Verb><Headers><Header name=\"x-own\">1</Header></Headers><Payload>mine</Payload></Set>\
        <AssignVariable><Name>private.own</Name><Value>secret</Value></AssignVariable></AssignMessage>";
    let log = format!(
        "<MessageLogging><Syslog><Message>{}</Message><Host>127.0.0.1</Host><Port>{}</Port>\
         <PayloadOnly>true</PayloadOnly></Syslog></MessageLogging>",
        template(AFTER),
        log.local_addr().expect("bound").port()
    );
    let of_target = EndpointFlows {
        post: Flow { description: "after it".into(), response: steps("Show"), ..Flow::default() },
        ..EndpointFlows::default()
    };
    let of_proxy = EndpointFlows {
        pre: Flow { request: steps("Make"), ..Flow::default() },
        post_client: steps("Log"),
        ..EndpointFlows::default()
    };
    let rule = FaultRule { name: "all".into(), steps: steps("Failed"), ..FaultRule::default() };
    let failing = EndpointFlows {
        pre: Flow { request: steps("Fail"), ..Flow::default() },
        default_fault_rule: Some(rule),
        ..EndpointFlows::default()
    };
    let target = target().await;
    let proxies = [
        Proxy::tls("p", "/p", target, "127.0.0.1", true)
            .relative("/base/")
            .resource("properties", "mine.properties", "color=red")
            .target_policy("Show", "AssignMessage", &show(SEEN), of_target)
            .policy("Make", "AssignMessage", make, EndpointFlows::default())
            .policy("Log", "MessageLogging", &log, of_proxy),
        Proxy::tls("f", "/fault", target, "127.0.0.1", true)
            .policy("Fail", "RaiseFault", "<RaiseFault/>", EndpointFlows::default())
            .policy("Failed", "AssignMessage", &show(FAILED), failing),
    ];
    let settings = TlsSettings {
        certificates: vec![CertificateFiles { chain: file("vessel.pem"), key: file("vessel.key") }.into()],
        minimum: TlsVersion::Tls12,
        clients: ClientCertificates::Required(file("vessel_authority.pem")),
        protocols: vec!["http/1.1"],
    };
    Stage::with(proxies, |config| {
        let tls = Tls::open(settings, Arc::new(SystemClock)).expect("a certificate");
        config.tls = vec![TlsListener { addr: ([127, 0, 0, 1], 0).into(), tls }];
        config.node = Arc::new(Node {
            pod: "pod-1".into(),
            region: "eu".into(),
            uuid: "u-1".into(),
            interfaces: vec![("eth0".into(), "192.0.2.7".into())],
        });
    })
}

#[tokio::test]
async fn every_variable_of_the_reference_has_its_value() {
    let log = UdpSocket::bind("127.0.0.1:0").await.expect("binds");
    let stage = stage(&log).await;

    let shown = ask(
        stage.gateway.tls_addrs()[0],
        "POST /p/a/b?q=1&q=2 HTTP/1.1\r\nHost: vessel.test\r\nConnection: close\r\nX-Two: a\r\nX-Two: b\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 11\r\n\r\nf=1&g=2&f=3",
    )
    .await;
    let mut line = vec![0; 4096];
    let receiving = tokio::time::timeout(std::time::Duration::from_secs(60), log.recv(&mut line));
    let length = receiving.await.expect("in time").expect("a line");

    check(SEEN, &shown);
    check(AFTER, &String::from_utf8_lossy(&line[..length]));
}

#[tokio::test]
async fn every_variable_of_a_fault_has_its_value() {
    let log = UdpSocket::bind("127.0.0.1:0").await.expect("binds");
    let stage = stage(&log).await;

    let request = "GET /fault HTTP/1.1\r\nHost: vessel.test\r\nConnection: close\r\n\r\n";
    let shown = ask(stage.gateway.tls_addrs()[0], request).await;

    check(FAILED, &shown);
}
