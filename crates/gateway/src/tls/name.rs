//! Distinguished names as certificates hold them (RFC 5280 §4.1.2.4) and as people read them (RFC 4514).

use std::fmt::Write as _;

use pierhead_vault::jose::der::{Der, OID, SEQUENCE, SET};

/// Attributes that have a short name, by the content of their object identifier.
const KNOWN: &[(&[u8], &str)] = &[
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 9], "street"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], "emailAddress"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
];

/// A distinguished name; empty when it cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DistinguishedName {
    /// As encoded: the widest first. Attributes of one set stay together.
    parts: Vec<Vec<Attribute>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Attribute {
    kind: Box<[u8]>,
    /// `None` for what is no text; then `der` is shown.
    text: Option<String>,
    der: Box<[u8]>,
}

impl DistinguishedName {
    /// Reads the content of a Name, without its own tag.
    pub(super) fn read(content: &[u8]) -> Self {
        let mut sets = Der::new(content);
        let mut parts = Vec::new();
        while let Some(mut set) = sets.value(SET).map(Der::new) {
            let mut part = Vec::new();
            while let Some(mut pair) = set.value(SEQUENCE).map(Der::new) {
                let (Some(kind), Some(tag)) = (pair.value(OID), pair.peek()) else { break };
                let Some(value) = pair.value(tag) else { break };
                part.push(Attribute { kind: kind.into(), text: text(tag, value), der: value.into() });
            }
            parts.push(part);
        }
        Self { parts }
    }

    /// The most specific value of an attribute, by its short name.
    pub(super) fn value(&self, short: &str) -> Option<&str> {
        let all = self.parts.iter().rev().flatten();
        all.filter(|attribute| attribute.short() == Some(short))
            .find_map(|attribute| attribute.text.as_deref())
    }

    /// RFC 4514: the most specific first.
    pub(super) fn to_text(&self) -> String {
        let mut out = String::new();
        for part in self.parts.iter().rev() {
            for (index, attribute) in part.iter().enumerate() {
                match (index, out.is_empty()) {
                    (0, true) => {}
                    (0, false) => out.push(','),
                    _ => out.push('+'),
                }
                attribute.write(&mut out);
            }
        }
        out
    }
}

impl Attribute {
    fn short(&self) -> Option<&'static str> {
        KNOWN.iter().find(|(kind, _)| **kind == *self.kind).map(|(_, name)| *name)
    }

    fn write(&self, out: &mut String) {
        match self.short() {
            Some(name) => out.push_str(name),
            None => out.push_str(&dotted(&self.kind)),
        }
        out.push('=');
        match &self.text {
            Some(text) => write_escaped(text, out),
            None => {
                out.push('#');
                for byte in &self.der {
                    let _ = write!(out, "{byte:02X}");
                }
            }
        }
    }
}

/// Escapes what would be read as something else (RFC 4514 §2.4).
fn write_escaped(text: &str, out: &mut String) {
    let last = text.chars().count().saturating_sub(1);
    for (index, letter) in text.chars().enumerate() {
        match letter {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => out.extend(['\\', letter]),
            ' ' if index == 0 || index == last => out.push_str("\\ "),
            '#' if index == 0 => out.push_str("\\#"),
            control if control.is_control() => {
                for byte in control.to_string().bytes() {
                    let _ = write!(out, "\\{byte:02X}");
                }
            }
            letter => out.push(letter),
        }
    }
}

/// An object identifier in digits.
fn dotted(content: &[u8]) -> String {
    let mut out = String::new();
    let mut arc: u64 = 0;
    for &byte in content {
        arc = arc << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if out.is_empty() {
            let first = (arc / 40).min(2);
            let _ = write!(out, "{first}.{}", arc - 40 * first);
        } else {
            let _ = write!(out, ".{arc}");
        }
        arc = 0;
    }
    out
}

/// The string types of X.520.
fn text(tag: u8, value: &[u8]) -> Option<String> {
    const UTF8: u8 = 0x0c;
    const PRINTABLE: u8 = 0x13;
    const TELETEX: u8 = 0x14;
    const IA5: u8 = 0x16;
    const BMP: u8 = 0x1e;
    match tag {
        UTF8 | PRINTABLE | IA5 => Some(String::from_utf8_lossy(value).into_owned()),
        TELETEX => Some(value.iter().copied().map(char::from).collect()),
        BMP => {
            let units = value.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            Some(
                char::decode_utf16(units)
                    .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect(),
            )
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
        wrap(SET, &wrap(SEQUENCE, &[wrap(OID, kind), wrap(tag, value)].concat()))
    }

    #[test]
    fn the_most_specific_part_of_a_name_comes_first() {
        let name = DistinguishedName::read(
            &[
                attribute(&[0x55, 4, 6], 0x13, b"DE"),
                attribute(&[0x55, 4, 11], 0x0c, b"Harbour"),
                attribute(&[0x55, 4, 11], 0x0c, b"Pilots"),
                attribute(&[0x55, 4, 3], 0x0c, "Jörg, pilot".as_bytes()),
            ]
            .concat(),
        );

        assert_eq!(name.to_text(), "CN=Jörg\\, pilot,OU=Pilots,OU=Harbour,C=DE");
        assert_eq!((name.value("OU"), name.value("L")), (Some("Pilots"), None));
    }

    #[test]
    fn what_has_no_name_is_shown_in_digits_and_what_is_no_text_in_bytes() {
        let name = DistinguishedName::read(&attribute(&[0x2a, 0x86, 0x48, 0x01], 0x03, &[0, 0xff]));
        assert_eq!(name.to_text(), "1.2.840.1=#00FF");
    }

    #[test]
    fn strings_of_two_bytes_a_letter_are_read() {
        let name = DistinguishedName::read(&attribute(&[0x55, 4, 3], 0x1e, &[0, b'a', 0x20, 0xac]));
        assert_eq!(name.value("CN"), Some("a€"));
    }

    #[test]
    fn damaged_names_are_read_as_far_as_they_go() {
        let mut bytes = attribute(&[0x55, 4, 3], 0x0c, b"a");
        bytes.extend([SET, 40, 1]);
        assert_eq!(DistinguishedName::read(&bytes).to_text(), "CN=a");
        assert_eq!(DistinguishedName::read(&[0xff; 9]).to_text(), "");
    }
}
