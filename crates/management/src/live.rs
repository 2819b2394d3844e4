//! From what is committed to what runs: each change rebuilds its own part of the snapshot.

use std::sync::Arc;

use pierhead_domain::{OrganizationId, SecretString};
use pierhead_gateway::compile::{CompileProblem, CompiledProxy, compile};
use pierhead_gateway::design::ProxyDesign;
use pierhead_gateway::ports::KvmScope;
use pierhead_gateway::snapshot::{BasePathTaken, Snapshot};
use pierhead_store::StoreError;
use pierhead_store::management::{MapKey, StoredEntry, StoredMap, StoredProvider};
use pierhead_vault::{Sealed, VaultError};

use crate::live_environment::Surroundings;
use crate::management::Parts;
use crate::odata::ODataError;
use crate::sets::providers::{ProviderDraft, Secrets, sealed_place};

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
    #[error("an API provider or target server cannot be read")]
    Surroundings(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The virtual hosts of the settings contradict each other.
    #[error("the virtual hosts cannot be served")]
    Hosts(#[from] BasePathTaken),
}

impl Parts {
    pub(crate) fn organization(&self) -> OrganizationId {
        self.settings.organization
    }

    /// Loads everything into the snapshot.
    pub(crate) async fn load(&self) -> Result<(), StartFailure> {
        let organization = self.organization();
        let hosts: Vec<_> = self.settings.virtual_hosts.iter().map(|host| host.for_snapshot()).collect();
        self.snapshots.try_update(|old| old.with_virtual_hosts(hosts))?;
        let designs = self.store.designs();
        for map in designs.maps(organization).await? {
            self.publish_map(&map.key).await?;
        }
        self.publish_keys().await?;
        self.publish_key_stores().await.map_err(|why| StartFailure::Surroundings(why.into()))?;
        let surroundings =
            self.committed_surroundings().await.map_err(|why| StartFailure::Surroundings(why.into()))?;
        for flow in designs.shared_flows(organization).await? {
            if let Err(why) = self.publish_shared_flow(&flow.name).await {
                let name = &flow.name;
                tracing::error!(name, "shared flow {name} is deployed but cannot run: {why}");
            }
        }
        self.publish_hooks().await?;
        for revision in self.store.designs().live_revisions(organization).await? {
            let served = self.revive(surroundings.clone(), &revision.design, revision.revision);
            if let Err(why) = served {
                let proxy = &revision.proxy;
                tracing::error!(proxy, "API proxy {proxy} is deployed but cannot be served: {why}");
            }
        }
        Ok(())
    }

    /// Compiles a deployed design and puts it into the snapshot.
    pub(crate) fn revive(
        &self,
        surroundings: Surroundings,
        design: &str,
        revision: i64,
    ) -> Result<(), String> {
        let design: ProxyDesign = serde_json::from_str(design).map_err(|error| error.to_string())?;
        let running = self.snapshots.load();
        let compiled = self
            .compile(&design, revision, surroundings, running)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        self.snapshots.try_update(|old| old.with_proxy(compiled)).map_err(|error| error.to_string())
    }

    /// Compiles a design against `running`.
    pub(crate) fn compile(
        &self,
        design: &ProxyDesign,
        revision: i64,
        surroundings: Surroundings,
        running: Arc<Snapshot>,
    ) -> Result<CompiledProxy, Vec<CompileProblem>> {
        compile(design, &revision.to_string(), &surroundings.world(&self.settings, running))
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
        let _one_at_a_time = self.publishing.lock().await;
        let organization = self.organization();
        let scope = scope_of(key);
        let Some(map) = self.store.designs().map(organization, key).await? else {
            self.snapshots.update(|old| old.without_kvm_map(&scope, &key.name));
            return Ok(());
        };
        let stored = self.store.designs().entries(organization, key).await?;
        let entries = self.open_entries(&map, stored)?;
        self.snapshots.update(|old| old.with_kvm_map(scope, &key.name, entries, map.encrypted));
        Ok(())
    }

    fn open_entries(
        &self,
        map: &StoredMap,
        entries: Vec<StoredEntry>,
    ) -> Result<Vec<(String, SecretString)>, VaultError> {
        let open = |entry: StoredEntry| {
            let value = self.open_entry(&map.key, &entry)?;
            Ok((entry.name, value))
        };
        entries.into_iter().map(open).collect()
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
