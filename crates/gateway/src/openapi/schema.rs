//! The JSON Schema of OpenAPI: what its three forms share with drafts 4 to 2020-12.
//!
//! `format` is checked for what [`Format`] names; others say nothing, as the specification has it.

mod compile;
mod format;

use std::collections::HashMap;

use regex::Regex;
use serde_json::{Number, Value};

use format::Format;

/// A schema by its place in [`Schemas`].
pub(super) type SchemaId = usize;

/// All schemas of a description; they may refer to each other in circles.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    all: Vec<Schema>,
    by_pointer: HashMap<String, SchemaId>,
}

/// Which way a message goes: `readOnly` members are not required of requests, `writeOnly` not of responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Request,
    Response,
}

#[derive(Debug, Default)]
struct Schema {
    /// `true` or `false` in place of a schema.
    always: Option<bool>,
    types: Vec<Type>,
    nullable: bool,
    allowed: Option<Vec<Value>>,
    multiple_of: Option<f64>,
    /// Bound and whether it is outside itself.
    minimum: Option<(f64, bool)>,
    maximum: Option<(f64, bool)>,
    length: Range,
    items_count: Range,
    members_count: Range,
    pattern: Option<Regex>,
    format: Option<Format>,
    unique: bool,
    prefix: Vec<SchemaId>,
    items: Option<SchemaId>,
    contains: Option<SchemaId>,
    properties: Vec<(String, SchemaId)>,
    patterns: Vec<(Regex, SchemaId)>,
    additional: Option<SchemaId>,
    names: Option<SchemaId>,
    required: Vec<String>,
    all: Vec<SchemaId>,
    any: Vec<SchemaId>,
    one: Vec<SchemaId>,
    not: Option<SchemaId>,
    condition: Option<(SchemaId, Option<SchemaId>, Option<SchemaId>)>,
    read_only: bool,
    write_only: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Range {
    least: Option<usize>,
    most: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// Schemas within schemas while a value is checked: those that refer to themselves without an end end here.
const MAX_DEPTH: usize = 128;

impl Schemas {
    /// Checks a value. The error says what is wrong and where in the value, as a pointer.
    pub(super) fn check(&self, schema: SchemaId, value: &Value, way: Way) -> Result<(), String> {
        self.check_at(schema, value, way, "", 0)
    }

    fn check_at(&self, id: SchemaId, value: &Value, way: Way, at: &str, depth: usize) -> Result<(), String> {
        let wrong = |why: String| Err(format!("[Path '{}'] {why}", if at.is_empty() { "/" } else { at }));
        if depth > MAX_DEPTH {
            return wrong("the schema refers to itself without an end".into());
        }
        let Some(schema) = self.all.get(id) else { return Ok(()) };
        match schema.always {
            Some(true) => return Ok(()),
            Some(false) => return wrong("nothing is allowed here".into()),
            None => {}
        }
        if value.is_null() && schema.nullable {
            return Ok(());
        }
        if !schema.types.is_empty() && !schema.types.iter().any(|one| one.holds(value)) {
            let wanted: Vec<&str> = schema.types.iter().map(|one| one.name()).collect();
            return wrong(format!("a value of type {} is needed, not {}", wanted.join(" or "), kind(value)));
        }
        if let Some(allowed) = &schema.allowed
            && !allowed.iter().any(|one| same(one, value))
        {
            let shown: Vec<String> = allowed.iter().take(20).map(Value::to_string).collect();
            return wrong(format!("the value is none of [{}]", shown.join(", ")));
        }
        match value {
            Value::Number(number) => schema.number(number).or_else(wrong)?,
            Value::String(text) => schema.text(text).or_else(wrong)?,
            Value::Array(items) => self.array(schema, items, way, at, depth)?,
            Value::Object(members) => self.object(schema, members, way, at, depth)?,
            Value::Null | Value::Bool(_) => {}
        }
        let holds = |id: SchemaId| self.check_at(id, value, way, at, depth + 1);
        schema.all.iter().try_for_each(|id| holds(*id))?;
        if !schema.any.is_empty() {
            let mut first = None;
            let fits = schema.any.iter().any(|id| match holds(*id) {
                Ok(()) => true,
                Err(why) => {
                    first.get_or_insert(why);
                    false
                }
            });
            if !fits {
                return wrong(format!("the value fits none of anyOf: {}", first.unwrap_or_default()));
            }
        }
        if !schema.one.is_empty() {
            let results: Vec<_> = schema.one.iter().map(|id| holds(*id)).collect();
            match results.iter().filter(|result| result.is_ok()).count() {
                1 => {}
                0 => {
                    let first = results.into_iter().find_map(Result::err).unwrap_or_default();
                    return wrong(format!("the value fits none of oneOf: {first}"));
                }
                many => return wrong(format!("the value fits {many} of oneOf")),
            }
        }
        if schema.not.is_some_and(|id| holds(id).is_ok()) {
            return wrong("the value fits what it must not".into());
        }
        if let Some((condition, then, otherwise)) = schema.condition {
            let next = if holds(condition).is_ok() { then } else { otherwise };
            next.map_or(Ok(()), holds)?;
        }
        Ok(())
    }

    fn array(
        &self,
        schema: &Schema,
        items: &[Value],
        way: Way,
        at: &str,
        depth: usize,
    ) -> Result<(), String> {
        let wrong = |why: String| Err(format!("[Path '{}'] {why}", if at.is_empty() { "/" } else { at }));
        schema.items_count.holds(items.len(), "items").or_else(wrong)?;
        if schema.unique {
            let twice =
                items.iter().enumerate().find(|(index, item)| items[..*index].iter().any(|i| same(i, item)));
            if let Some((index, _)) = twice {
                return wrong(format!("item {index} is there already"));
            }
        }
        for (index, item) in items.iter().enumerate() {
            if let Some(id) = schema.prefix.get(index).copied().or(schema.items) {
                self.check_at(id, item, way, &format!("{at}/{index}"), depth + 1)?;
            }
        }
        let holds = |id| items.iter().any(|item| self.check_at(id, item, way, at, depth + 1).is_ok());
        if schema.contains.is_some_and(|id| !holds(id)) {
            return wrong("no item is what one must be".into());
        }
        Ok(())
    }

    fn object(
        &self,
        schema: &Schema,
        members: &serde_json::Map<String, Value>,
        way: Way,
        at: &str,
        depth: usize,
    ) -> Result<(), String> {
        let wrong = |why: String| Err(format!("[Path '{}'] {why}", if at.is_empty() { "/" } else { at }));
        schema.members_count.holds(members.len(), "members").or_else(wrong)?;
        for name in &schema.required {
            if !members.contains_key(name) && !self.is_excused(schema, name, way) {
                return wrong(format!("the member '{name}' is missing"));
            }
        }
        for (name, value) in members {
            let inside = || format!("{at}/{}", super::document::escaped(name));
            if let Some(id) = schema.names {
                self.check_at(id, &Value::String(name.clone()), way, &inside(), depth + 1)?;
            }
            let mut is_known = false;
            if let Some((_, id)) = schema.properties.iter().find(|(known, _)| known == name) {
                is_known = true;
                self.check_at(*id, value, way, &inside(), depth + 1)?;
            }
            for (_, id) in schema.patterns.iter().filter(|(pattern, _)| pattern.is_match(name)) {
                is_known = true;
                self.check_at(*id, value, way, &inside(), depth + 1)?;
            }
            if let Some(id) = schema.additional.filter(|_| !is_known) {
                if self.all.get(id).is_some_and(|schema| schema.always == Some(false)) {
                    return wrong(format!("the member '{name}' is not allowed"));
                }
                self.check_at(id, value, way, &inside(), depth + 1)?;
            }
        }
        Ok(())
    }

    /// Whether a member that is required need not be there on this way.
    fn is_excused(&self, schema: &Schema, name: &str, way: Way) -> bool {
        let property = schema.properties.iter().find(|(known, _)| known == name);
        property.and_then(|(_, id)| self.all.get(*id)).is_some_and(|of| match way {
            Way::Request => of.read_only,
            Way::Response => of.write_only,
        })
    }

    /// The schema of the items, and of a member, for values that are written as text.
    pub(super) fn items_of(&self, id: SchemaId) -> Option<SchemaId> {
        self.all.get(id)?.items
    }

    pub(super) fn member_of(&self, id: SchemaId, name: &str) -> Option<SchemaId> {
        let schema = self.all.get(id)?;
        let own = schema.properties.iter().find(|(known, _)| known == name).map(|(_, id)| *id);
        own.or_else(|| schema.all.iter().find_map(|id| self.member_of(*id, name))).or(schema.additional)
    }

    pub(super) fn takes_arrays(&self, id: SchemaId) -> bool {
        self.all.get(id).is_some_and(|schema| schema.types.contains(&Type::Array))
    }

    pub(super) fn takes_objects(&self, id: SchemaId) -> bool {
        self.all
            .get(id)
            .is_some_and(|schema| schema.types.contains(&Type::Object) || !schema.properties.is_empty())
    }

    pub(super) fn member_names(&self, id: SchemaId) -> Vec<&str> {
        self.all
            .get(id)
            .map(|schema| schema.properties.iter().map(|(name, _)| name.as_str()).collect())
            .unwrap_or_default()
    }
}

impl Schema {
    fn number(&self, number: &Number) -> Result<(), String> {
        let value = number.as_f64().unwrap_or(f64::NAN);
        if let Some((least, outside)) = self.minimum
            && (value < least || outside && value <= least)
        {
            return Err(format!("{number} is below {least}"));
        }
        if let Some((most, outside)) = self.maximum
            && (value > most || outside && value >= most)
        {
            return Err(format!("{number} is above {most}"));
        }
        if let Some(step) = self.multiple_of {
            let times = value / step;
            if (times - times.round()).abs() > 1e-9 * times.abs().max(1.0) {
                return Err(format!("{number} is no multiple of {step}"));
            }
        }
        self.format.map_or(Ok(()), |format| format.number(number))
    }

    fn text(&self, text: &str) -> Result<(), String> {
        self.length.holds(text.chars().count(), "characters")?;
        if let Some(pattern) = &self.pattern
            && !pattern.is_match(text)
        {
            return Err(format!("the text does not match {pattern}"));
        }
        self.format.map_or(Ok(()), |format| format.text(text))
    }
}

impl Range {
    fn holds(self, count: usize, what: &str) -> Result<(), String> {
        match (self.least, self.most) {
            (Some(least), _) if count < least => Err(format!("there are {count} {what}, {least} are needed")),
            (_, Some(most)) if count > most => Err(format!("there are {count} {what}, {most} are allowed")),
            _ => Ok(()),
        }
    }
}

impl Type {
    fn holds(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Integer, Value::Number(number)) => {
                number.is_i64()
                    || number.is_u64()
                    || number.as_f64().is_some_and(|value| value.fract() == 0.0)
            }
            (Self::Null, Value::Null)
            | (Self::Boolean, Value::Bool(_))
            | (Self::Number, Value::Number(_))
            | (Self::String, Value::String(_))
            | (Self::Array, Value::Array(_))
            | (Self::Object, Value::Object(_)) => true,
            _ => false,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Equality of JSON: `1` is `1.0`.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}
