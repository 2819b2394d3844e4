//! Reading XML in one pass.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use super::build::{Open, recognize};
use super::options::{Options, Recognized};
use crate::dialect::Dialect;
use crate::json::{Json, MAX_DEPTH};

const MAX_ATTRIBUTES: usize = 1000;

pub(super) fn convert(xml: &str, options: &Options, dialect: Dialect) -> Result<String, String> {
    let mut conversion = Conversion {
        options,
        recognized: options.recognized(dialect),
        open: vec![Open::default()],
        path: Vec::new(),
        text: String::new(),
    };
    conversion.read(xml.trim_start_matches('\u{feff}'))?;
    let whole = conversion.open.pop().unwrap_or_default();
    let json = match options.strip_levels {
        0 => whole.finish(&Options::default(), conversion.recognized),
        _ => whole.finish(options, conversion.recognized),
    };
    let mut out = String::from(&*options.prefix);
    out.push_str(&json.to_json());
    out.push_str(&options.suffix);
    Ok(out)
}

struct Conversion<'o> {
    options: &'o Options,
    recognized: Recognized,
    /// The document itself, then the open elements.
    open: Vec<Open>,
    /// Names of the open elements without prefixes, for `TreatAsArray`.
    path: Vec<String>,
    /// Text since the last tag.
    text: String,
}

impl Conversion<'_> {
    fn read(&mut self, xml: &str) -> Result<(), String> {
        let mut reader = Reader::from_str(xml);
        let mut has_root = false;
        loop {
            let event = reader.read_event().map_err(|error| error.to_string());
            match event.map_err(|why| at_line(xml, &reader, &why))? {
                Event::Start(start) => {
                    has_root = self.begin(&start, has_root).map_err(|why| at_line(xml, &reader, &why))?;
                }
                Event::Empty(start) => {
                    has_root = self.begin(&start, has_root).map_err(|why| at_line(xml, &reader, &why))?;
                    self.end();
                }
                Event::End(_) => self.end(),
                Event::Text(text) => self.add_text(&text.xml10_content())?,
                Event::CData(text) => self.add_text(&text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let c = match reference.resolve_char_ref().map_err(|error| error.to_string())? {
                        Some(c) => c,
                        None => match &*reference {
                            "lt" => '<',
                            "gt" => '>',
                            "amp" => '&',
                            "apos" => '\'',
                            "quot" => '"',
                            name => return Err(at_line(xml, &reader, &format!("unknown entity {name}"))),
                        },
                    };
                    self.add_text(c.encode_utf8(&mut [0; 4]))?;
                }
                Event::DocType(_) => return Err(at_line(xml, &reader, "a document type is not allowed")),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                Event::Eof => break,
            }
        }
        if self.open.len() > 1 || !has_root {
            return Err(at_line(xml, &reader, "the document ends too early"));
        }
        Ok(())
    }

    fn add_text(&mut self, text: &str) -> Result<(), String> {
        if self.open.len() > 1 {
            self.text.push_str(text);
            return Ok(());
        }
        if text.trim().is_empty() {
            Ok(())
        } else {
            Err("there is text outside of the root element".to_owned())
        }
    }

    /// Says that there is a root element now.
    fn begin(&mut self, start: &BytesStart<'_>, has_root: bool) -> Result<bool, String> {
        if has_root && self.open.len() == 1 {
            return Err("there is more than one root element".to_owned());
        }
        if self.open.len() > MAX_DEPTH {
            return Err("elements nest too deeply".to_owned());
        }
        self.flush_text();
        let written: &str = start.name().into_inner();
        let mut open = Open::named(self.name(written));
        let stripped = self.open.len() <= self.options.strip_levels;
        let mut namespaces: Vec<(String, String)> = Vec::new();
        let mut attributes = Vec::new();
        for (index, attribute) in start.attributes().enumerate() {
            // Each is compared with all before it.
            if index >= MAX_ATTRIBUTES {
                return Err(format!("an element has more than {MAX_ATTRIBUTES} attributes"));
            }
            let attribute = attribute.map_err(|error| error.to_string())?;
            let key: &str = attribute.key.as_ref();
            let value =
                attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|error| error.to_string())?;
            match key.strip_prefix("xmlns") {
                Some("") => namespaces.push((self.options.default_namespace.to_string(), value.into_owned())),
                Some(rest) if rest.starts_with(':') => {
                    namespaces.push((rest[1..].to_owned(), value.into_owned()))
                }
                _ => {
                    let value = recognize(value.into_owned(), self.options, self.recognized);
                    attributes.push((format!("{}{}", self.options.attribute_prefix, self.name(key)), value));
                }
            }
        }
        if !stripped {
            self.attach(&mut open, namespaces, attributes);
        }
        self.path.push(local(written).to_owned());
        self.open.push(open);
        Ok(true)
    }

    fn attach(
        &self,
        open: &mut Open,
        namespaces: Vec<(String, String)>,
        attributes: Vec<(String, Json<'static>)>,
    ) {
        if let Some(block) = &self.options.namespace_block
            && !namespaces.is_empty()
        {
            let namespaces =
                namespaces.into_iter().map(|(prefix, uri)| (prefix.into(), Json::Text(uri.into())));
            open.add(block.to_string(), Json::Object(namespaces.collect()), None);
        }
        match &self.options.attribute_block {
            Some(block) if !attributes.is_empty() => {
                let attributes = attributes.into_iter().map(|(name, value)| (name.into(), value));
                open.add(block.to_string(), Json::Object(attributes.collect()), None);
            }
            _ => attributes.into_iter().for_each(|(name, value)| open.add(name, value, None)),
        }
    }

    fn end(&mut self) {
        self.flush_text();
        let as_array = if self.options.arrays.is_empty() {
            None
        } else {
            self.options.arrays.get(self.path.join("/").as_str()).copied()
        };
        self.path.pop();
        let Some(mut closed) = self.open.pop() else { return };
        let stripped = self.open.len() <= self.options.strip_levels;
        let Some(parent) = self.open.last_mut() else { return };
        if stripped {
            parent.take_in(closed);
            return;
        }
        let name = std::mem::take(&mut closed.name);
        parent.add(name, closed.finish(self.options, self.recognized), as_array);
    }

    fn flush_text(&mut self) {
        if !self.text.is_empty()
            && let Some(open) = self.open.last_mut()
        {
            open.add_text(std::mem::take(&mut self.text));
        }
    }

    /// A name with its prefix as the options write it.
    fn name(&self, written: &str) -> String {
        match (written.split_once(':'), &self.options.namespace_separator) {
            (Some((prefix, local)), Some(separator)) => format!("{prefix}{separator}{local}"),
            (Some((_, local)), None) => local.to_owned(),
            (None, _) => written.to_owned(),
        }
    }
}

fn local(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}

fn at_line(xml: &str, reader: &Reader<&[u8]>, why: &str) -> String {
    let read = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX).min(xml.len());
    let line = 1 + xml.as_bytes()[..read].iter().filter(|byte| **byte == b'\n').count();
    format!("{why} at line {line}")
}
