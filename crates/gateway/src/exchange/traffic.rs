//! What traffic policies keep of an exchange between their steps.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pierhead_domain::EpochMillis;

use crate::state::{Cached, CachedResponse, ConnectionSlot, MAX_VALUE_BYTES, RunState};

/// Empty for nearly every exchange.
#[derive(Default)]
pub(crate) struct Traffic {
    /// Connections that ConcurrentRatelimit counts; those left end with the exchange.
    pub(crate) slots: Vec<ConnectionSlot>,
    /// Set in the answer, whichever way it came about, after every step (CORS).
    pub(crate) last_headers: Vec<(HeaderName, HeaderValue)>,
    /// The policy behind whose step in the response flows the exchange goes on: it found the response.
    pub(crate) resume_behind: Option<Arc<str>>,
    /// The response that streams by and is to be cached.
    pub(crate) recording: Option<Box<Recording>>,
}

/// A response on its way into the cache while it streams to the client.
pub(crate) struct Recording {
    pub(crate) state: Arc<RunState>,
    pub(crate) cache: Arc<str>,
    pub(crate) key: String,
    pub(crate) status: StatusCode,
    pub(crate) reason: Option<Box<str>>,
    pub(crate) headers: HeaderMap,
    pub(crate) now: EpochMillis,
    pub(crate) until: EpochMillis,
    pub(crate) body: BytesMut,
}

impl Recording {
    /// A part of the body went by. `false`: it is larger than what is cached.
    pub(crate) fn note(&mut self, part: &[u8]) -> bool {
        self.body.extend_from_slice(part);
        self.body.len() <= MAX_VALUE_BYTES
    }

    /// The body went by whole.
    pub(crate) fn finish(self) {
        let Self { state, cache, key, status, reason, headers, now, until, body } = self;
        let body: Bytes = body.freeze();
        let response = CachedResponse { status, reason, headers, body };
        state.caches.put(&cache, &key, Cached::Response(Arc::new(response)), now.as_i64(), until.as_i64());
    }
}
