//! How fast a client sends a body: one that trickles holds a request open for nothing (hostile-input §4.2 line 6).

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::limits::Limits;

/// Counts what comes of a body, and how long somebody waited for it. While nobody does, time stands still: a
/// target that reads slowly is not the client's fault.
#[derive(Debug)]
pub(super) struct Pace {
    bytes_per_second: Cell<u64>,
    grace: Duration,
    bytes: Cell<u64>,
    waited: Cell<Duration>,
    since: Cell<Option<Instant>>,
    is_cut: Cell<bool>,
}

/// The client sends its body too slowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client sends its body too slowly")]
pub(crate) struct TooSlow;

impl Pace {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            bytes_per_second: Cell::new(limits.body_bytes_per_second),
            grace: limits.body_grace,
            bytes: Cell::new(0),
            waited: Cell::new(Duration::ZERO),
            since: Cell::new(None),
            is_cut: Cell::new(false),
        }
    }

    /// Another body comes.
    pub(super) fn restart(&self) {
        self.bytes.set(0);
        self.waited.set(Duration::ZERO);
        self.since.set(None);
        self.is_cut.set(false);
    }

    /// Any pace is right: the messages of a stream come when there are some.
    pub(super) fn relax(&self) {
        self.bytes_per_second.set(0);
    }

    /// Somebody waits for more.
    pub(super) fn awaits(&self, now: Instant) {
        self.since.set(self.since.get().or(Some(now)));
    }

    /// So many bytes came, or nobody waits any more.
    pub(super) fn came(&self, now: Instant, bytes: usize) {
        if let Some(since) = self.since.take() {
            self.waited.set(self.waited.get() + now.saturating_duration_since(since));
        }
        self.bytes.set(self.bytes.get() + bytes as u64);
    }

    /// When it will have been too slow, if nothing comes until then; `None` while nobody waits.
    pub(super) fn due(&self) -> Option<Instant> {
        let pace = self.bytes_per_second.get();
        if pace == 0 || self.is_cut.get() {
            return None;
        }
        let earned = Duration::from_millis(self.bytes.get().saturating_mul(1000) / pace);
        let allowed = self.grace.saturating_add(earned).saturating_sub(self.waited.get());
        self.since.get()?.checked_add(allowed)
    }

    /// Ends the body when it is too slow now.
    pub(super) fn cut(&self, now: Instant) -> bool {
        let is_slow = self.due().is_some_and(|due| due <= now);
        if is_slow {
            self.is_cut.set(true);
        }
        is_slow
    }

    /// Whether the body was ended.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pace() -> (Pace, Instant) {
        let limits = Limits { body_bytes_per_second: 100, body_grace: 5 * SECOND, ..Limits::default() };
        (Pace::new(&limits), Instant::now())
    }

    #[test]
    fn a_body_has_its_grace_and_what_its_bytes_have_earned() {
        let (pace, start) = pace();
        pace.awaits(start);
        assert_eq!(pace.due(), Some(start + 5 * SECOND));

        pace.came(start + 4 * SECOND, 300);
        pace.awaits(start + 4 * SECOND);

        assert_eq!(pace.due(), Some(start + 8 * SECOND), "five and three seconds of waiting in all");
        assert!(!pace.cut(start + 7 * SECOND) && !pace.is_cut());
        assert!(pace.cut(start + 8 * SECOND) && pace.is_cut());
        assert_eq!(pace.due(), None, "once");
    }

    #[test]
    fn a_trickle_is_cut_however_often_it_drips() {
        let (pace, start) = pace();
        let mut now = start;
        while !pace.cut(now) {
            pace.came(now, 1);
            pace.awaits(now);
            now += SECOND;
            assert!(now < start + 7 * SECOND, "a byte a second earns next to nothing");
        }
    }

    #[test]
    fn a_body_at_the_pace_is_never_cut() {
        let (pace, mut now) = pace();
        for _ in 0..10_000 {
            pace.awaits(now);
            now += SECOND;
            assert!(!pace.cut(now));
            pace.came(now, 100);
        }
    }

    #[test]
    fn time_in_which_nobody_waits_does_not_count() {
        let (pace, start) = pace();
        pace.awaits(start);
        pace.came(start + SECOND, 0);
        assert_eq!(pace.due(), None);

        pace.awaits(start + 1000 * SECOND);

        assert_eq!(pace.due(), Some(start + 1004 * SECOND));
    }

    #[test]
    fn streams_have_any_pace_and_the_next_body_starts_afresh() {
        let (pace, start) = pace();
        pace.awaits(start);
        assert!(pace.cut(start + 9 * SECOND));
        pace.restart();
        assert!(!pace.is_cut());
        pace.relax();
        pace.awaits(start);
        assert_eq!(pace.due(), None);
    }
}
