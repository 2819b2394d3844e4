//! The head of a request: read once, line by line as it arrives, and refused at the first line that is wrong.

use std::ops::Range;
use std::rc::Rc;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};
use memchr::memchr;

use super::decoder::Decoder;
use super::refusal::Refusal;
use super::rules::{self, RequestLine};
use crate::proxy::is_hop_by_hop;
use crate::spare_maps::SpareMaps;
use crate::trailers::{self, Announced};

/// Sizes beyond which a request head is refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadLimits {
    /// Bytes of the request line without its end.
    pub(crate) line: usize,
    /// Bytes of all header lines with their ends.
    pub(crate) headers: usize,
    /// Header lines.
    pub(crate) count: usize,
}

/// A request's head, whatever it was spoken in. Framing and hop-by-hop headers are not among its headers: they are read here.
#[derive(Debug)]
pub(crate) struct RequestHead {
    pub(crate) method: Method,
    pub(crate) version: Version,
    pub(crate) target: PathAndQuery,
    /// The host that an absolute request target names.
    pub(crate) authority: Option<Authority>,
    pub(crate) headers: HeaderMap,
    /// A body is announced, by length or by chunks; its length may be zero.
    pub(crate) announces_body: bool,
    pub(crate) expects: Expects,
    /// Asks to speak WebSocket from the answer on; a request without a body only.
    pub(crate) upgrades: bool,
    /// Connection names headers that end here: it is among the headers.
    pub(crate) nominates: bool,
    /// What follows the body of the answer will be read.
    pub(crate) takes_trailers: bool,
}

/// A head with what HTTP/1 says about the connection.
#[derive(Debug)]
pub(in crate::server) struct Heard {
    pub(in crate::server) head: RequestHead,
    pub(super) body: Decoder,
    /// What follows the body.
    pub(in crate::server) announced: Announced,
    pub(super) keeps_alive: bool,
}

impl std::ops::Deref for Heard {
    type Target = RequestHead;

    fn deref(&self) -> &RequestHead {
        &self.head
    }
}

/// What the client waits for before it sends the body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Expects {
    #[default]
    Nothing,
    Continue,
    /// Something that is not spoken here.
    Other,
}

/// More blank lines than this before a request line are no accident.
const MAX_BLANK_LINES: u8 = 4;
/// How a client's first line begins that speaks HTTP/2 without being asked (RFC 9113 §3.4).
const HTTP2: &[u8] = b"PRI * HTTP/2.0";
/// What policies and we add: without it the map would grow for them.
const ROOM_FOR_OURS: usize = 4;

/// Reads the heads of one connection's requests. Its room is used again for each.
#[derive(Debug)]
pub(super) struct HeadReader {
    limits: HeadLimits,
    maps: Rc<SpareMaps>,
    /// Header lines that were read, with the place of each value.
    lines: Vec<(HeaderName, usize, usize)>,
    blank_lines: u8,
    progress: Progress,
}

/// How far a head has been read. Places count from the begin of the request line.
#[derive(Debug, Default)]
struct Progress {
    /// Where the line begins that was not read yet.
    at: usize,
    /// No line end lies before this.
    searched: usize,
    line: Option<RequestLine>,
    header_bytes: usize,
    count: usize,
    host: bool,
    chunked: bool,
    length: Option<u64>,
    close: bool,
    keep_alive: bool,
    nominates: bool,
    expects: Expects,
    /// Connection says that Upgrade is meant.
    upgrade: bool,
    /// Upgrade asks for WebSocket, and for nothing else.
    websocket: Option<bool>,
    takes_trailers: bool,
    announced: Announced,
}

impl HeadReader {
    pub(super) fn new(limits: HeadLimits, maps: Rc<SpareMaps>) -> Self {
        Self { limits, maps, lines: Vec::new(), blank_lines: 0, progress: Progress::default() }
    }

    /// Takes the next head off the front of `bytes`, once it is whole.
    pub(super) fn read(&mut self, bytes: &mut BytesMut) -> Result<Option<Heard>, Refusal> {
        loop {
            let at = self.progress.at;
            let Some(end) = memchr(b'\n', &bytes[self.progress.searched..]) else {
                self.progress.searched = bytes.len();
                self.check_size(bytes.len() - at)?;
                return Ok(None);
            };
            let end = self.progress.searched + end;
            let line = &bytes[at..end];
            self.check_size(line.len())?;
            let line = line.strip_suffix(b"\r").ok_or(Refusal::BareLineFeed)?;
            (self.progress.at, self.progress.searched) = (end + 1, end + 1);
            match (self.progress.line, line) {
                (None, b"") => {
                    self.blank_lines += 1;
                    if self.blank_lines > MAX_BLANK_LINES {
                        return Err(Refusal::BadRequestLine);
                    }
                    bytes.advance(end + 1);
                    self.progress = Progress::default();
                }
                (None, line) => {
                    let read = rules::request_line(line);
                    if let (Err(Refusal::UnsupportedVersion), HTTP2, 0) = (&read, line, at) {
                        return Err(Refusal::SpeaksHttp2);
                    }
                    self.progress.line = Some(read?);
                }
                (Some(line), b"") => {
                    let body = self.progress.body(line.is_http10, self.limits)?;
                    let head = bytes.split_to(end + 1).freeze();
                    let progress = std::mem::take(&mut self.progress);
                    self.blank_lines = 0;
                    return self.finish(&head, line, progress, body).map(Some);
                }
                (Some(_), line) => {
                    self.progress.header_bytes += line.len() + 2;
                    self.progress.count += 1;
                    if self.progress.count > self.limits.count {
                        return Err(Refusal::TooBigHeaders);
                    }
                    let (name, value) = rules::header(line)?;
                    if self.progress.learn(&name, line, value.clone())? {
                        self.lines.push((name, at + value.start, at + value.end));
                    }
                }
            }
        }
    }

    /// Refuses a line that is too long, whether its end has come or not.
    fn check_size(&self, length: usize) -> Result<(), Refusal> {
        match self.progress.line {
            None if length > self.limits.line + 1 => Err(Refusal::TooBigLine),
            Some(_) if self.progress.header_bytes + length > self.limits.headers => {
                Err(Refusal::TooBigHeaders)
            }
            _ => Ok(()),
        }
    }

    fn finish(
        &mut self,
        head: &Bytes,
        line: RequestLine,
        progress: Progress,
        body: Decoder,
    ) -> Result<Heard, Refusal> {
        let method = Method::from_bytes(&head[..line.method_end]).map_err(|_| Refusal::BadRequestLine)?;
        let is_get = method == Method::GET;
        let (target, authority) = target(head.slice(line.method_end + 1..line.target_end))?;
        let mut headers = self.maps.take();
        headers.reserve(self.lines.len() + ROOM_FOR_OURS);
        for (name, start, end) in self.lines.drain(..) {
            let value = HeaderValue::from_maybe_shared(head.slice(start..end));
            headers.append(name, value.map_err(|_| Refusal::HeaderValueChar)?);
        }
        let head = RequestHead {
            method,
            version: if line.is_http10 { Version::HTTP_10 } else { Version::HTTP_11 },
            target,
            authority,
            headers,
            announces_body: progress.chunked || progress.length.is_some(),
            expects: progress.expects,
            upgrades: progress.upgrade
                && progress.websocket == Some(true)
                && is_get
                && !line.is_http10
                && !(progress.chunked || progress.length.is_some()),
            nominates: progress.nominates,
            takes_trailers: progress.takes_trailers && !line.is_http10,
        };
        // Only chunks leave room for what was announced.
        let announced = if progress.chunked { progress.announced } else { Announced::default() };
        let keeps_alive = !progress.close && (!line.is_http10 || progress.keep_alive);
        Ok(Heard { head, body, announced, keeps_alive })
    }
}

impl Progress {
    /// Takes in what a header says about this hop. Says whether the header goes further.
    fn learn(&mut self, name: &HeaderName, line: &[u8], value: Range<usize>) -> Result<bool, Refusal> {
        let after_colon = &line[name.as_str().len() + 1..];
        let value = &line[value];
        if *name == HOST {
            if std::mem::replace(&mut self.host, true) {
                return Err(Refusal::DuplicateHost);
            }
            return if rules::is_host_and_port(value) { Ok(true) } else { Err(Refusal::BadHost) };
        }
        if !is_hop_by_hop(name) {
            return Ok(true);
        }
        if *name == CONTENT_LENGTH {
            let repeated = self.length.replace(rules::content_length(value)?);
            return repeated.map_or(Ok(false), |_| Err(Refusal::DuplicateContentLength));
        }
        if *name == TRANSFER_ENCODING {
            if std::mem::replace(&mut self.chunked, true) {
                return Err(Refusal::DuplicateTransferEncoding);
            }
            return rules::transfer_encoding(after_colon).map(|()| false);
        }
        if *name == CONNECTION {
            return Ok(self.connection(value));
        }
        if *name == UPGRADE {
            // Two of them, or a list, are no plain question.
            let asks = self.websocket.is_none() && value.eq_ignore_ascii_case(b"websocket");
            self.websocket = Some(asks);
        }
        if *name == TE {
            self.takes_trailers |= trailers::are_asked_for(value);
        }
        if *name == TRAILER {
            self.announced.learn(value);
        }
        if *name == EXPECT && self.expects != Expects::Other {
            let is_continue = value.eq_ignore_ascii_case(b"100-continue");
            self.expects = if is_continue { Expects::Continue } else { Expects::Other };
        }
        Ok(false)
    }

    /// Says whether the value names headers that end here.
    fn connection(&mut self, value: &[u8]) -> bool {
        let mut nominates = false;
        for token in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
            if token.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if token.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else if token.eq_ignore_ascii_case(b"upgrade") {
                self.upgrade = true;
            } else if !token.is_empty() {
                nominates = true;
            }
        }
        self.nominates |= nominates;
        nominates
    }

    fn body(&self, is_http10: bool, limits: HeadLimits) -> Result<Decoder, Refusal> {
        match (self.chunked, self.length) {
            _ if !self.host && !is_http10 => Err(Refusal::NoHost),
            (true, _) if is_http10 => Err(Refusal::TransferEncodingOnHttp10),
            (true, Some(_)) => Err(Refusal::LengthAndTransferEncoding),
            (true, None) => Ok(Decoder::chunked(limits)),
            (false, length) => Ok(Decoder::length(length.unwrap_or(0), limits)),
        }
    }
}

/// Reads a request target: origin form, or a whole URI, which names a host.
fn target(bytes: Bytes) -> Result<(PathAndQuery, Option<Authority>), Refusal> {
    if bytes.starts_with(b"/") {
        let target = PathAndQuery::from_maybe_shared(bytes).map_err(|_| Refusal::BadPath)?;
        return Ok((target, None));
    }
    let uri = Uri::from_maybe_shared(bytes).map_err(|_| Refusal::BadPath)?.into_parts();
    Ok((uri.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/")), uri.authority))
}
