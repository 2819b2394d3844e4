//! What is inside PEM: SubjectPublicKeyInfo, certificates, PKCS #1, PKCS #8 and SEC 1.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use aes::{Aes128, Aes192, Aes256};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::JoseError;
use super::der::{Der, OCTET_STRING, OID};
use super::encryption::MAX_ITERATIONS;
use super::key::{Curve, PrivateKey, PublicKey, RsaNumbers, ec_key, ec_point};

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const CURVES: &[(&[u8], Curve)] = &[
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], Curve::P256),
    (&[0x2b, 0x81, 0x04, 0x00, 0x22], Curve::P384),
    (&[0x2b, 0x81, 0x04, 0x00, 0x23], Curve::P521),
];
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
/// Arcs of NIST's AES in CBC mode; the last one is the key's length.
const AES_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01];
/// Arcs of HMAC in PKCS #5; the last one is the digest.
const HMAC_WITH: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02];

const DAMAGED: JoseError = JoseError::BadKey("it is damaged");

/// A SubjectPublicKeyInfo.
pub(crate) fn public_key(bytes: &[u8]) -> Result<PublicKey, JoseError> {
    Der::new(bytes).sequence().ok_or(DAMAGED).and_then(key_info)
}

pub(crate) fn key_info(mut info: Der<'_>) -> Result<PublicKey, JoseError> {
    let mut algorithm = info.sequence().ok_or(DAMAGED)?;
    let key = info.bits().ok_or(DAMAGED)?;
    match algorithm.value(OID) {
        Some(RSA | RSA_PSS) => rsa_public_key(key),
        Some(EC) => ec_point(curve(&mut algorithm)?, key),
        _ => Err(JoseError::BadKey("keys are RSA or EC")),
    }
}

fn curve(algorithm: &mut Der<'_>) -> Result<Curve, JoseError> {
    let oid = algorithm.value(OID).ok_or(DAMAGED)?;
    let found = CURVES.iter().find(|(known, _)| *known == oid);
    found.map(|(_, curve)| *curve).ok_or(JoseError::BadKey("curves are P-256, P-384 and P-521"))
}

/// The key of a certificate. Who signed it and until when it holds is not looked at: it is a container here.
pub(crate) fn certificate_key(bytes: &[u8]) -> Result<PublicKey, JoseError> {
    const VERSION: u8 = 0xa0;
    let found = (|| {
        let mut certificate = Der::new(bytes).sequence()?.sequence()?;
        if certificate.peek() == Some(VERSION) {
            certificate.value(VERSION)?;
        }
        certificate.value(super::der::INTEGER)?;
        for _ in ["algorithm", "issuer", "validity", "subject"] {
            certificate.sequence()?;
        }
        certificate.sequence()
    })();
    found.ok_or(DAMAGED).and_then(key_info)
}

/// PKCS #1.
pub(crate) fn rsa_public_key(bytes: &[u8]) -> Result<PublicKey, JoseError> {
    let mut key = Der::new(bytes).sequence().ok_or(DAMAGED)?;
    match (key.number(), key.number()) {
        (Some(n), Some(e)) if !n.is_empty() && !e.is_empty() => {
            Ok(PublicKey::Rsa { n: n.to_vec(), e: e.to_vec() })
        }
        _ => Err(DAMAGED),
    }
}

/// PKCS #8.
pub(crate) fn private_key(bytes: &[u8]) -> Result<PrivateKey, JoseError> {
    let mut info = Der::new(bytes).sequence().ok_or(DAMAGED)?;
    info.number().ok_or(DAMAGED)?;
    let mut algorithm = info.sequence().ok_or(DAMAGED)?;
    let key = info.value(OCTET_STRING).ok_or(DAMAGED)?;
    match algorithm.value(OID) {
        Some(RSA | RSA_PSS) => rsa_private_key(key),
        Some(EC) => ec_private_key(key, Some(curve(&mut algorithm)?)),
        _ => Err(JoseError::BadKey("keys are RSA or EC")),
    }
}

/// PKCS #1.
pub(crate) fn rsa_private_key(bytes: &[u8]) -> Result<PrivateKey, JoseError> {
    let numbers = (|| {
        let mut key = Der::new(bytes).sequence()?;
        key.number()?;
        Some(RsaNumbers {
            n: key.number()?,
            e: key.number()?,
            d: key.number()?,
            p: key.number()?,
            q: key.number()?,
            dp: key.number()?,
            dq: key.number()?,
            q_inverse: key.number()?,
        })
    })();
    numbers.ok_or(DAMAGED)?.key()
}

/// SEC 1; the curve is inside, or was said outside.
pub(crate) fn ec_private_key(bytes: &[u8], said: Option<Curve>) -> Result<PrivateKey, JoseError> {
    const PARAMETERS: u8 = 0xa0;
    let mut key = Der::new(bytes).sequence().ok_or(DAMAGED)?;
    key.number().ok_or(DAMAGED)?;
    let scalar = key.value(OCTET_STRING).ok_or(DAMAGED)?;
    let inside = match key.peek() {
        Some(PARAMETERS) => {
            let parameters = key.value(PARAMETERS).ok_or(DAMAGED)?;
            Some(curve(&mut Der::new(parameters))?)
        }
        _ => None,
    };
    let curve = said.or(inside).ok_or(JoseError::BadKey("it does not say its curve"))?;
    ec_key(curve, scalar)
}

/// Opens an EncryptedPrivateKeyInfo by PBES2 with PBKDF2 and AES in CBC mode.
pub(crate) fn decrypt(bytes: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, JoseError> {
    const UNKNOWN: JoseError =
        JoseError::BadKey("encrypted keys are read with PBES2, PBKDF2 and AES-CBC only");
    let mut info = Der::new(bytes).sequence().ok_or(DAMAGED)?;
    let mut algorithm = info.sequence().ok_or(DAMAGED)?;
    let sealed = info.value(OCTET_STRING).ok_or(DAMAGED)?;
    if algorithm.value(OID) != Some(PBES2) {
        return Err(UNKNOWN);
    }
    let mut parameters = algorithm.sequence().ok_or(DAMAGED)?;
    let mut derivation = parameters.sequence().ok_or(DAMAGED)?;
    let mut cipher = parameters.sequence().ok_or(DAMAGED)?;
    if derivation.value(OID) != Some(PBKDF2) {
        return Err(UNKNOWN);
    }
    let mut derivation = derivation.sequence().ok_or(DAMAGED)?;
    let salt = derivation.value(OCTET_STRING).ok_or(DAMAGED)?;
    let rounds = derivation.number().ok_or(DAMAGED)?;
    let rounds =
        rounds.iter().try_fold(0_u32, |rounds, byte| rounds.checked_mul(256)?.checked_add((*byte).into()));
    // The key is the operator's own, but a mistake must not stop a thread for minutes.
    let rounds =
        rounds.filter(|rounds| (1..=MAX_ITERATIONS * 20).contains(rounds)).ok_or(JoseError::Iterations)?;
    if derivation.peek() == Some(super::der::INTEGER) {
        derivation.number().ok_or(DAMAGED)?;
    }
    let digest = match derivation.is_empty() {
        true => Some(7),
        false => derivation
            .sequence()
            .and_then(|mut prf| prf.value(OID)?.strip_prefix(HMAC_WITH)?.first().copied()),
    };
    let (length, iv) = (|| {
        let length = match cipher.value(OID)?.strip_prefix(AES_CBC)? {
            [2] => 16,
            [22] => 24,
            [42] => 32,
            _ => return None,
        };
        Some((length, cipher.value(OCTET_STRING)?))
    })()
    .ok_or(UNKNOWN)?;
    let mut key = Zeroizing::new(vec![0; length]);
    match digest {
        Some(7) => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, rounds, &mut key),
        Some(9) => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut key),
        Some(10) => pbkdf2::pbkdf2_hmac::<Sha384>(password, salt, rounds, &mut key),
        Some(11) => pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, rounds, &mut key),
        _ => return Err(UNKNOWN),
    }
    macro_rules! open {
        ($aes:ty) => {
            cbc::Decryptor::<$aes>::new_from_slices(&key, iv)
                .ok()
                .and_then(|cipher| cipher.decrypt_padded_vec::<Pkcs7>(sealed).ok())
        };
    }
    let clear = match length {
        16 => open!(Aes128),
        24 => open!(Aes192),
        _ => open!(Aes256),
    };
    clear.map(Zeroizing::new).ok_or(JoseError::BadKey("the password does not open it"))
}
