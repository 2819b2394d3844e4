//! Debug sessions: what happened in an exchange, step by step (issue "Trace").
//!
//! A session keeps the exchanges that its filter picks, in memory and within bounds; the oldest go first.
//! What is private never gets in: `private.` variables, what was encrypted, and what the mask list names are
//! shown as `***`, also where their values turn up elsewhere. With no session on, an exchange pays one look
//! at a number when it begins and one branch per step.

mod mask;
mod recorder;
mod shot;
mod transaction;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pierhead_domain::EpochMillis;
use serde::{Deserialize, Serialize};

use crate::exchange::Exchange;

pub use mask::Masks;
pub(crate) use recorder::{Recorder, run_step};
pub use shot::{BodyShot, MessageShot};
pub use transaction::{Assignment, Point, Reading, TracedFault, Transaction};

/// All debug sessions of a gateway.
#[derive(Debug, Default)]
pub struct TraceSessions {
    active: AtomicUsize,
    sessions: Mutex<Vec<Arc<Session>>>,
    started: AtomicU64,
}

/// What a session looks at and how much it keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TraceSettings {
    /// Name of the API proxy.
    pub proxy: String,
    /// Only this revision.
    pub revision: Option<String>,
    /// Only requests with each of these headers, by name and exact value.
    pub headers: Vec<(String, String)>,
    /// What is not shown.
    pub masks: Masks,
    /// The most exchanges that are kept.
    pub max_transactions: usize,
    /// The most bytes that are kept, about.
    pub max_bytes: usize,
    /// The most bytes of one exchange; what comes later in it is not recorded.
    pub max_transaction_bytes: usize,
    /// Bytes of a body that are shown.
    pub body_bytes: usize,
    /// Nothing is recorded from then on.
    pub until: Option<EpochMillis>,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self {
            proxy: String::new(),
            revision: None,
            headers: Vec::new(),
            masks: Masks::default(),
            max_transactions: 1000,
            max_bytes: 64 << 20,
            max_transaction_bytes: 4 << 20,
            body_bytes: 64 << 10,
            until: None,
        }
    }
}

/// A session as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceSummary {
    /// Names it.
    pub id: u64,
    /// As it was started.
    pub settings: TraceSettings,
    /// When.
    pub started: EpochMillis,
    /// Exchanges that are kept.
    pub transactions: usize,
    /// Exchanges that were recorded and had to make room.
    pub dropped: u64,
}

#[derive(Debug)]
pub(crate) struct Session {
    id: u64,
    started: EpochMillis,
    pub(crate) settings: TraceSettings,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    transactions: VecDeque<(Arc<Transaction>, usize)>,
    bytes: usize,
    dropped: u64,
}

/// Nothing here is left half done when a thread dies.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TraceSessions {
    /// Starts a session; gives its id.
    pub fn start(&self, settings: TraceSettings, now: EpochMillis) -> u64 {
        let id = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        let session = Session { id, started: now, settings, kept: Mutex::default() };
        let mut sessions = lock(&self.sessions);
        sessions.push(Arc::new(session));
        self.active.store(sessions.len(), Ordering::Relaxed);
        id
    }

    /// Ends a session and forgets what it recorded; says whether there was one.
    pub fn stop(&self, id: u64) -> bool {
        let mut sessions = lock(&self.sessions);
        let before = sessions.len();
        sessions.retain(|session| session.id != id);
        self.active.store(sessions.len(), Ordering::Relaxed);
        sessions.len() < before
    }

    /// All sessions, the oldest first.
    pub fn list(&self) -> Vec<TraceSummary> {
        lock(&self.sessions).iter().map(|session| session.summary()).collect()
    }

    /// What a session recorded, the oldest first; `None` when there is no such session.
    pub fn transactions(&self, id: u64) -> Option<Vec<Arc<Transaction>>> {
        let session = lock(&self.sessions).iter().find(|session| session.id == id).cloned()?;
        let kept = lock(&session.kept);
        Some(kept.transactions.iter().map(|(transaction, _)| Arc::clone(transaction)).collect())
    }

    /// A session with all it recorded, as JSON; `None` when there is no such session.
    pub fn export(&self, id: u64) -> Option<serde_json::Value> {
        let session = lock(&self.sessions).iter().find(|session| session.id == id).cloned()?;
        let transactions = self.transactions(id)?;
        let transactions: Vec<&Transaction> = transactions.iter().map(Arc::as_ref).collect();
        Some(serde_json::json!({ "session": session.summary(), "transactions": transactions }))
    }

    /// Whether any session is on.
    pub(crate) fn is_on(&self) -> bool {
        self.active.load(Ordering::Relaxed) > 0
    }

    /// The session that wants to see this exchange.
    pub(crate) fn session_for(&self, cx: &Exchange) -> Option<Arc<Session>> {
        lock(&self.sessions).iter().find(|session| session.wants(cx)).cloned()
    }
}

impl Session {
    fn wants(&self, cx: &Exchange) -> bool {
        let TraceSettings { proxy, revision, headers, until, .. } = &self.settings;
        *proxy == *cx.proxy().name
            && revision.as_ref().is_none_or(|revision| **revision == *cx.proxy().revision)
            && until.is_none_or(|until| cx.now() < until)
            && headers.iter().all(|(name, value)| {
                cx.request.headers.get_all(name).iter().any(|sent| sent.as_bytes() == value.as_bytes())
            })
    }

    fn keep(&self, transaction: Transaction, bytes: usize) {
        let mut kept = lock(&self.kept);
        kept.transactions.push_back((Arc::new(transaction), bytes));
        kept.bytes += bytes;
        while kept.transactions.len() > self.settings.max_transactions
            || (kept.bytes > self.settings.max_bytes && kept.transactions.len() > 1)
        {
            let Some((_, bytes)) = kept.transactions.pop_front() else { break };
            kept.bytes -= bytes;
            kept.dropped += 1;
        }
    }

    fn summary(&self) -> TraceSummary {
        let kept = lock(&self.kept);
        TraceSummary {
            id: self.id,
            settings: self.settings.clone(),
            started: self.started,
            transactions: kept.transactions.len(),
            dropped: kept.dropped,
        }
    }
}

#[cfg(test)]
mod tests;
