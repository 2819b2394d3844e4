//! Arithmetic, comparison and slices over JSON values.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::ast::Operator;
use crate::order::compare;

/// Applies a binary operator; the error says which kinds do not go together.
pub(crate) fn apply(operator: Operator, left: &Value, right: &Value) -> Result<Value, String> {
    let order = || compare(left, right);
    Ok(match operator {
        Operator::Add => return add(left, right),
        Operator::Subtract => return subtract(left, right),
        Operator::Multiply => return multiply(left, right),
        Operator::Divide => return divide(left, right),
        Operator::Remainder => return remainder(left, right),
        Operator::Equal => (order() == Ordering::Equal).into(),
        Operator::NotEqual => (order() != Ordering::Equal).into(),
        Operator::Less => (order() == Ordering::Less).into(),
        Operator::LessOrEqual => (order() != Ordering::Greater).into(),
        Operator::Greater => (order() == Ordering::Greater).into(),
        Operator::GreaterOrEqual => (order() != Ordering::Less).into(),
    })
}

/// What a value is, for error messages.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Roughly how much a value holds: bytes of text plus members.
pub(crate) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => 1 + text.len(),
        Value::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Object(members) => {
            1 + members.iter().map(|(key, value)| key.len() + weight(value)).sum::<usize>()
        }
    }
}

/// A number, unless it is not finite.
pub(crate) fn number(value: f64) -> Result<Value, String> {
    if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
        return Ok(Value::from(value as i64));
    }
    Number::from_f64(value).map(Value::Number).ok_or_else(|| "the result is not a finite number".to_owned())
}

pub(crate) fn negate(value: &Value) -> Result<Value, String> {
    apply(Operator::Subtract, &Value::from(0), value)
}

/// `value[from:to]` of an array or of a string (by characters); null bounds are open.
pub(crate) fn slice(value: &Value, from: &Value, to: &Value) -> Result<Value, String> {
    let bound = |bound: &Value, length: usize, open: usize| match bound {
        Value::Null => Ok(open),
        Value::Number(number) => {
            let index = number.as_i64().ok_or("a slice bound is a whole number")?;
            let length = length as i64;
            Ok(if index < 0 { (index.saturating_add(length)).max(0) } else { index.min(length) } as usize)
        }
        other => Err(format!("a slice bound is a whole number, not {}", kind(other))),
    };
    match value {
        Value::Null => Ok(Value::Null),
        Value::Array(items) => {
            let (from, to) = (bound(from, items.len(), 0)?, bound(to, items.len(), items.len())?);
            Ok(Value::Array(items.get(from..to.max(from)).unwrap_or_default().to_vec()))
        }
        Value::String(text) => {
            let length = text.chars().count();
            let (from, to) = (bound(from, length, 0)?, bound(to, length, length)?);
            Ok(text.chars().skip(from).take(to.saturating_sub(from)).collect::<String>().into())
        }
        other => Err(format!("{} cannot be sliced", kind(other))),
    }
}

fn add(left: &Value, right: &Value) -> Result<Value, String> {
    match (left, right) {
        (Value::Null, other) | (other, Value::Null) => Ok(other.clone()),
        (Value::Number(left), Value::Number(right)) => {
            arithmetic(left, right, i64::checked_add, |l, r| l + r)
        }
        (Value::String(left), Value::String(right)) => Ok(Value::String([left.as_str(), right].concat())),
        (Value::Array(left), Value::Array(right)) => Ok(left.iter().chain(right).cloned().collect()),
        (Value::Object(left), Value::Object(right)) => {
            let mut joined = left.clone();
            joined.extend(right.clone());
            Ok(Value::Object(joined))
        }
        _ => Err(mismatch("added", left, right)),
    }
}

fn subtract(left: &Value, right: &Value) -> Result<Value, String> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            arithmetic(left, right, i64::checked_sub, |l, r| l - r)
        }
        (Value::Array(left), Value::Array(right)) => Ok(left
            .iter()
            .filter(|item| !right.iter().any(|gone| compare(item, gone).is_eq()))
            .cloned()
            .collect()),
        _ => Err(mismatch("subtracted", left, right)),
    }
}

fn multiply(left: &Value, right: &Value) -> Result<Value, String> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            arithmetic(left, right, i64::checked_mul, |l, r| l * r)
        }
        (Value::Object(_), Value::Object(_)) => {
            let mut merged = left.clone();
            merge(&mut merged, right);
            Ok(merged)
        }
        _ => Err(mismatch("multiplied", left, right)),
    }
}

/// Puts the members of `from` into `into`, objects member by member.
fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn divide(left: &Value, right: &Value) -> Result<Value, String> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            let (left, right) = (left.as_f64().unwrap_or(0.0), right.as_f64().unwrap_or(0.0));
            if right == 0.0 { Err("division by zero".to_owned()) } else { number(left / right) }
        }
        _ => Err(mismatch("divided", left, right)),
    }
}

fn remainder(left: &Value, right: &Value) -> Result<Value, String> {
    match (left.as_i64(), right.as_i64()) {
        (Some(_), Some(0)) => Err("division by zero".to_owned()),
        (Some(left), Some(right)) => Ok(left.wrapping_rem(right).into()),
        _ => Err(mismatch("divided with remainder", left, right)),
    }
}

fn arithmetic(
    left: &Number,
    right: &Number,
    whole: fn(i64, i64) -> Option<i64>,
    broken: fn(f64, f64) -> f64,
) -> Result<Value, String> {
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64())
        && let Some(made) = whole(left, right)
    {
        return Ok(made.into());
    }
    number(broken(left.as_f64().unwrap_or(0.0), right.as_f64().unwrap_or(0.0)))
}

fn mismatch(done: &str, left: &Value, right: &Value) -> String {
    format!("{} and {} cannot be {done}", kind(left), kind(right))
}
