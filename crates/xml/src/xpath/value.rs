//! Values of expressions.

use std::borrow::Cow;

use super::XPathError;
use super::number::{parse_number, write_number};
use crate::document::Node;

/// What an expression gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'d> {
    /// Nodes in document order, none of them twice.
    Nodes(Vec<Node<'d>>),
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(Cow<'d, str>),
    /// Several values in a row, none of them a sequence, each node list with one node. Only expressions of
    /// XPath 2.0 give it.
    Sequence(Vec<Value<'d>>),
}

impl<'d> Value<'d> {
    /// As the function `string` converts.
    pub fn to_text(&self) -> Cow<'d, str> {
        match self {
            Self::Nodes(nodes) => nodes.first().map_or(Cow::Borrowed(""), |node| node.text()),
            Self::Boolean(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Number(number) => Cow::Owned(write_number(*number)),
            Self::Text(text) => text.clone(),
            Self::Sequence(items) => items.first().map_or(Cow::Borrowed(""), Self::to_text),
        }
    }

    /// As the function `number` converts.
    pub fn to_number(&self) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Boolean(value) => f64::from(u8::from(*value)),
            other => parse_number(&other.to_text()),
        }
    }

    /// As the function `boolean` converts.
    pub fn to_boolean(&self) -> bool {
        match self {
            Self::Nodes(nodes) => !nodes.is_empty(),
            Self::Boolean(value) => *value,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::Text(text) => !text.is_empty(),
            Self::Sequence(items) => match items.as_slice() {
                [] => false,
                [one] => one.to_boolean(),
                _ => true,
            },
        }
    }

    /// The nodes; `of` says what needs them.
    pub(crate) fn into_nodes(self, of: &'static str) -> Result<Vec<Node<'d>>, XPathError> {
        match self {
            Self::Nodes(nodes) => Ok(nodes),
            Self::Sequence(items) => {
                let mut nodes = Vec::with_capacity(items.len());
                for item in items {
                    nodes.extend(item.into_nodes(of)?);
                }
                nodes.sort_unstable();
                nodes.dedup();
                Ok(nodes)
            }
            _ => Err(XPathError::NotNodes(of)),
        }
    }

    /// The values one by one: nodes each for itself.
    pub(crate) fn into_items(self) -> Vec<Self> {
        match self {
            Self::Nodes(nodes) => nodes.into_iter().map(|node| Self::Nodes(vec![node])).collect(),
            Self::Sequence(items) => items,
            one => vec![one],
        }
    }

    /// Several values as one; nodes alone stay nodes in the order given.
    pub(crate) fn from_items(items: Vec<Self>) -> Self {
        match <[Self; 1]>::try_from(items) {
            Ok([one]) => one,
            Err(items) => Self::Sequence(items),
        }
    }

    /// What turning it into texts costs.
    pub(crate) fn weight(&self) -> u64 {
        match self {
            Self::Nodes(nodes) => nodes.iter().map(|node| node.weight()).sum(),
            Self::Sequence(items) => items.iter().map(Self::weight).sum(),
            _ => 1,
        }
    }

    /// How many values there are.
    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::Nodes(nodes) => nodes.len(),
            Self::Sequence(items) => items.len(),
            _ => 1,
        }
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl<'d> From<&'d str> for Value<'d> {
    fn from(text: &'d str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'d> From<Cow<'d, str>> for Value<'d> {
    fn from(text: Cow<'d, str>) -> Self {
        Self::Text(text)
    }
}
