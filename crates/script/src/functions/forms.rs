//! Functions that evaluate their arguments themselves, once per element or not at all.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::array;
use crate::ast::Expr;
use crate::eval::{Halt, Machine, Outcome, Scope, Sink, fail, truthy};
use crate::operators::weight;
use crate::order::compare;
use crate::strings;

/// Which form.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    All,
    Any,
    Empty,
    Error,
    First,
    Last,
    Map,
    MapValues,
    MaxBy,
    MinBy,
    Not,
    Select,
    SortBy,
}

pub(crate) fn form(
    machine: &Machine<'_>,
    form: Form,
    at: usize,
    arguments: &[Expr],
    input: &Value,
    scope: Option<&Scope<'_>>,
    out: &mut Sink<'_>,
) -> Outcome {
    let argument = arguments.first();
    let items = || array(input).map_err(|why| fail(at, why));
    match (form, argument) {
        (Form::Empty, _) => Ok(()),
        (Form::Not, _) => out(Cow::Owned((!truthy(input)).into())),
        (Form::Error, argument) => {
            let message =
                argument.map_or(Ok(input.clone()), |argument| machine.value(argument, input, scope))?;
            Err(fail(at, strings::of(&message).chars().take(500).collect::<String>()))
        }
        (Form::Select, Some(condition)) => {
            if machine.truth(condition, input, scope)? {
                out(Cow::Borrowed(input))
            } else {
                Ok(())
            }
        }
        (Form::First, Some(inner)) => {
            let mut found = None;
            let outcome = machine.eval(inner, input, scope, &mut |value| {
                found = Some(value.into_owned());
                Err(Halt::Stop)
            });
            match (outcome, found) {
                (Err(Halt::Failed(error)), _) => Err(Halt::Failed(error)),
                (_, Some(value)) => out(Cow::Owned(value)),
                (_, None) => Ok(()),
            }
        }
        (Form::Last, Some(inner)) => {
            let mut found = None;
            machine.eval(inner, input, scope, &mut |value| {
                found = Some(value.into_owned());
                Ok(())
            })?;
            found.map_or(Ok(()), |value| out(Cow::Owned(value)))
        }
        (Form::First, None) => out(Cow::Borrowed(items()?.first().unwrap_or(&Value::Null))),
        (Form::Last, None) => out(Cow::Borrowed(items()?.last().unwrap_or(&Value::Null))),
        (Form::Map, Some(inner)) => {
            let mut made = Vec::new();
            for item in items()? {
                machine.eval(inner, item, scope, &mut |value| {
                    machine.grow(at, weight(&value))?;
                    made.push(value.into_owned());
                    Ok(())
                })?;
            }
            out(Cow::Owned(Value::Array(made)))
        }
        (Form::MapValues, Some(inner)) => {
            let members = input.as_object().ok_or_else(|| fail(at, "map_values: needs an object"))?;
            let mut made = Map::new();
            for (key, member) in members {
                let value = machine.value(inner, member, scope)?;
                machine.grow(at, key.len() + weight(&value))?;
                made.insert(key.clone(), value);
            }
            out(Cow::Owned(Value::Object(made)))
        }
        (Form::Any, argument) => {
            let mut any = false;
            for item in items()? {
                any |= argument.map_or(Ok(truthy(item)), |inner| machine.truth(inner, item, scope))?;
            }
            out(Cow::Owned(any.into()))
        }
        (Form::All, argument) => {
            let mut all = true;
            for item in items()? {
                all &= argument.map_or(Ok(truthy(item)), |inner| machine.truth(inner, item, scope))?;
            }
            out(Cow::Owned(all.into()))
        }
        (Form::SortBy | Form::MinBy | Form::MaxBy, Some(inner)) => {
            let mut keyed = Vec::new();
            for item in items()? {
                machine.grow(at, weight(item))?;
                keyed.push((machine.value(inner, item, scope)?, item));
            }
            let by_key =
                |left: &(Value, &Value), right: &(Value, &Value)| -> Ordering { compare(&left.0, &right.0) };
            let made = match form {
                Form::MinBy => {
                    keyed.iter().min_by(|l, r| by_key(l, r)).map_or(Value::Null, |(_, item)| (*item).clone())
                }
                Form::MaxBy => {
                    keyed.iter().max_by(|l, r| by_key(l, r)).map_or(Value::Null, |(_, item)| (*item).clone())
                }
                _ => {
                    keyed.sort_by(by_key);
                    keyed.into_iter().map(|(_, item)| item.clone()).collect()
                }
            };
            out(Cow::Owned(made))
        }
        (Form::Select | Form::Map | Form::MapValues | Form::SortBy | Form::MinBy | Form::MaxBy, None) => {
            Err(fail(at, "an argument is missing"))
        }
    }
}
