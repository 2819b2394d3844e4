//! What expressions of a stylesheet are compiled against.

use std::cell::RefCell;

use super::functions::Host;
use super::{BadStylesheet, Select, XSLT};
use crate::document::Node;
use crate::names::split_qname;
use crate::xpath::{ExpandedName, Expr, Statics, parse};

/// What all expressions of a stylesheet share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) later: bool,
    pub(super) globals: Vec<ExpandedName>,
    /// Local variables in scope, innermost last.
    pub(super) locals: RefCell<Vec<ExpandedName>>,
    /// Functions of the stylesheet with their number of arguments.
    pub(super) functions: Vec<(ExpandedName, usize)>,
}

/// An expression's place in the stylesheet.
pub(super) struct Here<'s, 'd> {
    pub(super) shared: &'s Shared,
    pub(super) node: Node<'d>,
    default_namespace: String,
}

impl<'s, 'd> Here<'s, 'd> {
    pub(super) fn new(shared: &'s Shared, node: Node<'d>) -> Self {
        let default_namespace = if shared.later { default_namespace(node) } else { String::new() };
        Self { shared, node, default_namespace }
    }

    /// Compiles an expression.
    pub(super) fn expr(&self, text: &str) -> Result<Select, BadStylesheet> {
        let expr = self.raw_expr(text)?.optimised();
        Ok(Select { expr, line: self.node.line() })
    }

    /// The same as written, for patterns.
    pub(super) fn raw_expr(&self, text: &str) -> Result<Expr, BadStylesheet> {
        parse(text, self).map_err(|bad| self.bad(bad.to_string()))
    }

    pub(super) fn bad(&self, why: impl Into<String>) -> BadStylesheet {
        BadStylesheet { line: self.node.line(), why: why.into() }
    }

    /// A name of a template, a mode, a variable: the default namespace does not apply.
    pub(super) fn name(&self, text: &str) -> Result<ExpandedName, BadStylesheet> {
        let text = text.trim();
        let (prefix, local) = split_qname(text).ok_or_else(|| self.bad(format!("'{text}' is no name")))?;
        let uri = match prefix {
            "" => "",
            prefix => {
                let uri = self.node.resolve_prefix(prefix);
                uri.ok_or_else(|| self.bad(format!("the prefix {prefix} is not bound")))?
            }
        };
        Ok(ExpandedName { uri: uri.into(), local: local.into() })
    }

    /// Names parted by white space.
    pub(super) fn names(&self, text: &str) -> Result<Vec<ExpandedName>, BadStylesheet> {
        text.split_ascii_whitespace().map(|name| self.name(name)).collect()
    }
}

/// `xpath-default-namespace` of XSLT 2.0, of the nearest element that has it.
fn default_namespace(node: Node<'_>) -> String {
    let mut elements = std::iter::once(node).chain(node.ancestors());
    let found = elements.find_map(|element| match element.namespace() {
        XSLT => element.attribute("xpath-default-namespace"),
        _ => element.attribute_of(XSLT, "xpath-default-namespace"),
    });
    found.unwrap_or_default().to_owned()
}

impl Statics for Here<'_, '_> {
    fn namespace(&self, prefix: &str) -> Option<String> {
        self.node.resolve_prefix(prefix).map(str::to_owned)
    }

    fn element_namespace(&self) -> &str {
        &self.default_namespace
    }

    fn is_later(&self) -> bool {
        self.shared.later
    }

    fn function(&self, name: &ExpandedName, arguments: usize) -> Option<Result<u32, String>> {
        let mut named = false;
        for (index, (own, count)) in self.shared.functions.iter().enumerate() {
            if own == name {
                if *count == arguments {
                    return Some(Ok(Host::own(index)));
                }
                named = true;
            }
        }
        if named {
            return Some(Err(format!("the function {} does not take {arguments} arguments", name.local)));
        }
        Host::named(name, arguments, self.shared.later)
    }

    fn has_variable(&self, name: &ExpandedName) -> bool {
        self.shared.locals.borrow().contains(name) || self.shared.globals.contains(name)
    }
}
