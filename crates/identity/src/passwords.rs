//! People's passwords, hashed and checked off the request threads, a few at a time.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pierhead_domain::{SecretString, SharedRng};
use pierhead_vault::{VaultError, hash_password, verify_password};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::IdentityProblem;

/// How long a check waits for its turn before the server says that it is busy.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    rng: SharedRng,
    /// Checked for names that nobody has, so that they take as long as those that somebody has.
    nobodys: Arc<OnceLock<String>>,
}

/// The right to one hashing.
pub(crate) struct Turn(OwnedSemaphorePermit);

impl Passwords {
    pub(crate) fn new(at_once: usize, rng: SharedRng) -> Self {
        Self { turns: Arc::new(Semaphore::new(at_once.max(1))), rng, nobodys: Arc::default() }
    }

    /// Waits for a turn. What is decided while holding it, is decided by at most a few at once.
    pub(crate) async fn turn(&self) -> Result<Turn, IdentityProblem> {
        match tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Turn(permit)),
            _ => Err(IdentityProblem::Busy),
        }
    }

    /// The stored form of a password.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<String, IdentityProblem> {
        let turn = self.turn().await?;
        let rng = Arc::clone(&self.rng);
        off_thread(turn, move || hash_password(&password, rng.as_ref())).await?
    }

    /// Whether `password` is the one behind `stored`; with `None` the same work for nothing.
    pub(crate) async fn verify(
        &self,
        turn: Turn,
        password: SecretString,
        stored: Option<String>,
    ) -> Result<bool, IdentityProblem> {
        let (rng, nobodys) = (Arc::clone(&self.rng), Arc::clone(&self.nobodys));
        off_thread(turn, move || match stored {
            Some(stored) => Ok(verify_password(&password, &stored)),
            None => {
                let unknown = nobodys.get_or_init(|| {
                    hash_password(&SecretString::new("nobody's"), rng.as_ref()).unwrap_or_default()
                });
                verify_password(&password, unknown);
                Ok(false)
            }
        })
        .await?
    }
}

/// Runs slow work on a thread for such; a panic in there becomes an error here.
async fn off_thread<T: Send + 'static>(
    turn: Turn,
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<Result<T, IdentityProblem>, IdentityProblem> {
    let done = tokio::task::spawn_blocking(move || {
        let result = work();
        drop(turn.0);
        result
    });
    match done.await {
        Ok(result) => Ok(result.map_err(IdentityProblem::from)),
        Err(_) => Err(IdentityProblem::Vault(VaultError::Password)),
    }
}
