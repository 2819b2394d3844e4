//! Making, changing and removing API proxies.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use pierhead_gateway::design::ProxyDesign;
use pierhead_store::management::{StoredMap, StoredProxy};

use crate::odata::{Entity, Expand, ODataError, Parsed};
use crate::open_connectors;
use crate::sets::endpoints::NO_PROVIDER;
use crate::sets::proxies::ProxyDraft;

use super::{Portal, Work};

impl Portal {
    pub(super) async fn create_proxy(&self, work: &mut Work, body: &Parsed) -> Result<Entity, ODataError> {
        let name = body.required("name")?.to_owned();
        let stored = StoredProxy {
            name: name.clone(),
            revision: 1,
            live_revision: None,
            design: String::new(),
            settings: String::new(),
            stamp: self.stamp(),
        };
        let hosts = &self.parts().settings.virtual_hosts;
        let mut draft = ProxyDraft::create(stored, body, hosts)?;
        work.changes_designs(self.parts()).await?;
        if work.tx.designs().proxy(self.organization(), &name).await?.is_some() {
            return Err(ODataError::coded(
                StatusCode::BAD_REQUEST,
                "API_PROXY_NAME_DUPLICATION_ERROR",
                format!("An API proxy '{name}' exists already."),
            ));
        }
        self.settle(work, None, &mut draft).await?;
        if let Some(provider) =
            body.text("provider_name").filter(|name| !name.is_empty() && *name != NO_PROVIDER)
        {
            let used = ProxyDraft::target_providers(&draft.design);
            if !used.is_empty() && used.iter().all(|name| name != provider) {
                return Err(ODataError::bad(
                    "APIProxies.provider_name must be the provider_id of one of the target endpoints",
                ));
            }
        }
        let entity = draft.entity(hosts, &Expand::default());
        work.tx.add_proxy(self.organization(), &draft.close()?).await?;
        Ok(entity)
    }

    pub(super) async fn update_proxy(
        &self,
        work: &mut Work,
        name: &str,
        body: &Parsed,
        merge: bool,
    ) -> Result<(), ODataError> {
        let hosts = &self.parts().settings.virtual_hosts;
        self.edit(work, name, |draft| draft.take(body, merge, hosts)).await
    }

    pub(crate) async fn delete_proxy(&self, work: &mut Work, name: &str) -> Result<(), ODataError> {
        work.changes_designs(self.parts()).await?;
        if !work.tx.remove_proxy(self.organization(), name).await? {
            return Err(no_proxy(name));
        }
        for key in work.tx.remove_maps_of_proxy(self.organization(), name).await? {
            work.changes_map(key);
        }
        work.stop(name);
        Ok(())
    }

    /// A proxy as it stands in this work.
    pub(super) async fn draft(&self, work: &Work, name: &str) -> Result<ProxyDraft, ODataError> {
        let stored = work.tx.designs().proxy(self.organization(), name).await?;
        ProxyDraft::open(stored.ok_or_else(|| no_proxy(name))?)
    }

    /// Changes a proxy's design; what was deployed stays as it is until the next deployment.
    pub(super) async fn edit(
        &self,
        work: &mut Work,
        name: &str,
        change: impl FnOnce(&mut ProxyDraft) -> Result<(), ODataError>,
    ) -> Result<(), ODataError> {
        work.changes_designs(self.parts()).await?;
        let mut draft = self.draft(work, name).await?;
        let before = draft.design.clone();
        change(&mut draft)?;
        self.settle(work, Some(&before), &mut draft).await?;
        if draft.design != before {
            self.number(work, &mut draft).await?;
        }
        draft.stored.stamp.touch(self.now_ms(), &self.caller);
        work.tx.save_proxy(self.organization(), &draft.close()?).await?;
        Ok(())
    }

    /// A changed design gets a number of its own: numbers of deployed revisions are never used again.
    async fn number(&self, work: &Work, draft: &mut ProxyDraft) -> Result<(), ODataError> {
        let (name, revision) = (&draft.design.name, draft.stored.revision);
        if work.tx.designs().revision(self.organization(), name, revision).await?.is_some() {
            draft.stored.revision += 1;
        }
        Ok(())
    }

    /// Checks a changed design against the rest, and makes what follows from it: the fixed policy and its
    /// map, the claims on base paths and providers.
    pub(super) async fn settle(
        &self,
        work: &mut Work,
        before: Option<&ProxyDesign>,
        draft: &mut ProxyDraft,
    ) -> Result<(), ODataError> {
        let organization = self.organization();
        let name = draft.design.name.clone();
        let mut hubs: BTreeMap<String, bool> = BTreeMap::new();
        let known = before.map(ProxyDraft::providers).unwrap_or_default();
        for provider in ProxyDraft::providers(&draft.design).into_iter().chain(known) {
            let stored = work.tx.designs().provider(organization, &provider).await?;
            let stored = stored.ok_or_else(|| {
                let is_of_callout = draft.design.callout_providers().contains(&provider);
                let field = if is_of_callout { "Policies" } else { "APITargetEndPoints.provider_id" };
                ODataError::bad(format!("{field}: API provider '{provider}' could not be found"))
            })?;
            hubs.insert(provider, self.parts().open_provider(&stored)?.is_open_connectors());
        }
        let is_hub = |provider: &str| hubs.get(provider).copied().unwrap_or(false);
        open_connectors::settle(before, &mut draft.design, &is_hub)?;
        draft.check()?;
        if draft.design.policies.iter().any(|policy| policy.fixed) {
            let map = StoredMap { key: open_connectors::map_of(&name), encrypted: true, stamp: self.stamp() };
            work.tx.ensure_map(organization, &map).await?;
            work.changes_map(map.key);
        }
        self.claim(work, draft).await
    }

    async fn claim(&self, work: &mut Work, draft: &ProxyDraft) -> Result<(), ODataError> {
        let organization = self.organization();
        let name = &draft.design.name;
        let paths = draft.base_paths(&self.parts().settings.virtual_hosts);
        for (at, path) in paths.iter().enumerate() {
            let owner = work.tx.designs().base_path_owner(organization, path).await?;
            let twice = paths[..at].contains(path);
            if twice || owner.as_ref().is_some_and(|owner| owner != name) {
                let owner = owner.filter(|_| !twice).unwrap_or_else(|| name.clone());
                return Err(ODataError::coded(
                    StatusCode::BAD_REQUEST,
                    "API_PROXY_BASE_PATH_DUPLICATION_ERROR",
                    format!(
                        "APIProxyEndPoints.base_path '{}' of the virtual host '{}' is taken by the API proxy '{owner}'.",
                        path.path, path.host
                    ),
                ));
            }
        }
        work.tx.set_base_paths(organization, name, &paths).await?;
        let mut providers = ProxyDraft::providers(&draft.design);
        if let Some(live) = draft.stored.live_revision
            && let Some(revision) = work.tx.designs().revision(organization, name, live).await?
        {
            let design: ProxyDesign = serde_json::from_str(&revision.design).map_err(ODataError::internal)?;
            providers.extend(ProxyDraft::providers(&design));
            providers.sort_unstable();
            providers.dedup();
        }
        Ok(work.tx.set_provider_uses(organization, name, &providers).await?)
    }
}

pub(super) fn no_proxy(name: &str) -> ODataError {
    ODataError::not_found(format_args!("API proxy '{name}'"))
}
