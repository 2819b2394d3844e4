//! Changes to a message that AssignMessage and RaiseFault share: copy, remove, add, set, assign a variable.

mod apply;
mod read;

pub(crate) use apply::EditProblem;

use std::sync::{Arc, LazyLock};

use http::HeaderName;

use crate::template::Template;
use crate::variable::{Variable, Which};

/// Changes in the order they are made: that of the document.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    pub(super) edits: Vec<Edit>,
    /// Unresolved variables are empty instead of a fault.
    pub(super) lenient: bool,
}

#[derive(Debug)]
pub(super) enum Edit {
    /// From another message.
    Copy {
        source: MessageRef,
        parts: Vec<Part>,
    },
    Remove(Vec<Part>),
    Add(Vec<Pair>),
    Set(Vec<Setting>),
    Assign(Box<Assignment>),
}

/// A message by the name written in the policy.
#[derive(Debug, Clone)]
pub(crate) struct MessageRef(pub(crate) Arc<str>);

impl MessageRef {
    /// The message of the present segment.
    pub(crate) fn present() -> &'static Self {
        static PRESENT: LazyLock<MessageRef> = LazyLock::new(|| MessageRef("message".into()));
        &PRESENT
    }

    /// The response, also while it is still to come.
    pub(crate) fn response() -> &'static Self {
        static RESPONSE: LazyLock<MessageRef> = LazyLock::new(|| MessageRef("response".into()));
        &RESPONSE
    }
}

/// A part of a message to copy or to remove.
#[derive(Debug)]
pub(super) enum Part {
    AllHeaders,
    Header(HeaderName, Which),
    AllQueryParams,
    QueryParam(Box<str>, Which),
    AllFormParams,
    FormParam(Box<str>, Which),
    Payload,
    Verb,
    Version,
    Path,
    StatusCode,
    ReasonPhrase,
}

/// A named value to add or to set.
#[derive(Debug)]
pub(super) enum Pair {
    Header(HeaderName, Which, Template),
    QueryParam(Box<str>, Which, Template),
    FormParam(Box<str>, Which, Template),
}

#[derive(Debug)]
pub(super) enum Setting {
    Pair(Pair),
    Payload {
        content_type: Option<Template>,
        body: Template,
    },
    Verb(Template),
    /// Accepted; what is spoken to either side is the transport's choice.
    Version,
    Path(Template),
    StatusCode(Template),
    ReasonPhrase(Template),
}

/// `AssignVariable`: the first of these that has a value.
#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) name: Variable,
    pub(super) reference: Option<Variable>,
    pub(super) template: Option<Template>,
    /// Name of a variable whose text is the template.
    pub(super) template_reference: Option<Variable>,
    /// `<set>.<key>` of a property.
    pub(super) property: Option<Template>,
    pub(super) value: Option<Box<str>>,
}
