//! The gateway alone, for `cargo xtask bench proxy`: one proxy towards one upstream on loopback.
//!
//! `bench_proxy <listen> <upstream port> bare|story`: `bare` passes everything through; `story` verifies an
//! API key, reads a key value map, sets two headers and builds the Authorization of an Open Connectors call.
//! Prints the address it listens on and serves until it is killed.

#![expect(clippy::print_stdout, reason = "says where it listens")]

use std::error::Error;
use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::Arc;

use pierhead_domain::{SecretString, SystemClock, SystemRng};
use pierhead_gateway::analytics::RecentAnalytics;
use pierhead_gateway::compile::{
    Endpoint, HubPlace, OpenConnectorsProvider, Provider, ProviderKind, World, compile,
};
use pierhead_gateway::design::{
    Destination, EndpointFlows, Flow, PolicyText, ProxyDesign, ProxyEndpoint, RouteRule, Step, TargetEndpoint,
};
use pierhead_gateway::ports::{KvmAddress, KvmScope, KvmUnavailable, KvmWriter, PortFuture, Ports};
use pierhead_gateway::snapshot::{
    ApiKey, ApiProduct, Attributes, DeveloperApp, KeyTable, Snapshot, SnapshotCell, Standing,
};
use pierhead_gateway::{Gateway, GatewayConfig};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, listen, upstream, chain] = arguments.as_slice() else {
        return Err("usage: bench_proxy <listen> <upstream port> bare|story".into());
    };
    let endpoint = Endpoint::new(false, "127.0.0.1", upstream.parse()?);
    let snapshot = if chain == "story" { story(endpoint)? } else { bare(endpoint)? };
    let ports = Ports {
        hub: None,
        kvm: Arc::new(NoWrites),
        analytics: Arc::new(RecentAnalytics::default()),
        tokens: Arc::new(pierhead_gateway::tokens::MemoryTokens::new(&pierhead_domain::SystemRng)),
    };
    let cell = Arc::new(SnapshotCell::new(snapshot));
    let mut config = GatewayConfig::new(Arc::new(SystemClock), Arc::new(SystemRng), ports, cell);
    config.addr = listen.parse()?;
    config.threads = NonZeroUsize::new(2);
    let gateway = Gateway::start(config)?;
    println!("{}", gateway.local_addr());
    std::io::stdout().flush()?;
    loop {
        std::thread::park();
    }
}

fn bare(endpoint: Endpoint) -> Result<Snapshot, Box<dyn Error>> {
    deploy(&design("/", Vec::new(), EndpointFlows::default()), ProviderKind::Internet(endpoint))
}

fn story(endpoint: Endpoint) -> Result<Snapshot, Box<dyn Error>> {
    let policies = [
        (
            "Check-Key",
            "VerifyAPIKey",
            r#"<VerifyAPIKey name="Check-Key"><APIKey ref="request.header.apikey"/></VerifyAPIKey>"#,
        ),
        (
            "Read-Map",
            "KeyValueMapOperations",
            r#"<KeyValueMapOperations name="Read-Map" mapIdentifier="settings"><Scope>apiproxy</Scope><Get assignTo="private.region"><Key><Parameter>region</Parameter></Key></Get></KeyValueMapOperations>"#,
        ),
        (
            "Set-Headers",
            "AssignMessage",
            r#"<AssignMessage name="Set-Headers"><Remove><Headers><Header name="apikey"/></Headers></Remove><Set><Headers><Header name="X-Region">{private.region}</Header><Header name="X-App">{developer.app.name}</Header></Headers></Set><AssignTo createNew="false" type="request">request</AssignTo></AssignMessage>"#,
        ),
        (
            "OpenConnectors",
            "OpenConnectors",
            r#"<OpenConnectors name="OpenConnectors"><InstanceSecret kvm-map-name="apim.oc.instance.token" kvm-key-name="default"/></OpenConnectors>"#,
        ),
    ];
    let steps = |names: &[&str]| -> Vec<Step> {
        names.iter().map(|name| Step { policy: (*name).to_owned(), condition: String::new() }).collect()
    };
    let policies = policies.map(|(name, kind, xml)| PolicyText {
        name: name.into(),
        kind: kind.into(),
        xml: xml.into(),
        fixed: false,
    });
    let pre = Flow {
        request: steps(&["Check-Key", "Read-Map", "Set-Headers", "OpenConnectors"]),
        ..Flow::default()
    };
    let design =
        design("/elements/api-v2/", policies.to_vec(), EndpointFlows { pre, ..EndpointFlows::default() });
    let provider = OpenConnectorsProvider {
        hub: HubPlace::Remote(endpoint),
        organization_secret: "0123456789abcdef0123456789abcdef".into(),
        user_secret: "dXNlci1zZWNyZXQtb2YtMzItYnl0ZXMtaW4tYmFzZTY0".into(),
        allowed_platform_roots: Vec::new(),
    };
    let snapshot = deploy(&design, ProviderKind::OpenConnectors(provider))?;
    let of_proxy = || KvmScope::Proxy("bench".into());
    let entry = |key: &str, value: &str| [(key.to_owned(), SecretString::from(value))];
    let snapshot = snapshot.with_kvm_map(of_proxy(), "settings", entry("region", "eu"), false).with_kvm_map(
        of_proxy(),
        "apim.oc.instance.token",
        entry("default", "aW5zdGFuY2UtdG9rZW4tb2YtMzItYnl0ZXMtYmFzZTY0"),
        true,
    );
    Ok(snapshot.with_keys(keys()))
}

/// Ten thousand keys; the benchmark sends `key-0`. The hash is none: the vault's is measured elsewhere.
fn keys() -> KeyTable {
    let hash = |key: &str| {
        let mut hash = [0; 32];
        for (to, from) in hash.iter_mut().zip(key.bytes()) {
            *to = from;
        }
        hash
    };
    let product = Arc::new(ApiProduct { name: "all".into(), ..ApiProduct::default() });
    let key = |index: usize| {
        let app = DeveloperApp { name: format!("app-{index}").into(), ..DeveloperApp::default() };
        let key = ApiKey {
            standing: Standing::Approved,
            expires_at: None,
            secret: None,
            products: vec![(Arc::clone(&product), Standing::Approved)],
            app: Arc::new(app),
            attributes: Attributes::default(),
        };
        (hash(&format!("key-{index}")), Arc::new(key))
    };
    KeyTable::new(Arc::new(hash), (0..10_000).map(key))
}

fn design(relative_path: &str, policies: Vec<PolicyText>, flows: EndpointFlows) -> ProxyDesign {
    let destination = Destination::Provider { name: "upstream".into(), relative_path: relative_path.into() };
    ProxyDesign {
        name: "bench".into(),
        proxy_endpoints: vec![ProxyEndpoint {
            name: "default".into(),
            base_path: "/".into(),
            routes: vec![RouteRule {
                name: "default".into(),
                target: Some("default".into()),
                ..RouteRule::default()
            }],
            ..ProxyEndpoint::default()
        }],
        target_endpoints: vec![TargetEndpoint {
            name: "default".into(),
            destination,
            flows,
            ..TargetEndpoint::default()
        }],
        policies,
        ..ProxyDesign::default()
    }
}

fn deploy(design: &ProxyDesign, kind: ProviderKind) -> Result<Snapshot, Box<dyn Error>> {
    let empty = Snapshot::empty("bench", "test");
    let mut world = World::new(Arc::new(empty.clone()));
    world.providers.insert("upstream".into(), Arc::new(Provider { name: "upstream".into(), kind }));
    let proxy = compile(design, "1", &world).map_err(|problems| format!("{problems:?}"))?;
    Ok(empty.with_proxy(proxy)?)
}

struct NoWrites;

impl KvmWriter for NoWrites {
    fn put(&self, _: KvmAddress, _: String, _: bool) -> PortFuture<Result<(), KvmUnavailable>> {
        Box::pin(async { Err(KvmUnavailable("the benchmark has no store".into())) })
    }

    fn delete(&self, _: KvmAddress) -> PortFuture<Result<(), KvmUnavailable>> {
        Box::pin(async { Err(KvmUnavailable("the benchmark has no store".into())) })
    }
}
