//! Flow variables (api-management §7): names resolved at deploy, values computed when read.

mod facts;
mod field;
pub(crate) mod moment;
mod read;
mod value;
mod write;

use std::fmt;
use std::sync::Arc;

pub(crate) use facts::Fact;
pub(crate) use field::{MessageField, Which};
pub use value::{Stored, Value};
pub(crate) use write::{NotWritable, set_header, set_param, set_path, set_reason, set_status, set_verb};

/// A variable by name, with the place its value comes from found once.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    name: Arc<str>,
    place: Place,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    /// A part of one of the exchange's own messages.
    Message(MessageName, MessageField),
    /// Something the exchange knows.
    Fact(Fact),
    /// The address of a network interface of this node.
    Interface(Box<str>),
    /// `propertyset.<set>.<key>`.
    Property,
    /// Set by a step; or a part of a message that a step made, whose name is this many bytes long.
    Named(Option<(usize, MessageField)>),
}

/// The messages that every exchange has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageName {
    Request,
    Response,
    /// The one of the present segment.
    Message,
    Error,
}

impl MessageName {
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "request" => Self::Request,
            "response" => Self::Response,
            "message" => Self::Message,
            "error" => Self::Error,
            _ => return None,
        })
    }
}

/// What the names of properties begin with.
const PROPERTY: &str = "propertyset.";

impl Variable {
    /// The variable of this name. Every name is one; what nobody sets is null.
    pub fn new(name: &str) -> Self {
        let place = if let Some(fact) = Fact::named(name) {
            Place::Fact(fact)
        } else if let Some(interface) = name.strip_prefix("system.interface.") {
            Place::Interface(interface.into())
        } else if name.starts_with(PROPERTY) {
            Place::Property
        } else {
            match MessageField::split(name) {
                Some((message, field)) => match MessageName::of(message) {
                    Some(message) => Place::Message(message, field),
                    None => Place::Named(Some((message.len(), field))),
                },
                None => match MessageName::of(name) {
                    Some(message) => Place::Message(message, MessageField::Content),
                    None => Place::Named(None),
                },
            }
        };
        Self { name: name.into(), place }
    }

    /// The name as written.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn shared_name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    /// Whether it is a part of one of the exchange's own messages.
    pub(crate) const fn is_of_message(&self) -> bool {
        matches!(self.place, Place::Message(..))
    }

    /// Whether its value is never traced and may hold what was encrypted.
    pub fn is_private(&self) -> bool {
        self.name.starts_with("private.")
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests;
