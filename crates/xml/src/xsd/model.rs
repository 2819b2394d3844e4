//! The components of a schema.

use std::sync::Arc;

use super::identity::Constraint;
use super::simple::Simple;
use crate::xpath::ExpandedName;

/// An element declaration. Types are indices.
#[derive(Debug, Clone)]
pub(super) struct Element {
    pub(super) name: ExpandedName,
    pub(super) kind: usize,
    pub(super) nillable: bool,
    pub(super) is_abstract: bool,
    pub(super) fixed: Option<Box<str>>,
    pub(super) default: Option<Box<str>>,
    pub(super) blocks: Blocks,
    pub(super) constraints: Vec<Constraint>,
}

#[derive(Debug, Clone)]
pub(super) struct Type {
    pub(super) base: Option<usize>,
    pub(super) by: Method,
    pub(super) is_abstract: bool,
    pub(super) blocks: Blocks,
    pub(super) content: Content,
    pub(super) attributes: Vec<Attribute>,
    pub(super) any_attribute: Option<Wildcard>,
}

/// How a type is made from its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Restriction,
    Extension,
}

/// What may not stand in for a declaration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) substitution: bool,
    pub(super) extension: bool,
    pub(super) restriction: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Simple(Arc<Simple>),
    /// `None` is empty.
    Elements {
        particle: Option<Particle>,
        mixed: bool,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Particle {
    pub(super) least: u32,
    /// `None` is any number.
    pub(super) most: Option<u32>,
    pub(super) term: Term,
}

#[derive(Debug, Clone)]
pub(super) enum Term {
    Element(usize),
    Any(Wildcard),
    Sequence(Vec<Particle>),
    Choice(Vec<Particle>),
    All(Vec<Particle>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wildcard {
    pub(super) allows: Allows,
    pub(super) process: Process,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Allows {
    Any,
    /// Every namespace but this and none.
    Other(Box<str>),
    Listed(Vec<Box<str>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    Strict,
    Lax,
    Skip,
}

#[derive(Debug, Clone)]
pub(super) struct Attribute {
    pub(super) name: ExpandedName,
    pub(super) kind: Arc<Simple>,
    pub(super) usage: Usage,
    pub(super) fixed: Option<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    Optional,
    Required,
    Prohibited,
}

impl Wildcard {
    pub(super) fn allows(&self, namespace: &str) -> bool {
        match &self.allows {
            Allows::Any => true,
            Allows::Other(target) => !namespace.is_empty() && **target != *namespace,
            Allows::Listed(listed) => listed.iter().any(|allowed| **allowed == *namespace),
        }
    }
}

impl Particle {
    pub(super) const fn once(term: Term) -> Self {
        Self { least: 1, most: Some(1), term }
    }
}
