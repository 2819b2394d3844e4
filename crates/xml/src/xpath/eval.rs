//! Evaluating expressions.

use std::cell::Cell;

use super::ast::{Arithmetic, ExpandedName, Expr, Later, Path, Start};
use super::focus::{Dynamic, Focus};
use super::{Value, XPathError};

/// How much may still be done. Shared by all expressions of one piece of work.
#[derive(Debug)]
pub(crate) struct Work {
    all: u64,
    left: Cell<u64>,
}

impl Work {
    pub(crate) const fn new(all: u64) -> Self {
        Self { all, left: Cell::new(all) }
    }

    pub(crate) fn spend(&self, steps: u64) -> Result<(), XPathError> {
        match self.left.get().checked_sub(steps) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(XPathError::TooMuchWork(self.all)),
        }
    }

    /// Working on text costs by its length.
    pub(crate) fn spend_on_text(&self, bytes: usize) -> Result<(), XPathError> {
        self.spend(1 + bytes as u64 / 32)
    }

    pub(super) const fn has(&self, steps: u64) -> bool {
        self.left.get() >= steps
    }
}

/// An evaluation under way.
pub(crate) struct Evaluation<'e, 'd> {
    pub(crate) dynamic: &'e dyn Dynamic<'d>,
    pub(crate) work: &'e Work,
}

impl<'d> Evaluation<'_, 'd> {
    pub(crate) fn value(&self, expr: &Expr, focus: &Focus<'d>) -> Result<Value<'d>, XPathError> {
        self.work.spend(1)?;
        Ok(match expr {
            Expr::Or(all) => {
                for expr in all {
                    if self.value(expr, focus)?.to_boolean() {
                        return Ok(Value::Boolean(true));
                    }
                }
                Value::Boolean(false)
            }
            Expr::And(all) => {
                for expr in all {
                    if !self.value(expr, focus)?.to_boolean() {
                        return Ok(Value::Boolean(false));
                    }
                }
                Value::Boolean(true)
            }
            Expr::Compare(comparison, left, right) => {
                let (left, right) = (self.value(left, focus)?, self.value(right, focus)?);
                self.work.spend(left.weight() + right.weight())?;
                Value::Boolean(comparison.holds(&left, &right))
            }
            Expr::Arithmetic(arithmetic, left, right) => {
                let (left, right) = (self.value(left, focus)?, self.value(right, focus)?);
                Value::Number(arithmetic.of(left.to_number(), right.to_number()))
            }
            Expr::Negate(expr) => Value::Number(-self.value(expr, focus)?.to_number()),
            Expr::Union(all) => {
                let mut nodes = Vec::new();
                for expr in all {
                    nodes.extend(self.value(expr, focus)?.into_nodes("'|'")?);
                }
                self.work.spend(nodes.len() as u64)?;
                nodes.sort_unstable();
                nodes.dedup();
                Value::Nodes(nodes)
            }
            Expr::Path(path) => self.path(path, focus)?,
            Expr::Literal(text) => Value::Text(text.to_string().into()),
            Expr::Number(number) => Value::Number(*number),
            Expr::Variable(name) => self
                .dynamic
                .variable(name)?
                .ok_or_else(|| XPathError::UnknownVariable(name.local.to_string()))?,
            Expr::Call(function, arguments) => self.call(*function, arguments, focus)?,
            Expr::HostCall(function, arguments) => {
                let values = arguments.iter().map(|argument| self.value(argument, focus));
                self.dynamic.call(*function, values.collect::<Result<_, _>>()?, focus)?
            }
            Expr::Later(later) => self.later(later, focus)?,
        })
    }

    fn path(&self, path: &Path, focus: &Focus<'d>) -> Result<Value<'d>, XPathError> {
        let mut nodes = match &path.start {
            Start::Context => vec![focus.node],
            Start::Root => vec![focus.node.document().root()],
            Start::Expr(expr) => {
                let value = self.value(expr, focus)?;
                // A predicate of a sequence of values (XPath 2.0) picks values.
                if path.steps.is_empty()
                    && matches!(value, Value::Sequence(_) | Value::Text(_) | Value::Number(_))
                {
                    return self.filter_items(path, value, focus);
                }
                value.into_nodes("a path")?
            }
        };
        for predicate in &path.predicates {
            nodes = self.filter(predicate, nodes)?;
        }
        for step in &path.steps {
            nodes = self.step(step, &nodes)?;
        }
        Ok(Value::Nodes(nodes))
    }

    fn filter_items(
        &self,
        path: &Path,
        value: Value<'d>,
        focus: &Focus<'d>,
    ) -> Result<Value<'d>, XPathError> {
        if !matches!(value, Value::Sequence(_)) && path.predicates.is_empty() {
            return Ok(value);
        }
        let Value::Sequence(mut items) = value else { return Err(XPathError::NotNodes("a predicate")) };
        for predicate in &path.predicates {
            let size = items.len();
            let mut kept = Vec::new();
            for (index, item) in items.into_iter().enumerate() {
                let inner = match &item {
                    Value::Nodes(nodes) => nodes.first().copied().unwrap_or(focus.node),
                    _ => focus.node,
                };
                let focus = Focus { node: inner, position: index + 1, size };
                let holds = match predicate {
                    super::ast::Predicate::Position(position) => *position == index + 1,
                    super::ast::Predicate::Expr(expr) => match self.value(expr, &focus)? {
                        #[expect(clippy::cast_precision_loss, reason = "few items")]
                        Value::Number(number) => number == (index + 1) as f64,
                        value => value.to_boolean(),
                    },
                };
                if holds {
                    kept.push(item);
                }
            }
            items = kept;
        }
        Ok(Value::from_items(items))
    }

    fn later(&self, later: &Later, focus: &Focus<'d>) -> Result<Value<'d>, XPathError> {
        let nodes = |expr, of| self.value(expr, focus)?.into_nodes(of);
        Ok(match later {
            Later::Sequence(all) => {
                let mut items = Vec::new();
                for expr in all {
                    items.extend(self.value(expr, focus)?.into_items());
                }
                Value::from_items(items)
            }
            Later::Range(from, to) => {
                let (from, to) = (self.value(from, focus)?.to_number(), self.value(to, focus)?.to_number());
                let mut items = Vec::new();
                let mut number = from.round();
                while number <= to {
                    self.work.spend(1)?;
                    items.push(Value::Number(number));
                    number += 1.0;
                }
                Value::from_items(items)
            }
            Later::If { test, then, otherwise } => {
                let chosen = if self.value(test, focus)?.to_boolean() { then } else { otherwise };
                self.value(chosen, focus)?
            }
            Later::For { variable, over, each } => {
                let mut items = Vec::new();
                for item in self.value(over, focus)?.into_items() {
                    let bound = Bound { name: variable, value: item, outer: self.dynamic };
                    let inner = Evaluation { dynamic: &bound, work: self.work };
                    items.extend(inner.value(each, focus)?.into_items());
                }
                Value::from_items(items)
            }
            Later::Quantified { every, variable, over, holds } => {
                for item in self.value(over, focus)?.into_items() {
                    let bound = Bound { name: variable, value: item, outer: self.dynamic };
                    let inner = Evaluation { dynamic: &bound, work: self.work };
                    if inner.value(holds, focus)?.to_boolean() != *every {
                        return Ok(Value::Boolean(!every));
                    }
                }
                Value::Boolean(*every)
            }
            Later::ValueCompare(comparison, left, right) => {
                let (left, right) = (self.value(left, focus)?, self.value(right, focus)?);
                if left.len() == 0 || right.len() == 0 {
                    return Ok(Value::Sequence(Vec::new()));
                }
                Value::Boolean(comparison.holds_of_values(&left, &right))
            }
            Later::Intersect(left, right) => {
                let (left, right) = (nodes(left, "'intersect'")?, nodes(right, "'intersect'")?);
                Value::Nodes(left.into_iter().filter(|node| right.binary_search(node).is_ok()).collect())
            }
            Later::Except(left, right) => {
                let (left, right) = (nodes(left, "'except'")?, nodes(right, "'except'")?);
                Value::Nodes(left.into_iter().filter(|node| right.binary_search(node).is_err()).collect())
            }
            Later::Is(left, right) => {
                let (left, right) = (nodes(left, "'is'")?, nodes(right, "'is'")?);
                Value::Boolean(!left.is_empty() && left.first() == right.first())
            }
        })
    }
}

impl Arithmetic {
    fn of(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::DivideWhole => (left / right).trunc(),
            // The sign is that of the first, as in Rust.
            Self::Modulo => left % right,
        }
    }
}

/// One more variable.
struct Bound<'e, 'd> {
    name: &'e ExpandedName,
    value: Value<'d>,
    outer: &'e dyn Dynamic<'d>,
}

impl<'d> Dynamic<'d> for Bound<'_, 'd> {
    fn variable(&self, name: &ExpandedName) -> Result<Option<Value<'d>>, XPathError> {
        if name == self.name { Ok(Some(self.value.clone())) } else { self.outer.variable(name) }
    }

    fn call(
        &self,
        function: u32,
        arguments: Vec<Value<'d>>,
        focus: &Focus<'d>,
    ) -> Result<Value<'d>, XPathError> {
        self.outer.call(function, arguments, focus)
    }
}
