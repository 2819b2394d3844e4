//! Making, changing and removing API providers.

use axum::http::StatusCode;
use pierhead_gateway::design::ProxyDesign;
use pierhead_store::management::StoredProvider;

use crate::odata::{Entity, ODataError, Parsed};
use crate::sets::providers::{ProviderDraft, check_provider_name, entity, sealed_place};

use super::{Portal, Work};

impl Portal {
    pub(super) async fn create_provider(&self, work: &mut Work, body: &Parsed) -> Result<Entity, ODataError> {
        let name = body.required("name")?;
        check_provider_name(name)?;
        let mut draft = ProviderDraft::default();
        draft.take(body, false)?;
        work.changes_designs(self.parts()).await?;
        if work.tx.designs().provider(self.organization(), name).await?.is_some() {
            return Err(ODataError::coded(
                StatusCode::BAD_REQUEST,
                "API_PROVIDER_NAME_DUPLICATION_ERROR",
                format!("An API provider '{name}' exists already."),
            ));
        }
        let stored = self.stored_provider(name, &draft)?;
        work.tx.add_provider(self.organization(), &stored).await?;
        work.changes_surroundings();
        Ok(entity(&stored))
    }

    pub(super) async fn update_provider(
        &self,
        work: &mut Work,
        name: &str,
        body: &Parsed,
        merge: bool,
    ) -> Result<(), ODataError> {
        if body.text("name").is_some_and(|said| said != name) {
            return Err(ODataError::bad("APIProviders.name cannot be changed"));
        }
        work.changes_designs(self.parts()).await?;
        let organization = self.organization();
        let missing = || ODataError::not_found(format_args!("API provider '{name}'"));
        let old = work.tx.designs().provider(organization, name).await?.ok_or_else(missing)?;
        let mut draft = self.parts().open_provider(&old)?;
        let before = draft.is_open_connectors();
        draft.take(body, merge)?;
        let users = work.tx.designs().users_of_provider(organization, name).await?;
        if before != draft.is_open_connectors() && !users.is_empty() {
            return Err(in_use(name, &users, "destType cannot be changed while it is used"));
        }
        let mut stored = self.stored_provider(name, &draft)?;
        stored.stamp.created_ms = old.stamp.created_ms;
        stored.stamp.created_by = old.stamp.created_by;
        work.tx.save_provider(organization, &stored).await?;
        work.changes_surroundings();
        self.serve_again(work, &users).await
    }

    /// Compiles the deployed revisions of `proxies` again: something that they use has changed.
    async fn serve_again(&self, work: &mut Work, proxies: &[String]) -> Result<(), ODataError> {
        let organization = self.organization();
        for name in proxies {
            let Some(proxy) = work.tx.designs().proxy(organization, name).await? else { continue };
            let Some(live) = proxy.live_revision else { continue };
            let Some(revision) = work.tx.designs().revision(organization, name, live).await? else {
                continue;
            };
            let design: ProxyDesign = serde_json::from_str(&revision.design).map_err(ODataError::internal)?;
            work.serve(self.parts(), &design, live).await?;
        }
        Ok(())
    }

    pub(super) async fn delete_provider(&self, work: &mut Work, name: &str) -> Result<(), ODataError> {
        work.changes_designs(self.parts()).await?;
        let users = work.tx.designs().users_of_provider(self.organization(), name).await?;
        if !users.is_empty() {
            return Err(in_use(name, &users, "it cannot be deleted"));
        }
        if work.tx.remove_provider(self.organization(), name).await? {
            work.changes_surroundings();
            Ok(())
        } else {
            Err(ODataError::not_found(format_args!("API provider '{name}'")))
        }
    }

    fn stored_provider(&self, name: &str, draft: &ProviderDraft) -> Result<StoredProvider, ODataError> {
        let settings = serde_json::to_string(&draft.values).map_err(ODataError::internal)?;
        let sealed = if draft.secrets.is_empty() {
            Vec::new()
        } else {
            let clear = serde_json::to_string(&draft.secrets).map_err(ODataError::internal)?;
            let place = sealed_place(name);
            self.parts().vault.seal_text(self.organization(), &place, &clear.into())?.into_bytes()
        };
        Ok(StoredProvider { name: name.into(), settings, sealed, stamp: self.stamp() })
    }
}

fn in_use(name: &str, users: &[String], what: &str) -> ODataError {
    ODataError::coded(
        StatusCode::BAD_REQUEST,
        "API_PROVIDER_IN_USE_ERROR",
        format!("API provider '{name}': {what}; it is used by the API proxies {}.", users.join(", ")),
    )
}
