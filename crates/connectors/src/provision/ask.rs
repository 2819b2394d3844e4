//! What a client sends to make or change an instance (open-connectors §8.1).

use serde::Deserialize;
use serde_json::{Map, Value};

/// The body of `POST /instances`, `PUT` and `PATCH /instances/{id}`. Fields that are not here are ignored,
/// as the original does; what is `None` stays as it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct InstanceAsk {
    pub(crate) name: Option<String>,
    pub(crate) element: Option<ElementChoice>,
    pub(crate) provider_data: Option<Map<String, Value>>,
    pub(crate) configuration: Option<Map<String, Value>>,
    pub(crate) tags: Option<Vec<Option<String>>>,
    pub(crate) external_authentication: Option<String>,
}

/// `element`: by key or by id.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ElementChoice {
    pub(crate) key: Option<String>,
    pub(crate) id: Option<Value>,
}

impl ElementChoice {
    /// The key, or the id in digits.
    pub(crate) fn key_or_id(&self) -> Option<String> {
        self.key.clone().or_else(|| self.id.as_ref().and_then(plain_text))
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
