//! A bounded map in shards: a request locks one of many for some tens of nanoseconds.

use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use ahash::RandomState;
use indexmap::{Equivalent, IndexMap};

/// Enough that the threads of a large machine rarely meet.
const SHARDS: usize = 64;

/// How many entries are looked at to find one that gives way.
const SAMPLE: usize = 8;

/// How many entries each insertion looks at to drop those that are over.
const SWEEP: usize = 2;

/// Says how much an entry is missed when it goes.
pub(super) trait Worth {
    /// 0 is nothing: the entry is over. Among others the one with the least goes first. `now` is in
    /// milliseconds since 1970.
    fn worth(&self, now: i64) -> u64;
}

/// A map from `K` to `V` with a bound on its entries.
pub(super) struct Shards<K, V> {
    hasher: RandomState,
    shards: Box<[Mutex<Shard<K, V>>]>,
    /// Of one shard.
    capacity: usize,
}

struct Shard<K, V> {
    entries: IndexMap<K, V, RandomState>,
    /// Where the next look for what may go begins.
    cursor: usize,
}

impl<K: Hash + Eq, V: Worth> Shards<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        let hasher = RandomState::new();
        let shard = || Shard { entries: IndexMap::with_hasher(hasher.clone()), cursor: 0 };
        Self {
            shards: (0..SHARDS).map(|_| Mutex::new(shard())).collect(),
            capacity: capacity.div_ceil(SHARDS).max(1),
            hasher,
        }
    }

    /// Works on the entry of `name`, which `fresh` makes when there is none. Nobody else sees it meanwhile.
    pub(super) fn update<N, R>(
        &self,
        name: &N,
        now: i64,
        fresh: impl FnOnce() -> (K, V),
        change: impl FnOnce(&mut V) -> R,
    ) -> R
    where
        N: Hash + Equivalent<K>,
    {
        let mut shard = self.shard(name).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = shard.entries.get_mut(name) {
            return change(entry);
        }
        shard.make_room(self.capacity, now);
        let (key, mut entry) = fresh();
        let result = change(&mut entry);
        shard.entries.insert(key, entry);
        result
    }

    /// Works on the entry of `name` when there is one.
    pub(super) fn update_existing<N, R>(&self, name: &N, change: impl FnOnce(&mut V) -> R) -> Option<R>
    where
        N: Hash + Equivalent<K>,
    {
        let mut shard = self.shard(name).lock().unwrap_or_else(PoisonError::into_inner);
        shard.entries.get_mut(name).map(change)
    }

    fn shard<N: Hash>(&self, name: &N) -> &Mutex<Shard<K, V>> {
        // The map uses the low and the very highest bits of the same hash.
        let index = (self.hasher.hash_one(name) >> 32) as usize % SHARDS;
        &self.shards[index]
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().entries.len()).sum()
    }
}

impl<K: Hash + Eq, V: Worth> Shard<K, V> {
    fn make_room(&mut self, capacity: usize, now: i64) {
        for _ in 0..SWEEP.min(self.entries.len()) {
            let at = self.step();
            if self.entries[at].worth(now) == 0 {
                self.entries.swap_remove_index(at);
            }
        }
        if self.entries.len() < capacity {
            return;
        }
        let sampled = (0..SAMPLE).map(|_| {
            let at = self.step();
            (self.entries[at].worth(now), at)
        });
        if let Some((_, least)) = sampled.min() {
            self.entries.swap_remove_index(least);
        }
    }

    /// The next index to look at. There is an entry.
    fn step(&mut self) -> usize {
        let at = self.cursor % self.entries.len().max(1);
        self.cursor = at + 1;
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Weighted(u64);

    impl Worth for Weighted {
        fn worth(&self, _: i64) -> u64 {
            self.0
        }
    }

    #[derive(Hash)]
    struct Name(u64);

    impl Equivalent<u64> for Name {
        fn equivalent(&self, key: &u64) -> bool {
            self.0 == *key
        }
    }

    #[test]
    fn there_are_never_more_entries_than_allowed_and_the_least_worth_go_first() {
        let shards = Shards::new(64 * 16);
        for key in 0..64 {
            shards.update(&Name(key), 0, || (key, Weighted(1_000)), |_| ());
        }
        let heavy = |shards: &Shards<u64, Weighted>| {
            (0..64).filter(|key| shards.update_existing(&Name(*key), |_| ()).is_some()).count()
        };
        let before = heavy(&shards);

        for key in 1_000..21_000 {
            shards.update(&Name(key), 0, || (key, Weighted(1)), |_| ());
            assert!(shards.len() <= 64 * 16);
        }

        assert_eq!(heavy(&shards), before, "a flood of new names drives out nobody who matters");
        assert!(shards.len() > 64 * 8);
    }

    #[test]
    fn what_is_over_goes_when_something_new_comes() {
        let shards = Shards::new(64 * 1_000);
        for key in 0..2_000 {
            shards.update(&Name(key), 0, || (key, Weighted(0)), |_| ());
        }
        assert!(shards.len() < 200, "{}", shards.len());
    }
}
