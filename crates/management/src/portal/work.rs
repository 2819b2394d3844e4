//! A unit of work: one transaction, and what becomes live once it is committed.

use std::sync::Arc;

use axum::http::StatusCode;
use pierhead_gateway::compile::{CompileProblem, World};
use pierhead_gateway::design::{ProxyDesign, SharedFlowDesign};
use pierhead_gateway::snapshot::Snapshot;
use pierhead_store::WriteTx;
use pierhead_store::management::{MapKey, StoredProxy};
use tokio::sync::OwnedMutexGuard;

use crate::live::{LivePart, Unserved, report, said};
use crate::management::Parts;
use crate::odata::ODataError;

/// One unit of work. Dropped, it leaves nothing.
pub(crate) struct Work {
    pub(super) tx: WriteTx,
    /// What would run if the work so far were committed; deployments are checked against it.
    staged: Arc<Snapshot>,
    /// What is to be put into the snapshot after the commit.
    changed: Vec<LivePart>,
    /// No other node changes designs before this work ends.
    is_alone: bool,
    _gate: OwnedMutexGuard<()>,
}

impl Work {
    pub(super) async fn begin(parts: &Parts) -> Result<Self, ODataError> {
        // The gate before the transaction, always: two locks in one order never wait for each other.
        let gate = parts.gate.clone().lock_owned().await;
        let tx = parts.store.write().await?;
        Ok(Self { tx, staged: parts.snapshots.load(), changed: Vec::new(), is_alone: false, _gate: gate })
    }

    /// The row of a proxy as it stands in this work.
    pub(crate) async fn proxy(&self, parts: &Parts, name: &str) -> Result<Option<StoredProxy>, ODataError> {
        Ok(self.tx.designs().proxy(parts.organization(), name).await?)
    }

    /// Says that this work changes designs. From here on it sees what other nodes changed before, and they change
    /// nothing.
    pub(super) async fn changes_designs(&mut self, parts: &Parts) -> Result<(), ODataError> {
        if self.is_alone {
            return Ok(());
        }
        self.tx.begin_design_change(parts.organization()).await?;
        parts.follow().await.map_err(ODataError::internal)?;
        self.staged = parts.snapshots.load();
        self.is_alone = true;
        Ok(())
    }

    fn changes(&mut self, part: LivePart) {
        if !self.changed.contains(&part) {
            self.changed.push(part);
        }
    }

    /// Says that the entries of a map change.
    pub(super) fn changes_map(&mut self, key: MapKey) {
        self.changes(LivePart::Map(key));
    }

    /// Says that something changes that designs are compiled against.
    pub(super) fn changes_surroundings(&mut self) {
        self.changes(LivePart::Surroundings);
    }

    /// Makes sure that a design can run, and runs it once the work is committed. Answers the entries that
    /// its policies ask to be written.
    pub(super) async fn serve(
        &mut self,
        parts: &Parts,
        design: &ProxyDesign,
        revision: i64,
    ) -> Result<Vec<(pierhead_gateway::ports::KvmAddress, String)>, ODataError> {
        let world = self.world(parts).await?;
        let compiled = parts
            .compile(design, revision, &world)
            .map_err(|problems| cannot_run("API proxy", &design.name, &problems))?;
        let entries = compiled.initial_entries.clone();
        self.staged = Arc::new(self.staged.with_proxy(compiled).map_err(|taken| {
            ODataError::coded(
                StatusCode::BAD_REQUEST,
                "API_PROXY_BASE_PATH_DUPLICATION_ERROR",
                taken.to_string(),
            )
        })?);
        self.changes(LivePart::Proxy(design.name.clone()));
        Ok(entries)
    }

    /// Makes sure that a shared flow can run, and runs it once the work is committed.
    pub(super) async fn serve_shared_flow(
        &mut self,
        parts: &Parts,
        design: &SharedFlowDesign,
        revision: i64,
    ) -> Result<(), ODataError> {
        let world = self.world(parts).await?;
        let compiled = parts
            .compile_shared_flow(design, revision, &world)
            .map_err(|problems| cannot_run("Shared flow", &design.name, &problems))?;
        self.staged = Arc::new(self.staged.with_shared_flow(compiled));
        self.changes(LivePart::SharedFlow(design.name.clone()));
        Ok(())
    }

    /// What a design is compiled against as this work stands.
    pub(super) async fn world(&self, parts: &Parts) -> Result<World, ODataError> {
        let staged = self.staged.clone();
        if !self.changed.contains(&LivePart::Surroundings) {
            return Ok(parts.present_world(staged));
        }
        let stored = self.tx.designs().surroundings(parts.organization()).await?;
        Ok(parts.surroundings(&stored)?.world(&parts.settings, staged))
    }

    /// Stops a shared flow once the work is committed.
    pub(super) fn stop_shared_flow(&mut self, name: &str) {
        self.staged = Arc::new(self.staged.without_shared_flow(name));
        self.changes(LivePart::SharedFlow(name.into()));
    }

    /// Says that flow hooks change.
    pub(super) fn changes_hooks(&mut self) {
        self.changes(LivePart::Hooks);
    }

    /// Stops a proxy once the work is committed.
    pub(super) fn stop(&mut self, name: &str) {
        self.staged = Arc::new(self.staged.without_proxy(name));
        self.changes(LivePart::Proxy(name.into()));
    }

    /// Commits, then makes the change live on this node; the gate opens after that.
    pub(super) async fn commit(self, parts: &Parts) -> Result<(), ODataError> {
        let Self { tx, staged, changed, is_alone: _, _gate } = self;
        parts.note(&tx, &changed).await?;
        tx.commit().await?;
        let unserved = parts.publish(&changed, Some(&staged)).await.map_err(ODataError::internal)?;
        report(&unserved);
        match unserved.into_iter().next() {
            None => Ok(()),
            // Cannot be: what is committed was compiled before.
            Some(Unserved { part, why }) => Err(ODataError::internal(format!("{part:?} cannot run: {why}"))),
        }
    }
}

fn cannot_run(what: &str, name: &str, problems: &[CompileProblem]) -> ODataError {
    ODataError::coded(
        StatusCode::BAD_REQUEST,
        "DEPLOYMENT_VALIDATION_ERROR",
        format!("{what} '{name}' cannot be deployed: {}", said(problems)),
    )
}
