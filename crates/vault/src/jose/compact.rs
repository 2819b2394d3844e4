//! The compact form: parts in base64url with dots between them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::JoseError;

/// The members of a protected header, in their order.
pub type Header = Map<String, Value>;

/// A JWS taken apart; nothing is verified yet. With an empty payload it may be a detached one.
#[derive(Debug, Clone)]
pub struct Signed<'t> {
    /// The protected header.
    pub header: Header,
    /// The payload.
    pub payload: Vec<u8>,
    /// Header and payload as signed.
    pub signing_input: &'t str,
    /// The header as written.
    pub encoded_header: &'t str,
    /// The signature.
    pub signature: Vec<u8>,
}

/// A JWE taken apart; nothing is decrypted yet.
#[derive(Debug, Clone)]
pub struct Encrypted<'t> {
    /// The protected header.
    pub header: Header,
    pub(super) encoded_header: &'t str,
    pub(super) key: Vec<u8>,
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

impl<'t> Signed<'t> {
    /// Takes a token of three parts apart.
    pub fn parse(token: &'t str) -> Result<Self, JoseError> {
        let (signing_input, signature) = token.rsplit_once('.').ok_or(JoseError::Malformed)?;
        let (encoded_header, payload) = signing_input.split_once('.').ok_or(JoseError::Malformed)?;
        Ok(Self {
            header: header(encoded_header)?,
            payload: decode(payload)?,
            signing_input,
            encoded_header,
            signature: decode(signature)?,
        })
    }
}

impl<'t> Encrypted<'t> {
    /// Takes a token of five parts apart.
    pub fn parse(token: &'t str) -> Result<Self, JoseError> {
        let parts: Vec<&str> = token.split('.').collect();
        let [encoded_header, key, iv, ciphertext, tag] = *parts else { return Err(JoseError::Malformed) };
        Ok(Self {
            header: header(encoded_header)?,
            encoded_header,
            key: decode(key)?,
            iv: decode(iv)?,
            ciphertext: decode(ciphertext)?,
            tag: decode(tag)?,
        })
    }
}

fn header(encoded: &str) -> Result<Header, JoseError> {
    match serde_json::from_slice(&decode(encoded)?) {
        Ok(Value::Object(header)) => Ok(header),
        _ => Err(JoseError::Malformed),
    }
}

pub(super) fn decode(part: &str) -> Result<Vec<u8>, JoseError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JoseError::Malformed)
}

pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
