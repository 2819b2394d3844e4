//! XML as JSON, the way definitions see it.
//!
//! An element is named without its namespace. One with children is an object of them, several of one name
//! an array; one with text only is that text, an empty one null. Attributes are members `@name`, text
//! beside them `#text`. Document types and entities beyond XML's own five are refused.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value};

/// Elements may be nested so deep.
const MAX_DEPTH: usize = 100;

/// An element may have so many attributes: the check for repeated ones compares each with each.
const MAX_ATTRIBUTES: usize = 64;

/// The bytes are no XML this reader takes.
#[derive(Debug, thiserror::Error)]
#[error("not well-formed XML")]
pub(crate) struct BadXml;

#[derive(Default)]
struct Element {
    name: String,
    members: Map<String, Value>,
    text: String,
}

/// Parses a whole document into an object with one member, the root element.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, BadXml> {
    let text = std::str::from_utf8(bytes).map_err(|_| BadXml)?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().map_err(|_| BadXml)? {
            Event::Start(start) => {
                if open.len() > MAX_DEPTH {
                    return Err(BadXml);
                }
                open.push(Element::start(&start)?);
            }
            Event::Empty(start) => {
                let element = Element::start(&start)?;
                open.last_mut().ok_or(BadXml)?.add(element);
            }
            Event::End(_) => {
                let element = open.pop().ok_or(BadXml)?;
                open.last_mut().ok_or(BadXml)?.add(element);
            }
            Event::Text(text) => {
                open.last_mut().ok_or(BadXml)?.text.push_str(&text.xml10_content());
            }
            Event::CData(data) => {
                open.last_mut().ok_or(BadXml)?.text.push_str(&data.xml10_content());
            }
            Event::GeneralRef(reference) => {
                let c = match (reference.resolve_char_ref().map_err(|_| BadXml)?, &*reference) {
                    (Some(c), _) => c,
                    (None, "lt") => '<',
                    (None, "gt") => '>',
                    (None, "amp") => '&',
                    (None, "quot") => '"',
                    (None, "apos") => '\'',
                    (None, _) => return Err(BadXml),
                };
                open.last_mut().ok_or(BadXml)?.text.push(c);
            }
            Event::DocType(_) => return Err(BadXml),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    match <[Element; 1]>::try_from(open) {
        Ok([document]) if document.members.len() == 1 => Ok(Value::Object(document.members)),
        _ => Err(BadXml),
    }
}

impl Element {
    fn start(start: &BytesStart<'_>) -> Result<Self, BadXml> {
        let name = start.local_name().as_ref().to_owned();
        let mut members = Map::new();
        for (count, attribute) in start.attributes().enumerate() {
            if count == MAX_ATTRIBUTES {
                return Err(BadXml);
            }
            let attribute = attribute.map_err(|_| BadXml)?;
            if attribute.key.as_ref().starts_with("xmlns") {
                continue;
            }
            let key = attribute.key.local_name().as_ref().to_owned();
            let value = quick_xml::escape::unescape(&attribute.value).map_err(|_| BadXml)?;
            members.insert(format!("@{key}"), value.into_owned().into());
        }
        Ok(Self { name, members, text: String::new() })
    }

    fn add(&mut self, child: Element) {
        let (name, value) = child.into_value();
        match self.members.get_mut(&name) {
            None => {
                self.members.insert(name, value);
            }
            Some(Value::Array(items)) => items.push(value),
            Some(first) => {
                let first_value = std::mem::take(first);
                *first = Value::Array(vec![first_value, value]);
            }
        }
    }

    fn into_value(self) -> (String, Value) {
        let text = self.text.trim();
        let value = match (self.members.is_empty(), text.is_empty()) {
            (true, true) => Value::Null,
            (true, false) => Value::from(self.text),
            (false, true) => Value::Object(self.members),
            (false, false) => {
                let mut members = self.members;
                members.insert("#text".to_owned(), text.into());
                Value::Object(members)
            }
        };
        (self.name, value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn namespaces_vanish_and_repeated_elements_become_an_array() {
        let text = r#"<?xml version="1.0"?><D:m xmlns:D="DAV:"><D:r a="1">x &amp; &#228;</D:r><D:r/><e><f> y</f></e></D:m>"#;
        let parsed = parse(text.as_bytes()).unwrap();
        assert_eq!(parsed, json!({"m": {"r": [{"@a": "1", "#text": "x & ä"}, null], "e": {"f": " y"}}}));
    }

    #[test]
    fn document_types_own_entities_and_broken_documents_are_refused() {
        for text in
            ["<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a>&b;</a>", "<a><b></a>", "<a>", "", "<a/><b/>"]
        {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        let wide: String = (0..300_000).map(|at| format!(" a{at}=''")).collect();
        let begun = std::time::Instant::now();
        assert!(parse(format!("<a{wide}/>").as_bytes()).is_err(), "too many attributes");
        assert!(begun.elapsed() < std::time::Duration::from_secs(2), "the work grows with the square");
        let deep = format!("{}{}", "<a>".repeat(200), "</a>".repeat(200));
        assert!(parse(deep.as_bytes()).is_err());
    }
}
