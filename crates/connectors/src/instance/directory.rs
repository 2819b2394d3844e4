//! The directory of instances in memory, found by token hash or id. Bounded; never wrong for longer than
//! one check when another node changes an instance.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use pierhead_domain::{EpochMillis, InstanceId, InstanceToken};
use pierhead_store::connectors::StoredInstance;
use pierhead_store::{Store, StoreError};
use pierhead_vault::VaultError;

use super::{InstanceVault, LiveInstance, TOKEN_KIND};
use crate::catalogue::Catalogue;

/// Instances compared with the database in one query.
const CHECKED_AT_ONCE: usize = 500;

type Digest = [u8; 32];

/// Why an instance cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadProblem {
    #[error("the store failed")]
    Store(#[from] StoreError),
    #[error("the vault failed")]
    Vault(#[from] VaultError),
    #[error("no connector '{0}'")]
    NoConnector(String),
}

pub(crate) struct Directory {
    capacity: usize,
    vault: InstanceVault,
    catalogue: Arc<Catalogue>,
    live: RwLock<Live>,
}

#[derive(Default)]
struct Live {
    by_token: HashMap<Digest, Arc<LiveInstance>, ahash::RandomState>,
    tokens: HashMap<InstanceId, Digest, ahash::RandomState>,
    /// Grows with every removal: an instance read from the database before one must not be kept.
    removals: u64,
}

impl Directory {
    pub(crate) fn new(capacity: usize, vault: InstanceVault, catalogue: Arc<Catalogue>) -> Self {
        Self { capacity: capacity.max(1), vault, catalogue, live: RwLock::default() }
    }

    /// The instance of this token; without a query when it is in memory.
    pub(crate) async fn by_token(
        &self,
        store: &Store,
        token: &InstanceToken,
        now: EpochMillis,
    ) -> Result<Option<Arc<LiveInstance>>, LoadProblem> {
        let digest = self.vault.digest(TOKEN_KIND, token.expose());
        let found = self.read(|live| live.by_token.get(&digest).cloned());
        let live = match found {
            Some(live) => live,
            None => {
                let removals = self.read(|live| live.removals);
                let hash = self.vault.token_hash(token.expose());
                let Some(stored) = store.instance_by_token(hash.as_str()).await? else { return Ok(None) };
                self.keep(self.open(store, stored).await?, removals)
            }
        };
        live.touch(now);
        Ok(Some(live))
    }

    /// The instance of this id.
    pub(crate) async fn by_id(
        &self,
        store: &Store,
        id: InstanceId,
    ) -> Result<Option<Arc<LiveInstance>>, LoadProblem> {
        let found = self.read(|live| live.by_token.get(live.tokens.get(&id)?).cloned());
        if let Some(live) = found {
            return Ok(Some(live));
        }
        let removals = self.read(|live| live.removals);
        let Some(stored) = store.instance(id).await? else { return Ok(None) };
        Ok(Some(self.keep(self.open(store, stored).await?, removals)))
    }

    /// Opens a row without keeping it.
    pub(crate) async fn open(
        &self,
        store: &Store,
        stored: StoredInstance,
    ) -> Result<LiveInstance, LoadProblem> {
        let connector = self.catalogue.get(&stored.element);
        let connector = connector.cloned().ok_or_else(|| LoadProblem::NoConnector(stored.element.clone()))?;
        let credential = store.credential(stored.id).await?;
        LiveInstance::open(&self.vault, connector, stored, credential)
    }

    /// Forgets an instance that was changed or deleted.
    pub(crate) fn forget(&self, id: InstanceId) {
        self.write(|live| live.remove(id));
    }

    /// Forgets the instances that another node changed, and adopts nothing: the next call reads them.
    pub(crate) async fn drop_changed(&self, store: &Store) -> Result<(), StoreError> {
        let known: Vec<(InstanceId, i64, i64)> = self.read(|live| {
            let mark = |live: &Arc<LiveInstance>| {
                (live.stored.id, live.stored.version, live.credential.current().generation)
            };
            live.by_token.values().map(mark).collect()
        });
        for part in known.chunks(CHECKED_AT_ONCE) {
            let ids: Vec<InstanceId> = part.iter().map(|(id, _, _)| *id).collect();
            let versions: HashMap<InstanceId, i64> =
                store.instance_versions(&ids).await?.into_iter().collect();
            let marks = store.credential_marks(&ids).await?;
            let generations: HashMap<InstanceId, i64> =
                marks.into_iter().map(|mark| (mark.instance, mark.generation)).collect();
            for (id, version, generation) in part {
                let newer = generations.get(id).is_some_and(|stored| stored > generation);
                if versions.get(id) != Some(version) || newer {
                    self.forget(*id);
                }
            }
        }
        Ok(())
    }

    fn keep(&self, opened: LiveInstance, removals: u64) -> Arc<LiveInstance> {
        let opened = Arc::new(opened);
        let digest = self.vault.digest(TOKEN_KIND, opened.token.expose());
        self.write(|live| {
            if live.removals != removals {
                // Something was changed while we read: serve this call and let the next one read again.
                return Arc::clone(&opened);
            }
            if let Some(first) = live.by_token.get(&digest) {
                return Arc::clone(first);
            }
            if live.by_token.len() >= self.capacity {
                live.make_room();
            }
            live.tokens.insert(opened.stored.id, digest);
            live.by_token.insert(digest, Arc::clone(&opened));
            opened
        })
    }

    fn read<T>(&self, look: impl FnOnce(&Live) -> T) -> T {
        look(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Live) -> T) -> T {
        change(&mut self.live.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Live {
    fn remove(&mut self, id: InstanceId) {
        self.removals += 1;
        if let Some(digest) = self.tokens.remove(&id) {
            self.by_token.remove(&digest);
        }
    }

    /// Drops the least recently used tenth, so that a full directory is not sorted on every call.
    fn make_room(&mut self) {
        let mut by_age: Vec<(i64, InstanceId)> =
            self.by_token.values().map(|live| (live.last_used(), live.stored.id)).collect();
        by_age.sort_unstable();
        for (_, id) in by_age.iter().take(by_age.len().div_ceil(10)) {
            if let Some(digest) = self.tokens.remove(id) {
                self.by_token.remove(&digest);
            }
        }
    }
}
