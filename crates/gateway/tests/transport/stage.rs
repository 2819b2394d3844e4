//! A started gateway, upstreams that record, and a client that speaks bytes.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub(crate) use parking::Seen;
use pierhead_domain::{SystemClock, SystemRng};
use pierhead_gateway::analytics::RecentAnalytics;
use pierhead_gateway::compile::{
    CompiledProxy, Endpoint, HubPlace, OpenConnectorsProvider, Provider, ProviderKind, TargetServer, World,
    compile,
};
use pierhead_gateway::design::{
    Destination, EndpointFlows, FileResource, PolicyText, Property, ProxyDesign, ProxyEndpoint, RouteRule,
    TargetEndpoint, TlsSettings,
};
use pierhead_gateway::ports::{Hub, KvmAddress, KvmUnavailable, KvmWriter, PortFuture, Ports};
use pierhead_gateway::snapshot::{Snapshot, SnapshotCell};
use pierhead_gateway::{Gateway, GatewayConfig, KeyStores, RunningGateway};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A gateway and what it serves.
pub(crate) struct Stage {
    pub(crate) gateway: RunningGateway,
    pub(crate) snapshot: Arc<SnapshotCell>,
}

impl Stage {
    /// Serves one proxy on every path, default settings.
    pub(crate) fn towards(upstream: &Upstream) -> Self {
        Self::serving([Proxy::new("p", "/", upstream.addr)])
    }

    pub(crate) fn serving(proxies: impl IntoIterator<Item = Proxy>) -> Self {
        Self::with(proxies, |_| {})
    }

    pub(crate) fn with(
        proxies: impl IntoIterator<Item = Proxy>,
        change: impl FnOnce(&mut GatewayConfig),
    ) -> Self {
        let snapshot = proxies.into_iter().fold(Snapshot::empty("org", "test"), |all, proxy| {
            all.with_proxy(proxy.compile()).expect("free path")
        });
        let snapshot = Arc::new(SnapshotCell::new(snapshot));
        let ports = Ports {
            hub: None,
            kvm: Arc::new(NoWrites),
            analytics: Arc::new(RecentAnalytics::default()),
            tokens: Arc::new(pierhead_gateway::tokens::MemoryTokens::new(&pierhead_domain::SystemRng)),
        };
        let mut config =
            GatewayConfig::new(Arc::new(SystemClock), Arc::new(SystemRng), ports, Arc::clone(&snapshot));
        config.threads = NonZeroUsize::new(2);
        change(&mut config);
        Self { gateway: Gateway::start(config).expect("starts"), snapshot }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.gateway.local_addr()
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.addr()).await
    }

    /// One request on a connection of its own; the whole answer until the gateway closes or it is complete.
    pub(crate) async fn exchange(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut client = self.client().await;
        client.send(request).await;
        client.answer().await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.exchange(format!("GET {path} HTTP/1.1\r\nHost: api.test\r\n\r\n")).await
    }
}

/// A proxy in words of the tests.
pub(crate) struct Proxy {
    design: ProxyDesign,
    provider: ProviderKind,
    servers: Vec<(String, SocketAddr)>,
    key_stores: KeyStores,
}

impl Proxy {
    pub(crate) fn new(name: &str, base_path: &str, upstream: SocketAddr) -> Self {
        let endpoint = Endpoint::new(false, upstream.ip().to_string(), upstream.port());
        Self::to(name, base_path, ProviderKind::Internet(endpoint), "/")
    }

    pub(crate) fn tls(
        name: &str,
        base_path: &str,
        upstream: SocketAddr,
        host: &str,
        trust_all: bool,
    ) -> Self {
        let endpoint = Endpoint { trust_all, ..Endpoint::new(true, host, upstream.port()) };
        Self::to(name, base_path, ProviderKind::Internet(endpoint), "/")
    }

    pub(crate) fn hub(name: &str, base_path: &str) -> Self {
        let provider = OpenConnectorsProvider {
            hub: HubPlace::ThisInstallation,
            organization_secret: "org".into(),
            user_secret: "user".into(),
            allowed_platform_roots: Vec::new(),
        };
        Self::to(name, base_path, ProviderKind::OpenConnectors(provider), "/elements/api-v2/")
    }

    fn to(name: &str, base_path: &str, provider: ProviderKind, relative_path: &str) -> Self {
        let route =
            RouteRule { name: "default".into(), target: Some("default".into()), ..RouteRule::default() };
        let design = ProxyDesign {
            name: name.into(),
            proxy_endpoints: vec![ProxyEndpoint {
                name: "default".into(),
                base_path: base_path.into(),
                routes: vec![route],
                ..ProxyEndpoint::default()
            }],
            target_endpoints: vec![TargetEndpoint {
                name: "default".into(),
                destination: Destination::Provider {
                    name: "upstream".into(),
                    relative_path: relative_path.into(),
                },
                ..TargetEndpoint::default()
            }],
            ..ProxyDesign::default()
        };
        Self { design, provider, servers: Vec::new(), key_stores: KeyStores::default() }
    }

    /// The path below the provider.
    pub(crate) fn relative(self, path: &str) -> Self {
        self.towards(Destination::Provider { name: "upstream".into(), relative_path: path.into() })
    }

    /// Another way out than the provider `upstream`.
    pub(crate) fn towards(mut self, destination: Destination) -> Self {
        self.design.target_endpoints[0].destination = destination;
        self
    }

    /// Target servers that its load balancer knows.
    pub(crate) fn with_servers(mut self, servers: &[(&str, SocketAddr)]) -> Self {
        self.servers = servers.iter().map(|(name, addr)| ((*name).to_owned(), *addr)).collect();
        self
    }

    /// What the target endpoint says about TLS, and the stores that there are.
    pub(crate) fn ssl_info(mut self, settings: TlsSettings, stores: &KeyStores) -> Self {
        self.design.target_endpoints[0].tls = Some(settings);
        self.with_stores(stores)
    }

    /// Key and trust stores of the environment.
    pub(crate) fn with_stores(mut self, stores: &KeyStores) -> Self {
        self.key_stores = stores.clone();
        self
    }

    /// A file of the proxy.
    pub(crate) fn resource(mut self, kind: &str, name: &str, content: &str) -> Self {
        let (name, kind, content) = (name.into(), kind.into(), content.into());
        self.design.resources.push(FileResource { name, kind, content, binary: false });
        self
    }

    /// A property of the target endpoint.
    pub(crate) fn target_property(mut self, name: &str, value: &str) -> Self {
        self.design.target_endpoints[0].properties.push(Property { name: name.into(), value: value.into() });
        self
    }

    /// A property of the proxy endpoint.
    pub(crate) fn property(mut self, name: &str, value: &str) -> Self {
        self.design.proxy_endpoints[0].properties.push(Property { name: name.into(), value: value.into() });
        self
    }

    /// A policy with the flows of the proxy endpoint that use it.
    pub(crate) fn policy(mut self, name: &str, kind: &str, xml: &str, flows: EndpointFlows) -> Self {
        self.design.policies.push(PolicyText {
            name: name.into(),
            kind: kind.into(),
            xml: xml.into(),
            fixed: false,
        });
        self.design.proxy_endpoints[0].flows = flows;
        self
    }

    /// A policy with the flows of the target endpoint that use it.
    pub(crate) fn target_policy(self, name: &str, kind: &str, xml: &str, flows: EndpointFlows) -> Self {
        let mut proxy = self.policy(name, kind, xml, EndpointFlows::default());
        proxy.design.target_endpoints[0].flows = flows;
        proxy
    }

    pub(crate) fn compile(&self) -> CompiledProxy {
        let mut world = World::new(Arc::new(Snapshot::empty("org", "test")));
        let provider = Provider { name: "upstream".into(), kind: self.provider.clone() };
        world.providers.insert("upstream".into(), Arc::new(provider));
        for (name, addr) in &self.servers {
            let endpoint = Endpoint::new(false, addr.ip().to_string(), addr.port());
            let server = Arc::new(TargetServer { endpoint, enabled: true });
            world.target_servers.insert(name.clone(), server);
        }
        world.key_stores = self.key_stores.clone();
        compile(&self.design, "1", &world).expect("compiles")
    }
}

pub(crate) struct NoWrites;

impl KvmWriter for NoWrites {
    fn put(&self, _: KvmAddress, _: String, _: bool) -> PortFuture<Result<(), KvmUnavailable>> {
        Box::pin(async { Err(KvmUnavailable("no store".into())) })
    }

    fn delete(&self, _: KvmAddress) -> PortFuture<Result<(), KvmUnavailable>> {
        Box::pin(async { Err(KvmUnavailable("no store".into())) })
    }
}

pub(crate) fn with_hub(hub: impl Hub + 'static) -> impl FnOnce(&mut GatewayConfig) {
    move |config| config.ports.hub = Some(Arc::new(hub))
}

/// A target that records what reaches it.
pub(crate) struct Upstream {
    pub(crate) addr: SocketAddr,
    seen: Arc<parking::Record>,
    pub(crate) connections: Arc<AtomicUsize>,
}

mod parking {
    use std::sync::Mutex;

    /// A request as a target read it.
    #[derive(Debug, Clone)]
    pub(crate) struct Seen {
        pub(crate) head: String,
        pub(crate) body: Vec<u8>,
        /// The lines behind the last chunk.
        pub(crate) trailers: String,
    }

    #[derive(Default)]
    pub(crate) struct Record(pub(crate) Mutex<Vec<Seen>>);
}

impl Seen {
    /// Every value of a header.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        header_values(&self.head, name)
    }

    pub(crate) fn request_line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }
}

fn header_values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .collect()
}

impl Upstream {
    /// Answers every request with `200`, `ok`.
    pub(crate) async fn ok() -> Self {
        Self::answering(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()).await
    }

    /// Answers each request, read whole, with the bytes that `answer` makes of it.
    pub(crate) async fn answering(answer: impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let answer = Arc::new(answer);
        Self::handling(move |mut stream, record| {
            let answer = Arc::clone(&answer);
            async move {
                let mut buffer = Vec::new();
                while let Some(seen) = read_request(&mut stream, &mut buffer).await {
                    let bytes = answer(&seen);
                    record.0.lock().expect("not poisoned").push(seen);
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
            }
        })
        .await
    }

    /// Gives each connection to `handle`.
    pub(crate) async fn handling<F, Fut>(handle: F) -> Self
    where
        F: Fn(TcpStream, Arc<parking::Record>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let addr = listener.local_addr().expect("bound");
        let seen = Arc::new(parking::Record::default());
        let connections = Arc::new(AtomicUsize::new(0));
        let (record, count) = (Arc::clone(&seen), Arc::clone(&connections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(handle(stream, Arc::clone(&record)));
            }
        });
        Self { addr, seen, connections }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.0.lock().expect("not poisoned").clone()
    }

    pub(crate) fn connection_count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads a head and the whole body it announces; `None` at the end of the connection.
pub(crate) async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    let head = read_head(stream, buffer).await?;
    let (body, trailers) = read_body(stream, buffer, &head, false).await?;
    Some(Seen { head, body, trailers })
}

pub(crate) async fn read_head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end + 2]).into_owned();
            buffer.drain(..end + 4);
            return Some(head);
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// The body and its trailers; `None` when the connection ends before the body does.
async fn read_body(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    head: &str,
    to_end: bool,
) -> Option<(Vec<u8>, String)> {
    if !header_values(head, "transfer-encoding").is_empty() {
        return read_chunks(stream, buffer).await;
    }
    match header_values(head, "content-length").first() {
        Some(length) => {
            let length: usize = length.parse().expect("a length");
            fill(stream, buffer, length).await?;
            Some((buffer.drain(..length).collect(), String::new()))
        }
        None if to_end => {
            while stream.read_buf(buffer).await.unwrap_or(0) > 0 {}
            Some((std::mem::take(buffer), String::new()))
        }
        None => Some((Vec::new(), String::new())),
    }
}

async fn read_chunks(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(Vec<u8>, String)> {
    let mut body = Vec::new();
    loop {
        while find(buffer, b"\r\n").is_none() {
            let so_far = buffer.len();
            fill(stream, buffer, so_far + 1).await?;
        }
        let end = find(buffer, b"\r\n").expect("just seen");
        let size =
            usize::from_str_radix(std::str::from_utf8(&buffer[..end]).expect("ascii"), 16).expect("hex");
        if size == 0 {
            // The end of its line begins the empty line when nothing follows.
            buffer.drain(..end);
            return Some((body, read_head(stream, buffer).await?.trim_start().to_owned()));
        }
        buffer.drain(..end + 2);
        fill(stream, buffer, size + 2).await?;
        body.extend(buffer.drain(..size));
        buffer.drain(..2);
    }
}

async fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>, length: usize) -> Option<()> {
    while buffer.len() < length {
        if stream.read_buf(buffer).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    Some(())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// A client that sends exactly the bytes it is told.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pub(crate) buffer: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self::over(TcpStream::connect(addr).await.expect("connects"))
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // A gateway that has refused already may have closed.
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// The next answer, body included.
    pub(crate) async fn answer(&mut self) -> Answer {
        self.answer_to("GET").await
    }

    pub(crate) async fn answer_to(&mut self, method: &str) -> Answer {
        let reading = async {
            let head = read_head(&mut self.stream, &mut self.buffer).await.expect("an answer");
            let status: u16 = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status line");
            let bodyless = method == "HEAD" || matches!(status, 100..=199 | 204 | 304);
            let (body, trailers) =
                if bodyless { (Vec::new(), String::new()) } else { self.body(&head).await };
            Answer { status, head, body, trailers }
        };
        tokio::time::timeout(Duration::from_secs(60), reading).await.expect("an answer in time")
    }

    /// The body, or as much of it as came before the gateway closed.
    async fn body(&mut self, head: &str) -> (Vec<u8>, String) {
        match read_body(&mut self.stream, &mut self.buffer, head, true).await {
            Some(body) => body,
            None => (std::mem::take(&mut self.buffer), String::new()),
        }
    }

    /// Whether the gateway closes now, without another byte.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        let read = tokio::time::timeout(Duration::from_secs(60), self.stream.read(&mut byte)).await;
        self.buffer.is_empty() && matches!(read, Ok(Ok(0) | Err(_)))
    }
}

/// An answer as the client read it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// The lines behind the last chunk.
    pub(crate) trailers: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        header_values(&self.head, name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The fault's error code.
    pub(crate) fn error_code(&self) -> String {
        let fault: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        fault["fault"]["detail"]["errorcode"].as_str().unwrap_or_default().to_owned()
    }
}

/// Waits until something is so; fails loudly when it does not come.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..12_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never: {what}");
}

/// Bytes that differ from place to place.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
