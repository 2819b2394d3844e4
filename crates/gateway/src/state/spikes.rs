//! The counters of spike arrests: when the next message may come (GCRA).

use pierhead_domain::EpochMillis;

use super::shards::{Shards, Worth};
use super::{CounterKey, CounterName};

/// So many messages in so many milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// More than 0.
    pub(crate) messages: u32,
    /// 1,000 or 60,000.
    pub(crate) period_millis: u32,
}

/// When the present messages will have been worked off, in milliseconds since 1970 times `scale`: so the times
/// between messages are whole numbers, and no rounding lets one more pass.
#[derive(Debug, Default)]
struct Spike {
    at: i128,
    scale: u32,
}

impl Worth for Spike {
    fn worth(&self, now: i64) -> u64 {
        let ahead = self.at - i128::from(now) * i128::from(self.scale);
        if ahead <= 0 {
            0
        } else {
            u64::try_from(ahead / i128::from(self.scale.max(1)) + 1).unwrap_or(u64::MAX)
        }
    }
}

pub(crate) struct Spikes(Shards<CounterKey, Spike>);

impl Spikes {
    pub(super) fn new(capacity: usize) -> Self {
        Self(Shards::new(capacity))
    }

    /// Lets a message of `weight` pass, or not. Smoothed, one message passes when the one before has had its
    /// share of the period; a share below a millisecond is counted by the millisecond. With `burst` a whole
    /// period's messages may come at once when none came before.
    pub(crate) fn passes(
        &self,
        name: CounterName<'_>,
        now: EpochMillis,
        rate: Rate,
        weight: u32,
        burst: bool,
    ) -> bool {
        let now = now.as_i64();
        self.0.update(
            &name,
            now,
            || (name.to_key(), Spike { at: 0, scale: rate.messages }),
            |spike| spike.passes(now, rate, weight, burst),
        )
    }
}

impl Spike {
    fn passes(&mut self, now: i64, rate: Rate, weight: u32, burst: bool) -> bool {
        let scale = i128::from(rate.messages);
        if self.scale != rate.messages {
            self.at = divided_up(self.at * scale, i128::from(self.scale.max(1)));
            self.scale = rate.messages;
        }
        let (now, period) = (i128::from(now) * scale, i128::from(rate.period_millis));
        let cost = i128::from(weight) * period;
        let room = if burst { period * scale } else { cost.max(scale) };
        let done = self.at.max(now) + cost;
        let passes = done <= now + room;
        if passes {
            self.at = done;
        }
        passes
    }
}

fn divided_up(number: i128, by: i128) -> i128 {
    number.div_euclid(by) + i128::from(number.rem_euclid(by) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(rate: Rate, burst: bool, moments: impl Iterator<Item = i64>) -> Vec<i64> {
        let mut spike = Spike { at: 0, scale: rate.messages };
        moments.filter(|at| spike.passes(*at, rate, 1, burst)).collect()
    }

    #[test]
    fn thirty_a_minute_are_one_every_two_seconds() {
        let rate = Rate { messages: 30, period_millis: 60_000 };
        assert_eq!(passed(rate, false, 0..6_001), [0, 2_000, 4_000, 6_000]);
    }

    #[test]
    fn seven_a_minute_are_never_eight() {
        let rate = Rate { messages: 7, period_millis: 60_000 };
        let passed = passed(rate, false, 0..600_000);
        assert_eq!(passed.len(), 70);
        for window in passed.windows(8) {
            assert!(window[7] - window[0] >= 60_000, "{window:?}");
        }
    }

    #[test]
    fn more_than_one_a_millisecond_are_counted_by_the_millisecond() {
        let rate = Rate { messages: 3_000, period_millis: 1_000 };
        let passed = passed(rate, false, (0..100).map(|index| index / 10));
        assert_eq!(passed.len(), 30);
        assert!((0..10).all(|at| passed.iter().filter(|passed| **passed == at).count() == 3));
    }

    #[test]
    fn with_bursts_a_whole_period_may_come_at_once_and_then_no_more() {
        let rate = Rate { messages: 10, period_millis: 1_000 };
        assert_eq!(passed(rate, true, std::iter::repeat_n(0, 20)).len(), 10);
        assert_eq!(
            passed(rate, true, std::iter::repeat_n(0, 20).chain([99, 100, 101])),
            [[0; 10].as_slice(), &[100]].concat()
        );
    }

    #[test]
    fn another_rate_keeps_what_was_waited_for() {
        let mut spike = Spike { at: 0, scale: 30 };
        assert!(spike.passes(0, Rate { messages: 30, period_millis: 60_000 }, 1, false));
        let faster = Rate { messages: 60, period_millis: 60_000 };
        assert!(!spike.passes(1_999, faster, 1, false));
        assert!(spike.passes(2_000, faster, 1, false));
    }

    #[test]
    fn a_heavy_message_takes_the_room_of_many() {
        let rate = Rate { messages: 10, period_millis: 60_000 };
        let mut spike = Spike { at: 0, scale: 10 };
        assert!(spike.passes(0, rate, 2, false));
        assert!(!spike.passes(11_999, rate, 2, false));
        assert!(spike.passes(12_000, rate, 2, false));
    }
}
