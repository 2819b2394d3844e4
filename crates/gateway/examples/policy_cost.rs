//! Prints what each policy costs: nanoseconds per request, above the same proxy without it.
//!
//! `cargo run --release -p pierhead-gateway --example policy_cost`. One thread; the best of several rounds,
//! since a busy machine only ever adds time. The budget of a policy is 1 µs.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measuring tool, not the product"
)]

use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue, Method, Version};
use pierhead_domain::{SecretString, SeededRng, SystemClock};
use pierhead_gateway::analytics::RecentAnalytics;
use pierhead_gateway::callout::{Callout, LocalFuture, Outbound};
use pierhead_gateway::compile::{HubPlace, OpenConnectorsProvider, Provider, ProviderKind, World, compile};
use pierhead_gateway::design::{
    Destination, PolicyText, ProxyDesign, ProxyEndpoint, RouteRule, Step, TargetEndpoint,
};
use pierhead_gateway::exchange::{Incoming, Message, MessageBody, Services};
use pierhead_gateway::fault::EngineFault;
use pierhead_gateway::flow;
use pierhead_gateway::ports::{KvmAddress, KvmScope, KvmUnavailable, KvmWriter, PortFuture, Ports};
use pierhead_gateway::snapshot::{
    ApiKey, ApiProduct, Attributes, DeveloperApp, KeyTable, Snapshot, Standing,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 15;
const REQUESTS: usize = 20_000;

const POLICIES: &[(&str, &str)] = &[
    ("(no policy)", ""),
    (
        "AssignMessage, a literal header",
        "<AssignMessage><Set><Headers><Header name=\"x-a\">b</Header></Headers></Set></AssignMessage>",
    ),
    (
        "AssignMessage, a header of two variables",
        "<AssignMessage><Set><Headers><Header name=\"x-a\">{request.verb} {proxy.pathsuffix}</Header></Headers></Set></AssignMessage>",
    ),
    (
        "AssignMessage, remove two headers",
        "<AssignMessage><Remove><Headers><Header name=\"x-api-key\"/><Header name=\"x-none\"/></Headers></Remove></AssignMessage>",
    ),
    (
        "AssignMessage, set a variable",
        "<AssignMessage><AssignVariable><Name>flow.a</Name><Ref>request.verb</Ref></AssignVariable></AssignMessage>",
    ),
    (
        "KeyValueMapOperations, one Get",
        "<KeyValueMapOperations mapIdentifier=\"m\"><Scope>apiproxy</Scope><Get assignTo=\"private.v\"><Key><Parameter>k</Parameter></Key></Get></KeyValueMapOperations>",
    ),
    ("VerifyAPIKey, 10,000 keys", "<VerifyAPIKey><APIKey ref=\"request.header.x-api-key\"/></VerifyAPIKey>"),
    (
        "OpenConnectors",
        "<OpenConnectors><InstanceSecret kvm-map-name=\"m\" kvm-key-name=\"k\"/></OpenConnectors>",
    ),
    ("RaiseFault (with the stock answer)", "<RaiseFault/>"),
    (
        "Quota, rolling window, by caller",
        "<Quota type=\"rollingwindow\"><Allow count=\"1000000000\"/><Interval>1</Interval><TimeUnit>minute</TimeUnit><Identifier ref=\"request.header.x-api-key\"/></Quota>",
    ),
    (
        "Quota, calendar window, by caller",
        "<Quota><Allow count=\"1000000000\"/><Interval>1</Interval><TimeUnit>minute</TimeUnit><Identifier ref=\"request.header.x-api-key\"/></Quota>",
    ),
    (
        "SpikeArrest, by caller",
        "<SpikeArrest><Rate>1000000000ps</Rate><Identifier ref=\"request.header.x-api-key\"/></SpikeArrest>",
    ),
    ("ConcurrentRatelimit", "<ConcurrentRatelimit><AllowConnections count=\"1000\"/></ConcurrentRatelimit>"),
    (
        "PopulateCache",
        "<PopulateCache><CacheKey><KeyFragment ref=\"request.uri\"/></CacheKey><Source>request.verb</Source></PopulateCache>",
    ),
    (
        "LookupCache (nothing there)",
        "<LookupCache><CacheKey><KeyFragment ref=\"request.uri\"/></CacheKey><AssignTo>flow.a</AssignTo></LookupCache>",
    ),
    (
        "ResponseCache (nothing there)",
        "<ResponseCache><CacheKey><KeyFragment ref=\"request.uri\"/></CacheKey></ResponseCache>",
    ),
    (
        "InvalidateCache, one key",
        "<InvalidateCache><CacheKey><KeyFragment ref=\"request.uri\"/></CacheKey></InvalidateCache>",
    ),
    (
        "AccessControl, three networks",
        "<AccessControl><IPRules noRuleMatchAction=\"DENY\"><MatchRule action=\"DENY\"><SourceAddress mask=\"8\">10.0.0.0</SourceAddress><SourceAddress mask=\"16\">192.168.0.0</SourceAddress></MatchRule><MatchRule action=\"ALLOW\"><SourceAddress mask=\"8\">127.0.0.1</SourceAddress></MatchRule></IPRules></AccessControl>",
    ),
    (
        "CORS, no page calls",
        "<CORS><AllowOrigins>https://a.example</AllowOrigins><AllowMethods>GET, PUT</AllowMethods></CORS>",
    ),
    (
        "HTTPModifier, set and remove a header",
        "<HTTPModifier><Set><Headers><Header name=\"x-a\">b</Header></Headers></Set><Remove><Headers><Header name=\"x-api-key\"/></Headers></Remove></HTTPModifier>",
    ),
];

const CONDITIONS: &[(&str, &str)] = &[
    ("condition: verb", "request.verb = \"POST\""),
    (
        "condition: path and verb",
        "(proxy.pathsuffix MatchesPath \"/a/*\" OR proxy.pathsuffix MatchesPath \"/files/**\") AND (request.verb = \"POST\")",
    ),
    ("condition: regular expression", "proxy.pathsuffix JavaRegex \"/v[0-9]+/.*\""),
];

fn main() {
    // The first run warms the machine up.
    measure("", "");
    let base = measure("", "");
    for (name, xml) in POLICIES {
        report(name, measure(xml, ""), base);
    }
    for (name, condition) in CONDITIONS {
        report(name, measure("<RaiseFault/>", condition), base);
    }
}

fn report(name: &str, nanos: f64, base: f64) {
    println!("{name:<45} {nanos:>7.0} ns  (+{:>5.0} ns)", nanos - base);
}

/// Nanoseconds of a request from its head to the decision where it goes.
fn measure(policy: &str, condition: &str) -> f64 {
    let snapshot = Arc::new(snapshot(policy, condition));
    let services = Rc::new(Services {
        ports: Ports {
            hub: None,
            kvm: Arc::new(NoWrites),
            analytics: Arc::new(RecentAnalytics::default()),
            tokens: Arc::new(pierhead_gateway::tokens::MemoryTokens::new(&pierhead_domain::SystemRng)),
        },
        state: Arc::default(),
        clock: Arc::new(SystemClock),
        rng: Arc::new(SeededRng::new(1)),
        outbound: Rc::new(NoCalls),
        key_sets: pierhead_gateway::policy::KeySets::default(),
        google: pierhead_gateway::GoogleTokens::default(),
        node: Arc::default(),
        traces: Arc::default(),
    });
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let requests: Vec<Incoming> = (0..REQUESTS).map(|_| incoming()).collect();
            let began = Instant::now();
            for incoming in requests {
                let Ok(mut exchange) = flow::begin(snapshot.clone(), &services, incoming) else {
                    panic!("no route")
                };
                black_box(flow::run_request(&mut exchange).now_or_never());
            }
            began.elapsed().as_secs_f64() * 1e9 / REQUESTS as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[0]
}

fn incoming() -> Incoming {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "api.example"),
        ("user-agent", "curl/8.0"),
        ("accept", "*/*"),
        ("authorization", "Bearer abcdefghijklmnopqrstuvwxyz"),
        ("x-api-key", "key-4711"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let uri = "/googledrive/files/42?path=/a.pdf".parse().unwrap();
    Incoming {
        request: Message::request(Method::GET, uri, Version::HTTP_11, headers, MessageBody::Empty),
        client: "127.0.0.1:40000".parse().unwrap(),
        local: "127.0.0.1:8080".parse().unwrap(),
        tls: None,
        received: pierhead_domain::EpochMillis::new(0),
    }
}

fn snapshot(policy: &str, condition: &str) -> Snapshot {
    let mut world = World::new(Arc::new(Snapshot::empty("o", "e")));
    let hub = OpenConnectorsProvider {
        hub: HubPlace::ThisInstallation,
        organization_secret: "ce7f1f9be0d2a8b1f37bcfa6d71eda20".into(),
        user_secret: "7OpR4MRo7wnPoVKkKFXhHhBUPRzqutoem/d+WEnR1kY=".into(),
        allowed_platform_roots: Vec::new(),
    };
    let provider = Provider { name: "oc".into(), kind: ProviderKind::OpenConnectors(hub) };
    world.providers.insert("oc".into(), Arc::new(provider));
    let mut design = ProxyDesign {
        name: "P".into(),
        proxy_endpoints: vec![ProxyEndpoint {
            name: "default".into(),
            base_path: "/googledrive".into(),
            routes: vec![RouteRule { target: Some("default".into()), ..RouteRule::default() }],
            ..ProxyEndpoint::default()
        }],
        target_endpoints: vec![TargetEndpoint {
            name: "default".into(),
            destination: Destination::Provider {
                name: "oc".into(),
                relative_path: "/elements/api-v2/".into(),
            },
            ..TargetEndpoint::default()
        }],
        ..ProxyDesign::default()
    };
    if !policy.is_empty() {
        design.policies.push(PolicyText { name: "X".into(), xml: policy.into(), ..PolicyText::default() });
        let step = Step { policy: "X".into(), condition: condition.into() };
        if policy.starts_with("<ResponseCache") {
            design.target_endpoints[0].flows.post.response.push(step.clone());
        }
        design.target_endpoints[0].flows.post.request.push(step);
    }
    let proxy = compile(&design, "1", &world).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let value = SecretString::from("fJ5HQ135fW4okMt5AWq0hzm2X7kaK5OpQB0Uxjvlz6U=");
    let scope = KvmScope::Proxy("P".into());
    let base = world.running.with_kvm_map(scope, "m", [("k".into(), value)], true).with_keys(keys());
    base.with_proxy(proxy).unwrap_or_else(|taken| panic!("{taken}"))
}

/// A keyed hash of the same cost as the real one: HMAC-SHA-256.
fn keys() -> KeyTable {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let keyed = Hmac::<sha2::Sha256>::new_from_slice(&[7; 32]).unwrap();
    let hash = move |key: &str| -> [u8; 32] {
        let mut mac = keyed.clone();
        mac.update(key.as_bytes());
        mac.finalize().into_bytes().into()
    };
    let product = Arc::new(ApiProduct { name: "gold".into(), ..ApiProduct::default() });
    let key = |_| {
        Arc::new(ApiKey {
            standing: Standing::Approved,
            expires_at: None,
            secret: None,
            products: vec![(product.clone(), Standing::Approved)],
            app: Arc::new(DeveloperApp::default()),
            attributes: Attributes::default(),
        })
    };
    let keys: Vec<_> = (0..10_000).map(|index| (hash(&format!("key-{index}")), key(index))).collect();
    KeyTable::new(Arc::new(hash), keys)
}

struct NoCalls;

impl Outbound for NoCalls {
    fn log(&self, _: pierhead_gateway::logging::LogLine) -> bool {
        false
    }

    fn call(&self, _: Callout) -> LocalFuture<Result<Message, EngineFault>> {
        Box::pin(async { Err(EngineFault::ServiceUnavailable) })
    }
}

struct NoWrites;

impl KvmWriter for NoWrites {
    fn put(&self, _: KvmAddress, _: String, _: bool) -> PortFuture<Result<(), KvmUnavailable>> {
        Box::pin(async { Ok(()) })
    }

    fn delete(&self, _: KvmAddress) -> PortFuture<Result<(), KvmUnavailable>> {
        Box::pin(async { Ok(()) })
    }
}
