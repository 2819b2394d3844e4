//! The vault of one installation: seals and opens values, hashes secrets for look-up.

use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use pierhead_domain::{OrganizationId, SecretString, SharedRng};
use zeroize::Zeroizing;

use crate::aead::{self, Key};
use crate::{KeyRing, LookupHash, LookupKey};

const VERSION: u8 = 1;

/// A sealed value as stored: version, length and id of the data key, nonce, ciphertext.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// The bytes, as stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, as stored.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// From the store.
    pub fn from_stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// A data key as stored: wrapped by the key ring. `organization` is `None` for the installation's own key,
/// from which look-up hashes are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Unique text.
    pub id: String,
    /// Whose values it seals.
    pub organization: Option<OrganizationId>,
    /// Id of the wrapping key in the ring.
    pub ring_key: String,
    /// The wrapped bytes.
    pub wrapped: Vec<u8>,
}

/// What can go wrong in the vault. None of the texts holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The ring does not hold the key that wrapped this data key: the wrong key file.
    #[error(
        "the key file does not belong to this database: data key {0} was wrapped with a key that the file does not hold; use the key file that was made with this database"
    )]
    WrongKeyFile(String),
    /// No data key was installed for this organization.
    #[error("organization {0} has no data key")]
    NoDataKey(OrganizationId),
    /// The value was changed, moved to another place, or sealed by another installation.
    #[error("a sealed value ({0}) does not open")]
    DoesNotOpen(String),
    /// A password could not be hashed.
    #[error("a password could not be hashed")]
    Password,
}

struct DataKey {
    id: String,
    key: Key,
}

/// Seals with the newest data key of an organization and opens with any of them. Shared by reference.
pub struct Vault {
    ring: KeyRing,
    rng: SharedRng,
    data_keys: RwLock<HashMap<OrganizationId, Vec<DataKey>>>,
    lookup: LookupKey,
}

impl Vault {
    /// A vault over `ring`. `installation` is the installation's own wrapped key (`organization` is `None`).
    pub fn open(ring: KeyRing, installation: &WrappedKey, rng: SharedRng) -> Result<Self, VaultError> {
        let key = unwrap_key(&ring, installation)?;
        Ok(Self { lookup: LookupKey::new(&key), ring, rng, data_keys: RwLock::default() })
    }

    /// Makes and wraps a new key; the caller stores it, then gives it to [`Vault::open`] or
    /// [`Vault::install`].
    pub fn new_key(
        ring: &KeyRing,
        id: String,
        organization: Option<OrganizationId>,
        rng: &SharedRng,
    ) -> Result<WrappedKey, VaultError> {
        let fails = || VaultError::WrongKeyFile(id.clone());
        let (ring_key, wrapping) = ring.current().ok_or_else(fails)?;
        let clear = aead::random_key(rng.as_ref());
        let wrapped = aead::seal(wrapping, &key_context(&id, organization), clear.as_ref(), rng.as_ref())
            .map_err(|_| fails())?;
        Ok(WrappedKey { ring_key: ring_key.into(), organization, wrapped, id })
    }

    /// Makes a data key for a new organization. The caller stores it in the transaction that makes the
    /// organization, and installs it once that is committed.
    pub fn new_data_key(&self, id: String, organization: OrganizationId) -> Result<WrappedKey, VaultError> {
        Self::new_key(&self.ring, id, Some(organization), &self.rng)
    }

    /// Unwraps a stored data key; the one installed last seals new values.
    pub fn install(&self, stored: &WrappedKey) -> Result<(), VaultError> {
        let Some(organization) = stored.organization else { return Ok(()) };
        let key = unwrap_key(&self.ring, stored)?;
        let mut all = self.data_keys.write().unwrap_or_else(PoisonError::into_inner);
        let keys = all.entry(organization).or_default();
        if keys.iter().all(|known| known.id != stored.id) {
            keys.push(DataKey { id: stored.id.clone(), key });
        }
        Ok(())
    }

    /// Seals `clear` for `organization`. `place` names where it will be stored (table, column and row key):
    /// the value opens only with the same place.
    pub fn seal(
        &self,
        organization: OrganizationId,
        place: &str,
        clear: &[u8],
    ) -> Result<Sealed, VaultError> {
        let all = self.data_keys.read().unwrap_or_else(PoisonError::into_inner);
        let newest =
            all.get(&organization).and_then(|keys| keys.last()).ok_or(VaultError::NoDataKey(organization))?;
        let body = aead::seal(&newest.key, &value_context(organization, place), clear, self.rng.as_ref())
            .map_err(|_| VaultError::DoesNotOpen(place.into()))?;
        let id = newest.id.as_bytes();
        let id_length = u8::try_from(id.len()).map_err(|_| VaultError::DoesNotOpen(place.into()))?;
        Ok(Sealed([&[VERSION, id_length], id, &body].concat()))
    }

    /// Opens what [`Vault::seal`] sealed.
    pub fn open_bytes(
        &self,
        organization: OrganizationId,
        place: &str,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let fails = || VaultError::DoesNotOpen(place.into());
        let [VERSION, id_length, rest @ ..] = sealed.0.as_slice() else { return Err(fails()) };
        let (id, body) = rest.split_at_checked(usize::from(*id_length)).ok_or_else(fails)?;
        let all = self.data_keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = all
            .get(&organization)
            .ok_or(VaultError::NoDataKey(organization))?
            .iter()
            .find(|key| key.id.as_bytes() == id)
            .ok_or_else(fails)?;
        aead::open(&key.key, &value_context(organization, place), body).map_err(|_| fails())
    }

    /// Opens a sealed text.
    pub fn open_text(
        &self,
        organization: OrganizationId,
        place: &str,
        sealed: &Sealed,
    ) -> Result<SecretString, VaultError> {
        let bytes = self.open_bytes(organization, place, sealed)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| VaultError::DoesNotOpen(place.into()))?;
        Ok(SecretString::new(text))
    }

    /// Seals a text.
    pub fn seal_text(
        &self,
        organization: OrganizationId,
        place: &str,
        clear: &SecretString,
    ) -> Result<Sealed, VaultError> {
        self.seal(organization, place, clear.expose().as_bytes())
    }

    /// The key of all look-up hashes.
    pub fn lookup(&self) -> &LookupKey {
        &self.lookup
    }

    /// The look-up hash of a machine secret (see [`LookupKey::hash`]).
    pub fn lookup_hash(&self, kind: &str, secret: &str) -> LookupHash {
        self.lookup.hash(kind, secret)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("ring", &self.ring).finish_non_exhaustive()
    }
}

fn unwrap_key(ring: &KeyRing, stored: &WrappedKey) -> Result<Key, VaultError> {
    let wrong = || VaultError::WrongKeyFile(stored.id.clone());
    let wrapping = ring.key(&stored.ring_key).ok_or_else(wrong)?;
    let context = key_context(&stored.id, stored.organization);
    let clear = aead::open(wrapping, &context, &stored.wrapped).map_err(|_| wrong())?;
    let mut key = Zeroizing::new([0; aead::KEY_BYTES]);
    if clear.len() != key.len() {
        return Err(wrong());
    }
    key.copy_from_slice(&clear);
    Ok(key)
}

fn key_context(id: &str, organization: Option<OrganizationId>) -> Vec<u8> {
    format!("pierhead/data-key/{}/{id}", organization.map_or(0, OrganizationId::as_i64)).into_bytes()
}

fn value_context(organization: OrganizationId, place: &str) -> Vec<u8> {
    format!("pierhead/value/{organization}/{place}").into_bytes()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pierhead_domain::SystemRng;

    use super::*;

    const ACME: OrganizationId = OrganizationId::new(1);
    const OTHER: OrganizationId = OrganizationId::new(2);

    fn vault() -> Vault {
        let rng: SharedRng = Arc::new(SystemRng);
        let ring = KeyRing::generate(&SystemRng);
        let own = Vault::new_key(&ring, "own".into(), None, &rng).unwrap();
        let vault = Vault::open(ring, &own, rng).unwrap();
        for organization in [ACME, OTHER] {
            vault.install(&vault.new_data_key(format!("k{organization}"), organization).unwrap()).unwrap();
        }
        vault
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_organization_and_place() {
        let vault = vault();
        let sealed = vault.seal_text(ACME, "kvm/a", &"s3cret".into()).unwrap();
        assert!(!sealed.as_bytes().windows(6).any(|window| window == b"s3cret"));
        assert_eq!(vault.open_text(ACME, "kvm/a", &sealed).unwrap(), "s3cret".into());
        assert!(vault.open_text(ACME, "kvm/b", &sealed).is_err());
        assert!(vault.open_text(OTHER, "kvm/a", &sealed).is_err());
    }

    #[test]
    fn a_changed_value_does_not_open() {
        let vault = vault();
        let sealed = vault.seal(ACME, "p", b"x").unwrap();
        for index in 0..sealed.as_bytes().len() {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[index] ^= 1;
            assert!(vault.open_bytes(ACME, "p", &Sealed::from_stored(bytes)).is_err(), "byte {index}");
            assert!(
                vault
                    .open_bytes(ACME, "p", &Sealed::from_stored(sealed.as_bytes()[..index].to_vec()))
                    .is_err()
            );
        }
    }

    #[test]
    fn values_sealed_before_a_new_data_key_still_open() {
        let vault = vault();
        let old = vault.seal(ACME, "p", b"old").unwrap();
        vault.install(&vault.new_data_key("k9".into(), ACME).unwrap()).unwrap();
        let new = vault.seal(ACME, "p", b"new").unwrap();
        assert_eq!(vault.open_bytes(ACME, "p", &old).unwrap().as_slice(), b"old");
        assert_eq!(vault.open_bytes(ACME, "p", &new).unwrap().as_slice(), b"new");
        assert!(new.as_bytes().windows(2).any(|window| window == b"k9"));
    }

    #[test]
    fn another_key_file_is_refused_and_named() {
        let rng: SharedRng = Arc::new(SystemRng);
        let own = Vault::new_key(&KeyRing::generate(&SystemRng), "own".into(), None, &rng).unwrap();
        let why = Vault::open(KeyRing::generate(&SystemRng), &own, rng).unwrap_err();
        assert_eq!(why, VaultError::WrongKeyFile("own".into()));
    }

    #[test]
    fn one_secret_hashes_differently_per_kind() {
        let vault = vault();
        assert_eq!(vault.lookup_hash("user", "s"), vault.lookup_hash("user", "s"));
        assert_ne!(vault.lookup_hash("user", "s"), vault.lookup_hash("element", "s"));
        assert_eq!(vault.lookup_hash("user", "s").as_str().len(), 64);
    }
}
