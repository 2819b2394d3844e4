//! Keys (XSLT 1.0, 12.2): found by walking a document once, then by look-up.

use std::borrow::Cow;

use ahash::AHashMap;

use super::Select;
use super::pattern::Pattern;
use super::run::Run;
use crate::document::{Document, Node};
use crate::xpath::{Focus, Value, XPathError};

/// One declaration of a key; several may have the same name.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) matches: Vec<Pattern>,
    pub(super) uses: Select,
}

/// Nodes of one document by one key's values.
pub(super) type Index<'d> = AHashMap<String, Vec<Node<'d>>>;

impl<'d> Run<'_, 'd> {
    pub(super) fn key(
        &self,
        name: &str,
        values: &[Cow<'d, str>],
        document: &'d Document,
    ) -> Result<Vec<Node<'d>>, XPathError> {
        let Some((name, keys)) = self.sheet.keys.iter().find(|(own, _)| *own.local == *name) else {
            return Err(XPathError::Function(format!("there is no key {name}")));
        };
        let at = (&*name.local, std::ptr::from_ref(document) as usize);
        if !self.indices.borrow().contains_key(&at) {
            if self.indexing.replace(true) {
                return Err(XPathError::Function("a key uses a key".to_owned()));
            }
            let index = self.index(keys, document);
            self.indexing.set(false);
            self.indices.borrow_mut().insert(at, index?);
        }
        let indices = self.indices.borrow();
        let found = values.iter().filter_map(|value| indices.get(&at)?.get(&**value));
        let mut nodes: Vec<_> = found.flatten().copied().collect();
        if values.len() > 1 {
            nodes.sort_unstable();
            nodes.dedup();
        }
        Ok(nodes)
    }

    fn index(&self, keys: &[Key], document: &'d Document) -> Result<Index<'d>, XPathError> {
        let mut index: Index<'d> = AHashMap::new();
        let eval = self.evaluation();
        let root = document.root();
        let nodes = std::iter::once(root).chain(root.descendants());
        for node in nodes.flat_map(|node| std::iter::once(node).chain(node.attributes())) {
            for key in keys {
                let mut matches = false;
                for pattern in &key.matches {
                    matches = matches || pattern.matches(node, &eval)?;
                }
                if !matches {
                    continue;
                }
                let values = match eval.value(&key.uses.expr, &Focus::on(node))? {
                    value @ (Value::Nodes(_) | Value::Sequence(_)) => value.into_items(),
                    value => vec![value],
                };
                for value in values {
                    let nodes = index.entry(value.to_text().into_owned()).or_default();
                    if nodes.last() != Some(&node) {
                        nodes.push(node);
                    }
                }
            }
        }
        Ok(index)
    }
}
