//! Many API proxies in one gateway, for `cargo xtask bench gateway`.
//!
//! `bench_routes <listen> <upstream port> <proxies> <swap every ms, 0 is never>`: proxy `p<k>` serves
//! `/p<k>` and passes everything through. With swaps, one proxy after another is compiled and deployed anew, as
//! a deployment does. Prints one line when it serves (`ready`, then the milliseconds that deploying all
//! took) and one per swap (`swapped`, then its microseconds); serves until it is killed.

#![expect(clippy::print_stdout, reason = "says when it serves and what a swap took")]

use std::error::Error;
use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pierhead_domain::{SystemClock, SystemRng};
use pierhead_gateway::analytics::RecentAnalytics;
use pierhead_gateway::compile::{CompiledProxy, Endpoint, Provider, ProviderKind, World, compile};
use pierhead_gateway::design::{Destination, ProxyDesign, ProxyEndpoint, RouteRule, TargetEndpoint};
use pierhead_gateway::ports::{KvmAddress, KvmUnavailable, KvmWriter, PortFuture, Ports};
use pierhead_gateway::snapshot::{Snapshot, SnapshotCell};
use pierhead_gateway::tokens::MemoryTokens;
use pierhead_gateway::{Gateway, GatewayConfig};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, listen, upstream, proxies, swap_every] = arguments.as_slice() else {
        return Err("usage: bench_routes <listen> <upstream port> <proxies> <swap every ms>".into());
    };
    let proxies: usize = proxies.parse()?;
    let swap_every = Duration::from_millis(swap_every.parse()?);

    let begun = Instant::now();
    let world = world(upstream.parse()?);
    let all = (0..proxies).map(|index| proxy(index, 1, &world)).collect::<Result<Vec<_>, _>>()?;
    let cell = Arc::new(SnapshotCell::new(Snapshot::empty("bench", "test").with_proxies(all)?));
    let ports = Ports {
        hub: None,
        kvm: Arc::new(NoWrites),
        analytics: Arc::new(RecentAnalytics::default()),
        tokens: Arc::new(MemoryTokens::new(&SystemRng)),
    };
    let mut config = GatewayConfig::new(Arc::new(SystemClock), Arc::new(SystemRng), ports, Arc::clone(&cell));
    config.addr = listen.parse()?;
    config.threads = std::thread::available_parallelism().ok().or(NonZeroUsize::new(2));
    let _gateway = Gateway::start(config)?;
    say("ready", begun.elapsed().as_millis())?;

    if swap_every.is_zero() {
        loop {
            std::thread::park();
        }
    }
    for revision in 2.. {
        std::thread::sleep(swap_every);
        let begun = Instant::now();
        let proxy = proxy(revision % proxies, revision, &world)?;
        cell.try_update(|present| present.with_proxy(proxy))?;
        say("swapped", begun.elapsed().as_micros())?;
    }
    Ok(())
}

fn say(what: &str, number: u128) -> std::io::Result<()> {
    println!("{what} {number}");
    std::io::stdout().flush()
}

fn world(upstream: u16) -> World {
    let endpoint = Endpoint::new(false, "127.0.0.1", upstream);
    let mut world = World::new(Arc::new(Snapshot::empty("bench", "test")));
    let provider = Provider { name: "upstream".into(), kind: ProviderKind::Internet(endpoint) };
    world.providers.insert("upstream".into(), Arc::new(provider));
    world
}

fn proxy(index: usize, revision: usize, world: &World) -> Result<CompiledProxy, Box<dyn Error>> {
    let design = ProxyDesign {
        name: format!("p{index}"),
        proxy_endpoints: vec![ProxyEndpoint {
            name: "default".into(),
            base_path: format!("/p{index}"),
            routes: vec![RouteRule {
                name: "default".into(),
                target: Some("default".into()),
                ..RouteRule::default()
            }],
            ..ProxyEndpoint::default()
        }],
        target_endpoints: vec![TargetEndpoint {
            name: "default".into(),
            destination: Destination::Provider { name: "upstream".into(), relative_path: "/".into() },
            ..TargetEndpoint::default()
        }],
        ..ProxyDesign::default()
    };
    compile(&design, &revision.to_string(), world).map_err(|problems| format!("{problems:?}").into())
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
