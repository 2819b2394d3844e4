//! YAML text as a tree that remembers its lines.

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
#[cfg(test)]
use serde_json::Value;

/// A node of a YAML document and the line it starts on (from 1).
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) data: NodeData,
}

#[derive(Debug, Clone)]
pub(crate) enum NodeData {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Why a text is no YAML, and the line it goes wrong on.
#[derive(Debug)]
pub(crate) struct BadYaml {
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Node {
    /// Reads one document. Repeated keys, several documents and keys that are no strings are errors.
    pub(crate) fn read(text: &str) -> Result<Self, BadYaml> {
        let documents = MarkedYaml::load_from_str(text)
            .map_err(|error| BadYaml { line: error.marker().line(), message: error.info().to_owned() })?;
        match documents.as_slice() {
            [document] => Self::of(document),
            [] => Err(BadYaml { line: 1, message: "the file is empty".to_owned() }),
            _ => Err(BadYaml { line: 1, message: "the file has more than one document".to_owned() }),
        }
    }

    fn of(yaml: &MarkedYaml<'_>) -> Result<Self, BadYaml> {
        let line = yaml.span.start.line();
        let bad = |message: &str| BadYaml { line, message: message.to_owned() };
        let data = match &yaml.data {
            YamlData::Value(Scalar::Null) => NodeData::Null,
            YamlData::Value(Scalar::Boolean(value)) => NodeData::Bool(*value),
            YamlData::Value(Scalar::Integer(value)) => NodeData::Integer(*value),
            YamlData::Value(Scalar::FloatingPoint(value)) => NodeData::Float(value.into_inner()),
            YamlData::Value(Scalar::String(value)) => NodeData::Text(value.to_string()),
            YamlData::Sequence(items) => {
                NodeData::List(items.iter().map(Self::of).collect::<Result<_, _>>()?)
            }
            YamlData::Mapping(members) => {
                let mut map = Vec::with_capacity(members.len());
                for (key, value) in members {
                    let key = match &key.data {
                        YamlData::Value(Scalar::String(key)) => key.to_string(),
                        YamlData::Value(Scalar::Integer(key)) => key.to_string(),
                        YamlData::Value(Scalar::Boolean(key)) => key.to_string(),
                        _ => return Err(bad("a key must be text")),
                    };
                    map.push((key, Self::of(value)?));
                }
                NodeData::Map(map)
            }
            YamlData::Tagged(..) => return Err(bad("tags are not part of the format")),
            YamlData::Alias(_) | YamlData::BadValue | YamlData::Representation(..) => {
                return Err(bad("this value cannot be read"));
            }
        };
        Ok(Self { line, data })
    }

    /// What the node is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.data {
            NodeData::Null => "nothing",
            NodeData::Bool(_) => "a boolean",
            NodeData::Integer(_) | NodeData::Float(_) => "a number",
            NodeData::Text(_) => "text",
            NodeData::List(_) => "a list",
            NodeData::Map(_) => "a block",
        }
    }

    /// A scalar as text; numbers and booleans as they are written.
    pub(crate) fn scalar(&self) -> Option<String> {
        match &self.data {
            NodeData::Text(text) => Some(text.clone()),
            NodeData::Integer(number) => Some(number.to_string()),
            NodeData::Float(number) => Some(number.to_string()),
            NodeData::Bool(value) => Some(value.to_string()),
            NodeData::Null | NodeData::List(_) | NodeData::Map(_) => None,
        }
    }

    /// The same as JSON, for recorded exchanges.
    #[cfg(test)]
    pub(crate) fn to_json(&self) -> Value {
        match &self.data {
            NodeData::Null => Value::Null,
            NodeData::Bool(value) => (*value).into(),
            NodeData::Integer(value) => (*value).into(),
            NodeData::Float(value) => (*value).into(),
            NodeData::Text(value) => value.as_str().into(),
            NodeData::List(items) => items.iter().map(Self::to_json).collect(),
            NodeData::Map(members) => {
                Value::Object(members.iter().map(|(key, value)| (key.clone(), value.to_json())).collect())
            }
        }
    }
}
