//! The query language of the hub (open-connectors §5.2): conditions and orders, parsed and applied.

mod apply;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;

pub(crate) use apply::{holds, is_date, sort};
pub(crate) use parser::{order_by, where_clause};

/// A parsed condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        field: Field,
        operator: Comparison,
        value: Literal,
    },
    /// `LIKE` with `%` for any run of characters.
    Like {
        field: Field,
        pattern: String,
    },
    IsNull(Field),
}

/// A field by its dotted path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// As it was written, without back-ticks.
    pub(crate) name: String,
    /// Split at dots, unless it stood in back-ticks.
    pub(crate) path: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// The text holds the value; not written by clients, made from `text=`.
    Contains,
    /// The list holds the value; not written by clients, made from `tags[]=`.
    Has,
}

impl Comparison {
    /// The word a definition uses for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Contains => "contains",
            Self::Has => "has",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Number(f64),
    Bool(bool),
}

impl Literal {
    /// The value as text, as it stands in a vendor's query before quoting.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Bool(value) => value.to_string(),
        }
    }
}

/// One field of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) field: Field,
    pub(crate) descending: bool,
}

/// The text is no query. The message starts as the original's did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Error parsing query: {message} at character {at}")]
pub struct BadQuery {
    /// Characters before the mistake, from 1.
    pub at: usize,
    /// What was expected.
    pub message: String,
}

impl Field {
    pub(crate) fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), path: name.split('.').map(str::to_owned).collect() }
    }
}

impl Condition {
    pub(crate) fn compare(field: &str, operator: Comparison, value: impl Into<String>) -> Self {
        Self::Compare { field: Field::plain(field), operator, value: Literal::Text(value.into()) }
    }

    /// Both conditions, without needless nesting.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All(mut left), Self::All(right)) => {
                left.extend(right);
                Self::All(left)
            }
            (Self::All(mut left), right) => {
                left.push(right);
                Self::All(left)
            }
            (left, right) => Self::All(vec![left, right]),
        }
    }

    /// Names of all fields, each once.
    pub(crate) fn fields(&self, into: &mut Vec<String>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.fields(into)),
            Self::Not(part) => part.fields(into),
            Self::Compare { field, .. } | Self::Like { field, .. } | Self::IsNull(field) => {
                if !into.contains(&field.name) {
                    into.push(field.name.clone());
                }
            }
        }
    }
}
