//! JSONPath as the originals read it: the dialect of the Java library Jayway JsonPath, not RFC 9535
//! (decision 047). Paths are compiled once and evaluated on [`Json`] trees.

mod evaluate;
mod filter;
mod function;
mod parser;

use std::borrow::Cow;
use std::str::FromStr;

use crate::json::{Json, write_array};
use filter::Filter;
use function::{Argument, Function};

/// A compiled path.
#[derive(Debug, Clone)]
pub(crate) struct JsonPath {
    steps: Box<[Step]>,
    /// A function that ends the path, with its arguments.
    function: Option<(Function, Box<[Argument]>)>,
}

/// A path that does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("JSONPath, character {position}: {why}")]
pub(crate) struct BadJsonPath {
    /// Byte position in the text, from 0.
    pub(crate) position: usize,
    pub(crate) why: String,
}

/// The document is so large, or the path so greedy, that evaluating it was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("evaluating the JSONPath takes too many steps")]
pub(crate) struct TooManySteps;

/// What a path found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found<'v, 't> {
    /// A definite path leads nowhere, or the definite beginning of an indefinite one.
    Nothing,
    /// What a definite path leads to.
    One(Cow<'v, Json<'t>>),
    /// What an indefinite path leads to, in document order; may be empty.
    Many(Vec<Cow<'v, Json<'t>>>),
}

#[derive(Debug, Clone)]
enum Step {
    /// `.a`, `['a']`, `['a','b']`.
    Names(Box<[Box<str>]>),
    /// `[0]`, `[-1]`, `[0,2]`.
    Indexes(Box<[i64]>),
    /// `[1:3]`, `[-2:]`, `[:2]`.
    Slice(Option<i64>, Option<i64>),
    /// `*`.
    Wildcard,
    /// `[?(…)]`.
    Filter(Filter),
    /// `..`: the next step is taken from every value below, this one included.
    Scan,
}

impl FromStr for JsonPath {
    type Err = BadJsonPath;

    /// `$` in front may be left out; `$.[0]` is `$[0]`, and `$.` is `$`, as older bundles write it.
    fn from_str(text: &str) -> Result<Self, BadJsonPath> {
        parser::parse(text)
    }
}

impl JsonPath {
    pub(crate) fn evaluate<'v, 't>(&'v self, document: &'v Json<'t>) -> Result<Found<'v, 't>, TooManySteps> {
        evaluate::evaluate(self, document)
    }

    /// Whether the steps lead to at most one value, which then is the result; else the result is an array.
    fn is_definite(&self) -> bool {
        self.steps.iter().enumerate().all(|(index, step)| step.is_definite(index + 1 == self.steps.len()))
    }

    fn is_scan(&self) -> bool {
        matches!(self.steps.first(), Some(Step::Scan))
    }
}

impl Step {
    fn is_definite(&self, is_last: bool) -> bool {
        match self {
            // Several names at the end give one object of them.
            Self::Names(names) => names.len() == 1 || is_last,
            Self::Indexes(indexes) => indexes.len() == 1,
            Self::Slice(..) | Self::Wildcard | Self::Filter(_) | Self::Scan => false,
        }
    }
}

impl Found<'_, '_> {
    /// How a variable shows it: text without its quotes, everything else as JSON; `None` for nothing and null.
    pub(crate) fn shown(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Nothing => None,
            Self::One(value) => match &**value {
                Json::Null => None,
                value => Some(value.shown()),
            },
            Self::Many(values) => {
                let mut out = String::new();
                write_array(values.iter().map(|value| &**value), &mut out);
                Some(Cow::Owned(out))
            }
        }
    }
}

#[cfg(test)]
mod tests;
