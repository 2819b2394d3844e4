//! Refreshes: one at a time, committed before use.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use http::StatusCode;
use pierhead_domain::SharedClock;
use pierhead_store::connectors::{CredentialMark, CredentialState, NewCredential, StoredCredential};
use pierhead_store::{Store, StoreError};
use tokio::time::Instant;

use super::{Held, Issued, Material, TokenEndpoint, TokenFailure, failure};
use crate::definition::Scheme;
use crate::driver::Outbound;
use crate::engine::{CallProblem, Grant, OAuth};
use crate::instance::{InstanceVault, LiveInstance};

/// How long one node may take for a refresh before another may try: longer than the slowest token call
/// and its commit together.
const LEASE: Duration = Duration::from_secs(60);
/// How long a call waits for another node's refresh, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often a commit is tried while the store is away.
const COMMIT_TRIES: u32 = 5;

/// What refreshing needs.
pub(crate) struct RefresherParts {
    pub(crate) store: Store,
    pub(crate) vault: InstanceVault,
    pub(crate) outbound: Arc<dyn Outbound>,
    pub(crate) clock: SharedClock,
    /// Names this process in leases.
    pub(crate) node: String,
}

/// Keeps credentials fresh. Clones share everything.
#[derive(Clone)]
pub(crate) struct Refresher(Arc<Parts>);

struct Parts {
    store: Store,
    vault: InstanceVault,
    clock: SharedClock,
    node: String,
    endpoint: TokenEndpoint,
}

/// What came of asking for the lease.
enum Turn {
    /// It is ours: this is what to refresh.
    Ours(StoredCredential),
    /// Somebody else has refreshed.
    Theirs(StoredCredential),
}

impl Refresher {
    pub(crate) fn new(parts: RefresherParts) -> Self {
        let RefresherParts { store, vault, outbound, clock, node } = parts;
        let endpoint = TokenEndpoint { outbound, clock: Arc::clone(&clock) };
        Self(Arc::new(Parts { store, vault, clock, node, endpoint }))
    }

    /// The token endpoint, for provisioning and revocation.
    pub(crate) fn endpoint(&self) -> &TokenEndpoint {
        &self.0.endpoint
    }

    /// A credential that the vendor still accepts; refreshed first when it is about to expire. While the
    /// vendor or the store is down, one that has not expired yet is still good.
    pub(crate) async fn fresh(&self, live: &Arc<LiveInstance>) -> Result<Arc<Held>, CallProblem> {
        let held = live.credential.current();
        if !held.renewable || !held.due(self.0.clock.now(), window(live)) {
            return Ok(held);
        }
        match self.renew(live, &held).await {
            Err(_) if !held.expired(self.0.clock.now()) => Ok(held),
            outcome => outcome,
        }
    }

    /// The vendor refused generation `generation`: the credential that replaces it.
    pub(crate) async fn after_rejection(
        &self,
        live: &Arc<LiveInstance>,
        generation: u64,
    ) -> Result<Arc<Held>, CallProblem> {
        let held = live.credential.current();
        if u64::try_from(held.generation).is_ok_and(|current| current > generation) {
            return Ok(held);
        }
        if !held.renewable {
            return Err(CallProblem::new(
                StatusCode::UNAUTHORIZED,
                "The vendor refused the credentials of this instance; check its configuration",
            ));
        }
        self.renew(live, &held).await
    }

    /// Refreshes a credential that the scheduler found due.
    pub(crate) async fn renew_due(&self, live: &Arc<LiveInstance>) -> Result<(), CallProblem> {
        let held = live.credential.current();
        if held.due(self.0.clock.now(), window(live)) {
            self.renew(live, &held).await?;
        }
        Ok(())
    }

    async fn renew(&self, live: &Arc<LiveInstance>, held: &Held) -> Result<Arc<Held>, CallProblem> {
        let now = self.0.clock.now();
        let refused = matches!(held.state, CredentialState::Reconnect { .. });
        if (refused || now < live.credential.not_before())
            && let Some(problem) = failure::of_state(live, &held.state, now)
        {
            return Err(problem);
        }
        self.join(live, held.generation).await
    }

    /// Joins the refresh of `seen` that is under way, or starts it. It runs to its end even when everybody
    /// who waits goes away: a token that was asked for must be kept.
    async fn join(&self, live: &Arc<LiveInstance>, seen: i64) -> Result<Arc<Held>, CallProblem> {
        let flight = {
            let mut slot = live.credential.flight();
            let current = live.credential.current();
            if current.generation > seen {
                return Ok(current);
            }
            slot.get_or_insert_with(|| {
                let (refresher, live) = (self.clone(), Arc::clone(live));
                let task = tokio::spawn(async move {
                    let _landed = Landing(Arc::clone(&live));
                    refresher.refresh(&live, seen).await
                });
                let outcome = async move {
                    task.await.unwrap_or_else(|_| Err(CallProblem::internal("The refresh was interrupted")))
                };
                outcome.boxed().shared()
            })
            .clone()
        };
        flight.await
    }

    pub(super) async fn refresh(
        &self,
        live: &Arc<LiveInstance>,
        seen: i64,
    ) -> Result<Arc<Held>, CallProblem> {
        let mark = CredentialMark { instance: live.stored.id, generation: seen };
        if let Some(issued) = live.credential.take_uncommitted(seen) {
            return self.commit(live, mark, issued).await;
        }
        let stored = match self.take_turn(live, mark).await? {
            Turn::Ours(stored) => stored,
            Turn::Theirs(stored) => return self.adopt(live, stored),
        };
        let material = self.material(live, &stored)?;
        match self.ask(live, &material).await {
            Ok(issued) => self.commit(live, mark, issued).await,
            Err(failure) => self.failed(live, mark, &stored, failure).await,
        }
    }

    /// Waits until this node may refresh, or another has.
    async fn take_turn(&self, live: &LiveInstance, mark: CredentialMark) -> Result<Turn, CallProblem> {
        let until = Instant::now() + PATIENCE;
        loop {
            let stored = self.0.store.credential(mark.instance).await.map_err(store_failed)?;
            let Some(stored) = stored else {
                return Err(CallProblem::new(StatusCode::UNAUTHORIZED, "This instance was deleted"));
            };
            if stored.generation > mark.generation
                || matches!(stored.state, CredentialState::Reconnect { .. })
            {
                return Ok(Turn::Theirs(stored));
            }
            let now = self.0.clock.now();
            if stored.leased_until.is_none_or(|until| until < now)
                && self.lease(mark).await.map_err(store_failed)?
            {
                return Ok(Turn::Ours(stored));
            }
            if Instant::now() >= until {
                return Err(CallProblem::timeout(format!(
                    "Another node is refreshing the credential of instance {} and does not finish",
                    live.stored.id
                )));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn lease(&self, mark: CredentialMark) -> Result<bool, StoreError> {
        let now = self.0.clock.now();
        let tx = self.0.store.write().await?;
        let ours = tx.lease_credential(mark, &self.0.node, now, now.plus(LEASE)).await?;
        tx.commit().await?;
        Ok(ours)
    }

    async fn ask(&self, live: &LiveInstance, material: &Material) -> Result<Issued, TokenFailure> {
        let settings = |key: &str| live.setting(key).map(str::to_owned);
        let scope = live.setting("oauth.scope");
        let grant = match (&material.refresh_token, live.connector.auth.scheme) {
            (_, Scheme::OAuth2ClientCredentials) => Grant::ClientCredentials { scope },
            (Some(refresh_token), _) => Grant::Refresh { refresh_token },
            (None, _) => {
                return Err(TokenFailure::Refused {
                    reason: "the access token is no longer good and the vendor gave no refresh token".into(),
                    code: "no_refresh_token".into(),
                });
            }
        };
        let kept = material.refresh_token.as_ref();
        self.0.endpoint.ask(&live.connector, &settings, &grant, kept).await
    }

    /// Makes the new token durable, then current. Of two nodes the first wins and the other takes its token.
    async fn commit(
        &self,
        live: &Arc<LiveInstance>,
        mark: CredentialMark,
        issued: Issued,
    ) -> Result<Arc<Held>, CallProblem> {
        let mut pause = LOOK_EVERY;
        for last in (0..COMMIT_TRIES).rev() {
            match self.advance(live, mark, &issued).await {
                Ok(true) => {
                    live.credential.succeeded();
                    let held = Held::refreshable(
                        &issued.material,
                        mark.generation + 1,
                        issued.expires,
                        CredentialState::Valid,
                    );
                    return Ok(live.credential.put(held));
                }
                Ok(false) => {
                    return match self.0.store.credential(mark.instance).await {
                        Ok(Some(stored)) => self.adopt(live, stored),
                        Ok(None) => {
                            Err(CallProblem::new(StatusCode::UNAUTHORIZED, "This instance was deleted"))
                        }
                        Err(error) => Err(store_failed(error)),
                    };
                }
                Err(error) if last == 0 => {
                    tracing::error!(instance = %mark.instance, "a fresh token waits for the store: {error}");
                }
                Err(_) => tokio::time::sleep(pause).await,
            }
            pause *= 2;
        }
        // Never used before it is durable, and never thrown away: the next call commits it first.
        live.credential.keep_uncommitted(mark.generation, issued);
        Err(failure::store_away())
    }

    async fn advance(
        &self,
        live: &LiveInstance,
        mark: CredentialMark,
        issued: &Issued,
    ) -> Result<bool, StoreError> {
        let stored = &live.stored;
        let sealed = self.0.vault.seal_material(stored.organization, &stored.token_hash, &issued.material);
        let sealed = sealed.map_err(|why| inconsistent(mark, why))?;
        let new = NewCredential { sealed, expires: issued.expires, refresh_at: issued.refresh_at };
        let tx = self.0.store.write().await?;
        let first = tx.advance_credential(mark, &new).await?;
        tx.commit().await?;
        Ok(first)
    }

    /// Notes a failure on the credential, unless another node has a token meanwhile.
    async fn failed(
        &self,
        live: &Arc<LiveInstance>,
        mark: CredentialMark,
        stored: &StoredCredential,
        failure: TokenFailure,
    ) -> Result<Arc<Held>, CallProblem> {
        let now = self.0.clock.now();
        let next_try = live.credential.failed(now);
        let first = match &stored.state {
            CredentialState::Waiting { since, .. } => *since,
            _ => now,
        };
        let state = match failure {
            TokenFailure::Refused { reason, .. } => CredentialState::Reconnect { reason, since: now },
            TokenFailure::Unavailable { reason } => {
                CredentialState::Waiting { reason, since: first, next_try }
            }
        };
        tracing::warn!(instance = %mark.instance, state = ?state, "a credential could not be refreshed");
        let noted = async {
            let tx = self.0.store.write().await?;
            let noted = tx.fail_credential(mark, &state).await?;
            tx.commit().await?;
            Ok::<bool, StoreError>(noted)
        };
        if !noted.await.map_err(store_failed)?
            && let Some(newer) = self.0.store.credential(mark.instance).await.map_err(store_failed)?
        {
            return self.adopt(live, newer);
        }
        let problem = failure::of_state(live, &state, now);
        live.credential.put(live.credential.current().standing(state));
        Err(problem.unwrap_or_else(|| CallProblem::bad_gateway("The vendor gives no fresh token")))
    }

    /// Takes over what another node stored.
    fn adopt(&self, live: &Arc<LiveInstance>, stored: StoredCredential) -> Result<Arc<Held>, CallProblem> {
        let material = self.material(live, &stored)?;
        let problem = failure::of_state(live, &stored.state, self.0.clock.now());
        let held = Held::refreshable(&material, stored.generation, stored.expires, stored.state);
        let held = live.credential.put(held);
        problem.map_or(Ok(held), Err)
    }

    fn material(&self, live: &LiveInstance, stored: &StoredCredential) -> Result<Material, CallProblem> {
        let (organization, hash) = (live.stored.organization, &live.stored.token_hash);
        self.0.vault.open_material(organization, hash, stored.sealed.clone()).map_err(|why| {
            tracing::error!(instance = %live.stored.id, "a credential does not open: {why}");
            CallProblem::internal("The credential of this instance cannot be opened")
        })
    }
}

impl fmt::Debug for Refresher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refresher")
    }
}

/// Frees the flight when its refresh ends, whichever way.
struct Landing(Arc<LiveInstance>);

impl Drop for Landing {
    fn drop(&mut self) {
        *self.0.credential.flight() = None;
    }
}

fn window(live: &LiveInstance) -> Duration {
    OAuth::of(&live.connector).map_or(Duration::ZERO, |oauth| oauth.refresh_before())
}

fn store_failed(error: StoreError) -> CallProblem {
    tracing::error!("a credential could not be refreshed: the store failed: {error}");
    failure::store_away()
}

fn inconsistent(mark: CredentialMark, why: pierhead_vault::VaultError) -> StoreError {
    StoreError::Inconsistent {
        table: "connector_credential",
        column: "sealed",
        id: mark.instance.to_string(),
        why: why.to_string(),
    }
}
