//! Access tokens in memory: what a call is verified with, without the store.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use ahash::AHashMap;
use pierhead_gateway::tokens::Token;

type Hash = [u8; 32];
type Shard = RwLock<AHashMap<Hash, Arc<Token>>>;

const SHARDS: usize = 16;
/// Of one shard; 262,144 tokens in all, about 150 MiB of them.
const MAX_TOKENS: usize = 16_384;

/// Tokens by keyed hash. Readers of one shard do not wait for each other.
#[derive(Default)]
pub(super) struct Memory {
    shards: [Shard; SHARDS],
    /// Which tokens are there of each grant.
    grants: Mutex<AHashMap<Box<str>, Vec<Hash>>>,
    changes: AtomicU64,
}

impl Memory {
    /// How many times something was forgotten: what is read from the store is only kept when this did not change
    /// in between, else it might be older than a revocation.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    pub(super) fn get(&self, hash: &Hash) -> Option<Arc<Token>> {
        self.shard(hash).read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// Keeps a token that was read when there had been `seen` changes.
    pub(super) fn put(&self, hash: Hash, token: Arc<Token>, seen: u64) {
        // Held throughout, as in `forget`: the two never run at once.
        let mut grants = self.grants();
        if self.changes() != seen {
            return;
        }
        let mut shard = self.shard(&hash).write().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= MAX_TOKENS {
            for (old, token) in shard.drain() {
                if let Some(hashes) = grants.get_mut(token.grant.as_str()) {
                    hashes.retain(|known| *known != old);
                    if hashes.is_empty() {
                        grants.remove(token.grant.as_str());
                    }
                }
            }
        }
        let hashes = grants.entry(token.grant.as_str().into()).or_default();
        if !hashes.contains(&hash) {
            hashes.push(hash);
        }
        shard.insert(hash, token);
    }

    /// Forgets the tokens of a grant; of every one for the empty name.
    pub(super) fn forget(&self, grant: &str) {
        let mut grants = self.grants();
        self.changes.fetch_add(1, Ordering::SeqCst);
        if grant.is_empty() {
            grants.clear();
            for shard in &self.shards {
                shard.write().unwrap_or_else(PoisonError::into_inner).clear();
            }
            return;
        }
        for hash in grants.remove(grant).unwrap_or_default() {
            self.shard(&hash).write().unwrap_or_else(PoisonError::into_inner).remove(&hash);
        }
    }

    fn shard(&self, hash: &Hash) -> &Shard {
        &self.shards[usize::from(hash[0]) % SHARDS]
    }

    fn grants(&self) -> MutexGuard<'_, AHashMap<Box<str>, Vec<Hash>>> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
