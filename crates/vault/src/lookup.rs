//! Keyed hashes by which machine secrets are found without being stored in clear.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::aead::Key;

/// HMAC-SHA256 of a kind and a secret, in 64 lower-case hex digits. High-entropy secrets need no slow hash
/// (design §5); the key makes a stolen database useless for guessing the others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LookupHash(String);

impl LookupHash {
    /// The 64 digits, as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From the store.
    pub fn from_stored(digits: String) -> Self {
        Self(digits)
    }
}

impl fmt::Display for LookupHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key of all look-up hashes of an installation. Cheap to clone; may be handed to hot paths.
#[derive(Clone)]
pub struct LookupKey(Hmac<Sha256>);

impl LookupKey {
    pub(crate) fn new(key: &Key) -> Self {
        // The one error of `new_from_slice` does not exist for HMAC: every key length is allowed.
        Self(<Hmac<Sha256> as KeyInit>::new_from_slice(key.as_ref()).unwrap_or_else(|_| unreachable!()))
    }

    /// The raw hash of `secret` as a `kind` (`"user"`, `"element"`, …: one secret hashes differently per kind).
    pub fn digest(&self, kind: &str, secret: &str) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(secret.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The same as stored text.
    pub fn hash(&self, kind: &str, secret: &str) -> LookupHash {
        LookupHash(hex::encode(self.digest(kind, secret)))
    }
}

impl fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupKey(***)")
    }
}
