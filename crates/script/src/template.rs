//! Text with expressions in braces: `"https://{connection.host}/x/{id}"`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::ast::{Expr, Piece};
use crate::error::{CompileError, EvalError};
use crate::eval::{Halt, Machine};
use crate::limits::Limits;
use crate::variables::Variables;
use crate::{parse, strings};

/// What is done to a value before it is put between the fixed text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// Nothing.
    None,
    /// Percent-encoding of everything but RFC 3986's unreserved characters, so that a value stays inside
    /// its path segment; left out when the expression itself ends with `urlencode` or `urlpath`.
    Url,
    /// The five entities of XML.
    Xml,
}

/// Everything that is not unreserved in RFC 3986 §2.3.
pub(crate) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Fixed text with expressions in `{…}`; `{{` and `}}` stand for the braces themselves. A bare name
/// is a variable of the host.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
    names: Vec<String>,
    escape: Escape,
}

impl Template {
    /// Compiles `text`.
    pub fn compile(text: &str, escape: Escape) -> Result<Self, CompileError> {
        let (mut pieces, mut names, mut fixed) = (Vec::new(), Vec::new(), String::new());
        let mut at = 0;
        while let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) {
            at += next.len_utf8();
            match next {
                '{' | '}' if text[at..].starts_with(next) => {
                    at += 1;
                    fixed.push(next);
                }
                '}' => return Err(CompileError::new(at - 1, "a single }: write }} for the character")),
                '{' => {
                    let (expr, used, behind) = parse::braced(text, at)?;
                    names.extend(used.into_iter().filter(|name| !names.contains(name)).collect::<Vec<_>>());
                    pieces.push(Piece::Text(std::mem::take(&mut fixed)));
                    pieces.push(Piece::Expr(expr));
                    at = behind;
                }
                other => fixed.push(other),
            }
        }
        pieces.push(Piece::Text(fixed));
        Ok(Self { text: text.to_owned(), pieces, names, escape })
    }

    /// The text this was compiled from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Names of the variables the host must give, each once.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Fills the template. A value that is null, missing, an array or an object is an error.
    pub fn render(&self, input: &Value, variables: &Variables<'_>) -> Result<String, EvalError> {
        match self.fill(input, variables)? {
            Filled::Text(text) => Ok(text),
            Filled::Missing(at) => Err(EvalError::new(at, "the value is missing")),
        }
    }

    /// Fills the template; none when any of its values is null or missing.
    pub fn render_optional(
        &self,
        input: &Value,
        variables: &Variables<'_>,
    ) -> Result<Option<String>, EvalError> {
        match self.fill(input, variables)? {
            Filled::Text(text) => Ok(Some(text)),
            Filled::Missing(_) => Ok(None),
        }
    }

    fn fill(&self, input: &Value, variables: &Variables<'_>) -> Result<Filled, EvalError> {
        let machine = Machine::new(variables, Limits::default());
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(fixed) => text.push_str(fixed),
                Piece::Expr(expr) => {
                    let value = machine.value(expr, input, None).map_err(|halt| match halt {
                        Halt::Failed(error) => *error,
                        Halt::Stop => EvalError::new(expr.at, "stopped"),
                    })?;
                    match &value {
                        Value::Null => return Ok(Filled::Missing(expr.at)),
                        Value::Array(_) | Value::Object(_) => {
                            return Err(EvalError::new(expr.at, "arrays and objects are no text"));
                        }
                        value => self.push(&mut text, expr, &strings::of(value)),
                    }
                }
            }
        }
        Ok(Filled::Text(text))
    }

    fn push(&self, text: &mut String, expr: &Expr, value: &str) {
        match self.escape {
            Escape::None => text.push_str(value),
            Escape::Url if matches!(expr.last_call(), Some("urlencode" | "urlpath")) => text.push_str(value),
            Escape::Url => text.extend(utf8_percent_encode(value, RESERVED)),
            Escape::Xml => {
                for c in value.chars() {
                    match c {
                        '<' => text.push_str("&lt;"),
                        '>' => text.push_str("&gt;"),
                        '&' => text.push_str("&amp;"),
                        '"' => text.push_str("&quot;"),
                        '\'' => text.push_str("&apos;"),
                        c => text.push(c),
                    }
                }
            }
        }
    }
}

enum Filled {
    Text(String),
    Missing(usize),
}
