//! Conditions and orders applied to records in memory, where a vendor cannot.

use std::cmp::Ordering;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Comparison, Condition, Field, Literal, Order};

/// Whether a record fulfils a condition. A field that is absent or null fulfils only `IS NULL`, `!=` and
/// `NOT`.
pub(crate) fn holds(condition: &Condition, record: &Value) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(|part| holds(part, record)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, record)),
        Condition::Not(part) => !holds(part, record),
        Condition::IsNull(field) => value(record, field).is_none(),
        Condition::Like { field, pattern } => {
            value(record, field).is_some_and(|found| like(&text(&found), pattern))
        }
        Condition::Compare { field, operator, value: wanted } => {
            let found = value(record, field);
            match (operator, found) {
                (Comparison::NotEqual, None) => true,
                (_, None) => false,
                (Comparison::Has, Some(Value::Array(items))) => {
                    items.iter().any(|item| order(item, wanted) == Some(Ordering::Equal))
                }
                (Comparison::Has | Comparison::Contains, Some(found)) => {
                    text(&found).to_lowercase().contains(&wanted.text().to_lowercase())
                }
                (operator, Some(found)) => match (operator, order(&found, wanted)) {
                    (Comparison::NotEqual, order) => order != Some(Ordering::Equal),
                    (_, None) => false,
                    (Comparison::Equal, Some(order)) => order.is_eq(),
                    (Comparison::Less, Some(order)) => order.is_lt(),
                    (Comparison::LessOrEqual, Some(order)) => order.is_le(),
                    (Comparison::Greater, Some(order)) => order.is_gt(),
                    (Comparison::GreaterOrEqual, Some(order)) => order.is_ge(),
                    (Comparison::Contains | Comparison::Has, Some(_)) => false,
                },
            }
        }
    }
}

/// Sorts records; equal ones keep their places, absent values come first.
pub(crate) fn sort(records: &mut [Value], orders: &[Order]) {
    records.sort_by(|left, right| {
        let by_field = orders.iter().map(|order| {
            let (left, right) = (value(left, &order.field), value(right, &order.field));
            let ascending = match (&left, &right) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Less,
                (Some(_), None) => Ordering::Greater,
                (Some(left), Some(right)) => match (date(left), date(right)) {
                    (Some(left), Some(right)) => left.cmp(&right),
                    _ => pierhead_script::compare(left, right),
                },
            };
            if order.descending { ascending.reverse() } else { ascending }
        });
        by_field.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
}

/// The field's value in a record; none when it is absent or null. `extension` comes from the name, and
/// members of `properties` need no prefix.
fn value(record: &Value, field: &Field) -> Option<Value> {
    let direct = field.path.iter().try_fold(record, |at, name| at.get(name.as_str()));
    if let Some(found) = direct.filter(|found| !found.is_null()) {
        return Some(found.clone());
    }
    let name = || record.get("name").and_then(Value::as_str);
    match field.name.as_str() {
        "text" => name().map(Value::from),
        "extension" => {
            let (stem, extension) = name()?.rsplit_once('.')?;
            (!stem.is_empty()).then(|| extension.into())
        }
        property => record.get("properties")?.get(property).filter(|found| !found.is_null()).cloned(),
    }
}

/// How a record's value compares with a literal; none when they do not go together.
fn order(found: &Value, wanted: &Literal) -> Option<Ordering> {
    if let (Some(left), Literal::Text(right)) = (date(found), wanted)
        && let Some(right) = moment(right)
    {
        return Some(left.cmp(&right));
    }
    match (found, wanted) {
        (Value::Number(left), wanted) => {
            let right = match wanted {
                Literal::Number(number) => *number,
                Literal::Text(text) => text.trim().parse().ok()?,
                Literal::Bool(_) => return None,
            };
            left.as_f64()?.partial_cmp(&right)
        }
        (Value::Bool(left), wanted) => match wanted.text().to_ascii_lowercase().as_str() {
            "true" => Some(left.cmp(&true)),
            "false" => Some(left.cmp(&false)),
            _ => None,
        },
        (Value::String(left), wanted) => Some(left.as_str().cmp(wanted.text().as_str())),
        _ => None,
    }
}

/// Whether a text stands for a moment: ISO 8601, or a day alone.
pub(crate) fn is_date(text: &str) -> bool {
    moment(text).is_some()
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    let day = || OffsetDateTime::parse(&format!("{text}T00:00:00Z"), &Rfc3339);
    OffsetDateTime::parse(text, &Rfc3339).or_else(|_| day()).ok()
}

fn date(value: &Value) -> Option<OffsetDateTime> {
    let text = value.as_str().filter(|text| text.len() >= 20 && text.as_bytes()[4] == b'-')?;
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `%` stands for any run of characters; case does not matter. Linear in text times pieces.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
    let mut pieces = pattern.split('%');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
