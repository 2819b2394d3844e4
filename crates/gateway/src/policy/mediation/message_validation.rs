//! `MessageValidation`: checks a message against a schema, a service's description, or its own form
//! (api-management §9.5).

mod read;

use std::sync::Arc;

use pierhead_xml::wsdl::Wsdl;
use pierhead_xml::{Document, Envelope, Invalid, Limits, Node, Schema, SoapVersion};

use crate::exchange::{Exchange, Message};
use crate::fault::Fault;
use crate::json::Json;
use crate::policy::blueprint::Blueprint;
use crate::policy::source::{MediaKind, Source, Sourced};
use crate::policy::{Compiled, Next, Policy, PolicyRun};

/// Refuses a message that is not as it should be. Without a resource it must be well-formed XML or JSON, as
/// its content type says; other content types pass.
///
/// Faults, all 500: `steps.messagevalidation.Failed`, `steps.messagevalidation.SourceMessageNotAvailable`,
/// `steps.messagevalidation.NonMessageVariable`, `steps.messagevalidation.NoElements`.
#[derive(Debug)]
pub(super) struct MessageValidation {
    name: Arc<str>,
    source: Source,
    rules: Rules,
    /// Versions of SOAP that are asked for.
    soap: Option<Vec<SoapVersion>>,
    /// Names that the payload may have, each with its namespace; empty is any.
    elements: Vec<(String, String)>,
}

#[derive(Debug)]
enum Rules {
    /// Only the form.
    None,
    Schema(Schema),
    Wsdl(Wsdl),
}

/// Why a message is refused.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{0}")]
    Invalid(String),
    #[error("there are no elements to validate")]
    NoElements,
}

impl From<Invalid> for Refused {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid.to_string())
    }
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["Source", "ResourceURL", "SOAPMessage", "Element"]);
    let source = Source::read(policy, &[]);
    source.reads_body(policy);
    let soap = read::soap(policy);
    let rules = read::rules(policy)?;
    let elements = read::elements(policy, &rules);
    // A service's messages are in envelopes whether the policy says so or not.
    let soap = match rules {
        Rules::Wsdl(_) => Some(soap.unwrap_or_else(read::both_versions)),
        _ => soap,
    };
    Some(Box::new(MessageValidation { name: policy.name.clone(), source, rules, soap, elements }))
}

impl Policy for MessageValidation {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        let name = &self.source.name;
        let checked =
            match self.source.get(cx) {
                Sourced::Message(message) => self.check(message).map_err(|why| match why {
                    Refused::NoElements => self.fault("NoElements", &why.to_string()),
                    Refused::Invalid(why) => self.fault("Failed", &format!("Failed with reason: \"{why}\"")),
                }),
                Sourced::Text(_) => Err(self
                    .fault("NonMessageVariable", &format!("Variable {name} does not resolve to a Message"))),
                Sourced::Nothing => Err(self.fault(
                    "SourceMessageNotAvailable",
                    &format!("{name} message is not available for validation"),
                )),
            };
        PolicyRun::Done(checked.map(|()| Next::Continue))
    }
}

impl MessageValidation {
    fn check(&self, message: &Message) -> Result<(), Refused> {
        if matches!(self.rules, Rules::None) && self.soap.is_none() && self.elements.is_empty() {
            return well_formed(message);
        }
        let document = parse(message)?;
        let payloads: Vec<Node<'_>> = match &self.soap {
            Some(versions) => {
                let envelope = Envelope::read(&document, versions)?;
                if envelope.is_fault() {
                    return Ok(());
                }
                envelope.body
            }
            None => document.element().into_iter().collect(),
        };
        let checks_payload = !matches!(self.rules, Rules::None) || !self.elements.is_empty();
        if payloads.is_empty() && checks_payload {
            return Err(Refused::NoElements);
        }
        for payload in payloads {
            let is_named = self.elements.iter().any(|(uri, local)| payload.is_named(uri, local));
            if !self.elements.is_empty() && !is_named {
                let (name, line) = (payload.local_name(), payload.line());
                return Err(Refused::Invalid(format!(
                    "line {line}: {name} is none of the elements of the policy"
                )));
            }
            match &self.rules {
                Rules::None => {}
                Rules::Schema(schema) => schema.validate_element(payload)?,
                Rules::Wsdl(wsdl) => wsdl.validate_element(payload)?,
            }
        }
        Ok(())
    }

    fn fault(&self, name: &str, text: &str) -> Fault {
        let code = format!("steps.messagevalidation.{name}");
        Fault::internal(code, format!("MessageValidation[{}]: {text}", self.name))
    }
}

fn parse(message: &Message) -> Result<Document, Refused> {
    Document::parse_bytes(message.body.bytes(), &Limits::default())
        .map_err(|bad| Refused::Invalid(bad.to_string()))
}

fn well_formed(message: &Message) -> Result<(), Refused> {
    match MediaKind::of(message) {
        MediaKind::Xml => parse(message).map(drop),
        MediaKind::Json => {
            Json::parse(&message.content()).map(drop).map_err(|bad| Refused::Invalid(bad.to_string()))
        }
        MediaKind::Other => Ok(()),
    }
}

#[cfg(test)]
mod tests;
