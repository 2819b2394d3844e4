//! `XMLThreatProtection`: bounds on the structure of XML (api-management §9.3).

mod bounds;
mod check;

use std::sync::Arc;

use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::source::{MediaKind, Source, Sourced};
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use bounds::Bounds;
use check::Threat;

/// Reads the payload of an XML message once, event by event, and refuses it at the first bound it passes.
/// Messages of other content types are not looked at.
///
/// Faults, all 500: `steps.xmlthreatprotection.ExecutionFailed` (a bound is passed),
/// `steps.xmlthreatprotection.InvalidXMLPayload` (no XML, or a document type),
/// `steps.xmlthreatprotection.SourceUnavailable`, `steps.xmlthreatprotection.NonMessageVariable`.
#[derive(Debug)]
pub(super) struct XmlThreatProtection {
    name: Arc<str>,
    source: Source,
    bounds: Bounds,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["Source", "NameLimits", "StructureLimits", "ValueLimits"]);
    let source = Source::read(policy, &[]);
    source.reads_body(policy);
    let bounds = Bounds::read(policy);
    Some(Box::new(XmlThreatProtection { name: policy.name.clone(), source, bounds }))
}

impl Policy for XmlThreatProtection {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        let checked = match self.source.get(cx) {
            Sourced::Message(message) if MediaKind::of(message) != MediaKind::Xml => Ok(()),
            Sourced::Message(message) => {
                self.bounds.check(message.body.bytes()).map_err(|threat| match threat {
                    Threat::Exceeded { .. } => {
                        let reason = format!("XMLThreatProtection[{}]: {threat}", self.name);
                        self.fault("ExecutionFailed", &format!("Execution failed. reason: {reason}"))
                    }
                    Threat::Invalid { .. } => self.fault("InvalidXMLPayload", &threat.to_string()),
                })
            }
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

impl XmlThreatProtection {
    fn fault(&self, name: &str, text: &str) -> Fault {
        let code = format!("steps.xmlthreatprotection.{name}");
        Fault::internal(code, format!("XMLThreatProtection[{}]: {text}", self.name))
    }
}

#[cfg(test)]
mod tests;
