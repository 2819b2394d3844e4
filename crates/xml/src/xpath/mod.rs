//! XPath 1.0 (W3C Recommendation of 16 November 1999): compiled once, evaluated many times.

mod ast;
mod compare;
mod eval;
mod focus;
mod functions;
mod lexer;
mod number;
mod parser;
mod step;
mod strings;
#[cfg(test)]
mod tests;
mod value;

use crate::document::Node;

pub(crate) use ast::{Axis, ExpandedName, Expr, NameTest, NodeTest, Path, Predicate, Start, Step};
pub(crate) use eval::{Evaluation, Work};
pub(crate) use focus::{Dynamic, Focus, Statics};
pub(crate) use number::{parse_number, write_number};
pub(crate) use parser::parse;
pub(crate) use step::Test;
pub use value::Value;

/// An expression that does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("XPath, character {position}: {why}")]
pub struct BadXPath {
    /// Byte position in the expression, from 0.
    pub position: usize,
    /// What is wrong there.
    pub why: String,
}

/// An expression that gives no value for a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XPathError {
    /// A variable has no value.
    #[error("the variable ${0} has no value")]
    UnknownVariable(String),
    /// Nodes were needed: paths, unions and some functions take nothing else.
    #[error("{0} needs nodes")]
    NotNodes(&'static str),
    /// Looking further would take too long.
    #[error("evaluating takes more than {0} steps")]
    TooMuchWork(u64),
    /// A function refused its arguments; the text names the function.
    #[error("{0}")]
    Function(String),
}

/// Whether there is a function of this name.
pub(crate) fn is_function(name: &ExpandedName, later: bool) -> bool {
    functions::Function::named(name, later).is_some()
}

/// How many nodes an evaluation may look at, unless the caller says otherwise.
pub const DEFAULT_WORK: u64 = 20_000_000;

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct XPath {
    expr: Expr,
}

impl XPath {
    /// Compiles `expression`. `namespaces` are the prefixes it may use, with what they stand for; names
    /// without a prefix are in no namespace. Functions are the core library's; variables are looked up when
    /// the expression is evaluated.
    pub fn compile(expression: &str, namespaces: &[(&str, &str)]) -> Result<Self, BadXPath> {
        let expr = parser::parse(expression, &focus::Prefixes(namespaces))?;
        Ok(Self { expr: expr.optimised() })
    }

    /// The value for `node`, which is the context node.
    pub fn evaluate<'d>(&self, node: Node<'d>) -> Result<Value<'d>, XPathError> {
        self.evaluate_with(node, &[])
    }

    /// The value for `node`, with values of variables without a prefix.
    pub fn evaluate_with<'d>(
        &self,
        node: Node<'d>,
        variables: &[(&str, Value<'d>)],
    ) -> Result<Value<'d>, XPathError> {
        let work = Work::new(DEFAULT_WORK);
        let evaluation = Evaluation { dynamic: &focus::Variables(variables), work: &work };
        evaluation.value(&self.expr, &Focus::on(node))
    }

    /// The nodes in document order; an error when the value is something else.
    pub fn nodes<'d>(&self, node: Node<'d>) -> Result<Vec<Node<'d>>, XPathError> {
        self.evaluate(node)?.into_nodes("the expression")
    }

    /// The value as the function `string` converts it: of nodes the text of the first.
    pub fn string(&self, node: Node<'_>) -> Result<String, XPathError> {
        Ok(self.evaluate(node)?.to_text().into_owned())
    }

    /// The value as the function `number` converts it.
    pub fn number(&self, node: Node<'_>) -> Result<f64, XPathError> {
        Ok(self.evaluate(node)?.to_number())
    }

    /// The value as the function `boolean` converts it.
    pub fn boolean(&self, node: Node<'_>) -> Result<bool, XPathError> {
        Ok(self.evaluate(node)?.to_boolean())
    }

    /// Whether the expression can only give nodes: paths, unions, and what they are filtered to. A variable
    /// or function might; they are not counted.
    pub fn gives_nodes(&self) -> bool {
        self.expr.gives_nodes()
    }
}
