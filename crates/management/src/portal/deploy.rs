//! `POST APIProxies('x')/Deploy` and `/Undeploy`.

use pierhead_store::management::{Stamp, StoredMap, StoredRevision};
use serde_json::{Value, json};

use crate::live::map_key;
use crate::odata::ODataError;
use crate::sets::proxies::ProxyDraft;

use super::{Portal, Work};

impl Portal {
    /// Makes the design as it stands the live revision. A design that does not compile changes nothing, and
    /// what was live stays live.
    pub(super) async fn deploy(&self, work: &mut Work, name: &str) -> Result<Value, ODataError> {
        let organization = self.organization();
        work.changes_designs(self.parts()).await?;
        let mut draft = self.draft(work, name).await?;
        let revision = draft.stored.revision;
        let entries = work.serve(self.parts(), &draft.design, revision).await?;
        if draft.stored.live_revision != Some(revision) {
            let kept = work.tx.designs().revision(organization, name, revision).await?;
            if kept.is_none() {
                let design = serde_json::to_string(&draft.design).map_err(ODataError::internal)?;
                let stored = StoredRevision { proxy: name.into(), revision, design };
                work.tx.add_revision(organization, &stored).await?;
            }
        }
        draft.stored.live_revision = Some(revision);
        let providers = ProxyDraft::providers(&draft.design);
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
    pub(super) async fn undeploy(&self, work: &mut Work, name: &str) -> Result<Value, ODataError> {
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
