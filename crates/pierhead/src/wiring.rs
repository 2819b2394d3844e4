//! Where the rooms meet: each port of one room is answered by another.

mod access_log;
mod hub;

use std::sync::Arc;

use anyhow::Context;
use pierhead_connectors::Hub;
use pierhead_egress::{Egress, EgressSettings};
use pierhead_gateway::SnapshotCell;
use pierhead_gateway::ports::Ports;
use pierhead_identity::Identity;
use pierhead_management::Management;
use pierhead_store::Store;
use pierhead_vault::Vault;
use pierhead_web::SharedAuthenticator;

pub(crate) use access_log::access_log;

use crate::config::Config;
use crate::server::{FirstStart, Parts};
use hub::InProcessHub;

/// The services of one installation.
pub(crate) struct Rooms {
    pub(crate) identity: Identity,
    pub(crate) hub: Hub,
    pub(crate) management: Management,
    pub(crate) vault: Arc<Vault>,
    store: Store,
}
