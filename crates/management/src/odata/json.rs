//! OData V2 JSON: `{"d":…}`, `__metadata`, `__deferred`, `__count`, `__next`.

use serde_json::{Map, Value, json};

use super::schema::{Edm, Property, Schema};
use super::{Entity, ODataError};

/// How entities are written: under which address and with which properties.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writing<'w> {
    pub(super) schema: &'static Schema,
    /// Absolute address of the service, without a slash at the end.
    pub(super) root: &'w str,
    /// Selected paths; empty means everything.
    pub(super) select: &'w [String],
}

impl Writing<'_> {
    /// The address of an entity.
    pub(super) fn uri(&self, entity: &Entity) -> String {
        format!("{}/{}{}", self.root, entity.set.name, entity.key().encoded())
    }

    /// Whether a property at the top is to be written.
    pub(super) fn selects(&self, name: &str) -> bool {
        self.select.is_empty() || self.select.iter().any(|path| path.split('/').next() == Some(name))
    }

    /// The same for a related entity.
    pub(super) fn below(&self) -> Self {
        Self { select: &[], ..*self }
    }

    /// One entity without its envelope.
    pub(super) fn entity(&self, entity: &Entity) -> Value {
        let uri = self.uri(entity);
        let mut fields = Map::new();
        let type_name = format!("{}.{}", self.schema.namespace, entity.set.type_name);
        fields.insert("__metadata".into(), json!({"id": uri, "uri": uri, "type": type_name}));
        for property in entity.set.properties.iter().filter(|property| !property.input_only) {
            if self.selects(property.name) {
                fields.insert(property.name.into(), self.property(property, entity.value(property.name)));
            }
        }
        for navigation in entity.set.navigation.iter().filter(|navigation| self.selects(navigation.name)) {
            let value = match entity.related(navigation.name) {
                None => json!({"__deferred": {"uri": format!("{uri}/{}", navigation.name)}}),
                Some(related) if navigation.many => {
                    json!({"results": related.iter().map(|entity| self.below().entity(entity)).collect::<Vec<_>>()})
                }
                Some(related) => related.first().map_or(Value::Null, |entity| self.below().entity(entity)),
            };
            fields.insert(navigation.name.into(), value);
        }
        Value::Object(fields)
    }

    fn property(&self, property: &Property, value: &Value) -> Value {
        let (Edm::Complex(complex), Value::Object(fields)) = (property.edm, value) else {
            return value.clone();
        };
        let mut written = Map::new();
        let type_name = format!("{}.{}", self.schema.namespace, complex.name);
        written.insert("__metadata".into(), json!({"type": type_name}));
        for field in complex.properties {
            written.insert(field.name.into(), fields.get(field.name).cloned().unwrap_or_default());
        }
        Value::Object(written)
    }

    /// A list with its envelope.
    pub(super) fn list(&self, entities: &[Entity], count: Option<usize>, next: Option<String>) -> Value {
        let mut d = Map::new();
        if let Some(count) = count {
            d.insert("__count".into(), count.to_string().into());
        }
        d.insert("results".into(), entities.iter().map(|entity| self.entity(entity)).collect());
        if let Some(next) = next {
            d.insert("__next".into(), next.into());
        }
        json!({"d": d})
    }

    /// The service document.
    pub(super) fn service(&self) -> Value {
        json!({"d": {"EntitySets": self.schema.sets.iter().map(|set| set.name).collect::<Vec<_>>()}})
    }
}

/// Text of a value for `$value`.
pub(super) fn raw(value: &Value) -> Result<String, ODataError> {
    match value {
        Value::Null => Err(ODataError::not_found("The value")),
        Value::String(text) => Ok(text.clone()),
        other => Ok(other.to_string()),
    }
}
