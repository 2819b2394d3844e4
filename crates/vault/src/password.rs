//! People's passwords: argon2id in PHC strings. Slow on purpose; call it off the request threads.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use pierhead_domain::{Rng, SecretString};

use crate::VaultError;

/// Hashes a password with a new salt. About 20 ms and 19 MiB.
pub fn hash_password(password: &SecretString, rng: &dyn Rng) -> Result<String, VaultError> {
    let mut salt = [0; 16];
    rng.fill(&mut salt);
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(password.expose().as_bytes(), &salt)
        .map_err(|_| VaultError::Password)?;
    Ok(hash.to_string())
}

/// Whether `password` is the one behind `stored`. A stored value that is no PHC string matches nothing.
pub fn verify_password(password: &SecretString, stored: &str) -> bool {
    PasswordHash::new(stored)
        .is_ok_and(|hash| Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use pierhead_domain::SystemRng;

    use super::*;

    #[test]
    fn only_the_right_password_verifies() {
        let stored = hash_password(&"Correct1!".into(), &SystemRng).unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(verify_password(&"Correct1!".into(), &stored));
        assert!(!verify_password(&"correct1!".into(), &stored));
        assert!(!verify_password(&"x".into(), "not a hash"));
    }
}
