//! Request bodies: JSON of one entity with deep inserts, checked against the set's table.

use serde_json::{Map, Value};

use super::schema::{Edm, EntitySet, Property, Schema};
use super::{Key, ODataError};

/// Deepest nesting of inline entities.
const MAX_DEPTH: usize = 12;

/// One entity as a client sent it: known properties of the right types only.
#[derive(Debug, Clone)]
pub(crate) struct Parsed {
    /// The set it is meant for.
    pub(crate) set: &'static EntitySet,
    /// Values by property name; absent ones were not sent.
    pub(crate) values: Map<String, Value>,
    nested: Vec<(&'static str, Vec<Parsed>)>,
    links: Vec<(&'static str, Link)>,
}

/// A reference to an existing entity: `{"__metadata":{"uri":"APIProxies('x')"}}`.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// The set.
    pub(crate) set: &'static EntitySet,
    /// Which of it.
    pub(crate) key: Key,
}

impl Parsed {
    /// Reads a body, with or without the envelope `{"d":…}`.
    pub(crate) fn read(schema: &Schema, set: &'static EntitySet, body: &[u8]) -> Result<Self, ODataError> {
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| ODataError::bad(format!("the body is not JSON: {error}")))?;
        let value = match value {
            Value::Object(mut outer) if outer.len() == 1 && outer.contains_key("d") => {
                outer.remove("d").unwrap_or_default()
            }
            other => other,
        };
        Self::from_json(schema, set, value, 0)
    }

    fn from_json(
        schema: &Schema,
        set: &'static EntitySet,
        value: Value,
        depth: usize,
    ) -> Result<Self, ODataError> {
        if depth > MAX_DEPTH {
            return Err(ODataError::bad(format!("the body nests entities deeper than {MAX_DEPTH}")));
        }
        let Value::Object(fields) = value else {
            return Err(ODataError::bad(format!("an entity of {} must be a JSON object", set.name)));
        };
        let mut parsed = Self { set, values: Map::new(), nested: Vec::new(), links: Vec::new() };
        for (name, value) in fields {
            if name == "__metadata" {
                continue;
            }
            if let Some(property) = set.property(&name) {
                let value = checked(set, property, value)?;
                parsed.values.insert(name, value);
            } else if let Some(navigation) = set.navigation(&name) {
                let target = schema.set(navigation.target).ok_or_else(|| unknown(set, &name))?;
                parsed.take_related(schema, navigation.name, target, value, depth)?;
            } else {
                return Err(unknown(set, &name));
            }
        }
        Ok(parsed)
    }

    fn take_related(
        &mut self,
        schema: &Schema,
        navigation: &'static str,
        target: &'static EntitySet,
        value: Value,
        depth: usize,
    ) -> Result<(), ODataError> {
        let items = match value {
            Value::Null => return Ok(()),
            Value::Array(items) => items,
            Value::Object(mut fields) => match fields.remove("results") {
                Some(Value::Array(items)) => items,
                // A list of one without its brackets, or a single related entity.
                _ if fields.contains_key("__deferred") => return Ok(()),
                _ => vec![Value::Object(fields)],
            },
            _ => {
                return Err(ODataError::bad(format!(
                    "{}.{navigation} must be a list of entities",
                    self.set.name
                )));
            }
        };
        let mut nested = Vec::new();
        for item in items {
            let uri = item.pointer("/__metadata/uri").and_then(Value::as_str);
            let alone = item.as_object().is_some_and(|fields| fields.len() == 1);
            match uri {
                Some(uri) if alone => self.links.push((navigation, Link::parse(schema, uri)?)),
                _ => nested.push(Self::from_json(schema, target, item, depth + 1)?),
            }
        }
        self.nested.push((navigation, nested));
        Ok(())
    }

    /// A text; `None` when it is absent or null.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(Value::as_str)
    }

    /// A truth value; `None` when it is absent or null.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.values.get(name).and_then(Value::as_bool)
    }

    /// A whole number; `None` when it is absent or null.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.values.get(name).and_then(Value::as_i64)
    }

    /// A text that must be there and not be empty.
    pub(crate) fn required(&self, name: &'static str) -> Result<&str, ODataError> {
        self.text(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| ODataError::bad(format!("{}.{name} must be given", self.set.name)))
    }

    /// Inline entities of a navigation property; `None` when it was not sent.
    pub(crate) fn nested(&self, navigation: &str) -> Option<&[Parsed]> {
        self.nested.iter().find(|(known, _)| *known == navigation).map(|(_, nested)| nested.as_slice())
    }

    /// The one inline entity of a navigation property to one.
    pub(crate) fn nested_one(&self, navigation: &str) -> Option<&Parsed> {
        self.nested(navigation).and_then(<[Parsed]>::first)
    }

    /// The linked entities of a navigation property.
    pub(crate) fn links(&self, navigation: &str) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(move |(known, _)| *known == navigation).map(|(_, link)| link)
    }
}

impl Link {
    /// Reads `Set('k')`, alone or at the end of an absolute address.
    pub(crate) fn parse(schema: &Schema, uri: &str) -> Result<Self, ODataError> {
        let bad = || ODataError::bad(format!("'{}' is no link to an entity", uri.escape_debug()));
        let decoded = percent_encoding::percent_decode_str(uri).decode_utf8().map_err(|_| bad())?;
        let (address, predicate) = decoded.split_once('(').ok_or_else(bad)?;
        let name = address.rsplit('/').next().unwrap_or_default();
        let set = schema.set(name).ok_or_else(bad)?;
        let key = Key::parse(set, predicate.strip_suffix(')').ok_or_else(bad)?)?;
        Ok(Self { set, key })
    }
}

fn unknown(set: &EntitySet, name: &str) -> ODataError {
    ODataError::bad(format!("{} has no property '{}'", set.name, name.escape_debug()))
}

/// A value of the property's type. Numbers and truth values may come as text, as V2 clients send them.
fn checked(set: &EntitySet, property: &Property, value: Value) -> Result<Value, ODataError> {
    let wrong = |what: &str| ODataError::bad(format!("{}.{} must be {what}", set.name, property.name));
    match (property.edm, value) {
        (_, Value::Null) => Ok(Value::Null),
        (Edm::String, Value::String(text)) => {
            if text.len() > property.max_bytes {
                return Err(wrong(&format!("at most {} bytes long", property.max_bytes)));
            }
            if text.contains('\0') {
                return Err(wrong("a text without NUL"));
            }
            Ok(Value::String(text))
        }
        (Edm::String, _) => Err(wrong("a text")),
        (Edm::Boolean, Value::Bool(value)) => Ok(Value::Bool(value)),
        (Edm::Boolean, Value::String(text)) if text == "true" || text == "false" => {
            Ok(Value::Bool(text == "true"))
        }
        (Edm::Boolean, _) => Err(wrong("true or false")),
        (Edm::Int32, Value::String(text)) => {
            text.parse::<i32>().map(Value::from).map_err(|_| wrong("a whole number"))
        }
        (Edm::Int32, value) => match value.as_i64() {
            Some(number) if i32::try_from(number).is_ok() => Ok(value),
            _ => Err(wrong("a whole number")),
        },
        // Moments are ours to write; what a client echoes is accepted and not used.
        (Edm::DateTime, value) => Ok(value),
        (Edm::Complex(complex), Value::Object(fields)) => {
            let mut checked_fields = Map::new();
            for (name, value) in fields {
                if name == "__metadata" {
                    continue;
                }
                let field = complex.properties.iter().find(|field| field.name == name);
                let field = field.ok_or_else(|| unknown(set, &format!("{}/{name}", property.name)))?;
                let value = checked(set, field, value)?;
                checked_fields.insert(name, value);
            }
            Ok(Value::Object(checked_fields))
        }
        (Edm::Complex(_), _) => Err(wrong("a JSON object")),
    }
}
