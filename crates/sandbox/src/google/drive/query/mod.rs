//! The search language of `files.list`: what a query means.

mod eval;
mod lexer;
mod parse;

use pierhead_domain::EpochMillis;

pub(crate) use eval::Subject;

/// A parsed query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Is(Term),
}

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Term {
    Name(TextOp, String),
    FullText(String),
    MimeType(TextOp, String),
    Time(TimeField, Order, EpochMillis),
    Trashed(bool),
    Starred(bool),
    SharedWithMe(bool),
    Parent(String),
    Member(Part, String),
    Property { private: bool, key: String, value: String },
    Visibility(Visibility, bool),
    ShortcutTarget(String, bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextOp {
    Contains,
    Equal,
    NotEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeField {
    Created,
    Modified,
    ViewedByMe,
    SharedWithMe,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
}

/// The lists of people a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Owners,
    Writers,
    Readers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    AnyoneCanFind,
    AnyoneWithLink,
    DomainCanFind,
    DomainWithLink,
    Limited,
}

impl Expr {
    pub(crate) fn parse(text: &str) -> Result<Self, BadQuery> {
        parse::parse(text)
    }

    /// A folder that every match must lie in, if the query says so: its children are all there is to look at.
    pub(crate) fn within(&self) -> Option<&str> {
        match self {
            Self::Is(Term::Parent(id)) => Some(id),
            Self::And(left, right) => left.within().or_else(|| right.within()),
            Self::Or(..) | Self::Not(_) | Self::Is(_) => None,
        }
    }

    /// Whether full text is searched anywhere in it: Google then refuses to sort.
    pub(crate) fn searches_text(&self) -> bool {
        match self {
            Self::And(left, right) | Self::Or(left, right) => left.searches_text() || right.searches_text(),
            Self::Not(inner) => inner.searches_text(),
            Self::Is(term) => matches!(term, Term::FullText(_)),
        }
    }
}

/// A query that breaks the language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at byte {at}: {why}")]
pub(crate) struct BadQuery {
    pub(crate) at: usize,
    pub(crate) why: &'static str,
}
