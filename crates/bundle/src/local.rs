//! A bundle served on this machine: in memory, with no database and no set-up.

mod echo;
mod keys;
mod maps;
mod mock;
mod settings;
mod world;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pierhead_domain::{SharedClock, SharedRng, SystemClock, SystemRng};
use pierhead_gateway::analytics::RecentAnalytics;
use pierhead_gateway::compile::{
    CompileProblem, CompiledProxy, DesignPart, World, compile, compile_shared_flow,
};
use pierhead_gateway::design::{
    Destination, EndpointFlows, Flow, PolicyText, ProxyDesign, ProxyEndpoint, RouteRule, SharedFlowDesign,
    Step,
};
use pierhead_gateway::logging::LogFolder;
use pierhead_gateway::ports::{KvmWriter, Ports};
use pierhead_gateway::snapshot::{Snapshot, SnapshotCell};
use pierhead_gateway::tokens::MemoryTokens;
use pierhead_gateway::{AccessLog, Gateway, GatewayConfig, GoogleAccount, KeyStores, RunningGateway};

use crate::content::{Bundle, Content};
use crate::report::{Report, Verdict, report};

use echo::Echo;
use maps::Maps;

pub use mock::{Mock, Seen};
pub use settings::{App, BadSettings, Map, Operation, Product, ProductQuota, Server, Settings};

/// How a bundle is served.
#[derive(Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Serving threads; `None` is one per core.
    pub threads: Option<NonZeroUsize>,
    /// Answers every call to a target as the settings' mocks say, or with an echo, instead of making it.
    pub mock_targets: bool,
    /// API keys that give access to everything.
    pub keys: Vec<String>,
    /// What surrounds the bundle.
    pub settings: Settings,
    /// JavaScript in place of code that cannot run here, by what it replaces; the settings' own come first.
    pub substitutes: BTreeMap<String, String>,
    /// In whose name Google's services are called. With mocked targets there is always somebody.
    pub google: Option<Arc<GoogleAccount>>,
    /// The folder for files that `MessageLogging` writes; without one such policies degrade.
    pub log_folder: Option<LogFolder>,
    /// Key and trust stores that it may name.
    pub key_stores: KeyStores,
    /// Shared flows that are deployed beside it.
    pub shared_flows: Vec<SharedFlowDesign>,
    /// Told about each answered request.
    pub access_log: Option<Arc<dyn AccessLog>>,
    /// Time.
    pub clock: SharedClock,
    /// Randomness.
    pub rng: SharedRng,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            threads: None,
            mock_targets: false,
            keys: Vec::new(),
            settings: Settings::default(),
            substitutes: BTreeMap::new(),
            google: None,
            log_folder: None,
            key_stores: KeyStores::default(),
            shared_flows: Vec::new(),
            access_log: None,
            clock: Arc::new(SystemClock),
            rng: Arc::new(SystemRng),
        }
    }
}

/// A gateway that serves one bundle after another. Dropping it cuts every connection.
pub struct LocalGateway {
    gateway: RunningGateway,
    snapshot: Arc<SnapshotCell>,
    /// Answers as long as the gateway runs, when targets are mocked.
    echo: Option<Echo>,
    settings: Settings,
    substitutes: BTreeMap<String, String>,
    google: Option<Arc<GoogleAccount>>,
    log_folder: Option<LogFolder>,
    /// Names of the bundles that are served.
    serving: Mutex<Vec<String>>,
    key_stores: KeyStores,
}

/// A bundle that is served.
#[derive(Debug)]
pub struct Served {
    /// What runs and what does not.
    pub report: Report,
    /// Where requests go, as paths.
    pub base_paths: Vec<String>,
}

impl LocalGateway {
    /// Starts a gateway that serves nothing yet.
    ///
    /// # Errors
    /// When an address cannot be bound. Must be called within a tokio runtime when targets are mocked.
    pub async fn start(options: Options) -> io::Result<Self> {
        let echo = if options.mock_targets {
            Some(Echo::start(options.settings.mocks.clone()).await?)
        } else {
            None
        };
        let environment = options.settings.environment.as_deref().unwrap_or("local");
        let organization = options.settings.organization.as_deref().unwrap_or("local");
        let mut first = Snapshot::empty(organization, environment);
        first = maps::with_maps(first, &options.settings.maps);
        first = first.with_keys(keys::table(&options.settings, &options.keys, options.clock.now()));
        first = with_shared_flows(first, &options.shared_flows);
        let snapshot = Arc::new(SnapshotCell::new(first));
        let kvm: Arc<dyn KvmWriter> = Arc::new(Maps(Arc::clone(&snapshot)));
        let analytics = Arc::new(RecentAnalytics::default());
        let tokens = Arc::new(MemoryTokens::new(options.rng.as_ref()));
        let ports = Ports { hub: None, kvm, analytics, tokens };
        let mut config = GatewayConfig::new(options.clock, options.rng, ports, Arc::clone(&snapshot));
        config.addr = options.listen;
        config.threads = options.threads;
        config.access_log = options.access_log;
        config.divert = echo.as_ref().map(Echo::addr);
        let gateway = Gateway::start(config)?;
        Ok(Self {
            gateway,
            snapshot,
            echo,
            settings: options.settings,
            substitutes: options.substitutes,
            key_stores: options.key_stores,
            google: options.google.or_else(|| options.mock_targets.then(world::nobody_at_google)),
            log_folder: options.log_folder,
            serving: Mutex::default(),
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.gateway.local_addr()
    }

    /// What mocked targets were asked since the last time this was called, in order; at most the last 1000.
    pub fn seen(&self) -> Vec<Seen> {
        self.echo.as_ref().map(Echo::seen).unwrap_or_default()
    }

    /// The world that bundles are compiled in; those named in `instead_of` are about to go.
    fn world(&self, bundle: &Bundle, instead_of: &[String]) -> World {
        let mut running = self.snapshot.load();
        for name in instead_of {
            running = Arc::new(running.without_proxy(name));
        }
        let mut world = world::world(running, &self.settings, self.echo.is_some().then_some(bundle));
        for (replaced, script) in &self.substitutes {
            world.substitutes.entry(replaced.clone()).or_insert_with(|| script.as_str().into());
        }
        world.google.clone_from(&self.google);
        world.log_folder.clone_from(&self.log_folder);
        world.key_stores = self.key_stores.clone();
        world
    }

    /// What would become of a bundle here; nothing changes.
    pub fn examine(&self, bundle: &Bundle) -> Report {
        report(&at_home(bundle), &self.world(bundle, &self.serving()))
    }

    fn serving(&self) -> Vec<String> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves a bundle instead of those before. What policies wrote into key value maps stays.
    ///
    /// # Errors
    /// The report, when the bundle cannot be deployed; then those before go on.
    pub fn serve(&self, bundle: &Bundle) -> Result<Served, Box<Report>> {
        self.put(bundle, &self.serving())
    }

    /// Serves a bundle beside those before; it takes the place of one of its name.
    ///
    /// # Errors
    /// The report, when the bundle cannot be deployed; then those before go on.
    pub fn serve_beside(&self, bundle: &Bundle) -> Result<Served, Box<Report>> {
        self.put(bundle, &[])
    }

    fn put(&self, bundle: &Bundle, instead_of: &[String]) -> Result<Served, Box<Report>> {
        let bundle = at_home(bundle);
        let world = self.world(&bundle, instead_of);
        let report = report(&bundle, &world);
        if report.verdict == Verdict::Refused {
            return Err(Box::new(report));
        }
        let compiled = self.compiled(&bundle, world);
        let proxy = compiled.map_err(|problems| Box::new(refused(report.clone(), &problems)))?;
        let base_paths = proxy.endpoints.iter().map(|endpoint| endpoint.base_path.to_string()).collect();
        let name = proxy.name.to_string();
        let mut serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner);
        let swapped = self.snapshot.try_update(|present| {
            let mut next = present.clone();
            for gone in instead_of {
                next = next.without_proxy(gone);
            }
            if let Content::SharedFlow(design) = &bundle.content {
                next = with_shared_flows(next, std::slice::from_ref(design));
            }
            for (address, value) in &proxy.initial_entries {
                next = maps::with_entry(&next, address, value.clone().into());
            }
            next.with_proxy(proxy)
        });
        if let Err(taken) = swapped {
            let problem = problem("DuplicateBasePath", taken.to_string());
            return Err(Box::new(refused(report, &[problem])));
        }
        serving.retain(|before| *before != name && !instead_of.contains(before));
        serving.push(name);
        Ok(Served { report, base_paths })
    }

    fn compiled(&self, bundle: &Bundle, mut world: World) -> Result<CompiledProxy, Vec<CompileProblem>> {
        world.dialect = bundle.dialect;
        match &bundle.content {
            Content::Proxy(design) => compile(design, "1", &world),
            Content::Template(template) => {
                let anywhere = Destination::Url("http://target.test".into());
                compile(
                    &template.alone(if self.echo.is_some() { anywhere } else { Destination::None }),
                    "1",
                    &world,
                )
            }
            Content::SharedFlow(design) => {
                let flow = compile_shared_flow(design, "1", &world)?;
                world.running = Arc::new(world.running.with_shared_flow(flow));
                compile(&caller_of(design), "1", &world)
            }
        }
    }

    /// Stops: requests in flight may end within a second.
    pub async fn stop(self) {
        self.gateway.shutdown(Duration::from_secs(1)).await;
    }
}

/// The bundle as this one listener can serve it: on every host name, whatever virtual hosts it names.
fn at_home(bundle: &Bundle) -> Bundle {
    let mut bundle = bundle.clone();
    if let Content::Proxy(design) = &mut bundle.content {
        for endpoint in &mut design.proxy_endpoints {
            endpoint.virtual_hosts.clear();
        }
    }
    bundle
}

/// A proxy at `/<name>` that calls a shared flow and no target.
fn caller_of(flow: &SharedFlowDesign) -> ProxyDesign {
    let policy = "Call-Shared-Flow";
    let name = flow.name.replace('&', "&amp;").replace('<', "&lt;");
    let path: String = flow.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let step = Step { policy: policy.into(), condition: String::new() };
    let pre = Flow { name: "PreFlow".into(), request: vec![step], ..Flow::default() };
    ProxyDesign {
        name: format!("{}-caller", flow.name),
        policies: vec![PolicyText {
            name: policy.into(),
            kind: "FlowCallout".into(),
            xml: format!(
                "<FlowCallout name=\"{policy}\"><SharedFlowBundle>{name}</SharedFlowBundle></FlowCallout>"
            ),
            fixed: false,
        }],
        proxy_endpoints: vec![ProxyEndpoint {
            name: "default".into(),
            base_path: format!("/{}", path.to_ascii_lowercase()),
            routes: vec![RouteRule { name: "none".into(), ..RouteRule::default() }],
            flows: EndpointFlows { pre, ..EndpointFlows::default() },
            ..ProxyEndpoint::default()
        }],
        ..ProxyDesign::default()
    }
}

/// Deploys those that compile; whoever calls another is told that it is missing.
fn with_shared_flows<'d>(
    mut snapshot: Snapshot,
    flows: impl IntoIterator<Item = &'d (impl std::borrow::Borrow<SharedFlowDesign> + 'd)>,
) -> Snapshot {
    for design in flows {
        let world = World::new(Arc::new(snapshot.clone()));
        if let Ok(flow) = compile_shared_flow(design.borrow(), "1", &world) {
            snapshot = snapshot.with_shared_flow(flow);
        }
    }
    snapshot
}

fn problem(rule: &'static str, message: String) -> CompileProblem {
    CompileProblem { part: DesignPart::Proxy, line: 0, rule, message }
}

/// A report that says why the bundle is not served after all.
fn refused(mut report: Report, problems: &[CompileProblem]) -> Report {
    report.verdict = Verdict::Refused;
    for problem in problems {
        let place = ("", problem.line);
        let message = format!("{}: {}", problem.part, problem.message);
        report.findings.insert(0, crate::Finding::new(crate::Severity::Error, problem.rule, place, message));
    }
    report
}

#[cfg(test)]
mod tests;
