//! The last good snapshot beside the database, sealed, so that a node starts without it (decision 067).
//!
//! What is kept is the committed rows, not compiled parts: the program that reads them compiles them as it does those
//! of the database. A change appends its part; a file that has grown much is written anew.

mod journal;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ahash::AHashMap;
use pierhead_domain::{EpochMillis, OrganizationId};
use pierhead_store::keys::StoredKey;
use pierhead_vault::{Sealed, Vault, WrappedKey};
use serde::{Deserialize, Serialize};
use tokio::task::JoinError;

use self::journal::{Journal, Record};
use crate::live::{Committed, LivePart};
use crate::management::Parts;

/// What the file is called in its folder.
const NAME: &str = "last-good";
/// Of the layout of the file and of what is in it; a file of another number is not read.
const FORMAT: u32 = 1;
const MAGIC: &str = "pierhead last good snapshot";

/// Why a last good snapshot cannot be used. None of the texts holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum BadLastGood {
    /// There is none.
    #[error("there is no last good snapshot at {0}")]
    Missing(PathBuf),
    /// None is kept here.
    #[error("no last good snapshot is kept")]
    NotKept,
    /// The file cannot be read.
    #[error("{path} cannot be read: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("{0} is no last good snapshot")]
    NotOne(PathBuf),
    /// Another version of the program wrote it.
    #[error(
        "{path} is of format {found}, and this program reads format {FORMAT}: it is written anew once the database answers"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// The number in it.
        found: u32,
    },
    /// It was sealed with other keys, for another organization, or was changed since.
    #[error(
        "{0} does not open: the key file is not the one that it was sealed with, or the file was changed"
    )]
    DoesNotOpen(PathBuf),
}

/// A last good snapshot that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastGoodReport {
    /// When it was written whole; changes since then follow in it.
    pub written: EpochMillis,
    /// How many parts it holds: proxies, shared flows, key value maps and the like.
    pub parts: usize,
}

/// The file of a last good snapshot.
#[derive(Debug, Clone)]
pub struct LastGoodFile(PathBuf);

/// The second line of the file, in clear text: what is needed to open the rest with the key file.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    organization: i64,
    written_ms: i64,
    /// Data keys, wrapped.
    keys: Vec<StoredKey>,
}

impl LastGoodFile {
    /// The file in the data directory of a node.
    pub fn in_folder(folder: &Path) -> Self {
        Self(folder.join(NAME))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The wrapped data keys that it was sealed with.
    ///
    /// # Errors
    /// It is not there, cannot be read, or is of another format.
    pub fn keys(&self) -> Result<Vec<StoredKey>, BadLastGood> {
        Ok(Journal::open(&self.0)?.0.keys)
    }

    /// Opens all of it and serves nothing.
    ///
    /// # Errors
    /// Whatever would keep a node from starting with it.
    pub fn examine(
        &self,
        vault: &Vault,
        organization: OrganizationId,
    ) -> Result<LastGoodReport, BadLastGood> {
        let (header, records) = Journal::open(&self.0)?;
        let parts = self.unseal(vault, organization, &header, &records)?.len();
        Ok(LastGoodReport { written: EpochMillis::new(header.written_ms), parts })
    }

    /// What is in the records, the latest of each part.
    fn unseal(
        &self,
        vault: &Vault,
        organization: OrganizationId,
        header: &Header,
        records: &[Record],
    ) -> Result<Vec<Committed>, BadLastGood> {
        let fails = || BadLastGood::DoesNotOpen(self.0.clone());
        if header.organization != organization.as_i64() {
            return Err(fails());
        }
        let mut latest: AHashMap<&str, &Record> = AHashMap::new();
        for record in records {
            latest.insert(&record.part, record);
        }
        let mut all = Vec::with_capacity(latest.len());
        for record in records.iter().filter(|record| std::ptr::eq(latest[&*record.part], *record)) {
            let sealed = Sealed::from_stored(record.sealed.clone());
            let clear = vault.open_bytes(organization, &place(&record.part), &sealed).map_err(|_| fails())?;
            let committed: Committed = serde_json::from_slice(&clear).map_err(|_| fails())?;
            if !committed.is_gone() {
                all.push(committed);
            }
        }
        Ok(all)
    }
}

/// Where a part is sealed for.
fn place(part: &str) -> String {
    format!("last_good/{part}")
}

/// What is kept, and what is still to be written.
pub(crate) struct LastGood {
    file: Option<LastGoodFile>,
    vault: Arc<Vault>,
    organization: OrganizationId,
    /// `None` until all of it was written by this process.
    journal: tokio::sync::Mutex<Option<Journal>>,
    /// The latest state of each part that was not written yet.
    changed: Mutex<AHashMap<LivePart, Committed>>,
}

impl LastGood {
    pub(crate) fn new(file: Option<LastGoodFile>, vault: Arc<Vault>, organization: OrganizationId) -> Self {
        Self { file, vault, organization, journal: tokio::sync::Mutex::default(), changed: Mutex::default() }
    }

    /// What a node without its database serves.
    pub(crate) fn read(&self) -> Result<Vec<Committed>, BadLastGood> {
        let file = self.file.as_ref().ok_or(BadLastGood::NotKept)?;
        let (header, records) = Journal::open(&file.0)?;
        let all = file.unseal(&self.vault, self.organization, &header, &records)?;
        let (at, parts) = (EpochMillis::new(header.written_ms).rfc3339_seconds(), all.len());
        tracing::warn!(parts, "the database is away: serving the last good snapshot, written at {at}");
        Ok(all)
    }

    /// Whether changes cannot be appended, since not all of it was written yet.
    pub(crate) async fn needs_all(&self) -> bool {
        self.file.is_some() && !self.changed().is_empty() && self.journal.lock().await.is_none()
    }

    /// Writes all of it in place of what was kept; the caller holds [`Parts::publishing`]. The old file stays until
    /// the new one is complete.
    pub(crate) async fn replace(&self, all: Vec<Committed>, keys: Vec<StoredKey>, now: EpochMillis) {
        let Some(LastGoodFile(path)) = self.file.clone() else { return };
        let mut journal = self.journal.lock().await;
        self.changed().clear();
        if !keys.iter().any(|key| key.organization == self.organization.as_i64()) {
            // The organization is still to be made: there is nothing to keep, and nothing to seal it with.
            *journal = None;
            return;
        }
        let header = Header { organization: self.organization.as_i64(), written_ms: now.as_i64(), keys };
        let (vault, organization) = (Arc::clone(&self.vault), self.organization);
        let written = tokio::task::spawn_blocking(move || {
            let records = all.iter().map(|one| seal(&vault, organization, one));
            Journal::create(&path, &header, records)
        });
        *journal = noted(written.await);
    }

    /// Remembers what is to be written; the caller holds [`Parts::publishing`].
    pub(crate) fn note(&self, committed: Vec<Committed>) {
        if self.file.is_some() {
            self.changed().extend(committed.into_iter().map(|one| (one.part(), one)));
        }
    }

    /// Appends what changed.
    pub(crate) async fn write_changes(&self) {
        let mut kept = self.journal.lock().await;
        let Some(mut journal) = kept.take() else { return };
        let changed = std::mem::take(&mut *self.changed());
        if changed.is_empty() {
            *kept = Some(journal);
            return;
        }
        let (vault, organization) = (Arc::clone(&self.vault), self.organization);
        let written = tokio::task::spawn_blocking(move || {
            for one in changed.values() {
                journal.append(&seal(&vault, organization, one)?)?;
            }
            journal.tidy()?;
            Ok(journal)
        });
        *kept = noted(written.await);
    }

    fn changed(&self) -> MutexGuard<'_, AHashMap<LivePart, Committed>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// After a failure all of it is written with the next change.
fn noted(written: Result<std::io::Result<Journal>, JoinError>) -> Option<Journal> {
    match written.unwrap_or_else(|stopped| Err(std::io::Error::other(stopped))) {
        Ok(journal) => Some(journal),
        Err(error) => {
            tracing::warn!(%error, "the last good snapshot cannot be written: {error}");
            None
        }
    }
}

fn seal(vault: &Vault, organization: OrganizationId, one: &Committed) -> std::io::Result<Record> {
    let part = serde_json::to_string(&one.part())?;
    let clear = serde_json::to_vec(one)?;
    let sealed = vault.seal(organization, &place(&part), &clear).map_err(std::io::Error::other)?;
    Ok(Record { part, sealed: sealed.into_bytes(), is_gone: one.is_gone() })
}

impl Parts {
    /// Installs data keys that were made while this node did without the database.
    pub(crate) async fn install_data_keys(&self) -> Result<(), crate::live::StartFailure> {
        for key in self.store.data_keys().await? {
            self.vault.install(&WrappedKey {
                organization: (key.organization != 0).then(|| OrganizationId::new(key.organization)),
                id: key.id,
                ring_key: key.ring_key,
                wrapped: key.wrapped,
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
