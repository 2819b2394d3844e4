//! What all parts of this room share.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pierhead_domain::{
    AccountId, Caller, EpochMillis, OrganizationId, Role, Roles, SecretString, SharedClock, SharedRng,
};
use pierhead_store::identity::{RoleHolder, StoredPerson};
use pierhead_store::{Store, WriteTx};
use pierhead_vault::{Vault, WrappedKey};

use crate::IdentityProblem;
use crate::cache::CallerCache;
use crate::credentials;
use crate::passwords::Passwords;
use crate::throttle::Throttle;

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct IdentitySettings {
    /// Base of links and of a service key's `tokenUrl`; no slash at its end.
    pub public_url: String,
    /// How long a login lasts.
    pub login_ttl: Duration,
    /// How long an access token of a service key lasts.
    pub access_token_ttl: Duration,
    /// How long a caller that was let in is let in again without asking the database; the longest time that
    /// a change made on another node stays unseen here.
    pub cache_for: Duration,
    /// Passwords hashed at the same time (each takes a core and 19 MiB for some 20 ms).
    pub password_hashers: usize,
}

impl Default for IdentitySettings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8081".into(),
            login_ttl: Duration::from_secs(12 * 3600),
            access_token_ttl: Duration::from_secs(3600),
            cache_for: Duration::from_secs(10),
            password_hashers: 2,
        }
    }
}

/// Identity of one installation. Cheap to clone.
#[derive(Clone)]
pub struct Identity(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: SharedClock,
    pub(crate) rng: SharedRng,
    pub(crate) settings: IdentitySettings,
    pub(crate) cache: CallerCache,
    pub(crate) throttle: Throttle,
    pub(crate) passwords: Passwords,
    pub(crate) setup_code: SecretString,
    /// Organizations whose data keys the vault holds.
    keyed: Mutex<HashSet<OrganizationId>>,
}

impl Identity {
    /// Identity over a migrated store and an open vault (see [`crate::open_vault`]).
    pub fn new(
        store: Store,
        vault: Arc<Vault>,
        clock: SharedClock,
        rng: SharedRng,
        settings: IdentitySettings,
    ) -> Self {
        Self(Arc::new(Inner {
            cache: CallerCache::new(settings.cache_for),
            throttle: Throttle::default(),
            passwords: Passwords::new(settings.password_hashers, Arc::clone(&rng)),
            setup_code: credentials::setup_code(rng.as_ref()),
            keyed: Mutex::default(),
            store,
            vault,
            clock,
            rng,
            settings,
        }))
    }

    /// The one-time code that `POST /api/v1/setup` of this process asks for: shown to whoever started it.
    pub fn setup_code(&self) -> &SecretString {
        &self.0.setup_code
    }

    pub(crate) fn now(&self) -> EpochMillis {
        self.0.clock.now()
    }

    /// Begins a change of an organization's people; see [`Identity::commit`].
    pub(crate) async fn change(&self, organization: OrganizationId) -> Result<WriteTx, IdentityProblem> {
        let tx = self.0.store.write().await?;
        tx.begin_identity_change(organization).await?;
        Ok(tx)
    }

    /// Commits a change, if it leaves somebody who can administer the organization, and forgets what was
    /// known of callers.
    pub(crate) async fn commit(
        &self,
        tx: WriteTx,
        organization: OrganizationId,
    ) -> Result<(), IdentityProblem> {
        if !tx.identities().has_administrator(organization).await? {
            return Err(IdentityProblem::Invalid(
                "the organization would be left without an active administrator".into(),
            ));
        }
        tx.commit().await?;
        self.0.cache.clear();
        Ok(())
    }

    /// The user as a caller; `None` when it, its account or its organization is inactive.
    pub(crate) async fn caller_of(&self, person: &StoredPerson) -> Result<Option<Caller>, IdentityProblem> {
        let reads = self.0.store.identities();
        let account = reads.account(person.account).await?.filter(|account| account.active);
        let organization = reads.organization(person.organization).await?.filter(|found| found.active);
        if !person.active || account.is_none() || organization.is_none() {
            return Ok(None);
        }
        self.ensure_keys(person.organization).await?;
        Ok(Some(Caller {
            organization: person.organization,
            account: person.account,
            user: Some(person.id),
            name: person.email.clone(),
            roles: self.effective_roles(person).await?,
        }))
    }

    /// The user's own roles and those of its account.
    pub(crate) async fn effective_roles(&self, person: &StoredPerson) -> Result<Roles, IdentityProblem> {
        let reads = self.0.store.identities();
        let own = reads.roles_of(RoleHolder::Person(person.id)).await?;
        let shared = reads.roles_of(RoleHolder::Account(person.account)).await?;
        Ok(own.into_iter().chain(shared).collect())
    }

    /// A service key as a caller with `roles`, in the organization's default account.
    pub(crate) async fn service_caller(
        &self,
        organization: OrganizationId,
        client_id: &str,
        roles: Roles,
    ) -> Result<Option<Caller>, IdentityProblem> {
        let reads = self.0.store.identities();
        let active = reads.organization(organization).await?.is_some_and(|found| found.active);
        let Some(account) = reads.default_account(organization).await?.filter(|_| active) else {
            return Ok(None);
        };
        self.ensure_keys(organization).await?;
        let name = client_id.to_owned();
        Ok(Some(Caller { organization, account: account.id, user: None, name, roles }))
    }

    /// Gives the vault the data keys of an organization that another process may have made.
    pub(crate) async fn ensure_keys(&self, organization: OrganizationId) -> Result<(), IdentityProblem> {
        let keyed = || self.0.keyed.lock().unwrap_or_else(PoisonError::into_inner);
        if keyed().contains(&organization) {
            return Ok(());
        }
        for stored in self.0.store.data_keys().await? {
            if stored.organization == organization.as_i64() {
                self.0.vault.install(&WrappedKey {
                    id: stored.id,
                    organization: Some(organization),
                    ring_key: stored.ring_key,
                    wrapped: stored.wrapped,
                })?;
            }
        }
        keyed().insert(organization);
        Ok(())
    }

    /// The role that a new user of this account gets when none is asked for.
    pub(crate) async fn first_role(&self, account: AccountId) -> Result<Role, IdentityProblem> {
        let found = self.0.store.identities().account(account).await?;
        let is_default = found.is_some_and(|account| account.is_default);
        Ok(if is_default { Role::OrgUser } else { Role::DefaultUser })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}
