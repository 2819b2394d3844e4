//! Policies: the steps of flows.
//!
//! Adding one: a file in its family's folder, with a type that implements [`Policy`] and a `compile`
//! function, and a line in the family's `POLICIES`.

mod blueprint;
mod edits;
mod element;
mod extension;
mod kinds;
mod mediation;
mod security;
mod setting;
mod source;
mod traffic;
mod unavailable;
mod xml_parts;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::exchange::Exchange;
use crate::fault::Fault;

pub(crate) use blueprint::{Blueprint, MessageReads};
pub(crate) use element::Element;
pub use extension::open_connectors::INSTANCE_TOKEN_MAP;
pub(crate) use extension::substitute;
pub(crate) use kinds::why_not;
pub use kinds::{KnownKind, known_kinds};
pub use security::KeySets;
pub(crate) use unavailable::Unavailable;

/// A compiled policy. It keeps no state of requests.
pub trait Policy: Send + Sync + fmt::Debug {
    /// Works on an exchange.
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a>;

    /// The name of the counters it keeps, when other policies may change them.
    fn counter(&self) -> Option<&Arc<str>> {
        None
    }
}

/// How a policy runs: nearly always it is done when it returns, and then nothing is allocated for waiting.
pub enum PolicyRun<'a> {
    /// It has run.
    Done(Result<Next, Fault>),
    /// It waits for something outside the exchange. It stays on the thread of its request.
    Wait(Pin<Box<dyn Future<Output = Result<Next, Fault>> + 'a>>),
}

/// What the flow does after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Goes on.
    Continue,
    /// Skips the rest of the request flows and the target: the response is there already.
    Respond,
}

pub(crate) type Compiled = Box<dyn Policy>;

/// A kind of policy: its root element, the prefix of its `failed` variable, how it is compiled.
pub(crate) struct Entry {
    pub(crate) kind: &'static str,
    pub(crate) prefix: &'static str,
    /// Gives `None` after reporting a problem that leaves nothing to run.
    pub(crate) compile: fn(&mut Blueprint<'_>) -> Option<Compiled>,
}

const fn entry(
    kind: &'static str,
    prefix: &'static str,
    compile: fn(&mut Blueprint<'_>) -> Option<Compiled>,
) -> Entry {
    Entry { kind, prefix, compile }
}

/// Every policy the gateway runs, by family.
static FAMILIES: [&[Entry]; 4] =
    [security::POLICIES, traffic::POLICIES, mediation::POLICIES, extension::POLICIES];

fn catalogue() -> impl Iterator<Item = &'static Entry> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The policy with this root element.
pub(crate) fn entry_of(kind: &str) -> Option<&'static Entry> {
    catalogue().find(|entry| entry.kind == kind)
}

pub(crate) const OPEN_CONNECTORS: &str = "OpenConnectors";

/// The kinds of policies that can be deployed.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    catalogue().map(|entry| entry.kind)
}

#[cfg(test)]
mod tests;
