//! AES key wrap (RFC 3394) and keys from passwords (RFC 8018, PBKDF2).

use aes::cipher::KeyInit as _;
use aes::{Aes128, Aes192, Aes256};
use aes_kw::AesKw;
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::algorithm::AesSize;

/// Wraps `clear`; `None` when the wrapping key has the wrong length.
pub(super) fn wrap(size: AesSize, key: &[u8], clear: &[u8]) -> Option<Vec<u8>> {
    let mut wrapped = vec![0; clear.len() + 8];
    macro_rules! wrap {
        ($aes:ty) => {
            AesKw::<$aes>::new_from_slice(key).ok()?.wrap_key(clear, &mut wrapped).ok().map(<[u8]>::len)?
        };
    }
    let length = match size {
        AesSize::Bits128 => wrap!(Aes128),
        AesSize::Bits192 => wrap!(Aes192),
        AesSize::Bits256 => wrap!(Aes256),
    };
    wrapped.truncate(length);
    Some(wrapped)
}

/// Unwraps; `None` when it was changed or wrapped with another key.
pub(super) fn unwrap(size: AesSize, key: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut clear = Zeroizing::new(vec![0; wrapped.len().checked_sub(8)?]);
    macro_rules! unwrap {
        ($aes:ty) => {
            AesKw::<$aes>::new_from_slice(key).ok()?.unwrap_key(wrapped, &mut clear).ok().map(<[u8]>::len)?
        };
    }
    let length = match size {
        AesSize::Bits128 => unwrap!(Aes128),
        AesSize::Bits192 => unwrap!(Aes192),
        AesSize::Bits256 => unwrap!(Aes256),
    };
    clear.truncate(length);
    Some(clear)
}

/// The wrapping key of a password; the salt holds the algorithm's name too (RFC 7518 §4.8.1.1).
pub(super) fn of_password(
    size: AesSize,
    algorithm: &str,
    password: &[u8],
    salt: &[u8],
    rounds: u32,
) -> Zeroizing<Vec<u8>> {
    let salt = [algorithm.as_bytes(), &[0], salt].concat();
    let mut key = Zeroizing::new(vec![0; size.bytes()]);
    match size {
        AesSize::Bits128 => pbkdf2::pbkdf2_hmac::<Sha256>(password, &salt, rounds, &mut key),
        AesSize::Bits192 => pbkdf2::pbkdf2_hmac::<Sha384>(password, &salt, rounds, &mut key),
        AesSize::Bits256 => pbkdf2::pbkdf2_hmac::<Sha512>(password, &salt, rounds, &mut key),
    }
    key
}
