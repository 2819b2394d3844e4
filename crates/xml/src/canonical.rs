//! Canonical XML 1.0 (W3C Recommendation of 15 March 2001) and Exclusive XML Canonicalization 1.0 (18 July
//! 2002): the one way of writing a tree that signatures are made over.

use ahash::AHashMap;

use crate::document::{Node, NodeKind};
use crate::names::XML;
use crate::write::{end_tag, escape, new_bindings, push_name};

/// How a tree is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    /// Only the namespaces that are used where they are used; else all that are in scope.
    pub exclusive: bool,
    /// Comments are written too.
    pub comments: bool,
    /// Prefixes that are treated inclusively all the same (`InclusiveNamespaces`); empty is the default
    /// namespace. Of exclusive canonicalization only.
    pub inclusive_prefixes: Vec<String>,
}

/// The canonical form is longer than the caller allows: exclusive canonicalization repeats namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the canonical form is longer than {0} bytes")]
pub struct TooLong(pub usize);

impl Canonical {
    /// Exclusive, without comments.
    pub const EXCLUSIVE: Self = Self { exclusive: true, comments: false, inclusive_prefixes: Vec::new() };
    /// Inclusive, without comments.
    pub const INCLUSIVE: Self = Self { exclusive: false, comments: false, inclusive_prefixes: Vec::new() };

    /// The method of this identifier.
    pub fn identified(uri: &str) -> Option<Self> {
        let (exclusive, comments) = match uri {
            "http://www.w3.org/TR/2001/REC-xml-c14n-20010315" => (false, false),
            "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments" => (false, true),
            "http://www.w3.org/2001/10/xml-exc-c14n#" => (true, false),
            "http://www.w3.org/2001/10/xml-exc-c14n#WithComments" => (true, true),
            _ => return None,
        };
        Some(Self { exclusive, comments, inclusive_prefixes: Vec::new() })
    }

    /// The identifier of the method.
    pub const fn uri(&self) -> &'static str {
        match (self.exclusive, self.comments) {
            (false, false) => "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
            (false, true) => "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
            (true, false) => "http://www.w3.org/2001/10/xml-exc-c14n#",
            (true, true) => "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        }
    }

    /// An element, or the root, with all that is in it but `without`; at most `limit` bytes.
    pub fn write(&self, top: Node<'_>, without: Option<Node<'_>>, limit: usize) -> Result<String, TooLong> {
        let outermost = if top.kind() == NodeKind::Root { top.document().element() } else { None };
        let mut writing =
            Writing { method: self, outermost, out: String::new(), bound: AHashMap::new(), undo: Vec::new() };
        writing.tree(top, without, limit)?;
        Ok(writing.out)
    }
}

struct Writing<'m, 'd> {
    method: &'m Canonical,
    /// The element of the document, when the whole of that is written.
    outermost: Option<Node<'d>>,
    out: String,
    /// What the prefixes stand for in what was written so far.
    bound: AHashMap<&'d str, &'d str>,
    /// Per open element the bindings it covered.
    undo: Vec<Vec<(&'d str, Option<&'d str>)>>,
}

impl<'d> Writing<'_, 'd> {
    /// Without recursion: the depth of a document is no matter.
    fn tree(&mut self, top: Node<'d>, without: Option<Node<'_>>, limit: usize) -> Result<(), TooLong> {
        let mut node = top;
        loop {
            if self.out.len() > limit {
                return Err(TooLong(limit));
            }
            let is_left_out = without == Some(node);
            match node.kind() {
                _ if is_left_out => {}
                NodeKind::Element => {
                    self.start(node, node == top, limit)?;
                    if let Some(child) = node.first_child() {
                        node = child;
                        continue;
                    }
                    self.end(node);
                }
                NodeKind::Root => {
                    if let Some(child) = node.first_child() {
                        node = child;
                        continue;
                    }
                }
                NodeKind::Text => self.out.push_str(&escape_canonical_text(node.own_text())),
                NodeKind::Comment if self.method.comments => {
                    self.beside(node, |out| {
                        out.push_str("<!--");
                        out.push_str(node.own_text());
                        out.push_str("-->");
                    });
                }
                NodeKind::Instruction => self.beside(node, |out| {
                    out.push_str("<?");
                    out.push_str(node.local_name());
                    if !node.own_text().is_empty() {
                        out.push(' ');
                        out.push_str(node.own_text());
                    }
                    out.push_str("?>");
                }),
                NodeKind::Comment | NodeKind::Attribute | NodeKind::Namespace => {}
            }
            loop {
                if node == top {
                    return Ok(());
                }
                if let Some(next) = node.following_siblings().next() {
                    node = next;
                    break;
                }
                let Some(parent) = node.parent() else { return Ok(()) };
                if parent.is_element() {
                    self.end(parent);
                }
                node = parent;
            }
        }
    }

    /// A comment or an instruction; beside the outermost element it has a line of its own.
    fn beside(&mut self, node: Node<'d>, write: impl Fn(&mut String)) {
        let is_outside = node.parent().is_some_and(|parent| parent.kind() == NodeKind::Root);
        let is_before = is_outside && self.outermost.is_some_and(|outermost| node < outermost);
        if is_outside && !is_before {
            self.out.push('\n');
        }
        write(&mut self.out);
        if is_before {
            self.out.push('\n');
        }
    }

    fn start(&mut self, element: Node<'d>, is_top: bool, limit: usize) -> Result<(), TooLong> {
        self.out.push('<');
        push_name(&mut self.out, element);
        let mut bindings = self.wanted(element, is_top);
        bindings.sort_unstable();
        bindings.dedup();
        let mut covered = Vec::new();
        for (prefix, uri) in bindings {
            let known = self.bound.get(prefix).copied();
            let is_known = known.unwrap_or_default() == uri && (known.is_some() || prefix.is_empty());
            if is_known {
                continue;
            }
            covered.push((prefix, self.bound.insert(prefix, uri)));
            self.out.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
            self.out.push_str(prefix);
            self.value(uri);
            if self.out.len() > limit {
                return Err(TooLong(limit));
            }
        }
        self.undo.push(covered);
        let mut attributes: Vec<Node<'d>> = element.attributes().collect();
        if is_top && !self.method.exclusive {
            attributes.extend(inherited_xml_attributes(element));
        }
        attributes.sort_by_key(|attribute| (attribute.namespace(), attribute.local_name()));
        for attribute in attributes {
            self.out.push(' ');
            push_name(&mut self.out, attribute);
            self.value(attribute.own_text());
        }
        self.out.push('>');
        Ok(())
    }

    /// The bindings that an element must have, known ones included.
    fn wanted(&self, element: Node<'d>, is_top: bool) -> Vec<(&'d str, &'d str)> {
        if !self.method.exclusive {
            return new_bindings(element, is_top);
        }
        let used = |node: Node<'d>| (node.prefix(), node.namespace());
        let attributes = element.attributes().filter(|attribute| !attribute.prefix().is_empty()).map(used);
        let mut bindings: Vec<_> =
            std::iter::once(used(element)).chain(attributes).filter(|(prefix, _)| *prefix != "xml").collect();
        for prefix in self.method.inclusive_prefixes.iter().filter(|prefix| *prefix != "xml") {
            let bound = element.namespaces().find(|node| node.local_name() == prefix);
            match bound {
                Some(node) => bindings.push((node.local_name(), node.own_text())),
                None if prefix.is_empty() => bindings.push(("", "")),
                None => {}
            }
        }
        bindings
    }

    fn value(&mut self, text: &str) {
        self.out.push_str("=\"");
        self.out.push_str(&escape(text, |byte| match byte {
            b'&' => Some("&amp;"),
            b'<' => Some("&lt;"),
            b'"' => Some("&quot;"),
            b'\t' => Some("&#x9;"),
            b'\n' => Some("&#xA;"),
            b'\r' => Some("&#xD;"),
            _ => None,
        }));
        self.out.push('"');
    }

    fn end(&mut self, element: Node<'d>) {
        end_tag(&mut self.out, element);
        for (prefix, before) in self.undo.pop().unwrap_or_default() {
            match before {
                Some(uri) => self.bound.insert(prefix, uri),
                None => self.bound.remove(prefix),
            };
        }
    }
}

/// The attributes of `xml:` that an element has from those it is in (Canonical XML 1.0, 2.4).
fn inherited_xml_attributes(element: Node<'_>) -> Vec<Node<'_>> {
    let mut found: Vec<Node<'_>> = Vec::new();
    for attribute in element.ancestors().flat_map(Node::attributes) {
        let local = attribute.local_name();
        if attribute.namespace() == XML
            && element.attribute_of(XML, local).is_none()
            && !found.iter().any(|nearer| nearer.local_name() == local)
        {
            found.push(attribute);
        }
    }
    found
}

fn escape_canonical_text(text: &str) -> std::borrow::Cow<'_, str> {
    escape(text, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
