//! Simple types with their facets (XML Schema part 2, 4).

use std::cmp::Ordering;
use std::sync::Arc;

use regex::Regex;

use super::builtin::{Builtin, Space, Typed};
use crate::document::Node;

/// A simple type, with all that its ancestors demand.
#[derive(Debug, Clone)]
pub(super) struct Simple {
    pub(super) variety: Variety,
    pub(super) space: Space,
    pub(super) facets: Vec<Facet>,
}

#[derive(Debug, Clone)]
pub(super) enum Variety {
    Atomic(Builtin),
    List(Arc<Simple>),
    Union(Vec<Arc<Simple>>),
}

#[derive(Debug, Clone)]
pub(super) enum Facet {
    Length(usize),
    MinLength(usize),
    MaxLength(usize),
    /// One of them must match the whole text.
    Patterns(Vec<Regex>),
    Enumeration(Vec<Typed>),
    MinInclusive(Typed),
    MaxInclusive(Typed),
    MinExclusive(Typed),
    MaxExclusive(Typed),
    TotalDigits(usize),
    FractionDigits(usize),
}

impl Simple {
    pub(super) fn of(builtin: Builtin) -> Self {
        Self { variety: Variety::Atomic(builtin), space: builtin.space(), facets: Vec::new() }
    }

    pub(super) fn list_of(item: Self) -> Self {
        Self { variety: Variety::List(Arc::new(item)), space: Space::Collapse, facets: Vec::new() }
    }

    /// The value of a text, or the rule it breaks. Texts of documents are not repeated.
    pub(super) fn read(&self, text: &str, at: Node<'_>) -> Result<Typed, String> {
        let text = self.space.apply(text);
        let value = match &self.variety {
            Variety::Atomic(builtin) => {
                builtin.read(&text, at).ok_or_else(|| format!("not of type {}", self.describe()))?
            }
            Variety::List(item) => {
                let items = text.split(' ').filter(|item| !item.is_empty()).map(|text| item.read(text, at));
                Typed::List(items.collect::<Result<_, _>>()?)
            }
            Variety::Union(members) => members
                .iter()
                .find_map(|member| member.read(&text, at).ok())
                .ok_or("of none of the types of its union")?,
        };
        self.facets.iter().try_for_each(|facet| facet.check(&value, &text, &self.variety))?;
        Ok(value)
    }

    fn describe(&self) -> String {
        match &self.variety {
            Variety::Atomic(builtin) => format!("{builtin:?}"),
            Variety::List(_) => "list".to_owned(),
            Variety::Union(_) => "union".to_owned(),
        }
    }
}

impl Facet {
    fn check(&self, value: &Typed, text: &str, variety: &Variety) -> Result<(), String> {
        let holds = match self {
            Self::Length(length) => size(value, text, variety).is_none_or(|size| size == *length),
            Self::MinLength(least) => size(value, text, variety).is_none_or(|size| size >= *least),
            Self::MaxLength(most) => size(value, text, variety).is_none_or(|size| size <= *most),
            Self::Patterns(patterns) => patterns.iter().any(|pattern| pattern.is_match(text)),
            Self::Enumeration(allowed) => allowed.contains(value),
            Self::MinInclusive(bound) => {
                matches!(value.compare(bound), Some(Ordering::Greater | Ordering::Equal))
            }
            Self::MaxInclusive(bound) => {
                matches!(value.compare(bound), Some(Ordering::Less | Ordering::Equal))
            }
            Self::MinExclusive(bound) => value.compare(bound) == Some(Ordering::Greater),
            Self::MaxExclusive(bound) => value.compare(bound) == Some(Ordering::Less),
            Self::TotalDigits(most) => {
                !matches!(value, Typed::Decimal(number) if number.total_digits() > *most)
            }
            Self::FractionDigits(most) => {
                !matches!(value, Typed::Decimal(number) if number.fraction_digits() > *most)
            }
        };
        if holds { Ok(()) } else { Err(format!("against the facet {}", self.name())) }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Length(_) => "length",
            Self::MinLength(_) => "minLength",
            Self::MaxLength(_) => "maxLength",
            Self::Patterns(_) => "pattern",
            Self::Enumeration(_) => "enumeration",
            Self::MinInclusive(_) => "minInclusive",
            Self::MaxInclusive(_) => "maxInclusive",
            Self::MinExclusive(_) => "minExclusive",
            Self::MaxExclusive(_) => "maxExclusive",
            Self::TotalDigits(_) => "totalDigits",
            Self::FractionDigits(_) => "fractionDigits",
        }
    }
}

/// Items of a list, bytes of binary data, characters of text; names of QName have no length.
fn size(value: &Typed, text: &str, variety: &Variety) -> Option<usize> {
    match (value, variety) {
        (Typed::List(items), _) => Some(items.len()),
        (Typed::Bytes(bytes), _) => Some(bytes.len()),
        (Typed::QName(..), _) => None,
        _ => Some(text.chars().count()),
    }
}
