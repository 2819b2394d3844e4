//! `Source`: the message or text that a policy reads.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::blueprint::Blueprint;
use super::element::Element;
use crate::condition::Lookup;
use crate::exchange::{Exchange, Message, MessageBody};
use crate::variable::{MessageName, NotWritable, Stored, Variable};

/// A message by name, or a variable that holds text.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: Arc<str>,
    variable: Variable,
}

/// What a source is at the moment.
pub(crate) enum Sourced<'a> {
    Message(&'a Message),
    Text(Cow<'a, str>),
    Nothing,
}

/// What the content type of a message says its body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaKind {
    Json,
    Xml,
    Other,
}

impl Source {
    /// Reads `<Source>`; without one it is `message`. `attributes` are the caller's.
    pub(crate) fn read(policy: &mut Blueprint<'_>, attributes: &[&str]) -> Self {
        let element = policy.root.child("Source");
        if let Some(element) = element {
            policy.only(element, attributes, &[]);
        }
        let written = element.filter(|element| !element.text().is_empty());
        let variable = written.and_then(|element| policy.variable(element, element.text()));
        let variable = variable.unwrap_or_else(|| Variable::new("message"));
        Self { name: variable.shared_name().clone(), variable }
    }

    /// The message or variable that an attribute names; without it `message`.
    pub(crate) fn by(policy: &mut Blueprint<'_>, element: &Element, attribute: &str) -> Self {
        let name = element.attribute(attribute).map(str::trim).filter(|name| !name.is_empty());
        let variable = name.and_then(|name| policy.variable(element, name));
        let variable = variable.unwrap_or_else(|| Variable::new("message"));
        Self { name: variable.shared_name().clone(), variable }
    }

    /// Puts XML in place of what is there: of a message the body, else the variable's text.
    pub(crate) fn put_xml(&self, cx: &mut Exchange, xml: String) -> Result<(), NotWritable> {
        match cx.message_named_mut(&self.name) {
            Some(message) => {
                message.set_body(MessageBody::Replaced(Bytes::from(xml)));
                // The coding was the old body's.
                message.headers.remove(CONTENT_ENCODING);
                Ok(())
            }
            None => cx.set(&self.variable, Some(Stored::from(xml))),
        }
    }

    /// A message or variable that no element names.
    pub(crate) fn named(name: &str) -> Self {
        let variable = Variable::new(name);
        Self { name: variable.shared_name().clone(), variable }
    }

    /// Notes that the body is read.
    pub(crate) fn reads_body(&self, policy: &mut Blueprint<'_>) {
        match MessageName::of(&self.name) {
            Some(name) => policy.reads.note_message(name),
            None => policy.reads.note(&self.variable),
        }
    }

    pub(crate) fn get<'a>(&'a self, cx: &'a Exchange) -> Sourced<'a> {
        match cx.message_named(&self.name) {
            Some(message) => Sourced::Message(message),
            None if MessageName::of(&self.name).is_some() => Sourced::Nothing,
            None => cx.value(&self.variable).into_text().map_or(Sourced::Nothing, Sourced::Text),
        }
    }

    /// The variable of a part of the source, such as `header.x`.
    pub(crate) fn part(&self, part: &str) -> Variable {
        Variable::new(&format!("{}.{part}", self.name))
    }
}

impl MediaKind {
    pub(crate) fn of(message: &Message) -> Self {
        let kind = message.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let application = kind.strip_prefix("application/");
        if application.is_some_and(|kind| kind == "json" || kind.ends_with("+json")) {
            Self::Json
        } else if kind == "text/xml"
            || application.is_some_and(|kind| kind == "xml" || kind.ends_with("+xml"))
        {
            Self::Xml
        } else {
            Self::Other
        }
    }
}
