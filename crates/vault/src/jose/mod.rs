//! JOSE: signed and encrypted tokens in compact form (RFC 7515, 7516, 7518), and the keys they need in PEM,
//! JWK and certificates.
//!
//! No text of an error holds a key or a token; comparisons of secrets take constant time; `Debug` of a key
//! shows its kind only. What may be believed of a token is the caller's business: nothing here looks at claims.

mod algorithm;
mod compact;
mod content;
pub mod der;
mod ecdh;
mod encryption;
mod jwk;
mod key;
mod key_wrap;
pub(crate) mod pem;
pub(crate) mod pkcs;
mod rsa_oaep;
mod signature;

pub use algorithm::{ContentAlgorithm, KeyAlgorithm, KeyKind, SignatureAlgorithm};
pub use compact::{Encrypted, Header, Signed};
pub use encryption::{MAX_ITERATIONS, decrypt, encrypt};
pub use jwk::{JwkSet, WebKey};
pub use key::{Curve, Key, PrivateKey, PublicKey};
pub use signature::{sign, sign_compact, sign_rsa_sha1, verify, verify_rsa_sha1};

/// Why a token or a key is not used. The texts hold neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// The text is no key in a form that is read here.
    #[error("the key cannot be read: {0}")]
    BadKey(&'static str),
    /// The key is of another kind than the algorithm needs.
    #[error("the key is of another type than the algorithm needs")]
    WrongKeyType,
    /// The key is on another curve than the algorithm needs.
    #[error("the key is on another curve than the algorithm needs")]
    WrongCurve,
    /// The key is too short for the algorithm.
    #[error("the key is too short for the algorithm")]
    ShortKey,
    /// The token is not a compact JWS or JWE.
    #[error("the token is malformed")]
    Malformed,
    /// The signature does not belong to the token and the key.
    #[error("the signature does not verify")]
    BadSignature,
    /// The signature could not be made.
    #[error("the token cannot be signed with this key")]
    CannotSign,
    /// The token could not be encrypted.
    #[error("the token cannot be encrypted with this key")]
    CannotEncrypt,
    /// The token does not open with the key, or was changed.
    #[error("the token does not decrypt")]
    DoesNotDecrypt,
    /// A password-based token asks for too few or too many rounds.
    #[error("the iteration count is outside of what is allowed")]
    Iterations,
    /// The salt of a password-based token is shorter than 8 bytes.
    #[error("the salt is too short")]
    ShortSalt,
}

#[cfg(test)]
mod tests;
