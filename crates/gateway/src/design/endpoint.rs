//! Entrances of a proxy.

use serde::{Deserialize, Serialize};

use super::flow::EndpointFlows;

/// An entrance: a base path and what happens to its requests.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProxyEndpoint {
    /// Unique in the proxy; `default` in most.
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Starts with `/`; unique on the virtual hosts it is served by.
    pub base_path: String,
    /// Names of virtual hosts; empty means the default one.
    pub virtual_hosts: Vec<String>,
    /// Tried in order; the first whose condition holds wins.
    pub routes: Vec<RouteRule>,
    /// What runs.
    pub flows: EndpointFlows,
    /// Endpoint properties (api-management §9.7).
    pub properties: Vec<Property>,
    /// TLS of the listener as the bundle asks for it; the virtual host decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSettings>,
}

/// A route from an entrance to an exit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteRule {
    /// For people and `route.name`.
    pub name: String,
    /// Empty means always.
    pub condition: String,
    /// Name of the target endpoint; `None` with no URL either is the null route.
    pub target: Option<String>,
    /// An absolute URL instead of a target endpoint (Apigee, `RouteRule/URL`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A named setting of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Property {
    /// For example `io.timeout.millis`.
    pub name: String,
    /// As written.
    pub value: String,
}

/// TLS of an endpoint (`SSLInfo`, api-management §3). Names of stores may be `ref://…` or templates.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TlsSettings {
    /// Whether TLS is spoken.
    pub enabled: bool,
    /// Our side shows a certificate.
    pub client_auth: bool,
    /// Store of our certificate.
    pub key_store: String,
    /// Which certificate of the store.
    pub key_alias: String,
    /// Store of the certificates that are trusted; empty is the public ones.
    pub trust_store: String,
    /// Cipher suites, by their names; empty is the safe default.
    pub ciphers: Vec<String>,
    /// `TLSv1.2`, `TLSv1.3`; empty is both.
    pub protocols: Vec<String>,
    /// Accepts any certificate.
    pub ignore_validation_errors: bool,
    /// Verifies even what the environment would let pass.
    pub enforce: bool,
    /// The name the certificate must carry; empty is the host's.
    pub common_name: String,
    /// `common_name` may start with `*.`.
    pub common_name_wildcard: bool,
}
