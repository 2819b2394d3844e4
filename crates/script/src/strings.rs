//! How values look inside text.

use serde_json::Value;

/// Appends `value` as text: strings as they are, everything else as JSON.
pub(crate) fn push(text: &mut String, value: &Value) {
    match value {
        Value::String(string) => text.push_str(string),
        other => text.push_str(&other.to_string()),
    }
}

/// `value` as text, as [`push`] writes it.
pub(crate) fn of(value: &Value) -> String {
    let mut text = String::new();
    push(&mut text, value);
    text
}
