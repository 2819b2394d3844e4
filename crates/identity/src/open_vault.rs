//! The vault at start: the key file and the installation's own data key, made on the very first start only.

use std::io::ErrorKind;
use std::path::Path;

use pierhead_domain::{OrganizationId, SharedClock, SharedRng};
use pierhead_store::keys::StoredKey;
use pierhead_store::{Store, StoreError};
use pierhead_vault::{KeyFileProblem, KeyRing, Vault, VaultError, WrappedKey};

/// Id of the installation's own key: fixed, so that of two first starts at once one wins.
const INSTALLATION_KEY: &str = "installation";

/// Why the server must not start.
#[derive(Debug, thiserror::Error)]
pub enum StartProblem {
    /// The key file is missing, damaged or open to others.
    #[error(transparent)]
    KeyFile(#[from] KeyFileProblem),
    /// The key file is not the one of this database.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database failed.
    #[error("the data keys could not be read or written")]
    Store(#[from] StoreError),
    /// The database holds organizations' keys and not the installation's.
    #[error("the database lost the installation's own data key; restore the database from your backup")]
    NoInstallationKey,
}

/// Opens the vault with the key file and all data keys of the database. On the very first start it makes
/// both; a start that was killed in between is continued with the file that it left. When the database holds
/// keys and the file is missing, it refuses: a new file could open nothing.
pub async fn open_vault(
    store: &Store,
    key_file: &Path,
    clock: &SharedClock,
    rng: &SharedRng,
) -> Result<Vault, StartProblem> {
    let mut keys = store.data_keys().await?;
    let ring = if keys.is_empty() { first_ring(key_file, rng)? } else { KeyRing::read(key_file)? };
    if keys.is_empty() {
        add_installation_key(store, &ring, clock, rng).await?;
        keys = store.data_keys().await?;
    }
    open_ring(ring, &keys, rng)
}

/// Opens the vault with the key file and data keys that were kept beside the database, which is away.
pub fn open_vault_without_database(
    keys: &[StoredKey],
    key_file: &Path,
    rng: &SharedRng,
) -> Result<Vault, StartProblem> {
    open_ring(KeyRing::read(key_file)?, keys, rng)
}

fn open_ring(ring: KeyRing, keys: &[StoredKey], rng: &SharedRng) -> Result<Vault, StartProblem> {
    let own = keys.iter().find(|key| key.organization == 0).ok_or(StartProblem::NoInstallationKey)?;
    let vault = Vault::open(ring, &wrapped(own), rng.clone())?;
    for key in keys {
        vault.install(&wrapped(key))?;
    }
    Ok(vault)
}

fn first_ring(key_file: &Path, rng: &SharedRng) -> Result<KeyRing, KeyFileProblem> {
    // A start that was killed between making the file and writing it leaves an empty one; nothing was sealed.
    if std::fs::metadata(key_file).is_ok_and(|file| file.is_file() && file.len() == 0) {
        std::fs::remove_file(key_file).map_err(|source| KeyFileProblem::Io {
            path: key_file.into(),
            doing: "written",
            source,
        })?;
    }
    match KeyRing::read(key_file) {
        Err(KeyFileProblem::Missing(_)) => match KeyRing::create(key_file, rng.as_ref()) {
            // Another process with the same file was faster.
            Err(KeyFileProblem::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {
                KeyRing::read(key_file)
            }
            made => made,
        },
        found => found,
    }
}

async fn add_installation_key(
    store: &Store,
    ring: &KeyRing,
    clock: &SharedClock,
    rng: &SharedRng,
) -> Result<(), StartProblem> {
    let key = Vault::new_key(ring, INSTALLATION_KEY.into(), None, rng)?;
    let tx = store.write().await?;
    let added = tx
        .add_data_key(&StoredKey {
            id: key.id,
            organization: 0,
            ring_key: key.ring_key,
            wrapped: key.wrapped,
            created_ms: clock.now().as_i64(),
        })
        .await;
    match added {
        Ok(()) => Ok(tx.commit().await?),
        // Another process was first; its key counts, if our key file opens it.
        Err(StoreError::Duplicate(_)) => Ok(()),
        Err(why) => Err(why.into()),
    }
}

fn wrapped(stored: &StoredKey) -> WrappedKey {
    WrappedKey {
        id: stored.id.clone(),
        organization: (stored.organization != 0).then(|| OrganizationId::new(stored.organization)),
        ring_key: stored.ring_key.clone(),
        wrapped: stored.wrapped.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pierhead_domain::{EpochMillis, StoppedClock, SystemRng};
    use pierhead_store::on_both_databases;

    use super::*;

    fn world() -> (SharedClock, SharedRng, tempfile::TempDir) {
        (Arc::new(StoppedClock::at(EpochMillis::new(1))), Arc::new(SystemRng), tempfile::tempdir().unwrap())
    }

    on_both_databases! {
        async fn a_second_start_opens_what_the_first_one_made(store: Store) {
            let (clock, rng, folder) = world();
            let file = folder.path().join("pierhead.key");
            let first = open_vault(&store, &file, &clock, &rng).await.unwrap();
            let second = open_vault(&store, &file, &clock, &rng).await.unwrap();
            assert_eq!(first.lookup_hash("k", "s"), second.lookup_hash("k", "s"));
            assert_eq!(store.data_keys().await.unwrap().len(), 1);
        }

        async fn a_lost_key_file_is_refused_and_not_replaced(store: Store) {
            let (clock, rng, folder) = world();
            let file = folder.path().join("pierhead.key");
            open_vault(&store, &file, &clock, &rng).await.unwrap();
            std::fs::remove_file(&file).unwrap();
            let why = open_vault(&store, &file, &clock, &rng).await.unwrap_err();
            assert!(matches!(why, StartProblem::KeyFile(KeyFileProblem::Missing(_))), "{why}");
            assert!(!file.exists());
        }

        async fn another_key_file_is_refused(store: Store) {
            let (clock, rng, folder) = world();
            open_vault(&store, &folder.path().join("a.key"), &clock, &rng).await.unwrap();
            let other = folder.path().join("b.key");
            KeyRing::create(&other, &SystemRng).unwrap();
            let why = open_vault(&store, &other, &clock, &rng).await.unwrap_err();
            assert!(matches!(why, StartProblem::Vault(VaultError::WrongKeyFile(_))), "{why}");
        }

        async fn a_start_killed_before_the_first_row_goes_on_with_its_file(store: Store) {
            let (clock, rng, folder) = world();
            let file = folder.path().join("pierhead.key");
            KeyRing::create(&file, &SystemRng).unwrap();
            let before = std::fs::read(&file).unwrap();
            open_vault(&store, &file, &clock, &rng).await.unwrap();
            assert_eq!(std::fs::read(&file).unwrap(), before);
        }

        async fn a_start_killed_while_making_the_file_makes_it_anew(store: Store) {
            let (clock, rng, folder) = world();
            let file = folder.path().join("pierhead.key");
            std::fs::write(&file, "").unwrap();
            open_vault(&store, &file, &clock, &rng).await.unwrap();
            assert!(std::fs::metadata(&file).unwrap().len() > 0);
        }
    }
}
