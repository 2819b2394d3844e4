//! What surrounds an expression: names when it is compiled, values when it is evaluated.

use super::{ExpandedName, Value, XPathError};
use crate::document::Node;

/// What is known when an expression is compiled.
pub(crate) trait Statics {
    /// What a prefix stands for.
    fn namespace(&self, prefix: &str) -> Option<String>;

    /// The namespace of element names without a prefix.
    fn element_namespace(&self) -> &str {
        ""
    }

    /// Whether XPath 2.0 is allowed.
    fn is_later(&self) -> bool {
        false
    }

    /// The number of a function of the host, or why it cannot be called so.
    fn function(&self, name: &ExpandedName, arguments: usize) -> Option<Result<u32, String>> {
        let _ = (name, arguments);
        None
    }

    /// Whether a variable may be used here.
    fn has_variable(&self, name: &ExpandedName) -> bool {
        let _ = name;
        true
    }
}

/// What is known when an expression is evaluated.
pub(crate) trait Dynamic<'d> {
    /// The value of a variable.
    fn variable(&self, name: &ExpandedName) -> Result<Option<Value<'d>>, XPathError>;

    /// Calls a function of the host.
    fn call(
        &self,
        function: u32,
        arguments: Vec<Value<'d>>,
        focus: &Focus<'d>,
    ) -> Result<Value<'d>, XPathError>;
}

/// The context node and its place among those that are looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Focus<'d> {
    pub(crate) node: Node<'d>,
    /// From 1.
    pub(crate) position: usize,
    pub(crate) size: usize,
}

impl<'d> Focus<'d> {
    pub(crate) const fn on(node: Node<'d>) -> Self {
        Self { node, position: 1, size: 1 }
    }
}

/// Prefixes and nothing else.
pub(super) struct Prefixes<'p>(pub(super) &'p [(&'p str, &'p str)]);

impl Statics for Prefixes<'_> {
    fn namespace(&self, prefix: &str) -> Option<String> {
        if prefix == "xml" {
            return Some(crate::names::XML.to_owned());
        }
        self.0.iter().find(|(bound, _)| *bound == prefix).map(|(_, uri)| (*uri).to_owned())
    }
}

/// Variables and nothing else.
pub(super) struct Variables<'v, 'd>(pub(super) &'v [(&'v str, Value<'d>)]);

impl<'d> Dynamic<'d> for Variables<'_, 'd> {
    fn variable(&self, name: &ExpandedName) -> Result<Option<Value<'d>>, XPathError> {
        let found = self.0.iter().find(|(variable, _)| name.uri.is_empty() && *variable == &*name.local);
        Ok(found.map(|(_, value)| value.clone()))
    }

    fn call(&self, _: u32, _: Vec<Value<'d>>, _: &Focus<'d>) -> Result<Value<'d>, XPathError> {
        Err(XPathError::Function("there are no functions but the core library's".to_owned()))
    }
}
