//! Diffie-Hellman with an ephemeral key, and the key that is derived from it (RFC 7518 §4.6).

use pierhead_domain::Rng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::JoseError;
use super::key::{Curve, PrivateKey, PublicKey, ec_key};

/// A new key on `curve`.
pub(super) fn ephemeral(curve: Curve, rng: &dyn Rng) -> Result<PrivateKey, JoseError> {
    // A random number is a scalar nearly always; P-521 has one bit in its first byte.
    for _ in 0..64 {
        let mut bytes = Zeroizing::new(vec![0; curve.bytes()]);
        rng.fill(&mut bytes);
        if curve == Curve::P521 {
            bytes[0] &= 1;
        }
        if let Ok(key) = ec_key(curve, &bytes) {
            return Ok(key);
        }
    }
    Err(JoseError::CannotEncrypt)
}

/// The agreed secret: the x coordinate.
pub(super) fn agree(private: &PrivateKey, public: &PublicKey) -> Result<Zeroizing<Vec<u8>>, JoseError> {
    let (PrivateKey::Ec { curve, scalar, .. }, PublicKey::Ec { curve: other, point }) = (private, public)
    else {
        return Err(JoseError::WrongKeyType);
    };
    if curve != other {
        return Err(JoseError::WrongCurve);
    }
    let bad = |_| JoseError::BadKey("it is not on its curve");
    macro_rules! agree {
        ($curve:ident) => {{
            let secret = $curve::SecretKey::from_slice(scalar).map_err(bad)?;
            let public = $curve::PublicKey::from_sec1_bytes(point).map_err(bad)?;
            secret.diffie_hellman(&public).raw_secret_bytes().to_vec()
        }};
    }
    Ok(Zeroizing::new(match curve {
        Curve::P256 => agree!(p256),
        Curve::P384 => agree!(p384),
        Curve::P521 => agree!(p521),
    }))
}

/// Concat KDF with SHA-256: `length` bytes for the algorithm of this name.
pub(super) fn derive(
    secret: &[u8],
    algorithm: &str,
    from: &[u8],
    to: &[u8],
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let counted = |digest: Sha256, part: &[u8]| {
        digest.chain_update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes()).chain_update(part)
    };
    let mut key = Zeroizing::new(Vec::with_capacity(length + 32));
    for round in 1_u32.. {
        if key.len() >= length {
            break;
        }
        let digest = Sha256::new().chain_update(round.to_be_bytes()).chain_update(secret);
        let digest = counted(counted(counted(digest, algorithm.as_bytes()), from), to);
        let bits = u32::try_from(length * 8).unwrap_or(u32::MAX);
        key.extend_from_slice(&digest.chain_update(bits.to_be_bytes()).finalize());
    }
    key.truncate(length);
    key
}
