//! The head of an answer as it is written to a client.

use http::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderName};
use http::{HeaderValue, Method, StatusCode, Version};

use super::head::Heard;
use crate::exchange::Carried;
use crate::outbox::BodyLength;
use crate::proxy::Answer;
use crate::trailers::Announced;

/// What is to be known of a request when its answer is written.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) struct Asked {
    is_head: bool,
    is_http10: bool,
    keeps_alive: bool,
}

impl Asked {
    pub(in crate::server) fn by(head: &Heard) -> Self {
        Self {
            is_head: head.method == Method::HEAD,
            is_http10: head.version == Version::HTTP_10,
            keeps_alive: head.keeps_alive,
        }
    }
}

/// How an answer is framed and whether the connection outlives it.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) struct AnswerHead {
    asked: Asked,
    status: StatusCode,
    /// How long the body is, or would be.
    length: BodyLength,
    keeps_alive: bool,
    /// Another protocol follows.
    switches: bool,
}

impl AnswerHead {
    /// Decides for `answer`; `may_stay` is whether we would keep the connection.
    pub(in crate::server) fn of(asked: Asked, answer: &Answer, may_stay: bool) -> Self {
        // An interim status is no answer, whoever set it.
        let switches = answer.tunnel.is_some();
        let is_final = switches || !answer.status.is_informational();
        let status = if is_final { answer.status } else { StatusCode::INTERNAL_SERVER_ERROR };
        let length = match BodyLength::of(&answer.body) {
            _ if !is_final || switches => BodyLength::None,
            BodyLength::Chunked if asked.is_http10 => BodyLength::ToClose,
            length => length,
        };
        let ends_with_close = length == BodyLength::ToClose && !asked.is_head;
        let closes = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"close");
        let keeps_alive = asked.keeps_alive
            && may_stay
            && !switches
            && is_final
            && !ends_with_close
            && !answer.headers.get(CONNECTION).is_some_and(closes);
        Self { asked, status, length, keeps_alive, switches }
    }

    /// Whether another request may follow on the connection.
    pub(in crate::server) fn keeps_alive(&self) -> bool {
        self.keeps_alive
    }

    /// How the body is written.
    pub(in crate::server) fn body(&self) -> BodyLength {
        if self.asked.is_head || self.has_never_a_body() { BodyLength::None } else { self.length }
    }

    /// Appends the whole head to `out`; `date` is a whole line.
    pub(in crate::server) fn write(&self, answer: &Answer, date: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(if self.asked.is_http10 { b"HTTP/1.0 " } else { b"HTTP/1.1 " });
        out.extend_from_slice(self.status.as_str().as_bytes());
        out.push(b' ');
        let reason =
            answer.reason.as_deref().filter(|reason| self.status == answer.status && is_phrase(reason));
        let reason = reason.or_else(|| self.status.canonical_reason()).unwrap_or_default();
        out.extend_from_slice(reason.as_bytes());
        let (mut has_length, mut has_date) = (false, false);
        for (name, value) in &answer.headers {
            match (name.as_str().len(), name) {
                (14, name) if *name == CONTENT_LENGTH => {
                    // After HEAD it says how long the body would be; else it is written below.
                    if !self.asked.is_head {
                        continue;
                    }
                    has_length = true;
                }
                (4, name) if *name == DATE => has_date = true,
                (_, name) if concerns_this_hop(name) => continue,
                _ => {}
            }
            for part in [b"\r\n", name.as_str().as_bytes(), b": ", value.as_bytes()] {
                out.extend_from_slice(part);
            }
        }
        for lines in answer.carried.iter().flat_map(Carried::lines) {
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(lines.strip_suffix(b"\r\n").unwrap_or(lines));
        }
        has_date |= answer.carried.as_ref().is_some_and(Carried::has_date);
        out.extend_from_slice(b"\r\nx-request-id: ");
        out.extend_from_slice(answer.id.as_str().as_bytes());
        if !has_length {
            self.write_framing(answer.body.announced(), out);
        }
        match (self.keeps_alive, self.asked.is_http10) {
            _ if self.switches => out.extend_from_slice(b"\r\nconnection: upgrade\r\nupgrade: websocket"),
            (true, false) => {}
            (true, true) => out.extend_from_slice(b"\r\nconnection: keep-alive"),
            (false, _) => out.extend_from_slice(b"\r\nconnection: close"),
        }
        out.extend_from_slice(b"\r\n");
        if !has_date {
            out.extend_from_slice(date);
        }
        out.extend_from_slice(b"\r\n");
    }

    fn write_framing(&self, announced: Option<&Announced>, out: &mut Vec<u8>) {
        match self.length {
            _ if self.has_never_a_body() => {}
            BodyLength::Known(bytes) => write_length(bytes, out),
            // Nobody knows how long the body is that a HEAD did not ask for.
            BodyLength::None | BodyLength::Chunked if self.asked.is_head => {}
            BodyLength::None => write_length(0, out),
            BodyLength::Chunked => {
                out.extend_from_slice(b"\r\ntransfer-encoding: chunked");
                if let Some(names) = announced.and_then(Announced::value) {
                    out.extend_from_slice(b"\r\ntrailer: ");
                    out.extend_from_slice(names.as_bytes());
                }
            }
            BodyLength::ToClose => {}
        }
    }

    fn has_never_a_body(&self) -> bool {
        self.switches || matches!(self.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
    }
}

/// What is written here and by nobody else. A policy may have set it.
pub(in crate::server) fn concerns_this_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection" | "keep-alive" | "transfer-encoding" | "te" | "trailer" | "upgrade" | "x-request-id"
    )
}

/// Whether a text may stand in a status line (RFC 9112 §4).
fn is_phrase(text: &str) -> bool {
    !text.bytes().any(|byte| (byte < b' ' && byte != b'\t') || byte == 0x7f)
}

fn write_length(bytes: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\ncontent-length: ");
    let (mut digits, mut at, mut left) = ([0; 20], 20, bytes);
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
