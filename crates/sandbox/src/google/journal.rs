//! The bounded record of requests the double has seen.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the double made of the bearer token of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BearerState {
    /// Issued here, not expired, its grant alive.
    Valid,
    /// Issued here, past its lifetime.
    Expired,
    /// Never issued here, or its grant was revoked.
    Unknown,
    /// The request carried none.
    None,
}

/// One request as the double saw it. No secret is in it: bearer, cookies and credentials are reduced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Counts from 1 since the double started or was reset.
    pub sequence: u64,
    /// When it arrived, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The HTTP method in force, after any `X-HTTP-Method-Override`.
    pub method: String,
    /// The path as sent, still percent-encoded.
    pub path: String,
    /// The query as sent, without the question mark; parameters that let somebody in reduced to
    /// `***`: tokens, codes, `upload_id`, `sig`.
    pub query: Option<String>,
    /// The status answered.
    pub status: u16,
    /// The state of the bearer token on arrival.
    pub bearer: BearerState,
    /// The first eight hex digits of the token's SHA-256, to tell tokens apart.
    pub token_fingerprint: Option<String>,
    /// `Content-Type` as sent.
    pub content_type: Option<String>,
    /// The headers but `Authorization` and `Cookie`: names in lower case, in order of arrival.
    pub headers: Vec<(String, String)>,
    /// The JSON metadata of the body, if it had one: the whole body, or the first part of a multipart
    /// upload. Of a token request: `grant_type` and `client_auth` (`post`, `basic`, `none`) only.
    pub body: Option<Value>,
}

impl JournalEntry {
    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether this was a call of a token endpoint.
    pub fn is_token_request(&self) -> bool {
        self.method == "POST" && super::oauth::TOKEN_PATHS.contains(&self.path.as_str())
    }
}

#[derive(Debug)]
pub(crate) struct Journal {
    capacity: usize,
    seen: Mutex<(u64, VecDeque<JournalEntry>)>,
}

impl Journal {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), seen: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, (u64, VecDeque<JournalEntry>)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an entry, numbering it; the oldest falls out of a full journal.
    pub(crate) fn record(&self, mut entry: JournalEntry) {
        let mut seen = self.lock();
        seen.0 += 1;
        entry.sequence = seen.0;
        if seen.1.len() == self.capacity {
            seen.1.pop_front();
        }
        seen.1.push_back(entry);
    }

    pub(crate) fn entries(&self) -> Vec<JournalEntry> {
        self.lock().1.iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        *self.lock() = (0, VecDeque::new());
    }
}

/// Where a handler leaves the body's metadata for the journal: a streamed body cannot be looked at twice.
#[derive(Debug, Clone, Default)]
pub(crate) struct BodyNote(Arc<Mutex<Option<Value>>>);

impl BodyNote {
    pub(crate) fn set(&self, body: Value) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }

    pub(crate) fn take(&self) -> Option<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
