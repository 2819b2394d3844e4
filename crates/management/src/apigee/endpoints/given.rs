//! What a JSON body gives, by field; the error names the field and its rule.

use serde_json::Value;

/// A text; none when the field is absent or null.
pub(super) fn text(body: &Value, name: &str) -> Result<Option<String>, String> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("{name} must be a text")),
    }
}

/// A list.
pub(super) fn list<'b>(body: &'b Value, name: &str) -> Result<Option<&'b Vec<Value>>, String> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(_) => Err(format!("{name} must be a list")),
    }
}

/// An object.
pub(super) fn object<'b>(body: &'b Value, name: &str) -> Result<Option<&'b Value>, String> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(given @ Value::Object(_)) => Ok(Some(given)),
        Some(_) => Err(format!("{name} must be an object")),
    }
}

/// True or false.
pub(super) fn flag(body: &Value, name: &str) -> Result<Option<bool>, String> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(format!("{name} must be true or false")),
    }
}

/// A whole number that is not negative.
pub(super) fn number(body: &Value, name: &str) -> Result<Option<u32>, String> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(given) => {
            let number = given.as_u64().and_then(|number| u32::try_from(number).ok());
            number.map(Some).ok_or_else(|| format!("{name} must be a whole number"))
        }
    }
}
