//! Nonces of signed requests: each may be used once while its time stamp counts.

use std::sync::{Mutex, PoisonError};

use ahash::{AHashMap, RandomState};

/// Parts with a lock each.
const SHARDS: usize = 16;

/// The nonces that were seen, by a hash that only this process can compute.
pub(crate) struct Nonces {
    hasher: (RandomState, RandomState),
    /// Hash and when it is forgotten, in epoch milliseconds.
    shards: [Mutex<AHashMap<(u64, u64), i64>>; SHARDS],
    per_shard: usize,
}

impl Nonces {
    /// At most so many at once.
    pub(super) fn new(capacity: usize) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self {
            hasher: (RandomState::new(), RandomState::new()),
            shards,
            per_shard: capacity.div_ceil(SHARDS),
        }
    }

    /// Remembers a nonce until `until`. False when it is known, or when there is no room: forgetting one to make
    /// room would let it be used again.
    pub(crate) fn is_new(&self, nonce: &str, now: i64, until: i64) -> bool {
        let key = (self.hasher.0.hash_one(nonce), self.hasher.1.hash_one(nonce));
        let shard = &self.shards[usize::try_from(key.0 % SHARDS as u64).unwrap_or(0)];
        let mut seen = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.get(&key).is_some_and(|until| *until > now) {
            return false;
        }
        if seen.len() >= self.per_shard {
            seen.retain(|_, until| *until > now);
            if seen.len() >= self.per_shard {
                return false;
            }
        }
        seen.insert(key, until);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_new_once_until_its_time_is_over() {
        let nonces = Nonces::new(160);
        assert!(nonces.is_new("a", 0, 10));
        assert!(!nonces.is_new("a", 9, 19));
        assert!(nonces.is_new("b", 9, 19));
        assert!(nonces.is_new("a", 10, 20));
    }

    #[test]
    fn without_room_nothing_is_new_and_nothing_is_forgotten_early() {
        let nonces = Nonces::new(16);
        let kept = (0..1000).filter(|n| nonces.is_new(&n.to_string(), 0, 10)).count();
        assert!((1..=16).contains(&kept), "{kept}");
        assert!((0..1000).all(|n| !nonces.is_new(&n.to_string(), 9, 19)));
        assert!(nonces.is_new("later", 10, 20));
    }
}
