//! The settings of the policy.

use pierhead_xml::wsdl::Wsdl;
use pierhead_xml::{BadSchema, Limits, Schema, SoapVersion, is_nc_name};

use super::Rules;
use crate::compile::DesignPart;
use crate::policy::blueprint::Blueprint;

pub(super) fn both_versions() -> Vec<SoapVersion> {
    vec![SoapVersion::V11, SoapVersion::V12]
}

pub(super) fn soap(policy: &mut Blueprint<'_>) -> Option<Vec<SoapVersion>> {
    let element = policy.root.child("SOAPMessage")?;
    policy.only(element, &["version"], &[]);
    Some(match element.attribute("version").map(str::trim) {
        None | Some("" | "1.1/1.2" | "1.2/1.1") => both_versions(),
        Some("1.1") => vec![SoapVersion::V11],
        Some("1.2") => vec![SoapVersion::V12],
        Some(other) => {
            policy.problem(element, "InvalidSOAPVersion", format!("there is no SOAP {other}"));
            both_versions()
        }
    })
}

/// `None` after a mistake that leaves nothing to check with.
pub(super) fn rules(policy: &mut Blueprint<'_>) -> Option<Rules> {
    let Some(element) = policy.root.child("ResourceURL").filter(|element| !element.text().is_empty()) else {
        return Some(Rules::None);
    };
    policy.only(element, &[], &[]);
    let url = element.text();
    let Some((kind @ ("xsd" | "wsdl"), name)) = url.split_once("://") else {
        policy.problem(
            element,
            "InvalidResourceType",
            format!("'{url}' is neither an xsd:// nor a wsdl:// resource"),
        );
        return None;
    };
    policy.resource(element, url)?;
    // Descriptions and schemas find each other by their names; one's own kind first.
    let mut files: Vec<_> =
        policy.resources.iter().filter(|file| matches!(file.kind.as_str(), "xsd" | "wsdl")).collect();
    files.sort_by_key(|file| file.kind != kind);
    let documents: Vec<(&str, &str)> =
        files.into_iter().map(|file| (file.name.as_str(), file.content.as_str())).collect();
    let limits = Limits::default();
    let compiled = match kind {
        "xsd" => Schema::compile(name, &documents, &limits).map(Rules::Schema),
        _ => Wsdl::compile(name, &documents, &limits).map(Rules::Wsdl),
    };
    match compiled {
        Ok(rules) => Some(rules),
        Err(BadSchema { document, line, why }) => {
            let kind = policy
                .resources
                .iter()
                .find(|file| file.name == document)
                .map_or(kind, |file| file.kind.as_str());
            let part = DesignPart::Resource(format!("{kind}://{document}"));
            policy.problem_in(part, line as usize, "ResourceCompileFailed", why);
            None
        }
    }
}

/// Namespace and name of what the payload may be.
pub(super) fn elements(policy: &mut Blueprint<'_>, rules: &Rules) -> Vec<(String, String)> {
    let root = policy.root;
    let mut elements = Vec::new();
    for element in root.children("Element") {
        policy.only(element, &["namespace"], &[]);
        let namespace = element.attribute("namespace").unwrap_or_default();
        let name = element.text();
        let is_known = match rules {
            Rules::None => true,
            Rules::Schema(schema) => schema.declares(namespace, name),
            Rules::Wsdl(wsdl) => wsdl.knows(namespace, name),
        };
        if name.is_empty() {
            policy.problem(element, "RootElementNameUnspecified", "the element has no name");
        } else if !is_nc_name(name) || !is_known {
            let why = format!("'{name}' is not the name of an element that the resource declares");
            policy.problem(element, "InvalidRootElementName", why);
        } else {
            elements.push((namespace.to_owned(), name.to_owned()));
        }
    }
    elements
}
