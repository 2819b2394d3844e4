//! What outlives requests and snapshots: the counters and caches of one node, shared by its threads.
//!
//! Deploying a proxy again changes nothing here: counters go on counting, and what is cached stays. Everything
//! is in shards with a lock each, bounded in memory, and told the time.

mod cache;
mod connections;
mod counter;
mod nonces;
mod quotas;
mod shards;
mod spikes;
mod window;

use std::sync::Arc;

pub(crate) use cache::{Cached, CachedResponse, Caches, MAX_VALUE_BYTES};
pub(crate) use connections::{ConnectionLimit, ConnectionSlot, Connections};
pub use counter::{Count, CountMode, KeptCounter};
pub(crate) use nonces::Nonces;
pub use quotas::InProcessCounters;
pub(crate) use quotas::{Batch, Quantity, Quotas};
pub(crate) use spikes::{Rate, Spikes};
pub use window::WindowRule;

use crate::ports::SharedCounters;

/// Bounds of what one node remembers.
#[derive(Debug, Clone)]
pub struct StateLimits {
    /// Counters of quotas; when there are more, those that are over or least used give way.
    pub quotas: usize,
    /// Counters of spike arrests.
    pub spikes: usize,
    /// Bytes of all cached entries, keys included.
    pub cache_bytes: usize,
    /// Nonces of signed requests; when there is no room for another, its request is refused.
    pub nonces: usize,
}

impl Default for StateLimits {
    fn default() -> Self {
        Self { quotas: 256 * 1024, spikes: 256 * 1024, cache_bytes: 64 * 1024 * 1024, nonces: 1024 * 1024 }
    }
}

/// The counters and caches of one node.
pub struct RunState {
    pub(crate) quotas: Quotas,
    pub(crate) spikes: Spikes,
    pub(crate) connections: Arc<Connections>,
    pub(crate) caches: Arc<Caches>,
    pub(crate) nonces: Nonces,
}

impl RunState {
    /// The state of a node that is alone: its own counters are the truth.
    pub fn new(limits: &StateLimits) -> Self {
        Self {
            quotas: Quotas::alone(limits.quotas),
            spikes: Spikes::new(limits.spikes),
            connections: Arc::new(Connections::new(limits.quotas)),
            caches: Arc::new(Caches::new(limits.cache_bytes)),
            nonces: Nonces::new(limits.nonces),
        }
    }

    /// The state of one of several nodes: distributed quotas count in `shared` (decision 044).
    pub fn sharing(limits: &StateLimits, shared: Arc<dyn SharedCounters>) -> Self {
        Self { quotas: Quotas::sharing(limits.quotas, shared), ..Self::new(limits) }
    }

    /// Forgets what was cached in a cache under keys that begin with `prefix`; the empty one clears it.
    pub fn clear_cache(&self, cache: &str, prefix: &str) {
        self.caches.clear(cache, prefix);
    }
}

impl Default for RunState {
    fn default() -> Self {
        Self::new(&StateLimits::default())
    }
}

/// Whose counter it is: the proxy's, the policy's (or of a shared name), the caller's, of the caller's class.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CounterKey {
    proxy: Arc<str>,
    pub(crate) owner: Arc<str>,
    identifier: Box<str>,
    class: Box<str>,
}

/// A [`CounterKey`] to look up by; nothing of it is owned, and it hashes alike.
#[derive(Debug, Clone, Copy, Hash)]
pub(crate) struct CounterName<'a> {
    /// The proxy that serves the request, also where a shared flow counts.
    pub(crate) proxy: &'a Arc<str>,
    /// The policy, or the name that policies share.
    pub(crate) owner: &'a Arc<str>,
    pub(crate) identifier: &'a str,
    pub(crate) class: &'a str,
}

impl CounterKey {
    fn name(&self) -> CounterName<'_> {
        let Self { proxy, owner, identifier, class } = self;
        CounterName { proxy, owner, identifier, class }
    }
}

impl CounterName<'_> {
    pub(crate) fn to_key(self) -> CounterKey {
        CounterKey {
            proxy: self.proxy.clone(),
            owner: self.owner.clone(),
            identifier: self.identifier.into(),
            class: self.class.into(),
        }
    }
}

impl indexmap::Equivalent<CounterKey> for CounterName<'_> {
    fn equivalent(&self, key: &CounterKey) -> bool {
        *self.identifier == *key.identifier
            && *self.class == *key.class
            && **self.owner == *key.owner
            && **self.proxy == *key.proxy
    }
}
