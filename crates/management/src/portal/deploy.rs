//! `POST APIProxies('x')/Deploy` and `/Undeploy`.

use pierhead_gateway::design::ProxyDesign;
use pierhead_store::management::{Stamp, StoredMap, StoredRevision};
use serde_json::{Value, json};

use crate::live::map_key;
use crate::odata::ODataError;
use crate::sets::proxies::ProxyDraft;

use super::{Portal, Work};

impl Portal {
    /// Makes the design as it stands the live revision. A design that does not compile changes nothing, and
    /// what was live stays live.
    pub(crate) async fn deploy(&self, work: &mut Work, name: &str) -> Result<Value, ODataError> {
        let organization = self.organization();
        work.changes_designs(self.parts()).await?;
        let draft = self.draft(work, name).await?;
        let (design, revision) = (draft.design.clone(), draft.stored.revision);
        let answer = self.go_live(work, draft, &design, revision).await?;
        if work.tx.designs().revision(organization, name, revision).await?.is_none() {
            let design = serde_json::to_string(&design).map_err(ODataError::internal)?;
            let stored = StoredRevision { proxy: name.into(), revision, design };
            work.tx.add_revision(organization, &stored).await?;
        }
        Ok(answer)
    }

    /// Makes a kept revision the live one; the design as it stands is another matter, unless it has this number.
    pub(crate) async fn deploy_revision(
        &self,
        work: &mut Work,
        name: &str,
        revision: i64,
    ) -> Result<Value, ODataError> {
        work.changes_designs(self.parts()).await?;
        let draft = self.draft(work, name).await?;
        if draft.stored.revision == revision {
            return self.deploy(work, name).await;
        }
        let design = self.revision(work, name, revision).await?;
        self.go_live(work, draft, &design, revision).await
    }

    async fn go_live(
        &self,
        work: &mut Work,
        mut draft: ProxyDraft,
        design: &ProxyDesign,
        revision: i64,
    ) -> Result<Value, ODataError> {
        let organization = self.organization();
        let name = design.name.as_str();
        let entries = work.serve(self.parts(), design, revision).await?;
        draft.stored.live_revision = Some(revision);
        let mut providers = ProxyDraft::providers(&draft.design);
        providers.extend(ProxyDraft::providers(design));
        providers.sort_unstable();
        providers.dedup();
        work.tx.set_provider_uses(organization, name, &providers).await?;
        work.tx.save_proxy(organization, &draft.close()?).await?;
        let stamp = self.stamp();
        for (at, value) in entries {
            let key = map_key(&at.scope, &at.map);
            let map = StoredMap { key: key.clone(), encrypted: false, stamp: Stamp::clone(&stamp) };
            work.tx.ensure_map(organization, &map).await?;
            let entry = self.parts().seal_entry(&key, &at.key, &value.into())?;
            work.tx.put_entry(organization, &key, &entry, true).await?;
            work.changes_map(key);
        }
        Ok(json!({"name": name, "state": "DEPLOYED", "revision": revision.to_string()}))
    }

    /// Stops serving a proxy. One that is not deployed stays as it is.
    pub(crate) async fn undeploy(&self, work: &mut Work, name: &str) -> Result<Value, ODataError> {
        let organization = self.organization();
        work.changes_designs(self.parts()).await?;
        let mut draft = self.draft(work, name).await?;
        let revision = draft.stored.live_revision.take();
        let providers = ProxyDraft::providers(&draft.design);
        work.tx.set_provider_uses(organization, name, &providers).await?;
        work.tx.save_proxy(organization, &draft.close()?).await?;
        work.stop(name);
        Ok(
            json!({"name": name, "state": "UNDEPLOYED", "revision": revision.map(|number| number.to_string())}),
        )
    }
}
