//! What a client sends to make or change an instance (open-connectors §8.1).

use serde_json::{Map, Value};

use crate::hub::HubProblem;

/// The body of `POST /instances`, `PUT` and `PATCH /instances/{id}`. Fields that are not here are ignored,
/// as the original does; what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct InstanceAsk {
    pub(crate) name: Option<String>,
    pub(crate) element: Option<ElementChoice>,
    pub(crate) provider_data: Option<Map<String, Value>>,
    pub(crate) configuration: Option<Map<String, Value>>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) external_authentication: Option<String>,
}

/// `element`: by key or by id.
#[derive(Debug, Clone, Default)]
pub(crate) struct ElementChoice {
    key: Option<String>,
    id: Option<String>,
}

impl InstanceAsk {
    /// Reads a body; a field of another kind than it must be is named.
    pub(crate) fn read(mut body: Map<String, Value>) -> Result<Self, HubProblem> {
        let mut take = |name: &str| body.remove(name).filter(|value| !value.is_null());
        let text = |name: &str, value: Option<Value>| match value {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(HubProblem::Bad(format!("{name} must be a text"))),
        };
        let object = |name: &str, value: Option<Value>| match value {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => Err(HubProblem::Bad(format!("{name} must be an object"))),
        };
        let tags = match take("tags") {
            None => None,
            Some(Value::Array(tags)) => {
                let given = tags.into_iter().filter(|tag| !tag.is_null());
                let read = given.map(|tag| Ok(text("each of tags", Some(tag))?.unwrap_or_default()));
                Some(read.collect::<Result<Vec<String>, HubProblem>>()?)
            }
            Some(_) => return Err(HubProblem::Bad("tags must be a list of texts".into())),
        };
        let element = object("element", take("element"))?.map(|element| ElementChoice {
            key: element.get("key").and_then(plain_text),
            id: element.get("id").and_then(plain_text),
        });
        Ok(Self {
            name: text("name", take("name"))?,
            element,
            provider_data: object("providerData", take("providerData"))?,
            configuration: object("configuration", take("configuration"))?,
            tags,
            external_authentication: text("externalAuthentication", take("externalAuthentication"))?,
        })
    }
}

impl ElementChoice {
    /// The key, or the id in digits.
    pub(crate) fn key_or_id(&self) -> Option<String> {
        self.key.clone().or_else(|| self.id.clone())
    }
}

impl InstanceAsk {
    /// A value of `providerData`, where clients write numbers and texts alike. Never shown again.
    pub(crate) fn provided(&self, name: &str) -> Option<String> {
        self.provider_data.as_ref()?.get(name).and_then(plain_text).filter(|text| !text.is_empty())
    }
}

/// A JSON value as the text that settings are stored as; `None` for null, lists and objects.
pub(crate) fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
