//! A policy document as a small tree with line numbers.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// Elements nested deeper than this are refused.
const MAX_DEPTH: usize = 50;

/// An element by its local name: the namespaces of exported policies come and go (api-management §1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    /// 1-based.
    pub(crate) line: usize,
    pub(crate) children: Vec<Element>,
    attributes: Vec<(String, String)>,
    text: String,
    /// Where its content begins in the document.
    inside: usize,
}

/// The element whose content is a text even where it is written as markup.
const PAYLOAD: &str = "Payload";

/// A document that is no XML, or XML that we do not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadXml {
    pub(crate) line: usize,
    pub(crate) why: String,
}

impl Element {
    pub(crate) fn parse(xml: &str) -> Result<Self, BadXml> {
        let mut reader = Reader::from_str(xml);
        let mut lines = Lines { xml, seen: 0, line: 1 };
        let mut open: Vec<Self> = Vec::new();
        let mut root = None;
        loop {
            let began = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let event = reader.read_event();
            let line = lines.at(usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX));
            let bad = |why: String| BadXml { line, why };
            let closed = match event.map_err(|error| bad(error.to_string()))? {
                Event::Start(start) => {
                    if open.len() >= MAX_DEPTH {
                        return Err(bad(format!("elements nest deeper than {MAX_DEPTH}")));
                    }
                    let mut element = Self::open(&start, line).map_err(bad)?;
                    element.inside = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
                    open.push(element);
                    None
                }
                Event::Empty(start) => Some(Self::open(&start, line).map_err(bad)?),
                Event::End(_) => open.pop().map(|element| element.closed(xml, began)),
                Event::Text(text) => {
                    match open.last_mut() {
                        Some(element) => element.text.push_str(&text.xml10_content()),
                        None if text.trim().trim_start_matches('\u{feff}').is_empty() => {}
                        None => return Err(bad("text outside of the root element".into())),
                    }
                    None
                }
                Event::CData(text) => {
                    if let Some(element) = open.last_mut() {
                        element.text.push_str(&text.xml10_content());
                    }
                    None
                }
                Event::GeneralRef(reference) => {
                    let c = match reference.resolve_char_ref().map_err(|error| bad(error.to_string()))? {
                        Some(c) => c,
                        None => predefined(&reference)
                            .ok_or_else(|| bad(format!("unknown entity '&{};'", &*reference)))?,
                    };
                    if let Some(element) = open.last_mut() {
                        element.text.push(c);
                    }
                    None
                }
                Event::DocType(_) => return Err(bad("a document type is not allowed".into())),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => None,
                Event::Eof => break,
            };
            if let Some(element) = closed {
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None if root.is_none() => root = Some(element),
                    None => return Err(bad("more than one root element".into())),
                }
            }
        }
        let line = lines.at(xml.len());
        if let Some(element) = open.last() {
            return Err(BadXml {
                line: element.line,
                why: format!("element {} is not closed", element.name),
            });
        }
        root.ok_or_else(|| BadXml { line, why: "there is no element".into() })
    }

    fn open(start: &BytesStart<'_>, line: usize) -> Result<Self, String> {
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let key: &str = attribute.key.as_ref();
            if key == "xmlns" || key.starts_with("xmlns:") || key.starts_with("xsi:") {
                continue;
            }
            let value =
                attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|error| error.to_string())?;
            attributes.push((key.to_owned(), value.into_owned()));
        }
        let name: &str = start.local_name().into_inner();
        Ok(Self { name: name.to_owned(), line, attributes, ..Self::default() })
    }

    /// A payload may be written as XML without hiding it: then its markup is its text.
    fn closed(mut self, xml: &str, end: usize) -> Self {
        if self.name == PAYLOAD && !self.children.is_empty() {
            self.children.clear();
            self.text = xml.get(self.inside..end).unwrap_or_default().to_owned();
        }
        self
    }

    /// An attribute as written.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(name, _)| name.as_str())
    }

    /// The first child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of this name.
    pub(crate) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> + 'a {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text without the white space around it.
    pub(crate) fn text(&self) -> &str {
        self.text.trim()
    }
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
mod tests {
    use super::*;

    #[test]
    fn names_are_local_and_lines_are_counted() {
        let xml = "<?xml version=\"1.0\"?>\n<a:A xmlns:a=\"u\" xmlns=\"http://www.sap.com/apimgmt\" async='true'>\n  <B>\n x &lt;&#65;<![CDATA[<y>]]></B>\n  <B/>\n</a:A>\n";

        let root = Element::parse(xml).unwrap();

        assert_eq!((root.name.as_str(), root.line), ("A", 2));
        assert_eq!(root.attributes().collect::<Vec<_>>(), ["async"]);
        assert_eq!(root.child("B").map(|b| (b.text(), b.line)), Some(("x <A<y>", 3)));
        assert_eq!(root.children("B").count(), 2);
    }

    #[test]
    fn what_is_no_policy_document_is_refused_with_its_line() {
        for (xml, line, part) in [
            ("", 1, "no element"),
            ("<A>\n<B>\n</A>", 3, ""),
            ("<A>\n", 1, "not closed"),
            ("<A/>\n<B/>", 2, "more than one root"),
            ("<!DOCTYPE a [<!ENTITY x \"y\">]>\n<A>&x;</A>", 1, "document type"),
            ("<A>&x;</A>", 1, "unknown entity"),
            ("x<A/>", 1, "outside"),
            ("<A b='1' b='2'/>", 1, ""),
        ] {
            let bad = Element::parse(xml).unwrap_err();
            assert_eq!(bad.line, line, "{xml}: {}", bad.why);
            assert!(bad.why.contains(part), "{xml}: {}", bad.why);
        }
        assert!(Element::parse(&"<A>".repeat(10_000)).unwrap_err().why.contains("deeper"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[<>/a-c&;\"'= !\\[\\]\\-?\\PC]{0,60}") {
            let _ = Element::parse(&text);
        }
    }
}
