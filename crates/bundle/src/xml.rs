//! XML documents of bundles as small trees that know their lines and their source.

mod writer;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::Limits;

pub(crate) use writer::XmlWriter;

/// An element by its local name: namespaces come and go in exported bundles (api-management §1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// 1-based, where its tag begins.
    pub(crate) line: usize,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Node>,
    text: String,
    /// Bytes of the source from its first `<` to its last `>`.
    span: (usize, usize),
}

/// Not XML, or XML that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadXml {
    pub(crate) line: usize,
    pub(crate) why: String,
}

/// Attributes of one element; more are refused before each is compared with each.
const MOST_ATTRIBUTES: usize = 100;
const LONGEST_NAME: usize = 256;

impl Node {
    /// Parses a whole document. Document types, and so entities of one's own, are refused.
    pub(crate) fn parse(xml: &str, limits: &Limits) -> Result<Self, BadXml> {
        if xml.len() > limits.xml_bytes {
            let why = format!("the document has more than {} bytes", limits.xml_bytes);
            return Err(BadXml { line: 1, why });
        }
        let xml = without_mark(xml);
        let mut reader = Reader::from_str(xml);
        let mut lines = Lines { xml, seen: 0, line: 1 };
        let (mut open, mut root, mut count) = (Vec::<Self>::new(), None, 0_usize);
        loop {
            let start = position(&reader);
            let event = reader.read_event();
            let end = position(&reader);
            let line = lines.at(start);
            let bad = |why: String| BadXml { line, why };
            let closed = match event.map_err(|error| bad(error.to_string()))? {
                Event::Start(tag) => {
                    count += 1;
                    if open.len() >= limits.xml_depth {
                        return Err(bad(format!("elements nest deeper than {}", limits.xml_depth)));
                    }
                    open.push(Self::open(&tag, line, (start, end)).map_err(bad)?);
                    None
                }
                Event::Empty(tag) => {
                    count += 1;
                    Some(Self::open(&tag, line, (start, end)).map_err(bad)?)
                }
                Event::End(_) => open.pop().map(|mut node| {
                    node.span.1 = end;
                    node
                }),
                Event::Text(text) => {
                    match open.last_mut() {
                        Some(node) => node.text.push_str(&text.xml10_content()),
                        None if text.trim().is_empty() => {}
                        None => return Err(bad("text outside of the root element".into())),
                    }
                    None
                }
                Event::CData(text) => {
                    if let Some(node) = open.last_mut() {
                        node.text.push_str(&text.xml10_content());
                    }
                    None
                }
                Event::GeneralRef(reference) => {
                    let c = match reference.resolve_char_ref().map_err(|error| bad(error.to_string()))? {
                        Some(c) => c,
                        None => predefined(&reference)
                            .ok_or_else(|| bad(format!("unknown entity '&{};'", &*reference)))?,
                    };
                    if let Some(node) = open.last_mut() {
                        node.text.push(c);
                    }
                    None
                }
                Event::DocType(_) => return Err(bad("a document type is not allowed".into())),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => None,
                Event::Eof => break,
            };
            if count > limits.xml_elements {
                return Err(bad(format!("more than {} elements", limits.xml_elements)));
            }
            if let Some(node) = closed {
                match open.last_mut() {
                    Some(parent) => parent.children.push(node),
                    None if root.is_none() => root = Some(node),
                    None => return Err(bad("more than one root element".into())),
                }
            }
        }
        if let Some(node) = open.last() {
            return Err(BadXml { line: node.line, why: format!("element {} is not closed", node.name) });
        }
        root.ok_or_else(|| BadXml { line: 1, why: "there is no element".into() })
    }

    fn open(tag: &BytesStart<'_>, line: usize, span: (usize, usize)) -> Result<Self, String> {
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let key: &str = attribute.key.as_ref();
            if attributes.len() >= MOST_ATTRIBUTES || key.len() > LONGEST_NAME {
                return Err("too many attributes, or one with too long a name".into());
            }
            let value = attribute.normalized_value(XmlVersion::Explicit1_0);
            attributes.push((key.to_owned(), value.map_err(|error| error.to_string())?.into_owned()));
        }
        attributes
            .retain(|(key, _)| key != "xmlns" && !key.starts_with("xmlns:") && !key.starts_with("xsi:"));
        let name: &str = tag.local_name().into_inner();
        if name.len() > LONGEST_NAME {
            return Err(format!("the name of an element has more than {LONGEST_NAME} bytes"));
        }
        Ok(Self { name: name.to_owned(), line, attributes, span, ..Self::default() })
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of this name.
    pub(crate) fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> + 'a {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text without the white space around it.
    pub(crate) fn text(&self) -> &str {
        self.text.trim()
    }

    /// The text as it is.
    pub(crate) fn whole_text(&self) -> &str {
        &self.text
    }

    /// The text of a child; empty when there is none.
    pub(crate) fn text_of(&self, child: &str) -> &str {
        self.child(child).map_or("", Self::text)
    }

    /// The element as written; `xml` is what it was parsed from.
    pub(crate) fn source<'x>(&self, xml: &'x str) -> &'x str {
        without_mark(xml).get(self.span.0..self.span.1).unwrap_or_default()
    }

    /// Whether it says nothing at all.
    pub(crate) fn is_blank(&self) -> bool {
        self.attributes.is_empty() && self.text().is_empty() && self.children.iter().all(Self::is_blank)
    }
}

/// Positions are counted after a byte order mark.
fn without_mark(xml: &str) -> &str {
    xml.strip_prefix('\u{feff}').unwrap_or(xml)
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

fn predefined(entity: &str) -> Option<char> {
    Some(match entity {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return None,
    })
}

/// Line numbers of growing byte positions.
struct Lines<'x> {
    xml: &'x str,
    seen: usize,
    line: usize,
}

impl Lines<'_> {
    fn at(&mut self, position: usize) -> usize {
        let until = position.min(self.xml.len());
        if until > self.seen {
            self.line += self.xml.as_bytes()[self.seen..until].iter().filter(|byte| **byte == b'\n').count();
            self.seen = until;
        }
        self.line
    }
}

#[cfg(test)]
mod tests;
