//! Paths with slashes between their parts.

use serde_json::Value;

use super::string;

/// The last part: `/a/b.txt` gives `b.txt`, `/` gives the empty string.
pub(super) fn basename(input: &Value, _: &[Value]) -> Result<Value, String> {
    let path = string(input)?.trim_end_matches('/');
    Ok(path.rsplit('/').next().unwrap_or_default().into())
}

/// What the last part lies in: `/a/b.txt` gives `/a`, `/a` gives `/`.
pub(super) fn dirname(input: &Value, _: &[Value]) -> Result<Value, String> {
    let path = string(input)?.trim_end_matches('/');
    let parent = path.rfind('/').map_or("", |at| &path[..at]);
    Ok(if parent.is_empty() { "/" } else { parent }.into())
}

/// The input and the argument with exactly one slash between them.
pub(super) fn join(input: &Value, arguments: &[Value]) -> Result<Value, String> {
    let (parent, name) = (string(input)?, string(&arguments[0])?);
    Ok(format!("{}/{}", parent.trim_end_matches('/'), name.trim_start_matches('/')).into())
}

/// What follows the last dot of the last part, without the dot; null when there is none.
pub(super) fn extension(input: &Value, _: &[Value]) -> Result<Value, String> {
    let name = string(input)?.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    Ok(match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && !extension.is_empty() => extension.into(),
        _ => Value::Null,
    })
}

/// The decoded path of a URL or of a reference without a host: `http://h/a%20b?x` gives `/a b`.
pub(super) fn href_path(input: &Value, _: &[Value]) -> Result<Value, String> {
    let href = string(input)?;
    let href = match href.split_once("://") {
        Some((_, behind)) => behind.find('/').map_or("/", |at| &behind[at..]),
        None => href,
    };
    let path = href.split(['?', '#']).next().unwrap_or_default();
    Ok(percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned().into())
}
