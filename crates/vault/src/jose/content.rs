//! Encrypting the content (RFC 7518 §5).

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::consts::U12;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{AesGcm, KeyInit as _, Nonce};
use hmac::{Hmac, Mac as _};
use pierhead_domain::Rng;
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::JoseError;
use super::algorithm::{AesSize, ContentAlgorithm};

const GCM_IV: usize = 12;
const CBC_IV: usize = 16;
const TAG: usize = 16;

/// What comes out of encrypting.
pub(super) struct Sealed {
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

/// Encrypts `clear` and authenticates `associated` with it.
pub(super) fn seal(
    algorithm: ContentAlgorithm,
    key: &[u8],
    associated: &[u8],
    clear: &[u8],
    rng: &dyn Rng,
) -> Option<Sealed> {
    if key.len() != algorithm.key_bytes() {
        return None;
    }
    match parts(algorithm) {
        Parts::Gcm(size) => seal_gcm(size, key, associated, clear, rng),
        Parts::Cbc(size) => {
            let (mac_key, key) = key.split_at(key.len() / 2);
            let mut iv = vec![0; CBC_IV];
            rng.fill(&mut iv);
            macro_rules! encrypt {
                ($aes:ty) => {
                    cbc::Encryptor::<$aes>::new_from_slices(key, &iv).ok()?.encrypt_padded_vec::<Pkcs7>(clear)
                };
            }
            let ciphertext = match size {
                AesSize::Bits128 => encrypt!(Aes128),
                AesSize::Bits192 => encrypt!(Aes192),
                AesSize::Bits256 => encrypt!(Aes256),
            };
            let tag = cbc_tag(size, mac_key, associated, &iv, &ciphertext)?;
            Some(Sealed { iv, ciphertext, tag })
        }
    }
}

/// Opens what [`seal`] made. Why it does not open is not told.
pub(super) fn open(
    algorithm: ContentAlgorithm,
    key: &[u8],
    associated: &[u8],
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, JoseError> {
    let opened = || {
        if key.len() != algorithm.key_bytes() {
            return None;
        }
        match parts(algorithm) {
            Parts::Gcm(size) => open_gcm(size, key, associated, sealed),
            Parts::Cbc(size) => {
                let (mac_key, key) = key.split_at(key.len() / 2);
                let tag = cbc_tag(size, mac_key, associated, &sealed.iv, &sealed.ciphertext)?;
                // The padding is looked at only when nobody changed it.
                if !crate::constant_time_eq(&tag, &sealed.tag) {
                    return None;
                }
                macro_rules! decrypt {
                    ($aes:ty) => {
                        cbc::Decryptor::<$aes>::new_from_slices(key, &sealed.iv)
                            .ok()?
                            .decrypt_padded_vec::<Pkcs7>(&sealed.ciphertext)
                            .ok()
                    };
                }
                match size {
                    AesSize::Bits128 => decrypt!(Aes128),
                    AesSize::Bits192 => decrypt!(Aes192),
                    AesSize::Bits256 => decrypt!(Aes256),
                }
            }
        }
    };
    opened().map(Zeroizing::new).ok_or(JoseError::DoesNotDecrypt)
}

enum Parts {
    Gcm(AesSize),
    Cbc(AesSize),
}

const fn parts(algorithm: ContentAlgorithm) -> Parts {
    match algorithm {
        ContentAlgorithm::A128Gcm => Parts::Gcm(AesSize::Bits128),
        ContentAlgorithm::A192Gcm => Parts::Gcm(AesSize::Bits192),
        ContentAlgorithm::A256Gcm => Parts::Gcm(AesSize::Bits256),
        ContentAlgorithm::A128CbcHs256 => Parts::Cbc(AesSize::Bits128),
        ContentAlgorithm::A192CbcHs384 => Parts::Cbc(AesSize::Bits192),
        ContentAlgorithm::A256CbcHs512 => Parts::Cbc(AesSize::Bits256),
    }
}

/// AES-GCM with a new nonce.
pub(super) fn seal_gcm(
    size: AesSize,
    key: &[u8],
    associated: &[u8],
    clear: &[u8],
    rng: &dyn Rng,
) -> Option<Sealed> {
    let mut iv = [0; GCM_IV];
    rng.fill(&mut iv);
    let (nonce, payload) = (Nonce::<U12>::from(iv), Payload { msg: clear, aad: associated });
    macro_rules! seal {
        ($aes:ty) => {
            AesGcm::<$aes, U12>::new_from_slice(key).ok()?.encrypt(&nonce, payload).ok()?
        };
    }
    let mut ciphertext = match size {
        AesSize::Bits128 => seal!(Aes128),
        AesSize::Bits192 => seal!(Aes192),
        AesSize::Bits256 => seal!(Aes256),
    };
    let tag = ciphertext.split_off(ciphertext.len().checked_sub(TAG)?);
    Some(Sealed { iv: iv.to_vec(), ciphertext, tag })
}

pub(super) fn open_gcm(size: AesSize, key: &[u8], associated: &[u8], sealed: &Sealed) -> Option<Vec<u8>> {
    let iv: [u8; GCM_IV] = sealed.iv.as_slice().try_into().ok()?;
    // A shorter tag would be easier to guess.
    if sealed.tag.len() != TAG {
        return None;
    }
    let joined = [sealed.ciphertext.as_slice(), &sealed.tag].concat();
    let (nonce, payload) = (Nonce::<U12>::from(iv), Payload { msg: &joined, aad: associated });
    macro_rules! open {
        ($aes:ty) => {
            AesGcm::<$aes, U12>::new_from_slice(key).ok()?.decrypt(&nonce, payload).ok()
        };
    }
    match size {
        AesSize::Bits128 => open!(Aes128),
        AesSize::Bits192 => open!(Aes192),
        AesSize::Bits256 => open!(Aes256),
    }
}

/// The first half of the code over all parts and the length of what is not encrypted.
fn cbc_tag(size: AesSize, key: &[u8], associated: &[u8], iv: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
    let bits = u64::try_from(associated.len()).ok()?.checked_mul(8)?.to_be_bytes();
    macro_rules! code {
        ($digest:ty) => {{
            let mut mac = <Hmac<$digest> as hmac::KeyInit>::new_from_slice(key).ok()?;
            for part in [associated, iv, ciphertext, &bits] {
                mac.update(part);
            }
            mac.finalize().into_bytes().to_vec()
        }};
    }
    let mut code = match size {
        AesSize::Bits128 => code!(Sha256),
        AesSize::Bits192 => code!(Sha384),
        AesSize::Bits256 => code!(Sha512),
    };
    code.truncate(code.len() / 2);
    Some(code)
}
