//! `JSONThreatProtection`: bounds on the structure of JSON (api-management §9.3).

use std::sync::Arc;

use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::json::{BadJson, Reader, Token};
use crate::policy::blueprint::Blueprint;
use crate::policy::source::{MediaKind, Source, Sourced};
use crate::policy::{Compiled, Next, Policy, PolicyRun};

/// Reads the payload of a JSON message once, token by token, and refuses it at the first bound it passes.
///
/// Faults, all 500: `steps.jsonthreatprotection.ExecutionFailed` (a bound is passed, or the payload is no
/// JSON), `steps.jsonthreatprotection.SourceUnavailable`, `steps.jsonthreatprotection.NonMessageVariable`.
#[derive(Debug)]
pub(super) struct JsonThreatProtection {
    name: Arc<str>,
    source: Source,
    bounds: Bounds,
}

/// The most of each; `None` is no bound.
#[derive(Debug, Default)]
struct Bounds {
    array_elements: Option<usize>,
    depth: Option<usize>,
    object_entries: Option<usize>,
    name_characters: Option<usize>,
    text_characters: Option<usize>,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(
        &[],
        &[
            "ArrayElementCount",
            "ContainerDepth",
            "ObjectEntryCount",
            "ObjectEntryNameLength",
            "StringValueLength",
            "Source",
        ],
    );
    let source = Source::read(policy, &[]);
    source.reads_body(policy);
    let bounds = Bounds {
        array_elements: bound(policy, "ArrayElementCount"),
        depth: bound(policy, "ContainerDepth"),
        object_entries: bound(policy, "ObjectEntryCount"),
        name_characters: bound(policy, "ObjectEntryNameLength"),
        text_characters: bound(policy, "StringValueLength"),
    };
    Some(Box::new(JsonThreatProtection { name: policy.name.clone(), source, bounds }))
}

fn bound(policy: &mut Blueprint<'_>, element: &str) -> Option<usize> {
    let element = policy.root.child(element).filter(|element| !element.text().is_empty())?;
    policy.only(element, &[], &[]);
    let number: i64 = policy.number(element, element.text(), "InvalidLimit")?;
    // A negative one is none.
    usize::try_from(number).ok()
}

impl Policy for JsonThreatProtection {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        let checked = match self.source.get(cx) {
            Sourced::Message(message) if MediaKind::of(message) != MediaKind::Json => Ok(()),
            Sourced::Message(message) => self.bounds.check(&message.content()).map_err(|reason| {
                let reason = format!("JSONThreatProtection[{}]: {reason}", self.name);
                self.fault("ExecutionFailed", &format!("Execution failed. reason: {reason}"))
            }),
            Sourced::Text(_) => Err(self.fault(
                "NonMessageVariable",
                &format!("Variable {} does not resolve to a Message", self.source.name),
            )),
            Sourced::Nothing => {
                Err(self.fault("SourceUnavailable", &format!("Source {} is not available", self.source.name)))
            }
        };
        PolicyRun::Done(checked.map(|()| Next::Continue))
    }
}

impl JsonThreatProtection {
    fn fault(&self, name: &str, text: &str) -> Fault {
        let code = format!("steps.jsonthreatprotection.{name}");
        Fault::internal(code, format!("JSONThreatProtection[{}]: {text}", self.name))
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Threat {
    #[error("Exceeded {0} at line {1}")]
    Exceeded(&'static str, usize),
    #[error("The input JSON Payload is invalid: {0}")]
    Invalid(#[from] BadJson),
}

impl Bounds {
    fn check(&self, text: &str) -> Result<(), Threat> {
        let mut reader = Reader::new(text);
        // Entries of each open container, of arrays and objects alike.
        let mut entries: Vec<usize> = Vec::new();
        while let Some(token) = reader.next()? {
            let within = |count: usize, bound: Option<usize>, what| match bound {
                Some(most) if count > most => Err(Threat::Exceeded(what, reader.line())),
                _ => Ok(()),
            };
            match &token {
                Token::EndArray | Token::EndObject => {
                    entries.pop();
                    continue;
                }
                Token::Name(name) => {
                    if self.name_characters.is_some() {
                        within(name.chars().count(), self.name_characters, "object entry name length")?;
                    }
                    if let Some(count) = entries.last_mut() {
                        *count += 1;
                        within(*count, self.object_entries, "object entry count")?;
                    }
                    continue;
                }
                _ => {}
            }
            let opens = matches!(token, Token::BeginArray | Token::BeginObject);
            let depth_around = reader.depth() - usize::from(opens);
            if reader.is_in_array(depth_around)
                && let Some(count) = entries.last_mut()
            {
                *count += 1;
                within(*count, self.array_elements, "array element count")?;
            }
            match &token {
                Token::BeginArray | Token::BeginObject => {
                    entries.push(0);
                    within(entries.len(), self.depth, "container depth")?;
                }
                Token::Text(text) if self.text_characters.is_some() => {
                    within(text.chars().count(), self.text_characters, "string value length")?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
