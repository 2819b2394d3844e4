//! Writing a JSON value as an element.

use std::borrow::Cow;

use ahash::{AHashMap, AHashSet};

use super::super::conversion::{is_name, is_name_char, is_name_start};
use super::Options;
use crate::json::Json;

pub(super) struct Writer<'o> {
    options: &'o Options,
    out: String,
    /// How many elements around have declared a prefix.
    prefixes: AHashMap<String, usize>,
    /// Attributes of the element whose tag is open.
    attributes: AHashSet<String>,
    depth: usize,
}

type Members<'j, 't> = &'j [(Cow<'t, str>, Json<'t>)];

impl<'o> Writer<'o> {
    pub(super) fn new(options: &'o Options, bytes: usize) -> Self {
        Self {
            options,
            out: String::with_capacity(bytes * 2),
            prefixes: AHashMap::from_iter([("xml".to_owned(), 1)]),
            attributes: AHashSet::new(),
            depth: 0,
        }
    }

    pub(super) fn document(mut self, value: &Json<'_>) -> String {
        if !self.options.omit_declaration {
            self.out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        }
        match value {
            // The only member is the root, unless it would be several or is none of an element's.
            Json::Object(members) => match members.as_slice() {
                [(name, value)] if !matches!(value, Json::Array(_)) && self.is_element(name) => {
                    self.named(name, value)
                }
                _ => self.element(&self.options.object_root, value),
            },
            Json::Array(_) => self.element(&self.options.array_root, value),
            scalar => self.element(&self.options.object_root, scalar),
        }
        self.out
    }

    fn is_element(&self, name: &str) -> bool {
        let options = self.options;
        name != &*options.text_node
            && name != &*options.attribute_block
            && name != &*options.namespace_block
            && !name.starts_with(&*options.attribute_prefix)
    }

    /// A member: an element, or one for each item of an array.
    fn named(&mut self, name: &str, value: &Json<'_>) {
        match value {
            Json::Array(items) => {
                for item in items {
                    self.element_of(name, item);
                }
            }
            value => self.element_of(name, value),
        }
    }

    fn element_of(&mut self, name: &str, value: &Json<'_>) {
        // What an element declares is in scope for its own name.
        self.declare(value);
        let name = self.qualified(name);
        self.element_in_scope(&name, value);
        self.forget(value);
    }

    fn element(&mut self, name: &str, value: &Json<'_>) {
        self.declare(value);
        self.element_in_scope(name, value);
        self.forget(value);
    }

    fn element_in_scope(&mut self, name: &str, value: &Json<'_>) {
        self.line_break();
        self.out.push('<');
        self.out.push_str(name);
        self.attributes.clear();
        self.depth += 1;
        let has_elements = match value {
            Json::Object(members) => self.members(members),
            Json::Array(items) => {
                self.out.push('>');
                for item in items {
                    self.element(&self.options.array_item, item);
                }
                !items.is_empty()
            }
            scalar => {
                self.out.push('>');
                self.text(scalar);
                false
            }
        };
        self.depth -= 1;
        // Nothing came after the bracket, for in text it is escaped: an empty element.
        if self.out.ends_with('>') && !has_elements {
            self.out.pop();
            self.out.push_str("/>");
            return;
        }
        if has_elements {
            self.line_break();
        }
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// Attributes and namespaces first, then what is inside; says whether there were elements.
    fn members(&mut self, members: Members<'_, '_>) -> bool {
        for (name, value) in members {
            if **name == *self.options.namespace_block
                && let Json::Object(namespaces) = value
            {
                for (prefix, uri) in namespaces {
                    match self.prefix(prefix) {
                        "" => self.attribute("xmlns", uri),
                        // A prefix cannot be given no namespace.
                        prefix if is_name(prefix) && !self.is_null(uri) && !uri.shown().is_empty() => {
                            self.attribute(&format!("xmlns:{prefix}"), uri)
                        }
                        _ => {}
                    }
                }
            } else if **name == *self.options.attribute_block
                && let Json::Object(attributes) = value
            {
                for (name, value) in attributes {
                    let plain = name.strip_prefix(&*self.options.attribute_prefix).unwrap_or(name);
                    let name = self.qualified(plain);
                    self.attribute(&name, value);
                }
            } else if let Some(name) = self.attribute_name(name) {
                let name = self.qualified(name);
                self.attribute(&name, value);
            }
        }
        self.out.push('>');
        let mut has_elements = false;
        for (name, value) in members {
            let is_block = (**name == *self.options.namespace_block
                || **name == *self.options.attribute_block)
                && matches!(value, Json::Object(_));
            if is_block || self.attribute_name(name).is_some() {
                continue;
            }
            if **name == *self.options.text_node && !matches!(value, Json::Object(_)) {
                match value {
                    Json::Array(items) => items.iter().for_each(|item| self.text(item)),
                    value => self.text(value),
                }
                continue;
            }
            has_elements |= !matches!(value, Json::Array(items) if items.is_empty());
            self.named(name, value);
        }
        has_elements
    }

    /// The rest of a name that begins with the prefix of attributes.
    fn attribute_name<'n>(&self, name: &'n str) -> Option<&'n str> {
        name.strip_prefix(&*self.options.attribute_prefix).filter(|rest| !rest.is_empty())
    }

    fn attribute(&mut self, name: &str, value: &Json<'_>) {
        // A name twice would be no XML.
        if !self.attributes.insert(name.to_owned()) {
            return;
        }
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        if !self.is_null(value) {
            self.escaped(&value.shown(), true);
        }
        self.out.push('"');
    }

    fn text(&mut self, value: &Json<'_>) {
        if !self.is_null(value) {
            self.escaped(&value.shown(), false);
        }
    }

    fn is_null(&self, value: &Json<'_>) -> bool {
        match value {
            Json::Null => true,
            Json::Text(text) => **text == *self.options.null_value,
            _ => false,
        }
    }

    /// Brings the prefixes that a value declares into scope.
    fn declare(&mut self, value: &Json<'_>) {
        for (prefix, _) in self.namespaces(value) {
            let prefix = self.prefix(prefix).to_owned();
            *self.prefixes.entry(prefix).or_default() += 1;
        }
    }

    fn forget(&mut self, value: &Json<'_>) {
        for (prefix, _) in self.namespaces(value) {
            let prefix = self.prefix(prefix);
            if let Some(count) = self.prefixes.get_mut(prefix) {
                *count -= 1;
            }
        }
    }

    fn namespaces<'j, 't>(&self, value: &'j Json<'t>) -> Members<'j, 't> {
        match value.get(&self.options.namespace_block) {
            Some(Json::Object(namespaces)) => namespaces,
            _ => &[],
        }
    }

    /// Empty for the default namespace.
    fn prefix<'n>(&self, name: &'n str) -> &'n str {
        if name == &*self.options.default_namespace || name == "xmlns" {
            return "";
        }
        name.strip_prefix("xmlns:").unwrap_or(name)
    }

    /// A name that XML allows, with its prefix if that is in scope.
    fn qualified<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if let Some((prefix, local)) = name.split_once(&*self.options.namespace_separator)
            && !prefix.is_empty()
            && self.prefixes.get(prefix).is_some_and(|count| *count > 0)
        {
            return Cow::Owned(format!("{prefix}:{}", self.valid(local)));
        }
        self.valid(name)
    }

    /// Each run of characters that names may not have is replaced.
    fn valid<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if is_name(name) {
            return Cow::Borrowed(name);
        }
        let mut valid = String::with_capacity(name.len() + 1);
        let mut replacing = false;
        for c in name.chars() {
            if is_name_char(c) {
                valid.push(c);
            } else if !replacing {
                valid.push_str(&self.options.replacement);
            }
            replacing = !is_name_char(c);
        }
        if !valid.starts_with(is_name_start) {
            let start = if self.options.replacement.starts_with(is_name_start) {
                &*self.options.replacement
            } else {
                "_"
            };
            valid.insert_str(0, start);
        }
        Cow::Owned(valid)
    }

    fn escaped(&mut self, text: &str, in_attribute: bool) {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' if in_attribute => self.out.push_str("&quot;"),
                '\n' | '\t' if in_attribute => self.out.push_str(if c == '\n' { "&#10;" } else { "&#9;" }),
                '\r' => self.out.push_str("&#13;"),
                '\n' | '\t' => self.out.push(c),
                '\u{FFFE}' | '\u{FFFF}' => self.out.push_str(&self.options.replacement),
                c if c < ' ' => self.out.push_str(&self.options.replacement),
                c => self.out.push(c),
            }
        }
    }

    fn line_break(&mut self) {
        if self.options.indent && !self.out.is_empty() {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", self.depth));
        }
    }
}
