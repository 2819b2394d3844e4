//! The management service: one value that everything hangs on.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use pierhead_domain::{SharedClock, SharedRng, time_ordered_id};
use pierhead_gateway::LiveKeyStores;
use pierhead_gateway::ports::{KvmWriter, SharedCounters};
use pierhead_gateway::snapshot::SnapshotCell;
use pierhead_gateway::state::RunState;
use pierhead_gateway::tokens::Tokens;
use pierhead_gateway::trace::TraceSessions;
use pierhead_store::Store;
use pierhead_vault::Vault;
use pierhead_web::SharedAuthenticator;
use pierhead_web::csrf::CsrfTokens;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

use crate::counter_keeper::Counters;
use crate::kvm_writer::Writer;
use crate::last_good::LastGood;
use crate::live::{Following, StartFailure, follow, keep};
use crate::live_environment::Surroundings;
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
    /// Held while what is committed is read and put into the snapshot, so that an older state never replaces a
    /// newer one. Whoever needs it and the gate takes the gate first.
    pub(crate) publishing: Mutex<()>,
    /// What designs are compiled against.
    pub(crate) surroundings: ArcSwap<Surroundings>,
    /// Names this process to the other nodes.
    pub(crate) node: String,
    /// How far the changes of other nodes were followed. Whoever needs it and the gate takes the gate first.
    pub(crate) following: Mutex<Following>,
    /// What is kept beside the database.
    pub(crate) last_good: LastGood,
    pub(crate) compilations: AtomicU64,
    /// Counters and caches of this process's gateway.
    pub(crate) state: OnceLock<Arc<RunState>>,
    /// Ended by [`Management::close`].
    pub(crate) tasks: std::sync::Mutex<Vec<AbortHandle>>,
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
        let node = time_ordered_id(clock.now(), rng.as_ref());
        let last_good = LastGood::new(settings.last_good.clone(), Arc::clone(&vault), settings.organization);
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
            surroundings: ArcSwap::default(),
            node,
            following: Mutex::default(),
            last_good,
            compilations: AtomicU64::new(0),
            state: OnceLock::new(),
            tasks: std::sync::Mutex::default(),
            traces: Arc::default(),
            key_stores: LiveKeyStores::default(),
        }))
    }

    /// Loads everything that is deployed and makes the first snapshot. A proxy that does not compile any
    /// more is left out and logged; the others serve. From then on it follows, on the runtime that calls this, what
    /// other nodes on the same database change.
    pub async fn start(&self) -> Result<(), StartFailure> {
        let _gate = self.0.gate.lock().await;
        self.0.follow().await?;
        self.watch();
        Ok(())
    }

    /// Serves the last good snapshot, since the database is away; once it answers, everything is loaded from it.
    ///
    /// # Errors
    /// There is no last good snapshot, or it cannot be used.
    pub async fn start_from_last_good(&self) -> Result<(), StartFailure> {
        self.0.load_last_good().await?;
        self.watch();
        Ok(())
    }

    /// Brings this node up to date with what others changed. It does so on its own within a second.
    pub async fn catch_up(&self) -> Result<(), StartFailure> {
        let _gate = self.0.gate.lock().await;
        self.0.follow().await
    }

    /// Ends what was begun by starting, and writes what is to be kept beside the database.
    pub async fn close(&self) {
        let tasks = std::mem::take(&mut *self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.iter().for_each(AbortHandle::abort);
        self.0.last_good.write_changes().await;
    }

    /// How many designs this node has compiled: what a start or a change costs.
    pub fn compilations(&self) -> u64 {
        self.0.compilations.load(Ordering::Relaxed)
    }

    fn watch(&self) {
        let follows = tokio::spawn(follow(Arc::downgrade(&self.0)));
        let keeps = tokio::spawn(keep(Arc::downgrade(&self.0)));
        let mut tasks = self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.extend([follows.abort_handle(), keeps.abort_handle()]);
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

    /// Gives the caches of this process's gateway, so that they can be cleared. Only the first ones count.
    pub fn clears_caches_of(&self, state: Arc<RunState>) {
        let _ = self.0.state.set(state);
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
