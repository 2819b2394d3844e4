//! Types of a discovery document: JSON Schema as of 2010, with Google's formats.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::shown;

/// Properties that the Drive description calls read-only although creating a permission needs them.
const WRITTEN_ALL_THE_SAME: &[(&str, &str)] = &[("Permission", "emailAddress"), ("Permission", "domain")];

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Schema {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    format: Option<String>,
    #[serde(rename = "enum")]
    accepted: Option<Vec<String>>,
    minimum: Option<String>,
    maximum: Option<String>,
    #[serde(default)]
    properties: HashMap<String, Schema>,
    additional_properties: Option<Box<Schema>>,
    items: Option<Box<Schema>>,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    description: String,
}

impl Schema {
    /// What is wrong with a query parameter's text.
    pub(super) fn objection_to_text(&self, text: &str) -> Option<String> {
        match self.kind.as_deref() {
            Some("boolean") if !matches!(text, "true" | "false") => {
                Some(format!("must be true or false, not {text:?}"))
            }
            Some("integer") => match text.parse::<i64>() {
                Ok(number) => self.objection_to_number(number),
                Err(_) => Some(format!("must be a whole number, not {text:?}")),
            },
            Some("number") if text.parse::<f64>().is_err() => Some(format!("must be a number, not {text:?}")),
            _ => self.objection_to_choice(text),
        }
    }

    fn objection_to_number(&self, number: i64) -> Option<String> {
        let bound = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<i64>().ok());
        let least = bound(&self.minimum).or_else(|| self.is("int32").then_some(i64::from(i32::MIN)));
        let most = bound(&self.maximum).or_else(|| self.is("int32").then_some(i64::from(i32::MAX)));
        let inside = least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most);
        (!inside).then(|| format!("{number} is outside {least:?}..{most:?}"))
    }

    fn objection_to_choice(&self, text: &str) -> Option<String> {
        let accepted = self.accepted.as_ref()?;
        (!accepted.iter().any(|choice| choice == text))
            .then(|| format!("must be one of {accepted:?}, not {text:?}"))
    }

    fn is(&self, format: &str) -> bool {
        self.format.as_deref() == Some(format)
    }

    fn server_writes(&self) -> bool {
        self.read_only || self.description.starts_with("Output only")
    }
}

type Schemas = HashMap<String, Schema>;

/// Everything in a body that its schema does not allow.
pub(super) fn check(schemas: &Schemas, name: &str, body: &Value, found: &mut Vec<String>) {
    match schemas.get(name) {
        Some(schema) => walk(schemas, name, schema, body, name, found),
        None => found.push(format!("the description lacks its own schema {name}")),
    }
}

/// Whether a path of property names leads somewhere. Lists are looked through; `*` is any property.
pub(super) fn leads_somewhere(schemas: &Schemas, name: &str, path: &[&str]) -> bool {
    schemas.get(name).is_some_and(|schema| leads(schemas, schema, path))
}

fn leads(schemas: &Schemas, schema: &Schema, path: &[&str]) -> bool {
    let schema = resolve(schemas, schema);
    let Some((first, rest)) = path.split_first() else { return true };
    if let Some(items) = &schema.items {
        return leads(schemas, items, path);
    }
    if let Some(values) = &schema.additional_properties {
        return leads(schemas, values, rest);
    }
    match schema.properties.get(*first) {
        Some(property) => leads(schemas, property, rest),
        None => *first == "*" && schema.properties.values().any(|property| leads(schemas, property, rest)),
    }
}

fn resolve<'s>(schemas: &'s Schemas, schema: &'s Schema) -> &'s Schema {
    schema.reference.as_ref().and_then(|name| schemas.get(name)).unwrap_or(schema)
}

fn walk(schemas: &Schemas, owner: &str, schema: &Schema, value: &Value, at: &str, found: &mut Vec<String>) {
    let owner = schema.reference.as_deref().unwrap_or(owner);
    let schema = resolve(schemas, schema);
    let wrong = |needed: &str| format!("{at} must be {needed}, not {}", shown(value));
    match (schema.kind.as_deref(), value) {
        // Null takes a value away where patch semantics apply.
        (_, Value::Null) | (Some("any") | None, _) => {}
        (Some("object"), Value::Object(object)) => {
            for (name, inner) in object {
                let place = format!("{at}.{name}");
                let known = schema.properties.get(name);
                if known.is_some_and(Schema::server_writes)
                    && !WRITTEN_ALL_THE_SAME.contains(&(owner, name.as_str()))
                {
                    found.push(format!("{place} is written by the server only"));
                }
                match known.or(schema.additional_properties.as_deref()) {
                    Some(property) => walk(schemas, owner, property, inner, &place, found),
                    None => found.push(format!("{place} is not described")),
                }
            }
        }
        (Some("array"), Value::Array(list)) => {
            for (index, inner) in list.iter().enumerate() {
                if let Some(items) = &schema.items {
                    walk(schemas, owner, items, inner, &format!("{at}[{index}]"), found);
                }
            }
        }
        (Some("string"), Value::String(text)) => {
            if schema.is("date-time") && OffsetDateTime::parse(text, &Rfc3339).is_err() {
                found.push(wrong("an RFC 3339 time"));
            }
            if (schema.is("int64") && text.parse::<i64>().is_err())
                || (schema.is("uint64") && text.parse::<u64>().is_err())
            {
                found.push(wrong("a whole number in quotes"));
            }
            found.extend(schema.objection_to_choice(text).map(|why| format!("{at} {why}")));
        }
        (Some("integer"), Value::Number(number)) => match number.as_i64() {
            Some(number) => found.extend(schema.objection_to_number(number).map(|why| format!("{at} {why}"))),
            None => found.push(wrong("a whole number")),
        },
        (Some("boolean"), Value::Bool(_)) | (Some("number"), Value::Number(_)) => {}
        (Some(kind), _) => found.push(wrong(kind)),
    }
}
