//! `Collect` that takes a value out of a message itself.

use pierhead_xml::{Value as Found, XPath};
use regex::{Regex, RegexBuilder};

use crate::condition::Lookup as _;
use crate::exchange::Exchange;
use crate::json::Json;
use crate::json_path::JsonPath;
use crate::policy::Element;
use crate::policy::blueprint::Blueprint;
use crate::policy::source::{Source, Sourced};
use crate::policy::xml_parts::{self, Namespaces};
use crate::variable::Variable;

/// A part of a message; what is not there has no value.
#[derive(Debug)]
pub(super) struct Part {
    source: Source,
    from: From,
}

#[derive(Debug)]
enum From {
    /// The first pattern that fits; of the path suffix when no variable is named.
    Patterns(Option<Variable>, Box<[Regex]>),
    Json(JsonPath),
    Xml(XPath),
}

/// The elements of `Collect` that say where the value is; there is one of them.
pub(super) const PLACES: &[&str] =
    &["URIPath", "QueryParam", "Header", "FormParam", "JSONPayload", "XMLPayload"];

/// Reads the part that `Collect` names; `None` after saying what is wrong with it.
pub(super) fn read<'d>(policy: &mut Blueprint<'d>, collect: &'d Element) -> Option<Part> {
    let named = collect.child("Source").map(Element::text).filter(|name| !name.is_empty());
    if let (Some(element), Some(name)) = (collect.child("Source"), named) {
        policy.variable(element, name)?;
    }
    let source = Source::named(named.unwrap_or("message"));
    let mut places = collect.children.iter().filter(|child| PLACES.contains(&child.name.as_str()));
    let element = places.next()?;
    if let Some(second) = places.next() {
        policy.problem(second, "RepeatedElement", "Collect takes its value from one place");
    }
    let from = match element.name.as_str() {
        "JSONPayload" => {
            policy.only(element, &[], &["JSONPath"]);
            let Some(path) = element.child("JSONPath").filter(|path| !path.text().is_empty()) else {
                policy.problem(element, "NoJSONPathsToEvaluate", "JSONPayload needs a JSONPath");
                return None;
            };
            match path.text().parse::<JsonPath>() {
                Ok(path) => From::Json(path),
                Err(bad) => {
                    policy.problem(path, "JSONPathCompilationFailed", bad.to_string());
                    return None;
                }
            }
        }
        "XMLPayload" => {
            policy.only(element, &[], &["Namespaces", "XPath"]);
            let namespaces = Namespaces::read(policy, element);
            let Some(path) = element.child("XPath").filter(|path| !path.text().is_empty()) else {
                policy.problem(element, "NoXPathsToEvaluate", "XMLPayload needs an XPath");
                return None;
            };
            From::Xml(namespaces.xpath(policy, path)?)
        }
        _ => patterns(policy, element, &source)?,
    };
    if matches!(from, From::Json(_) | From::Xml(_)) {
        source.reads_body(policy);
    }
    Some(Part { source, from })
}

fn patterns<'d>(policy: &mut Blueprint<'d>, element: &'d Element, source: &Source) -> Option<From> {
    let in_path = element.name == "URIPath";
    policy.only(element, if in_path { &[] } else { &["name"] }, &["Pattern"]);
    let variable = if in_path {
        None
    } else {
        let Some(name) = element.attribute("name").map(str::trim).filter(|name| !name.is_empty()) else {
            policy.problem(element, "MissingName", format!("{} needs a name", element.name));
            return None;
        };
        let variable = source.part(&format!("{}.{name}", element.name.to_lowercase()));
        policy.reads.note(&variable);
        Some(variable)
    };
    let mut all = Vec::new();
    for child in element.children("Pattern") {
        policy.only(child, &["ignoreCase"], &[]);
        let ignore_case = policy.flag(child, "ignoreCase", false);
        let compiled = expression(child.text(), in_path).and_then(|text| {
            RegexBuilder::new(&text).case_insensitive(ignore_case).dot_matches_new_line(true).build().ok()
        });
        match compiled {
            Some(compiled) => all.push(compiled),
            None => {
                let message = format!("'{}' has no {{$}}, or more than one", child.text());
                policy.problem(child, "PatternWithoutVariable", message);
            }
        }
    }
    if element.child("Pattern").is_none() {
        policy.problem(element, "NoPattern", format!("{} needs a Pattern", element.name));
    }
    Some(From::Patterns(variable, all.into()))
}

/// `{$}` is what is collected, `*` is anything, and the rest is itself.
fn expression(pattern: &str, in_path: bool) -> Option<String> {
    let (before, after) = pattern.split_once("{$}").filter(|(_, after)| !after.contains("{$}"))?;
    let (any, one) = if in_path { ("[^/]*", "([^/]+?)") } else { (".*", "(.+?)") };
    let literal = |text: &str| regex::escape(text).replace(r"\*\*", ".*").replace(r"\*", any);
    Some(format!("^{}{one}{}$", literal(before), literal(after)))
}

impl Part {
    pub(super) fn value(&self, cx: &Exchange) -> Option<String> {
        match &self.from {
            From::Patterns(variable, patterns) => {
                let text = match variable {
                    Some(variable) => cx.value(variable).into_text()?,
                    None => cx.path_suffix().into(),
                };
                patterns.iter().find_map(|pattern| Some(pattern.captures(&text)?.get(1)?.as_str().to_owned()))
            }
            From::Json(path) => {
                let text = self.text(cx)?;
                let document = Json::parse(&text).ok()?;
                path.evaluate(&document).ok()?.shown().map(|shown| shown.to_string())
            }
            From::Xml(path) => {
                let text = self.text(cx)?;
                let document = xml_parts::document(&text).ok()?;
                match path.evaluate(document.root()).ok()? {
                    Found::Nodes(nodes) if nodes.is_empty() => None,
                    value => Some(value.to_text().into_owned()),
                }
            }
        }
    }

    fn text<'a>(&'a self, cx: &'a Exchange) -> Option<std::borrow::Cow<'a, str>> {
        match self.source.get(cx) {
            Sourced::Message(message) => Some(message.content()),
            Sourced::Text(text) => Some(text),
            Sourced::Nothing => None,
        }
    }
}
