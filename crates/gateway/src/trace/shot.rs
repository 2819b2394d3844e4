//! A message at one moment.

use serde::Serialize;

use super::mask::{MASKED, Masks};
use crate::exchange::{Head, Message, MessageBody};

/// A message as a session shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageShot {
    /// `request`, `response`, `error` or what a policy called it.
    pub name: String,
    /// `GET /path?query`, or `200 OK`.
    pub line: String,
    /// In their order; masked ones as `***`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: BodyShot,
}

/// The body of a message at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyShot {
    /// There is none.
    Empty,
    /// Nobody reads it: it passes by.
    Streaming,
    /// Text, cut after as many bytes as the session shows.
    Text {
        /// What is shown.
        text: String,
        /// How long it is, in bytes.
        bytes: usize,
    },
    /// Not text.
    Binary {
        /// How long it is, in bytes.
        bytes: usize,
    },
}

impl MessageShot {
    pub(super) fn of(name: &str, message: &Message, masks: &Masks, body_bytes: usize) -> Self {
        let line = match &message.head {
            Head::Request(head) => {
                let path = head.path.as_deref().unwrap_or_else(|| head.uri.path());
                let query = head.query_text();
                let query = masks.query(&query);
                let mark = if query.is_empty() { "" } else { "?" };
                format!("{} {path}{mark}{query}", head.method)
            }
            Head::Response(head) => format!("{} {}", head.status.as_u16(), head.reason_phrase()),
        };
        let shown = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            let hidden = value.is_sensitive() || masks.hides_header(name.as_str());
            let value =
                if hidden { MASKED.into() } else { String::from_utf8_lossy(value.as_bytes()).into_owned() };
            (name.as_str().to_owned(), value)
        };
        Self {
            name: name.to_owned(),
            line,
            headers: message.headers.iter().map(shown).collect(),
            body: BodyShot::of(&message.body, masks, body_bytes),
        }
    }

    pub(super) fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let body = if let BodyShot::Text { text, .. } = &self.body { text.len() } else { 0 };
        self.name.len() + self.line.len() + headers + body
    }

    pub(super) fn each_text(&mut self, visit: &mut dyn FnMut(&mut String)) {
        visit(&mut self.line);
        self.headers.iter_mut().for_each(|(_, value)| visit(value));
        if let BodyShot::Text { text, .. } = &mut self.body {
            visit(text);
        }
    }
}

impl BodyShot {
    fn of(body: &MessageBody, masks: &Masks, most: usize) -> Self {
        match body {
            MessageBody::Empty => Self::Empty,
            MessageBody::Streaming => Self::Streaming,
            MessageBody::Replaced(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Self::Text { text: cut(&masks.body(text), most), bytes: bytes.len() },
                Err(_) => Self::Binary { bytes: bytes.len() },
            },
        }
    }
}

/// The beginning of a text, whole characters only.
pub(super) fn cut(text: &str, most: usize) -> String {
    text[..text.floor_char_boundary(most)].to_owned()
}
