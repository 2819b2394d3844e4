//! What runs beside the calls: other nodes' changes are noticed, and credentials refreshed before they expire.

use std::time::Duration;

use futures_util::StreamExt;
use pierhead_store::StoreError;

use super::Hub;

/// How stale an instance in memory may be while another node changes it.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// How often the hub looks for credentials that are about to expire.
const REFRESH_EVERY: Duration = Duration::from_secs(5);
/// Credentials taken from the store at once, and refreshed at the same time.
const REFRESH_BATCH: u64 = 200;
const REFRESHES_AT_ONCE: usize = 16;

impl Hub {
    /// Runs until it is dropped: notices changes that other nodes made to instances within a second, and
    /// refreshes credentials that are about to expire. The binary runs it once per process.
    pub async fn background(self) {
        tokio::join!(self.check_forever(), self.refresh_forever());
    }

    async fn check_forever(&self) {
        loop {
            tokio::time::sleep(CHECK_EVERY).await;
            if let Err(error) = self.directory.drop_changed(&self.store).await {
                // With the database away the instances in memory keep working.
                tracing::warn!("instances could not be compared with the database: {error}");
            }
        }
    }

    async fn refresh_forever(&self) {
        loop {
            match self.refresh_due().await {
                Ok(due) if (due as u64) < REFRESH_BATCH => tokio::time::sleep(REFRESH_EVERY).await,
                // Others get their turn between two full batches.
                Ok(_) => tokio::time::sleep(CHECK_EVERY / 10).await,
                Err(error) => {
                    tracing::warn!("due credentials could not be read: {error}");
                    tokio::time::sleep(REFRESH_EVERY).await;
                }
            }
        }
    }

    /// Refreshes a batch of credentials that are due; gives how many there were. Failures are kept on the
    /// credential, which is then due again later or not at all.
    pub async fn refresh_due(&self) -> Result<usize, StoreError> {
        let due = self.store.credentials_due(self.clock.now(), REFRESH_BATCH).await?;
        let refresh = async |id| match self.directory.by_id(&self.store, id).await {
            Ok(Some(live)) => {
                let _kept_on_the_credential = self.refresher.renew_due(&live).await;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(instance = %id, "instance {id} could not be read: {error}"),
        };
        futures_util::stream::iter(due.iter().copied()).for_each_concurrent(REFRESHES_AT_ONCE, refresh).await;
        Ok(due.len())
    }
}
