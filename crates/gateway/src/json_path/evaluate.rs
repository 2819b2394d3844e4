//! Walking a document.

use std::borrow::Cow;
use std::cell::Cell;

use super::function::{Argument, at};
use super::{Found, JsonPath, Step, TooManySteps};
use crate::json::Json;

/// Values that one evaluation may visit.
const MAX_VISITS: usize = 2_000_000;

pub(super) fn evaluate<'v, 't>(
    path: &'v JsonPath,
    document: &'v Json<'t>,
) -> Result<Found<'v, 't>, TooManySteps> {
    Walk { document, visits: Cell::new(MAX_VISITS) }.path(path, document)
}

/// An evaluation under way.
pub(super) struct Walk<'v, 't> {
    pub(super) document: &'v Json<'t>,
    visits: Cell<usize>,
}

impl<'v, 't> Walk<'v, 't> {
    /// Follows a path from `from`.
    pub(super) fn path<'w>(
        &self,
        path: &'w JsonPath,
        from: &'w Json<'t>,
    ) -> Result<Found<'w, 't>, TooManySteps>
    where
        'v: 'w,
    {
        let mut found = Vec::new();
        let is_definite_prefix_there = self.steps(&path.steps, from, true, &mut found)?;
        let is_definite = path.is_definite();
        let Some((function, arguments)) = &path.function else {
            return Ok(match is_definite {
                true => found.pop().map_or(Found::Nothing, Found::One),
                false if !is_definite_prefix_there => Found::Nothing,
                false => Found::Many(found),
            });
        };
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(match argument {
                Argument::Literal(value) => Found::One(Cow::Owned(value.clone())),
                Argument::Path(path) => self.path(path, self.document)?,
            });
        }
        // After `..` a function is asked about everything that was found, else about each.
        if path.is_scan() {
            let all = Json::Array(found.into_iter().map(Cow::into_owned).collect());
            return Ok(function
                .apply(&all, &values)
                .map_or(Found::Nothing, |value| Found::One(Cow::Owned(value))));
        }
        let mut results = found.iter().filter_map(|value| function.apply(value, &values)).map(Cow::Owned);
        Ok(match is_definite {
            true => results.next().map_or(Found::Nothing, Found::One),
            false => Found::Many(results.collect()),
        })
    }

    /// Adds what `steps` lead to from `here`. Says whether nothing was missing while the path was definite.
    fn steps<'w>(
        &self,
        steps: &'w [Step],
        here: &'w Json<'t>,
        definite: bool,
        found: &mut Vec<Cow<'w, Json<'t>>>,
    ) -> Result<bool, TooManySteps> {
        self.visits.set(self.visits.get().checked_sub(1).ok_or(TooManySteps)?);
        let Some((step, rest)) = steps.split_first() else {
            found.push(Cow::Borrowed(here));
            return Ok(true);
        };
        match step {
            Step::Names(names) if names.len() > 1 && rest.is_empty() => {
                let Json::Object(members) = here else { return Ok(false) };
                let wanted = members.iter().filter(|(name, _)| names.iter().any(|one| **one == **name));
                found.push(Cow::Owned(Json::Object(wanted.cloned().collect())));
            }
            Step::Names(names) => {
                let several = names.len() > 1;
                for name in names {
                    match here.get(name) {
                        Some(value) => {
                            let there = self.steps(rest, value, definite && !several, found)?;
                            if definite && !several {
                                return Ok(there);
                            }
                        }
                        None if definite && !several => return Ok(false),
                        None => {}
                    }
                }
            }
            Step::Indexes(indexes) => {
                let Json::Array(items) = here else { return Ok(false) };
                for index in indexes {
                    let several = indexes.len() > 1;
                    match at(items, *index) {
                        Some(value) => {
                            let there = self.steps(rest, value, definite && !several, found)?;
                            if definite && !several {
                                return Ok(there);
                            }
                        }
                        None if definite && !several => return Ok(false),
                        None => {}
                    }
                }
            }
            Step::Slice(from, to) => {
                let Json::Array(items) = here else { return Ok(false) };
                for index in slice(*from, *to, items.len()) {
                    if let Some(item) = at(items, index) {
                        self.steps(rest, item, false, found)?;
                    }
                }
            }
            Step::Wildcard => {
                for value in children(here) {
                    self.steps(rest, value, false, found)?;
                }
            }
            Step::Filter(filter) => match here {
                Json::Array(items) => {
                    for item in items {
                        self.visits.set(self.visits.get().checked_sub(1).ok_or(TooManySteps)?);
                        if filter.holds(self, item)? {
                            self.steps(rest, item, false, found)?;
                        }
                    }
                }
                // An object is tested itself.
                Json::Object(_) if filter.holds(self, here)? => {
                    self.steps(rest, here, false, found)?;
                }
                _ => {}
            },
            Step::Scan => self.scan(rest, here, found)?,
        }
        Ok(true)
    }

    /// Takes the next step from `here` and from every container below it, in document order.
    fn scan<'w>(
        &self,
        rest: &'w [Step],
        here: &'w Json<'t>,
        found: &mut Vec<Cow<'w, Json<'t>>>,
    ) -> Result<(), TooManySteps> {
        // An item of an array that a filter follows is tested by the array, not again by itself.
        let is_filter = matches!(rest.first(), Some(Step::Filter(_)));
        let mut waiting = vec![(here, false)];
        while let Some((value, is_item)) = waiting.pop() {
            let is_array = match value {
                Json::Array(_) => true,
                Json::Object(_) => false,
                _ => continue,
            };
            if is_array || !(is_item && is_filter) {
                self.steps(rest, value, false, found)?;
            }
            let before = waiting.len();
            waiting.extend(children(value).map(|value| (value, is_array)));
            waiting[before..].reverse();
        }
        Ok(())
    }
}

fn children<'w, 't>(value: &'w Json<'t>) -> impl Iterator<Item = &'w Json<'t>> {
    let (items, members): (&[Json<'t>], &[_]) = match value {
        Json::Array(items) => (items, &[]),
        Json::Object(members) => (&[], members),
        _ => (&[], &[]),
    };
    items.iter().chain(members.iter().map(|(_, value): &(Cow<'t, str>, Json<'t>)| value))
}

/// As the library slices: with both ends given, negative ones are not moved to the end first.
fn slice(from: Option<i64>, to: Option<i64>, length: usize) -> std::ops::Range<i64> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    match (from, to) {
        (Some(from), Some(to)) => from.max(-length)..to.min(length),
        (Some(from), None) => (if from < 0 { length.saturating_add(from) } else { from }).max(0)..length,
        (None, Some(to)) => 0..(if to < 0 { length.saturating_add(to) } else { to }).min(length),
        (None, None) => 0..length,
    }
}
