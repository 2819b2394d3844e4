//! Shared flows, target servers and flow hooks in a unit of work.

use axum::http::StatusCode;
use pierhead_bundle::Content;
use pierhead_gateway::design::{ProxyDesign, SharedFlowDesign};
use pierhead_store::management::{ItemKind, StoredItem, StoredSharedFlow};

use crate::names::check_name;
use crate::odata::ODataError;

use super::{Portal, Work};

impl Portal {
    /// Reads a zip with one shared flow.
    pub(crate) fn read_shared_flow(&self, zip: &[u8], name: &str) -> Result<SharedFlowDesign, ODataError> {
        match self.read_bundle(zip, name)? {
            Content::SharedFlow(design) => Ok(*design),
            other => Err(ODataError::bad(format!("The zip holds a {}, not a shared flow", other.noun()))),
        }
    }

    /// Keeps a design as the next revision of the shared flow of its name; gives its number. What runs stays as
    /// it is.
    pub(crate) async fn import_shared_flow(
        &self,
        work: &mut Work,
        design: &SharedFlowDesign,
    ) -> Result<i64, ODataError> {
        let organization = self.organization();
        let name = design.name.as_str();
        check_name("the name of the shared flow", name, 255)?;
        work.changes_designs(self.parts()).await?;
        match work.tx.designs().shared_flow(organization, name).await? {
            Some(mut stored) => {
                stored.stamp.touch(self.now_ms(), &self.caller);
                work.tx.save_shared_flow(organization, &stored).await?;
            }
            None => {
                let stored = StoredSharedFlow { name: name.into(), live_revision: None, stamp: self.stamp() };
                work.tx.add_shared_flow(organization, &stored).await?;
            }
        }
        let kept = work.tx.designs().shared_flow_revisions(organization, name).await?;
        let number = kept.last().copied().unwrap_or(0) + 1;
        let text = serde_json::to_string(design).map_err(ODataError::internal)?;
        work.tx.add_shared_flow_revision(organization, name, number, text).await?;
        Ok(number)
    }

    /// A kept design as it stands in this work.
    pub(super) async fn shared_flow_revision(
        &self,
        work: &Work,
        name: &str,
        number: i64,
    ) -> Result<SharedFlowDesign, ODataError> {
        let text = work.tx.designs().shared_flow_revision(self.organization(), name, number).await?;
        let missing = || ODataError::not_found(format_args!("Revision {number} of shared flow '{name}'"));
        serde_json::from_str(&text.ok_or_else(missing)?).map_err(ODataError::internal)
    }

    /// Puts a design in place of the one that revision `number` has.
    pub(super) async fn replace_shared_flow(
        &self,
        work: &mut Work,
        number: i64,
        design: &SharedFlowDesign,
    ) -> Result<(), ODataError> {
        let (organization, name) = (self.organization(), design.name.as_str());
        let mut stored = self.shared_flow(work, name).await?;
        stored.stamp.touch(self.now_ms(), &self.caller);
        work.tx.save_shared_flow(organization, &stored).await?;
        let text = serde_json::to_string(design).map_err(ODataError::internal)?;
        work.tx.remove_shared_flow_revision(organization, name, number).await?;
        work.tx.add_shared_flow_revision(organization, name, number, text).await?;
        Ok(())
    }

    /// Makes a revision the one that every caller of the shared flow runs.
    pub(crate) async fn deploy_shared_flow(
        &self,
        work: &mut Work,
        name: &str,
        number: i64,
    ) -> Result<(), ODataError> {
        let organization = self.organization();
        work.changes_designs(self.parts()).await?;
        let mut stored = self.shared_flow(work, name).await?;
        let design = self.shared_flow_revision(work, name, number).await?;
        work.serve_shared_flow(self.parts(), &design, number).await?;
        stored.live_revision = Some(number);
        Ok(work.tx.save_shared_flow(organization, &stored).await?)
    }

    /// Stops a shared flow; one that a hook names stays.
    pub(crate) async fn undeploy_shared_flow(&self, work: &mut Work, name: &str) -> Result<(), ODataError> {
        let organization = self.organization();
        work.changes_designs(self.parts()).await?;
        let mut stored = self.shared_flow(work, name).await?;
        self.no_hook_names(work, name).await?;
        stored.live_revision = None;
        work.tx.save_shared_flow(organization, &stored).await?;
        work.stop_shared_flow(name);
        Ok(())
    }

    /// Removes a shared flow that is not deployed.
    pub(crate) async fn delete_shared_flow(&self, work: &mut Work, name: &str) -> Result<(), ODataError> {
        work.changes_designs(self.parts()).await?;
        let stored = self.shared_flow(work, name).await?;
        if let Some(live) = stored.live_revision {
            return Err(ODataError::bad(format!(
                "Revision {live} of shared flow '{name}' is deployed: undeploy it first"
            )));
        }
        work.tx.remove_shared_flow(self.organization(), name).await?;
        Ok(())
    }

    /// Removes a revision that is not deployed.
    pub(crate) async fn delete_shared_flow_revision(
        &self,
        work: &mut Work,
        name: &str,
        number: i64,
    ) -> Result<(), ODataError> {
        work.changes_designs(self.parts()).await?;
        if self.shared_flow(work, name).await?.live_revision == Some(number) {
            return Err(ODataError::bad(format!(
                "Revision {number} of shared flow '{name}' is deployed: undeploy it first"
            )));
        }
        if !work.tx.remove_shared_flow_revision(self.organization(), name, number).await? {
            return Err(ODataError::not_found(format_args!("Revision {number} of shared flow '{name}'")));
        }
        Ok(())
    }

    pub(super) async fn shared_flow(&self, work: &Work, name: &str) -> Result<StoredSharedFlow, ODataError> {
        let stored = work.tx.designs().shared_flow(self.organization(), name).await?;
        stored.ok_or_else(|| ODataError::not_found(format_args!("Shared flow '{name}'")))
    }

    async fn no_hook_names(&self, work: &Work, name: &str) -> Result<(), ODataError> {
        let hooks = work.tx.designs().items(self.organization(), ItemKind::FlowHook).await?;
        let names = |hook: &&StoredItem| {
            serde_json::from_str::<serde_json::Value>(&hook.document)
                .is_ok_and(|hook| hook["sharedFlow"] == name)
        };
        match hooks.iter().find(names) {
            None => Ok(()),
            Some(hook) => Err(ODataError::coded(
                StatusCode::BAD_REQUEST,
                "SHARED_FLOW_IN_USE_ERROR",
                format!("Shared flow '{name}' is attached to {}: detach it first", hook.name),
            )),
        }
    }

    /// Puts a setting of the environment, or removes it with `None`; what depends on it runs with it once the
    /// work is committed. Says whether one was there.
    pub(crate) async fn put_item(
        &self,
        work: &mut Work,
        kind: ItemKind,
        name: &str,
        document: Option<String>,
    ) -> Result<bool, ODataError> {
        let organization = self.organization();
        work.changes_designs(self.parts()).await?;
        let old = work.tx.designs().item(organization, kind, name).await?;
        let removes = document.is_none();
        match document {
            Some(document) => {
                let mut stamp = old.as_ref().map_or_else(|| self.stamp(), |old| old.stamp.clone());
                stamp.touch(self.now_ms(), &self.caller);
                let stored = StoredItem { name: name.into(), document, stamp };
                work.tx.put_item(organization, kind, &stored).await?;
            }
            None => drop(work.tx.remove_item(organization, kind, name).await?),
        }
        match kind {
            ItemKind::FlowHook => work.changes_hooks(),
            ItemKind::TargetServer => {
                work.changes_surroundings();
                self.serve_users_again(work, name).await?;
            }
            ItemKind::KeyStore | ItemKind::Reference => {
                work.changes_surroundings();
                if removes {
                    self.is_free(work, kind, name).await?;
                }
                self.serve_store_users_again(work).await?;
            }
            // Read by each session that begins; made by the first policy that fills it.
            ItemKind::MaskConfig | ItemKind::Cache => {}
        }
        Ok(old.is_some())
    }

    /// Compiles again every deployed proxy that names a target server.
    async fn serve_users_again(&self, work: &mut Work, server: &str) -> Result<(), ODataError> {
        for revision in work.tx.designs().live_revisions(self.organization()).await? {
            let design: ProxyDesign = serde_json::from_str(&revision.design).map_err(ODataError::internal)?;
            if crate::live_environment::names_server(&design, server) {
                work.serve(self.parts(), &design, revision.revision).await?;
            }
        }
        Ok(())
    }
}
