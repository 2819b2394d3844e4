//! A counter that lies where several nodes reach it, as text between two asks.

use pierhead_domain::EpochMillis;

use super::{Count, Counter, WindowRule};
use crate::ports::CounterAsk;

/// A quota counter outside a node's memory: whoever implements [`crate::ports::SharedCounters`] over a store reads
/// it, asks it and writes it back, while nobody else does. It counts exactly as a node's own counters do.
#[derive(Debug)]
pub struct KeptCounter(Counter);

impl KeptCounter {
    /// The counter that `kept` is the text of; a new one when there is none, or one that is not understood.
    pub fn open(kept: Option<&str>, ask: &CounterAsk) -> Self {
        let read = kept.and_then(|text| serde_json::from_str(text).ok());
        Self(read.unwrap_or_else(|| Counter::new(ask.rule, ask.now.as_i64())))
    }

    /// The same, of a counter that nobody asks; `None` when there is nothing to be read.
    pub fn read(kept: &str) -> Option<Self> {
        serde_json::from_str(kept).ok().map(Self)
    }

    /// Counts, or refuses.
    pub fn take(&mut self, ask: &CounterAsk) -> Count {
        self.0.take(ask.rule, ask.now.as_i64(), ask.units, ask.allowed, ask.mode)
    }

    /// Takes units back.
    pub fn lower(&mut self, now: EpochMillis, by: u64) {
        self.0.lower(now.as_i64(), by);
    }

    /// What to keep until the next ask.
    pub fn text(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// From when on nothing is lost by forgetting it but how often it refused.
    pub fn over(&self) -> EpochMillis {
        EpochMillis::new(match self.0.rule {
            WindowRule::Sliding { length } => {
                self.0.log.back().map_or(self.0.begins, |&(at, _)| at).saturating_add(length)
            }
            _ => self.0.ends,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::state::CountMode;

    fn ask(rule: WindowRule, now: i64, units: u64) -> CounterAsk {
        let now = EpochMillis::new(now);
        CounterAsk { counter: "c".into(), rule, now, units, allowed: 20, mode: CountMode::Enforce }
    }

    proptest! {
        #[test]
        fn kept_as_text_it_counts_as_in_memory(
            length in 1i64..5_000,
            kind in 0u8..4,
            steps in prop::collection::vec((0i64..1_500, 0u64..6, any::<bool>()), 1..60),
        ) {
            let rule = match kind {
                0 => WindowRule::Aligned { from: 7, length },
                1 => WindowRule::FromFirst { length },
                2 => WindowRule::Sliding { length },
                _ => WindowRule::Months(1),
            };
            let mut memory = Counter::new(rule, 0);
            let mut kept = KeptCounter(Counter::new(rule, 0)).text();
            let mut now = 0;
            for (after, units, lower) in steps {
                now += after;
                let mut counter = KeptCounter::read(&kept).unwrap();
                if lower {
                    memory.lower(now, units);
                    counter.lower(EpochMillis::new(now), units);
                } else {
                    let expected = memory.take(rule, now, units, 20, CountMode::Enforce);
                    prop_assert_eq!(counter.take(&ask(rule, now, units)), expected);
                    prop_assert!(expected.used == 0 || counter.over().as_i64() > now);
                }
                kept = counter.text();
            }
        }
    }
}
