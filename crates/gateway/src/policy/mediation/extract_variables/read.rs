//! Reading the document of the policy.

use super::cast::VariableType;
use super::pattern::{BadPattern, Pattern};
use super::payload::{JsonVariable, Path, XmlPayload, XmlVariable};
use super::{ExtractVariables, From, Patterns};
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::policy::source::Source;
use crate::policy::xml_parts::Namespaces;
use crate::variable::Variable;

const PATTERNED: &[&str] = &["URIPath", "QueryParam", "Header", "FormParam", "Variable"];

pub(super) fn read(policy: &mut Blueprint<'_>) -> Option<ExtractVariables> {
    let own = ["Source", "VariablePrefix", "IgnoreUnresolvedVariables", "JSONPayload", "XMLPayload"];
    policy.only_in_root(&[], &[&own, PATTERNED].concat());
    let source = Source::read(policy, &["clearPayload"]);
    let clear_payload = match policy.root.child("Source") {
        Some(element) => policy.flag(element, "clearPayload", false),
        None => false,
    };
    let prefix = policy.root.child("VariablePrefix").map(Element::text).filter(|prefix| !prefix.is_empty());
    let root = policy.root;
    let patterned = root.children.iter().filter(|child| PATTERNED.contains(&child.name.as_str()));
    let patterns: Box<[Patterns]> =
        patterned.filter_map(|element| patterns(policy, element, &source, prefix)).collect();
    let json = root.child("JSONPayload").map(|element| json(policy, element, prefix)).unwrap_or_default();
    let xml = root.child("XMLPayload").map(|element| xml(policy, element, prefix));
    if !json.is_empty() || xml.is_some() {
        source.reads_body(policy);
    }
    let has_any = root
        .children
        .iter()
        .any(|child| PATTERNED.contains(&child.name.as_str()) || child.name.ends_with("Payload"));
    if !has_any {
        let message =
            "one of URIPath, QueryParam, Header, FormParam, Variable, JSONPayload and XMLPayload is needed";
        policy.problem(root, "NothingToExtract", message);
    }
    let lenient = policy.flag_child(root, "IgnoreUnresolvedVariables", false);
    let name = policy.name.clone();
    Some(ExtractVariables { name, source, clear_payload, lenient, patterns, json, xml })
}

fn full_name(prefix: Option<&str>, name: &str) -> String {
    prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}.{name}"))
}

/// One of the elements that hold patterns. One without any, as editors leave behind, does nothing.
fn patterns<'d>(
    policy: &mut Blueprint<'d>,
    element: &'d Element,
    source: &Source,
    prefix: Option<&str>,
) -> Option<Patterns> {
    policy.only(element, &["name"], &["Pattern"]);
    if element.children.is_empty() {
        return None;
    }
    let name = element.attribute("name").map(str::trim).filter(|name| !name.is_empty());
    let from = match (element.name.as_str(), name) {
        ("URIPath", _) => From::UriPath,
        (kind, None) => {
            policy.problem(element, "MissingName", format!("{kind} needs a name"));
            return None;
        }
        ("Variable", Some(name)) => {
            From::Variable { variable: policy.variable(element, name)?, of_message: false }
        }
        (kind, Some(name)) => {
            let part = match kind {
                "QueryParam" => "queryparam",
                "Header" => "header",
                _ => "formparam",
            };
            let variable = source.part(&format!("{part}.{name}"));
            policy.reads.note(&variable);
            From::Variable { variable, of_message: true }
        }
    };
    let in_path = matches!(from, From::UriPath);
    let mut patterns = Vec::new();
    for child in element.children("Pattern") {
        policy.only(child, &["ignoreCase"], &[]);
        let ignore_case = policy.flag(child, "ignoreCase", false);
        let text = child.text();
        match Pattern::parse(text, ignore_case, in_path, |name| full_name(prefix, name)) {
            Ok(pattern) => patterns.push(pattern),
            Err(BadPattern::NoVariable) => {
                policy.problem(
                    child,
                    "PatternWithoutVariable",
                    format!("'{text}' names no variable in braces"),
                );
            }
            Err(BadPattern::Invalid(why)) => {
                policy.problem(child, "InvalidPattern", format!("'{text}': {why}"))
            }
            Err(BadPattern::TooLarge) => {
                policy.problem(child, "InstantiationFailed", "the pattern is too large")
            }
        }
    }
    Some(Patterns { from, patterns: patterns.into() })
}

fn json<'d>(policy: &mut Blueprint<'d>, element: &'d Element, prefix: Option<&str>) -> Box<[JsonVariable]> {
    policy.only(element, &[], &["Variable"]);
    let mut variables = Vec::new();
    for child in element.children("Variable") {
        policy.only(child, &["name", "type"], &["JSONPath"]);
        let Some((variable, kind)) = typed(policy, child, prefix) else { continue };
        if child.child("JSONPath").is_none() {
            policy.problem(child, "NoJSONPathsToEvaluate", "a Variable of JSONPayload needs a JSONPath");
        }
        let mut paths = Vec::new();
        for path in child.children("JSONPath") {
            paths.extend(json_path(policy, path));
        }
        variables.push(JsonVariable { variable, kind, paths: paths.into() });
    }
    variables.into()
}

fn json_path<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Path> {
    policy.only(element, &[], &[]);
    let text = element.text();
    if text.is_empty() {
        policy.problem(element, "EmptyJSONPathExpression", "the JSONPath is empty");
        return None;
    }
    let template = policy.template(element, text);
    if template.as_literal().is_none() {
        return Some(Path::Template(template));
    }
    match text.parse() {
        Ok(path) => Some(Path::Compiled(path)),
        Err(bad) => {
            policy.problem(element, "JSONPathCompilationFailed", bad.to_string());
            None
        }
    }
}

fn xml<'d>(policy: &mut Blueprint<'d>, element: &'d Element, prefix: Option<&str>) -> XmlPayload {
    policy.only(element, &["stopPayloadProcessing"], &["Namespaces", "Variable"]);
    let stop_at_first = policy.flag(element, "stopPayloadProcessing", false);
    let namespaces = Namespaces::read(policy, element);
    let mut variables = Vec::new();
    for child in element.children("Variable") {
        policy.only(child, &["name", "type"], &["XPath"]);
        let Some((variable, kind)) = typed(policy, child, prefix) else { continue };
        if child.child("XPath").is_none() {
            policy.problem(child, "NoXPathsToEvaluate", "a Variable of XMLPayload needs an XPath");
        }
        let mut paths = Vec::new();
        for path in child.children("XPath") {
            policy.only(path, &[], &[]);
            let Some(compiled) = namespaces.xpath(policy, path) else { continue };
            if kind == VariableType::Nodes && !compiled.gives_nodes() {
                let message = "the XPath gives no nodes, but the type is nodeset";
                policy.problem(path, "CannotBeConvertedToNodeset", message);
            }
            paths.push(compiled);
        }
        variables.push(XmlVariable { variable, kind, paths: paths.into() });
    }
    XmlPayload { stop_at_first, variables: variables.into() }
}

/// Name and type of a variable of a payload.
fn typed<'d>(
    policy: &mut Blueprint<'d>,
    element: &'d Element,
    prefix: Option<&str>,
) -> Option<(Variable, VariableType)> {
    let Some(name) = element.attribute("name").map(str::trim).filter(|name| !name.is_empty()) else {
        policy.problem(element, "MissingName", "a Variable needs a name");
        return None;
    };
    let written = element.attribute("type").unwrap_or("string");
    let kind = VariableType::named(written);
    if kind.is_none() {
        policy.problem(element, "InstantiationFailed", format!("there is no type '{written}'"));
    }
    let variable = policy.variable(element, &full_name(prefix, name))?;
    Some((variable, kind?))
}
