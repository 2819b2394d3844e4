//! The head of a target's response: read once, and refused when its framing can be read in two ways.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use memchr::memchr;

use super::decoder::Decoder;
use crate::exchange::Carried;
use crate::octets;
use crate::proxy::{ends_at_hop, strip_hop_by_hop};
use crate::trailers::Announced;

/// What a target sent is no HTTP/1 response, or more than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadResponse(pub(super) &'static str);

/// A final response's head.
#[derive(Debug)]
pub(crate) struct ResponseHead {
    pub(crate) status: StatusCode,
    /// When it is not the standard one.
    pub(crate) reason: Option<Box<str>>,
    /// End-to-end headers; after a HEAD also the Content-Length, which says how long the body would be.
    pub(crate) headers: HeaderMap,
    /// The end-to-end headers instead, when nobody reads them.
    pub(crate) carried: Option<Carried>,
    pub(super) body: Decoder,
    /// What follows the body.
    pub(crate) announced: Announced,
    /// Whether the target keeps the connection open afterwards.
    pub(super) keeps_alive: bool,
}

/// As many as a client may send.
pub(super) const MAX_HEADERS: usize = 100;

/// Where the head at the front of `bytes` ends, looking from `from` on; `None` when more must come.
pub(super) fn end_of_head(bytes: &[u8], from: usize) -> Result<Option<usize>, BadResponse> {
    const BEGIN: &[u8] = b"HTTP/1.";
    let begin = bytes.len().min(BEGIN.len());
    if bytes[..begin] != BEGIN[..begin] {
        // Also an empty line: what follows it may be the answer to somebody else's question.
        return Err(BadResponse("it does not begin with HTTP/1"));
    }
    let ends = memchr::memchr_iter(b'\n', &bytes[from..]).find_map(|at| match &bytes[from + at + 1..] {
        [b'\n', ..] => Some(from + at + 2),
        [b'\r', b'\n', ..] => Some(from + at + 3),
        _ => None,
    });
    Ok(ends)
}

impl ResponseHead {
    /// What HTTP/2 says of a response; its body and its connection are its own affair.
    pub(super) fn of_http2(status: StatusCode, headers: HeaderMap, announced: Announced) -> Self {
        let body = Decoder::ended();
        Self { status, reason: None, headers, carried: None, body, announced, keeps_alive: true }
    }

    /// Reads `head`, which ends with its empty line. `Ok(None)` is an interim response. The headers are left
    /// as they are when `carry` says that nobody reads them, and when they can be.
    pub(super) fn read(
        head: &Bytes,
        is_head_request: bool,
        carry: bool,
    ) -> Result<Option<Self>, BadResponse> {
        if carry && let Some(carried) = Self::carry(head)? {
            return Ok(Some(carried));
        }
        Self::parse(head, is_head_request, false)
    }

    /// The same for a request that asks to speak WebSocket: 101 is an answer then, when it agrees to just that.
    pub(super) fn read_switch(head: &Bytes) -> Result<Option<Self>, BadResponse> {
        Self::parse(head, false, true)
    }

    fn parse(head: &Bytes, is_head_request: bool, may_switch: bool) -> Result<Option<Self>, BadResponse> {
        let (line, mut at, _) = next_line(head, 0);
        let (is_http11, status, reason) = status_line(line)?;
        let mut framing = Framing { keeps_alive: is_http11, ..Framing::default() };
        let mut headers = HeaderMap::with_capacity(ROOM);
        for count in 0.. {
            let (line, next, _) = next_line(head, at);
            if line.is_empty() {
                break;
            }
            if count == MAX_HEADERS {
                return Err(BadResponse("it has too many headers"));
            }
            let (name, value) = header(line)?;
            if !ends_at_hop(name) || framing.learn(name, value, is_head_request)? {
                let name =
                    HeaderName::from_bytes(name).map_err(|_| BadResponse("a header has no proper name"))?;
                let value = HeaderValue::from_maybe_shared(head.slice_ref(value))
                    .map_err(|_| BadResponse("a header value holds a control character"))?;
                headers.append(name, value);
            }
            at = next;
        }
        if status == StatusCode::SWITCHING_PROTOCOLS && may_switch && framing.speaks_websocket {
            let body = Decoder::ended();
            let (reason, carried, announced) = (None, None, Announced::default());
            return Ok(Some(Self { status, reason, headers, carried, body, announced, keeps_alive: false }));
        }
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(BadResponse("it switches protocols unasked"));
        }
        if status.is_informational() {
            return Ok(None);
        }
        if framing.nominates {
            strip_nominated(&mut headers);
        }
        let body = framing.body(status, is_head_request, is_http11)?;
        let reason = reason.filter(|reason| Some(*reason) != status.canonical_reason());
        Ok(Some(Self {
            status,
            reason: reason.map(Into::into),
            headers,
            carried: None,
            body,
            announced: framing.announced,
            keeps_alive: framing.keeps_alive && !framing.is_unsure,
        }))
    }

    /// Reads a final response whose headers nobody reads, when it is as responses should be; `None` leaves
    /// everything else to be read in full, or refused.
    fn carry(head: &Bytes) -> Result<Option<Self>, BadResponse> {
        let (line, mut at, mut is_proper) = next_line(head, 0);
        let Ok((is_http11, status, reason)) = status_line(line) else { return Ok(None) };
        let mut framing = Framing { keeps_alive: is_http11, ..Framing::default() };
        let mut carried = Carried::new(head.clone());
        let mut lines = 1;
        loop {
            let (line, next, ends_properly) = next_line(head, at);
            is_proper &= ends_properly;
            lines += 1;
            if line.is_empty() {
                break;
            }
            let colon = line.iter().position(|&byte| !octets::is_token(byte)).unwrap_or(0);
            if colon == 0 || line[colon] != b':' {
                return Ok(None);
            }
            let name = &line[..colon];
            let goes_on = if ends_at_hop(name) {
                framing.learn(name, line[colon + 1..].trim_ascii(), false)?;
                true
            } else {
                carried.keep(name, at..next)
            };
            if !goes_on {
                return Ok(None);
            }
            at = next;
        }
        // Two for the end of each line, and no other.
        is_proper &= octets::count_controls(head) == 2 * lines && lines <= MAX_HEADERS;
        if !is_proper || framing.nominates || status.is_informational() {
            return Ok(None);
        }
        let body = framing.body(status, false, is_http11)?;
        let reason = reason.filter(|reason| Some(*reason) != status.canonical_reason());
        Ok(Some(Self {
            status,
            reason: reason.map(Into::into),
            headers: HeaderMap::new(),
            carried: Some(carried),
            body,
            announced: framing.announced,
            keeps_alive: framing.keeps_alive && !framing.is_unsure,
        }))
    }
}

/// The line that begins at `at`, where the next one begins, and whether CR LF lies between.
fn next_line(bytes: &[u8], at: usize) -> (&[u8], usize, bool) {
    let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
    let next = (end + 1).min(bytes.len());
    match bytes[at..end].strip_suffix(b"\r") {
        Some(line) => (line, next, true),
        None => (&bytes[at..end], next, false),
    }
}

/// Reads `HTTP/1.x SP 3DIGIT [SP reason]`; the reason is `None` when it is no UTF-8.
fn status_line(line: &[u8]) -> Result<(bool, StatusCode, Option<&str>), BadResponse> {
    let bad = BadResponse("its status line is malformed");
    let (is_http11, rest) = match line.strip_prefix(b"HTTP/1.").ok_or(bad)? {
        [b'1', b' ', rest @ ..] => (true, rest),
        [b'0', b' ', rest @ ..] => (false, rest),
        _ => return Err(bad),
    };
    let (code, reason) = rest.split_at_checked(3).ok_or(bad)?;
    let status = StatusCode::from_bytes(code).map_err(|_| bad)?;
    match reason {
        [] => Ok((is_http11, status, Some(""))),
        [b' ', reason @ ..] if !octets::has_control(reason) => {
            Ok((is_http11, status, std::str::from_utf8(reason).ok()))
        }
        _ => Err(bad),
    }
}

/// Splits `name: value`; neither is repaired.
pub(super) fn header(line: &[u8]) -> Result<(&[u8], &[u8]), BadResponse> {
    let colon = memchr(b':', line).ok_or(BadResponse("a header line has no colon"))?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.is_empty() || !name.iter().all(|&byte| octets::is_token(byte)) {
        return Err(BadResponse("a header has no proper name"));
    }
    if octets::has_control(value) {
        return Err(BadResponse("a header value holds a control character"));
    }
    Ok((name, value.trim_ascii()))
}

/// What most responses have and policies add: without it the map would grow for them.
const ROOM: usize = 12;

/// What a head says about the bytes that follow it.
#[derive(Debug, Default)]
struct Framing {
    length: Option<u64>,
    chunked: bool,
    keeps_alive: bool,
    /// Connection names headers that end here.
    nominates: bool,
    /// Upgrade says WebSocket.
    speaks_websocket: bool,
    /// Trailer says what follows the body.
    announced: Announced,
    /// A response without a body announces one: nobody knows what follows.
    is_unsure: bool,
}

impl Framing {
    /// Takes in a header that ends at this hop. Says whether it is still needed.
    fn learn(&mut self, name: &[u8], value: &[u8], is_head: bool) -> Result<bool, BadResponse> {
        match name.len() {
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                self.length(value)?;
                return Ok(is_head);
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.transfer_encoding(value)?,
            7 if name.eq_ignore_ascii_case(b"upgrade") => {
                self.speaks_websocket = value.trim_ascii().eq_ignore_ascii_case(b"websocket");
            }
            7 if name.eq_ignore_ascii_case(b"trailer") => self.announced.learn(value),
            10 if name.eq_ignore_ascii_case(b"connection") => {
                self.connection(value);
                // It names what else has to go.
                return Ok(self.nominates);
            }
            _ => {}
        }
        Ok(false)
    }

    fn length(&mut self, value: &[u8]) -> Result<(), BadResponse> {
        let digits = value.trim_ascii();
        if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
            return Err(BadResponse("its Content-Length is no whole number"));
        }
        let length = digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        if self.length.replace(length).is_some() {
            return Err(BadResponse("it has two Content-Lengths"));
        }
        Ok(())
    }

    fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), BadResponse> {
        if !value.trim_ascii().eq_ignore_ascii_case(b"chunked") || std::mem::replace(&mut self.chunked, true)
        {
            return Err(BadResponse("its Transfer-Encoding is not chunked"));
        }
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) {
        for token in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
            if token.eq_ignore_ascii_case(b"close") {
                // Whoever says both means this one.
                (self.keeps_alive, self.is_unsure) = (false, true);
            } else if token.eq_ignore_ascii_case(b"keep-alive") {
                self.keeps_alive = true;
            } else if !token.is_empty() && !token.eq_ignore_ascii_case(b"upgrade") {
                self.nominates = true;
            }
        }
    }

    fn body(&mut self, status: StatusCode, is_head: bool, is_http11: bool) -> Result<Decoder, BadResponse> {
        if self.chunked && !is_http11 {
            return Err(BadResponse("HTTP/1.0 has no Transfer-Encoding"));
        }
        if !self.chunked {
            // Nothing can follow what has a length.
            self.announced = Announced::default();
        }
        if self.chunked && self.length.is_some() {
            return Err(BadResponse("it has both Content-Length and Transfer-Encoding"));
        }
        if is_head || status == StatusCode::NOT_MODIFIED {
            return Ok(Decoder::ended());
        }
        if status == StatusCode::NO_CONTENT {
            self.is_unsure |= self.chunked || self.length.is_some_and(|length| length > 0);
            return Ok(Decoder::ended());
        }
        Ok(match (self.chunked, self.length) {
            (true, _) => Decoder::chunked(),
            (false, Some(length)) => Decoder::length(length),
            (false, None) => {
                self.is_unsure = true;
                Decoder::to_close()
            }
        })
    }
}

/// Too many nominations in a response: what the standard names is removed, the rest may pass.
fn strip_nominated(headers: &mut HeaderMap) {
    let length = headers.remove(CONTENT_LENGTH);
    if strip_hop_by_hop(headers).is_err() {
        headers.remove(CONNECTION);
    }
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, length);
    }
}

#[cfg(test)]
mod tests;
