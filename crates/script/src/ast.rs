//! The compiled form of an expression.

use std::sync::Arc;

use serde_json::Value;

use crate::functions::Function;

/// An expression and where it stands in its text (byte offset), for error messages.
#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// `.`
    Identity,
    /// `target.name`, `target["name"]`
    Field(Box<Expr>, Arc<str>),
    /// `target[index]`
    Index(Box<Expr>, Box<Expr>),
    /// `target[from:to]`
    Slice(Box<Expr>, Option<Box<Expr>>, Option<Box<Expr>>),
    /// `target[]`
    Iterate(Box<Expr>),
    /// `target?`
    Optional(Box<Expr>),
    Literal(Value),
    /// A string with `\(…)` in it.
    Text(Vec<Piece>),
    Array(Option<Box<Expr>>),
    Object(Vec<(Expr, Expr)>),
    Variable(Arc<str>),
    Pipe(Box<Expr>, Box<Expr>),
    Comma(Box<Expr>, Box<Expr>),
    /// `a // b`
    Default(Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Negate(Box<Expr>),
    If(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    /// `source as $name | body`
    Bind(Box<Expr>, Arc<str>, Box<Expr>),
    Call(&'static Function, Vec<Expr>),
}

#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Text(String),
    Expr(Expr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Expr {
    /// The member names of a plain path such as `.a.b`.
    pub(crate) fn as_path(&self) -> Option<Vec<&str>> {
        match &self.kind {
            Kind::Identity => Some(Vec::new()),
            Kind::Field(target, name) => {
                let mut path = target.as_path()?;
                path.push(name);
                Some(path)
            }
            _ => None,
        }
    }

    /// The function a chain of pipes ends with.
    pub(crate) fn last_call(&self) -> Option<&'static str> {
        match &self.kind {
            Kind::Pipe(_, right) => right.last_call(),
            Kind::Call(function, _) => Some(function.name),
            _ => None,
        }
    }
}
