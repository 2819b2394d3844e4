//! A compiled expression.

use std::borrow::Cow;

use serde_json::Value;

use crate::ast::Expr;
use crate::error::{CompileError, EvalError};
use crate::eval::{Halt, Machine};
use crate::limits::Limits;
use crate::parse;
use crate::variables::Variables;

/// A compiled expression: turns one JSON value into any number of JSON values.
#[derive(Debug, Clone)]
pub struct Program {
    text: String,
    expr: Expr,
    names: Vec<String>,
    limits: Limits,
}

impl Program {
    /// Compiles `text`, at most 64 KiB and 100 levels deep.
    pub fn compile(text: &str) -> Result<Self, CompileError> {
        let (expr, names) = parse::program(text)?;
        Ok(Self { text: text.to_owned(), expr, names, limits: Limits::default() })
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The text this was compiled from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Names of the variables the host must give, each once.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The fixed member path this program reads (`.a.b` gives `a`, `b`), if it does nothing else. Such a
    /// program can be turned round: a mapping that reads it can also write it.
    pub fn as_path(&self) -> Option<Vec<&str>> {
        self.expr.as_path()
    }

    /// All values the program gives for `input`.
    pub fn all(&self, input: &Value, variables: &Variables<'_>) -> Result<Vec<Value>, EvalError> {
        let mut found = Vec::new();
        self.each(input, variables, &mut |value| {
            found.push(value.into_owned());
            Ok(())
        })?;
        Ok(found)
    }

    /// The first value the program gives; evaluation stops there.
    pub fn first(&self, input: &Value, variables: &Variables<'_>) -> Result<Option<Value>, EvalError> {
        let mut found = None;
        self.each(input, variables, &mut |value| {
            found = Some(value.into_owned());
            Err(Halt::Stop)
        })?;
        Ok(found)
    }

    /// The first value, null when there is none.
    pub fn value(&self, input: &Value, variables: &Variables<'_>) -> Result<Value, EvalError> {
        Ok(self.first(input, variables)?.unwrap_or(Value::Null))
    }

    /// Whether the first value is neither null nor false.
    pub fn test(&self, input: &Value, variables: &Variables<'_>) -> Result<bool, EvalError> {
        let mut truth = false;
        self.each(input, variables, &mut |value| {
            truth = !matches!(*value, Value::Null | Value::Bool(false));
            Err(Halt::Stop)
        })?;
        Ok(truth)
    }

    fn each(
        &self,
        input: &Value,
        variables: &Variables<'_>,
        out: &mut dyn FnMut(Cow<'_, Value>) -> Result<(), Halt>,
    ) -> Result<(), EvalError> {
        match Machine::new(variables, self.limits).run(&self.expr, input, out) {
            Ok(()) | Err(Halt::Stop) => Ok(()),
            Err(Halt::Failed(error)) => Err(*error),
        }
    }
}
