//! What `JSONToXML` and `XMLToJSON` share: where they read, where they write, and their faults.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::condition::Lookup;
use crate::dialect::Dialect;
use crate::exchange::{Exchange, Message, MessageBody};
use crate::fault::Fault;
use crate::policy::Next;
use crate::policy::blueprint::Blueprint;
use crate::policy::source::{MediaKind, Source, Sourced};
use crate::variable::{MessageName, Stored, Value, Variable};

/// Converts a message, or the text of a variable into another one.
///
/// Faults, all 500, below the prefix of the dialect: `SourceUnavailable`, `InvalidSourceType`,
/// `OutputVariableIsNotAvailable`, `InCompatibleTypes`, `ExecutionFailed`.
#[derive(Debug)]
pub(super) struct Conversion {
    name: Arc<str>,
    kind: &'static Kind,
    source: Source,
    output: Option<Variable>,
}

/// Which way.
#[derive(Debug)]
pub(super) struct Kind {
    /// As texts of faults have it.
    pub(super) policy: &'static str,
    pub(super) prefix_apigee: &'static str,
    pub(super) prefix_sap: &'static str,
    /// Messages of another content type are left as they are.
    pub(super) from: MediaKind,
    pub(super) content_type: &'static str,
}

impl Conversion {
    pub(super) fn read(policy: &mut Blueprint<'_>, kind: &'static Kind) -> Self {
        let source = Source::read(policy, &[]);
        source.reads_body(policy);
        let element = policy.root.child("OutputVariable");
        if let Some(element) = element {
            policy.only(element, &[], &[]);
        }
        let output = element.filter(|element| !element.text().is_empty());
        let output = output.and_then(|element| policy.variable(element, element.text()));
        Self { name: policy.name.clone(), kind, source, output }
    }

    pub(super) fn run(
        &self,
        cx: &mut Exchange,
        convert: impl FnOnce(&str, Dialect) -> Result<String, String>,
    ) -> Result<Next, Fault> {
        let dialect = cx.proxy().dialect;
        let fault = |name: &str, text: String| {
            let prefix = if dialect == Dialect::Sap { self.kind.prefix_sap } else { self.kind.prefix_apigee };
            Fault::internal(
                format!("{prefix}.{name}"),
                format!("{}[{}]: {text}", self.kind.policy, self.name),
            )
        };
        let source = &self.source.name;
        let (text, from_message) = match self.source.get(cx) {
            Sourced::Message(message) if MediaKind::of(message) != self.kind.from => {
                return Ok(Next::Continue);
            }
            Sourced::Message(message) => (message.content(), true),
            Sourced::Text(text) if self.is_text(cx) => (text, false),
            Sourced::Text(_) => {
                return Err(fault("InvalidSourceType", format!("Source type of {source} is invalid")));
            }
            Sourced::Nothing => {
                return Err(fault("SourceUnavailable", format!("Source {source} is not available")));
            }
        };
        let output = match &self.output {
            Some(output) => output.clone(),
            None if from_message => Variable::new(source),
            None => {
                let text = "OutputVariable is not available".to_owned();
                return Err(fault("OutputVariableIsNotAvailable", text));
            }
        };
        let to_message =
            cx.message_named(output.name()).is_some() || MessageName::of(output.name()).is_some();
        let is_there = to_message || !cx.value(&output).is_null();
        if is_there && to_message != from_message {
            return Err(fault(
                "InCompatibleTypes",
                format!("Source {source} and OutputVariable {} are of incompatible types", output.name()),
            ));
        }
        let converted = convert(&text, dialect)
            .map_err(|why| fault("ExecutionFailed", format!("Execution failed due to reason: {why}")))?;
        if !from_message {
            cx.set(&output, Some(Stored::from(converted))).map_err(|why| {
                fault("ExecutionFailed", format!("Execution failed due to reason: {}: {why}", output.name()))
            })?;
            return Ok(Next::Continue);
        }
        if cx.message_named(output.name()).is_none() && MessageName::of(output.name()).is_none() {
            cx.variables.set_message(output.shared_name(), Message::empty_response());
        }
        if let Some(message) = cx.message_named_mut(output.name()) {
            message.set_body(MessageBody::Replaced(Bytes::from(converted)));
            // The coding was the old body's.
            message.headers.remove(CONTENT_ENCODING);
            message.headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind.content_type));
        }
        Ok(Next::Continue)
    }

    fn is_text(&self, cx: &Exchange) -> bool {
        matches!(cx.value(&Variable::new(&self.source.name)), Value::Text(_))
    }
}

/// A character that may begin a name, colons aside (XML 1.0, production 4).
pub(super) const fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}' | '\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// A character that may go on a name, colons aside.
pub(super) const fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}' | '\u{2040}')
}

/// A name without a colon.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(is_name_start) && text.chars().all(is_name_char)
}
