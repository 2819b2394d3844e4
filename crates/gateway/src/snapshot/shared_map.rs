//! A map that is copied in small parts: a changed copy of a large one costs little and shares the rest.

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use ahash::{AHashMap, RandomState};

/// Entries of one shard, on average, before there are more shards.
const CROWDED: usize = 64;
/// How many shards become of one.
const SPLIT: usize = 4;
/// Chooses shards; the tables inside hash on their own, with keys that nobody knows.
const CHOICE: RandomState = RandomState::with_seeds(3, 1, 4, 15);

/// A hash map in shards. Cloning copies a pointer for each shard, and a change copies one shard; with up to
/// [`CROWDED`] entries it is one table behind one pointer.
#[derive(Clone)]
pub(super) struct SharedMap<K, V> {
    shards: Vec<Arc<AHashMap<K, V>>>,
    len: usize,
}

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self { shards: Vec::new(), len: 0 }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> SharedMap<K, V> {
    pub(super) fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        match self.shards.as_slice() {
            [] => None,
            [only] => only.get(key),
            shards => shards[shard_of(key, shards.len())].get(key),
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.shards.iter().flat_map(|shard| shard.values())
    }

    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        if self.len >= self.shards.len() * CROWDED {
            self.split();
        }
        let shard = shard_of(&key, self.shards.len());
        let old = Arc::make_mut(&mut self.shards[shard]).insert(key, value);
        self.len += usize::from(old.is_none());
        old
    }

    /// The value of a key, made when it is not there.
    pub(super) fn entry(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        if self.get(&key).is_none() {
            self.insert(key.clone(), V::default());
        }
        let shard = shard_of(&key, self.shards.len());
        Arc::make_mut(&mut self.shards[shard]).entry(key).or_default()
    }

    pub(super) fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        // What is not there copies nothing.
        self.get(key)?;
        let shard = shard_of(key, self.shards.len());
        Arc::make_mut(&mut self.shards[shard]).get_mut(key)
    }

    pub(super) fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.get(key)?;
        let shard = shard_of(key, self.shards.len());
        let old = Arc::make_mut(&mut self.shards[shard]).remove(key)?;
        self.len -= 1;
        if self.len == 0 {
            self.shards.clear();
        }
        Some(old)
    }

    fn split(&mut self) {
        let count = (self.shards.len() * SPLIT).max(1);
        let mut shards: Vec<AHashMap<K, V>> = vec![AHashMap::new(); count];
        for (key, value) in self.shards.drain(..).flat_map(|shard| Arc::unwrap_or_clone(shard).into_iter()) {
            shards[shard_of(&key, count)].insert(key, value);
        }
        self.shards = shards.into_iter().map(Arc::new).collect();
    }

    /// How many of its shards another map does not share.
    #[cfg(test)]
    pub(super) fn own_shards(&self, other: &Self) -> usize {
        let shared = |shard: &&Arc<_>| other.shards.iter().any(|known| Arc::ptr_eq(known, shard));
        self.shards.iter().filter(|shard| !shared(shard)).count()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for SharedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shards.iter().flat_map(|shard| shard.iter())).finish()
    }
}

fn shard_of<Q: Hash + ?Sized>(key: &Q, count: usize) -> usize {
    if count <= 1 {
        return 0;
    }
    // The remainder is smaller than the count of shards.
    #[expect(clippy::cast_possible_truncation, reason = "any bits of the hash will do")]
    let hash = CHOICE.hash_one(key) as usize;
    hash % count
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_change_of_a_large_map_copies_one_part_of_it() {
        let mut old = SharedMap::default();
        for number in 0..50_000_u32 {
            old.insert(number, number);
        }
        let mut new = old.clone();
        assert_eq!(new.own_shards(&old), 0);

        new.insert(7, 8);
        assert_eq!((new.own_shards(&old), old.get(&7), new.get(&7)), (1, Some(&7), Some(&8)));
        assert!(new.get_mut(&70_000).is_none() && new.remove(&70_000).is_none());
        assert_eq!(new.own_shards(&old), 1, "what is not there copies nothing");
        new.remove(&8);
        assert!(new.own_shards(&old) <= 2);
        assert!(old.shards.iter().all(|shard| shard.len() < 4 * CROWDED), "no shard holds much");
    }

    proptest! {
        #[test]
        fn it_is_a_map(changes in prop::collection::vec((0_u16..400, any::<Option<u8>>()), 0..900)) {
            let (mut map, mut model) = (SharedMap::default(), BTreeMap::new());
            for (key, value) in changes {
                match value {
                    Some(value) => prop_assert_eq!(map.insert(key, value), model.insert(key, value)),
                    None => prop_assert_eq!(map.remove(&key), model.remove(&key)),
                }
                { let value: &mut u8 = map.entry(key); *value = value.wrapping_add(1); }
                { let value: &mut u8 = model.entry(key).or_default(); *value = value.wrapping_add(1); }
                prop_assert_eq!(map.get(&key), model.get(&key));
            }
            prop_assert_eq!(map.is_empty(), model.is_empty());
            let mut values: Vec<u8> = map.values().copied().collect();
            values.sort_unstable();
            let mut expected: Vec<u8> = model.values().copied().collect();
            expected.sort_unstable();
            prop_assert_eq!(values, expected);
        }
    }
}
