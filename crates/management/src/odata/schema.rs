//! Entity sets as tables: the one description that parsing, rendering and `$metadata` read.

/// Everything a service has.
#[derive(Debug)]
pub(crate) struct Schema {
    /// Namespace of all types.
    pub(crate) namespace: &'static str,
    /// Name of the entity container.
    pub(crate) container: &'static str,
    /// The entity sets.
    pub(crate) sets: &'static [&'static EntitySet],
}

impl Schema {
    /// The set of this name.
    pub(crate) fn set(&self, name: &str) -> Option<&'static EntitySet> {
        self.sets.iter().copied().find(|set| set.name == name)
    }
}

/// One entity set and its one entity type.
#[derive(Debug)]
pub(crate) struct EntitySet {
    /// On the wire: `APIProxies`.
    pub(crate) name: &'static str,
    /// Name of the type without namespace: `APIProxy`.
    pub(crate) type_name: &'static str,
    /// What a person calls one entity, for messages: `API proxy`.
    pub(crate) title: &'static str,
    /// All properties; those with [`Property::key`] form the key, in this order.
    pub(crate) properties: &'static [Property],
    /// All navigation properties.
    pub(crate) navigation: &'static [Navigation],
}

impl EntitySet {
    /// The key properties in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static Property> + use<> {
        self.properties.iter().filter(|property| property.is_key)
    }

    /// A property by name.
    pub(crate) fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// A navigation property by name.
    pub(crate) fn navigation(&self, name: &str) -> Option<&'static Navigation> {
        self.navigation.iter().find(|navigation| navigation.name == name)
    }
}

/// A property of an entity or of a complex value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Property {
    /// On the wire.
    pub(crate) name: &'static str,
    /// Its type.
    pub(crate) edm: Edm,
    /// Part of the key.
    pub(crate) is_key: bool,
    /// The longest text, in bytes.
    pub(crate) max_bytes: usize,
    /// Accepted in bodies, shown nowhere.
    pub(crate) input_only: bool,
}

/// Types of properties.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Edm {
    String,
    Boolean,
    Int32,
    DateTime,
    Complex(&'static ComplexType),
}

/// A structured value without identity.
#[derive(Debug)]
pub(crate) struct ComplexType {
    /// Name of the type without namespace.
    pub(crate) name: &'static str,
    /// Its fields.
    pub(crate) properties: &'static [Property],
}

impl Property {
    const fn of(name: &'static str, edm: Edm) -> Self {
        Self { name, edm, is_key: false, max_bytes: 1024, input_only: false }
    }

    /// A text of the key, at most 255 bytes.
    pub(crate) const fn key(name: &'static str) -> Self {
        Self { is_key: true, max_bytes: 255, ..Self::of(name, Edm::String) }
    }

    /// A text of at most 1 KiB.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self::of(name, Edm::String)
    }

    /// A truth value.
    pub(crate) const fn flag(name: &'static str) -> Self {
        Self::of(name, Edm::Boolean)
    }

    /// A whole number.
    pub(crate) const fn number(name: &'static str) -> Self {
        Self::of(name, Edm::Int32)
    }

    /// A moment.
    pub(crate) const fn moment(name: &'static str) -> Self {
        Self::of(name, Edm::DateTime)
    }

    /// A structured value.
    pub(crate) const fn complex(name: &'static str, complex: &'static ComplexType) -> Self {
        Self::of(name, Edm::Complex(complex))
    }

    /// With another bound.
    pub(crate) const fn up_to(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// Accepted in bodies, shown nowhere.
    pub(crate) const fn input_only(self) -> Self {
        Self { input_only: true, ..self }
    }
}

impl Edm {
    /// As `$metadata` writes it.
    pub(crate) fn name(self, namespace: &str) -> String {
        match self {
            Self::String => "Edm.String".into(),
            Self::Boolean => "Edm.Boolean".into(),
            Self::Int32 => "Edm.Int32".into(),
            Self::DateTime => "Edm.DateTime".into(),
            Self::Complex(complex) => format!("{namespace}.{}", complex.name),
        }
    }
}

/// A way from an entity to others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Navigation {
    /// On the wire.
    pub(crate) name: &'static str,
    /// Name of the set it leads to.
    pub(crate) target: &'static str,
    /// Leads to a list.
    pub(crate) many: bool,
}

impl Navigation {
    /// To a list.
    pub(crate) const fn many(name: &'static str, target: &'static str) -> Self {
        Self { name, target, many: true }
    }

    /// To at most one.
    pub(crate) const fn one(name: &'static str, target: &'static str) -> Self {
        Self { name, target, many: false }
    }
}
