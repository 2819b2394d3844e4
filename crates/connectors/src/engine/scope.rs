//! What expressions and templates of a definition see.

use serde_json::{Map, Value};

use super::Settings;
use crate::definition::Connector;

/// `connection`: every setting of the definition by its wire key, with the definition's default where the
/// instance has none. Settings without either are absent, so that a template that needs one says so.
pub(crate) fn connection_value(connector: &Connector, settings: Settings<'_>) -> Value {
    let given = connector.configuration.iter().filter_map(|setting| {
        let value = settings(&setting.key).filter(|value| !value.is_empty()).or_else(|| setting.default.clone());
        value.map(|value| (setting.key.clone(), Value::from(value)))
    });
    Value::Object(given.collect::<Map<_, _>>())
}
