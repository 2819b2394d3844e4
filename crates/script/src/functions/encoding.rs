//! Encodings and digests of text.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::string;
use crate::template::RESERVED;

pub(super) fn base64(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(STANDARD.encode(string(input)?).into())
}

pub(super) fn base64_decode(input: &Value, _: &[Value]) -> Result<Value, String> {
    decoded(STANDARD.decode(string(input)?))
}

pub(super) fn base64url(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(URL_SAFE_NO_PAD.encode(string(input)?).into())
}

pub(super) fn base64url_decode(input: &Value, _: &[Value]) -> Result<Value, String> {
    decoded(URL_SAFE_NO_PAD.decode(string(input)?.trim_end_matches('=')))
}

pub(super) fn url_encode(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(utf8_percent_encode(string(input)?, RESERVED).to_string().into())
}

/// Percent-encodes each segment and keeps the slashes between them.
pub(super) fn url_path(input: &Value, _: &[Value]) -> Result<Value, String> {
    let segments = string(input)?.split('/');
    let encoded: Vec<String> = segments.map(|part| utf8_percent_encode(part, RESERVED).to_string()).collect();
    Ok(encoded.join("/").into())
}

pub(super) fn url_decode(input: &Value, _: &[Value]) -> Result<Value, String> {
    let decoded = percent_decode_str(string(input)?).decode_utf8();
    decoded.map(|text| text.into_owned().into()).map_err(|_| "the text is not UTF-8".to_owned())
}

/// SHA-256 of the UTF-8 bytes, 64 lower-case hexadecimal digits.
pub(super) fn sha256(input: &Value, _: &[Value]) -> Result<Value, String> {
    let digest = Sha256::digest(string(input)?.as_bytes());
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
}

pub(super) fn to_json(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(input.to_string().into())
}

pub(super) fn from_json(input: &Value, _: &[Value]) -> Result<Value, String> {
    serde_json::from_str(string(input)?).map_err(|_| "the text is not JSON".to_owned())
}

fn decoded(bytes: Result<Vec<u8>, base64::DecodeError>) -> Result<Value, String> {
    let bytes = bytes.map_err(|_| "the text is not base64".to_owned())?;
    String::from_utf8(bytes).map(Value::from).map_err(|_| "the decoded bytes are not UTF-8".to_owned())
}
