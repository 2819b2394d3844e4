//! Making a document, node by node in document order.

use ahash::AHashMap;

use super::{Document, Entry, NONE, Name, NodeKind, Scope};

/// Makes a document. Namespaces and attributes come before what is in their element.
#[derive(Debug)]
pub(crate) struct Builder {
    document: Document,
    names: AHashMap<Name, u32>,
    open: Vec<Open>,
    line: u32,
}

/// An element that is not closed yet.
#[derive(Debug, Clone, Copy)]
struct Open {
    id: u32,
    last_child: u32,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Builder {
    /// `order` says which document comes first among several.
    pub(crate) fn new(order: u32) -> Self {
        let mut document = Document {
            entries: Vec::new(),
            strings: indexmap::IndexSet::default(),
            names: Vec::new(),
            scopes: vec![Scope::default()],
            text: String::new(),
            order,
        };
        document.strings.insert("".into());
        document.entries.push(Entry {
            kind: NodeKind::Root,
            raw: false,
            name: 0,
            parent: NONE,
            end: 1,
            next: NONE,
            previous: NONE,
            start: 0,
            length: 0,
            scope: 0,
            line: 0,
        });
        Self { document, names: AHashMap::new(), open: vec![Open { id: 0, last_child: NONE }], line: 0 }
    }

    pub(crate) const fn at_line(&mut self, line: u32) {
        self.line = line;
    }

    /// Nodes made so far.
    pub(crate) const fn len(&self) -> usize {
        self.document.entries.len()
    }

    /// Bytes of text so far.
    pub(crate) const fn text_len(&self) -> usize {
        self.document.text.len()
    }

    /// Elements that are open.
    pub(crate) const fn depth(&self) -> usize {
        self.open.len() - 1
    }

    fn top(&self) -> Open {
        self.open.last().copied().unwrap_or(Open { id: 0, last_child: NONE })
    }

    fn id(&self) -> u32 {
        u32::try_from(self.document.entries.len()).unwrap_or(NONE)
    }

    pub(super) fn string(&mut self, text: &str) -> u32 {
        // The first string, and the most frequent one: no prefix, no namespace.
        if text.is_empty() {
            return 0;
        }
        let index = match self.document.strings.get_index_of(text) {
            Some(index) => index,
            None => self.document.strings.insert_full(text.into()).0,
        };
        u32::try_from(index).unwrap_or(0)
    }

    fn name(&mut self, prefix: &str, local: &str, uri: &str) -> u32 {
        let name = Name { prefix: self.string(prefix), local: self.string(local), uri: self.string(uri) };
        let names = &mut self.document.names;
        *self.names.entry(name).or_insert_with(|| {
            names.push(name);
            u32::try_from(names.len() - 1).unwrap_or(0)
        })
    }

    fn push_child(&mut self, kind: NodeKind, name: u32, start: u32, length: u32, scope: u32) -> u32 {
        let id = self.id();
        let parent = self.top();
        self.document.entries.push(Entry {
            kind,
            raw: false,
            name,
            parent: parent.id,
            end: id + 1,
            next: NONE,
            previous: parent.last_child,
            start,
            length,
            scope,
            line: self.line,
        });
        if let Some(previous) = self.document.entries.get_mut(parent.last_child as usize) {
            previous.next = id;
        }
        if let Some(parent) = self.open.last_mut() {
            parent.last_child = id;
        }
        id
    }

    /// Begins an element. Its name is given by [`Self::rename`] once its namespaces are declared, or here.
    pub(crate) fn start(&mut self, prefix: &str, local: &str, uri: &str) {
        let name = self.name(prefix, local, uri);
        let scope = self.document.entry(self.top().id).scope;
        let id = self.push_child(NodeKind::Element, name, 0, 0, scope);
        self.open.push(Open { id, last_child: NONE });
    }

    pub(crate) fn rename(&mut self, prefix: &str, local: &str, uri: &str) {
        let name = self.name(prefix, local, uri);
        let id = self.top().id;
        self.document.entries[id as usize].name = name;
    }

    /// Binds a prefix in the open element; an empty `uri` undeclares the default namespace. Gives the number
    /// of bindings in scope.
    pub(crate) fn declare(&mut self, prefix: &str, uri: &str) -> usize {
        let (prefix, uri) = (self.string(prefix), self.string(uri));
        let id = self.top().id as usize;
        let scope = self.document.entries[id].scope;
        let inherited = self.document.entry(self.document.entries[id].parent.min(self.id() - 1)).scope;
        let mut bindings = self.document.scopes[scope as usize].0.to_vec();
        match bindings.iter_mut().find(|(bound, _)| *bound == prefix) {
            Some((_, bound)) if *bound == uri => return bindings.len(),
            Some((_, bound)) => *bound = uri,
            None if uri == 0 => return bindings.len(),
            None => bindings.push((prefix, uri)),
        }
        let count = bindings.len();
        let bindings = Scope(bindings.into());
        if scope == inherited {
            self.document.scopes.push(bindings);
            self.document.entries[id].scope = u32::try_from(self.document.scopes.len() - 1).unwrap_or(0);
        } else {
            self.document.scopes[scope as usize] = bindings;
        }
        count
    }

    /// What a prefix stands for in the open element.
    pub(crate) fn resolve(&self, prefix: &str) -> Option<&str> {
        super::Node::at(&self.document, self.top().id).resolve_prefix(prefix)
    }

    /// The prefix that stands for a namespace in the open element, other than the default one.
    pub(crate) fn prefix_of(&self, uri: &str) -> Option<&str> {
        let node = super::Node::at(&self.document, self.top().id);
        node.namespaces()
            .filter_map(super::Node::binding)
            .find(|(p, bound)| !p.is_empty() && *bound == uri)
            .map(|(p, _)| p)
    }

    /// Whether the open node may still get attributes.
    pub(crate) fn takes_attributes(&self) -> bool {
        let top = self.top();
        top.id > 0 && top.last_child == NONE
    }

    /// Adds an attribute to the open element; one of the same name is replaced.
    pub(crate) fn attribute(&mut self, prefix: &str, local: &str, uri: &str, value: &str) {
        let element = self.top().id;
        let name = self.name(prefix, local, uri);
        let (start, length) = self.push_text(value);
        let (local, uri) = (self.document.names[name as usize].local, self.document.names[name as usize].uri);
        let count = self.document.entry(element).start;
        for id in element + 1..=element + count {
            let old = self.document.names[self.document.entry(id).name as usize];
            if (old.local, old.uri) == (local, uri) {
                let entry = &mut self.document.entries[id as usize];
                (entry.name, entry.start, entry.length) = (name, start, length);
                return;
            }
        }
        self.push_attribute(name, start, length);
    }

    /// The same for a reader that looks for repeated attributes itself.
    pub(super) fn new_attribute(&mut self, prefix: &str, local: &str, uri: &str, value: &str) -> (u32, u32) {
        let name = self.name(prefix, local, uri);
        let (start, length) = self.push_text(value);
        self.push_attribute(name, start, length);
        (self.document.names[name as usize].local, self.document.names[name as usize].uri)
    }

    fn push_attribute(&mut self, name: u32, start: u32, length: u32) {
        let (id, element) = (self.id(), self.top().id);
        let scope = self.document.entry(element).scope;
        self.document.entries[element as usize].start += 1;
        self.document.entries.push(Entry {
            kind: NodeKind::Attribute,
            raw: false,
            name,
            parent: element,
            end: id + 1,
            next: NONE,
            previous: NONE,
            start,
            length,
            scope,
            line: self.line,
        });
    }

    fn push_text(&mut self, text: &str) -> (u32, u32) {
        let start = u32::try_from(self.document.text.len()).unwrap_or(0);
        self.document.text.push_str(text);
        (start, u32::try_from(text.len()).unwrap_or(0))
    }

    /// Adds text; neighbouring texts become one. `raw` text is written without escaping.
    pub(crate) fn text(&mut self, text: &str, raw: bool) {
        if text.is_empty() {
            return;
        }
        let (start, length) = self.push_text(text);
        let last = self.top().last_child;
        if let Some(previous) = self.document.entries.get_mut(last as usize)
            && previous.kind == NodeKind::Text
            && previous.raw == raw
            && previous.start + previous.length == start
        {
            previous.length += length;
            return;
        }
        let id = self.push_child(NodeKind::Text, 0, start, length, 0);
        self.document.entries[id as usize].raw = raw;
    }

    pub(crate) fn comment(&mut self, text: &str) {
        let (start, length) = self.push_text(text);
        self.push_child(NodeKind::Comment, 0, start, length, 0);
    }

    pub(crate) fn instruction(&mut self, target: &str, text: &str) {
        let name = self.name("", target, "");
        let (start, length) = self.push_text(text);
        self.push_child(NodeKind::Instruction, name, start, length, 0);
    }

    /// Closes the open element.
    pub(crate) fn end(&mut self) {
        if self.open.len() > 1
            && let Some(open) = self.open.pop()
        {
            let end = self.id();
            self.document.entries[open.id as usize].end = end;
        }
    }

    pub(crate) fn finish(mut self) -> Document {
        while self.open.len() > 1 {
            self.end();
        }
        let end = self.id();
        self.document.entries[0].end = end;
        self.document
    }
}
