//! `ExtractVariables`: takes parts of a message into variables (api-management §9.5).

mod cast;
mod pattern;
mod payload;
mod read;

use std::sync::Arc;

use crate::condition::Lookup;
use crate::exchange::{Exchange, MessageBody};
use crate::fault::Fault;
use crate::json::Json;
use crate::policy::blueprint::Blueprint;
use crate::policy::source::{MediaKind, Source, Sourced};
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::variable::{NotWritable, Stored, Variable};
use pattern::Pattern;
use payload::{JsonVariable, XmlPayload};

/// Extracts variables, in the order of patterns, JSON, XML.
///
/// Faults, all 500 and below `steps.extractvariables.`: `SourceMessageNotAvailable`, `ExecutionFailed` (the
/// payload is not what its content type says), `VariableResolutionFailed`, `SetVariableFailed`,
/// `ImmutableVariable`, `UnableToCast`, `InvalidJSONPath`, `JsonPathParsingFailure`, `UnsupportedOperation`.
#[derive(Debug)]
pub(super) struct ExtractVariables {
    name: Arc<str>,
    source: Source,
    clear_payload: bool,
    /// What is not found stays null instead of being a fault.
    lenient: bool,
    patterns: Box<[Patterns]>,
    json: Box<[JsonVariable]>,
    xml: Option<XmlPayload>,
}

/// Patterns on one text.
#[derive(Debug)]
struct Patterns {
    from: From,
    patterns: Box<[Pattern]>,
}

#[derive(Debug)]
enum From {
    /// `proxy.pathsuffix` for the client's request, the path of any other.
    UriPath,
    /// A query parameter, header, form parameter of the source, or any variable.
    Variable { variable: Variable, of_message: bool },
}

/// A variable that was found, or not.
struct Extracted<'a> {
    variable: &'a Variable,
    value: Option<Stored>,
}

#[derive(Debug, PartialEq, thiserror::Error)]
enum Trouble {
    #[error("{0} message is not available for ExtractVariable: {1}")]
    NoSource(Arc<str>, Arc<str>),
    #[error("Failed to execute the ExtractVariables: {policy}: {why}")]
    Execution { policy: Arc<str>, why: String },
    #[error("Failed to resolve variable {0}")]
    Unresolved(Arc<str>),
    #[error("Failed to set variable {0} from ExtractVariables: {1}")]
    NotSet(Arc<str>, NotWritable),
    #[error("Unable to cast the value of {0} as {1}")]
    Cast(Arc<str>, &'static str),
    #[error("Invalid JSON path of variable {0}: {1}")]
    Path(Arc<str>, String),
    #[error("Failed to evaluate the JSON path of variable {0}: {1}")]
    PathRun(Arc<str>, String),
    #[error("{0} is not a message with an URI path, parameters or headers")]
    Unsupported(Arc<str>),
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    read::read(policy).map(|compiled| Box::new(compiled) as Compiled)
}

impl Policy for ExtractVariables {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.extract(cx).map(|()| Next::Continue).map_err(|trouble| trouble.fault()))
    }
}

impl ExtractVariables {
    fn extract(&self, cx: &mut Exchange) -> Result<(), Trouble> {
        if matches!(self.source.get(cx), Sourced::Nothing) && self.needs_source() {
            return Err(Trouble::NoSource(self.source.name.clone(), self.name.clone()));
        }
        let mut found = Vec::new();
        for patterns in &self.patterns {
            self.match_patterns(cx, patterns, &mut found)?;
        }
        self.payloads(cx, &mut found)?;
        if let Some(missing) = found.iter().find(|extracted| extracted.value.is_none())
            && !self.lenient
        {
            return Err(Trouble::Unresolved(missing.variable.shared_name().clone()));
        }
        for Extracted { variable, value } in found {
            if value.is_some() {
                cx.set(variable, value)
                    .map_err(|why| Trouble::NotSet(variable.shared_name().clone(), why))?;
            }
        }
        if self.clear_payload
            && let Some(message) = cx.message_named_mut(&self.source.name)
        {
            message.set_body(MessageBody::Empty);
        }
        Ok(())
    }

    /// Patterns on variables alone need none.
    fn needs_source(&self) -> bool {
        let on_message =
            |patterns: &Patterns| !matches!(patterns.from, From::Variable { of_message: false, .. });
        !self.json.is_empty() || self.xml.is_some() || self.patterns.iter().any(on_message)
    }

    fn match_patterns<'a>(
        &'a self,
        cx: &Exchange,
        patterns: &'a Patterns,
        found: &mut Vec<Extracted<'a>>,
    ) -> Result<(), Trouble> {
        let text = match &patterns.from {
            From::Variable { variable, of_message } => {
                if *of_message && matches!(self.source.get(cx), Sourced::Text(_)) {
                    return Err(Trouble::Unsupported(self.source.name.clone()));
                }
                match cx.value(variable).into_text() {
                    Some(text) => text,
                    None if self.lenient => return Ok(()),
                    None => return Err(Trouble::Unresolved(variable.shared_name().clone())),
                }
            }
            From::UriPath => match self.source.get(cx) {
                Sourced::Message(message) if std::ptr::eq(message, &raw const cx.request) => {
                    cx.path_suffix().into()
                }
                Sourced::Message(message) => match message.as_request() {
                    Some(head) => head.uri.path().into(),
                    None => return Err(Trouble::Unsupported(self.source.name.clone())),
                },
                Sourced::Text(_) | Sourced::Nothing => {
                    return Err(Trouble::Unsupported(self.source.name.clone()));
                }
            },
        };
        // Several patterns may fit; what an earlier one found stands.
        let first = found.len();
        for pattern in &patterns.patterns {
            for (variable, value) in pattern.matches(&text) {
                if !found[first..].iter().any(|known| known.variable == variable) {
                    found.push(Extracted { variable, value: Some(value.into()) });
                }
            }
        }
        Ok(())
    }

    fn payloads<'a>(&'a self, cx: &Exchange, found: &mut Vec<Extracted<'a>>) -> Result<(), Trouble> {
        if self.json.is_empty() && self.xml.is_none() {
            return Ok(());
        }
        let (text, kind) = match self.source.get(cx) {
            Sourced::Message(message) => (message.content(), Some(MediaKind::of(message))),
            Sourced::Text(text) => (text, None),
            Sourced::Nothing => return Ok(()),
        };
        // Of a message only a payload of the right type is read; text is what the policy says it is.
        if !self.json.is_empty() && matches!(kind, None | Some(MediaKind::Json)) {
            let document =
                Json::parse(&text).map_err(|bad| self.execution(format!("the payload is no JSON: {bad}")))?;
            for variable in &self.json {
                found.push(variable.extract(cx, &document)?);
            }
        }
        if let Some(xml) = &self.xml
            && matches!(kind, None | Some(MediaKind::Xml))
        {
            xml.extract(self, &text, found)?;
        }
        Ok(())
    }

    fn execution(&self, why: String) -> Trouble {
        Trouble::Execution { policy: self.name.clone(), why }
    }
}

impl Trouble {
    fn fault(&self) -> Fault {
        let code = match self {
            Self::NoSource(..) => "steps.extractvariables.SourceMessageNotAvailable",
            Self::Execution { .. } => "steps.extractvariables.ExecutionFailed",
            Self::Unresolved(_) => "steps.extractvariables.VariableResolutionFailed",
            Self::NotSet(_, NotWritable::ReadOnly) => "steps.extractvariables.ImmutableVariable",
            Self::NotSet(..) => "steps.extractvariables.SetVariableFailed",
            Self::Cast(..) => "steps.extractvariables.UnableToCast",
            Self::Path(..) => "steps.extractvariables.InvalidJSONPath",
            Self::PathRun(..) => "steps.extractvariables.JsonPathParsingFailure",
            Self::Unsupported(_) => "steps.extractvariables.UnsupportedOperation",
        };
        Fault::internal(code, self.to_string())
    }
}

#[cfg(test)]
mod tests;
