//! Message templates (api-management §6): text with `{variable}` and `{function(arguments)}` in it.

mod digest;
mod functions;
mod parser;
mod timeformat;
mod xeger;
mod xpath;

use std::borrow::Cow;
use std::sync::Arc;

use crate::exchange::Exchange;
use crate::variable::Variable;
pub(crate) use digest::{Mac, decode_base64};
use functions::Call;

/// A digest as the template function of this name gives it: `sha256Hex`, `md5Base64`, …; `None` when there is
/// no such function.
pub(crate) fn digest(function: &str, bytes: &[u8]) -> Option<String> {
    digest::Digest::function(function).map(|(digest, encoding)| encoding.write(&digest.of(bytes)))
}

/// A moment by a pattern of Java's SimpleDateFormat, in UTC.
pub(crate) fn format_time(pattern: &str, at: pierhead_domain::EpochMillis) -> String {
    timeformat::format(pattern, at)
}

/// A compiled template. Rendering one without variables copies nothing.
#[derive(Debug, Clone, Default)]
pub struct Template {
    parts: Box<[Piece]>,
}

#[derive(Debug, Clone)]
enum Piece {
    Literal(Arc<str>),
    Variable(Variable),
    Call(Box<Call>),
}

/// A template that gives no text for an exchange.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RenderProblem {
    /// It needs a variable that has no value.
    #[error("Unresolved variable : {0}")]
    Unresolved(Arc<str>),
    /// Variables that repeat themselves would otherwise fill the memory of the machine.
    #[error("the text would be longer than {MAX_BYTES} bytes")]
    TooLong,
}

/// The longest text a template may give.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// A template that does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template, character {position}: {why}")]
pub struct BadTemplate {
    /// Byte position in the text, from 0.
    pub position: usize,
    /// What is wrong there.
    pub why: String,
}

impl Template {
    /// Parses `text` with the usual delimiters `{` and `}`.
    pub fn parse(text: &str) -> Result<Self, BadTemplate> {
        Self::parse_with(text, "{", "}")
    }

    /// Parses `text` with other delimiters.
    pub fn parse_with(text: &str, prefix: &str, suffix: &str) -> Result<Self, BadTemplate> {
        parser::parse(text, prefix, suffix).map(|parts| Self { parts: parts.into() })
    }

    /// Text in which nothing is replaced.
    pub fn literal(text: &str) -> Self {
        Self { parts: Box::new([Piece::Literal(text.into())]) }
    }

    /// The text, with every variable replaced. An unresolved variable is empty when `lenient`.
    pub(crate) fn render<'a>(
        &'a self,
        cx: &'a Exchange,
        lenient: bool,
    ) -> Result<Cow<'a, str>, RenderProblem> {
        match &*self.parts {
            [] => Ok(Cow::Borrowed("")),
            [one] => one.render(cx, lenient),
            many => {
                let mut out = String::new();
                for piece in many {
                    let text = piece.render(cx, lenient)?;
                    if out.len() + text.len() > MAX_BYTES {
                        return Err(RenderProblem::TooLong);
                    }
                    out.push_str(&text);
                }
                Ok(Cow::Owned(out))
            }
        }
    }

    /// The text, with what comes from outside rewritten by `escape`, so that it cannot change the meaning of
    /// what stands around it.
    pub(crate) fn render_escaped(
        &self,
        cx: &Exchange,
        lenient: bool,
        escape: impl Fn(&str) -> String,
    ) -> Result<String, RenderProblem> {
        let mut out = String::new();
        for piece in &*self.parts {
            let text = piece.render(cx, lenient)?;
            match piece {
                Piece::Literal(_) => out.push_str(&text),
                Piece::Variable(_) | Piece::Call(_) => out.push_str(&escape(&text)),
            }
            if out.len() > MAX_BYTES {
                return Err(RenderProblem::TooLong);
            }
        }
        Ok(out)
    }

    /// Whether it is the same text for every exchange.
    pub(crate) fn as_literal(&self) -> Option<&str> {
        match &*self.parts {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it shows a `private.` variable, so that the result is not to be traced either.
    pub(crate) fn is_private(&self) -> bool {
        let mut private = false;
        self.each_variable(&mut |variable| private |= variable.is_private());
        private
    }

    /// The variables it reads.
    pub(crate) fn each_variable(&self, visit: &mut dyn FnMut(&Variable)) {
        for piece in &*self.parts {
            match piece {
                Piece::Literal(_) => {}
                Piece::Variable(variable) => visit(variable),
                Piece::Call(call) => call.each_variable(visit),
            }
        }
    }
}

impl Piece {
    fn render<'a>(&'a self, cx: &'a Exchange, lenient: bool) -> Result<Cow<'a, str>, RenderProblem> {
        use crate::condition::Lookup;
        match self {
            Self::Literal(text) => Ok(Cow::Borrowed(text)),
            Self::Variable(variable) => match cx.value(variable).into_text() {
                Some(text) => Ok(text),
                None if lenient => Ok(Cow::Borrowed("")),
                None => Err(RenderProblem::Unresolved(variable.shared_name().clone())),
            },
            Self::Call(call) => call.render(cx, lenient),
        }
    }
}

#[cfg(test)]
mod tests;
