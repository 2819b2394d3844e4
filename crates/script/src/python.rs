//! Python 2 as policies use it, rewritten as JavaScript (decision 053).
//!
//! What it holds: assignments, `if`, `for`, `while`, `def`, `try`, `print`, the operators, texts, lists,
//! dictionaries, comprehensions, and the modules of [`MODULES`]. The rest (classes, generators, `with`, other
//! modules) is refused with its line. Statements stay on their lines, so that errors name the right one.

mod lexer;
mod parser;

/// What there is to import.
pub const MODULES: &[&str] =
    &["base64", "hashlib", "json", "math", "re", "simplejson", "string", "time", "urllib", "urlparse"];

/// The objects and functions that rewritten scripts use: an expression that gives a function, for
/// [`crate::js::Surroundings::prelude`]. Its host has an operation `hash(algorithm, text, form)`.
pub const RUNTIME: &str = include_str!("python/runtime.js");

/// A script that is not rewritten: no Python, or more of it than is understood here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotTranslated {
    /// 1-based.
    pub line: usize,
    /// What is there.
    pub message: String,
}

/// A script in ECMAScript 2020, to run after [`RUNTIME`].
///
/// # Errors
/// With the first line that is not understood.
pub fn translate(source: &str) -> Result<String, NotTranslated> {
    parser::Parser::new(lexer::tokens(source)?).module()
}

#[cfg(test)]
mod tests;
