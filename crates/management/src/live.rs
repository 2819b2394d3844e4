//! What is committed, and how it becomes what runs: each change rebuilds its own part of the snapshot.

mod apply;
mod follow;
mod part;
#[cfg(test)]
mod tests;

use pierhead_domain::{OrganizationId, SecretString};
use pierhead_gateway::ports::KvmScope;
use pierhead_store::StoreError;
use pierhead_store::management::{MapKey, StoredEntry, StoredProvider};
use pierhead_vault::{Sealed, VaultError};

use self::apply::Base;
use crate::last_good::BadLastGood;
use crate::management::Parts;
use crate::odata::ODataError;
use crate::sets::providers::{ProviderDraft, Secrets, sealed_place};

pub(crate) use apply::{Unserved, said};
pub(crate) use follow::{Following, follow, keep};
pub(crate) use part::{Committed, LivePart};

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartFailure {
    /// The database failed.
    #[error("the designs could not be read")]
    Store(#[from] StoreError),
    /// A sealed value does not open.
    #[error("a key value map or provider could not be opened")]
    Vault(#[from] VaultError),
    /// A provider or a target server is not what it was written as.
    #[error("an API provider, target server or file of the environment cannot be read")]
    Surroundings(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no last good snapshot, or it cannot be used.
    #[error("the last good snapshot cannot be used")]
    LastGood(#[from] BadLastGood),
}

impl Parts {
    pub(crate) fn organization(&self) -> OrganizationId {
        self.settings.organization
    }

    /// Loads everything that is committed into the snapshot, in one change, and keeps it beside the database. A
    /// proxy that cannot run is left out; one that ran before goes on. The caller holds the gate.
    pub(crate) async fn load(&self) -> Result<(), StartFailure> {
        let _one_at_a_time = self.publishing.lock().await;
        let all = self.all_committed().await?;
        report(&self.apply(&all, Base::Nothing).await?);
        let keys = self.store.data_keys().await?;
        self.last_good.replace(all, keys, self.clock.now()).await;
        Ok(())
    }

    /// Loads the last good snapshot instead: the database is away.
    pub(crate) async fn load_last_good(&self) -> Result<(), StartFailure> {
        let _one_at_a_time = self.publishing.lock().await;
        let all = self.last_good.read()?;
        report(&self.apply(&all, Base::Nothing).await?);
        Ok(())
    }

    /// Keeps everything that is committed beside the database.
    pub(crate) async fn keep_all(&self) -> Result<(), StartFailure> {
        let _one_at_a_time = self.publishing.lock().await;
        let all = self.all_committed().await?;
        let keys = self.store.data_keys().await?;
        self.last_good.replace(all, keys, self.clock.now()).await;
        Ok(())
    }

    /// A provider with its secrets opened.
    pub(crate) fn open_provider(&self, stored: &StoredProvider) -> Result<ProviderDraft, ODataError> {
        let values = serde_json::from_str(&stored.settings).map_err(ODataError::internal)?;
        let secrets: Secrets = if stored.sealed.is_empty() {
            Secrets::default()
        } else {
            let sealed = Sealed::from_stored(stored.sealed.clone());
            let place = sealed_place(&stored.name);
            let clear = self.vault.open_bytes(self.organization(), &place, &sealed)?;
            serde_json::from_slice(&clear).map_err(ODataError::internal)?
        };
        Ok(ProviderDraft { values, secrets })
    }

    /// Puts the committed state of a map into the snapshot.
    pub(crate) async fn publish_map(&self, key: &MapKey) -> Result<(), StartFailure> {
        self.publish(&[LivePart::Map(key.clone())], None).await.map(drop)
    }

    /// The clear value of an entry.
    pub(crate) fn open_entry(&self, map: &MapKey, entry: &StoredEntry) -> Result<SecretString, VaultError> {
        let sealed = Sealed::from_stored(entry.sealed.clone());
        self.vault.open_text(self.organization(), &entry_place(map, &entry.name), &sealed)
    }

    /// An entry for the store.
    pub(crate) fn seal_entry(
        &self,
        map: &MapKey,
        name: &str,
        value: &SecretString,
    ) -> Result<StoredEntry, VaultError> {
        let sealed = self.vault.seal_text(self.organization(), &entry_place(map, name), value)?;
        Ok(StoredEntry {
            name: name.into(),
            sealed: sealed.into_bytes(),
            changed_ms: self.clock.now().as_i64(),
        })
    }
}

/// Logs what cannot run.
pub(crate) fn report(unserved: &[Unserved]) {
    for Unserved { part, why } in unserved {
        match part {
            LivePart::SharedFlow(name) => {
                tracing::error!(name, "shared flow {name} is deployed but cannot run: {why}");
            }
            LivePart::Proxy(proxy) => {
                tracing::error!(proxy, "API proxy {proxy} is deployed but cannot be served: {why}");
            }
            part => tracing::error!(?part, "{part:?} is committed but cannot be used: {why}"),
        }
    }
}

/// Where a value lies. The parts cannot run into each other: none but the last may hold a newline.
fn entry_place(map: &MapKey, name: &str) -> String {
    format!("kvm_entry/sealed/{}\n{}\n{}\n{name}", map.scope, map.scope_id, map.name)
}

/// The scope of a map as policies name it.
pub(crate) fn scope_of(key: &MapKey) -> KvmScope {
    match key.scope.as_str() {
        "ORG" => KvmScope::Organization,
        "APIPROXY" => KvmScope::Proxy(key.scope_id.clone()),
        "POLICY" => {
            let (proxy, policy) = key.scope_id.split_once(':').unwrap_or((&key.scope_id, ""));
            KvmScope::Policy { proxy: proxy.into(), policy: policy.into() }
        }
        _ => KvmScope::Environment,
    }
}

/// The map of a scope and name as the store has it.
pub(crate) fn map_key(scope: &KvmScope, name: &str) -> MapKey {
    let (scope, scope_id) = match scope {
        KvmScope::Organization => ("ORG", String::new()),
        KvmScope::Environment => ("ENV", String::new()),
        KvmScope::Proxy(proxy) => ("APIPROXY", proxy.clone()),
        KvmScope::Policy { proxy, policy } => ("POLICY", format!("{proxy}:{policy}")),
    };
    MapKey { scope: scope.into(), scope_id, name: name.into() }
}
