//! A private key as a key store holds it.

use std::fmt;

use zeroize::Zeroizing;

use crate::jose::{JoseError, Key, PrivateKey};

/// A private key, both as bytes and ready for signing; wiped on drop.
pub struct KeyPair {
    der: Zeroizing<Vec<u8>>,
    key: Key,
}

impl KeyPair {
    /// Reads DER: PKCS #8, PKCS #1 or SEC 1; RSA of 2048 bits or more, or EC on a curve of NIST's.
    pub fn read_der(der: Vec<u8>) -> Result<Self, JoseError> {
        let der = Zeroizing::new(der);
        let key = Key::Private(PrivateKey::read_der(&der)?);
        Ok(Self { der, key })
    }

    /// As it was read.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// For signing.
    pub const fn key(&self) -> &Key {
        &self.key
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyPair(***)")
    }
}
