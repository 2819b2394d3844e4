//! Names of algorithms (RFC 7518).

use super::key::Curve;

/// How a token is signed: `alg` of a JWS. `none` does not exist here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
}

/// What kind of key an algorithm takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Shared bytes.
    Secret,
    /// RSA.
    Rsa,
    /// A point on a curve and its scalar.
    Ec,
    /// A password.
    Password,
    /// Shared bytes that encrypt the content themselves.
    Direct,
}

impl SignatureAlgorithm {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
    ];

    /// The value of `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
        }
    }

    /// The algorithm of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The kind of key it takes.
    pub const fn key_kind(self) -> KeyKind {
        match self {
            Self::Hs256 | Self::Hs384 | Self::Hs512 => KeyKind::Secret,
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => KeyKind::Rsa,
            Self::Es256 | Self::Es384 | Self::Es512 => KeyKind::Ec,
        }
    }

    /// The curve of an ECDSA key.
    pub const fn curve(self) -> Option<Curve> {
        match self {
            Self::Es256 => Some(Curve::P256),
            Self::Es384 => Some(Curve::P384),
            Self::Es512 => Some(Curve::P521),
            _ => None,
        }
    }
}

/// Bytes of an AES key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum AesSize {
    Bits128,
    Bits192,
    Bits256,
}

impl AesSize {
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Bits128 => 16,
            Self::Bits192 => 24,
            Self::Bits256 => 32,
        }
    }
}

/// How the key of the content is given: `alg` of a JWE. `RSA1_5` does not exist here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// `dir`: the shared key encrypts the content.
    Direct,
    /// RSAES-OAEP with SHA-1.
    RsaOaep,
    /// RSAES-OAEP with SHA-256.
    RsaOaep256,
    /// AES key wrap with 128 bits.
    A128Kw,
    /// AES key wrap with 192 bits.
    A192Kw,
    /// AES key wrap with 256 bits.
    A256Kw,
    /// Key wrap by AES-GCM with 128 bits.
    A128GcmKw,
    /// Key wrap by AES-GCM with 192 bits.
    A192GcmKw,
    /// Key wrap by AES-GCM with 256 bits.
    A256GcmKw,
    /// Password, HMAC-SHA-256, AES key wrap with 128 bits.
    Pbes2Hs256A128Kw,
    /// Password, HMAC-SHA-384, AES key wrap with 192 bits.
    Pbes2Hs384A192Kw,
    /// Password, HMAC-SHA-512, AES key wrap with 256 bits.
    Pbes2Hs512A256Kw,
    /// Ephemeral-static Diffie-Hellman; the agreed key encrypts the content.
    EcdhEs,
    /// Diffie-Hellman, AES key wrap with 128 bits.
    EcdhEsA128Kw,
    /// Diffie-Hellman, AES key wrap with 192 bits.
    EcdhEsA192Kw,
    /// Diffie-Hellman, AES key wrap with 256 bits.
    EcdhEsA256Kw,
}

impl KeyAlgorithm {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Direct,
        Self::RsaOaep,
        Self::RsaOaep256,
        Self::A128Kw,
        Self::A192Kw,
        Self::A256Kw,
        Self::A128GcmKw,
        Self::A192GcmKw,
        Self::A256GcmKw,
        Self::Pbes2Hs256A128Kw,
        Self::Pbes2Hs384A192Kw,
        Self::Pbes2Hs512A256Kw,
        Self::EcdhEs,
        Self::EcdhEsA128Kw,
        Self::EcdhEsA192Kw,
        Self::EcdhEsA256Kw,
    ];

    /// The value of `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "dir",
            Self::RsaOaep => "RSA-OAEP",
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::A128Kw => "A128KW",
            Self::A192Kw => "A192KW",
            Self::A256Kw => "A256KW",
            Self::A128GcmKw => "A128GCMKW",
            Self::A192GcmKw => "A192GCMKW",
            Self::A256GcmKw => "A256GCMKW",
            Self::Pbes2Hs256A128Kw => "PBES2-HS256+A128KW",
            Self::Pbes2Hs384A192Kw => "PBES2-HS384+A192KW",
            Self::Pbes2Hs512A256Kw => "PBES2-HS512+A256KW",
            Self::EcdhEs => "ECDH-ES",
            Self::EcdhEsA128Kw => "ECDH-ES+A128KW",
            Self::EcdhEsA192Kw => "ECDH-ES+A192KW",
            Self::EcdhEsA256Kw => "ECDH-ES+A256KW",
        }
    }

    /// The algorithm of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The kind of key it takes.
    pub const fn key_kind(self) -> KeyKind {
        match self {
            Self::Direct => KeyKind::Direct,
            Self::RsaOaep | Self::RsaOaep256 => KeyKind::Rsa,
            Self::A128Kw
            | Self::A192Kw
            | Self::A256Kw
            | Self::A128GcmKw
            | Self::A192GcmKw
            | Self::A256GcmKw => KeyKind::Secret,
            Self::Pbes2Hs256A128Kw | Self::Pbes2Hs384A192Kw | Self::Pbes2Hs512A256Kw => KeyKind::Password,
            Self::EcdhEs | Self::EcdhEsA128Kw | Self::EcdhEsA192Kw | Self::EcdhEsA256Kw => KeyKind::Ec,
        }
    }

    /// The size of the AES key that wraps; `None` where nothing is wrapped by AES.
    pub(super) const fn aes(self) -> Option<AesSize> {
        match self {
            Self::A128Kw | Self::A128GcmKw | Self::Pbes2Hs256A128Kw | Self::EcdhEsA128Kw => {
                Some(AesSize::Bits128)
            }
            Self::A192Kw | Self::A192GcmKw | Self::Pbes2Hs384A192Kw | Self::EcdhEsA192Kw => {
                Some(AesSize::Bits192)
            }
            Self::A256Kw | Self::A256GcmKw | Self::Pbes2Hs512A256Kw | Self::EcdhEsA256Kw => {
                Some(AesSize::Bits256)
            }
            Self::Direct | Self::RsaOaep | Self::RsaOaep256 | Self::EcdhEs => None,
        }
    }
}

/// How the content is encrypted: `enc` of a JWE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentAlgorithm {
    /// AES-GCM with 128 bits.
    A128Gcm,
    /// AES-GCM with 192 bits.
    A192Gcm,
    /// AES-GCM with 256 bits.
    A256Gcm,
    /// AES-CBC with 128 bits and HMAC-SHA-256.
    A128CbcHs256,
    /// AES-CBC with 192 bits and HMAC-SHA-384.
    A192CbcHs384,
    /// AES-CBC with 256 bits and HMAC-SHA-512.
    A256CbcHs512,
}

impl ContentAlgorithm {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::A128Gcm,
        Self::A192Gcm,
        Self::A256Gcm,
        Self::A128CbcHs256,
        Self::A192CbcHs384,
        Self::A256CbcHs512,
    ];

    /// The value of `enc`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A192Gcm => "A192GCM",
            Self::A256Gcm => "A256GCM",
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A192CbcHs384 => "A192CBC-HS384",
            Self::A256CbcHs512 => "A256CBC-HS512",
        }
    }

    /// The algorithm of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The length of its key in bytes.
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A192Gcm => 24,
            Self::A256Gcm | Self::A128CbcHs256 => 32,
            Self::A192CbcHs384 => 48,
            Self::A256CbcHs512 => 64,
        }
    }
}
