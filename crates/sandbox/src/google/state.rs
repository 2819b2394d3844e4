//! What the double knows, and how its parts reach it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pierhead_domain::{EpochMillis, SharedClock, SharedRng};

use super::drive::blob::BlobStore;
use super::drive::listing::Listings;
use super::drive::samples;
use super::drive::tree::Tree;
use super::drive::upload::Sessions;
use super::faults::Faults;
use super::journal::Journal;
use super::oauth::OAuth;
use super::options::{GoogleDriveOptions, default_users};

/// The double's state. Locks are held for moments and never over I/O, but for full-text search, which looks
/// into contents while it holds the tree.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) options: GoogleDriveOptions,
    pub(crate) clock: SharedClock,
    pub(crate) rng: SharedRng,
    pub(crate) blobs: BlobStore,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) sessions: Sessions,
    pub(crate) listings: Listings,
    oauth: Mutex<OAuth>,
    tree: Mutex<Tree>,
}

pub(crate) type Shared = Arc<App>;

impl App {
    pub(crate) fn new(
        mut options: GoogleDriveOptions,
        clock: SharedClock,
        rng: SharedRng,
    ) -> io::Result<Self> {
        if options.users.is_empty() {
            options.users = default_users();
        }
        let app = Self {
            blobs: BlobStore::new()?,
            journal: Journal::new(options.journal_capacity),
            faults: Faults::default(),
            sessions: Sessions::default(),
            listings: Listings::default(),
            oauth: Mutex::default(),
            tree: Mutex::new(Tree::new(&options.users, clock.now(), &rng)),
            options,
            clock,
            rng,
        };
        app.add_samples()?;
        Ok(app)
    }

    /// Forgets every grant, file, fault and request, as if just started.
    pub(crate) fn reset(&self) -> io::Result<()> {
        *self.oauth() = OAuth::default();
        *self.tree() = Tree::new(&self.options.users, self.now(), &self.rng);
        self.faults.clear();
        self.sessions.clear();
        self.listings.clear();
        self.journal.clear();
        self.add_samples()
    }

    fn add_samples(&self) -> io::Result<()> {
        if self.options.samples { samples::plant(self) } else { Ok(()) }
    }

    pub(crate) fn now(&self) -> EpochMillis {
        self.clock.now()
    }

    pub(crate) fn oauth(&self) -> MutexGuard<'_, OAuth> {
        self.oauth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An unguessable text of `bytes` random bytes after `prefix`, URL-safe.
    pub(crate) fn token(&self, prefix: &str, bytes: usize) -> String {
        random_text(&self.rng, prefix, bytes)
    }
}

pub(crate) fn random_text(rng: &SharedRng, prefix: &str, bytes: usize) -> String {
    let mut random = vec![0u8; bytes];
    rng.fill(&mut random);
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random))
}
