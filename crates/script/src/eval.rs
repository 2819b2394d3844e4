//! Runs a compiled expression. Values flow to a sink one by one, so nothing is collected that need not be,
//! and selections are borrowed from the input.

use std::borrow::Cow;
use std::ops::Deref;

use serde_json::{Map, Value};

use crate::ast::{Expr, Kind, Piece};
use crate::error::EvalError;
use crate::functions::{self, Body};
use crate::limits::{Exhausted, Limits, Meter};
use crate::variables::Variables;
use crate::{operators, strings};

/// Why evaluation ended early.
pub(crate) enum Halt {
    /// The sink has seen enough.
    Stop,
    /// The program failed.
    Failed(Box<EvalError>),
}

pub(crate) type Outcome = Result<(), Halt>;
pub(crate) type Sink<'s> = dyn FnMut(Cow<'_, Value>) -> Outcome + 's;

/// One evaluation: the host's variables and what is left of the limits.
pub(crate) struct Machine<'m> {
    variables: &'m Variables<'m>,
    pub(crate) meter: Meter,
}

/// Variables bound by `as`, innermost first.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    name: &'s str,
    value: &'s Value,
    outer: Option<&'s Scope<'s>>,
}

pub(crate) fn fail(at: usize, message: impl Into<String>) -> Halt {
    Halt::Failed(Box::new(EvalError::new(at, message)))
}

impl<'m> Machine<'m> {
    pub(crate) fn new(variables: &'m Variables<'m>, limits: Limits) -> Self {
        Self { variables, meter: Meter::new(limits) }
    }

    pub(crate) fn run(&self, expr: &Expr, input: &Value, out: &mut Sink<'_>) -> Outcome {
        self.eval(expr, input, None, out)
    }

    pub(crate) fn grow(&self, at: usize, by: usize) -> Outcome {
        self.meter.grow(by).map_err(|Exhausted(why)| fail(at, why))
    }

    pub(crate) fn eval(
        &self,
        expr: &Expr,
        input: &Value,
        scope: Option<&Scope<'_>>,
        out: &mut Sink<'_>,
    ) -> Outcome {
        let at = expr.at;
        self.meter.step().map_err(|Exhausted(why)| fail(at, why))?;
        match &expr.kind {
            Kind::Identity => out(Cow::Borrowed(input)),
            Kind::Literal(value) => out(Cow::Borrowed(value)),
            Kind::Variable(name) => out(Cow::Borrowed(self.variable(at, name, scope)?)),
            Kind::Field(target, name) => {
                self.eval(target, input, scope, &mut |value| field(at, value, name, out))
            }
            Kind::Index(target, index) => self.eval(target, input, scope, &mut |value| {
                self.eval(index, input, scope, &mut |index| element(at, &value, &index, out))
            }),
            Kind::Slice(target, from, to) => {
                let from = self.optional_value(from.as_deref(), input, scope)?;
                let to = self.optional_value(to.as_deref(), input, scope)?;
                self.eval(target, input, scope, &mut |value| {
                    let part = operators::slice(&value, &from, &to).map_err(|why| fail(at, why))?;
                    self.grow(at, operators::weight(&part))?;
                    out(Cow::Owned(part))
                })
            }
            Kind::Iterate(target) => self.eval(target, input, scope, &mut |value| match value.deref() {
                Value::Array(items) => items.iter().try_for_each(|item| out(Cow::Borrowed(item))),
                Value::Object(members) => members.values().try_for_each(|item| out(Cow::Borrowed(item))),
                // As with members: what is not there has nothing in it.
                Value::Null => Ok(()),
                other => Err(fail(at, format!("cannot iterate over {}", operators::kind(other)))),
            }),
            Kind::Optional(inner) => {
                // Collected first, so that a failure of what comes after is not swallowed here.
                let found = match self.collect(inner, input, scope) {
                    (found, None | Some(Halt::Failed(_))) => found,
                    (_, Some(Halt::Stop)) => return Err(Halt::Stop),
                };
                found.into_iter().try_for_each(|value| out(Cow::Owned(value)))
            }
            Kind::Text(pieces) => {
                self.text(at, pieces, input, scope).and_then(|text| out(Cow::Owned(text.into())))
            }
            Kind::Array(inner) => {
                let mut items = Vec::new();
                if let Some(inner) = inner {
                    self.eval(inner, input, scope, &mut |value| {
                        self.grow(at, operators::weight(&value))?;
                        items.push(value.into_owned());
                        Ok(())
                    })?;
                }
                out(Cow::Owned(Value::Array(items)))
            }
            Kind::Object(members) => {
                self.object(at, members, input, scope).and_then(|made| out(Cow::Owned(made)))
            }
            Kind::Pipe(left, right) => {
                self.eval(left, input, scope, &mut |value| self.eval(right, &value, scope, out))
            }
            Kind::Comma(left, right) => {
                self.eval(left, input, scope, out)?;
                self.eval(right, input, scope, out)
            }
            Kind::Default(left, right) => {
                let found = match self.collect(left, input, scope) {
                    (found, None | Some(Halt::Failed(_))) => found,
                    (_, Some(Halt::Stop)) => return Err(Halt::Stop),
                };
                let mut found = found.into_iter().filter(truthy).peekable();
                match found.peek() {
                    Some(_) => found.try_for_each(|value| out(Cow::Owned(value))),
                    None => self.eval(right, input, scope, out),
                }
            }
            Kind::And(left, right) => {
                let both = self.truth(left, input, scope)? && self.truth(right, input, scope)?;
                out(Cow::Owned(both.into()))
            }
            Kind::Or(left, right) => {
                let either = self.truth(left, input, scope)? || self.truth(right, input, scope)?;
                out(Cow::Owned(either.into()))
            }
            Kind::Binary(operator, left, right) => self.eval(right, input, scope, &mut |right| {
                self.eval(left, input, scope, &mut |left| {
                    let made = operators::apply(*operator, &left, &right).map_err(|why| fail(at, why))?;
                    self.grow(at, operators::weight(&made))?;
                    out(Cow::Owned(made))
                })
            }),
            Kind::Negate(inner) => self.eval(inner, input, scope, &mut |value| {
                let made = operators::negate(&value).map_err(|why| fail(at, why))?;
                out(Cow::Owned(made))
            }),
            Kind::If(condition, then, otherwise) => {
                if self.truth(condition, input, scope)? {
                    self.eval(then, input, scope, out)
                } else if let Some(otherwise) = otherwise {
                    self.eval(otherwise, input, scope, out)
                } else {
                    out(Cow::Borrowed(input))
                }
            }
            Kind::Bind(source, name, body) => self.eval(source, input, scope, &mut |value| {
                let inner = Scope { name, value: &value, outer: scope };
                self.eval(body, input, Some(&inner), out)
            }),
            Kind::Call(function, arguments) => match function.body {
                Body::Form(form) => functions::form(self, form, at, arguments, input, scope, out),
                Body::Value(compute) => {
                    let mut given = Vec::with_capacity(arguments.len());
                    for argument in arguments {
                        given.push(self.value(argument, input, scope)?);
                    }
                    let made = compute(input, &given)
                        .map_err(|why| fail(at, format!("{}: {why}", function.name)))?;
                    self.grow(at, operators::weight(&made))?;
                    out(Cow::Owned(made))
                }
            },
        }
    }

    /// The first value of `expr`, null when there is none.
    pub(crate) fn value(&self, expr: &Expr, input: &Value, scope: Option<&Scope<'_>>) -> Result<Value, Halt> {
        let mut found = None;
        let outcome = self.eval(expr, input, scope, &mut |value| {
            found = Some(value.into_owned());
            Err(Halt::Stop)
        });
        match (outcome, found) {
            (Err(Halt::Failed(error)), _) => Err(Halt::Failed(error)),
            (_, found) => Ok(found.unwrap_or(Value::Null)),
        }
    }

    pub(crate) fn truth(&self, expr: &Expr, input: &Value, scope: Option<&Scope<'_>>) -> Result<bool, Halt> {
        let mut truth = false;
        let outcome = self.eval(expr, input, scope, &mut |value| {
            truth = truthy(&value);
            Err(Halt::Stop)
        });
        match outcome {
            Err(Halt::Failed(error)) => Err(Halt::Failed(error)),
            _ => Ok(truth),
        }
    }

    fn optional_value(
        &self,
        expr: Option<&Expr>,
        input: &Value,
        scope: Option<&Scope<'_>>,
    ) -> Result<Value, Halt> {
        expr.map_or(Ok(Value::Null), |expr| self.value(expr, input, scope))
    }

    fn collect(&self, expr: &Expr, input: &Value, scope: Option<&Scope<'_>>) -> (Vec<Value>, Option<Halt>) {
        let mut found = Vec::new();
        let outcome = self.eval(expr, input, scope, &mut |value| {
            self.grow(expr.at, operators::weight(&value))?;
            found.push(value.into_owned());
            Ok(())
        });
        (found, outcome.err())
    }

    fn variable<'v>(&self, at: usize, name: &str, mut scope: Option<&'v Scope<'v>>) -> Result<&'v Value, Halt>
    where
        'm: 'v,
    {
        while let Some(frame) = scope {
            if frame.name == name {
                return Ok(frame.value);
            }
            scope = frame.outer;
        }
        self.variables.get(name).ok_or_else(|| fail(at, format!("no variable {name} here")))
    }

    fn text(
        &self,
        at: usize,
        pieces: &[Piece],
        input: &Value,
        scope: Option<&Scope<'_>>,
    ) -> Result<String, Halt> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(fixed) => text.push_str(fixed),
                Piece::Expr(expr) => strings::push(&mut text, &self.value(expr, input, scope)?),
            }
        }
        self.grow(at, text.len())?;
        Ok(text)
    }

    fn object(
        &self,
        at: usize,
        members: &[(Expr, Expr)],
        input: &Value,
        scope: Option<&Scope<'_>>,
    ) -> Result<Value, Halt> {
        let mut made = Map::new();
        for (key, value) in members {
            let Value::String(key) = self.value(key, input, scope)? else {
                return Err(fail(key.at, "a member's name must be a string"));
            };
            let value = self.value(value, input, scope)?;
            self.grow(at, key.len() + operators::weight(&value))?;
            made.insert(key, value);
        }
        Ok(Value::Object(made))
    }
}

pub(crate) fn truthy(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

/// `.name`: null has every member, as null.
fn field(at: usize, value: Cow<'_, Value>, name: &str, out: &mut Sink<'_>) -> Outcome {
    match value.deref() {
        Value::Object(members) => out(Cow::Borrowed(members.get(name).unwrap_or(&Value::Null))),
        Value::Null => out(Cow::Borrowed(&Value::Null)),
        other => Err(fail(at, format!("{} has no member {name}", operators::kind(other)))),
    }
}

fn element(at: usize, value: &Value, index: &Value, out: &mut Sink<'_>) -> Outcome {
    let found = match (value, index) {
        (Value::Null, _) => None,
        (Value::Object(members), Value::String(name)) => members.get(name.as_str()),
        (Value::Array(items), Value::Number(number)) => {
            let index = number.as_i64().ok_or_else(|| fail(at, "an index is a whole number"))?;
            usize::try_from(if index < 0 { index.saturating_add(items.len() as i64) } else { index })
                .ok()
                .and_then(|index| items.get(index))
        }
        (value, index) => {
            let (value, index) = (operators::kind(value), operators::kind(index));
            return Err(fail(at, format!("{value} cannot be indexed by {index}")));
        }
    };
    out(Cow::Borrowed(found.unwrap_or(&Value::Null)))
}
