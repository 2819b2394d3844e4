//! SAP's layout.

mod flows;
mod target;

use pierhead_gateway::design::{FileResource, PolicyText, ProxyDesign, ProxyEndpoint};
use pierhead_gateway::dialect::Dialect;

use super::{CannotExport, Ledger};
use crate::annotations;
use crate::content::{Export, PolicyTemplate};
use crate::counterparts;
use crate::limits::Limits;
use crate::policy_text;
use crate::resource_kinds::sap_type;
use crate::xml::{Node, XmlWriter};

/// Folders that only Apigee's bundles have.
const FOREIGN: &[&str] = &["manifests/"];

pub(super) fn proxy(design: &ProxyDesign) -> Result<Export, CannotExport> {
    let mut ledger = Ledger::new("APIProxy");
    let root = ledger.named("", ("API proxy", &design.name), ".xml")?;
    let annotations = counterparts::annotations_in(&design.annotations, Dialect::Sap, &mut ledger);
    let mut x = XmlWriter::new();
    x.open("APIProxy", &[]);
    x.leaf("name", &design.name);
    x.leaf("title", &design.title);
    x.leaf("description", &design.description);
    x.some_leaf("service_code", &design.service_code);
    annotations::write(&annotations, &mut x);
    x.open("proxyEndPoints", &[]);
    for endpoint in &design.proxy_endpoints {
        x.open("proxyEndPoint", &[]);
        x.leaf("proxyEndPointName", &endpoint.name);
        resources_of(design, &endpoint.name).iter().for_each(|name| x.leaf("apiResourceName", name));
        x.close("proxyEndPoint");
    }
    x.close("proxyEndPoints");
    x.open("targetEndPoints", &[]);
    design.target_endpoints.iter().for_each(|endpoint| x.leaf("targetEndPoint", &endpoint.name));
    x.close("targetEndPoints");
    lists(&mut x, &design.policies, &design.resources);
    x.close("APIProxy");
    ledger.document(&root, x)?;
    for (index, endpoint) in design.proxy_endpoints.iter().enumerate() {
        let path = ledger.named("APIProxyEndPoint", ("proxy endpoint", &endpoint.name), ".xml")?;
        let document = proxy_endpoint(endpoint, index == 0, &path, &mut ledger);
        ledger.document(&path, document)?;
    }
    for (index, endpoint) in design.target_endpoints.iter().enumerate() {
        let path = ledger.named("APITargetEndPoint", ("target endpoint", &endpoint.name), ".xml")?;
        let document = target::endpoint(endpoint, index == 0, &path, &mut ledger);
        ledger.document(&path, document)?;
    }
    parts(&mut ledger, &design.policies, &design.resources)?;
    ledger.enclose(&design.enclosures, FOREIGN)?;
    Ok(ledger.close())
}

pub(super) fn template(template: &PolicyTemplate) -> Result<Export, CannotExport> {
    let mut ledger = Ledger::new("PolicyTemplateContainer");
    let root = ledger.named("", ("policy template", &template.name), ".xml")?;
    let mut x = XmlWriter::new();
    x.open("PolicyTemplateContainer", &[]);
    x.leaf("name", &template.name);
    x.leaf("version", &template.version);
    x.leaf("title", &template.title);
    x.leaf("description", &template.description);
    annotations::write(&template.annotations, &mut x);
    for (element, flows) in
        [("proxyEndPointxml", &template.proxy_flows), ("targetEndPointxml", &template.target_flows)]
    {
        let mut fragment = XmlWriter::fragment();
        flows::write(&mut fragment, flows, &root, &mut ledger);
        let file = root.clone();
        let text = fragment.finish().map_err(|character| CannotExport::NotXml { file, character })?;
        x.leaf(element, &text);
    }
    lists(&mut x, &template.policies, &template.resources);
    x.close("PolicyTemplateContainer");
    ledger.document(&root, x)?;
    parts(&mut ledger, &template.policies, &template.resources)?;
    ledger.enclose(&template.enclosures, FOREIGN)?;
    if template.enclosures.iter().all(|enclosure| enclosure.path != "MANIFEST.MF") {
        ledger.put("MANIFEST.MF", format!("Version: {}", template.version).into_bytes())?;
    }
    Ok(ledger.close())
}

/// The API resources whose description says that they belong to an endpoint.
fn resources_of(design: &ProxyDesign, endpoint: &str) -> Vec<String> {
    let described = design.enclosures.iter().filter(|enclosure| enclosure.path.starts_with("APIResource/"));
    described
        .filter_map(|enclosure| Node::parse(&enclosure.content, &Limits::default()).ok())
        .filter(|root| root.text_of("proxyEndPointName") == endpoint)
        .map(|root| root.text_of("name").to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

fn lists(x: &mut XmlWriter, policies: &[PolicyText], resources: &[FileResource]) {
    x.open("policies", &[]);
    for policy in policies {
        x.leaf_with("policy", &[("type", &policy.kind)], &policy.name);
    }
    x.close("policies");
    x.open("fileResources", &[]);
    for file in resources {
        if let Some(kind) = sap_type(&file.kind) {
            let base = file.name.rsplit_once('.').map_or(file.name.as_str(), |(base, _)| base);
            x.leaf_with("fileResource", &[("type", kind)], base);
        }
    }
    x.close("fileResources");
}

/// Policies and resources.
fn parts(
    ledger: &mut Ledger,
    policies: &[PolicyText],
    resources: &[FileResource],
) -> Result<(), CannotExport> {
    for policy in policies {
        let path = ledger.named("Policy", ("policy", &policy.name), ".xml")?;
        ledger.put(&path, policy_text::in_dialect(policy, Dialect::Sap).into_bytes())?;
    }
    for file in resources {
        let fits = sap_type(&file.kind).is_some() && !file.name.contains('/');
        if !fits {
            ledger.lose(
                &format!("FileResource/{}", file.name),
                format!("{}://{} is of a kind that SAP's bundles do not hold", file.kind, file.name),
            );
            continue;
        }
        let extension = file.name.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
        let known = crate::resource_kinds::kind_of_extension(extension);
        let suffix = match sap_type(&file.kind) {
            // The kind is read from the extension.
            Some(kind) if known.and_then(sap_type) != Some(kind) => format!(".{kind}"),
            _ => String::new(),
        };
        let path = ledger.named("FileResource", ("resource", &file.name), &suffix)?;
        ledger.content(&path, &file.content, file.binary)?;
    }
    Ok(())
}

fn proxy_endpoint(endpoint: &ProxyEndpoint, is_default: bool, path: &str, ledger: &mut Ledger) -> XmlWriter {
    let mut x = XmlWriter::new();
    let default = if is_default { "true" } else { "false" };
    x.open("ProxyEndPoint", &[("default", default)]);
    x.leaf("name", &endpoint.name);
    x.leaf("base_path", &endpoint.base_path);
    flows::properties(&mut x, &endpoint.properties);
    x.open("routeRules", &[]);
    for (index, rule) in endpoint.routes.iter().enumerate() {
        x.open("routeRule", &[]);
        x.leaf("name", &rule.name);
        x.some_leaf("conditions", &rule.condition);
        x.some_leaf("targetEndPointName", rule.target.as_deref().unwrap_or_default());
        if let Some(url) = &rule.url {
            ledger.lose(path, format!("route rule {} to the URL {url}", rule.name));
        }
        x.leaf("sequence", &(index + 1).to_string());
        x.leaf("faultRules", "");
        x.close("routeRule");
    }
    x.close("routeRules");
    flows::write(&mut x, &endpoint.flows, path, ledger);
    x.close("ProxyEndPoint");
    if !endpoint.virtual_hosts.is_empty() {
        ledger.lose(
            path,
            format!("virtual hosts {}: they are chosen at import", endpoint.virtual_hosts.join(", ")),
        );
    }
    if endpoint.tls.is_some() {
        ledger.lose(path, "SSLInfo: TLS belongs to the virtual host");
    }
    if !endpoint.description.is_empty() {
        ledger.lose(path, "descriptions of endpoints and flows");
    }
    x
}
