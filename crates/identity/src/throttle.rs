//! Slows guessing down: after some failures in a row, each further attempt must wait longer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pierhead_domain::EpochMillis;

/// Failures in a row without any wait.
const FREE: u32 = 5;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(300);
/// Failures older than this are forgotten.
const MEMORY: Duration = Duration::from_secs(900);
/// Beyond this many names the oldest are forgotten.
const CAPACITY: usize = 20_000;

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: EpochMillis,
}

impl Failures {
    fn wait(&self) -> Duration {
        match self.count.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(beyond) => Duration::from_secs(1_u64 << beyond.min(20)).min(LONGEST),
        }
    }
}

/// Attempts by whom they are for and whence they come.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<String, Failures>>);

impl Throttle {
    /// Whether an attempt may be made now; else the seconds to wait.
    pub(crate) fn check(&self, who: &str, now: EpochMillis) -> Result<(), u64> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(failures) = all.get(who) else { return Ok(()) };
        let left = failures.last.plus(failures.wait()).since(now);
        if left.is_zero() { Ok(()) } else { Err(left.as_millis().div_ceil(1000).try_into().unwrap_or(1)) }
    }

    /// Notes a failed attempt.
    pub(crate) fn failed(&self, who: &str, now: EpochMillis) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= CAPACITY {
            all.retain(|_, failures| now.since(failures.last) < MEMORY);
        }
        if all.len() >= CAPACITY {
            let oldest = all.iter().min_by_key(|(_, failures)| failures.last).map(|(who, _)| who.clone());
            oldest.and_then(|who| all.remove(&who));
        }
        let failures = all.entry(who.to_owned()).or_insert(Failures { count: 0, last: now });
        if now.since(failures.last) >= MEMORY {
            failures.count = 0;
        }
        *failures = Failures { count: failures.count.saturating_add(1), last: now };
    }

    /// Forgets the failures before a success.
    pub(crate) fn succeeded(&self, who: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> EpochMillis {
        EpochMillis::new(seconds * 1000)
    }

    #[test]
    fn waits_grow_after_five_failures_and_end_with_a_success() {
        let throttle = Throttle::default();
        for _ in 0..4 {
            throttle.failed("ada", at(0));
            assert_eq!(throttle.check("ada", at(0)), Ok(()));
        }
        throttle.failed("ada", at(0));
        assert_eq!(throttle.check("ada", at(0)), Err(1));
        throttle.failed("ada", at(1));
        assert_eq!(throttle.check("ada", at(1)), Err(2));
        assert_eq!(throttle.check("bob", at(1)), Ok(()));
        throttle.succeeded("ada");
        assert_eq!(throttle.check("ada", at(1)), Ok(()));
    }

    #[test]
    fn no_wait_is_longer_than_five_minutes_and_old_failures_are_forgotten() {
        let throttle = Throttle::default();
        for _ in 0..80 {
            throttle.failed("ada", at(0));
        }
        assert_eq!(throttle.check("ada", at(0)), Err(300));
        throttle.failed("ada", at(900));
        assert_eq!(throttle.check("ada", at(900)), Ok(()));
    }
}
