//! One counter of a quota.

mod kept;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

pub use kept::KeptCounter;

use super::shards::Worth;
use super::window::WindowRule;

/// The entries a sliding window keeps apart. Up to so many it is exact; beyond it those of the same 64th of the
/// window are taken together and counted as the latest of them, so that it errs by a 64th towards refusing.
const ENTRIES: usize = 128;
const SLOTS: i64 = 64;

/// What is done with a message that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CountMode {
    /// Counts it, or refuses it and counts nothing.
    #[default]
    Enforce,
    /// Counts it whatever was used before (`CountOnly`).
    CountOnly,
    /// Refuses it when all is used, and counts nothing (`EnforceOnly`).
    EnforceOnly,
}

/// What a counter says about one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// The message may pass.
    pub granted: bool,
    /// Units used in the window, this message included.
    pub used: u64,
    /// Messages refused in the window.
    pub refused: u64,
    /// Messages refused since there is the counter.
    pub refused_ever: u64,
    /// First moment after the window, in milliseconds since 1970; of a sliding one, when the oldest unit leaves.
    pub ends: i64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Counter {
    rule: WindowRule,
    begins: i64,
    ends: i64,
    used: u64,
    refused: u64,
    refused_ever: u64,
    /// Of a sliding window: moment and units, in order.
    log: VecDeque<(i64, u64)>,
}

impl Counter {
    pub(super) fn new(rule: WindowRule, now: i64) -> Self {
        let (begins, ends) = rule.around(now);
        Self { rule, begins, ends, used: 0, refused: 0, refused_ever: 0, log: VecDeque::new() }
    }

    pub(super) fn take(
        &mut self,
        rule: WindowRule,
        now: i64,
        units: u64,
        allowed: u64,
        mode: CountMode,
    ) -> Count {
        self.roll(rule, now);
        let granted = match mode {
            CountMode::Enforce => self.used.saturating_add(units) <= allowed,
            CountMode::CountOnly => true,
            CountMode::EnforceOnly => self.used < allowed,
        };
        if !granted {
            self.refused += 1;
            self.refused_ever += 1;
        } else if mode != CountMode::EnforceOnly && units > 0 {
            self.used = self.used.saturating_add(units);
            if let WindowRule::Sliding { length } = rule {
                self.note(now, units, length);
            }
        }
        Count {
            granted,
            used: self.used,
            refused: self.refused,
            refused_ever: self.refused_ever,
            ends: self.ends(now),
        }
    }

    /// Takes units back, the oldest first.
    pub(super) fn lower(&mut self, now: i64, by: u64) {
        self.roll(self.rule, now);
        let mut left = by.min(self.used);
        self.used -= left;
        while let Some((_, units)) = self.log.front_mut() {
            if *units > left {
                *units -= left;
                break;
            }
            left -= *units;
            self.log.pop_front();
        }
    }

    /// Begins the window of `now`, unless that is the present one. Time that goes back begins none.
    fn roll(&mut self, rule: WindowRule, now: i64) {
        if rule != self.rule {
            self.follow(rule, now);
        }
        if let WindowRule::Sliding { length } = rule {
            while let Some(&(at, units)) = self.log.front()
                && at <= now.saturating_sub(length)
            {
                self.used -= units.min(self.used);
                self.log.pop_front();
            }
            if self.log.is_empty() {
                self.refused = 0;
            }
        } else if now >= self.ends {
            (self.begins, self.ends) = rule.around(now);
            (self.used, self.refused) = (0, 0);
        }
    }

    /// Windows of another kind or length from now on: what was used in the new one so far still counts, so that
    /// changing the rule to and fro gives nobody more.
    fn follow(&mut self, rule: WindowRule, now: i64) {
        let slid = matches!(self.rule, WindowRule::Sliding { .. });
        match rule {
            WindowRule::Sliding { .. } if !slid => {
                self.log.clear();
                if self.used > 0 {
                    self.log.push_back((now, self.used));
                }
            }
            WindowRule::Sliding { .. } => {}
            WindowRule::FromFirst { length } => {
                let begins = if slid { now } else { self.begins };
                (self.begins, self.ends) = (begins, begins.saturating_add(length));
            }
            WindowRule::Aligned { .. } | WindowRule::Months(_) => {
                let (begins, ends) = rule.around(now);
                if self.begins < begins && !slid && self.ends <= begins {
                    (self.used, self.refused) = (0, 0);
                }
                (self.begins, self.ends) = (begins, ends);
            }
        }
        if !matches!(rule, WindowRule::Sliding { .. }) {
            self.log.clear();
        }
        self.rule = rule;
    }

    fn note(&mut self, now: i64, units: u64, length: i64) {
        let at = self.log.back().map_or(now, |&(last, _)| now.max(last));
        match self.log.back_mut() {
            Some((last, noted)) if *last == at => *noted += units,
            _ => self.log.push_back((at, units)),
        }
        if self.log.len() > ENTRIES {
            let slot = (length / SLOTS).max(1);
            let mut merged: VecDeque<(i64, u64)> = VecDeque::with_capacity(ENTRIES);
            for (at, units) in self.log.drain(..) {
                match merged.back_mut() {
                    Some((last, noted)) if last.div_euclid(slot) == at.div_euclid(slot) => {
                        (*last, *noted) = (at, *noted + units);
                    }
                    _ => merged.push_back((at, units)),
                }
            }
            self.log = merged;
        }
    }

    fn ends(&self, now: i64) -> i64 {
        match self.rule {
            WindowRule::Sliding { length } => {
                self.log.front().map_or(now, |&(oldest, _)| oldest).saturating_add(length)
            }
            _ => self.ends,
        }
    }
}

impl Worth for Counter {
    fn worth(&self, now: i64) -> u64 {
        let over = match self.rule {
            WindowRule::Sliding { length } => {
                self.log.back().is_none_or(|&(last, _)| last <= now.saturating_sub(length))
            }
            _ => now >= self.ends,
        };
        if over { 0 } else { self.used.saturating_add(1) }
    }
}

#[cfg(test)]
mod tests;
