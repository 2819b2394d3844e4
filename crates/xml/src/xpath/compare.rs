//! Comparing values (XPath 1.0, 3.4): with nodes it holds when it holds for one of them.

use std::borrow::Cow;

use ahash::AHashSet;

use super::Value;
use super::ast::Comparison;
use super::number::parse_number;

impl Comparison {
    pub(super) fn holds(self, left: &Value<'_>, right: &Value<'_>) -> bool {
        use Value::{Boolean, Nodes, Sequence};
        match (left, right) {
            (Nodes(_) | Sequence(_), Boolean(right)) => {
                self.of_numbers(truth(left.to_boolean()), truth(*right))
            }
            (Boolean(left), Nodes(_) | Sequence(_)) => {
                self.of_numbers(truth(*left), truth(right.to_boolean()))
            }
            (Nodes(_) | Sequence(_), Nodes(_) | Sequence(_)) => self.of_many(left, right),
            (Nodes(_) | Sequence(_), one) => items(left).any(|item| self.of_item(&item, one)),
            (one, Nodes(_) | Sequence(_)) => items(right).any(|item| self.mirrored().of_item(&item, one)),
            (left, right) => self.of_single(left, right),
        }
    }

    /// Of two single values, as `eq` and its like compare: text with text by its characters.
    pub(super) fn holds_of_values(self, left: &Value<'_>, right: &Value<'_>) -> bool {
        let is_number = |value: &Value<'_>| matches!(value, Value::Number(_));
        if is_number(left) || is_number(right) {
            return self.of_numbers(left.to_number(), right.to_number());
        }
        if let (Value::Boolean(left), Value::Boolean(right)) = (left, right) {
            return self.of_numbers(truth(*left), truth(*right));
        }
        let order = left.to_text().cmp(&right.to_text());
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    fn of_item(self, item: &str, one: &Value<'_>) -> bool {
        match (self, one) {
            (Self::Equal, Value::Text(text)) => item == text,
            (Self::NotEqual, Value::Text(text)) => item != text,
            _ => self.of_numbers(parse_number(item), one.to_number()),
        }
    }

    fn of_single(self, left: &Value<'_>, right: &Value<'_>) -> bool {
        let is_equality = matches!(self, Self::Equal | Self::NotEqual);
        if is_equality && (matches!(left, Value::Boolean(_)) || matches!(right, Value::Boolean(_))) {
            return self.of_numbers(truth(left.to_boolean()), truth(right.to_boolean()));
        }
        match (self, left, right) {
            (Self::Equal, Value::Text(left), Value::Text(right)) => left == right,
            (Self::NotEqual, Value::Text(left), Value::Text(right)) => left != right,
            _ => self.of_numbers(left.to_number(), right.to_number()),
        }
    }

    /// Both sides several: each is looked at once, not each with each.
    fn of_many(self, left: &Value<'_>, right: &Value<'_>) -> bool {
        match self {
            Self::Equal => {
                let known: AHashSet<Cow<'_, str>> = items(left).collect();
                items(right).any(|item| known.contains(&item))
            }
            Self::NotEqual => {
                let (mut left, mut right) = (items(left), items(right));
                let (Some(first), Some(other)) = (left.next(), right.next()) else { return false };
                first != other || left.any(|item| item != first) || right.any(|item| item != first)
            }
            Self::Less | Self::LessOrEqual => self.of_numbers(least(left), most(right)),
            Self::Greater | Self::GreaterOrEqual => self.of_numbers(most(left), least(right)),
        }
    }

    fn of_numbers(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }

    const fn mirrored(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::NotEqual => Self::NotEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

fn truth(value: bool) -> f64 {
    f64::from(u8::from(value))
}

/// The texts of several values.
fn items<'v, 'd>(value: &'v Value<'d>) -> Box<dyn Iterator<Item = Cow<'d, str>> + 'v> {
    match value {
        Value::Nodes(nodes) => Box::new(nodes.iter().map(|node| node.text())),
        Value::Sequence(items) => Box::new(items.iter().map(Value::to_text)),
        one => Box::new(std::iter::once(one.to_text())),
    }
}

/// NaN when there is no number: it compares as nothing does.
fn least(value: &Value<'_>) -> f64 {
    items(value).map(|item| parse_number(&item)).fold(f64::NAN, f64::min)
}

fn most(value: &Value<'_>) -> f64 {
    items(value).map(|item| parse_number(&item)).fold(f64::NAN, f64::max)
}
