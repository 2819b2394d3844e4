//! Policy templates (api-management §2.6): flows stand as escaped text in the root document.

use pierhead_gateway::compile::DesignPart;
use pierhead_gateway::design::EndpointFlows;

use super::super::shelf::{Shelf, stem};
use super::{flows, policies, resources};
use crate::annotations;
use crate::content::PolicyTemplate;
use crate::source::{EndpointSource, Marks};
use crate::xml::Node;

const KNOWN: &[&str] = &[
    "name",
    "version",
    "title",
    "description",
    "proxyEndPointxml",
    "targetEndPointxml",
    "policies",
    "fileResources",
];

pub(in crate::read) fn template(shelf: &mut Shelf<'_>, name: &str) -> PolicyTemplate {
    let mut template = PolicyTemplate { name: name.to_owned(), ..PolicyTemplate::default() };
    if let Some((root, path)) = shelf.root_document("PolicyTemplateContainer") {
        template.name = match root.text_of("name") {
            "" => stem(path).to_owned(),
            name => name.to_owned(),
        };
        template.version = root.text_of("version").to_owned();
        template.title = root.text_of("title").to_owned();
        template.description = root.text_of("description").to_owned();
        template.annotations = annotations::read(&root, KNOWN);
        template.proxy_flows =
            fragment(shelf, path, root.child("proxyEndPointxml"), DesignPart::ProxyEndpoint);
        template.target_flows =
            fragment(shelf, path, root.child("targetEndPointxml"), DesignPart::TargetEndpoint);
    }
    template.policies = policies(shelf);
    template.resources = resources(shelf);
    template.enclosures = shelf.enclosures();
    // It says the version again and is written anew.
    let version = format!("Version: {}", template.version);
    template
        .enclosures
        .retain(|enclosure| enclosure.path != "MANIFEST.MF" || enclosure.content.trim() != version);
    template
}

fn fragment(
    shelf: &mut Shelf<'_>,
    path: &str,
    node: Option<&Node>,
    side: fn(String) -> DesignPart,
) -> EndpointFlows {
    let mut marks = Marks::default();
    let (line, text) = node.map_or((0, ""), |node| (node.line, node.whole_text()));
    let root = shelf.fragment(path, line, text);
    shelf.only(path, &root, flows::KNOWN);
    let flows = flows::flows(shelf, path, &root, &mut marks);
    // All of it stands where the text does.
    for mark in marks.steps.iter_mut().chain(&mut marks.conditional).chain(&mut marks.fault_rules) {
        *mark = line;
    }
    let source = EndpointSource { file: shelf.path(path), line, marks };
    shelf.sources.endpoints.insert(side("default".into()), source);
    flows
}
