//! The engine's view of an instance: settings, fresh credentials, links.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use pierhead_domain::InstanceId;

use super::LiveInstance;
use crate::definition::Connector;
use crate::engine::{CallProblem, Connection, Credential, DownloadLink};
use crate::hub::Hub;

/// One instance during one call.
pub(crate) struct Line {
    live: Arc<LiveInstance>,
    hub: Hub,
}

impl Line {
    pub(crate) fn new(hub: &Hub, live: Arc<LiveInstance>) -> Self {
        Self { live, hub: hub.clone() }
    }
}

impl Connection for Line {
    fn instance_id(&self) -> InstanceId {
        self.live.stored.id
    }

    fn connector(&self) -> &Arc<Connector> {
        &self.live.connector
    }

    fn setting(&self, key: &str) -> Option<&str> {
        self.live.setting(key)
    }

    fn credential(&self) -> BoxFuture<'_, Result<Credential, CallProblem>> {
        Box::pin(async { Ok(self.hub.refresher.fresh(&self.live).await?.credential.clone()) })
    }

    fn rejected(&self, generation: u64) -> BoxFuture<'_, Result<Credential, CallProblem>> {
        Box::pin(async move {
            Ok(self.hub.refresher.after_rejection(&self.live, generation).await?.credential.clone())
        })
    }

    fn download_link(&self, file_id: &str) -> Option<DownloadLink> {
        Some(self.hub.links.link(self.live.stored.id, file_id))
    }
}
