//! Passes wake-ups of a pooled connection on to whoever uses it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

/// A waker that outlives the tasks it wakes. While its connection is being polled, or lies in the pool, a
/// wake-up is only noted: hyper wakes a connection for each hand-over to it, and passing that on would poll
/// the whole client connection once more for nothing.
#[derive(Debug, Default)]
pub(super) struct Relay {
    task: AtomicWaker,
    quiet: AtomicBool,
    noted: AtomicBool,
}

impl Relay {
    /// From now on wake-ups are noted.
    pub(super) fn hush(&self) {
        self.quiet.store(true, Ordering::Release);
    }

    /// From now on wake-ups go to `task`.
    pub(super) fn pass_on(&self, task: &Waker) {
        self.task.register(task);
        self.quiet.store(false, Ordering::Release);
    }

    /// Whether a wake-up came since the last call.
    pub(super) fn take_noted(&self) -> bool {
        self.noted.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.quiet.load(Ordering::Acquire) {
            self.noted.store(true, Ordering::Release);
        } else {
            self.task.wake();
        }
    }
}
