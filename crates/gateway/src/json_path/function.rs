//! Functions at the end of a path.

use std::borrow::Cow;

use super::{Found, JsonPath};
use crate::json::Json;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Length,
    Keys,
    Min,
    Max,
    Average,
    Sum,
    StandardDeviation,
    Concat,
    Append,
    First,
    Last,
    Index,
}

#[derive(Debug, Clone)]
pub(super) enum Argument {
    /// From the document.
    Path(JsonPath),
    Literal(Json<'static>),
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "length" | "size" => Self::Length,
            "keys" => Self::Keys,
            "min" => Self::Min,
            "max" => Self::Max,
            "avg" => Self::Average,
            "sum" => Self::Sum,
            "stddev" => Self::StandardDeviation,
            "concat" => Self::Concat,
            "append" => Self::Append,
            "first" => Self::First,
            "last" => Self::Last,
            "index" => Self::Index,
            _ => return None,
        })
    }

    pub(super) fn check(self, arguments: usize) -> Result<(), &'static str> {
        match (self, arguments) {
            (Self::Length | Self::Keys | Self::First | Self::Last, 0) | (Self::Index, 1) => Ok(()),
            (Self::Min | Self::Max | Self::Average | Self::Sum | Self::StandardDeviation, _) => Ok(()),
            (Self::Concat | Self::Append, _) => Ok(()),
            _ => Err("the function takes another number of arguments"),
        }
    }

    /// The value of the function for what it is called on; `None` where it has none.
    pub(super) fn apply<'t>(self, value: &Json<'t>, arguments: &[Found<'_, 't>]) -> Option<Json<'t>> {
        match self {
            Self::Length => match value {
                Json::Array(items) => Some(count(items.len())),
                Json::Object(members) => Some(count(members.len())),
                Json::Text(text) => Some(count(text.chars().count())),
                _ => None,
            },
            Self::Keys => match value {
                Json::Object(members) => {
                    Some(Json::Array(members.iter().map(|(name, _)| Json::Text(name.clone())).collect()))
                }
                _ => None,
            },
            Self::First => item(value, 0),
            Self::Last => item(value, -1),
            Self::Index => item(value, each(arguments).next()?.as_f64()? as i64),
            Self::Concat => {
                let own = match value {
                    Json::Array(items) => items.as_slice(),
                    _ => &[],
                };
                let texts = own.iter().chain(each(arguments));
                Some(Json::Text(Cow::Owned(
                    texts
                        .filter(|item| matches!(item, Json::Text(_) | Json::Number(_)))
                        .map(Json::shown)
                        .collect(),
                )))
            }
            Self::Append => {
                let Json::Array(items) = value else { return None };
                Some(Json::Array(items.iter().chain(each(arguments)).cloned().collect()))
            }
            Self::Min | Self::Max | Self::Average | Self::Sum | Self::StandardDeviation => {
                let own = match value {
                    Json::Array(items) => items.as_slice(),
                    _ => &[],
                };
                let numbers: Vec<f64> = own.iter().chain(each(arguments)).filter_map(Json::as_f64).collect();
                self.aggregate(&numbers).map(Json::number)
            }
        }
    }

    fn aggregate(self, numbers: &[f64]) -> Option<f64> {
        let count = numbers.len() as f64;
        let sum = || numbers.iter().sum::<f64>();
        if numbers.is_empty() {
            return None;
        }
        match self {
            Self::Min => numbers.iter().copied().reduce(f64::min),
            Self::Max => numbers.iter().copied().reduce(f64::max),
            Self::Average => Some(sum() / count),
            Self::Sum => Some(sum()),
            Self::StandardDeviation => {
                let mean = sum() / count;
                Some((numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / count).sqrt())
            }
            _ => None,
        }
    }
}

fn count(count: usize) -> Json<'static> {
    Json::Number(Cow::Owned(count.to_string()))
}

/// The item at an index; a negative one counts from the end.
pub(super) fn at<'v, 't>(items: &'v [Json<'t>], index: i64) -> Option<&'v Json<'t>> {
    let index = if index < 0 { i64::try_from(items.len()).ok()?.checked_add(index)? } else { index };
    items.get(usize::try_from(index).ok()?)
}

fn item<'t>(value: &Json<'t>, index: i64) -> Option<Json<'t>> {
    match value {
        Json::Array(items) => at(items, index).cloned(),
        _ => None,
    }
}

/// Every value that arguments give, the items of lists one by one.
fn each<'a, 't>(arguments: &'a [Found<'_, 't>]) -> impl Iterator<Item = &'a Json<'t>> {
    arguments.iter().flat_map(|argument| match argument {
        Found::Nothing => Vec::new(),
        Found::One(value) => match &**value {
            Json::Array(items) => items.iter().collect(),
            value => vec![value],
        },
        Found::Many(values) => values.iter().map(|value| &**value).collect(),
    })
}
