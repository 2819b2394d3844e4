//! What a proxy is compiled against.

use std::sync::Arc;
use std::time::Duration;

use ahash::{AHashMap, AHashSet};
use pierhead_domain::{OrganizationSecret, UserSecret};

use crate::design::{FileResource, TlsSettings};
use crate::dialect::Dialect;
use crate::google::GoogleAccount;
use crate::key_stores::KeyStores;
use crate::logging::LogFolder;
use crate::property_set::PropertySets;
use crate::snapshot::Snapshot;
use crate::target_tls::{TargetTls, TlsAsked, TlsPlan, Unmet};

/// What surrounds a proxy when it is compiled. When one of these changes, the proxies that use it are
/// compiled again.
#[derive(Debug, Clone)]
pub struct World {
    /// The running state: whose base paths are taken, and the names of organization and environment.
    pub running: Arc<Snapshot>,
    /// What will run together with the proxy.
    pub coming: Arc<Coming>,
    /// API providers by name.
    pub providers: AHashMap<String, Arc<Provider>>,
    /// Target servers by name.
    pub target_servers: AHashMap<String, Arc<TargetServer>>,
    /// JavaScript that takes the place of code that cannot run here, by what it takes the place of: the name
    /// of a Java class (`com.example.Sign`) or of a Python file (`sign.py`).
    pub substitutes: AHashMap<String, Arc<str>>,
    /// In whose name Google's services are called; without it what needs their tokens cannot run.
    pub google: Option<Arc<GoogleAccount>>,
    /// Where files of logs are written; without it what writes them cannot run.
    pub log_folder: Option<LogFolder>,
    /// Files of the environment, then those of the organization; a design's own and earlier ones hide those of
    /// the same kind and name. Property sets are not read from here.
    pub resources: Arc<[FileResource]>,
    /// Property sets of the environment.
    pub property_sets: PropertySets,
    /// Key stores and trust stores of the environment.
    pub key_stores: KeyStores,
    /// Which original the environment behaves like.
    pub dialect: Dialect,
    /// Bounds for every proxy.
    pub limits: Limits,
}

impl World {
    /// A world without providers around `running`.
    pub fn new(running: Arc<Snapshot>) -> Self {
        Self {
            running,
            coming: Arc::default(),
            providers: AHashMap::new(),
            target_servers: AHashMap::new(),
            substitutes: AHashMap::new(),
            google: None,
            log_folder: None,
            resources: Arc::new([]),
            property_sets: PropertySets::default(),
            key_stores: KeyStores::default(),
            dialect: Dialect::default(),
            limits: Limits::default(),
        }
    }

    /// The server with its own record of TLS made ready.
    pub(crate) fn secured(&self, endpoint: &Endpoint) -> Result<Endpoint, Unmet> {
        let mut endpoint = endpoint.clone();
        if let Some(settings) = &endpoint.ssl {
            let asked = TlsAsked::read(settings, &self.key_stores)?;
            endpoint.trust_all |= asked.trust_all;
            endpoint.identity = match asked.plan {
                None => None,
                Some(TlsPlan::Fixed(tls)) => Some(tls),
                Some(TlsPlan::Named(_)) => {
                    return Err(Unmet {
                        element: "KeyStore",
                        why: "a server's record has no variables".into(),
                    });
                }
            };
        }
        Ok(endpoint)
    }

    /// A target server, else an API provider of that name; and whether it takes requests.
    pub(crate) fn server(&self, name: &str) -> Option<(Endpoint, bool)> {
        if let Some(server) = self.target_servers.get(name) {
            return Some((server.endpoint.clone(), server.enabled));
        }
        match &self.providers.get(name)?.kind {
            ProviderKind::Internet(endpoint) => Some((endpoint.clone(), true)),
            // The secrets of a hub go to one place only.
            ProviderKind::OpenConnectors(_) => None,
        }
    }
}

/// Names of what is put into the snapshot together with a design, and counts as running for it.
#[derive(Debug, Clone, Default)]
pub struct Coming {
    /// API proxies.
    pub proxies: AHashSet<String>,
    /// Shared flows.
    pub shared_flows: AHashSet<String>,
}

/// Bounds for every proxy of an environment.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest body, in bytes, that is read whole because a step reads it.
    pub buffered_body_bytes: usize,
    /// The most policies in a proxy.
    pub policies: usize,
    /// The longest policy document, in bytes.
    pub policy_bytes: usize,
    /// The longest condition, in bytes.
    pub condition_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            buffered_body_bytes: 10 * 1024 * 1024,
            policies: 500,
            policy_bytes: 1024 * 1024,
            condition_bytes: 64 * 1024,
        }
    }
}

/// An API provider: a named backend system.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its name.
    pub name: Arc<str>,
    /// What it is.
    pub kind: ProviderKind,
}

impl Provider {
    /// The server it is; `None` for the hub of this installation.
    pub fn server(&self) -> Option<&Endpoint> {
        match &self.kind {
            ProviderKind::Internet(endpoint) => Some(endpoint),
            ProviderKind::OpenConnectors(provider) => match &provider.hub {
                HubPlace::Remote(endpoint) => Some(endpoint),
                HubPlace::ThisInstallation => None,
            },
        }
    }
}

/// A named server of an environment that load balancers refer to (Apigee's target server).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetServer {
    /// Where it listens, and how TLS is spoken to it.
    pub endpoint: Endpoint,
    /// Takes requests.
    pub enabled: bool,
}

/// The types of API providers (api-management §8.6).
#[derive(Debug, Clone)]
pub enum ProviderKind {
    /// Any HTTP server.
    Internet(Endpoint),
    /// An Open Connectors hub, this one's or another.
    OpenConnectors(OpenConnectorsProvider),
}

/// Where an HTTP server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// TLS towards the server.
    pub tls: bool,
    /// Name or address; brackets around an IPv6 address.
    pub host: Arc<str>,
    /// Port.
    pub port: u16,
    /// Accepts any certificate; for test systems.
    pub trust_all: bool,
    /// Put before the relative path; empty or starting with a slash and not ending with one.
    pub path_prefix: Arc<str>,
    /// Whether HTTP/2 is spoken to the server.
    pub http2: Http2,
    /// What the server's own record says about TLS (`SSLInfo` of target servers and API providers).
    pub ssl: Option<Arc<TlsSettings>>,
    /// TLS beyond the default, ready for handshakes.
    pub identity: Option<Arc<TargetTls>>,
}

impl Endpoint {
    /// A server with nothing special about it.
    pub fn new(tls: bool, host: impl Into<Arc<str>>, port: u16) -> Self {
        Self {
            tls,
            host: host.into(),
            port,
            trust_all: false,
            path_prefix: "".into(),
            http2: Http2::default(),
            ssl: None,
            identity: None,
        }
    }
}

/// Whether HTTP/2 is spoken to a target (decision 051).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Http2 {
    /// HTTP/1.1 only.
    Never,
    /// Over TLS when the target chooses it (ALPN); in clear text HTTP/1.1.
    #[default]
    Negotiated,
    /// Nothing else, in clear text too, without asking first.
    Only,
}

impl Endpoint {
    /// The URL of a path on it, without the port of its scheme.
    pub(crate) fn url(&self, path: &str) -> String {
        let (scheme, own) = if self.tls { ("https", 443) } else { ("http", 80) };
        if self.port == own {
            format!("{scheme}://{}{path}", self.host)
        } else {
            format!("{scheme}://{}:{}{path}", self.host, self.port)
        }
    }
}

/// An Open Connectors hub with the two secrets that go with every call (seed 1, step 1).
#[derive(Debug, Clone)]
pub struct OpenConnectorsProvider {
    /// Where the hub is.
    pub hub: HubPlace,
    /// `Organization` part.
    pub organization_secret: OrganizationSecret,
    /// `User` part.
    pub user_secret: UserSecret,
    /// Platform roots (`organizations`, `instances`, …) that may be called all the same (design, "No open
    /// door"); lower case, normally empty.
    pub allowed_platform_roots: Vec<Box<str>>,
}

/// Where an Open Connectors hub is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HubPlace {
    /// This installation, in process.
    ThisInstallation,
    /// Another server.
    Remote(Endpoint),
}

/// Times of a target endpoint (api-management §9.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetTimeouts {
    /// Until connected; then 503. Default 3 s.
    pub connect: Duration,
    /// Until the response begins, and between its parts; then 504 (408 while sending). Default 55 s.
    pub io: Duration,
    /// How long an idle connection is kept. Default 60 s.
    pub keep_alive: Duration,
}

impl Default for TargetTimeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            io: Duration::from_secs(55),
            keep_alive: Duration::from_secs(60),
        }
    }
}
