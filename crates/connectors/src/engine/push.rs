//! Conditions and orders in a vendor's dialect, as far as the definition says it can.

use pierhead_script::Template;
use serde_json::Value;

use super::CallProblem;
use super::scope::{Scope, definition_fault};
use crate::ceql::{Comparison, Condition, Field, Literal, Order};
use crate::definition::{PushDown, Pushed};

/// A condition cut in two.
#[derive(Debug, Default)]
pub(crate) struct Split {
    /// What the vendor does, in its words.
    pub(crate) pushed: Option<String>,
    /// What is left to do here.
    pub(crate) local: Option<Condition>,
}

/// Cuts a condition into what the vendor can do and the rest. Only whole parts joined by AND are pushed.
pub(crate) fn split(dialect: &PushDown, condition: Option<Condition>) -> Result<Split, CallProblem> {
    let parts = match condition {
        None => return Ok(Split::default()),
        Some(Condition::All(parts)) => parts,
        Some(one) => vec![one],
    };
    let (mut pushed, mut local): (Vec<String>, Vec<Condition>) = (Vec::new(), Vec::new());
    for part in parts {
        match write(dialect, &part)? {
            Some(written) if pushed.is_empty() || dialect.and.is_some() => {
                pushed.push(written.text);
                if written.loose {
                    local.push(part);
                }
            }
            _ => local.push(part),
        }
    }
    let and = dialect.and.as_deref().unwrap_or_default();
    let local = match local.len() {
        0 => None,
        1 => local.pop(),
        _ => Some(Condition::All(local)),
    };
    Ok(Split { pushed: (!pushed.is_empty()).then(|| pushed.join(and)), local })
}

/// An order in the vendor's words; none when any of its fields must be sorted here.
pub(crate) fn order(dialect: &PushDown, orders: &[Order]) -> Result<Option<String>, CallProblem> {
    let mut written = Vec::new();
    for order in orders {
        let template = if order.descending { &dialect.descending } else { &dialect.ascending };
        let (Some(field), Some(template)) = (dialect.order.get(&order.field.name), template) else {
            return Ok(None);
        };
        let scope = Scope::default().with("field", field.as_str());
        let text = scope.text(template).map_err(|error| definition_fault("where.order", &error))?;
        written.push(text.unwrap_or_default());
    }
    Ok((!written.is_empty()).then(|| written.join(&dialect.order_separator)))
}

struct Written {
    text: String,
    loose: bool,
}

fn write(dialect: &PushDown, condition: &Condition) -> Result<Option<Written>, CallProblem> {
    match condition {
        Condition::Compare { field, operator, value } => {
            leaf(dialect, field, operator.word(), value, *operator == Comparison::Contains)
        }
        Condition::Like { field, pattern } => match pattern.strip_suffix('%') {
            // Only a plain prefix: any other pattern is matched here.
            Some(prefix) if !prefix.is_empty() && !prefix.contains('%') => {
                leaf(dialect, field, "prefix", &Literal::Text(prefix.to_owned()), false)
            }
            None if !pattern.is_empty() && !pattern.contains('%') => {
                leaf(dialect, field, "=", &Literal::Text(pattern.clone()), true)
            }
            _ => Ok(None),
        },
        Condition::IsNull(_) => Ok(None),
        Condition::Not(inner) => match (&dialect.not, write(dialect, inner)?) {
            // The negation of a superset would lose records.
            (Some(template), Some(written)) if !written.loose => {
                let text = group(template, written.text)?;
                Ok(Some(Written { text, loose: false }))
            }
            _ => Ok(None),
        },
        Condition::All(parts) => join(dialect, parts, dialect.and.as_deref()),
        Condition::Any(parts) => join(dialect, parts, dialect.or.as_deref()),
    }
}

fn group(template: &Template, condition: String) -> Result<String, CallProblem> {
    let scope = Scope::default().with("condition", condition);
    scope.text(template).map_err(|error| definition_fault("where", &error)).map(Option::unwrap_or_default)
}

fn join(dialect: &PushDown, parts: &[Condition], word: Option<&str>) -> Result<Option<Written>, CallProblem> {
    let (mut texts, mut loose) = (Vec::new(), false);
    for part in parts {
        let Some(written) = write(dialect, part)? else { return Ok(None) };
        loose |= written.loose;
        texts.push(written.text);
    }
    if let [one] = texts.as_slice() {
        return Ok(Some(Written { text: one.clone(), loose }));
    }
    let (Some(word), Some(template)) = (word, &dialect.group) else { return Ok(None) };
    Ok(Some(Written { text: group(template, texts.join(word))?, loose }))
}

fn leaf(
    dialect: &PushDown,
    field: &Field,
    operator: &str,
    value: &Literal,
    always_loose: bool,
) -> Result<Option<Written>, CallProblem> {
    let pushed: Option<&Pushed> = dialect
        .fields
        .get(&field.name)
        .and_then(|operators| operators.iter().find(|pushed| pushed.operator == operator));
    let Some(pushed) = pushed else { return Ok(None) };
    let quoted = match value {
        Literal::Text(text) => {
            let mut escaped = String::with_capacity(text.len());
            for c in text.chars() {
                let special = dialect.escape.iter().find(|(from, _)| from.chars().eq([c]));
                match special {
                    Some((_, to)) => escaped.push_str(to),
                    None => escaped.push(c),
                }
            }
            format!("{quote}{escaped}{quote}", quote = dialect.quote)
        }
        other => other.text(),
    };
    let scope = Scope::default().with("value", quoted).with("text", Value::from(value.text()));
    let text = scope.text(&pushed.template).map_err(|error| definition_fault("where.fields", &error))?;
    // A vendor's full-text match is the match: only where the definition marks it is it done again.
    let loose = pushed.loose || (always_loose && operator == "=");
    Ok(text.map(|text| Written { text, loose }))
}
