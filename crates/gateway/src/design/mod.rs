//! The one model of API proxies and shared flows that both dialects parse into and export from
//! (api-management §1–3).
//!
//! A design is what a person drew: names, conditions as text, policies as XML. It is stored, compared and
//! exported as it is; [`crate::compile`] turns it into something that runs.

mod callouts;
mod endpoint;
mod flow;
mod target;

use serde::{Deserialize, Serialize};

pub use endpoint::{Property, ProxyEndpoint, RouteRule, TlsSettings};
pub use flow::{EndpointFlows, EventFlow, FaultRule, Flow, Step};
pub use target::{
    BalancedServer, Destination, HealthMonitor, HealthProbe, HttpProbe, LoadBalancer, TargetEndpoint,
};

/// One API proxy, all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProxyDesign {
    /// Unique in the organization.
    pub name: String,
    /// For people.
    pub title: String,
    /// For people.
    pub description: String,
    /// `REST`, `ODATA` or `SOAP`.
    pub service_code: String,
    /// Entrances; at least one.
    pub proxy_endpoints: Vec<ProxyEndpoint>,
    /// Exits; may be empty when every route is the null route.
    pub target_endpoints: Vec<TargetEndpoint>,
    /// Policies by name, as written.
    pub policies: Vec<PolicyText>,
    /// Scripts and documents that policies refer to.
    pub resources: Vec<FileResource>,
    /// What a bundle carried besides, by its path in the bundle: descriptions of resources, documentation,
    /// manifests. Nothing here changes what runs; an export gives it back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enclosures: Vec<Enclosure>,
    /// What the bundle's root document says besides, by the path of the element (`life_cycle/created_by`,
    /// `@revision`). Nothing here changes what runs; an export gives it back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<Property>,
}

/// Steps that proxies share (Apigee's shared flow bundle, api-management §3).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SharedFlowDesign {
    /// Unique in the organization; FlowCallout and flow hooks refer to it.
    pub name: String,
    /// For people.
    pub title: String,
    /// For people.
    pub description: String,
    /// What runs, in order, wherever it is called from.
    pub steps: Vec<Step>,
    /// Policies by name, as written.
    pub policies: Vec<PolicyText>,
    /// Scripts and documents that policies refer to.
    pub resources: Vec<FileResource>,
    /// As in [`ProxyDesign::enclosures`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enclosures: Vec<Enclosure>,
    /// As in [`ProxyDesign::annotations`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<Property>,
}

/// A policy as written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PolicyText {
    /// Unique in the proxy; steps refer to it.
    pub name: String,
    /// The root element: `AssignMessage`, `KeyValueMapOperations`, ….
    pub kind: String,
    /// The whole document.
    pub xml: String,
    /// Made by the product and not editable, as the OpenConnectors policy is (seed 1, step 3).
    #[serde(default)]
    pub fixed: bool,
}

/// A script or document of a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileResource {
    /// File name with extension.
    pub name: String,
    /// `jsc`, `xsl`, `xsd`, `wsdl`, `oas`, `properties`, `java`, ….
    pub kind: String,
    /// The text; in base64 when [`Self::binary`].
    pub content: String,
    /// It is not UTF-8 text, as a Java archive is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub binary: bool,
}

/// A file of a bundle that nothing runs from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Enclosure {
    /// Below the bundle's root, with `/`.
    pub path: String,
    /// The text; in base64 when [`Self::binary`].
    pub content: String,
    /// It is not UTF-8 text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub binary: bool,
}
