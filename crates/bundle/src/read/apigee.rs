//! Apigee's layout (api-management §3).

mod flows;
mod target;

use pierhead_gateway::compile::DesignPart;
use pierhead_gateway::design::{
    FileResource, PolicyText, Property, ProxyDesign, ProxyEndpoint, RouteRule, SharedFlowDesign, TlsSettings,
};

use super::file_names;
use super::shelf::{Shelf, stem};
use crate::Severity;
use crate::annotations;
use crate::source::{EndpointSource, Marks};
use crate::xml::Node;

/// What the root document of a proxy says that the files say too, or that the model has a place for.
const KNOWN: &[&str] = &[
    "@name",
    "DisplayName",
    "Description",
    "Basepaths",
    "BasePaths",
    "Policies",
    "ProxyEndpoints",
    "TargetEndpoints",
    "Resources",
    "SharedFlows",
];

pub(super) fn proxy(shelf: &mut Shelf<'_>, name: &str) -> ProxyDesign {
    let mut design = ProxyDesign { name: name.to_owned(), ..ProxyDesign::default() };
    let mut listed = (Vec::new(), Vec::new());
    if let Some((root, path)) = shelf.root_document("APIProxy") {
        design.name = root.attribute("name").filter(|name| !name.is_empty()).unwrap_or(stem(path)).to_owned();
        design.title = root.text_of("DisplayName").to_owned();
        design.description = root.text_of("Description").to_owned();
        design.annotations = annotations::read(&root, KNOWN);
        listed = (list(&root, "ProxyEndpoints"), list(&root, "TargetEndpoints"));
    }
    design.policies = policies(shelf);
    for path in shelf.in_folder("proxies") {
        design.proxy_endpoints.extend(proxy_endpoint(shelf, path));
    }
    for path in shelf.in_folder("targets") {
        design.target_endpoints.extend(target::endpoint(shelf, path));
    }
    design.proxy_endpoints.sort_by_cached_key(|endpoint| place(&listed.0, &endpoint.name));
    design.target_endpoints.sort_by_cached_key(|endpoint| place(&listed.1, &endpoint.name));
    let proxies = design.proxy_endpoints.iter_mut().map(|endpoint| &mut endpoint.flows);
    let targets = design.target_endpoints.iter_mut().map(|endpoint| &mut endpoint.flows);
    file_names::resolve(shelf, proxies.chain(targets).flat_map(file_names::steps));
    design.resources = resources(shelf);
    design.enclosures = shelf.enclosures();
    design
}

pub(super) fn shared_flow(shelf: &mut Shelf<'_>, name: &str) -> SharedFlowDesign {
    let mut design = SharedFlowDesign { name: name.to_owned(), ..SharedFlowDesign::default() };
    if let Some((root, path)) = shelf.root_document("SharedFlowBundle") {
        design.name = root.attribute("name").filter(|name| !name.is_empty()).unwrap_or(stem(path)).to_owned();
        design.title = root.text_of("DisplayName").to_owned();
        design.description = root.text_of("Description").to_owned();
        design.annotations = annotations::read(&root, KNOWN);
    }
    design.policies = policies(shelf);
    let paths = shelf.in_folder("sharedflows");
    if paths.is_empty() {
        shelf.note(Severity::Error, "NoSharedFlow", ("sharedflows", 0), "there is no shared flow");
    }
    for (index, path) in paths.into_iter().enumerate() {
        let Some((root, _)) = shelf.document(path) else { continue };
        if index > 0 {
            let message = "a second shared flow; one bundle holds one";
            shelf.note(Severity::Error, "ManySharedFlows", (path, root.line), message);
            continue;
        }
        shelf.only(path, &root, &["Step", "Description"]);
        let mut marks = Marks::default();
        design.steps = flows::steps(shelf, path, Some(&root), &mut marks);
        let source = EndpointSource { file: shelf.path(path), line: root.line, marks };
        shelf.sources.endpoints.insert(DesignPart::SharedFlow, source);
    }
    file_names::resolve(shelf, design.steps.iter_mut());
    design.resources = resources(shelf);
    design.enclosures = shelf.enclosures();
    design
}

/// The names that the root document lists under an element.
fn list(root: &Node, element: &str) -> Vec<String> {
    root.child(element)
        .into_iter()
        .flat_map(|list| &list.children)
        .map(|item| item.text().to_owned())
        .collect()
}

/// What the root document lists comes first, in its order, then the rest: `default`, then by name.
pub(super) fn place(listed: &[String], name: &str) -> (usize, bool, String) {
    let at = listed.iter().position(|listed| listed == name).unwrap_or(listed.len());
    (at, name != "default", name.to_owned())
}

fn policies(shelf: &mut Shelf<'_>) -> Vec<PolicyText> {
    let paths = shelf.in_folder("policies").into_iter().filter(|path| path.ends_with(".xml"));
    let mut all: Vec<_> = paths.filter_map(|path| shelf.policy(path, false)).collect();
    // Files may have other names, and an export gives them these.
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

/// `resources/<kind>/<name>`, where the name of some kinds has folders in it.
fn resources(shelf: &mut Shelf<'_>) -> Vec<FileResource> {
    let mut all = Vec::new();
    for path in shelf.below_folder("resources") {
        let Some((kind, name)) = path.split_once('/').and_then(|(_, rest)| rest.split_once('/')) else {
            continue;
        };
        all.extend(shelf.resource(path, kind, name));
    }
    all
}

fn proxy_endpoint(shelf: &mut Shelf<'_>, path: &str) -> Option<ProxyEndpoint> {
    let (root, _) = shelf.document(path)?;
    if root.name != "ProxyEndpoint" {
        let message = format!("a ProxyEndpoint is expected here, not {}", root.name);
        shelf.note(Severity::Error, "UnexpectedDocument", (path, root.line), message);
        return None;
    }
    let mut marks = Marks::default();
    let name = root.attribute("name").filter(|name| !name.is_empty()).unwrap_or(stem(path)).to_owned();
    shelf.only(path, &root, &[flows::KNOWN, &["HTTPProxyConnection", "RouteRule"]].concat());
    let mut endpoint = ProxyEndpoint {
        description: root.text_of("Description").to_owned(),
        flows: flows::flows(shelf, path, &root, &mut marks),
        ..ProxyEndpoint::default()
    };
    if let Some(connection) = root.child("HTTPProxyConnection") {
        shelf.only(path, connection, &["BasePath", "VirtualHost", "Properties", "SSLInfo"]);
        endpoint.base_path = connection.text_of("BasePath").to_owned();
        let hosts = connection.children_named("VirtualHost").map(|host| host.text().to_owned());
        endpoint.virtual_hosts = hosts.filter(|host| !host.is_empty()).collect();
        endpoint.properties = properties(connection);
        endpoint.tls = connection.child("SSLInfo").map(|tls| tls_settings(shelf, path, tls));
    }
    for rule in root.children_named("RouteRule") {
        if let Some(integration) = rule.child("IntegrationEndpoint") {
            let message = "a route to an integration endpoint cannot run here";
            shelf.note(Severity::Error, "UnsupportedRoute", (path, integration.line), message);
        }
        shelf.only(path, rule, &["Condition", "TargetEndpoint", "URL", "IntegrationEndpoint", "Description"]);
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        marks.routes.push((rule.attribute("name").unwrap_or_default().to_owned(), rule.line));
        endpoint.routes.push(RouteRule {
            name: rule.attribute("name").unwrap_or_default().to_owned(),
            condition: rule.text_of("Condition").to_owned(),
            target: some(rule.text_of("TargetEndpoint")),
            url: some(rule.text_of("URL")),
        });
    }
    let source = EndpointSource { file: shelf.path(path), line: root.line, marks };
    shelf.sources.endpoints.insert(DesignPart::ProxyEndpoint(name.clone()), source);
    endpoint.name = name;
    Some(endpoint)
}

/// `Properties/Property` of a connection.
fn properties(connection: &Node) -> Vec<Property> {
    let all = connection.children_named("Properties").flat_map(|list| list.children_named("Property"));
    all.map(|property| Property {
        name: property.attribute("name").unwrap_or_default().trim().to_owned(),
        value: property.text().to_owned(),
    })
    .collect()
}

/// `SSLInfo`.
fn tls_settings(shelf: &mut Shelf<'_>, path: &str, node: &Node) -> TlsSettings {
    shelf.only(
        path,
        node,
        &[
            "Enabled",
            "ClientAuthEnabled",
            "KeyStore",
            "KeyAlias",
            "TrustStore",
            "Ciphers",
            "Protocols",
            "IgnoreValidationErrors",
            "CommonName",
            "Enforce",
        ],
    );
    let texts = |list: &str, item: &str| -> Vec<String> {
        let items = node.child(list).into_iter().flat_map(|list| list.children_named(item));
        items.map(|item| item.text().to_owned()).filter(|text| !text.is_empty()).collect()
    };
    let wildcard = node.child("CommonName").and_then(|name| name.attribute("wildcardMatch"));
    TlsSettings {
        enabled: shelf.flag(path, node.child("Enabled"), false),
        client_auth: shelf.flag(path, node.child("ClientAuthEnabled"), false),
        key_store: node.text_of("KeyStore").to_owned(),
        key_alias: node.text_of("KeyAlias").to_owned(),
        trust_store: node.text_of("TrustStore").to_owned(),
        ciphers: texts("Ciphers", "Cipher"),
        protocols: texts("Protocols", "Protocol"),
        ignore_validation_errors: shelf.flag(path, node.child("IgnoreValidationErrors"), false),
        enforce: shelf.flag(path, node.child("Enforce"), false),
        common_name: node.text_of("CommonName").to_owned(),
        common_name_wildcard: wildcard.is_some_and(|text| text.trim().eq_ignore_ascii_case("true")),
    }
}
