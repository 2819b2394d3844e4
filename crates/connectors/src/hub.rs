//! The hub: connector instances, their credentials, and calls through them.

mod background;
mod problem;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pierhead_domain::{SharedClock, SharedRng};
use pierhead_store::Store;
use pierhead_vault::Vault;
use pierhead_web::SharedAuthenticator;

pub(crate) use problem::HubProblem;

use crate::catalogue::Catalogue;
use crate::credentials::{Refresher, RefresherParts};
use crate::driver::Outbound;
use crate::engine::Engine;
use crate::instance::{Directory, InstanceVault};
use crate::links::LinkSigner;
use crate::provision::ConsentBound;

/// What a hub is made of.
#[derive(Clone)]
pub struct HubParts {
    /// Instances and credentials.
    pub store: Store,
    /// Seals them.
    pub vault: Arc<Vault>,
    /// The connectors of this installation.
    pub catalogue: Arc<Catalogue>,
    /// Runs hub calls.
    pub engine: Engine,
    /// Reaches token endpoints; the same guarded client that the engine uses.
    pub outbound: Arc<dyn Outbound>,
    /// Says who is calling.
    pub authenticator: SharedAuthenticator,
    /// Time.
    pub clock: SharedClock,
    /// Randomness, for instance tokens.
    pub rng: SharedRng,
    /// The rest.
    pub settings: HubSettings,
}

/// Settings of a hub.
#[derive(Debug, Clone)]
pub struct HubSettings {
    /// Where clients reach the control listener, without a slash at the end: base of links and icons.
    pub public_url: String,
    /// No instance may reach into this directory, contain it or be it.
    pub data_directory: Option<PathBuf>,
    /// Instances kept in memory.
    pub directory_capacity: usize,
    /// How long a link to a file works.
    pub link_lifetime: Duration,
    /// Most bytes of one streamed body, either way (open-connectors §8.4: 6 GB).
    pub stream_limit: u64,
    /// Longest time of one call and its bodies (open-connectors §8.4: one hour).
    pub stream_time: Duration,
}

impl HubSettings {
    /// The defaults for an installation reached at `public_url`.
    pub fn new(public_url: impl Into<String>) -> Self {
        Self {
            public_url: public_url.into().trim_end_matches('/').to_owned(),
            data_directory: None,
            directory_capacity: 10_000,
            link_lifetime: Duration::from_secs(4 * 3600),
            stream_limit: 6 << 30,
            stream_time: Duration::from_secs(3600),
        }
    }
}

/// The connector hub of this process. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

/// What all clones of a hub share.
pub struct Inner {
    pub(crate) store: Store,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) engine: Engine,
    pub(crate) authenticator: SharedAuthenticator,
    pub(crate) clock: SharedClock,
    pub(crate) rng: SharedRng,
    pub(crate) settings: HubSettings,
    pub(crate) vault: InstanceVault,
    pub(crate) directory: Directory,
    pub(crate) refresher: Refresher,
    pub(crate) links: LinkSigner,
    pub(crate) consents: ConsentBound,
}

impl Hub {
    /// A hub of these parts. It refreshes credentials on demand; [`Hub::background`] does the rest.
    pub fn new(parts: HubParts) -> Self {
        let HubParts { store, vault, catalogue, engine, outbound, authenticator, clock, rng, settings } =
            parts;
        let links = LinkSigner::new(
            vault.lookup().clone(),
            Arc::clone(&clock),
            settings.public_url.clone(),
            settings.link_lifetime,
        );
        let vault = InstanceVault::new(vault);
        let refresher = Refresher::new(RefresherParts {
            store: store.clone(),
            vault: vault.clone(),
            outbound,
            clock: Arc::clone(&clock),
            node: pierhead_domain::time_ordered_id(clock.now(), rng.as_ref()),
        });
        let directory = Directory::new(settings.directory_capacity, vault.clone(), Arc::clone(&catalogue));
        let inner = Inner {
            store,
            catalogue,
            engine,
            authenticator,
            clock,
            rng,
            settings,
            vault,
            directory,
            refresher,
            links,
            consents: ConsentBound::default(),
        };
        Self(Arc::new(inner))
    }
}

impl std::ops::Deref for Hub {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hub")
    }
}
