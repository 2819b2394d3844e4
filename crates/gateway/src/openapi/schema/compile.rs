//! Reading schemas.

use serde_json::Value;

use super::{Format, Range, Schema, SchemaId, Schemas, Type};
use crate::condition::java_regex;
use crate::openapi::document::{BadDescription, Document, Form, escaped};

/// What says nothing about values.
const ANNOTATIONS: &[&str] = &[
    "title",
    "description",
    "default",
    "example",
    "examples",
    "deprecated",
    "externalDocs",
    "xml",
    "discriminator",
    "$schema",
    "$id",
    "id",
    "$comment",
    "$defs",
    "definitions",
    "contentEncoding",
    "contentMediaType",
    "readOnly",
    "writeOnly",
    "nullable",
    "collectionFormat",
    "allowEmptyValue",
    "name",
    "in",
    "if",
    "then",
    "else",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "$anchor",
];
/// Schemas in a description.
const MOST: usize = 20_000;

impl Schemas {
    /// The schema that stands at a place. Schemas that are referred to are compiled once.
    pub(in crate::openapi) fn add(
        &mut self,
        document: &Document,
        value: &Value,
        at: &str,
    ) -> Result<SchemaId, BadDescription> {
        // Beside `$ref` the newest form lets other keywords count; it is the same as all of them together.
        if let Some(members) = value.as_object()
            && members.contains_key("$ref")
            && document.form == Form::ThreeOne
            && members.keys().any(|name| name != "$ref" && !ANNOTATIONS.contains(&name.as_str()))
        {
            let mut rest = members.clone();
            rest.remove("$ref");
            let rest = self.add(document, &Value::Object(rest), at)?;
            let only = serde_json::json!({ "$ref": members["$ref"] });
            let referred = self.add(document, &only, at)?;
            return self.push(at, Schema { all: vec![referred, rest], ..Schema::default() });
        }
        let is_reference = value.get("$ref").is_some();
        let (value, place) = document.follow(value, at)?;
        if is_reference && let Some(known) = self.by_pointer.get(&place) {
            return Ok(*known);
        }
        let id = self.push(&place, Schema::default())?;
        if is_reference {
            self.by_pointer.insert(place.clone(), id);
        }
        let schema = self.schema(document, value, &place)?;
        self.all[id] = schema;
        Ok(id)
    }

    fn push(&mut self, at: &str, schema: Schema) -> Result<SchemaId, BadDescription> {
        if self.all.len() >= MOST {
            return Err(BadDescription::new(at, format!("there are more than {MOST} schemas")));
        }
        self.all.push(schema);
        Ok(self.all.len() - 1)
    }

    fn schema(&mut self, document: &Document, value: &Value, at: &str) -> Result<Schema, BadDescription> {
        let bad = |why: String| BadDescription::new(at, why);
        let mut schema = Schema::default();
        let members = match value {
            Value::Object(members) => members,
            Value::Bool(always) => return Ok(Schema { always: Some(*always), ..schema }),
            _ => return Err(bad("a schema must be an object".into())),
        };
        let flag = |name: &str| members.get(name).and_then(Value::as_bool) == Some(true);
        schema.nullable = flag("nullable") || flag("x-nullable");
        schema.read_only = flag("readOnly");
        schema.write_only = flag("writeOnly");
        for (name, value) in members {
            let inside = || format!("{at}/{}", escaped(name));
            let count = || {
                let count = value.as_u64().or_else(|| {
                    value
                        .as_f64()
                        .filter(|f| f.fract() == 0.0 && *f >= 0.0)
                        .and_then(|f| f.to_string().parse().ok())
                });
                count
                    .and_then(|count| usize::try_from(count).ok())
                    .ok_or_else(|| bad(format!("{name} must be a whole number")))
            };
            let number = || value.as_f64().ok_or_else(|| bad(format!("{name} must be a number")));
            let pattern = |text: &str| {
                java_regex::anywhere(text).map_err(|why| BadDescription::unsupported(&inside(), why))
            };
            match name.as_str() {
                "type" => {
                    schema.types = types(value).ok_or_else(|| bad(format!("type {value} is not known")))?
                }
                "enum" => {
                    let all = value.as_array().ok_or_else(|| bad("enum must be a list".into()))?;
                    schema.allowed = Some(all.clone());
                }
                "const" => schema.allowed = Some(vec![value.clone()]),
                "multipleOf" => match number()? {
                    step if step > 0.0 => schema.multiple_of = Some(step),
                    _ => return Err(bad("multipleOf must be above 0".into())),
                },
                "minimum" => schema.minimum = Some((number()?, flag("exclusiveMinimum"))),
                "maximum" => schema.maximum = Some((number()?, flag("exclusiveMaximum"))),
                "minLength" => schema.length.least = Some(count()?),
                "maxLength" => schema.length.most = Some(count()?),
                "minItems" => schema.items_count.least = Some(count()?),
                "maxItems" => schema.items_count.most = Some(count()?),
                "minProperties" => schema.members_count.least = Some(count()?),
                "maxProperties" => schema.members_count.most = Some(count()?),
                "uniqueItems" => schema.unique = value == &Value::Bool(true),
                "pattern" => {
                    let text = value.as_str().ok_or_else(|| bad("pattern must be a text".into()))?;
                    schema.pattern = Some(pattern(text)?);
                }
                "format" => schema.format = value.as_str().and_then(Format::named),
                "items" => schema.items = Some(self.add(document, value, &inside())?),
                "contains" => schema.contains = Some(self.add(document, value, &inside())?),
                "propertyNames" => schema.names = Some(self.add(document, value, &inside())?),
                "additionalProperties" => schema.additional = Some(self.add(document, value, &inside())?),
                "not" => schema.not = Some(self.add(document, value, &inside())?),
                "prefixItems" => schema.prefix = self.list(document, value, &inside())?,
                "allOf" => schema.all = self.list(document, value, &inside())?,
                "anyOf" => schema.any = self.list(document, value, &inside())?,
                "oneOf" => schema.one = self.list(document, value, &inside())?,
                "properties" | "patternProperties" => {
                    let all = value.as_object().ok_or_else(|| bad(format!("{name} must be an object")))?;
                    for (key, value) in all {
                        let id = self.add(document, value, &format!("{}/{}", inside(), escaped(key)))?;
                        match name.as_str() {
                            "properties" => schema.properties.push((key.clone(), id)),
                            _ => schema.patterns.push((pattern(key)?, id)),
                        }
                    }
                }
                // A member of draft 3, which some still write: it says nothing.
                "required" if value.is_boolean() => {}
                "required" => {
                    let names = value.as_array().ok_or_else(|| bad("required must be a list".into()))?;
                    schema.required = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                }
                known if ANNOTATIONS.contains(&known) || known.starts_with("x-") => {}
                other => {
                    let why = format!("the keyword {other} is not supported");
                    return Err(BadDescription::unsupported(at, why));
                }
            }
        }
        // In the newest form the exclusive bounds are bounds of their own.
        if let Some(least) = members.get("exclusiveMinimum").and_then(Value::as_f64)
            && schema.minimum.is_none_or(|(present, _)| present <= least)
        {
            schema.minimum = Some((least, true));
        }
        if let Some(most) = members.get("exclusiveMaximum").and_then(Value::as_f64)
            && schema.maximum.is_none_or(|(present, _)| present >= most)
        {
            schema.maximum = Some((most, true));
        }
        if let Some(condition) = members.get("if") {
            let condition = self.add(document, condition, &format!("{at}/if"))?;
            let mut branch = |name: &str| {
                members.get(name).map(|value| self.add(document, value, &format!("{at}/{name}"))).transpose()
            };
            let then = branch("then")?;
            schema.condition = Some((condition, then, branch("else")?));
        }
        check_range(schema.length, at)?;
        check_range(schema.items_count, at)?;
        Ok(schema)
    }

    fn list(
        &mut self,
        document: &Document,
        value: &Value,
        at: &str,
    ) -> Result<Vec<SchemaId>, BadDescription> {
        let all = value.as_array().filter(|all| !all.is_empty());
        let all = all.ok_or_else(|| BadDescription::new(at, "a list of schemas is needed"))?;
        let each = all.iter().enumerate();
        each.map(|(index, value)| self.add(document, value, &format!("{at}/{index}"))).collect()
    }
}

fn check_range(range: Range, at: &str) -> Result<(), BadDescription> {
    match (range.least, range.most) {
        (Some(least), Some(most)) if least > most => {
            Err(BadDescription::new(at, format!("at least {least} and at most {most} cannot both hold")))
        }
        _ => Ok(()),
    }
}

fn types(value: &Value) -> Option<Vec<Type>> {
    let one = |value: &Value| {
        Some(match value.as_str()? {
            "null" => Type::Null,
            "boolean" => Type::Boolean,
            "integer" => Type::Integer,
            "number" => Type::Number,
            // A file of OpenAPI 2.0 is whatever its form holds.
            "string" | "file" => Type::String,
            "array" => Type::Array,
            "object" => Type::Object,
            _ => return None,
        })
    };
    match value {
        Value::Array(all) => all.iter().map(one).collect(),
        single => one(single).map(|one| vec![one]),
    }
}
