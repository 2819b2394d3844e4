//! One node of a document.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use super::{Document, Entry, NONE, Name};
use crate::names::XML;

/// The kinds of nodes (XPath 1.0, section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// What the outermost element is in.
    Root,
    /// An element.
    Element,
    /// An attribute that is no namespace declaration.
    Attribute,
    /// Text between markup; character data sections are text too.
    Text,
    /// A comment.
    Comment,
    /// A processing instruction.
    Instruction,
    /// A prefix in scope of an element.
    Namespace,
}

/// A node of a document. Nodes compare by document order.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    document: &'d Document,
    id: u32,
    /// 0 for what lies in the document; n for the n-th namespace in scope of the element.
    namespace: u32,
}

impl<'d> Node<'d> {
    pub(super) const fn at(document: &'d Document, id: u32) -> Self {
        Self { document, id, namespace: 0 }
    }

    /// The document it is in.
    pub const fn document(self) -> &'d Document {
        self.document
    }

    pub(super) const fn id(self) -> u32 {
        self.id
    }

    pub(super) fn entry(self) -> &'d Entry {
        self.document.entry(self.id)
    }

    /// What it is.
    pub fn kind(self) -> NodeKind {
        if self.namespace > 0 { NodeKind::Namespace } else { self.entry().kind }
    }

    /// Whether it is an element.
    pub fn is_element(self) -> bool {
        self.kind() == NodeKind::Element
    }

    /// The line it begins in, 1-based; 0 for what was made.
    pub fn line(self) -> u32 {
        self.entry().line
    }

    fn name_entry(self) -> Option<&'d Name> {
        match self.kind() {
            NodeKind::Element | NodeKind::Attribute | NodeKind::Instruction => {
                self.document.names.get(self.entry().name as usize)
            }
            _ => None,
        }
    }

    /// Index of the local name and of the namespace, for comparing.
    pub(crate) fn name_indices(self) -> Option<(u32, u32)> {
        self.name_entry().map(|name| (name.local, name.uri))
    }

    /// The name without its prefix: the target of an instruction, the prefix a namespace node binds, else empty.
    pub fn local_name(self) -> &'d str {
        match self.binding() {
            Some((prefix, _)) => prefix,
            None => self.name_entry().map_or("", |name| self.document.string(name.local)),
        }
    }

    /// The namespace of the name; empty for none.
    pub fn namespace(self) -> &'d str {
        self.name_entry().map_or("", |name| self.document.string(name.uri))
    }

    /// The prefix as written; empty for none.
    pub fn prefix(self) -> &'d str {
        self.name_entry().map_or("", |name| self.document.string(name.prefix))
    }

    /// The name as written.
    pub fn name(self) -> Cow<'d, str> {
        match (self.prefix(), self.local_name()) {
            ("", local) => Cow::Borrowed(local),
            (prefix, local) => Cow::Owned(format!("{prefix}:{local}")),
        }
    }

    /// Whether this is an element or attribute of this name; an empty namespace is none.
    pub fn is_named(self, namespace: &str, local: &str) -> bool {
        self.local_name() == local && self.namespace() == namespace
    }

    /// The prefix and the namespace that a namespace node stands for.
    pub(crate) fn binding(self) -> Option<(&'d str, &'d str)> {
        match self.namespace {
            0 => None,
            1 => Some(("xml", XML)),
            n => {
                let scope = &self.document.scopes[self.entry().scope as usize].0;
                let (prefix, uri) = scope.get(n as usize - 2)?;
                Some((self.document.string(*prefix), self.document.string(*uri)))
            }
        }
    }

    /// What an element's prefix stands for; the empty prefix is the default namespace.
    pub fn resolve_prefix(self, prefix: &str) -> Option<&'d str> {
        if prefix == "xml" {
            return Some(XML);
        }
        let scope = &self.document.scopes[self.entry().scope as usize].0;
        let found = scope.iter().find(|(bound, _)| self.document.string(*bound) == prefix);
        match found {
            Some((_, uri)) => {
                Some(self.document.string(*uri)).filter(|uri| prefix.is_empty() || !uri.is_empty())
            }
            None => prefix.is_empty().then_some(""),
        }
    }

    /// Whether the same namespaces are in scope of both.
    pub(crate) fn has_scope_of(self, other: Self) -> bool {
        self.entry().scope == other.entry().scope
    }

    /// The namespaces in scope of an element, `xml` first; an undeclared default is left out.
    pub fn namespaces(self) -> impl Iterator<Item = Self> + use<'d> {
        let count = match self.kind() {
            NodeKind::Element => self.document.scopes[self.entry().scope as usize].0.len() + 1,
            _ => 0,
        };
        (1..=u32::try_from(count).unwrap_or(0))
            .map(move |namespace| Self { namespace, ..self })
            .filter(|node| node.binding().is_some_and(|(_, uri)| !uri.is_empty()))
    }

    /// The node it is in; of an attribute or a namespace the element.
    pub fn parent(self) -> Option<Self> {
        if self.namespace > 0 {
            return Some(Self { namespace: 0, ..self });
        }
        match self.entry().parent {
            NONE => None,
            parent => Some(Self::at(self.document, parent)),
        }
    }

    /// The attributes of an element in document order.
    pub fn attributes(self) -> impl Iterator<Item = Self> + use<'d> {
        let count = if self.is_element() { self.entry().start } else { 0 };
        (self.id + 1..=self.id + count).map(move |id| Self::at(self.document, id))
    }

    /// The value of an attribute without a namespace.
    pub fn attribute(self, local: &str) -> Option<&'d str> {
        self.attribute_of("", local)
    }

    /// The value of an attribute.
    pub fn attribute_of(self, namespace: &str, local: &str) -> Option<&'d str> {
        self.attributes().find(|attribute| attribute.is_named(namespace, local)).map(Self::own_text)
    }

    /// The text that a node itself holds; empty for elements and the root.
    pub fn own_text(self) -> &'d str {
        if let Some((_, uri)) = self.binding() {
            return uri;
        }
        let entry = self.entry();
        match entry.kind {
            NodeKind::Root | NodeKind::Element | NodeKind::Namespace => "",
            _ => {
                let start = entry.start as usize;
                self.document.text.get(start..start + entry.length as usize).unwrap_or_default()
            }
        }
    }

    /// Whether a text is to be written without escaping.
    pub(crate) fn is_raw(self) -> bool {
        self.entry().raw
    }

    /// The string-value: of an element and the root the text of all that is inside.
    pub fn text(self) -> Cow<'d, str> {
        if !matches!(self.kind(), NodeKind::Root | NodeKind::Element) {
            return Cow::Borrowed(self.own_text());
        }
        let mut texts = self.descendants().filter(|node| node.kind() == NodeKind::Text).map(Self::own_text);
        let Some(first) = texts.next() else { return Cow::Borrowed("") };
        let Some(second) = texts.next() else { return Cow::Borrowed(first) };
        let mut all = String::with_capacity(first.len() + second.len());
        all.push_str(first);
        all.push_str(second);
        all.extend(texts);
        Cow::Owned(all)
    }

    /// What tells it from all other nodes: document, node, namespace.
    pub(crate) const fn place(self) -> (u32, u32, u32) {
        (self.document.order, self.id, self.namespace)
    }

    /// How many nodes and pieces of text making its string-value looks at.
    pub(crate) fn weight(self) -> u64 {
        match self.kind() {
            NodeKind::Root | NodeKind::Element => u64::from(self.entry().end - self.id),
            _ => 1,
        }
    }

    /// The node and what is in it as XML, with the namespaces it needs. An attribute gives its value.
    pub fn to_xml(self) -> String {
        crate::write::to_xml(self)
    }

    /// The same with `instead` in place of the content of each element, attribute and text that is `hidden`.
    pub fn to_xml_hiding(self, hidden: &[Self], instead: &str) -> String {
        let hides = |node: Node<'_>| hidden.contains(&node);
        crate::write::to_xml_hiding(self, Some((&hides, instead)))
    }
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
            && self.namespace == other.namespace
            && std::ptr::eq(self.document, other.document)
    }
}

impl Eq for Node<'_> {}

impl PartialOrd for Node<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Node<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.document.order, self.id, self.namespace).cmp(&(other.document.order, other.id, other.namespace))
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} #{}", self.kind(), self.name(), self.id)
    }
}
