//! Writing nodes into a result, with the namespaces they need.

use crate::document::{Builder, Node, NodeKind};

impl Builder {
    /// Begins an element and binds its prefix if need be.
    pub(super) fn element(&mut self, prefix: &str, local: &str, uri: &str) {
        self.start(prefix, local, uri);
        if self.resolve(prefix) != Some(uri) && prefix != "xml" {
            self.declare(prefix, uri);
        }
    }

    /// Adds an attribute; one in a namespace gets a prefix that stands for it.
    pub(super) fn result_attribute(&mut self, prefix: &str, local: &str, uri: &str, value: &str) {
        if uri.is_empty() {
            return self.attribute("", local, "", value);
        }
        if !prefix.is_empty() && (self.resolve(prefix) == Some(uri) || prefix == "xml") {
            return self.attribute(prefix, local, uri, value);
        }
        if let Some(bound) = self.prefix_of(uri).map(str::to_owned) {
            return self.attribute(&bound, local, uri, value);
        }
        let fresh = match prefix {
            "" | "xmlns" => None,
            prefix => self.resolve(prefix).is_none().then(|| prefix.to_owned()),
        };
        let prefix = fresh.unwrap_or_else(|| {
            let mut number = 0;
            while self.resolve(&format!("ns{number}")).is_some() {
                number += 1;
            }
            format!("ns{number}")
        });
        self.declare(&prefix, uri);
        self.attribute(&prefix, local, uri, value);
    }

    /// Begins a copy of an element: its name and its namespaces.
    pub(super) fn shallow_element(&mut self, element: Node<'_>) {
        self.start(element.prefix(), element.local_name(), element.namespace());
        for (prefix, uri) in element.namespaces().filter_map(Node::binding) {
            if prefix != "xml" && self.resolve(prefix) != Some(uri) {
                self.declare(prefix, uri);
            }
        }
        if self.resolve(element.prefix()) != Some(element.namespace()) {
            self.declare(element.prefix(), element.namespace());
        }
    }

    /// Copies a node with all that is in it; of a root what is in it. A namespace node is bound.
    pub(super) fn copy(&mut self, node: Node<'_>) {
        match node.kind() {
            NodeKind::Root => self.copy_inside(node, &|_| false),
            NodeKind::Attribute => {
                self.result_attribute(node.prefix(), node.local_name(), node.namespace(), node.own_text());
            }
            NodeKind::Namespace => {
                if node.local_name() != "xml" && self.resolve(node.local_name()) != Some(node.own_text()) {
                    self.declare(node.local_name(), node.own_text());
                }
            }
            _ => {
                self.begin_copy(node);
                if node.is_element() {
                    self.copy_inside(node, &|_| false);
                    self.end();
                }
            }
        }
    }

    fn begin_copy(&mut self, node: Node<'_>) {
        match node.kind() {
            NodeKind::Element => {
                self.shallow_element(node);
                for attribute in node.attributes() {
                    let (prefix, local, uri) =
                        (attribute.prefix(), attribute.local_name(), attribute.namespace());
                    self.result_attribute(prefix, local, uri, attribute.own_text());
                }
            }
            NodeKind::Text => self.text(node.own_text(), node.is_raw()),
            NodeKind::Comment => self.comment(node.own_text()),
            NodeKind::Instruction => self.instruction(node.local_name(), node.own_text()),
            NodeKind::Root | NodeKind::Attribute | NodeKind::Namespace => {}
        }
    }

    /// Copies what is in a node, without recursion.
    pub(super) fn copy_inside(&mut self, top: Node<'_>, skip: &dyn Fn(Node<'_>) -> bool) {
        let mut next = top.first_child();
        while let Some(node) = next {
            if !skip(node) {
                self.begin_copy(node);
                if let Some(child) = node.first_child() {
                    next = Some(child);
                    continue;
                }
                if node.is_element() {
                    self.end();
                }
            }
            next = self.after(node, top);
        }
    }

    /// The node after `node` and all that is in it; closes the elements that end between.
    fn after<'d>(&mut self, mut node: Node<'d>, top: Node<'d>) -> Option<Node<'d>> {
        loop {
            if let Some(next) = node.following_siblings().next() {
                return Some(next);
            }
            node = node.parent().filter(|parent| *parent != top)?;
            self.end();
        }
    }
}
