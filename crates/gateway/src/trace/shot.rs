//! A message at one moment.

use serde::{Deserialize, Serialize};

use super::mask::{MASKED, Masks, PathMasks, Side};
use crate::exchange::{Head, Message, MessageBody};

/// A message as a session shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Values that masks of paths hide are added to `secrets`.
    pub(super) fn of(
        name: &str,
        message: &Message,
        masks: (&Masks, &PathMasks),
        body_bytes: usize,
        secrets: &mut Vec<String>,
    ) -> Self {
        let (masks, paths) = masks;
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
            body: BodyShot::of(&message.body, masks, paths, Side::of(name, message), body_bytes, secrets),
        }
    }

    pub(super) fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.name.len() + self.line.len() + headers + self.body.size()
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
    pub(super) fn size(&self) -> usize {
        if let Self::Text { text, .. } = self { text.len() } else { 0 }
    }

    /// Of what went by: `seen` is its beginning, or all of it.
    pub(super) fn of_passing(
        seen: &[u8],
        total: usize,
        masks: (&Masks, &PathMasks),
        side: Side,
        most: usize,
        secrets: &mut Vec<String>,
    ) -> Self {
        // The last character may have been cut in two.
        let valid = match std::str::from_utf8(seen) {
            Ok(_) => seen,
            Err(broken) if seen.len() < total && broken.error_len().is_none() => {
                &seen[..broken.valid_up_to()]
            }
            Err(_) => return Self::Binary { bytes: total },
        };
        let body = MessageBody::Replaced(bytes::Bytes::copy_from_slice(valid));
        match Self::of(&body, masks.0, masks.1, side, most, secrets) {
            Self::Text { text, .. } => Self::Text { text, bytes: total },
            other => other,
        }
    }

    fn of(
        body: &MessageBody,
        masks: &Masks,
        paths: &PathMasks,
        side: Side,
        most: usize,
        secrets: &mut Vec<String>,
    ) -> Self {
        match body {
            MessageBody::Empty => Self::Empty,
            MessageBody::Streaming => Self::Streaming,
            MessageBody::Replaced(bytes) if bytes.is_empty() => Self::Empty,
            MessageBody::Replaced(bytes) => match std::str::from_utf8(bytes) {
                Ok(_) if masks.hides_content(side) => {
                    Self::Text { text: MASKED.to_owned(), bytes: bytes.len() }
                }
                Ok(text) => {
                    let text = masks.body(text);
                    let text = paths.body(&text, side, secrets);
                    Self::Text { text: cut(&text, most), bytes: bytes.len() }
                }
                Err(_) => Self::Binary { bytes: bytes.len() },
            },
        }
    }
}

/// The beginning of a text, whole characters only.
pub(super) fn cut(text: &str, most: usize) -> String {
    text[..text.floor_char_boundary(most)].to_owned()
}
