//! `DELETE /instances/{id}`: gone at once, then revoked with the vendor.

use pierhead_domain::{Caller, InstanceId};

use crate::hub::{Hub, HubProblem};
use crate::instance::LiveInstance;

impl Hub {
    /// Deletes an instance; its token is refused from now on. The vendor is asked afterwards to forget the
    /// credential, where its definition says how; a vendor that is down does not keep the instance alive.
    pub(crate) async fn delete_instance(&self, caller: &Caller, id: InstanceId) -> Result<(), HubProblem> {
        let stored = self.visible(caller, id).await?;
        let opened = self.directory.open(&self.store, stored).await;
        let tx = self.store.write().await?;
        let there = tx.delete_instance(id).await?;
        tx.commit().await?;
        self.directory.forget(id);
        if !there {
            return Err(HubProblem::unknown_instance(id));
        }
        tracing::info!(instance = %id, "instance {id} was deleted");
        match opened {
            Ok(live) => self.revoke(&live),
            Err(problem) => tracing::warn!(instance = %id, "its credential could not be revoked: {problem}"),
        }
        Ok(())
    }

    fn revoke(&self, live: &LiveInstance) {
        if let Some(token) = live.credential.current().revocable() {
            let settings = |key: &str| live.setting(key).map(str::to_owned);
            self.refresher.endpoint().revoke(&live.connector, &settings, &token);
        }
    }
}
