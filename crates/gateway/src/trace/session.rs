//! One session and what it keeps.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use pierhead_domain::EpochMillis;
use serde::{Deserialize, Serialize};

use super::kept::Recorded;
use super::lock;
use super::mask::PathMasks;
use super::settings::TraceSettings;
use super::transaction::Transaction;
use crate::condition::Condition;
use crate::exchange::Exchange;

/// A session as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceSummary {
    /// Names it on this node.
    pub id: u64,
    /// As it was started.
    pub settings: TraceSettings,
    /// When.
    pub started: EpochMillis,
    /// Whether it still records.
    pub recording: bool,
    /// Exchanges that are kept.
    pub transactions: usize,
    /// Exchanges that were recorded and had to make room.
    pub dropped: u64,
    /// Bytes that are kept, about.
    pub bytes: usize,
}

/// A session with all it recorded, as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceExport {
    /// [`TraceExport::FORMAT`].
    pub format: u32,
    /// The session.
    pub session: TraceSummary,
    /// The oldest first.
    pub transactions: Vec<Transaction>,
}

impl TraceExport {
    /// The version of the file's format that this program writes and reads.
    pub const FORMAT: u32 = 1;
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(super) id: u64,
    pub(super) settings: TraceSettings,
    pub(super) paths: PathMasks,
    condition: Option<Condition>,
    started: EpochMillis,
    /// Epoch milliseconds; nothing is recorded from then on.
    ends: AtomicI64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    recorded: VecDeque<(Recorded, usize)>,
    bytes: usize,
    dropped: u64,
}

impl Session {
    pub(super) fn new(
        id: u64,
        settings: TraceSettings,
        paths: PathMasks,
        condition: Option<Condition>,
        started: EpochMillis,
    ) -> Self {
        let ends = AtomicI64::new(settings.until.map_or(i64::MAX, EpochMillis::as_i64));
        Self { id, settings, paths, condition, started, ends, kept: Mutex::default() }
    }

    pub(super) fn ended_at(&self) -> EpochMillis {
        EpochMillis::new(self.ends.load(Ordering::Relaxed))
    }

    pub(super) fn has_ended(&self, now: EpochMillis) -> bool {
        self.ended_at() <= now
    }

    pub(super) fn end(&self, now: EpochMillis) {
        self.ends.fetch_min(now.as_i64(), Ordering::Relaxed);
    }

    pub(super) fn wants(&self, cx: &Exchange) -> bool {
        !self.has_ended(cx.now()) && self.settings.pick(self.condition.as_ref(), cx)
    }

    pub(super) fn keep(&self, recorded: Recorded, bytes: usize) {
        let mut kept = lock(&self.kept);
        kept.recorded.push_back((recorded, bytes));
        kept.bytes += bytes;
        while kept.recorded.len() > self.settings.max_transactions
            || (kept.bytes > self.settings.max_bytes && kept.recorded.len() > 1)
        {
            let Some((_, bytes)) = kept.recorded.pop_front() else { break };
            kept.bytes -= bytes;
            kept.dropped += 1;
        }
    }

    pub(super) fn recorded(&self) -> Vec<Recorded> {
        lock(&self.kept).recorded.iter().map(|(recorded, _)| recorded.clone()).collect()
    }

    pub(super) fn summary(&self, now: EpochMillis) -> TraceSummary {
        let kept = lock(&self.kept);
        let mut settings = self.settings.clone();
        settings.until = Some(self.ended_at()).filter(|at| at.as_i64() < i64::MAX);
        TraceSummary {
            id: self.id,
            settings,
            started: self.started,
            recording: !self.has_ended(now),
            transactions: kept.recorded.len(),
            dropped: kept.dropped,
            bytes: kept.bytes,
        }
    }
}
