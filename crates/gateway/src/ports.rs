//! What the data plane asks of the rest of the program, and no more. The binary implements these.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;

use pierhead_domain::EpochMillis;

use crate::analytics::AnalyticsSink;
use crate::state::{Count, CountMode, WindowRule};
use crate::tokens::Tokens;

/// An owned future that may cross threads.
pub type PortFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A body that crosses between the data plane and the hub, frame by frame with back-pressure.
pub type HubBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// The connector hub of this same installation, reached without a network hop (design, "The one data flow").
///
/// The request has a path below `/elements/api-v2` (that prefix removed), its query, its headers and the
/// three secrets in `Authorization`. Only hub calls are served: a platform path is answered 403 in the hub's
/// dialect. Dropping the future or the answer's body ends the call.
pub trait Hub: Send + Sync {
    /// Makes the call. Never fails: what goes wrong is an answer in the hub's dialect.
    fn call(&self, request: http::Request<HubBody>) -> PortFuture<http::Response<HubBody>>;
}

/// Writes that policies make to key value maps at run time. Reads come from the snapshot.
pub trait KvmWriter: Send + Sync {
    /// Puts an entry; with `replace` false an existing one is kept. Durable when it returns.
    fn put(&self, at: KvmAddress, value: String, replace: bool) -> PortFuture<Result<(), KvmUnavailable>>;
    /// Removes an entry; removing what is not there is no error.
    fn delete(&self, at: KvmAddress) -> PortFuture<Result<(), KvmUnavailable>>;
}

/// One entry of a key value map.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KvmAddress {
    /// Where the map lives.
    pub scope: KvmScope,
    /// Name of the map.
    pub map: String,
    /// Key of the entry.
    pub key: String,
}

/// The scopes of key value maps (api-management §8.5, §9.5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KvmScope {
    /// `organization` / `ORG`.
    Organization,
    /// `environment` / `ENV`.
    Environment,
    /// `apiproxy` / `APIPROXY`: of the proxy with this name.
    Proxy(String),
    /// `policy`: of this policy of this proxy.
    Policy {
        /// The proxy.
        proxy: String,
        /// The policy.
        policy: String,
    },
}

/// A key value map could not be written; the text is for the log.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the key value map cannot be written: {0}")]
pub struct KvmUnavailable(pub String);

/// Quota counters that several nodes have together (design §3, Counters; decision 044). Reached only for
/// policies that say `Distributed`; a node that cannot reach them counts alone.
pub trait SharedCounters: Send + Sync {
    /// Counts a message, or units that the asking node keeps as its share. All at once: either all units are
    /// counted and granted, or none.
    fn take(&self, ask: CounterAsk) -> PortFuture<Result<Count, CountersUnavailable>>;
    /// Takes units back; what is not there cannot be lowered, which is no error.
    fn lower(
        &self,
        counter: String,
        now: EpochMillis,
        by: u64,
    ) -> PortFuture<Result<(), CountersUnavailable>>;
}

/// What is asked of a shared counter.
#[derive(Debug, Clone)]
pub struct CounterAsk {
    /// Which counter.
    pub counter: String,
    /// Its windows.
    pub rule: WindowRule,
    /// The asking node's time.
    pub now: EpochMillis,
    /// How many units.
    pub units: u64,
    /// How many all nodes together may use in a window.
    pub allowed: u64,
    /// Whether to count, to refuse, or both.
    pub mode: CountMode,
}

/// The shared counters cannot be reached; the text is for the log.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the shared counters cannot be reached: {0}")]
pub struct CountersUnavailable(pub String);

/// The ports of one gateway.
#[derive(Clone)]
pub struct Ports {
    /// This installation's hub; `None` on a node without it.
    pub hub: Option<Arc<dyn Hub>>,
    /// Run-time writes to key value maps.
    pub kvm: Arc<dyn KvmWriter>,
    /// Takes what StatisticsCollector, DataCapture and TraceCapture collect.
    pub analytics: Arc<dyn AnalyticsSink>,
    /// Tokens of OAuth 2.0 that policies issue.
    pub tokens: Arc<dyn Tokens>,
}
