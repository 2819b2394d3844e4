//! Functions of arrays, and between objects and arrays of entries.

use serde_json::{Map, Value, json};

use super::{array, string};
use crate::ast::Operator;
use crate::operators::{apply, kind};
use crate::order::compare;

/// The sum of an array, by the `+` of its elements; null when it is empty.
pub(super) fn add(input: &Value, _: &[Value]) -> Result<Value, String> {
    let items = array(input)?;
    // Joined in one go: adding text or arrays pair by pair would copy the head again and again.
    if !items.is_empty() && items.iter().all(Value::is_string) {
        return Ok(items.iter().filter_map(Value::as_str).collect::<String>().into());
    }
    if !items.is_empty() && items.iter().all(Value::is_array) {
        return Ok(items.iter().filter_map(Value::as_array).flatten().cloned().collect());
    }
    items.iter().try_fold(Value::Null, |sum, item| apply(Operator::Add, &sum, item))
}

pub(super) fn sort(input: &Value, _: &[Value]) -> Result<Value, String> {
    let mut items = array(input)?.clone();
    items.sort_by(compare);
    Ok(Value::Array(items))
}

pub(super) fn unique(input: &Value, _: &[Value]) -> Result<Value, String> {
    let mut items = array(input)?.clone();
    items.sort_by(compare);
    items.dedup_by(|right, left| compare(left, right).is_eq());
    Ok(Value::Array(items))
}

pub(super) fn reverse(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(array(input)?.iter().rev().cloned().collect())
}

pub(super) fn min(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(array(input)?.iter().min_by(|left, right| compare(left, right)).cloned().unwrap_or_default())
}

pub(super) fn max(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(array(input)?.iter().max_by(|left, right| compare(left, right)).cloned().unwrap_or_default())
}

/// One level of nested arrays taken out.
pub(super) fn flatten(input: &Value, _: &[Value]) -> Result<Value, String> {
    let mut flat = Vec::new();
    for item in array(input)? {
        match item {
            Value::Array(inner) => flat.extend(inner.iter().cloned()),
            other => flat.push(other.clone()),
        }
    }
    Ok(Value::Array(flat))
}

/// An array as it is, null as the empty array, anything else as an array of one: XML answers need it.
pub(super) fn to_array(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(match input {
        Value::Array(_) => input.clone(),
        Value::Null => json!([]),
        other => json!([other]),
    })
}

pub(super) fn to_entries(input: &Value, _: &[Value]) -> Result<Value, String> {
    let members = input.as_object().ok_or_else(|| format!("needs an object, not {}", kind(input)))?;
    Ok(members.iter().map(|(key, value)| json!({"key": key, "value": value})).collect())
}

pub(super) fn from_entries(input: &Value, _: &[Value]) -> Result<Value, String> {
    let mut made = Map::new();
    for entry in array(input)? {
        let key = entry.get("key").or_else(|| entry.get("name")).unwrap_or(&Value::Null);
        made.insert(string(key)?.to_owned(), entry.get("value").cloned().unwrap_or_default());
    }
    Ok(Value::Object(made))
}
