//! XML Schema 1.0 (W3C Recommendation, second edition): structures and data types.
//!
//! A schema is compiled from its documents, which find each other by name among those that are given: nothing is
//! fetched. What is not supported (`redefine`, notations, and all of 1.1) is refused when it is compiled.

mod attributes;
mod builtin;
mod content;
mod identity;
mod load;
mod model;
mod particles;
mod read;
mod simple;
mod simple_types;
#[cfg(test)]
mod tests;
mod time;
mod types;
mod validate;

use ahash::AHashMap;

use crate::document::{BadXml, Document, Node};
use crate::limits::Limits;
use crate::xpath::ExpandedName;
use model::{Attribute, Element, Type};

/// The namespace of schemas.
pub(crate) const XSD: &str = "http://www.w3.org/2001/XMLSchema";
/// The namespace of `xsi:type` and `xsi:nil`.
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A schema that does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{document}, line {line}: {why}")]
pub struct BadSchema {
    /// The name of the document.
    pub document: String,
    /// 1-based.
    pub line: u32,
    /// What is wrong there.
    pub why: String,
}

impl BadSchema {
    pub(crate) fn of(document: &str, bad: BadXml) -> Self {
        Self { document: document.to_owned(), line: bad.line, why: bad.why }
    }
}

/// The first rule that a document breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Invalid {
    /// In the document, 1-based.
    pub line: u32,
    /// Names of elements and attributes, and the rule; no values.
    pub why: String,
}

/// A compiled schema. Any number of threads may validate with it at once.
#[derive(Debug)]
pub struct Schema {
    elements: Vec<Element>,
    types: Vec<Type>,
    globals: AHashMap<ExpandedName, usize>,
    named_types: AHashMap<ExpandedName, usize>,
    attributes: AHashMap<ExpandedName, Attribute>,
    /// Elements that may stand for others, by whom they may stand for.
    substitutes: AHashMap<ExpandedName, Vec<usize>>,
}

impl Schema {
    /// Compiles the schema `name` of `documents`, pairs of a name and a text. Others are found by the last
    /// part of their `schemaLocation`.
    pub fn compile(name: &str, documents: &[(&str, &str)], limits: &Limits) -> Result<Self, BadSchema> {
        let loaded = load::load(name, documents, limits)?;
        read::compile(&loaded)
    }

    /// Compiles schemas that stand inside another document, as a WSDL's do.
    pub(crate) fn of_nodes(
        roots: &[Node<'_>],
        name: &str,
        documents: &[(&str, &str)],
        limits: &Limits,
    ) -> Result<Self, BadSchema> {
        let loaded = load::load_nodes(roots, name, documents, limits)?;
        read::compile(&loaded)
    }

    /// Checks a whole document.
    pub fn validate(&self, document: &Document) -> Result<(), Invalid> {
        match document.element() {
            Some(element) => self.validate_element(element),
            None => Err(Invalid { line: 1, why: "there is no element".to_owned() }),
        }
    }

    /// Checks an element, which must be declared in the schema.
    pub fn validate_element(&self, element: Node<'_>) -> Result<(), Invalid> {
        validate::validate(self, element)
    }

    /// Checks an element by a type of the schema, or a built-in one.
    pub(crate) fn validate_as(&self, element: Node<'_>, namespace: &str, local: &str) -> Result<(), Invalid> {
        validate::validate_as(self, element, &ExpandedName { uri: namespace.into(), local: local.into() })
    }

    /// Whether there is a type of this name, built-in ones included.
    pub(crate) fn has_type(&self, namespace: &str, local: &str) -> bool {
        self.named_types.contains_key(&ExpandedName { uri: namespace.into(), local: local.into() })
            || (namespace == XSD && builtin::Builtin::named(local).is_some())
    }

    /// Whether an element of this name is declared for the outermost place.
    pub fn declares(&self, namespace: &str, local: &str) -> bool {
        self.globals.contains_key(&ExpandedName { uri: namespace.into(), local: local.into() })
    }
}
