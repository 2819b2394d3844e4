//! A document as JSON, its references followed.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

/// A description that does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {why}")]
pub(crate) struct BadDescription {
    /// The place in the document, `#/paths/…`.
    pub(crate) at: String,
    pub(crate) why: String,
    /// It may be right; it is not understood here.
    pub(crate) is_unsupported: bool,
}

impl BadDescription {
    pub(super) fn new(at: &str, why: impl Into<String>) -> Self {
        Self { at: at.to_owned(), why: why.into(), is_unsupported: false }
    }

    pub(super) fn unsupported(at: &str, why: impl Into<String>) -> Self {
        Self { is_unsupported: true, ..Self::new(at, why) }
    }
}

/// Which form a description has; they differ in a few keywords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Swagger2,
    Three,
    ThreeOne,
}

/// References that lead to references.
const MAX_STEPS: usize = 50;
/// YAML within YAML.
const MAX_DEPTH: usize = 100;

#[derive(Debug)]
pub(super) struct Document {
    pub(super) root: Value,
    pub(super) form: Form,
}

impl Document {
    /// Reads JSON, or YAML where it is none.
    pub(super) fn read(text: &str) -> Result<Self, BadDescription> {
        let bad = |why: String| BadDescription::new("#", why);
        let text = text.trim_start_matches('\u{feff}');
        let root = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| bad(format!("it is no JSON: {error}")))?
        } else {
            let documents = Yaml::load_from_str(text).map_err(|error| {
                bad(format!("it is no YAML: line {}: {}", error.marker().line(), error.info()))
            })?;
            let [document] = documents.as_slice() else { return Err(bad("it is not one document".into())) };
            json(document, 0).ok_or_else(|| bad("it has tags, or keys that are no text".into()))?
        };
        let version = |name: &str| root.get(name).map(scalar).unwrap_or_default();
        let form = match (version("openapi"), version("swagger")) {
            (three, _) if three.starts_with("3.0") => Form::Three,
            (three, _) if three.starts_with("3.1") => Form::ThreeOne,
            (_, two) if two.starts_with('2') => Form::Swagger2,
            _ => return Err(bad("it is no description in OpenAPI 2.0, 3.0 or 3.1".into())),
        };
        Ok(Self { root, form })
    }

    /// What stands behind `$ref`s, and where; something that has none stays.
    pub(super) fn follow<'d>(
        &'d self,
        mut value: &'d Value,
        at: &str,
    ) -> Result<(&'d Value, String), BadDescription> {
        let mut place = at.to_owned();
        for _ in 0..MAX_STEPS {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
                return Ok((value, place));
            };
            let pointer = reference.strip_prefix('#').ok_or_else(|| {
                BadDescription::new(&place, format!("$ref '{reference}' leads out of the document"))
            })?;
            let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8_lossy();
            value = self
                .root
                .pointer(&pointer)
                .ok_or_else(|| BadDescription::new(&place, format!("$ref '{reference}' leads nowhere")))?;
            place = reference.to_owned();
        }
        Err(BadDescription::new(at, "$ref leads in a circle"))
    }
}

/// A member that is an object; nothing is an empty one.
pub(super) fn object<'d>(
    parent: &'d Value,
    name: &str,
    at: &str,
) -> Result<Option<&'d Map<String, Value>>, BadDescription> {
    match parent.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(members)) => Ok(Some(members)),
        Some(_) => Err(BadDescription::new(at, format!("{name} must be an object"))),
    }
}

pub(super) fn flag(parent: &Value, name: &str) -> bool {
    parent.get(name).and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A part of a pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn json(yaml: &Yaml<'_>, depth: usize) -> Option<Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    Some(match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => (*value).into(),
        Yaml::Value(Scalar::Integer(value)) => (*value).into(),
        Yaml::Value(Scalar::FloatingPoint(value)) => value.into_inner().into(),
        Yaml::Value(Scalar::String(value)) => value.to_string().into(),
        Yaml::Sequence(items) => {
            Value::Array(items.iter().map(|item| json(item, depth + 1)).collect::<Option<_>>()?)
        }
        Yaml::Mapping(members) => {
            let mut map = Map::new();
            for (key, value) in members {
                let key = match key {
                    Yaml::Value(Scalar::String(key)) => key.to_string(),
                    Yaml::Value(Scalar::Integer(key)) => key.to_string(),
                    Yaml::Value(Scalar::Boolean(key)) => key.to_string(),
                    _ => return None,
                };
                map.insert(key, json(value, depth + 1)?);
            }
            Value::Object(map)
        }
        _ => return None,
    })
}
