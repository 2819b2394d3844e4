//! Policies: the steps of flows.
//!
//! Adding one: a file with a type that implements [`Policy`] and a `compile` function, and a line in
//! [`CATALOGUE`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::exchange::Exchange;
use crate::fault::Fault;

/// A compiled policy. It keeps no state of requests.
pub trait Policy: Send + Sync + fmt::Debug {
    /// Works on an exchange.
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a>;
}

/// How a policy runs: nearly always it is done when it returns, and then nothing is allocated for waiting.
pub enum PolicyRun<'a> {
    /// It has run.
    Done(Result<Next, Fault>),
    /// It waits for something outside the exchange.
    Wait(Pin<Box<dyn Future<Output = Result<Next, Fault>> + Send + 'a>>),
}

/// What the flow does after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Goes on.
    Continue,
    /// Skips the rest of the request flows and the target: the response is there already.
    Respond,
}
