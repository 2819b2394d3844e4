//! Apigee's layout.

mod flows;
mod target;

use pierhead_gateway::design::{
    FileResource, PolicyText, Property, ProxyDesign, ProxyEndpoint, SharedFlowDesign, TlsSettings,
};
use pierhead_gateway::dialect::Dialect;

use super::{CannotExport, Ledger};
use crate::annotations;
use crate::content::Export;
use crate::counterparts;
use crate::policy_text;
use crate::xml::XmlWriter;

/// Folders that only SAP's bundles have.
const FOREIGN: &[&str] = &["APIResource/", "Documentation/"];

pub(super) fn proxy(design: &ProxyDesign) -> Result<Export, CannotExport> {
    let mut ledger = Ledger::new("apiproxy");
    let root = ledger.named("", ("API proxy", &design.name), ".xml")?;
    let mut x = XmlWriter::new();
    let annotations = counterparts::annotations_in(&design.annotations, Dialect::Apigee, &mut ledger);
    let mut attributes = vec![("name", design.name.as_str())];
    attributes.extend(annotations::of_root(&annotations));
    x.open("APIProxy", &attributes);
    x.some_leaf("DisplayName", &design.title);
    x.some_leaf("Description", &design.description);
    for endpoint in &design.proxy_endpoints {
        x.leaf("Basepaths", &endpoint.base_path);
    }
    if !matches!(design.service_code.as_str(), "" | "REST") {
        ledger.lose(&root, format!("service code {}", design.service_code));
    }
    lists(&mut x, &design.policies, &design.resources);
    list(&mut x, "ProxyEndpoints", "ProxyEndpoint", design.proxy_endpoints.iter().map(|e| e.name.as_str()));
    list(
        &mut x,
        "TargetEndpoints",
        "TargetEndpoint",
        design.target_endpoints.iter().map(|e| e.name.as_str()),
    );
    annotations::write(&annotations, &mut x);
    x.close("APIProxy");
    ledger.document(&root, x)?;
    for endpoint in &design.proxy_endpoints {
        let path = ledger.named("proxies", ("proxy endpoint", &endpoint.name), ".xml")?;
        ledger.document(&path, proxy_endpoint(endpoint))?;
    }
    for endpoint in &design.target_endpoints {
        let path = ledger.named("targets", ("target endpoint", &endpoint.name), ".xml")?;
        let document = target::endpoint(endpoint, &path, &mut ledger);
        ledger.document(&path, document)?;
    }
    parts(&mut ledger, &design.policies, &design.resources)?;
    ledger.enclose(&design.enclosures, FOREIGN)?;
    Ok(ledger.close())
}

pub(super) fn shared_flow(design: &SharedFlowDesign) -> Result<Export, CannotExport> {
    let mut ledger = Ledger::new("sharedflowbundle");
    let root = ledger.named("", ("shared flow", &design.name), ".xml")?;
    let mut x = XmlWriter::new();
    let mut attributes = vec![("name", design.name.as_str())];
    attributes.extend(annotations::of_root(&design.annotations));
    x.open("SharedFlowBundle", &attributes);
    x.some_leaf("DisplayName", &design.title);
    x.some_leaf("Description", &design.description);
    lists(&mut x, &design.policies, &design.resources);
    list(&mut x, "SharedFlows", "SharedFlow", ["default"].into_iter());
    annotations::write(&design.annotations, &mut x);
    x.close("SharedFlowBundle");
    ledger.document(&root, x)?;
    let mut x = XmlWriter::new();
    x.open("SharedFlow", &[("name", "default")]);
    flows::steps(&mut x, &design.steps);
    x.close("SharedFlow");
    ledger.document("sharedflows/default.xml", x)?;
    parts(&mut ledger, &design.policies, &design.resources)?;
    ledger.enclose(&design.enclosures, FOREIGN)?;
    Ok(ledger.close())
}

fn lists(x: &mut XmlWriter, policies: &[PolicyText], resources: &[FileResource]) {
    list(x, "Policies", "Policy", policies.iter().map(|policy| policy.name.as_str()));
    let urls: Vec<String> = resources.iter().map(|file| format!("{}://{}", file.kind, file.name)).collect();
    list(x, "Resources", "Resource", urls.iter().map(String::as_str));
}

fn list<'a>(x: &mut XmlWriter, element: &str, item: &str, names: impl ExactSizeIterator<Item = &'a str>) {
    if names.len() == 0 {
        return x.leaf(element, "");
    }
    x.open(element, &[]);
    names.for_each(|name| x.leaf(item, name));
    x.close(element);
}

/// Policies and resources.
fn parts(
    ledger: &mut Ledger,
    policies: &[PolicyText],
    resources: &[FileResource],
) -> Result<(), CannotExport> {
    for policy in policies {
        let path = ledger.named("policies", ("policy", &policy.name), ".xml")?;
        let xml = policy_text::in_dialect(policy, Dialect::Apigee);
        ledger.put(&path, xml.into_bytes())?;
    }
    for file in resources {
        let kind = if file.kind.is_empty() || file.kind.contains('/') { "properties" } else { &file.kind };
        let path = ledger.named(&format!("resources/{kind}"), ("resource", &file.name), "")?;
        ledger.content(&path, &file.content, file.binary)?;
    }
    Ok(())
}

fn proxy_endpoint(endpoint: &ProxyEndpoint) -> XmlWriter {
    let mut x = XmlWriter::new();
    x.open("ProxyEndpoint", &[("name", &endpoint.name)]);
    x.some_leaf("Description", &endpoint.description);
    flows::write(&mut x, &endpoint.flows);
    x.open("HTTPProxyConnection", &[]);
    x.leaf("BasePath", &endpoint.base_path);
    properties(&mut x, &endpoint.properties);
    for host in &endpoint.virtual_hosts {
        x.leaf("VirtualHost", host);
    }
    if let Some(tls) = &endpoint.tls {
        tls_settings(&mut x, tls);
    }
    x.close("HTTPProxyConnection");
    for rule in &endpoint.routes {
        x.open("RouteRule", &[("name", &rule.name)]);
        x.some_leaf("Condition", &rule.condition);
        x.some_leaf("TargetEndpoint", rule.target.as_deref().unwrap_or_default());
        x.some_leaf("URL", rule.url.as_deref().unwrap_or_default());
        x.close("RouteRule");
    }
    x.close("ProxyEndpoint");
    x
}

fn properties(x: &mut XmlWriter, properties: &[Property]) {
    if properties.is_empty() {
        return x.leaf("Properties", "");
    }
    x.open("Properties", &[]);
    for property in properties {
        x.leaf_with("Property", &[("name", &property.name)], &property.value);
    }
    x.close("Properties");
}

fn tls_settings(x: &mut XmlWriter, tls: &TlsSettings) {
    let flag = |x: &mut XmlWriter, name: &str, set: bool| {
        if set {
            x.leaf(name, "true");
        }
    };
    let texts = |x: &mut XmlWriter, element: &str, item: &str, texts: &[String]| {
        if !texts.is_empty() {
            list(x, element, item, texts.iter().map(String::as_str));
        }
    };
    x.open("SSLInfo", &[]);
    x.leaf("Enabled", if tls.enabled { "true" } else { "false" });
    flag(x, "ClientAuthEnabled", tls.client_auth);
    flag(x, "Enforce", tls.enforce);
    x.some_leaf("KeyStore", &tls.key_store);
    x.some_leaf("KeyAlias", &tls.key_alias);
    x.some_leaf("TrustStore", &tls.trust_store);
    texts(x, "Ciphers", "Cipher", &tls.ciphers);
    texts(x, "Protocols", "Protocol", &tls.protocols);
    flag(x, "IgnoreValidationErrors", tls.ignore_validation_errors);
    match (tls.common_name.as_str(), tls.common_name_wildcard) {
        ("", false) => {}
        (name, false) => x.leaf("CommonName", name),
        (name, true) => x.leaf_with("CommonName", &[("wildcardMatch", "true")], name),
    }
    x.close("SSLInfo");
}
