//! Signatures and keyed codes of tokens (RFC 7518 §3).

use hmac::{Hmac, KeyInit, Mac};
use p521::ecdsa::signature::{Signer as _, Verifier as _};
use ring::rand::SystemRandom;
use ring::signature::{self as ring_signature, EcdsaKeyPair, UnparsedPublicKey};
use sha1::{Digest as _, Sha1};
use sha2::{Sha256, Sha384, Sha512};

use super::algorithm::SignatureAlgorithm;
use super::compact::{Header, encode};
use super::key::{Curve, Key, PrivateKey, PublicKey, RsaPrivate};
use super::{JoseError, KeyKind};

/// The shortest RSA modulus, in bytes (RFC 7518 §3.3).
const RSA_BYTES: usize = 256;

/// Signs `input`. The randomness that RSA and ECDSA need is ring's own: it takes no other.
pub fn sign(algorithm: SignatureAlgorithm, key: &Key, input: &[u8]) -> Result<Vec<u8>, JoseError> {
    match (algorithm.key_kind(), key) {
        (KeyKind::Secret, Key::Secret(secret)) => code(algorithm, secret, input),
        (KeyKind::Rsa, Key::Private(PrivateKey::Rsa(key))) => sign_rsa(algorithm, key, input),
        (KeyKind::Ec, Key::Private(PrivateKey::Ec { curve, scalar, point })) => {
            if algorithm.curve() != Some(*curve) {
                return Err(JoseError::WrongCurve);
            }
            sign_ec(*curve, scalar, point, input)
        }
        _ => Err(JoseError::WrongKeyType),
    }
}

/// RSASSA-PKCS1-v1_5 with SHA-1, for messages of systems that know nothing better; no token is signed so.
/// ring makes no such signature, so the padding is written here (RFC 8017 §9.2) and the power is that of
/// RSA-OAEP, whose time depends on sizes only. The result is checked: a fault while computing it
/// would give the key away.
pub fn sign_rsa_sha1(key: &PrivateKey, input: &[u8]) -> Result<Vec<u8>, JoseError> {
    const DIGEST_INFO: &[u8] =
        &[0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
    let PrivateKey::Rsa(rsa) = key else { return Err(JoseError::WrongKeyType) };
    let digest = Sha1::digest(input);
    let mut padded = vec![0xff; rsa.n.len()];
    let end = padded.len().checked_sub(DIGEST_INFO.len() + digest.len()).ok_or(JoseError::ShortKey)?;
    padded[..2].copy_from_slice(&[0, 1]);
    padded[end - 1] = 0;
    padded[end..end + DIGEST_INFO.len()].copy_from_slice(DIGEST_INFO);
    padded[end + DIGEST_INFO.len()..].copy_from_slice(&digest);
    let signature = super::rsa_oaep::power(&rsa.n, &rsa.d, &padded).ok_or(JoseError::CannotSign)?;
    verify_rsa_sha1(&key.public(), input, &signature).map_err(|_| JoseError::CannotSign)?;
    Ok(signature)
}

/// Whether `signature` is one of `input`, by RSASSA-PKCS1-v1_5 with SHA-1.
pub fn verify_rsa_sha1(key: &PublicKey, input: &[u8], signature: &[u8]) -> Result<(), JoseError> {
    let PublicKey::Rsa { n, e } = key else { return Err(JoseError::WrongKeyType) };
    if n.len() < RSA_BYTES {
        return Err(JoseError::ShortKey);
    }
    ring_signature::RsaPublicKeyComponents { n, e }
        .verify(&ring_signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, input, signature)
        .map_err(|_| JoseError::BadSignature)
}

/// A whole token in compact form. `header` says `alg`.
pub fn sign_compact(
    algorithm: SignatureAlgorithm,
    key: &Key,
    header: &Header,
    payload: &[u8],
) -> Result<String, JoseError> {
    let header = serde_json::to_vec(header).map_err(|_| JoseError::CannotSign)?;
    let input = format!("{}.{}", encode(&header), encode(payload));
    let signature = sign(algorithm, key, input.as_bytes())?;
    Ok(format!("{input}.{}", encode(&signature)))
}

/// Whether `signature` is one of `input`; in constant time for keyed codes.
pub fn verify(
    algorithm: SignatureAlgorithm,
    key: &Key,
    input: &[u8],
    signature: &[u8],
) -> Result<(), JoseError> {
    if let (KeyKind::Secret, Key::Secret(secret)) = (algorithm.key_kind(), key) {
        let right = code(algorithm, secret, input)?;
        return crate::constant_time_eq(&right, signature).then_some(()).ok_or(JoseError::BadSignature);
    }
    let Key::Public(public) = key else { return Err(JoseError::WrongKeyType) };
    match (algorithm.key_kind(), public) {
        (KeyKind::Rsa, PublicKey::Rsa { n, e }) => {
            if n.len() < RSA_BYTES {
                return Err(JoseError::ShortKey);
            }
            ring_signature::RsaPublicKeyComponents { n, e }
                .verify(rsa_verification(algorithm)?, input, signature)
                .map_err(|_| JoseError::BadSignature)
        }
        (KeyKind::Ec, PublicKey::Ec { curve, point }) => {
            if algorithm.curve() != Some(*curve) {
                return Err(JoseError::WrongCurve);
            }
            verify_ec(*curve, point, input, signature).ok_or(JoseError::BadSignature)
        }
        _ => Err(JoseError::WrongKeyType),
    }
}

fn code(algorithm: SignatureAlgorithm, secret: &[u8], input: &[u8]) -> Result<Vec<u8>, JoseError> {
    macro_rules! code {
        ($digest:ty, $bytes:literal) => {{
            // A key shorter than the digest is easier to find than the code (RFC 7518 §3.2).
            if secret.len() < $bytes {
                return Err(JoseError::ShortKey);
            }
            let mut mac = Hmac::<$digest>::new_from_slice(secret).map_err(|_| JoseError::ShortKey)?;
            mac.update(input);
            Ok(mac.finalize().into_bytes().to_vec())
        }};
    }
    match algorithm {
        SignatureAlgorithm::Hs256 => code!(Sha256, 32),
        SignatureAlgorithm::Hs384 => code!(Sha384, 48),
        SignatureAlgorithm::Hs512 => code!(Sha512, 64),
        _ => Err(JoseError::WrongKeyType),
    }
}

fn sign_rsa(algorithm: SignatureAlgorithm, key: &RsaPrivate, input: &[u8]) -> Result<Vec<u8>, JoseError> {
    let padding: &dyn ring_signature::RsaEncoding = match algorithm {
        SignatureAlgorithm::Rs256 => &ring_signature::RSA_PKCS1_SHA256,
        SignatureAlgorithm::Rs384 => &ring_signature::RSA_PKCS1_SHA384,
        SignatureAlgorithm::Rs512 => &ring_signature::RSA_PKCS1_SHA512,
        SignatureAlgorithm::Ps256 => &ring_signature::RSA_PSS_SHA256,
        SignatureAlgorithm::Ps384 => &ring_signature::RSA_PSS_SHA384,
        SignatureAlgorithm::Ps512 => &ring_signature::RSA_PSS_SHA512,
        _ => return Err(JoseError::WrongKeyType),
    };
    let mut signature = vec![0; key.pair.public().modulus_len()];
    key.pair.sign(padding, &SystemRandom::new(), input, &mut signature).map_err(|_| JoseError::CannotSign)?;
    Ok(signature)
}

fn rsa_verification(
    algorithm: SignatureAlgorithm,
) -> Result<&'static ring_signature::RsaParameters, JoseError> {
    Ok(match algorithm {
        SignatureAlgorithm::Rs256 => &ring_signature::RSA_PKCS1_2048_8192_SHA256,
        SignatureAlgorithm::Rs384 => &ring_signature::RSA_PKCS1_2048_8192_SHA384,
        SignatureAlgorithm::Rs512 => &ring_signature::RSA_PKCS1_2048_8192_SHA512,
        SignatureAlgorithm::Ps256 => &ring_signature::RSA_PSS_2048_8192_SHA256,
        SignatureAlgorithm::Ps384 => &ring_signature::RSA_PSS_2048_8192_SHA384,
        SignatureAlgorithm::Ps512 => &ring_signature::RSA_PSS_2048_8192_SHA512,
        _ => return Err(JoseError::WrongKeyType),
    })
}

fn sign_ec(curve: Curve, scalar: &[u8], point: &[u8], input: &[u8]) -> Result<Vec<u8>, JoseError> {
    let algorithm = match curve {
        Curve::P256 => &ring_signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &ring_signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => {
            let key = p521::ecdsa::SigningKey::from_slice(scalar).map_err(|_| JoseError::CannotSign)?;
            let signature: p521::ecdsa::Signature = key.try_sign(input).map_err(|_| JoseError::CannotSign)?;
            return Ok(signature.to_bytes().to_vec());
        }
    };
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, scalar, point, &random)
        .map_err(|_| JoseError::CannotSign)?;
    let signature = pair.sign(&random, input).map_err(|_| JoseError::CannotSign)?;
    Ok(signature.as_ref().to_vec())
}

fn verify_ec(curve: Curve, point: &[u8], input: &[u8], signature: &[u8]) -> Option<()> {
    let algorithm = match curve {
        Curve::P256 => &ring_signature::ECDSA_P256_SHA256_FIXED,
        Curve::P384 => &ring_signature::ECDSA_P384_SHA384_FIXED,
        Curve::P521 => {
            let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
            let signature = p521::ecdsa::Signature::from_slice(signature).ok()?;
            return key.verify(input, &signature).ok();
        }
    };
    UnparsedPublicKey::new(algorithm, point).verify(input, signature).ok()
}
