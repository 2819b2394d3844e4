//! Debug sessions: what happened in an exchange, step by step (issue "Trace", decision 057).
//!
//! A session keeps the exchanges that its filter picks, in memory and within bounds; the oldest go first.
//! What is private never gets into what is shown: `private.` variables, what was encrypted, and what the masks
//! name stand there as `***`, also where their values turn up elsewhere. With no session on, an exchange pays
//! one look at a number when it begins and one branch per step.

mod calls;
mod diff;
mod kept;
mod mask;
mod passing;
mod recorder;
mod replay;
mod session;
mod settings;
mod shot;
mod step;
mod transaction;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use pierhead_domain::EpochMillis;

use crate::condition::{BadCondition, Condition};
use crate::exchange::Exchange;

pub use diff::{Difference, Part, differences};
pub use kept::Recorded;
pub use mask::{BadMask, Masks, PathLists, PathMasks};
pub(crate) use passing::Passing;
pub(crate) use recorder::Recorder;
pub(crate) use replay::Replayer;
pub use replay::{Replay, ReplayFailed, Targets};
pub(crate) use session::Session;
pub use session::{TraceExport, TraceSummary};
pub use settings::TraceSettings;
pub use shot::{BodyShot, MessageShot};
pub(crate) use step::run_step;
pub use transaction::{Assignment, Point, Reading, TimedPoint, TracedFault, Transaction};

/// The most sessions at once; an ended one makes room, one that records does not.
const MOST_SESSIONS: usize = 20;

/// A session that has ended is forgotten after this. Unsourced.
const KEPT_FOR: std::time::Duration = std::time::Duration::from_secs(3600);

/// All debug sessions of a gateway.
#[derive(Default)]
pub struct TraceSessions {
    /// Sessions that record.
    active: AtomicUsize,
    sessions: Mutex<Sessions>,
    /// The gateway that runs recorded requests again.
    replayer: OnceLock<Replayer>,
}

#[derive(Debug, Default)]
struct Sessions {
    all: Vec<Arc<Session>>,
    started: u64,
}

/// Why a session cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum CannotTrace {
    /// The condition of the filter.
    #[error("filter: {0}")]
    Condition(#[from] BadCondition),
    /// A mask.
    #[error(transparent)]
    Mask(#[from] BadMask),
    /// Each has a bound on its memory, so there is a bound on them.
    #[error("{MOST_SESSIONS} debug sessions are recording; stop one first")]
    TooMany,
}

/// Nothing here is left half done when a thread dies.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TraceSessions {
    /// Starts a session; gives its id.
    ///
    /// # Errors
    /// When its condition or a mask cannot be understood, or too many record already.
    pub fn start(&self, settings: TraceSettings, now: EpochMillis) -> Result<u64, CannotTrace> {
        let condition = Condition::parse(&settings.condition)?;
        self.add(settings, condition, now, Vec::new())
    }

    /// A session that records nothing and shows `transactions`.
    ///
    /// # Errors
    /// When too many record already.
    pub fn import(
        &self,
        mut settings: TraceSettings,
        transactions: Vec<Transaction>,
        now: EpochMillis,
    ) -> Result<u64, CannotTrace> {
        settings.until = Some(now);
        self.add(settings, None, now, transactions)
    }

    fn add(
        &self,
        settings: TraceSettings,
        condition: Option<Condition>,
        now: EpochMillis,
        shown: Vec<Transaction>,
    ) -> Result<u64, CannotTrace> {
        let paths = settings.masks.paths()?;
        let mut sessions = lock(&self.sessions);
        sessions.sweep(now);
        if sessions.all.len() >= MOST_SESSIONS {
            let ended = sessions.all.iter().position(|session| session.has_ended(now));
            sessions.all.remove(ended.ok_or(CannotTrace::TooMany)?);
        }
        sessions.started += 1;
        let id = sessions.started;
        let session = Session::new(id, settings, paths, condition, now);
        for transaction in shown {
            session.keep(Recorded::of(transaction), 0);
        }
        sessions.all.push(Arc::new(session));
        self.count(&sessions, now);
        Ok(id)
    }

    /// Whoever begins an exchange looks at this number only.
    fn count(&self, sessions: &Sessions, now: EpochMillis) {
        let recording = sessions.all.iter().filter(|session| !session.has_ended(now)).count();
        self.active.store(recording, Ordering::Relaxed);
    }

    /// Ends a session: nothing more is recorded, and what it has stays. Says whether there is one.
    pub fn stop(&self, id: u64, now: EpochMillis) -> bool {
        let sessions = lock(&self.sessions);
        let Some(session) = sessions.find(id) else { return false };
        session.end(now);
        self.count(&sessions, now);
        true
    }

    /// Ends a session and forgets what it recorded; says whether there was one.
    pub fn remove(&self, id: u64, now: EpochMillis) -> bool {
        let mut sessions = lock(&self.sessions);
        let before = sessions.all.len();
        sessions.all.retain(|session| session.id != id);
        self.count(&sessions, now);
        sessions.all.len() < before
    }

    /// All sessions, the oldest first.
    pub fn list(&self, now: EpochMillis) -> Vec<TraceSummary> {
        let mut sessions = lock(&self.sessions);
        sessions.sweep(now);
        self.count(&sessions, now);
        sessions.all.iter().map(|session| session.summary(now)).collect()
    }

    /// What a session recorded, the oldest first; `None` when there is no such session.
    pub fn recorded(&self, id: u64) -> Option<Vec<Recorded>> {
        let session = lock(&self.sessions).find(id)?;
        Some(session.recorded())
    }

    /// A session with all it recorded; `None` when there is no such session.
    pub fn export(&self, id: u64, now: EpochMillis) -> Option<TraceExport> {
        let session = lock(&self.sessions).find(id)?;
        let transactions =
            session.recorded().iter().map(|one| Transaction::clone(&one.transaction)).collect();
        Some(TraceExport { format: TraceExport::FORMAT, session: session.summary(now), transactions })
    }

    /// Whether any session records.
    pub(crate) fn is_on(&self) -> bool {
        self.active.load(Ordering::Relaxed) > 0
    }

    /// The sessions that want to see this exchange.
    pub(crate) fn sessions_for(&self, cx: &Exchange) -> Vec<Arc<Session>> {
        let sessions = lock(&self.sessions);
        // One that ended by itself is counted no more.
        self.count(&sessions, cx.now());
        sessions.all.iter().filter(|session| session.wants(cx)).cloned().collect()
    }

    /// Says which gateway runs recorded requests again; the first stays.
    pub(crate) fn replay_by(&self, replayer: Replayer) {
        let _ = self.replayer.set(replayer);
    }

    /// Runs a recorded request again, in process: no client and no other request sees anything of it.
    ///
    /// # Errors
    /// When it cannot be run: see [`ReplayFailed`].
    pub async fn replay(&self, replay: Replay) -> Result<Transaction, ReplayFailed> {
        let replayer = self.replayer.get().ok_or(ReplayFailed::NoGateway)?;
        replayer.run(replay).await
    }
}

impl std::fmt::Debug for TraceSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TraceSessions").field("active", &self.active).finish_non_exhaustive()
    }
}

impl Sessions {
    fn find(&self, id: u64) -> Option<Arc<Session>> {
        self.all.iter().find(|session| session.id == id).cloned()
    }

    fn sweep(&mut self, now: EpochMillis) {
        self.all.retain(|session| !session.has_ended(now) || now.since(session.ended_at()) < KEPT_FOR);
    }
}

#[cfg(test)]
mod tests;
