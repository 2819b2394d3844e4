//! JSON as policies need it: read token by token with line numbers, or as a tree that borrows from the text
//! and keeps numbers as they were written.

mod reader;

use std::borrow::Cow;

pub(crate) use reader::{BadJson, Reader, Token};

/// The deepest nesting of a tree; deeper documents can only be read token by token.
pub(crate) const MAX_DEPTH: usize = 500;

/// A value. Names of an object keep their order; of two equal names the last one counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'t> {
    Null,
    Bool(bool),
    /// As written: nothing is rounded.
    Number(Cow<'t, str>),
    Text(Cow<'t, str>),
    Array(Vec<Json<'t>>),
    Object(Vec<(Cow<'t, str>, Json<'t>)>),
}

impl<'t> Json<'t> {
    /// Reads one document.
    pub(crate) fn parse(text: &'t str) -> Result<Self, BadJson> {
        let mut reader = Reader::new(text);
        let mut open: Vec<(Option<Cow<'t, str>>, Self)> = Vec::new();
        let mut name = None;
        let mut root = Self::Null;
        while let Some(token) = reader.next()? {
            let value = match token {
                Token::Name(next) => {
                    name = Some(next);
                    continue;
                }
                Token::BeginObject | Token::BeginArray => {
                    if open.len() >= MAX_DEPTH {
                        return Err(reader.bad("the values nest too deeply"));
                    }
                    let empty = if token == Token::BeginObject {
                        Self::Object(Vec::new())
                    } else {
                        Self::Array(Vec::new())
                    };
                    open.push((name.take(), empty));
                    continue;
                }
                Token::EndObject | Token::EndArray => match open.pop() {
                    Some((own_name, value)) => {
                        name = own_name;
                        value
                    }
                    None => continue,
                },
                Token::Null => Self::Null,
                Token::Bool(value) => Self::Bool(value),
                Token::Number(number) => Self::Number(Cow::Borrowed(number)),
                Token::Text(text) => Self::Text(text),
            };
            match open.last_mut() {
                Some((_, Self::Object(members))) => members.push((name.take().unwrap_or_default(), value)),
                Some((_, Self::Array(items))) => items.push(value),
                _ => root = value,
            }
        }
        Ok(root)
    }

    /// A member of an object.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// A number that was computed.
    pub(crate) fn number(value: f64) -> Json<'static> {
        // What is whole is written without a fraction, as long as that is exact.
        if value.fract() == 0.0 && value.abs() < 9.0e15 {
            Json::Number(Cow::Owned(format!("{value:.0}")))
        } else {
            Json::Number(Cow::Owned(value.to_string()))
        }
    }

    /// The value of a number, rounded to double precision.
    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.parse().ok(),
            _ => None,
        }
    }

    /// How a variable shows it: text without its quotes, everything else as JSON.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) | Self::Number(text) => Cow::Borrowed(text),
            other => Cow::Owned(other.to_json()),
        }
    }

    /// Written without blanks.
    pub(crate) fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => out.push_str(number),
            Self::Text(text) => write_text(text, out),
            Self::Array(items) => write_array(items.iter(), out),
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Values as an array.
pub(crate) fn write_array<'v, 't: 'v>(items: impl Iterator<Item = &'v Json<'t>>, out: &mut String) {
    out.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        item.write(out);
    }
    out.push(']');
}

/// Text in quotes.
pub(crate) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            8 => out.push_str("\\b"),
            12 => out.push_str("\\f"),
            other => out.push_str(&format!("\\u{other:04x}")),
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

#[cfg(test)]
mod tests;
