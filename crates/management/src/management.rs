//! The management service: one value that everything hangs on.

use std::fmt;
use std::sync::Arc;

use pierhead_domain::{SharedClock, SharedRng};
use pierhead_gateway::LiveKeyStores;
use pierhead_gateway::ports::{KvmWriter, SharedCounters};
use pierhead_gateway::snapshot::SnapshotCell;
use pierhead_gateway::tokens::Tokens;
use pierhead_gateway::trace::TraceSessions;
use pierhead_store::Store;
use pierhead_vault::Vault;
use pierhead_web::SharedAuthenticator;
use pierhead_web::csrf::CsrfTokens;
use tokio::sync::Mutex;

use crate::counter_keeper::Counters;
use crate::kvm_writer::Writer;
use crate::live::StartFailure;
use crate::settings::Settings;
use crate::token_keeper::Keeper;

/// Designs in their store, and the snapshot that runs them. Cheap to clone.
#[derive(Clone)]
pub struct Management(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: SharedClock,
    pub(crate) rng: SharedRng,
    pub(crate) authenticator: SharedAuthenticator,
    pub(crate) csrf: CsrfTokens,
    pub(crate) snapshots: Arc<SnapshotCell>,
    pub(crate) settings: Settings,
    /// Held by the one unit of work that changes designs, from its first read until its change is live.
    pub(crate) gate: Arc<Mutex<()>>,
    /// Held while a committed map or the keys are read and put into the snapshot, so that an older state
    /// never replaces a newer one.
    pub(crate) publishing: Mutex<()>,
    /// Debug sessions; the gateway of this process holds the same.
    pub(crate) traces: Arc<TraceSessions>,
    /// For listeners that show certificates of theirs.
    pub(crate) key_stores: LiveKeyStores,
}

impl Management {
    /// A service over `store`. Nothing runs before [`Management::start`].
    pub fn new(
        store: Store,
        vault: Arc<Vault>,
        clock: SharedClock,
        rng: SharedRng,
        authenticator: SharedAuthenticator,
        snapshots: Arc<SnapshotCell>,
        settings: Settings,
    ) -> Self {
        let csrf = CsrfTokens::new(vault.lookup().clone());
        let (gate, publishing) = (Arc::default(), Mutex::default());
        Self(Arc::new(Parts {
            store,
            vault,
            clock,
            rng,
            authenticator,
            csrf,
            snapshots,
            settings,
            gate,
            publishing,
            traces: Arc::default(),
            key_stores: LiveKeyStores::default(),
        }))
    }

    /// Loads everything that is deployed and makes the first snapshot. A proxy that does not compile any
    /// more is left out and logged; the others serve.
    pub async fn start(&self) -> Result<(), StartFailure> {
        self.0.load().await
    }

    /// The debug sessions, for the gateway that records them.
    pub fn traces(&self) -> Arc<TraceSessions> {
        Arc::clone(&self.0.traces)
    }

    /// The environment's key stores as they are committed, for listeners.
    pub fn key_stores(&self) -> LiveKeyStores {
        self.0.key_stores.clone()
    }

    /// The port through which policies write key value maps at run time.
    pub fn kvm_writer(&self) -> Arc<dyn KvmWriter> {
        Arc::new(Writer(self.clone()))
    }

    /// The port through which policies issue and look up OAuth 2.0 tokens. It watches, on the runtime that calls
    /// this, for what other nodes change.
    pub fn tokens(&self) -> Arc<dyn Tokens> {
        Keeper::start(self)
    }

    /// Quota counters that all nodes have together; `None` where the database is this node's alone.
    pub fn shared_counters(&self) -> Option<Arc<dyn SharedCounters>> {
        self.0.store.may_be_shared().then(|| Arc::new(Counters::new(self)) as Arc<dyn SharedCounters>)
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }
}

impl fmt::Debug for Management {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Management").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}
