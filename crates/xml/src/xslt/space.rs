//! White space of the source (XSLT 1.0, 3.4).

use super::Stylesheet;
use crate::document::{Builder, Document, Node, NodeKind};
use crate::names::{XML, is_blank};

/// What `xsl:strip-space` or `xsl:preserve-space` names.
#[derive(Debug)]
pub(super) struct SpaceRule {
    /// `None` is every namespace.
    pub(super) uri: Option<Box<str>>,
    /// `None` is every name.
    pub(super) local: Option<Box<str>>,
    pub(super) strips: bool,
}

impl SpaceRule {
    const fn specificity(&self) -> u8 {
        match (&self.uri, &self.local) {
            (_, Some(_)) => 2,
            (Some(_), None) => 1,
            (None, None) => 0,
        }
    }

    fn names(&self, element: Node<'_>) -> bool {
        self.uri.as_ref().is_none_or(|uri| **uri == *element.namespace())
            && self.local.as_ref().is_none_or(|local| **local == *element.local_name())
    }
}

impl Stylesheet {
    fn strips(&self, element: Node<'_>) -> bool {
        let rules = self.space.iter().filter(|rule| rule.names(element));
        // Of equally specific rules the last one counts.
        rules.max_by_key(|rule| rule.specificity()).is_some_and(|rule| rule.strips)
    }

    /// The source without the texts that are to be stripped; `None` when nothing is.
    pub(super) fn stripped(&self, source: &Document) -> Option<Document> {
        if !self.space.iter().any(|rule| rule.strips) {
            return None;
        }
        let is_stripped = |node: Node<'_>| {
            node.kind() == NodeKind::Text
                && is_blank(node.own_text())
                && node.parent().is_some_and(|parent| self.strips(parent) && !preserves(parent))
        };
        let mut out = Builder::new(0);
        out.copy_inside(source.root(), &is_stripped);
        Some(out.finish())
    }
}

/// `xml:space` of the nearest element that has it.
pub(super) fn preserves(element: Node<'_>) -> bool {
    let mut elements = std::iter::once(element).chain(element.ancestors());
    elements.find_map(|element| element.attribute_of(XML, "space")) == Some("preserve")
}
