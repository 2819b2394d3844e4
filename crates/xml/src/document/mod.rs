//! A document as a tree of nodes in document order (the data model of XPath 1.0, section 5).

mod axes;
mod build;
mod encoding;
mod node;
mod parse;
#[cfg(test)]
mod tests;

use ahash::RandomState;
use indexmap::IndexSet;

pub(crate) use build::Builder;
pub use encoding::decode;
pub use node::{Node, NodeKind};

use crate::limits::Limits;

/// A document, or the beginning of one, that is no XML or more than the limits allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct BadXml {
    /// 1-based.
    pub line: u32,
    /// What is wrong there; no content of the document but names.
    pub why: String,
}

/// A document in memory. Nodes lie in document order: an element, its attributes, what is in it.
#[derive(Debug, Clone)]
pub struct Document {
    entries: Vec<Entry>,
    /// Every distinct text that names are made of; the first is empty.
    strings: IndexSet<Box<str>, RandomState>,
    names: Vec<Name>,
    scopes: Vec<Scope>,
    text: String,
    /// Which comes first, where an expression has nodes of several documents.
    order: u32,
}

/// A node. Fields mean something for the kinds that have them.
#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: NodeKind,
    /// A text that is written as it is, without escaping.
    raw: bool,
    name: u32,
    parent: u32,
    /// One past the last node inside.
    end: u32,
    next: u32,
    previous: u32,
    /// Text: where it begins. Element: number of attributes.
    start: u32,
    /// Text: how long it is.
    length: u32,
    scope: u32,
    line: u32,
}

const NONE: u32 = u32::MAX;

/// A name as written, with its namespace; indices of strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Name {
    prefix: u32,
    local: u32,
    uri: u32,
}

/// All prefixes that are bound somewhere, without `xml`; indices of strings.
#[derive(Debug, Clone, Default)]
struct Scope(Box<[(u32, u32)]>);

impl Document {
    /// Reads a document. A document type is refused, and with it entities of the document's own.
    pub fn parse(xml: &str, limits: &Limits) -> Result<Self, BadXml> {
        parse::parse(xml, limits)
    }

    /// Reads a document in UTF-8, UTF-16 with a byte order mark, US-ASCII or ISO-8859-1.
    pub fn parse_bytes(xml: &[u8], limits: &Limits) -> Result<Self, BadXml> {
        if xml.len() > limits.bytes {
            return Err(parse::too_long(limits));
        }
        parse::parse(&encoding::decode(xml)?, limits)
    }

    /// The root node, which the document element is in.
    pub const fn root(&self) -> Node<'_> {
        Node::at(self, 0)
    }

    /// The outermost element; a piece of a result may have none.
    pub fn element(&self) -> Option<Node<'_>> {
        self.root().children().find(|node| node.kind() == NodeKind::Element)
    }

    /// The document as XML with one change at one of its nodes.
    pub fn edited(&self, at: Node<'_>, edit: crate::write::Edit<'_>) -> String {
        crate::write::edited(self.root(), at, edit)
    }

    /// How many nodes there are, the root and attributes included.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing but the root.
    pub const fn is_empty(&self) -> bool {
        self.entries.len() <= 1
    }

    fn entry(&self, id: u32) -> &Entry {
        &self.entries[id as usize]
    }

    fn string(&self, index: u32) -> &str {
        self.strings.get_index(index as usize).map_or("", |text| text)
    }

    /// The index of a string, when any name has it: what is not there matches no node.
    pub(crate) fn string_index(&self, text: &str) -> Option<u32> {
        self.strings.get_index_of(text).and_then(|index| u32::try_from(index).ok())
    }
}
