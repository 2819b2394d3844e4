//! The one model of an API proxy that both dialects parse into and export from (api-management §1).
//!
//! A design is what a person drew: names, conditions as text, policies as XML. It is stored, compared and
//! exported as it is; [`crate::compile`] turns it into something that runs.

use serde::{Deserialize, Serialize};

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
}

/// An entrance: a base path and what happens to its requests.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProxyEndpoint {
    /// Unique in the proxy; `default` in most.
    pub name: String,
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
}

/// An exit: where requests go and what happens on the way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetEndpoint {
    /// Unique in the proxy; `default` in most.
    pub name: String,
    /// Where requests go.
    pub destination: Destination,
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
}

/// A route from an entrance to an exit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteRule {
    /// For people and `route.name`.
    pub name: String,
    /// Empty means always.
    pub condition: String,
    /// Name of the target endpoint; `None` is the null route.
    pub target: Option<String>,
}

/// The flows of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EndpointFlows {
    /// First, always.
    pub pre: Flow,
    /// Between: only the first whose condition holds.
    pub conditional: Vec<Flow>,
    /// Last, always.
    pub post: Flow,
    /// After the answer has gone to the client.
    pub post_client: Vec<Step>,
    /// Tried when a fault was raised; order is the dialect's.
    pub fault_rules: Vec<FaultRule>,
    /// Runs when no fault rule did, or always when it says so.
    pub default_fault_rule: Option<FaultRule>,
}

/// Steps on the way in and on the way out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Flow {
    /// `PreFlow`, `PostFlow`, or the conditional flow's own.
    pub name: String,
    /// For people.
    pub description: String,
    /// Empty means always; only conditional flows have one.
    pub condition: String,
    /// On the way in.
    pub request: Vec<Step>,
    /// On the way out.
    pub response: Vec<Step>,
}

/// One policy attached to a flow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// Name of the policy.
    pub policy: String,
    /// Empty means always.
    pub condition: String,
}

/// Steps that answer a fault.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FaultRule {
    /// For people and trace.
    pub name: String,
    /// Empty means always.
    pub condition: String,
    /// Runs even after another rule ran (default fault rule only).
    pub always_enforce: bool,
    /// What runs.
    pub steps: Vec<Step>,
}

/// A named setting of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Property {
    /// For example `io.timeout.millis`.
    pub name: String,
    /// As written.
    pub value: String,
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
    /// `jsc`, `xsl`, `xsd`, `wsdl`, `oas`, `properties`, ….
    pub kind: String,
    /// The text.
    pub content: String,
}
