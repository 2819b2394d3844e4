//! What the data plane tells about each answered request, to whoever wants to know.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, StatusCode};
use pierhead_domain::EpochMillis;

/// Takes records of answered requests. Called on a serving thread: it must neither block nor wait.
pub trait AccessLog: Send + Sync + fmt::Debug {
    /// Takes one record. A log with no room drops it and counts that.
    fn record(&self, record: &AccessRecord<'_>);
}

/// One answered request. Holds no header, query or body: nothing secret.
#[derive(Debug)]
pub struct AccessRecord<'a> {
    /// When its first byte arrived.
    pub at: EpochMillis,
    /// From its first byte to the last of the answer.
    pub took: Duration,
    /// The other end.
    pub client: SocketAddr,
    /// The verb.
    pub method: &'a Method,
    /// The path, without the query.
    pub path: &'a str,
    /// Name of the proxy that served it; empty when none did.
    pub proxy: &'a str,
    /// The status; `None` when the client left before there was one (499 in the originals' logs).
    pub status: Option<StatusCode>,
    /// Bytes of the answer's body.
    pub body_bytes: u64,
    /// The request's name in logs and in the `X-Request-Id` of the answer.
    pub request_id: &'a str,
}
