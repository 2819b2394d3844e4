//! One row on its way to the client.

use serde_json::{Map, Value};

use super::{EntitySet, Expand, Key};

/// Values of an entity, and the related entities that were asked for.
#[derive(Debug, Clone)]
pub(crate) struct Entity {
    /// The set it belongs to.
    pub(crate) set: &'static EntitySet,
    /// Values in OData V2's JSON form by property name; what is absent is null.
    pub(crate) values: Map<String, Value>,
    /// Related entities by navigation property.
    pub(crate) related: Vec<(&'static str, Vec<Entity>)>,
}

impl Entity {
    /// An entity with these values.
    pub(crate) fn new(set: &'static EntitySet, values: Value) -> Self {
        let values = match values {
            Value::Object(values) => values,
            _ => Map::new(),
        };
        Self { set, values, related: Vec::new() }
    }

    /// With related entities, if `expand` asks for them; they are made only then.
    pub(crate) fn with(
        mut self,
        expand: &Expand,
        navigation: &'static str,
        related: impl FnOnce(&Expand) -> Vec<Entity>,
    ) -> Self {
        if let Some(below) = expand.below(navigation) {
            self.related.push((navigation, related(below)));
        }
        self
    }

    /// A text value; empty when it is null or no text.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.values.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The value of a property or, with `/`, of a field of a complex one.
    pub(crate) fn value(&self, path: &str) -> &Value {
        let mut names = path.split('/');
        let first = names.next().and_then(|name| self.values.get(name)).unwrap_or(&Value::Null);
        names.fold(first, |value, name| value.get(name).unwrap_or(&Value::Null))
    }

    /// Its key.
    pub(crate) fn key(&self) -> Key {
        Key::of(self.set, self.set.keys().map(|property| self.text(property.name)))
    }

    /// The related entities, when they were asked for.
    pub(crate) fn related(&self, navigation: &str) -> Option<&[Entity]> {
        self.related.iter().find(|(known, _)| *known == navigation).map(|(_, entities)| entities.as_slice())
    }

    /// Takes the related entities out.
    pub(crate) fn take_related(&mut self, navigation: &str) -> Vec<Entity> {
        self.related
            .iter_mut()
            .find(|(known, _)| *known == navigation)
            .map(|(_, entities)| std::mem::take(entities))
            .unwrap_or_default()
    }
}

/// A moment in OData V2's JSON form.
pub(crate) fn moment(millis: i64) -> Value {
    Value::String(format!("/Date({millis})/"))
}

/// Milliseconds since 1970 of a moment in OData V2's JSON form; a time zone offset is only for show.
pub(crate) fn millis(moment: &str) -> Option<i64> {
    let inner = moment.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let digits = inner.find(['+', '-']).filter(|at| *at > 0).map_or(inner, |at| &inner[..at]);
    digits.parse().ok()
}
