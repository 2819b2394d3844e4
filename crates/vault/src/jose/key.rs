//! Keys, however they were written.

use std::fmt;

use p256::elliptic_curve::sec1::ToSec1Point as _;
use zeroize::Zeroizing;

use super::{JoseError, jwk, pem, pkcs};

/// A curve of NIST's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// `P-256`.
    P256,
    /// `P-384`.
    P384,
    /// `P-521`.
    P521,
}

impl Curve {
    /// Bytes of a coordinate.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.name() == name)
    }
}

/// A key of any kind; wiped on drop.
pub enum Key {
    /// Shared bytes, or the bytes of a password.
    Secret(Zeroizing<Vec<u8>>),
    /// Verifies and encrypts.
    Public(PublicKey),
    /// Signs and decrypts.
    Private(PrivateKey),
}

impl Key {
    /// Shared bytes.
    pub fn secret(bytes: Vec<u8>) -> Self {
        Self::Secret(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret(***)",
            Self::Public(_) => "Public(***)",
            Self::Private(_) => "Private(***)",
        })
    }
}

/// A public key.
#[derive(Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA: modulus and exponent, big-endian, without leading zeros.
    Rsa {
        /// Modulus.
        n: Vec<u8>,
        /// Exponent.
        e: Vec<u8>,
    },
    /// A point, uncompressed (`04 || x || y`).
    Ec {
        /// Its curve.
        curve: Curve,
        /// 1 + 2 × coordinate bytes.
        point: Vec<u8>,
    },
}

impl PublicKey {
    /// Reads PEM (`PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE`, of which only the key is looked at) or a
    /// JWK in JSON.
    pub fn read(text: &str) -> Result<Self, JoseError> {
        if text.trim_start().starts_with('{') {
            return jwk::WebKey::read(text)?.key.public().ok_or(JoseError::WrongKeyType);
        }
        let block = pem::blocks(text).into_iter().next().ok_or(JoseError::BadKey("it is no PEM"))?;
        match block.label {
            "PUBLIC KEY" => pkcs::public_key(&block.bytes),
            "RSA PUBLIC KEY" => pkcs::rsa_public_key(&block.bytes),
            "CERTIFICATE" | "X509 CERTIFICATE" => pkcs::certificate_key(&block.bytes),
            _ => Err(JoseError::BadKey("it is no public key")),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { n, .. } => write!(f, "PublicKey(RSA, {} bits)", n.len() * 8),
            Self::Ec { curve, .. } => write!(f, "PublicKey({})", curve.name()),
        }
    }
}

/// A private key; wiped on drop.
pub enum PrivateKey {
    /// RSA.
    Rsa(Box<RsaPrivate>),
    /// A scalar with its point.
    Ec {
        /// Its curve.
        curve: Curve,
        /// As long as a coordinate.
        scalar: Zeroizing<Vec<u8>>,
        /// The public key, uncompressed.
        point: Vec<u8>,
    },
}

/// The numbers of an RSA key, big-endian, without leading zeros.
pub struct RsaPrivate {
    pub(super) n: Vec<u8>,
    pub(super) e: Vec<u8>,
    pub(super) d: Zeroizing<Vec<u8>>,
    pub(super) pair: ring::rsa::KeyPair,
}

impl PrivateKey {
    /// Reads PEM (`PRIVATE KEY`, `RSA PRIVATE KEY`, `EC PRIVATE KEY`, or `ENCRYPTED PRIVATE KEY` by PBES2
    /// with the password) or a JWK in JSON.
    pub fn read(text: &str, password: Option<&str>) -> Result<Self, JoseError> {
        if text.trim_start().starts_with('{') {
            return match jwk::WebKey::read(text)?.key {
                Key::Private(key) => Ok(key),
                _ => Err(JoseError::WrongKeyType),
            };
        }
        for block in pem::blocks(text) {
            if block.old_encryption && block.label != "ENCRYPTED PRIVATE KEY" {
                return Err(JoseError::BadKey("encrypted keys are read in PKCS #8 form only"));
            }
            match block.label {
                "PRIVATE KEY" => return pkcs::private_key(&block.bytes),
                "RSA PRIVATE KEY" => return pkcs::rsa_private_key(&block.bytes),
                "EC PRIVATE KEY" => return pkcs::ec_private_key(&block.bytes, None),
                "ENCRYPTED PRIVATE KEY" => {
                    let password = password.ok_or(JoseError::BadKey("it needs a password"))?;
                    return pkcs::private_key(&pkcs::decrypt(&block.bytes, password.as_bytes())?);
                }
                // `EC PARAMETERS` stands before some keys.
                _ => {}
            }
        }
        Err(JoseError::BadKey("it is no private key in PEM"))
    }

    /// Reads DER: PKCS #8, PKCS #1 or SEC 1.
    pub fn read_der(bytes: &[u8]) -> Result<Self, JoseError> {
        pkcs::private_key(bytes)
            .or_else(|_| pkcs::rsa_private_key(bytes))
            .or_else(|_| pkcs::ec_private_key(bytes, None))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        match self {
            Self::Rsa(key) => PublicKey::Rsa { n: key.n.clone(), e: key.e.clone() },
            Self::Ec { curve, point, .. } => PublicKey::Ec { curve: *curve, point: point.clone() },
        }
    }
}

impl Key {
    /// The public half of an asymmetric key.
    pub fn public(&self) -> Option<PublicKey> {
        match self {
            Self::Secret(_) => None,
            Self::Public(key) => Some(key.clone()),
            Self::Private(key) => Some(key.public()),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(***)")
    }
}

/// The factors and derived numbers of an RSA key, as its containers hold them.
pub(super) struct RsaNumbers<'a> {
    pub(super) n: &'a [u8],
    pub(super) e: &'a [u8],
    pub(super) d: &'a [u8],
    pub(super) p: &'a [u8],
    pub(super) q: &'a [u8],
    pub(super) dp: &'a [u8],
    pub(super) dq: &'a [u8],
    pub(super) q_inverse: &'a [u8],
}

impl RsaNumbers<'_> {
    /// The key, once the numbers were found to belong together.
    pub(super) fn key(&self) -> Result<PrivateKey, JoseError> {
        let components = ring::rsa::KeyPairComponents {
            public_key: ring::rsa::PublicKeyComponents { n: self.n, e: self.e },
            d: self.d,
            p: self.p,
            q: self.q,
            dP: self.dp,
            dQ: self.dq,
            qInv: self.q_inverse,
        };
        if self.n.len() < 256 {
            return Err(JoseError::ShortKey);
        }
        let pair = ring::rsa::KeyPair::from_components(&components)
            .map_err(|_| JoseError::BadKey("the numbers of the RSA key do not belong together"))?;
        let (n, e) = (self.n.to_vec(), self.e.to_vec());
        Ok(PrivateKey::Rsa(Box::new(RsaPrivate { n, e, d: Zeroizing::new(self.d.to_vec()), pair })))
    }
}

/// The private key of a scalar; its point is computed.
pub(super) fn ec_key(curve: Curve, scalar: &[u8]) -> Result<PrivateKey, JoseError> {
    let zeros = scalar.iter().take_while(|byte| **byte == 0).count();
    let digits = &scalar[zeros..];
    let bad = || JoseError::BadKey("the scalar is not on the curve");
    if digits.len() > curve.bytes() {
        return Err(bad());
    }
    let mut padded = Zeroizing::new(vec![0; curve.bytes()]);
    padded[curve.bytes() - digits.len()..].copy_from_slice(digits);
    let point = match curve {
        Curve::P256 => p256::SecretKey::from_slice(&padded)
            .map_err(|_| bad())?
            .public_key()
            .to_sec1_point(false)
            .as_bytes()
            .to_vec(),
        Curve::P384 => p384::SecretKey::from_slice(&padded)
            .map_err(|_| bad())?
            .public_key()
            .to_sec1_point(false)
            .as_bytes()
            .to_vec(),
        Curve::P521 => p521::SecretKey::from_slice(&padded)
            .map_err(|_| bad())?
            .public_key()
            .to_sec1_point(false)
            .as_bytes()
            .to_vec(),
    };
    Ok(PrivateKey::Ec { curve, scalar: padded, point })
}

/// A point that may be believed: it is on its curve.
pub(super) fn ec_point(curve: Curve, point: &[u8]) -> Result<PublicKey, JoseError> {
    let bad = |_| JoseError::BadKey("the point is not on the curve");
    let point = match curve {
        Curve::P256 => {
            p256::PublicKey::from_sec1_bytes(point).map_err(bad)?.to_sec1_point(false).as_bytes().to_vec()
        }
        Curve::P384 => {
            p384::PublicKey::from_sec1_bytes(point).map_err(bad)?.to_sec1_point(false).as_bytes().to_vec()
        }
        Curve::P521 => {
            p521::PublicKey::from_sec1_bytes(point).map_err(bad)?.to_sec1_point(false).as_bytes().to_vec()
        }
    };
    Ok(PublicKey::Ec { curve, point })
}
