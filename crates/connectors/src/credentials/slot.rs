//! Where a live instance keeps its credential and the one refresh that may be under way.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::{BoxFuture, Shared};
use pierhead_domain::EpochMillis;

use super::{Held, Issued};
use crate::engine::CallProblem;

/// A refresh under way; everybody who needs it awaits the same one.
pub(super) type Flight = Shared<BoxFuture<'static, Result<Arc<Held>, CallProblem>>>;

/// After how long a call asks a failing vendor again, at most.
const LONGEST_CALL_PAUSE: Duration = Duration::from_secs(5);
/// After how long the scheduler does, at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The credential of one live instance.
pub(crate) struct CredentialSlot {
    current: ArcSwap<Held>,
    flight: Mutex<Option<Flight>>,
    trouble: Mutex<Trouble>,
    /// A token that the vendor gave while the store was away: committed before anything else is asked.
    uncommitted: Mutex<Option<(i64, Issued)>>,
}

/// Failures in a row, and when a call may cause the next.
#[derive(Debug, Clone, Copy, Default)]
struct Trouble {
    failures: u32,
    not_before: EpochMillis,
}

impl CredentialSlot {
    pub(crate) fn new(held: Held) -> Self {
        Self {
            current: ArcSwap::from_pointee(held),
            flight: Mutex::default(),
            trouble: Mutex::default(),
            uncommitted: Mutex::default(),
        }
    }

    pub(crate) fn current(&self) -> Arc<Held> {
        self.current.load_full()
    }

    /// Puts a credential unless a younger one is there.
    pub(super) fn put(&self, held: Held) -> Arc<Held> {
        let held = Arc::new(held);
        self.current.rcu(
            |now| {
                if now.generation > held.generation { Arc::clone(now) } else { Arc::clone(&held) }
            },
        );
        self.current()
    }

    pub(super) fn flight(&self) -> MutexGuard<'_, Option<Flight>> {
        lock(&self.flight)
    }

    pub(super) fn keep_uncommitted(&self, generation: i64, issued: Issued) {
        *lock(&self.uncommitted) = Some((generation, issued));
    }

    pub(super) fn take_uncommitted(&self, generation: i64) -> Option<Issued> {
        let (from, issued) = lock(&self.uncommitted).take()?;
        (from == generation).then_some(issued)
    }

    /// Counts a failure; gives when the scheduler tries next.
    pub(super) fn failed(&self, now: EpochMillis) -> EpochMillis {
        let mut trouble = lock(&self.trouble);
        trouble.failures = trouble.failures.saturating_add(1);
        let pause = Duration::from_secs(1 << trouble.failures.min(10));
        trouble.not_before = now.plus(pause.min(LONGEST_CALL_PAUSE));
        now.plus(pause.min(LONGEST_PAUSE))
    }

    pub(super) fn succeeded(&self) {
        *lock(&self.trouble) = Trouble::default();
    }

    /// Before when no call should bother the vendor again.
    pub(super) fn not_before(&self) -> EpochMillis {
        lock(&self.trouble).not_before
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for CredentialSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.current().fmt(f)
    }
}
