//! Reads blocks of a definition key by key, and reports every mistake with file, line and key path.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use pierhead_script::{Escape, Program, Template};

use super::yaml::{Node, NodeData};

/// One mistake in a definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {key}: {message}")]
pub struct BadDefinition {
    /// The file, as it was given to the reader.
    pub file: String,
    /// Line from 1.
    pub line: usize,
    /// Dotted path of the key, e.g. `files.list.query.q`.
    pub key: String,
    /// What is wrong there.
    pub message: String,
}

/// What is remembered while one file is read: its mistakes, and which keys each kind of block knows.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    file: String,
    mistakes: RefCell<Vec<BadDefinition>>,
    known: RefCell<Vec<(&'static str, Vec<String>)>>,
}

impl Reading {
    pub(crate) fn of(file: &str) -> Self {
        Self { file: file.to_owned(), ..Self::default() }
    }

    pub(crate) fn mistake(&self, line: usize, key: &str, message: impl Into<String>) {
        let mistake =
            BadDefinition { file: self.file.clone(), line, key: key.to_owned(), message: message.into() };
        self.mistakes.borrow_mut().push(mistake);
    }

    pub(crate) fn into_mistakes(self) -> Vec<BadDefinition> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|mistake| mistake.line);
        mistakes
    }

    /// Each kind of block that was read, with the keys it may have: what the published schema must say.
    #[cfg(test)]
    pub(crate) fn known(&self) -> Vec<(&'static str, Vec<String>)> {
        self.known.borrow().clone()
    }
}

/// One mapping of a definition. Every key asked for is known; when the block is dropped, all others are
/// reported.
pub(crate) struct Block<'n> {
    reading: &'n Reading,
    kind: &'static str,
    path: String,
    pub(crate) line: usize,
    members: &'n [(String, Node)],
    asked: RefCell<Vec<String>>,
}

impl<'n> Block<'n> {
    /// The mapping `node`; anything else is reported and reads as an empty block.
    pub(crate) fn of(reading: &'n Reading, kind: &'static str, path: &str, node: &'n Node) -> Self {
        let members: &[(String, Node)] = match &node.data {
            NodeData::Map(members) => members,
            _ => {
                reading.mistake(node.line, path, format!("must be a block of keys, not {}", node.kind()));
                &[]
            }
        };
        Self { reading, kind, path: path.to_owned(), line: node.line, members, asked: RefCell::default() }
    }

    pub(crate) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Reports a mistake about `key`.
    pub(crate) fn mistake(&self, key: &str, message: impl Into<String>) {
        let line = self.members.iter().find(|(name, _)| name == key).map_or(self.line, |(_, node)| node.line);
        self.reading.mistake(line, &self.path_of(key), message);
    }

    /// The node under `key`, if it is there and not null.
    pub(crate) fn node(&self, key: &str) -> Option<&'n Node> {
        self.asked.borrow_mut().push(key.to_owned());
        let (_, node) = self.members.iter().find(|(name, _)| name == key)?;
        (!matches!(node.data, NodeData::Null)).then_some(node)
    }

    /// All members, whatever their keys: for blocks whose keys are names the author chooses.
    pub(crate) fn members(&self) -> &'n [(String, Node)] {
        self.asked.borrow_mut().extend(self.members.iter().map(|(key, _)| key.clone()));
        self.members
    }

    pub(crate) fn block(&self, key: &str, kind: &'static str) -> Option<Block<'n>> {
        self.node(key).map(|node| Block::of(self.reading, kind, &self.path_of(key), node))
    }

    /// The block of one member of [`Self::members`].
    pub(crate) fn member(&self, key: &str, node: &'n Node, kind: &'static str) -> Block<'n> {
        Block::of(self.reading, kind, &self.path_of(key), node)
    }

    /// The blocks of a list.
    pub(crate) fn blocks(&self, key: &str, kind: &'static str) -> Vec<Block<'n>> {
        let items = self.list(key);
        let block =
            |(index, node)| Block::of(self.reading, kind, &format!("{}[{index}]", self.path_of(key)), node);
        items.iter().enumerate().map(block).collect()
    }

    pub(crate) fn list(&self, key: &str) -> &'n [Node] {
        match self.node(key).map(|node| &node.data) {
            None => &[],
            Some(NodeData::List(items)) => items,
            Some(_) => {
                self.mistake(key, "must be a list");
                &[]
            }
        }
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let node = self.node(key)?;
        let text = node.scalar();
        if text.is_none() {
            self.mistake(key, format!("must be text, not {}", node.kind()));
        }
        text
    }

    pub(crate) fn required_text(&self, key: &str) -> String {
        let text = self.text(key);
        if text.is_none() && self.node(key).is_none() {
            self.mistake(key, "is required");
        }
        text.unwrap_or_default()
    }

    /// A list of texts, or one text.
    pub(crate) fn texts(&self, key: &str) -> Vec<String> {
        match self.node(key) {
            None => Vec::new(),
            Some(Node { data: NodeData::List(items), .. }) => {
                let texts: Vec<String> = items.iter().filter_map(Node::scalar).collect();
                if texts.len() < items.len() {
                    self.mistake(key, "must be a list of texts");
                }
                texts
            }
            Some(_) => self.text(key).into_iter().collect(),
        }
    }

    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        match &self.node(key)?.data {
            NodeData::Bool(value) => Some(*value),
            _ => {
                self.mistake(key, "must be true or false");
                None
            }
        }
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        match &self.node(key)?.data {
            NodeData::Integer(value) if *value >= 0 => Some(value.unsigned_abs()),
            _ => {
                self.mistake(key, "must be a whole number, not negative");
                None
            }
        }
    }

    /// `250ms`, `5s`, `5m`, `60d`.
    pub(crate) fn duration(&self, key: &str) -> Option<Duration> {
        let text = self.text(key)?;
        let parsed =
            suffixed(&text, &[("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]);
        if parsed.is_none() {
            self.mistake(key, "must be a duration such as 250ms, 5s, 5m, 2h or 60d");
        }
        parsed.map(Duration::from_millis)
    }

    /// `512`, `256KiB`, `8MiB`.
    pub(crate) fn size(&self, key: &str) -> Option<u64> {
        let text = self.text(key)?;
        let parsed = suffixed(&text, &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)]);
        if parsed.is_none() {
            self.mistake(key, "must be a size such as 512, 256KiB or 8MiB");
        }
        parsed
    }

    /// One word of a fixed set.
    pub(crate) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let word = self.text(key)?;
        let found = choices.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.mistake(key, format!("must be one of {}", names.join(", ")));
        }
        found
    }

    /// An expression that sees the variables `names`.
    pub(crate) fn program(&self, key: &str, names: &[&str]) -> Option<Program> {
        let text = self.text(key)?;
        self.compile_program(key, &text, names)
    }

    pub(crate) fn compile_program(&self, key: &str, text: &str, names: &[&str]) -> Option<Program> {
        match Program::compile(text) {
            Ok(program) => self.known_names(key, program.names(), names).then_some(program),
            Err(error) => {
                self.mistake(key, format!("is no expression: {error}"));
                None
            }
        }
    }

    /// A text with expressions in braces that see the variables `names`.
    pub(crate) fn template(&self, key: &str, escape: Escape, names: &[&str]) -> Option<Template> {
        let text = self.text(key)?;
        self.compile_template(key, &text, escape, names)
    }

    pub(crate) fn compile_template(
        &self,
        key: &str,
        text: &str,
        escape: Escape,
        names: &[&str],
    ) -> Option<Template> {
        match Template::compile(text, escape) {
            Ok(template) => self.known_names(key, template.names(), names).then_some(template),
            Err(error) => {
                self.mistake(key, format!("is no template: {error}"));
                None
            }
        }
    }

    /// A block of templates under names the author chooses, in their order.
    pub(crate) fn templates(&self, key: &str, names: &[&str]) -> Vec<(String, Template)> {
        let Some(block) = self.block(key, "templates") else { return Vec::new() };
        let template = |(name, _): &(String, Node)| {
            block.template(name, Escape::None, names).map(|template| (name.clone(), template))
        };
        block.members().iter().filter_map(template).collect()
    }

    /// The same as headers.
    pub(crate) fn headers(&self, key: &str, names: &[&str]) -> Vec<(http::HeaderName, Template)> {
        let header = |(name, template): (String, Template)| match http::HeaderName::try_from(name.as_str()) {
            Ok(header) => Some((header, template)),
            Err(_) => {
                self.mistake(key, format!("{name} is no header name"));
                None
            }
        };
        self.templates(key, names).into_iter().filter_map(header).collect()
    }

    fn known_names(&self, key: &str, used: &[String], known: &[&str]) -> bool {
        let unknown: Vec<&str> =
            used.iter().map(String::as_str).filter(|name| !known.contains(name)).collect();
        if unknown.is_empty() {
            return true;
        }
        let (unknown, known) = (unknown.join(", "), known.join(", "));
        self.mistake(key, format!("unknown name {unknown}; known here: {known}"));
        false
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        let mut asked = std::mem::take(self.asked.get_mut());
        asked.sort();
        asked.dedup();
        for (key, node) in self.members {
            if asked.binary_search(key).is_err() {
                let known = asked.join(", ");
                self.reading.mistake(
                    node.line,
                    &self.path_of(key),
                    format!("unknown key; known here: {known}"),
                );
            }
        }
        self.reading.known.borrow_mut().push((self.kind, asked));
    }
}

impl fmt::Debug for Block<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block").field("kind", &self.kind).field("path", &self.path).finish()
    }
}

fn suffixed(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}
