//! Nodes for the tests of this room.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use pierhead_domain::{
    AccountId, Caller, EpochMillis, OrganizationId, Role, SecretString, SharedRng, StoppedClock, SystemRng,
};
use pierhead_gateway::design::{ProxyDesign, ProxyEndpoint, RouteRule};
use pierhead_gateway::ports::{KvmAddress, KvmScope};
use pierhead_gateway::snapshot::{Snapshot, SnapshotCell};
use pierhead_store::Store;
use pierhead_store::keys::StoredKey;
use pierhead_vault::{KeyRing, Vault, WrappedKey};
use pierhead_web::auth::{AuthFailure, Authenticator, ConnectorAuth};

use crate::last_good::LastGoodFile;
use crate::management::Management;
use crate::odata::Service;
use crate::portal::Portal;
use crate::settings::Settings;

pub(crate) const NOW: i64 = 1_700_000_000_000;

/// Nobody logs in here.
struct Nobody;

#[async_trait]
impl Authenticator for Nobody {
    async fn connector_caller(&self, _: &ConnectorAuth) -> Result<Caller, AuthFailure> {
        Err(AuthFailure::Refused("nobody".into()))
    }

    async fn bearer_caller(&self, _: &SecretString) -> Result<Caller, AuthFailure> {
        Err(AuthFailure::Refused("nobody".into()))
    }

    async fn basic_caller(&self, _: &str, _: &SecretString) -> Result<Caller, AuthFailure> {
        Err(AuthFailure::Refused("nobody".into()))
    }
}

/// Nodes over one database and one key file.
pub(crate) struct Nodes {
    pub(crate) store: Store,
    pub(crate) vault: Arc<Vault>,
    keys: Vec<WrappedKey>,
    pub(crate) clock: StoppedClock,
}

impl Nodes {
    pub(crate) fn over(store: Store) -> Self {
        let rng: SharedRng = Arc::new(SystemRng);
        let ring = KeyRing::generate(&SystemRng);
        let own = Vault::new_key(&ring, "own".into(), None, &rng).unwrap();
        let vault = Arc::new(Vault::open(ring, &own, rng).unwrap());
        let key = vault.new_data_key("k1".into(), OrganizationId::new(1)).unwrap();
        vault.install(&key).unwrap();
        Self { store, vault, keys: vec![own, key], clock: StoppedClock::at(EpochMillis::new(NOW)) }
    }

    /// The data keys are in the database, as those of a real installation are.
    pub(crate) async fn with_keys_in_store(self) -> Self {
        let tx = self.store.write().await.unwrap();
        for key in &self.keys {
            let stored = StoredKey {
                id: key.id.clone(),
                organization: key.organization.map_or(0, OrganizationId::as_i64),
                ring_key: key.ring_key.clone(),
                wrapped: key.wrapped.clone(),
                created_ms: NOW,
            };
            tx.add_data_key(&stored).await.unwrap();
        }
        tx.commit().await.unwrap();
        self
    }

    /// The same nodes, with another database.
    pub(crate) fn with_store(&self, store: Store) -> Self {
        Self { store, vault: self.vault.clone(), keys: self.keys.clone(), clock: self.clock.clone() }
    }

    /// A new process.
    pub(crate) fn management(&self) -> Management {
        self.management_with(Settings::default())
    }

    /// A new process that keeps its last good snapshot in a folder.
    pub(crate) fn keeping(&self, folder: &Path) -> Management {
        self.management_with(Settings {
            last_good: Some(LastGoodFile::in_folder(folder)),
            ..Settings::default()
        })
    }

    fn management_with(&self, settings: Settings) -> Management {
        Management::new(
            self.store.clone(),
            self.vault.clone(),
            Arc::new(self.clock.clone()),
            Arc::new(SystemRng),
            Arc::new(Nobody),
            Arc::new(SnapshotCell::new(Snapshot::empty("acme", "prod"))),
            settings,
        )
    }
}

pub(crate) const ACME: OrganizationId = OrganizationId::new(1);

/// A proxy that answers on its own at `/<name>`.
pub(crate) fn design(name: &str) -> ProxyDesign {
    ProxyDesign {
        name: name.into(),
        proxy_endpoints: vec![ProxyEndpoint {
            name: "default".into(),
            base_path: format!("/{name}"),
            routes: vec![RouteRule { name: "none".into(), ..RouteRule::default() }],
            ..ProxyEndpoint::default()
        }],
        ..ProxyDesign::default()
    }
}

/// What an administrator sees of a node.
pub(crate) fn portal(node: &Management) -> Portal {
    let caller = Caller {
        organization: ACME,
        account: AccountId::new(1),
        user: None,
        name: "ada".into(),
        roles: [Role::ApiAdministrator].into_iter().collect(),
    };
    Portal::new(node.clone(), &caller)
}

/// Deploys a design through a node.
pub(crate) async fn deploy(node: &Management, design: ProxyDesign) {
    let (portal, name) = (portal(node), design.name.clone());
    let mut work = portal.begin().await.unwrap();
    portal.import_proxy(&mut work, design).await.unwrap();
    portal.deploy(&mut work, &name).await.unwrap();
    portal.commit(work).await.unwrap();
}

/// Stops a proxy through a node.
pub(crate) async fn undeploy(node: &Management, name: &str) {
    let portal = portal(node);
    let mut work = portal.begin().await.unwrap();
    portal.undeploy(&mut work, name).await.unwrap();
    portal.commit(work).await.unwrap();
}

/// Writes a value as a policy does.
pub(crate) async fn put_value(node: &Management, map: &str, key: &str, value: &str) {
    node.kvm_writer().put(at(map, key), value.into(), true).await.unwrap();
}

/// A value that policies of a node see.
pub(crate) fn value(node: &Management, map: &str, key: &str) -> Option<String> {
    let snapshot = node.parts().snapshots.load();
    let map = snapshot.kvm(&KvmScope::Environment, map)?;
    map.entries.get(key).map(|value| value.expose().to_owned())
}

pub(crate) fn at(map: &str, key: &str) -> KvmAddress {
    KvmAddress { scope: KvmScope::Environment, map: map.into(), key: key.into() }
}

/// Names of the proxies that a node serves.
pub(crate) fn served(node: &Management) -> Vec<String> {
    let snapshot = node.parts().snapshots.load();
    let mut names: Vec<String> = snapshot.proxies().map(|proxy| proxy.name.to_string()).collect();
    names.sort();
    names
}
