//! XChaCha20-Poly1305 with random 192-bit nonces: `nonce || ciphertext || tag`.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use pierhead_domain::Rng;
use zeroize::Zeroizing;

pub(crate) const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// A symmetric key, wiped on drop.
pub(crate) type Key = Zeroizing<[u8; KEY_BYTES]>;

/// The bytes do not open with this key and this associated data.
#[derive(Debug)]
pub(crate) struct DoesNotOpen;

pub(crate) fn random_key(rng: &dyn Rng) -> Key {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    rng.fill(key.as_mut());
    key
}

/// Seals `clear`; cannot fail for anything that fits in memory.
pub(crate) fn seal(
    key: &Key,
    associated: &[u8],
    clear: &[u8],
    rng: &dyn Rng,
) -> Result<Vec<u8>, DoesNotOpen> {
    let mut nonce = [0; NONCE_BYTES];
    rng.fill(&mut nonce);
    let sealed = XChaCha20Poly1305::new(&(**key).into())
        .encrypt(&XNonce::from(nonce), Payload { msg: clear, aad: associated })
        .map_err(|_| DoesNotOpen)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

pub(crate) fn open(key: &Key, associated: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(DoesNotOpen)?;
    XChaCha20Poly1305::new(&(**key).into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: associated })
        .map(Zeroizing::new)
        .map_err(|_| DoesNotOpen)
}
