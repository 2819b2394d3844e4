//! Nodes for the tests of this room.

use std::sync::Arc;

use async_trait::async_trait;
use pierhead_domain::{
    Caller, EpochMillis, OrganizationId, SecretString, SharedRng, StoppedClock, SystemRng,
};
use pierhead_gateway::snapshot::{Snapshot, SnapshotCell};
use pierhead_store::Store;
use pierhead_vault::{KeyRing, Vault};
use pierhead_web::auth::{AuthFailure, Authenticator, ConnectorAuth};

use crate::management::Management;
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
    vault: Arc<Vault>,
    pub(crate) clock: StoppedClock,
}

impl Nodes {
    pub(crate) fn over(store: Store) -> Self {
        let rng: SharedRng = Arc::new(SystemRng);
        let ring = KeyRing::generate(&SystemRng);
        let own = Vault::new_key(&ring, "own".into(), None, &rng).unwrap();
        let vault = Arc::new(Vault::open(ring, &own, rng).unwrap());
        vault.install(&vault.new_data_key("k1".into(), OrganizationId::new(1)).unwrap()).unwrap();
        Self { store, vault, clock: StoppedClock::at(EpochMillis::new(NOW)) }
    }

    /// A new process.
    pub(crate) fn management(&self) -> Management {
        Management::new(
            self.store.clone(),
            self.vault.clone(),
            Arc::new(self.clock.clone()),
            Arc::new(SystemRng),
            Arc::new(Nobody),
            Arc::new(SnapshotCell::new(Snapshot::empty("acme", "prod"))),
            Settings::default(),
        )
    }
}
