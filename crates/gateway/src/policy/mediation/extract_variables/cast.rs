//! Types of extracted variables.

use crate::variable::Stored;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VariableType {
    Text,
    Boolean,
    Integer,
    Long,
    Float,
    Double,
    /// A piece of the document as text.
    Nodes,
}

const TYPES: &[(&str, VariableType)] = &[
    ("string", VariableType::Text),
    ("boolean", VariableType::Boolean),
    ("integer", VariableType::Integer),
    ("long", VariableType::Long),
    ("float", VariableType::Float),
    ("double", VariableType::Double),
    ("nodeset", VariableType::Nodes),
];

impl VariableType {
    pub(super) fn named(name: &str) -> Option<Self> {
        TYPES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    pub(super) fn name(self) -> &'static str {
        TYPES.iter().find(|(_, kind)| *kind == self).map_or("string", |(name, _)| name)
    }

    /// `None` when the text is no value of the type.
    pub(super) fn cast(self, text: &str) -> Option<Stored> {
        let trimmed = text.trim();
        Some(match self {
            Self::Text | Self::Nodes => Stored::from(text),
            Self::Boolean if trimmed.eq_ignore_ascii_case("true") => Stored::Boolean(true),
            Self::Boolean if trimmed.eq_ignore_ascii_case("false") => Stored::Boolean(false),
            Self::Boolean => return None,
            Self::Integer => Stored::Integer(trimmed.parse().ok()?),
            Self::Long => Stored::Long(trimmed.parse().ok()?),
            Self::Float => Stored::Float(trimmed.parse().ok()?),
            Self::Double => Stored::Double(trimmed.parse().ok()?),
        })
    }
}
