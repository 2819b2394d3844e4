//! Writing documents, indented as the originals' exporters do.

/// Builds one document. Elements are opened and closed in pairs by the caller.
#[derive(Debug)]
pub(crate) struct XmlWriter {
    text: String,
    depth: usize,
    /// A character that no XML document can hold was to be written.
    unwritable: Option<char>,
}

impl XmlWriter {
    pub(crate) fn new() -> Self {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n".to_owned();
        Self { text, depth: 0, unwritable: None }
    }

    /// A piece of a document: no declaration.
    pub(crate) const fn fragment() -> Self {
        Self { text: String::new(), depth: 0, unwritable: None }
    }

    pub(crate) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes);
        self.text.push_str(">\n");
        self.depth += 1;
    }

    pub(crate) fn close(&mut self, name: &str) {
        self.depth = self.depth.saturating_sub(1);
        self.indent();
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push_str(">\n");
    }

    /// An element that holds text only.
    pub(crate) fn leaf(&mut self, name: &str, text: &str) {
        self.leaf_with(name, &[], text);
    }

    pub(crate) fn leaf_with(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.tag(name, attributes);
        if text.is_empty() {
            self.text.push_str("/>\n");
            return;
        }
        self.text.push('>');
        self.escape(text, false);
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push_str(">\n");
    }

    /// A leaf, unless its text is empty.
    pub(crate) fn some_leaf(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.leaf(name, text);
        }
    }

    /// Text between elements.
    pub(crate) fn some_text(&mut self, text: &str) {
        if !text.is_empty() {
            self.indent();
            self.escape(text, false);
            self.text.push('\n');
        }
    }

    /// XML that is there already.
    pub(crate) fn raw(&mut self, xml: &str) {
        self.indent();
        self.text.push_str(xml.trim());
        self.text.push('\n');
    }

    /// The document, or the character that cannot be in one.
    pub(crate) fn finish(self) -> Result<String, char> {
        self.unwritable.map_or(Ok(self.text), Err)
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.indent();
        self.text.push('<');
        self.text.push_str(name);
        for (key, value) in attributes {
            self.text.push(' ');
            self.text.push_str(key);
            self.text.push_str("=\"");
            self.escape(value, true);
            self.text.push('"');
        }
    }

    fn indent(&mut self) {
        self.text.extend(std::iter::repeat_n("    ", self.depth));
    }

    fn escape(&mut self, text: &str, in_attribute: bool) {
        for c in text.chars() {
            match c {
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '&' => self.text.push_str("&amp;"),
                '"' if in_attribute => self.text.push_str("&quot;"),
                // A reader turns these into something else unless they are references.
                '\r' => self.text.push_str("&#13;"),
                '\u{85}' => self.text.push_str("&#133;"),
                '\u{2028}' => self.text.push_str("&#8232;"),
                '\n' if in_attribute => self.text.push_str("&#10;"),
                '\t' if in_attribute => self.text.push_str("&#9;"),
                '\n' | '\t' => self.text.push(c),
                c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => self.unwritable = Some(c),
                c => self.text.push(c),
            }
        }
    }
}
