//! Reading the document of the policy.

use http::HeaderName;

use super::{Check, Pattern, Place, RegularExpressionProtection};
use crate::condition::java_regex;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::policy::source::Source;
use crate::policy::xml_parts::Namespaces;

const TYPES: &[&str] = &["string", "boolean", "integer", "long", "float", "double", "nodeset"];

pub(super) fn read(policy: &mut Blueprint<'_>) -> Option<RegularExpressionProtection> {
    policy.only_in_root(
        &[],
        &[
            "Source",
            "IgnoreUnresolvedVariables",
            "URIPath",
            "QueryParam",
            "Header",
            "FormParam",
            "Variable",
            "XMLPayload",
            "JSONPayload",
        ],
    );
    let source = Source::read(policy, &[]);
    let lenient = policy.flag_child(policy.root, "IgnoreUnresolvedVariables", false);
    let before = policy.problems.len();
    let mut checks = Vec::new();
    for element in &policy.root.children {
        match element.name.as_str() {
            "URIPath" | "QueryParam" | "Header" | "FormParam" | "Variable" => {
                checks.extend(part(policy, element, &source));
            }
            "XMLPayload" => {
                source.reads_body(policy);
                xml(policy, element, &mut checks);
            }
            "JSONPayload" => {
                source.reads_body(policy);
                json(policy, element, &mut checks);
            }
            _ => {}
        }
    }
    if checks.is_empty() && policy.problems.len() == before {
        let message =
            "one of URIPath, QueryParam, Header, FormParam, Variable, XMLPayload and JSONPayload is needed";
        policy.problem(policy.root, "NothingToEnforce", message);
    }
    let needs_source = checks.iter().any(|check| !matches!(check.at, Place::Variable(_)));
    Some(RegularExpressionProtection {
        name: policy.name.clone(),
        source,
        lenient,
        needs_source,
        checks: checks.into(),
    })
}

/// A check of a part of the message, or of a variable.
fn part<'d>(policy: &mut Blueprint<'d>, element: &'d Element, source: &Source) -> Option<Check> {
    policy.only(element, &["name"], &["Pattern"]);
    let patterns = patterns(policy, element);
    let name = element.attribute("name").map(str::trim).filter(|name| !name.is_empty());
    let at = match (element.name.as_str(), name) {
        ("URIPath", _) => Place::UriPath,
        (kind, None) => {
            policy.problem(element, "MissingName", format!("{kind} needs a name"));
            return None;
        }
        ("QueryParam", Some(name)) => Place::QueryParam(name.into()),
        ("Header", Some(name)) => match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) => Place::Header(name),
            Err(_) => {
                policy.problem(element, "InvalidHeaderName", format!("'{name}' is not the name of a header"));
                return None;
            }
        },
        ("FormParam", Some(name)) => {
            source.reads_body(policy);
            Place::FormParam(name.into())
        }
        (_, Some(name)) => Place::Variable(policy.variable(element, name)?),
    };
    Some(Check { at, patterns })
}

fn xml<'d>(policy: &mut Blueprint<'d>, element: &'d Element, checks: &mut Vec<Check>) {
    policy.only(element, &[], &["Namespaces", "XPath"]);
    let namespaces = Namespaces::read(policy, element);
    for child in element.children("XPath") {
        policy.only(child, &[], &["Expression", "Type", "Pattern"]);
        let patterns = patterns(policy, child);
        let kind = child.child("Type").map_or("string", Element::text);
        if !TYPES.contains(&kind) {
            policy.problem(child, "InstantiationFailed", format!("there is no type '{kind}'"));
        }
        let Some(path) = namespaces.xpath(policy, child.child("Expression").unwrap_or(child)) else {
            continue;
        };
        let as_nodes = kind == "nodeset";
        if as_nodes && !path.gives_nodes() {
            let message = "the XPath gives no nodes, but the type is nodeset";
            policy.problem(child, "CannotBeConvertedToNodeset", message);
        }
        checks.push(Check { at: Place::Xml { path, as_nodes }, patterns });
    }
    if element.child("XPath").is_none() {
        policy.problem(element, "NothingToEnforce", "XMLPayload needs an XPath");
    }
}

fn json<'d>(policy: &mut Blueprint<'d>, element: &'d Element, checks: &mut Vec<Check>) {
    policy.only(element, &["escapeSlashCharacter"], &["JSONPath"]);
    let escape_slash = policy.flag(element, "escapeSlashCharacter", true);
    for child in element.children("JSONPath") {
        policy.only(child, &[], &["Expression", "Pattern"]);
        let patterns = patterns(policy, child);
        let text = child.child("Expression").map(Element::text).unwrap_or_default();
        if text.is_empty() {
            policy.problem(child, "EmptyJSONPathExpression", "the JSONPath is empty");
            continue;
        }
        match text.parse() {
            Ok(path) => checks.push(Check { at: Place::Json { path, escape_slash }, patterns }),
            Err(bad) => policy.problem(child, "JSONPathCompilationFailed", format!("{bad}")),
        }
    }
    if element.child("JSONPath").is_none() {
        policy.problem(element, "NothingToEnforce", "JSONPayload needs a JSONPath");
    }
}

/// Patterns may match anywhere in a text.
fn patterns<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Box<[Pattern]> {
    let mut patterns = Vec::new();
    for child in element.children("Pattern") {
        policy.only(child, &[], &[]);
        match java_regex::anywhere(child.text()) {
            Ok(_) if child.text().is_empty() => {
                policy.problem(child, "NoPatternsToEnforce", "the pattern is empty");
            }
            Ok(regex) => patterns.push(Pattern { text: child.text().into(), regex }),
            Err(why) => policy.problem(child, "InvalidRegularExpression", why),
        }
    }
    if element.child("Pattern").is_none() {
        policy.problem(element, "NoPatternsToEnforce", format!("{} needs a Pattern", element.name));
    }
    patterns.into()
}
