//! Reading a document. What XML 1.0 forbids and the tokenizer lets pass is refused here.

use std::borrow::Cow;

use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::{BadXml, Builder, Document};
use crate::limits::Limits;
use crate::names::{XML, XMLNS, is_blank, is_xml_char, is_xml_text, split_qname};

pub(super) fn too_long(limits: &Limits) -> BadXml {
    BadXml { line: 1, why: format!("the document is longer than {} bytes", limits.bytes) }
}

pub(super) fn parse(xml: &str, limits: &Limits) -> Result<Document, BadXml> {
    if xml.len() > limits.bytes || u32::try_from(xml.len()).is_err() {
        return Err(too_long(limits));
    }
    let xml = xml.strip_prefix('\u{feff}').unwrap_or(xml);
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_comments = true;
    let mut reading =
        Reading { limits, builder: Builder::default(), text: 0, has_element: false, names: Vec::new() };
    let mut lines = Lines { xml: xml.as_bytes(), seen: 0, line: 1 };
    loop {
        let begin = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let line = lines.at(begin);
        reading.builder.at_line(line);
        let event = match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(event) => event,
            Err(error) => {
                let at = usize::try_from(reader.error_position()).unwrap_or(usize::MAX);
                return Err(BadXml { line: lines.at(at.max(begin)), why: error.to_string() });
            }
        };
        reading.event(event, begin).map_err(|why| BadXml { line, why })?;
    }
    let line = lines.at(xml.len());
    if reading.builder.depth() > 0 {
        return Err(BadXml { line, why: "the document ends inside an element".to_owned() });
    }
    if !reading.has_element {
        return Err(BadXml { line, why: "there is no element".to_owned() });
    }
    Ok(reading.builder.finish())
}

struct Reading<'l> {
    limits: &'l Limits,
    builder: Builder,
    /// Bytes of the text that is being put together.
    text: usize,
    has_element: bool,
    /// Names of the attributes of one element, to find repeated ones.
    names: Vec<(u32, u32)>,
}

impl Reading<'_> {
    fn event(&mut self, event: Event<'_>, begin: usize) -> Result<(), String> {
        if !matches!(event, Event::Text(_) | Event::CData(_) | Event::GeneralRef(_)) {
            self.text = 0;
        }
        match event {
            Event::Start(start) => self.start(&start),
            Event::Empty(start) => {
                self.start(&start)?;
                self.builder.end();
                Ok(())
            }
            Event::End(_) => {
                self.builder.end();
                Ok(())
            }
            Event::Text(text) => {
                let content = text.xml10_content();
                if memchr::memmem::find(content.as_bytes(), b"]]>").is_some() {
                    return Err("']]>' in text".to_owned());
                }
                self.add_text(&content)
            }
            Event::CData(text) => {
                self.outside_is_refused().and_then(|()| self.add_text(&text.xml10_content()))
            }
            Event::GeneralRef(reference) => {
                self.outside_is_refused()?;
                let mut buffer = [0; 4];
                let text = resolve(&reference)?.encode_utf8(&mut buffer);
                self.add_text(text)
            }
            Event::Comment(comment) => {
                let text = comment.xml10_content();
                self.checked(&text)?;
                self.builder.comment(&text);
                self.counted()
            }
            Event::PI(instruction) => {
                let (target, text) = (instruction.target(), instruction.content());
                if target.eq_ignore_ascii_case("xml") {
                    return Err("an XML declaration may only stand at the beginning".to_owned());
                }
                if !matches!(split_qname(target), Some(("", _))) {
                    return Err("the target of a processing instruction is no name".to_owned());
                }
                self.limited_name(target)?;
                self.checked(text)?;
                self.builder.instruction(target, text.trim_start());
                self.counted()
            }
            Event::Decl(declaration) => {
                if begin != 0 {
                    return Err("an XML declaration may only stand at the beginning".to_owned());
                }
                match declaration.version() {
                    Ok(version) if version.starts_with("1.") => Ok(()),
                    _ => Err("the XML declaration has no version 1".to_owned()),
                }
            }
            Event::DocType(_) => Err("a document type is not allowed".to_owned()),
            Event::Eof => Ok(()),
        }
    }

    fn outside_is_refused(&self) -> Result<(), String> {
        if self.builder.depth() == 0 {
            Err("text outside of the outermost element".to_owned())
        } else {
            Ok(())
        }
    }

    fn add_text(&mut self, text: &str) -> Result<(), String> {
        if self.builder.depth() == 0 {
            return if is_blank(text) { Ok(()) } else { self.outside_is_refused() };
        }
        self.text += text.len();
        if self.text > self.limits.text_bytes {
            return Err(format!("a text is longer than {} bytes", self.limits.text_bytes));
        }
        self.checked(text)?;
        self.builder.text(text, false);
        self.counted()
    }

    fn checked(&self, text: &str) -> Result<(), String> {
        if text.len() > self.limits.text_bytes {
            return Err(format!("a text is longer than {} bytes", self.limits.text_bytes));
        }
        if is_xml_text(text) { Ok(()) } else { Err("a character that XML does not allow".to_owned()) }
    }

    fn counted(&self) -> Result<(), String> {
        let limit = self.limits.nodes;
        if self.builder.len() > limit { Err(format!("there are more than {limit} nodes")) } else { Ok(()) }
    }

    fn limited_name(&self, name: &str) -> Result<(), String> {
        let limit = self.limits.name_bytes;
        if name.len() > limit { Err(format!("a name is longer than {limit} bytes")) } else { Ok(()) }
    }

    fn qname<'n>(&self, name: &'n str) -> Result<(&'n str, &'n str), String> {
        self.limited_name(name)?;
        split_qname(name).ok_or_else(|| format!("'{name}' is no name"))
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        if self.builder.depth() == 0 && std::mem::replace(&mut self.has_element, true) {
            return Err("there is more than one outermost element".to_owned());
        }
        if self.builder.depth() >= self.limits.depth {
            return Err(format!("elements nest deeper than {}", self.limits.depth));
        }
        let name: &str = start.name().into_inner();
        let (prefix, local) = self.qname(name)?;
        self.builder.start(prefix, local, "");
        if !is_spaced(start.attributes_raw()) {
            return Err("no white space between attributes".to_owned());
        }
        let mut has_attributes = false;
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| error.to_string())?;
            match attribute.key.into_inner() {
                "xmlns" => self.declare("", &attribute)?,
                key => match key.strip_prefix("xmlns:") {
                    Some(prefix) => self.declare(prefix, &attribute)?,
                    None => has_attributes = true,
                },
            }
        }
        let Some(uri) = self.builder.resolve(prefix) else { return Err(unbound(prefix)) };
        if !uri.is_empty() {
            let uri = uri.to_owned();
            self.builder.rename(prefix, local, &uri);
        }
        if has_attributes {
            self.attributes(start)?
        }
        self.counted()
    }

    fn attributes(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        self.names.clear();
        for attribute in start.attributes().with_checks(false).flatten() {
            let key = attribute.key.into_inner();
            if key == "xmlns" || key.starts_with("xmlns:") {
                continue;
            }
            if self.names.len() >= self.limits.attributes {
                return Err(format!("an element has more than {} attributes", self.limits.attributes));
            }
            let (prefix, local) = self.qname(key)?;
            let uri = match prefix {
                "" => String::new(),
                prefix => self.builder.resolve(prefix).ok_or_else(|| unbound(prefix))?.to_owned(),
            };
            let value = self.value(&attribute)?;
            let name = self.builder.new_attribute(prefix, local, &uri, &value);
            self.names.push(name);
            self.counted()?;
        }
        let count = self.names.len();
        self.names.sort_unstable();
        self.names.dedup();
        if self.names.len() < count { Err("an attribute is given twice".to_owned()) } else { Ok(()) }
    }

    fn value<'a>(&self, attribute: &Attribute<'a>) -> Result<Cow<'a, str>, String> {
        if attribute.value.contains('<') {
            return Err("'<' in the value of an attribute".to_owned());
        }
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|error| error.to_string())?;
        self.checked(&value)?;
        Ok(value)
    }

    fn declare(&mut self, prefix: &str, attribute: &Attribute<'_>) -> Result<(), String> {
        let uri = self.value(attribute)?;
        if !prefix.is_empty() {
            self.limited_name(prefix)?;
            if !crate::names::is_nc_name(prefix) {
                return Err(format!("'{prefix}' is no prefix"));
            }
        }
        match (prefix, &*uri) {
            ("xml", XML) => return Ok(()),
            ("xml" | "xmlns", _) | (_, XML | XMLNS) => {
                return Err("the prefixes xml and xmlns cannot be bound anew".to_owned());
            }
            ("", _) => {}
            (_, "") => return Err(format!("the prefix {prefix} is bound to nothing")),
            _ => {}
        }
        if self.builder.declare(prefix, &uri) > self.limits.namespaces {
            return Err(format!("there are more than {} namespaces in scope", self.limits.namespaces));
        }
        Ok(())
    }
}

/// Whether white space follows every value; the tokenizer does not ask for it.
fn is_spaced(attributes: &str) -> bool {
    let mut rest = attributes.trim_end_matches('/').as_bytes();
    while let Some(open) = memchr::memchr2(b'"', b'\'', rest) {
        let Some(length) = memchr::memchr(rest[open], &rest[open + 1..]) else { return true };
        rest = &rest[open + length + 2..];
        if rest.first().is_some_and(|byte| !byte.is_ascii_whitespace()) {
            return false;
        }
    }
    true
}

fn unbound(prefix: &str) -> String {
    format!("the prefix {prefix} is not bound")
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, String> {
    match reference.resolve_char_ref().map_err(|error| error.to_string())? {
        Some(c) if is_xml_char(c) => Ok(c),
        Some(_) => Err("a reference to a character that XML does not allow".to_owned()),
        None => Ok(match &**reference {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "apos" => '\'',
            "quot" => '"',
            _ => return Err("an unknown entity".to_owned()),
        }),
    }
}

/// Line numbers of growing byte positions.
struct Lines<'x> {
    xml: &'x [u8],
    seen: usize,
    line: u32,
}

impl Lines<'_> {
    fn at(&mut self, position: usize) -> u32 {
        let until = position.min(self.xml.len());
        if until > self.seen {
            let newlines = memchr::memchr_iter(b'\n', &self.xml[self.seen..until]).count();
            self.line = self.line.saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX));
            self.seen = until;
        }
        self.line
    }
}
