//! Calls that steps make themselves: ServiceCallout, JavaScript's `httpClient`, key sets.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::compile::{Endpoint, TargetTimeouts};
use crate::exchange::Message;
use crate::fault::EngineFault;

/// A call to a server, whole in memory.
#[derive(Debug, Clone)]
pub struct Callout {
    /// Where the server listens.
    pub endpoint: Endpoint,
    /// A request; its target is the head's path and query, and its body is not streaming.
    pub request: Message,
    /// Times of the connection.
    pub timeouts: TargetTimeouts,
    /// The whole call must be over by then.
    pub within: Duration,
    /// The largest answer that is read, in bytes.
    pub answer_limit: usize,
}

/// An owned future that stays on its thread.
pub type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// The way out for callouts; one per thread.
pub trait Outbound {
    /// Makes the call and reads the whole answer. What a target's failure would be is the fault.
    fn call(&self, callout: Callout) -> LocalFuture<Result<Message, EngineFault>>;
}
