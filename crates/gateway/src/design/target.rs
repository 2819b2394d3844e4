//! Exits of a proxy.

use serde::{Deserialize, Serialize};

use super::endpoint::{Property, TlsSettings};
use super::flow::EndpointFlows;

/// An exit: where requests go and what happens on the way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetEndpoint {
    /// Unique in the proxy; `default` in most.
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where requests go.
    pub destination: Destination,
    /// TLS towards the target, when the bundle says something about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSettings>,
    /// Credentials the original would mint towards the target (`Authentication`), the element as written.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub authentication: String,
    /// What runs.
    pub flows: EndpointFlows,
    /// Endpoint properties (api-management §9.7).
    pub properties: Vec<Property>,
}

/// Where a target endpoint sends its requests.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// Nowhere.
    #[default]
    None,
    /// An absolute URL, possibly a template.
    Url(String),
    /// An API provider by name, and a path below it.
    Provider {
        /// Name of the provider.
        name: String,
        /// Starts and may end with `/`; joined with the path suffix with exactly one slash.
        relative_path: String,
    },
    /// One of several servers, chosen per request.
    Balanced(LoadBalancer),
    /// Another proxy of the same environment, by its name and its endpoint's, with no network hop
    /// (`LocalTargetConnection`).
    LocalProxy {
        /// Name of the proxy.
        proxy: String,
        /// Name of its proxy endpoint.
        endpoint: String,
    },
    /// Whatever this environment serves at a path, with no network hop (`LocalTargetConnection/Path`).
    LocalPath(String),
    /// Something the original runs and we do not, kept for export: `ScriptTarget`, `HostedTarget`, ….
    Foreign {
        /// The element's name.
        kind: String,
        /// The element as written.
        xml: String,
    },
}

/// Servers of one target and how a request finds its own (api-management §2.3, §3).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LoadBalancer {
    /// `RoundRobin` when empty, `Weighted` or `LeastConnections`.
    pub algorithm: String,
    /// API providers (SAP) or target servers (Apigee) by name.
    pub servers: Vec<BalancedServer>,
    /// Put before the path suffix; a template.
    pub path: String,
    /// Failures after which a server is left out; 0 is never.
    pub max_failures: u32,
    /// Whether a failed request is tried on another server; `None` is yes.
    pub retry: Option<bool>,
    /// Statuses that count as failures.
    pub unhealthy_statuses: Vec<u16>,
    /// How long a failed server is left out when nothing probes it, in seconds; 0 is until the next deploy.
    pub disable_seconds: u32,
    /// Probes servers.
    pub health: Option<HealthMonitor>,
}

/// One server of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BalancedServer {
    /// Name of the API provider or target server.
    pub name: String,
    /// Share of the requests with `Weighted`; `None` is 1.
    pub weight: Option<u32>,
    /// Takes requests only when no other can.
    pub fallback: bool,
    /// Takes no requests.
    pub disabled: bool,
}

/// What tells that a server is well.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HealthMonitor {
    /// Whether anything is probed.
    pub enabled: bool,
    /// Seconds between probes.
    pub interval_seconds: u32,
    /// How.
    pub probe: HealthProbe,
}

/// How a server is probed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthProbe {
    /// A connection that opens is enough.
    Tcp {
        /// Until connected.
        connect_timeout_seconds: u32,
        /// Instead of the server's own.
        port: Option<u16>,
    },
    /// A request and the statuses that are well.
    Http(Box<HttpProbe>),
}

impl Default for HealthProbe {
    fn default() -> Self {
        Self::Tcp { connect_timeout_seconds: 0, port: None }
    }
}

/// A probe that is a request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HttpProbe {
    /// Until connected; 0 is the target's own.
    pub connect_timeout_seconds: u32,
    /// Until answered; 0 is the target's own.
    pub read_timeout_seconds: u32,
    /// Instead of the server's own.
    pub port: Option<u16>,
    /// `GET` when empty.
    pub verb: String,
    /// Starts with `/`.
    pub path: String,
    /// Headers of the request, in order.
    pub headers: Vec<Property>,
    /// Body of the request.
    pub payload: String,
    /// Adds a header that names the monitor.
    pub include_health_check_id: bool,
    /// Whether TLS is spoken; `None` is as the server says.
    pub tls: Option<bool>,
    /// Speaks TLS with the server's own stores.
    pub use_server_tls: bool,
    /// Statuses that are well; empty is 200.
    pub success_statuses: Vec<u16>,
    /// Headers that a well answer has.
    pub success_headers: Vec<Property>,
}
