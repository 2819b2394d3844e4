//! One timer for all waits of a connection or a stream: most requests arm none of their own.

use std::pin::Pin;
use std::task::Context;
use std::time::{Duration, Instant};

use tokio::task::coop::has_budget_remaining;
use tokio::time::Sleep;

use super::deadline::Watch;

/// Fires now and then, and finds what is overdue.
pub(super) struct Clock<'a> {
    timer: Pin<&'a mut Sleep>,
    /// The timer knows whom to wake.
    is_armed: bool,
    /// It looks at least so often.
    tick: Duration,
}

/// What the clock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Wait,
    /// The exchange's time is up: it is told by polling it again.
    Again,
    /// The present wait has lasted too long.
    Overdue,
}

impl<'a> Clock<'a> {
    pub(super) fn new(timer: Pin<&'a mut Sleep>, tick: Duration) -> Self {
        Self { timer, is_armed: false, tick }
    }

    /// Looks whether the present wait has lasted too long, and sees to it that somebody looks again. `due` says
    /// when it will have; it is asked when the timer fires only.
    pub(super) fn look(
        &mut self,
        watch: &Watch,
        cx: &mut Context<'_>,
        due: impl FnOnce() -> Option<Instant>,
    ) -> Look {
        // Most deadlines lie beyond the timer's next tick, which finds them.
        if let Some(deadline) = watch.deadline()
            && deadline < self.timer.deadline().into_std()
        {
            self.timer.as_mut().reset(deadline.into());
            self.is_armed = false;
        }
        if self.is_armed && !self.timer.is_elapsed() {
            return Look::Wait;
        }
        if self.timer.as_mut().poll(cx).is_pending() {
            // Without budget it was told nothing; we are polled again.
            self.is_armed = has_budget_remaining();
            return Look::Wait;
        }
        let now = Instant::now();
        let due = due();
        if due.is_some_and(|due| due <= now) {
            return Look::Overdue;
        }
        let at_most = now + self.tick;
        self.timer.as_mut().reset(due.map_or(at_most, |due| due.min(at_most)).into());
        self.is_armed = false;
        watch.expire(now);
        Look::Again
    }
}
