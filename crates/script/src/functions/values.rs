//! Functions of any value: kinds, sizes, conversions.

use serde_json::Value;

use super::string;
use crate::operators::{kind, number};
use crate::strings;

pub(super) fn type_name(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(kind(input).into())
}

pub(super) fn to_string(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(strings::of(input).into())
}

pub(super) fn to_number(input: &Value, _: &[Value]) -> Result<Value, String> {
    match input {
        Value::Number(_) => Ok(input.clone()),
        Value::String(text) => {
            let parsed = serde_json::from_str::<serde_json::Number>(text.trim());
            parsed.map(Value::Number).map_err(|_| "the string is no number".to_owned())
        }
        other => Err(format!("needs a string or a number, not {}", kind(other))),
    }
}

pub(super) fn length(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(match input {
        Value::Null => 0,
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        other => return Err(format!("{} has no length", kind(other))),
    }
    .into())
}

pub(super) fn keys(input: &Value, _: &[Value]) -> Result<Value, String> {
    match input {
        Value::Object(members) => {
            let mut keys: Vec<&String> = members.keys().collect();
            keys.sort();
            Ok(keys.into_iter().cloned().collect())
        }
        Value::Array(items) => Ok((0..items.len()).collect()),
        other => Err(format!("{} has no keys", kind(other))),
    }
}

/// The values of an object or an array, as an array.
pub(super) fn values(input: &Value, _: &[Value]) -> Result<Value, String> {
    match input {
        Value::Object(members) => Ok(members.values().cloned().collect()),
        Value::Array(_) => Ok(input.clone()),
        other => Err(format!("{} has no values", kind(other))),
    }
}

pub(super) fn has(input: &Value, arguments: &[Value]) -> Result<Value, String> {
    match (input, &arguments[0]) {
        (Value::Object(members), Value::String(key)) => Ok(members.contains_key(key).into()),
        (Value::Array(items), Value::Number(index)) => {
            Ok(index.as_u64().is_some_and(|index| index < items.len() as u64).into())
        }
        (input, key) => Err(format!("{} cannot have {}", kind(input), kind(key))),
    }
}

/// An object without its null members.
pub(super) fn compact(input: &Value, _: &[Value]) -> Result<Value, String> {
    match input {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            Ok(Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect()))
        }
        Value::Array(items) => Ok(items.iter().filter(|item| !item.is_null()).cloned().collect()),
        other => Err(format!("needs an object or an array, not {}", kind(other))),
    }
}

/// An object without the member, or the members, named.
pub(super) fn without(input: &Value, arguments: &[Value]) -> Result<Value, String> {
    let members = input.as_object().ok_or_else(|| format!("needs an object, not {}", kind(input)))?;
    let gone: Vec<&str> = match &arguments[0] {
        Value::Array(names) => names.iter().map(string).collect::<Result<_, _>>()?,
        name => vec![string(name)?],
    };
    let kept = members.iter().filter(|(key, _)| !gone.contains(&key.as_str()));
    Ok(Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect()))
}

pub(super) fn abs(input: &Value, _: &[Value]) -> Result<Value, String> {
    match input.as_i64().and_then(i64::checked_abs) {
        Some(whole) => Ok(whole.into()),
        None => number(float(input)?.abs()),
    }
}

pub(super) fn floor(input: &Value, _: &[Value]) -> Result<Value, String> {
    if input.is_i64() { Ok(input.clone()) } else { number(float(input)?.floor()) }
}

pub(super) fn ceil(input: &Value, _: &[Value]) -> Result<Value, String> {
    if input.is_i64() { Ok(input.clone()) } else { number(float(input)?.ceil()) }
}

pub(super) fn round(input: &Value, _: &[Value]) -> Result<Value, String> {
    if input.is_i64() { Ok(input.clone()) } else { number(float(input)?.round()) }
}

fn float(input: &Value) -> Result<f64, String> {
    input.as_f64().ok_or_else(|| format!("needs a number, not {}", kind(input)))
}
