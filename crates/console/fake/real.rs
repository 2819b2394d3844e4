//! The real management service over a database of its own, in place of the stand-in's API portal.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use pierhead_domain::{
    AccountId, Caller, EpochMillis, OrganizationId, Role, SecretString, SharedRng, StoppedClock, SystemRng,
};
use pierhead_gateway::snapshot::{Snapshot, SnapshotCell};
use pierhead_management::{Management, Settings};
use pierhead_store::Store;
use pierhead_vault::{KeyRing, Vault};
use pierhead_web::auth::{AuthFailure, Authenticator, ConnectorAuth};

const ACME: OrganizationId = OrganizationId::new(1);

/// Everybody who is signed in at the stand-in designs APIs.
struct SignedIn;

#[async_trait]
impl Authenticator for SignedIn {
    async fn connector_caller(&self, _: &ConnectorAuth) -> Result<Caller, AuthFailure> {
        Err(AuthFailure::Refused("not here".into()))
    }

    async fn bearer_caller(&self, token: &SecretString) -> Result<Caller, AuthFailure> {
        if !token.expose().starts_with("login-token") {
            return Err(AuthFailure::Refused("unknown token".into()));
        }
        Ok(Caller {
            organization: ACME,
            account: AccountId::new(1),
            user: None,
            name: "ada@example.com".into(),
            roles: [Role::ApiAdministrator].into_iter().collect(),
        })
    }

    async fn basic_caller(&self, _: &str, _: &SecretString) -> Result<Caller, AuthFailure> {
        Err(AuthFailure::Refused("not here".into()))
    }
}

/// A management service with nothing in it, at the stand-in's time.
#[allow(dead_code, clippy::allow_attributes, reason = "tests and the example use different parts")]
#[derive(Clone)]
pub(crate) struct Real {
    pub(crate) router: Router,
    pub(crate) snapshots: Arc<SnapshotCell>,
    _folder: Arc<tempfile::TempDir>,
}

impl Real {
    pub(crate) async fn start(now: EpochMillis) -> Option<Self> {
        let (store, folder) = pierhead_store::testing::sqlite().await;
        let snapshots = Arc::new(SnapshotCell::new(Snapshot::empty("acme", "prod")));
        let management = management(store, now, snapshots.clone())?;
        management.start().await.ok()?;
        let router = pierhead_management::router(management);
        Some(Self { router, snapshots, _folder: Arc::new(folder) })
    }
}

fn management(store: Store, now: EpochMillis, snapshots: Arc<SnapshotCell>) -> Option<Management> {
    let rng: SharedRng = Arc::new(SystemRng);
    let ring = KeyRing::generate(&SystemRng);
    let own = Vault::new_key(&ring, "own".into(), None, &rng).ok()?;
    let vault = Arc::new(Vault::open(ring, &own, rng.clone()).ok()?);
    vault.install(&vault.new_data_key("k1".into(), ACME).ok()?).ok()?;
    let clock = Arc::new(StoppedClock::at(now));
    Some(Management::new(store, vault, clock, rng, Arc::new(SignedIn), snapshots, Settings::default()))
}
