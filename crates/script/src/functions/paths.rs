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
