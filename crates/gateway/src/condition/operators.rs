//! Comparing values: null tables and widening (api-management §5).

use std::borrow::Cow;
use std::cmp::Ordering;

use super::Operator;
use crate::variable::Value;

impl Operator {
    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Self::Equals => "=",
            Self::NotEquals => "!=",
            Self::EqualsIgnoringCase => ":=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Lesser => "<",
            Self::LesserOrEqual => "<=",
        }
    }

    pub(super) fn holds(self, left: &Value<'_>, right: &Value<'_>) -> bool {
        match (left.is_null(), right.is_null()) {
            (false, false) => self.holds_for_values(left, right),
            (left_is_null, right_is_null) => self.holds_for_null(left_is_null, right_is_null),
        }
    }

    /// The rows of the null table; at least one side is null.
    const fn holds_for_null(self, left: bool, right: bool) -> bool {
        match self {
            Self::Equals | Self::EqualsIgnoringCase => left && right,
            Self::NotEquals => !(left && right),
            Self::Greater | Self::Lesser => left && !right,
            Self::GreaterOrEqual => right,
            Self::LesserOrEqual => left,
        }
    }

    fn holds_for_values(self, left: &Value<'_>, right: &Value<'_>) -> bool {
        if self == Self::EqualsIgnoringCase {
            let (left, right) = (as_text(left), as_text(right));
            return left.eq_ignore_ascii_case(&right) || left.to_lowercase() == right.to_lowercase();
        }
        let order = compare(left, right);
        match self {
            Self::Equals | Self::EqualsIgnoringCase => order == Some(Ordering::Equal),
            Self::NotEquals => order != Some(Ordering::Equal),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            Self::Lesser => order == Some(Ordering::Less),
            Self::LesserOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        }
    }
}

/// Compares after widening both sides to the wider type: Boolean < Integer < Long < Float < Double < Text.
/// `None` when a side is not a number.
fn compare(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    if let (Value::Text(left), Value::Text(right)) = (left, right) {
        return Some(left.cmp(right));
    }
    match width(left).max(width(right)) {
        0..=2 => Some(as_long(left)?.cmp(&as_long(right)?)),
        3 => as_float(left)?.partial_cmp(&as_float(right)?),
        4 => as_double(left)?.partial_cmp(&as_double(right)?),
        _ => Some(as_text(left).cmp(&as_text(right))),
    }
}

const fn width(value: &Value<'_>) -> u8 {
    match value {
        Value::Boolean(_) => 0,
        Value::Integer(_) => 1,
        Value::Long(_) => 2,
        Value::Float(_) => 3,
        Value::Double(_) => 4,
        Value::Text(_) | Value::Null => 5,
    }
}

fn as_text<'a>(value: &'a Value<'_>) -> Cow<'a, str> {
    match value {
        Value::Text(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn as_long(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Boolean(v) => Some(i64::from(*v)),
        Value::Integer(v) => Some(i64::from(*v)),
        Value::Long(v) => Some(*v),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "widening to single precision loses digits by definition")]
fn as_float(value: &Value<'_>) -> Option<f32> {
    match value {
        Value::Float(v) => Some(*v),
        other => as_long(other).map(|v| v as f32),
    }
}

#[expect(clippy::cast_precision_loss, reason = "widening to double precision loses digits by definition")]
fn as_double(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Double(v) => Some(*v),
        Value::Float(v) => Some(f64::from(*v)),
        other => as_long(other).map(|v| v as f64),
    }
}
