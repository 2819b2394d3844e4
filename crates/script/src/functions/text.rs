//! Functions of text.

use serde_json::Value;

use super::{array, string};
use crate::order::compare;
use crate::strings;

pub(super) fn downcase(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(string(input)?.to_ascii_lowercase().into())
}

pub(super) fn upcase(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(string(input)?.to_ascii_uppercase().into())
}

pub(super) fn trim(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(string(input)?.trim().into())
}

pub(super) fn split(input: &Value, arguments: &[Value]) -> Result<Value, String> {
    let (text, by) = (string(input)?, string(&arguments[0])?);
    if text.is_empty() {
        return Ok(Value::Array(Vec::new()));
    }
    if by.is_empty() {
        return Ok(text.chars().map(String::from).collect());
    }
    Ok(text.split(by).collect())
}

pub(super) fn join(input: &Value, arguments: &[Value]) -> Result<Value, String> {
    let parts: Vec<String> = array(input)?
        .iter()
        .map(|part| if part.is_null() { String::new() } else { strings::of(part) })
        .collect();
    Ok(parts.join(string(&arguments[0])?).into())
}

pub(super) fn starts_with(input: &Value, arguments: &[Value]) -> Result<Value, String> {
    Ok(string(input)?.starts_with(string(&arguments[0])?).into())
}

pub(super) fn ends_with(input: &Value, arguments: &[Value]) -> Result<Value, String> {
    Ok(string(input)?.ends_with(string(&arguments[0])?).into())
}

/// A string that holds a string, or an array that holds a value.
pub(super) fn contains(input: &Value, arguments: &[Value]) -> Result<Value, String> {
    match input {
        Value::Array(items) => Ok(items.iter().any(|item| compare(item, &arguments[0]).is_eq()).into()),
        text => Ok(string(text)?.contains(string(&arguments[0])?).into()),
    }
}

/// The character position of a string in the input, or null.
pub(super) fn index(input: &Value, arguments: &[Value]) -> Result<Value, String> {
    let (text, part) = (string(input)?, string(&arguments[0])?);
    Ok(text.find(part).map_or(Value::Null, |at| text[..at].chars().count().into()))
}

pub(super) fn strip_prefix(input: &Value, arguments: &[Value]) -> Result<Value, String> {
    let text = string(input)?;
    Ok(text.strip_prefix(string(&arguments[0])?).unwrap_or(text).into())
}

pub(super) fn strip_suffix(input: &Value, arguments: &[Value]) -> Result<Value, String> {
    let text = string(input)?;
    Ok(text.strip_suffix(string(&arguments[0])?).unwrap_or(text).into())
}

/// Every occurrence of the first argument replaced by the second; the first may not be empty.
pub(super) fn replace(input: &Value, arguments: &[Value]) -> Result<Value, String> {
    let (text, from, to) = (string(input)?, string(&arguments[0])?, string(&arguments[1])?);
    if from.is_empty() {
        return Err("what is to be replaced is empty".to_owned());
    }
    // Bounded before it is made: the meter sees a value only afterwards.
    if text.matches(from).count().saturating_mul(to.len()) > 64 * 1024 * 1024 {
        return Err("the result is too large".to_owned());
    }
    Ok(text.replace(from, to).into())
}
