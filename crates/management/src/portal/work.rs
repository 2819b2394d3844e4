//! A unit of work: one transaction, and what becomes live once it is committed.

use std::sync::Arc;

use axum::http::StatusCode;
use pierhead_gateway::compile::{CompileProblem, World};
use pierhead_gateway::design::{ProxyDesign, SharedFlowDesign};
use pierhead_gateway::snapshot::Snapshot;
use pierhead_store::WriteTx;
use pierhead_store::management::{ItemKind, MapKey, StoredProxy};
use tokio::sync::OwnedMutexGuard;

use crate::live_environment::Surroundings;
use crate::management::Parts;
use crate::odata::ODataError;

/// One unit of work. Dropped, it leaves nothing.
pub(crate) struct Work {
    pub(super) tx: WriteTx,
    /// What would run if the work so far were committed; deployments are checked against it.
    staged: Arc<Snapshot>,
    effects: Vec<Effect>,
    _gate: OwnedMutexGuard<()>,
}

/// A part of the snapshot to be rebuilt after the commit.
#[derive(Debug, Clone, PartialEq)]
enum Effect {
    Serve(String),
    Stop(String),
    Map(MapKey),
    SharedFlow(String),
    Hooks,
    KeyStores,
}

impl Work {
    pub(super) async fn begin(parts: &Parts) -> Result<Self, ODataError> {
        // The gate before the transaction, always: two locks in one order never wait for each other.
        let gate = parts.gate.clone().lock_owned().await;
        let tx = parts.store.write().await?;
        Ok(Self { tx, staged: parts.snapshots.load(), effects: Vec::new(), _gate: gate })
    }

    /// The row of a proxy as it stands in this work.
    pub(crate) async fn proxy(&self, parts: &Parts, name: &str) -> Result<Option<StoredProxy>, ODataError> {
        Ok(self.tx.designs().proxy(parts.organization(), name).await?)
    }

    /// Says that this work changes designs.
    pub(super) async fn changes_designs(&self, parts: &Parts) -> Result<(), ODataError> {
        Ok(self.tx.begin_design_change(parts.organization()).await?)
    }

    /// Says that the entries of a map change.
    pub(super) fn changes_map(&mut self, key: MapKey) {
        let effect = Effect::Map(key);
        if !self.effects.contains(&effect) {
            self.effects.push(effect);
        }
    }

    /// Makes sure that a design can run, and runs it once the work is committed. Answers the entries that
    /// its policies ask to be written.
    pub(super) async fn serve(
        &mut self,
        parts: &Parts,
        design: &ProxyDesign,
        revision: i64,
    ) -> Result<Vec<(pierhead_gateway::ports::KvmAddress, String)>, ODataError> {
        let surroundings = self.surroundings(parts).await?;
        let compiled = parts
            .compile(design, revision, surroundings, self.staged.clone())
            .map_err(|problems| cannot_run("API proxy", &design.name, &problems))?;
        let entries = compiled.initial_entries.clone();
        self.staged = Arc::new(self.staged.with_proxy(compiled).map_err(|taken| {
            ODataError::coded(
                StatusCode::BAD_REQUEST,
                "API_PROXY_BASE_PATH_DUPLICATION_ERROR",
                taken.to_string(),
            )
        })?);
        self.effects.push(Effect::Serve(design.name.clone()));
        Ok(entries)
    }

    /// Makes sure that a shared flow can run, and runs it once the work is committed.
    pub(super) async fn serve_shared_flow(
        &mut self,
        parts: &Parts,
        design: &SharedFlowDesign,
        revision: i64,
    ) -> Result<(), ODataError> {
        let surroundings = self.surroundings(parts).await?;
        let compiled = parts.compile_shared_flow(design, revision, surroundings, self.staged.clone());
        let compiled = compiled.map_err(|problems| cannot_run("Shared flow", &design.name, &problems))?;
        self.staged = Arc::new(self.staged.with_shared_flow(compiled));
        self.effects.push(Effect::SharedFlow(design.name.clone()));
        Ok(())
    }

    /// What a design is examined against.
    pub(super) async fn world(&self, parts: &Parts) -> Result<World, ODataError> {
        Ok(self.surroundings(parts).await?.world(&parts.settings, self.staged.clone()))
    }

    async fn surroundings(&self, parts: &Parts) -> Result<Surroundings, ODataError> {
        let designs = self.tx.designs();
        let providers = designs.providers(parts.organization()).await?;
        let servers = designs.items(parts.organization(), ItemKind::TargetServer).await?;
        let stores = designs.items(parts.organization(), ItemKind::KeyStore).await?;
        let references = designs.items(parts.organization(), ItemKind::Reference).await?;
        parts.surroundings(&providers, &servers, parts.open_key_stores(&stores, &references)?)
    }

    /// Stops a shared flow once the work is committed.
    pub(super) fn stop_shared_flow(&mut self, name: &str) {
        self.staged = Arc::new(self.staged.without_shared_flow(name));
        self.effects.push(Effect::SharedFlow(name.into()));
    }

    /// Says that flow hooks change.
    pub(super) fn changes_hooks(&mut self) {
        self.effects.push(Effect::Hooks);
    }

    /// Says that key stores or references change.
    pub(super) fn changes_key_stores(&mut self) {
        self.effects.push(Effect::KeyStores);
    }

    /// Stops a proxy once the work is committed.
    pub(super) fn stop(&mut self, name: &str) {
        self.staged = Arc::new(self.staged.without_proxy(name));
        self.effects.push(Effect::Stop(name.into()));
    }

    /// Commits, then makes the change live on this node; the gate opens after that.
    pub(super) async fn commit(self, parts: &Parts) -> Result<(), ODataError> {
        let Self { tx, staged, effects, _gate } = self;
        tx.commit().await?;
        for effect in effects {
            match effect {
                Effect::Map(key) => parts.publish_map(&key).await.map_err(ODataError::internal)?,
                Effect::SharedFlow(name) => {
                    parts.publish_shared_flow(&name).await.map_err(ODataError::internal)?
                }
                Effect::Hooks => parts.publish_hooks().await.map_err(ODataError::internal)?,
                Effect::KeyStores => {
                    parts.publish_key_stores().await.map_err(ODataError::internal)?;
                }
                Effect::Stop(name) => parts.snapshots.update(|old| old.without_proxy(&name)),
                Effect::Serve(name) => match staged.proxy(&name) {
                    Some(_) => parts.serve_committed(&name).await?,
                    // Deployed and removed again in the same work.
                    None => parts.snapshots.update(|old| old.without_proxy(&name)),
                },
            }
        }
        Ok(())
    }
}

fn cannot_run(what: &str, name: &str, problems: &[CompileProblem]) -> ODataError {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    ODataError::coded(
        StatusCode::BAD_REQUEST,
        "DEPLOYMENT_VALIDATION_ERROR",
        format!("{what} '{name}' cannot be deployed: {}", lines.join("; ")),
    )
}

impl Parts {
    /// Puts the deployed revision of a proxy into the snapshot.
    async fn serve_committed(&self, name: &str) -> Result<(), ODataError> {
        let organization = self.organization();
        let designs = self.store.designs();
        let Some(live) = designs.proxy(organization, name).await?.and_then(|proxy| proxy.live_revision)
        else {
            return Ok(());
        };
        let Some(revision) = designs.revision(organization, name, live).await? else { return Ok(()) };
        let surroundings = self.committed_surroundings().await?;
        self.revive(surroundings, &revision.design, live).map_err(ODataError::internal)
    }
}
