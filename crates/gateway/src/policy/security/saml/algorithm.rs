//! Identifiers of algorithms (XML Signature Syntax and Processing, section 6; RFC 9231).

use pierhead_vault::jose::{self, JoseError, Key, PublicKey, SignatureAlgorithm};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// How a signature is made. Those of JOSE are the same but for SHA-1, and for curves: each hash has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    RsaSha1,
    Jose(SignatureAlgorithm),
}

/// How a digest is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Digest {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// Name in policies, identifier, algorithm, digest that goes with it.
const ALGORITHMS: &[(&str, &str, Algorithm, Digest)] = {
    use Algorithm::Jose;
    use SignatureAlgorithm::{Es256, Es384, Es512, Rs256, Rs384, Rs512};
    &[
        ("rsa-sha1", "http://www.w3.org/2000/09/xmldsig#rsa-sha1", Algorithm::RsaSha1, Digest::Sha1),
        ("rsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", Jose(Rs256), Digest::Sha256),
        ("rsa-sha384", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", Jose(Rs384), Digest::Sha384),
        ("rsa-sha512", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", Jose(Rs512), Digest::Sha512),
        ("ecdsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", Jose(Es256), Digest::Sha256),
        ("ecdsa-sha384", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", Jose(Es384), Digest::Sha384),
        ("ecdsa-sha512", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", Jose(Es512), Digest::Sha512),
    ]
};

const DIGESTS: &[(&str, Digest)] = &[
    ("http://www.w3.org/2000/09/xmldsig#sha1", Digest::Sha1),
    ("http://www.w3.org/2001/04/xmlenc#sha256", Digest::Sha256),
    ("http://www.w3.org/2001/04/xmldsig-more#sha384", Digest::Sha384),
    ("http://www.w3.org/2001/04/xmlenc#sha512", Digest::Sha512),
];

impl Algorithm {
    /// By its name in policies, or by its identifier.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let found =
            ALGORITHMS.iter().find(|(known, uri, ..)| known.eq_ignore_ascii_case(name) || *uri == name);
        found.map(|(_, _, algorithm, _)| *algorithm)
    }

    pub(crate) fn identified(uri: &str) -> Option<Self> {
        ALGORITHMS.iter().find(|(_, known, ..)| *known == uri).map(|(_, _, algorithm, _)| *algorithm)
    }

    pub(crate) fn uri(self) -> &'static str {
        ALGORITHMS.iter().find(|(_, _, one, _)| *one == self).map_or("", |(_, uri, ..)| uri)
    }

    /// The digest of what is referred to, of the same strength.
    pub(crate) fn digest(self) -> Digest {
        ALGORITHMS.iter().find(|(_, _, one, _)| *one == self).map_or(Digest::Sha256, |(.., digest)| *digest)
    }

    pub(crate) fn sign(self, key: &Key, input: &[u8]) -> Result<Vec<u8>, JoseError> {
        match (self, key) {
            (Self::Jose(algorithm), key) => jose::sign(algorithm, key, input),
            (Self::RsaSha1, Key::Private(key)) => jose::sign_rsa_sha1(key, input),
            (Self::RsaSha1, _) => Err(JoseError::WrongKeyType),
        }
    }

    pub(crate) fn verify(self, key: &PublicKey, input: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        match self {
            Self::Jose(algorithm) => jose::verify(algorithm, &Key::Public(key.clone()), input, signature),
            Self::RsaSha1 => jose::verify_rsa_sha1(key, input, signature),
        }
    }
}

impl Digest {
    pub(crate) fn identified(uri: &str) -> Option<Self> {
        DIGESTS.iter().find(|(known, _)| *known == uri).map(|(_, digest)| *digest)
    }

    pub(crate) fn uri(self) -> &'static str {
        DIGESTS.iter().find(|(_, one)| *one == self).map_or("", |(uri, _)| uri)
    }

    pub(crate) fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}
