//! Attribute value templates (XSLT 1.0, 7.6.2): text with expressions in braces.

use super::statics::Here;
use super::{BadStylesheet, Select};

/// A compiled template of an attribute's value.
#[derive(Debug, Clone)]
pub(super) struct Avt(pub(super) Vec<Piece>);

#[derive(Debug, Clone)]
pub(super) enum Piece {
    Literal(Box<str>),
    Expr(Select),
}

impl Avt {
    pub(super) fn compile(text: &str, here: &Here<'_, '_>) -> Result<Self, BadStylesheet> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(here.bad("a '}' stands alone in a value"));
            }
            let end = end_of_expression(rest).ok_or_else(|| here.bad("a '{' is not closed in a value"))?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal).into()));
            }
            pieces.push(Piece::Expr(here.expr(&rest[..end])?));
            rest = &rest[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.into()));
        }
        Ok(Self(pieces))
    }

    pub(super) fn literal(text: &str) -> Self {
        Self(vec![Piece::Literal(text.into())])
    }

    /// The text, when no expression is in it.
    pub(super) fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

/// Where the closing brace is; those in literals close nothing.
fn end_of_expression(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '}') => return Some(at),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}
