//! Masks by JSONPath and XPath, compiled (api-management §8.10, `/maskconfigs`).

use std::borrow::Cow;

use pierhead_xml::{Document, Limits, XPath};
use serde::{Deserialize, Serialize};

use super::{MASKED, Masks};
use crate::exchange::{Head, Message};
use crate::json::Json;
use crate::json_path::{Found, JsonPath};

/// Which lists of a mask count for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trace) enum Side {
    Request,
    Response,
    /// The error message, and the answer it becomes.
    Fault,
    /// What the client gets: a response, or an error message.
    Answer,
    /// It may be any of them.
    Any,
}

impl Side {
    pub(in crate::trace) fn of(name: &str, message: &Message) -> Self {
        match &message.head {
            Head::Request(_) => Self::Request,
            Head::Response(_) if name == "error" => Self::Fault,
            // What the client gets is the error message, where there was one.
            Head::Response(_) if name == "response" => Self::Answer,
            Head::Response(_) => Self::Response,
        }
    }

    /// Of a variable that holds the content of a message.
    pub(in crate::trace) fn of_variable(name: &str) -> Option<Self> {
        match name.strip_suffix(".content").unwrap_or(name) {
            "request" => Some(Self::Request),
            "response" => Some(Self::Response),
            "error" => Some(Self::Fault),
            "message" => Some(Self::Any),
            other => (other.len() < name.len()).then_some(Self::Any),
        }
    }

    pub(in crate::trace) fn includes(self, other: Self) -> bool {
        self == other
            || match (self, other) {
                (Self::Any, _) | (_, Self::Any) => true,
                (Self::Answer, other) | (other, Self::Answer) => other != Self::Request,
                _ => false,
            }
    }
}

/// Paths of what is hidden in one kind of message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PathLists {
    /// JSONPath.
    pub json: Vec<String>,
    /// XPath 1.0 with the prefixes of [`Masks::namespaces`].
    pub xml: Vec<String>,
}

/// A mask that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mask '{path}': {why}")]
pub struct BadMask {
    /// As it was given.
    pub path: String,
    /// What is wrong with it.
    pub why: String,
}

/// The paths of masks, compiled.
#[derive(Debug, Clone, Default)]
pub struct PathMasks {
    json: Vec<(Side, JsonPath)>,
    xml: Vec<(Side, XPath)>,
}

impl Masks {
    /// Compiles the paths.
    ///
    /// # Errors
    /// Names the first path that is none.
    pub fn paths(&self) -> Result<PathMasks, BadMask> {
        let mut made = PathMasks::default();
        let namespaces: Vec<(&str, &str)> =
            self.namespaces.iter().map(|(prefix, uri)| (prefix.as_str(), uri.as_str())).collect();
        let sides =
            [(Side::Request, &self.request), (Side::Response, &self.response), (Side::Fault, &self.fault)];
        for (side, lists) in sides {
            for path in &lists.json {
                let compiled = path.parse().map_err(|bad: crate::json_path::BadJsonPath| BadMask {
                    path: path.clone(),
                    why: bad.to_string(),
                })?;
                made.json.push((side, compiled));
            }
            for path in &lists.xml {
                let bad = |why: String| BadMask { path: path.clone(), why };
                let compiled = XPath::compile(path, &namespaces).map_err(|why| bad(why.to_string()))?;
                if !compiled.gives_nodes() {
                    return Err(bad("it does not lead to nodes".into()));
                }
                made.xml.push((side, compiled));
            }
        }
        Ok(made)
    }
}

impl PathMasks {
    /// A body with what the paths lead to hidden; the values go to `secrets`, so that their copies are hidden
    /// too. What looks like a document and cannot be read is not shown at all.
    pub(in crate::trace) fn body<'t>(
        &self,
        text: &'t str,
        side: Side,
        secrets: &mut Vec<String>,
    ) -> Cow<'t, str> {
        let first = text.trim_start().chars().next();
        let json: Vec<&JsonPath> =
            self.json.iter().filter(|(list, _)| side.includes(*list)).map(|(_, path)| path).collect();
        let xml: Vec<&XPath> =
            self.xml.iter().filter(|(list, _)| side.includes(*list)).map(|(_, path)| path).collect();
        match first {
            Some('{' | '[') if !json.is_empty() => {
                hide_json(text, &json, secrets).map_or(Cow::Borrowed(MASKED), Cow::Owned)
            }
            Some('<') if !xml.is_empty() => {
                hide_xml(text, &xml, secrets).map_or(Cow::Borrowed(MASKED), Cow::Owned)
            }
            _ => Cow::Borrowed(text),
        }
    }
}

fn hide_json(text: &str, paths: &[&JsonPath], secrets: &mut Vec<String>) -> Option<String> {
    let mut document = Json::parse(text).ok()?;
    for path in paths {
        // Where the values lie: nothing moves until they are replaced.
        let mut places: Vec<usize> = Vec::new();
        let mut note = |value: &Cow<'_, Json<'_>>| match value {
            Cow::Borrowed(value) => {
                places.push(std::ptr::from_ref::<Json<'_>>(value).addr());
                secrets.push(value.shown().into_owned());
                true
            }
            // Made up by the path (several names at once, a function): it has no place of its own.
            Cow::Owned(_) => false,
        };
        let has_places = match path.evaluate(&document).ok()? {
            Found::Nothing => true,
            Found::One(value) => note(&value),
            Found::Many(values) => values.iter().all(note),
        };
        if !has_places {
            return None;
        }
        replace(&mut document, &places);
    }
    Some(document.to_json())
}

fn replace(value: &mut Json<'_>, places: &[usize]) {
    if places.contains(&std::ptr::from_ref::<Json<'_>>(value).addr()) {
        *value = Json::Text(Cow::Borrowed(MASKED));
        return;
    }
    match value {
        Json::Array(items) => items.iter_mut().for_each(|item| replace(item, places)),
        Json::Object(members) => members.iter_mut().for_each(|(_, member)| replace(member, places)),
        _ => {}
    }
}

fn hide_xml(text: &str, paths: &[&XPath], secrets: &mut Vec<String>) -> Option<String> {
    let document = Document::parse(text, &Limits::default()).ok()?;
    let mut hidden = Vec::new();
    for path in paths {
        hidden.extend(path.nodes(document.root()).ok()?);
    }
    secrets.extend(hidden.iter().map(|node| node.text().into_owned()));
    Some(document.root().to_xml_hiding(&hidden, MASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(masks: &Masks, side: Side, body: &str) -> (String, Vec<String>) {
        let mut secrets = Vec::new();
        let shown = masks.paths().unwrap().body(body, side, &mut secrets).into_owned();
        (shown, secrets)
    }

    fn masks() -> Masks {
        Masks {
            request: PathLists {
                json: vec!["$.card.number".into(), "$..pin".into()],
                xml: vec!["/s:card/s:number".into(), "//@pin".into()],
            },
            fault: PathLists { json: vec!["$.detail".into()], xml: vec![] },
            namespaces: vec![("s".into(), "urn:shop".into())],
            ..Masks::default()
        }
    }

    #[test]
    fn what_a_path_leads_to_is_hidden_and_remembered() {
        let (shown, secrets) = hidden(
            &masks(),
            Side::Request,
            r#"{"card":{"number":"4111","pin":7},"a":[{"pin":[1]}],"b":1.50}"#,
        );
        assert_eq!(shown, r#"{"card":{"number":"***","pin":"***"},"a":[{"pin":"***"}],"b":1.50}"#);
        assert_eq!(secrets, ["4111", "7", "[1]"]);
        let (shown, secrets) = hidden(
            &masks(),
            Side::Request,
            "<card xmlns='urn:shop' pin='9'><number>41<x/>11</number></card>",
        );
        assert_eq!(shown, "<card xmlns=\"urn:shop\" pin=\"***\"><number>***</number></card>");
        assert_eq!(secrets, ["4111", "9"]);
    }

    #[test]
    fn each_kind_of_message_has_its_own_paths() {
        let body = r#"{"card":{"number":"4111"},"detail":"x"}"#;
        assert_eq!(hidden(&masks(), Side::Response, body).0, body);
        assert!(hidden(&masks(), Side::Fault, body).0.contains("\"detail\":\"***\""));
        assert!(
            hidden(&masks(), Side::Answer, body).0.contains("\"detail\":\"***\""),
            "an answer may be a fault"
        );
    }

    #[test]
    fn what_cannot_be_read_is_not_shown_at_all() {
        for body in ["{\"card\":{\"number\":\"4111\"", "<card><number>4111</card>"] {
            assert_eq!(hidden(&masks(), Side::Request, body).0, "***");
        }
        let several =
            Masks { request: PathLists { json: vec!["$['a','b']".into()], xml: vec![] }, ..Masks::default() };
        assert_eq!(hidden(&several, Side::Request, r#"{"a":1,"b":2}"#).0, "***");
        assert_eq!(hidden(&several, Side::Request, "a=1").0, "a=1", "no document");
    }

    #[test]
    fn a_path_that_is_none_is_named() {
        let bad = Masks { request: PathLists { json: vec!["$.a[".into()], xml: vec![] }, ..Masks::default() };
        assert_eq!(bad.paths().unwrap_err().path, "$.a[");
        for path in ["count(//a)", "//x:a", "/a["] {
            let bad =
                Masks { response: PathLists { json: vec![], xml: vec![path.into()] }, ..Masks::default() };
            assert_eq!(bad.paths().unwrap_err().path, path);
        }
    }
}
