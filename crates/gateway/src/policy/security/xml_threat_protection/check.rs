//! Reading a payload event by event. No tree is made: what is refused has cost no more than its reading.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::bounds::Bounds;

/// What is wrong with a payload. Unsourced: the words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Threat {
    #[error("{what} exceeded {most} at line {line}")]
    Exceeded { what: &'static str, most: usize, line: usize },
    #[error("Invalid XML payload at line {line}: {why}")]
    Invalid { line: usize, why: String },
}

/// What may be wrong at a place whose line is not known yet.
enum Wrong {
    Exceeded(&'static str, usize),
    Invalid(String),
}

impl From<&str> for Wrong {
    fn from(why: &str) -> Self {
        Self::Invalid(why.to_owned())
    }
}

/// More than any bound: deeper documents are refused without one, as the rest of the gateway does.
const DEEPEST: usize = 10_000;

impl Bounds {
    pub(super) fn check(&self, payload: &[u8]) -> Result<(), Threat> {
        let text = match std::str::from_utf8(payload) {
            Ok(text) => Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)),
            Err(_) => match pierhead_xml::decode(payload) {
                Ok(text) => text,
                Err(bad) => return Err(Threat::Invalid { line: bad.line as usize, why: bad.why }),
            },
        };
        let mut reader = Reader::from_str(&text);
        reader.config_mut().check_comments = true;
        let mut checking = Checking { bounds: self, children: Vec::new(), text: 0, has_element: false };
        loop {
            let begin = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let line = || 1 + text.as_bytes().iter().take(begin).filter(|byte| **byte == b'\n').count();
            let event = match reader.read_event() {
                Ok(Event::Eof) => break,
                Ok(event) => event,
                Err(error) => return Err(Threat::Invalid { line: line(), why: error.to_string() }),
            };
            checking.event(&event, begin).map_err(|wrong| match wrong {
                Wrong::Exceeded(what, most) => Threat::Exceeded { what, most, line: line() },
                Wrong::Invalid(why) => Threat::Invalid { line: line(), why },
            })?;
        }
        let line = 1 + text.bytes().filter(|byte| *byte == b'\n').count();
        if !checking.children.is_empty() {
            return Err(Threat::Invalid { line, why: "the document ends inside an element".to_owned() });
        }
        if !checking.has_element {
            return Err(Threat::Invalid { line, why: "there is no element".to_owned() });
        }
        Ok(())
    }
}

struct Checking<'b> {
    bounds: &'b Bounds,
    /// Children of each open element.
    children: Vec<usize>,
    /// Characters of the text that goes on.
    text: usize,
    has_element: bool,
}

fn within(count: usize, bound: Option<usize>, what: &'static str) -> Result<(), Wrong> {
    match bound {
        Some(most) if count > most => Err(Wrong::Exceeded(what, most)),
        _ => Ok(()),
    }
}

/// Only counted where there is a bound.
fn characters(text: &str, bound: Option<usize>, what: &'static str) -> Result<(), Wrong> {
    // There are never more characters than bytes.
    match bound {
        Some(most) if text.len() > most => within(text.chars().count(), bound, what),
        _ => Ok(()),
    }
}

impl Checking<'_> {
    fn event(&mut self, event: &Event<'_>, begin: usize) -> Result<(), Wrong> {
        let counted = &self.bounds.counted;
        match event {
            Event::Text(text) => self.add_text(text),
            Event::CData(text) => self.add_text(text),
            Event::GeneralRef(reference) => {
                let is_known = matches!(&**reference, "lt" | "gt" | "amp" | "apos" | "quot");
                let is_char =
                    matches!(reference.resolve_char_ref(), Ok(Some(c)) if pierhead_xml::is_xml_char(c));
                if is_known || is_char { self.add_text("x") } else { Err("an unknown entity".into()) }
            }
            Event::Start(start) => {
                self.child(counted.elements)?;
                self.start(start)
            }
            Event::Empty(start) => {
                self.child(counted.elements)?;
                self.start(start)?;
                self.children.pop();
                Ok(())
            }
            Event::End(_) => {
                self.text = 0;
                self.children.pop();
                Ok(())
            }
            Event::Comment(comment) => {
                self.child(counted.comments)?;
                characters(comment, self.bounds.comment, "Comment length")
            }
            Event::PI(instruction) => {
                self.child(counted.instructions)?;
                characters(instruction.target(), self.bounds.target, "Processing Instruction target length")?;
                let data = instruction.content().trim_start();
                characters(data, self.bounds.instruction, "Processing Instruction data length")
            }
            Event::Decl(_) if begin > 0 => Err("a declaration that does not begin the document".into()),
            Event::Decl(_) | Event::Eof => Ok(()),
            Event::DocType(_) => Err("a document type is not allowed".into()),
        }
    }

    /// Text goes on over references and character data sections.
    fn add_text(&mut self, text: &str) -> Result<(), Wrong> {
        if self.children.is_empty() {
            return if text.trim().is_empty() {
                Ok(())
            } else {
                Err("text outside of the outermost element".into())
            };
        }
        if !text.chars().all(pierhead_xml::is_xml_char) {
            return Err("a character that XML does not allow".into());
        }
        if self.text == 0 && self.bounds.counted.text {
            self.count()?;
        }
        self.text += text.chars().count();
        within(self.text, self.bounds.text, "Text length")
    }

    fn child(&mut self, counts: bool) -> Result<(), Wrong> {
        self.text = 0;
        if counts { self.count() } else { Ok(()) }
    }

    fn count(&mut self) -> Result<(), Wrong> {
        let Some(count) = self.children.last_mut() else { return Ok(()) };
        *count += 1;
        within(*count, self.bounds.children, "Children count")
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), Wrong> {
        if self.children.is_empty() && std::mem::replace(&mut self.has_element, true) {
            return Err("there is more than one outermost element".into());
        }
        self.children.push(0);
        within(self.children.len(), self.bounds.depth, "Node depth")?;
        within(self.children.len(), Some(DEEPEST), "Node depth")?;
        self.name(start.name().into_inner(), self.bounds.element_name, "Element name length")?;
        let (mut attributes, mut namespaces) = (0, 0);
        let mut names: Vec<&str> = Vec::new();
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| Wrong::Invalid(error.to_string()))?;
            let key = attribute.key.into_inner();
            names.push(key);
            if attribute.value.contains('<') {
                return Err("'<' in the value of an attribute".into());
            }
            let value = attribute.normalized_value(XmlVersion::Explicit1_0);
            let value = value.map_err(|error| Wrong::Invalid(error.to_string()))?;
            let prefix = if key == "xmlns" { Some("") } else { key.strip_prefix("xmlns:") };
            if let Some(prefix) = prefix {
                namespaces += 1;
                within(namespaces, self.bounds.namespaces, "Namespace count")?;
                characters(prefix, self.bounds.prefix, "Namespace prefix length")?;
                characters(&value, self.bounds.namespace, "Namespace uri length")?;
            } else {
                attributes += 1;
                within(attributes, self.bounds.attributes, "Attribute count")?;
                self.name(key, self.bounds.attribute_name, "Attribute name length")?;
                characters(&value, self.bounds.attribute, "Attribute value length")?;
            }
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        if names.len() < count { Err("an attribute is given twice".into()) } else { Ok(()) }
    }

    /// A name's prefix has a bound of its own.
    fn name(&self, name: &str, bound: Option<usize>, what: &'static str) -> Result<(), Wrong> {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let is_name =
            pierhead_xml::is_nc_name(local) && (prefix.is_empty() || pierhead_xml::is_nc_name(prefix));
        if !is_name {
            return Err("not a name".into());
        }
        characters(prefix, self.bounds.prefix, "Namespace prefix length")?;
        characters(local, bound, what)
    }
}
