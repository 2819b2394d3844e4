//! SAP's layout (api-management §2).

mod flows;
mod target;
mod template;

use pierhead_gateway::compile::DesignPart;
use pierhead_gateway::design::{FileResource, PolicyText, ProxyDesign, ProxyEndpoint, RouteRule};

use super::apigee::place;
use super::shelf::{Shelf, stem};
use crate::Severity;
use crate::annotations;
use crate::resource_kinds::kind_of_extension;
use crate::source::{EndpointSource, Marks};
use crate::xml::Node;

pub(crate) use flows::DEFAULT_FAULT_FLOW;
pub(super) use template::template;

/// What the root document of a proxy says that the files say too, or that the model has a place for.
const KNOWN: &[&str] = &[
    "name",
    "title",
    "description",
    "service_code",
    "proxyEndPoints",
    "targetEndPoints",
    "policies",
    "fileResources",
];

pub(super) fn proxy(shelf: &mut Shelf<'_>, name: &str) -> ProxyDesign {
    let mut design = ProxyDesign { name: name.to_owned(), ..ProxyDesign::default() };
    let mut listed = (Vec::new(), Vec::new());
    if let Some((root, path)) = shelf.root_document("APIProxy") {
        design.name = match root.text_of("name") {
            "" => stem(path).to_owned(),
            name => name.to_owned(),
        };
        design.title = root.text_of("title").to_owned();
        design.description = root.text_of("description").to_owned();
        design.service_code = root.text_of("service_code").to_owned();
        design.annotations = annotations::read(&root, KNOWN);
        let names = |list: &str, of: fn(&Node) -> &str| -> Vec<String> {
            root.child(list)
                .into_iter()
                .flat_map(|list| &list.children)
                .map(|item| of(item).to_owned())
                .collect()
        };
        listed = (
            names("proxyEndPoints", |item| item.text_of("proxyEndPointName")),
            names("targetEndPoints", Node::text),
        );
    }
    design.policies = policies(shelf);
    for path in shelf.in_folder("APIProxyEndPoint") {
        design.proxy_endpoints.extend(proxy_endpoint(shelf, path));
    }
    let mut targets = Vec::new();
    for path in shelf.in_folder("APITargetEndPoint") {
        targets.extend(target::endpoint(shelf, path));
    }
    design.proxy_endpoints.sort_by_cached_key(|endpoint| place(&listed.0, &endpoint.name));
    targets.sort_by_cached_key(|(is_default, target)| (!is_default, place(&listed.1, &target.name)));
    design.target_endpoints = targets.into_iter().map(|(_, target)| target).collect();
    design.resources = resources(shelf);
    design.enclosures = shelf.enclosures();
    design
}

fn policies(shelf: &mut Shelf<'_>) -> Vec<PolicyText> {
    let paths = shelf.in_folder("Policy");
    let mut all: Vec<PolicyText> = paths
        .into_iter()
        .filter(|path| path.ends_with(".xml"))
        .filter_map(|path| shelf.policy(path, true))
        .collect();
    for policy in &mut all {
        // The product makes this one and nobody edits it (seed 1, step 3).
        policy.fixed = policy.kind == "OpenConnectors";
    }
    all
}

/// `FileResource/<name>`; the kind is the extension.
fn resources(shelf: &mut Shelf<'_>) -> Vec<FileResource> {
    let mut all = Vec::new();
    for path in shelf.in_folder("FileResource") {
        let name = path.rsplit('/').next().unwrap_or(path);
        let kind = name.rsplit_once('.').and_then(|(_, extension)| kind_of_extension(extension));
        match kind {
            Some(kind) => all.extend(shelf.resource(path, kind, name)),
            None => {
                let message =
                    "a file resource is a js, py, xsl, xsd or wsdl file; this one is kept and not used";
                shelf.note(Severity::Warning, "UnknownResourceKind", (path, 0), message);
            }
        }
    }
    all
}

fn proxy_endpoint(shelf: &mut Shelf<'_>, path: &str) -> Option<ProxyEndpoint> {
    let (root, _) = shelf.document(path)?;
    if !root.name.eq_ignore_ascii_case("ProxyEndPoint") {
        let message = format!("a ProxyEndPoint is expected here, not {}", root.name);
        shelf.note(Severity::Error, "UnexpectedDocument", (path, root.line), message);
        return None;
    }
    let mut marks = Marks::default();
    let name = match root.text_of("name") {
        "" => stem(path).to_owned(),
        name => name.to_owned(),
    };
    let own = ["name", "base_path", "properties", "routeRules"];
    shelf.only(path, &root, &[flows::KNOWN, &own].concat());
    let mut endpoint = ProxyEndpoint {
        name: name.clone(),
        base_path: root.text_of("base_path").to_owned(),
        properties: flows::properties(&root),
        flows: flows::flows(shelf, path, &root, &mut marks),
        ..ProxyEndpoint::default()
    };
    let rules = root.children_named("routeRules").flat_map(|list| list.children_named("routeRule")).collect();
    for rule in flows::in_sequence(shelf, path, rules) {
        shelf.only(path, rule, &["name", "targetEndPointName", "conditions", "sequence"]);
        let target = rule.text_of("targetEndPointName");
        marks.routes.push((rule.text_of("name").to_owned(), rule.line));
        endpoint.routes.push(RouteRule {
            name: rule.text_of("name").to_owned(),
            condition: rule.text_of("conditions").to_owned(),
            target: (!target.is_empty()).then(|| target.to_owned()),
            url: None,
        });
    }
    let source = EndpointSource { file: shelf.path(path), line: root.line, marks };
    shelf.sources.endpoints.insert(DesignPart::ProxyEndpoint(name.clone()), source);
    Some(endpoint)
}
