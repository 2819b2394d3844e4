//! Sealing, keyed look-up hashes, password hashes: the only room that names a cipher.
//!
//! Envelope encryption (design §6): data keys per organization, wrapped by a key ring that lives outside
//! the database. Invariants: clear keys are wiped on drop; nothing here prints a key; the associated data of
//! every sealed value names its organization and its place, so a value copied elsewhere does not open.

mod aead;
pub mod jose;
mod key_pair;
mod key_ring;
mod lookup;
mod password;
mod vault;
mod x509;

pub use key_pair::KeyPair;
pub use key_ring::{KeyFileProblem, KeyRing};
pub use lookup::{LookupHash, LookupKey};
pub use password::{hash_password, verify_password};
pub use vault::{Sealed, Vault, VaultError, WrappedKey};
pub use x509::Certificate;

/// Compares in time that depends on the lengths only.
pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    use subtle::ConstantTimeEq;
    left.ct_eq(right).into()
}
