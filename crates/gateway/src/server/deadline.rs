//! When the bytes of a client's connection last moved, and how long whoever serves it is ready to wait.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Shared between the connection's driver and the exchange it serves, on one thread. It arms no timer: the
/// driver looks at it ([`super::connection`]).
#[derive(Debug)]
pub(crate) struct Watch {
    progress: Cell<Instant>,
    wait: Cell<Option<(Instant, Duration)>>,
    end: Cell<Option<Instant>>,
    expired: Cell<bool>,
}

impl Watch {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            progress: Cell::new(now),
            wait: Cell::new(None),
            end: Cell::new(None),
            expired: Cell::new(false),
        }
    }

    /// The client's bytes move.
    pub(crate) fn moved(&self, now: Instant) {
        self.progress.set(now);
    }

    /// When the client's bytes last moved: near enough to now for deadlines, and free.
    pub(crate) fn last_progress(&self) -> Instant {
        self.progress.get()
    }

    /// The exchange begins to wait for its target and gives up after `patience` in which the client's bytes
    /// did not move either. The driver polls it then, with [`Self::expired`] true.
    pub(crate) fn wait(&self, since: Instant, patience: Duration) {
        self.wait.set(Some((since, patience)));
    }

    /// The exchange waits for nothing any more.
    pub(crate) fn relax(&self) {
        self.wait.set(None);
        self.expired.set(false);
    }

    /// Whether the exchange waits.
    pub(crate) fn is_waiting(&self) -> bool {
        self.wait.get().is_some()
    }

    /// The exchange gives up then, whatever moves.
    pub(crate) fn end_by(&self, end: Option<Instant>) {
        self.end.set(end);
    }

    /// Whether the deadline of the exchange has passed.
    pub(crate) fn expired(&self) -> bool {
        self.expired.get()
    }

    /// When the exchange gives up, as things are.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.expired.get() {
            return None;
        }
        let wait = self.wait.get().map(|(since, patience)| since.max(self.progress.get()) + patience);
        match (wait, self.end.get()) {
            (Some(wait), Some(end)) => Some(wait.min(end)),
            (wait, end) => wait.or(end),
        }
    }

    /// Lets the exchange's deadline pass when `now` is not before it.
    pub(crate) fn expire(&self, now: Instant) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.expired.set(true);
        }
    }
}
