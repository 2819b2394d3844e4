//! `RegularExpressionProtection`: looks for threats by regular expressions (api-management §9.3).

mod read;

use std::borrow::Cow;
use std::sync::Arc;

use http::HeaderName;
use pierhead_xml::{Value as XmlValue, XPath};
use regex::Regex;

use crate::condition::Lookup;
use crate::exchange::{Exchange, Message};
use crate::fault::Fault;
use crate::json::Json;
use crate::json_path::{Found, JsonPath};
use crate::policy::blueprint::Blueprint;
use crate::policy::source::{MediaKind, Source, Sourced};
use crate::policy::{Compiled, Next, Policy, PolicyRun, xml_parts};
use crate::variable::Variable;

/// Refuses a message when a pattern is found anywhere in one of the texts it is told to look at.
///
/// Every value of a parameter or header is looked at, and every node or item that a path leads to; what is
/// not there holds no threat. The engine is linear in the text, so no input can hold it up.
///
/// Faults, all 500 and below `steps.regexprotection.`: `ThreatDetected`, `ExecutionFailed` (the payload is not
/// what its content type says), `NonMessageVariable`, `SourceMessageNotAvailable`, `VariableResolutionFailed`.
#[derive(Debug)]
pub(super) struct RegularExpressionProtection {
    name: Arc<str>,
    source: Source,
    /// A variable without a value is no fault.
    lenient: bool,
    needs_source: bool,
    checks: Box<[Check]>,
}

/// Texts, and what must not be in them.
#[derive(Debug)]
struct Check {
    at: Place,
    patterns: Box<[Pattern]>,
}

#[derive(Debug)]
enum Place {
    UriPath,
    QueryParam(Box<str>),
    Header(HeaderName),
    FormParam(Box<str>),
    Variable(Variable),
    Json {
        path: JsonPath,
        /// Also with a backslash before each slash.
        escape_slash: bool,
    },
    Xml {
        path: XPath,
        /// Nodes are looked at as XML, too.
        as_nodes: bool,
    },
}

#[derive(Debug)]
struct Pattern {
    /// As written.
    text: Box<str>,
    regex: Regex,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Trouble {
    #[error("Regular Expression Threat Detected in {policy}: regex: {regex} input: {input}")]
    Threat { policy: Arc<str>, regex: Box<str>, input: String },
    #[error("Failed to execute the RegularExpressionProtection StepDefinition {0}. Reason: {1}")]
    Execution(Arc<str>, String),
    #[error("Variable {0} does not resolve to a Message")]
    NotAMessage(Arc<str>),
    #[error("{0} message is not available for RegularExpressionProtection StepDefinition {1}")]
    NoSource(Arc<str>, Arc<str>),
    #[error("Failed to resolve variable {0}")]
    Unresolved(Arc<str>),
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    read::read(policy).map(|compiled| Box::new(compiled) as Compiled)
}

impl Policy for RegularExpressionProtection {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.check(cx).map(|()| Next::Continue).map_err(|trouble| trouble.fault()))
    }
}

impl RegularExpressionProtection {
    fn check(&self, cx: &Exchange) -> Result<(), Trouble> {
        let message = match self.source.get(cx) {
            Sourced::Message(message) => Some(message),
            _ if !self.needs_source => None,
            Sourced::Text(_) => return Err(Trouble::NotAMessage(self.source.name.clone())),
            Sourced::Nothing => return Err(Trouble::NoSource(self.source.name.clone(), self.name.clone())),
        };
        let mut payloads = Payloads { policy: &self.name, json: None, xml: None };
        let text = message.map(Message::content).unwrap_or_default();
        for check in &self.checks {
            match (&check.at, message) {
                (Place::Variable(variable), _) => match cx.value(variable).into_text() {
                    Some(text) => self.look(check, &text, variable.is_private())?,
                    None if self.lenient => {}
                    None => return Err(Trouble::Unresolved(variable.shared_name().clone())),
                },
                (_, None) => {}
                (Place::UriPath, Some(message)) => {
                    if std::ptr::eq(message, &raw const cx.request) {
                        self.look(check, cx.path(), false)?;
                        self.look(check, cx.path_suffix(), false)?;
                    }
                    if let Some(head) = message.as_request() {
                        self.look(check, head.uri.path(), false)?;
                    }
                }
                (Place::QueryParam(name), Some(message)) => {
                    let params = message.as_request().map(|head| head.params());
                    for value in params.iter().flat_map(|params| params.values(name)) {
                        self.look(check, value, false)?;
                    }
                }
                (Place::Header(name), Some(message)) => {
                    for value in message.headers.get_all(name) {
                        self.look(check, &String::from_utf8_lossy(value.as_bytes()), value.is_sensitive())?;
                    }
                }
                (Place::FormParam(name), Some(message)) => {
                    for value in message.form().values(name) {
                        self.look(check, value, false)?;
                    }
                }
                (Place::Json { path, escape_slash }, Some(message)) => {
                    if MediaKind::of(message) == MediaKind::Json {
                        self.look_at_json(check, payloads.json(&text)?, path, *escape_slash)?;
                    }
                }
                (Place::Xml { path, as_nodes }, Some(message)) => {
                    if MediaKind::of(message) == MediaKind::Xml {
                        self.look_at_xml(check, payloads.xml(&text)?, path, *as_nodes)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn look(&self, check: &Check, text: &str, is_secret: bool) -> Result<(), Trouble> {
        match check.patterns.iter().find(|pattern| pattern.regex.is_match(text)) {
            None => Ok(()),
            Some(pattern) => {
                let input = if is_secret { "***".to_owned() } else { text.chars().take(SHOWN).collect() };
                Err(Trouble::Threat { policy: self.name.clone(), regex: pattern.text.clone(), input })
            }
        }
    }

    fn look_at_json(
        &self,
        check: &Check,
        document: &Json<'_>,
        path: &JsonPath,
        escape_slash: bool,
    ) -> Result<(), Trouble> {
        let found =
            path.evaluate(document).map_err(|why| Trouble::Execution(self.name.clone(), why.to_string()))?;
        let values = match found {
            Found::Nothing => Vec::new(),
            Found::One(value) => vec![value],
            Found::Many(values) => values,
        };
        for value in &values {
            let text = value.shown();
            self.look(check, &text, false)?;
            if escape_slash && text.contains('/') {
                self.look(check, &text.replace('/', "\\/"), false)?;
            }
        }
        Ok(())
    }

    fn look_at_xml(
        &self,
        check: &Check,
        document: &pierhead_xml::Document,
        path: &XPath,
        as_nodes: bool,
    ) -> Result<(), Trouble> {
        let value = path
            .evaluate(document.root())
            .map_err(|why| Trouble::Execution(self.name.clone(), why.to_string()))?;
        let texts: Vec<Cow<'_, str>> = match &value {
            XmlValue::Nodes(nodes) => nodes
                .iter()
                .flat_map(|node| [Some(node.text()), as_nodes.then(|| Cow::Owned(node.to_xml()))])
                .flatten()
                .collect(),
            other => vec![other.to_text()],
        };
        texts.iter().try_for_each(|text| self.look(check, text, false))
    }
}

/// Characters of the input that a fault shows.
const SHOWN: usize = 1024;

/// The payload of the message, read when first needed and then once.
struct Payloads<'a> {
    policy: &'a Arc<str>,
    json: Option<Json<'a>>,
    xml: Option<pierhead_xml::Document>,
}

impl<'a> Payloads<'a> {
    fn json(&mut self, text: &'a str) -> Result<&Json<'a>, Trouble> {
        if self.json.is_none() {
            let why = |bad| Trouble::Execution(self.policy.clone(), format!("the payload is no JSON: {bad}"));
            self.json = Some(Json::parse(text).map_err(why)?);
        }
        Ok(self.json.get_or_insert(Json::Null))
    }

    fn xml(&mut self, text: &str) -> Result<&pierhead_xml::Document, Trouble> {
        let document = match self.xml.take() {
            Some(document) => document,
            None => xml_parts::document(text).map_err(|why| Trouble::Execution(self.policy.clone(), why))?,
        };
        Ok(self.xml.insert(document))
    }
}

impl Trouble {
    fn fault(&self) -> Fault {
        let code = match self {
            Self::Threat { .. } => "steps.regexprotection.ThreatDetected",
            Self::Execution(..) => "steps.regexprotection.ExecutionFailed",
            Self::NotAMessage(_) => "steps.regexprotection.NonMessageVariable",
            Self::NoSource(..) => "steps.regexprotection.SourceMessageNotAvailable",
            Self::Unresolved(_) => "steps.regexprotection.VariableResolutionFailed",
        };
        Fault::internal(code, self.to_string())
    }
}

#[cfg(test)]
mod tests;
