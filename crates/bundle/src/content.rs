//! What a bundle is, once read.

use pierhead_gateway::design::{
    Enclosure, EndpointFlows, FileResource, PolicyText, Property, ProxyDesign, ProxyEndpoint, RouteRule,
    SharedFlowDesign, TargetEndpoint,
};
use pierhead_gateway::dialect::Dialect;
use serde::{Deserialize, Serialize};

use crate::source::Sources;
use crate::{Files, Finding, Severity};

/// A bundle that was read: the model, where each part of it stands, and what was noticed on the way.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// What it holds.
    pub content: Content,
    /// Whose layout it has.
    pub dialect: Dialect,
    /// What was noticed while reading: obsolete and unknown elements, broken documents. Errors among them
    /// forbid a deployment.
    pub findings: Vec<Finding>,
    pub(crate) sources: Sources,
}

/// What a bundle may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An API proxy.
    Proxy(Box<ProxyDesign>),
    /// A shared flow.
    SharedFlow(Box<SharedFlowDesign>),
    /// A policy template.
    Template(Box<PolicyTemplate>),
}

impl Content {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Proxy(design) => &design.name,
            Self::SharedFlow(design) => &design.name,
            Self::Template(template) => &template.name,
        }
    }

    /// `API proxy`, `shared flow` or `policy template`.
    pub const fn noun(&self) -> &'static str {
        match self {
            Self::Proxy(_) => "API proxy",
            Self::SharedFlow(_) => "shared flow",
            Self::Template(_) => "policy template",
        }
    }

    pub(crate) fn policies(&self) -> &[PolicyText] {
        match self {
            Self::Proxy(design) => &design.policies,
            Self::SharedFlow(design) => &design.policies,
            Self::Template(template) => &template.policies,
        }
    }

    pub(crate) fn resources(&self) -> &[FileResource] {
        match self {
            Self::Proxy(design) => &design.resources,
            Self::SharedFlow(design) => &design.resources,
            Self::Template(template) => &template.resources,
        }
    }
}

impl Bundle {
    /// Whether an error was found while reading.
    pub fn is_broken(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// A policy template: policies and flows that are merged into a proxy (SAP, api-management §2.6).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyTemplate {
    /// Unique.
    pub name: String,
    /// `1` in most.
    pub version: String,
    /// For people.
    pub title: String,
    /// For people.
    pub description: String,
    /// What it adds to the proxy endpoint.
    pub proxy_flows: EndpointFlows,
    /// What it adds to the target endpoint.
    pub target_flows: EndpointFlows,
    /// Policies by name, as written.
    pub policies: Vec<PolicyText>,
    /// Scripts and documents that policies refer to.
    pub resources: Vec<FileResource>,
    /// As in [`ProxyDesign::enclosures`].
    pub enclosures: Vec<Enclosure>,
    /// As in [`ProxyDesign::annotations`].
    pub annotations: Vec<Property>,
}

impl PolicyTemplate {
    /// Merges the template into a proxy: its flows are appended to those of the first proxy and the first
    /// target endpoint, its policies and resources replace those of the same name.
    pub fn apply(&self, design: &mut ProxyDesign) {
        if let Some(endpoint) = design.proxy_endpoints.first_mut() {
            append(&mut endpoint.flows, &self.proxy_flows);
        }
        if let Some(endpoint) = design.target_endpoints.first_mut() {
            append(&mut endpoint.flows, &self.target_flows);
        }
        design.policies.retain(|old| self.policies.iter().all(|new| new.name != old.name));
        design.policies.extend(self.policies.iter().cloned());
        design.resources.retain(|old| {
            self.resources.iter().all(|new| (new.kind.as_str(), new.name.as_str()) != (&old.kind, &old.name))
        });
        design.resources.extend(self.resources.iter().cloned());
    }

    /// A proxy that does what the template does and no more: `/<name>` to `destination`.
    pub fn alone(&self, destination: pierhead_gateway::design::Destination) -> ProxyDesign {
        let path: String =
            self.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let mut design = ProxyDesign {
            name: self.name.clone(),
            title: self.title.clone(),
            service_code: "REST".into(),
            proxy_endpoints: vec![ProxyEndpoint {
                name: "default".into(),
                base_path: format!("/{}", path.to_ascii_lowercase()),
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
                ..TargetEndpoint::default()
            }],
            ..ProxyDesign::default()
        };
        self.apply(&mut design);
        design
    }
}

fn append(to: &mut EndpointFlows, from: &EndpointFlows) {
    to.pre.request.extend(from.pre.request.iter().cloned());
    to.pre.response.extend(from.pre.response.iter().cloned());
    to.conditional.extend(from.conditional.iter().cloned());
    to.post.request.extend(from.post.request.iter().cloned());
    to.post.response.extend(from.post.response.iter().cloned());
    to.post_client.extend(from.post_client.iter().cloned());
    to.fault_rules.extend(from.fault_rules.iter().cloned());
    if from.default_fault_rule.is_some() {
        to.default_fault_rule.clone_from(&from.default_fault_rule);
    }
}

/// An export: files, and what the dialect has no place for.
#[derive(Debug, Clone)]
pub struct Export {
    /// Paths with the root folder.
    pub files: Files,
    /// What was left out.
    pub findings: Vec<Finding>,
}
