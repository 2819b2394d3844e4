//! The cache of an environment: texts that policies put there, and whole responses.

use std::sync::{Arc, Mutex, PoisonError};

use ahash::RandomState;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use indexmap::{Equivalent, IndexMap};

/// The longest key, in bytes (api-management §8.9).
const MAX_KEY_BYTES: usize = 2 * 1024;

/// The largest value, in bytes; of a response its headers and body.
pub(crate) const MAX_VALUE_BYTES: usize = 512 * 1024;

/// The longest time an entry is kept, in milliseconds: 30 days.
const MAX_AGE: i64 = 30 * 86_400_000;

/// Few enough that a share of the memory holds many of the largest values.
const SHARDS: usize = 16;

const SAMPLE: usize = 8;

/// What an entry costs besides its texts.
const OVERHEAD: usize = 128;

/// What is cached under a key.
#[derive(Debug, Clone)]
pub(crate) enum Cached {
    Text(Arc<str>),
    Response(Arc<CachedResponse>),
}

/// A response as it was when it was cached.
#[derive(Debug)]
pub(crate) struct CachedResponse {
    pub(crate) status: StatusCode,
    pub(crate) reason: Option<Box<str>>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl CachedResponse {
    /// Bytes of everything but the body.
    pub(crate) fn head_bytes(headers: &HeaderMap) -> usize {
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
    }
}

/// All caches of a node; they share its memory.
pub(crate) struct Caches {
    hasher: RandomState,
    shards: Box<[Mutex<Shard>]>,
    /// Of one shard, in bytes.
    capacity: usize,
}

struct Shard {
    entries: IndexMap<CacheKey, Entry, RandomState>,
    bytes: usize,
    cursor: usize,
    /// Grows with every use: the entry with the smallest was not used for longest.
    uses: u64,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CacheKey {
    cache: Arc<str>,
    key: Box<str>,
}

struct Entry {
    value: Cached,
    bytes: usize,
    /// Milliseconds since 1970.
    until: i64,
    used: u64,
}

#[derive(Hash)]
struct Name<'a> {
    cache: &'a str,
    key: &'a str,
}

impl Equivalent<CacheKey> for Name<'_> {
    fn equivalent(&self, key: &CacheKey) -> bool {
        *self.key == *key.key && *self.cache == *key.cache
    }
}

impl Caches {
    pub(super) fn new(capacity: usize) -> Self {
        let hasher = RandomState::new();
        let shard = || Shard { entries: IndexMap::with_hasher(hasher.clone()), bytes: 0, cursor: 0, uses: 0 };
        Self {
            shards: (0..SHARDS).map(|_| Mutex::new(shard())).collect(),
            capacity: capacity / SHARDS,
            hasher,
        }
    }

    /// What is cached under `key` and not over yet.
    pub(crate) fn get(&self, cache: &str, key: &str, now: i64) -> Option<Cached> {
        let name = Name { cache, key };
        let mut shard = self.shard(&name).lock().unwrap_or_else(PoisonError::into_inner);
        shard.uses += 1;
        let uses = shard.uses;
        let (index, _, entry) = shard.entries.get_full_mut(&name)?;
        if entry.until <= now {
            shard.remove(index);
            return None;
        }
        entry.used = uses;
        Some(entry.value.clone())
    }

    /// Caches a value until a moment, replacing what was there. `false`: key or value is too large.
    pub(crate) fn put(&self, cache: &Arc<str>, key: &str, value: Cached, now: i64, until: i64) -> bool {
        let size = value.bytes();
        if key.len() > MAX_KEY_BYTES || size > MAX_VALUE_BYTES {
            return false;
        }
        let bytes = size + key.len() + OVERHEAD;
        let name = Name { cache, key };
        let mut shard = self.shard(&name).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = shard.entries.get_index_of(&name) {
            shard.remove(index);
        }
        if until <= now {
            return true;
        }
        if bytes > self.capacity {
            return false;
        }
        shard.make_room(self.capacity - bytes, now);
        shard.uses += 1;
        shard.bytes += bytes;
        let until = until.min(now.saturating_add(MAX_AGE));
        let entry = Entry { value, bytes, until, used: shard.uses };
        shard.entries.insert(CacheKey { cache: cache.clone(), key: key.into() }, entry);
        true
    }

    /// Forgets one key.
    pub(crate) fn remove(&self, cache: &str, key: &str) {
        let name = Name { cache, key };
        let mut shard = self.shard(&name).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = shard.entries.get_index_of(&name) {
            shard.remove(index);
        }
    }

    /// Forgets `prefix` and every key that goes on from it with `__`.
    pub(crate) fn remove_below(&self, cache: &str, prefix: &str) {
        let is_below = |key: &str| {
            key.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("__"))
        };
        self.remove_all(cache, is_below);
    }

    /// Forgets every key of a cache that begins with `prefix`.
    pub(crate) fn clear(&self, cache: &str, prefix: &str) {
        self.remove_all(cache, |key| key.starts_with(prefix));
    }

    fn remove_all(&self, cache: &str, is_gone: impl Fn(&str) -> bool) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let mut freed = 0;
            shard.entries.retain(|name, entry| {
                let goes = *name.cache == *cache && is_gone(&name.key);
                freed += if goes { entry.bytes } else { 0 };
                !goes
            });
            shard.bytes -= freed;
        }
    }

    fn shard<N: std::hash::Hash>(&self, name: &N) -> &Mutex<Shard> {
        &self.shards[(self.hasher.hash_one(name) >> 32) as usize % SHARDS]
    }

    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().bytes).sum()
    }
}

impl Cached {
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Response(response) => response.body.len() + CachedResponse::head_bytes(&response.headers),
        }
    }
}

impl Shard {
    fn remove(&mut self, index: usize) {
        if let Some((_, entry)) = self.entries.swap_remove_index(index) {
            self.bytes -= entry.bytes;
        }
    }

    /// Drops entries until at most `room` bytes are used: of a few looked at, one that is over, else the one that
    /// was not used for longest.
    fn make_room(&mut self, room: usize, now: i64) {
        while self.bytes > room && !self.entries.is_empty() {
            let sampled = (0..SAMPLE).map(|_| {
                let at = self.step();
                let entry = &self.entries[at];
                (if entry.until <= now { 0 } else { entry.used }, at)
            });
            if let Some((_, at)) = sampled.min() {
                self.remove(at);
            }
        }
    }

    fn step(&mut self) -> usize {
        let at = self.cursor % self.entries.len().max(1);
        self.cursor = at + 1;
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(length: usize) -> Cached {
        Cached::Text("x".repeat(length).into())
    }

    fn cache() -> (Caches, Arc<str>) {
        (Caches::new(16 * 1024 * 1024), "c".into())
    }

    #[test]
    fn an_entry_is_there_until_its_moment() {
        let (caches, name) = cache();
        assert!(caches.put(&name, "k", text(1), 0, 1_000));

        assert!(caches.get(&name, "k", 999).is_some());
        assert!(caches.get(&name, "k", 1_000).is_none());
        assert_eq!(caches.bytes(), 0);
    }

    #[test]
    fn caches_of_different_names_share_nothing_but_memory() {
        let (caches, name) = cache();
        caches.put(&name, "k", text(1), 0, 1_000);
        assert!(caches.get("other", "k", 0).is_none());
    }

    #[test]
    fn memory_is_bounded_and_what_is_used_stays() {
        let (caches, name) = cache();
        caches.put(&name, "used", text(1), 0, i64::MAX);
        for index in 0..2_000 {
            assert!(caches.put(&name, &index.to_string(), text(100_000), 0, i64::MAX));
            assert!(caches.get(&name, "used", 0).is_some(), "after {index}");
            assert!(caches.bytes() <= 16 * 1024 * 1024);
        }
        assert!(caches.bytes() > 8 * 1024 * 1024);
    }

    #[test]
    fn too_large_a_key_or_value_is_not_cached() {
        let (caches, name) = cache();
        assert!(!caches.put(&name, &"k".repeat(MAX_KEY_BYTES + 1), text(1), 0, 1));
        assert!(!caches.put(&name, "k", text(MAX_VALUE_BYTES + 1), 0, 1));
        assert!(caches.put(&name, &"k".repeat(MAX_KEY_BYTES), text(MAX_VALUE_BYTES), 0, 1));
    }

    #[test]
    fn nothing_is_kept_for_more_than_thirty_days() {
        let (caches, name) = cache();
        caches.put(&name, "k", text(1), 0, i64::MAX);
        assert!(caches.get(&name, "k", MAX_AGE - 1).is_some());
        assert!(caches.get(&name, "k", MAX_AGE).is_none());
    }

    #[test]
    fn what_is_below_a_prefix_goes_and_what_only_looks_alike_stays() {
        let (caches, name) = cache();
        for key in ["a", "a__b", "a__b__c", "ab", "b__a"] {
            caches.put(&name, key, text(1), 0, 1_000);
        }
        caches.remove_below(&name, "a");
        let left: Vec<&str> = ["a", "a__b", "a__b__c", "ab", "b__a"]
            .into_iter()
            .filter(|key| caches.get(&name, key, 0).is_some())
            .collect();
        assert_eq!(left, ["ab", "b__a"]);
    }
}
