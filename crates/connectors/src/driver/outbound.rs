//! The port through which the `http` driver reaches the world.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};

use crate::engine::Body;

/// How long parts of one vendor call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallTimes {
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// From the sent request's end to the answer's head.
    pub first_byte: Duration,
    /// Between two pieces of a body, either way.
    pub idle: Duration,
}

/// Sends one request to a vendor; follows no redirect and retries nothing. The outbound client of the
/// installation implements it; tests put recorded exchanges in its place.
pub trait Outbound: Send + Sync + fmt::Debug {
    /// Sends `request`, whose URI is absolute, and streams both bodies.
    fn send(
        &self,
        request: Request<Body>,
        times: CallTimes,
    ) -> BoxFuture<'_, Result<Response<Body>, OutboundProblem>>;
}

/// Why no answer came.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OutboundProblem {
    /// The address guard refused the target.
    #[error("{0}")]
    Refused(String),
    /// Name resolution, connection or TLS failed: nothing was sent.
    #[error("{0}")]
    Unreachable(String),
    /// A time ran out.
    #[error("{0}")]
    TimedOut(String),
    /// The connection broke after something was sent.
    #[error("{0}")]
    Broken(String),
}
