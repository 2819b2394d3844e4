//! Follows an HTTP/1.1 request stream byte by byte and says how much of it may be believed.

use memchr::memchr;

use super::refusal::Refusal;

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

/// What may pass of the bytes just looked at.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// This many bytes from the front.
    pub(crate) pass: usize,
    /// Heads that end within them.
    pub(crate) heads: u32,
    /// Set once; nothing after it is looked at.
    pub(crate) refused: Option<Refused>,
}

/// A refusal and how far its message had got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No complete head of this message passed: the guard itself answers.
    Head(Refusal),
    /// Its head passed earlier: whoever reads the body sees an error.
    Body(Refusal),
}

/// The place in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    RequestLine,
    Header,
    Length(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkCr,
    ChunkLf,
    Trailer,
}

/// What the head said about the body and the host.
#[derive(Debug, Clone, Copy, Default)]
struct Head {
    http10: bool,
    host: bool,
    chunked: bool,
    length: Option<u64>,
    blank_lines: u8,
    bytes: usize,
    count: usize,
}

/// More blank lines than this before a request line are no accident.
const MAX_BLANK_LINES: u8 = 4;
/// A chunk's size line, extensions included.
const MAX_CHUNK_LINE: usize = 256;

/// The state machine. It never repairs: it passes bytes as they are or refuses.
#[derive(Debug)]
pub(crate) struct Framing {
    limits: HeadLimits,
    place: Place,
    head: Head,
    /// The start of a line whose end has not arrived.
    carry: Vec<u8>,
}

impl Framing {
    pub(crate) fn new(limits: HeadLimits) -> Self {
        Self { limits, place: Place::RequestLine, head: Head::default(), carry: Vec::new() }
    }

    /// Whether the stream stands within a head of which bytes have arrived.
    pub(crate) fn in_head(&self) -> bool {
        match self.place {
            Place::RequestLine => !self.carry.is_empty(),
            Place::Header => true,
            _ => false,
        }
    }

    /// Whether the stream stands within a body.
    pub(crate) fn in_body(&self) -> bool {
        !matches!(self.place, Place::RequestLine | Place::Header)
    }

    /// Looks at the next bytes of the stream.
    pub(crate) fn follow(&mut self, bytes: &[u8]) -> Verdict {
        // A message that begins in these bytes passes from its first byte or not at all, so that nobody
        // behind sees the head of a message whose body is refused.
        let mut begins = self.between_messages().then_some(0);
        let (mut at, mut heads, mut heads_before) = (0, 0, 0);
        while at < bytes.len() {
            match self.advance(&bytes[at..]) {
                Ok((used, head_ended)) => {
                    at += used;
                    heads += u32::from(head_ended);
                    if self.between_messages() {
                        (begins, heads_before) = (Some(at), heads);
                    }
                }
                Err(refusal) if begins.is_none() && self.in_body() => {
                    return Verdict { pass: 0, heads: 0, refused: Some(Refused::Body(refusal)) };
                }
                Err(refusal) => {
                    let pass = begins.unwrap_or(0);
                    return Verdict { pass, heads: heads_before, refused: Some(Refused::Head(refusal)) };
                }
            }
        }
        Verdict { pass: bytes.len(), heads, refused: None }
    }

    fn between_messages(&self) -> bool {
        self.place == Place::RequestLine && self.carry.is_empty()
    }

    /// Takes the next piece; says how long it is and whether a head ended with it.
    fn advance(&mut self, bytes: &[u8]) -> Result<(usize, bool), Refusal> {
        match self.place {
            Place::RequestLine | Place::Header | Place::ChunkSize | Place::Trailer => self.next_line(bytes),
            Place::Length(left) => {
                let (used, left) = skip(left, bytes);
                if left == 0 {
                    self.next_message()
                } else {
                    self.place = Place::Length(left)
                }
                Ok((used, false))
            }
            Place::ChunkData(left) => {
                let (used, left) = skip(left, bytes);
                self.place = if left == 0 { Place::ChunkCr } else { Place::ChunkData(left) };
                Ok((used, false))
            }
            Place::ChunkCr if bytes[0] == b'\r' => {
                self.place = Place::ChunkLf;
                Ok((1, false))
            }
            Place::ChunkLf if bytes[0] == b'\n' => {
                self.place = Place::ChunkSize;
                Ok((1, false))
            }
            Place::ChunkCr | Place::ChunkLf => Err(Refusal::BadChunk),
        }
    }

    fn next_line(&mut self, bytes: &[u8]) -> Result<(usize, bool), Refusal> {
        let Some(end) = memchr(b'\n', bytes) else {
            self.carry.extend_from_slice(bytes);
            self.check_size(self.carry.len())?;
            return Ok((bytes.len(), false));
        };
        if self.carry.is_empty() {
            return Ok((end + 1, self.line(&bytes[..end])?));
        }
        let mut carry = std::mem::take(&mut self.carry);
        carry.extend_from_slice(&bytes[..end]);
        let head_ended = self.line(&carry)?;
        carry.clear();
        self.carry = carry;
        Ok((end + 1, head_ended))
    }

    /// Refuses a line that is too long for its place, whether its end has come or not.
    fn check_size(&self, length: usize) -> Result<(), Refusal> {
        match self.place {
            Place::RequestLine if length > self.limits.line + 1 => Err(Refusal::TooBigLine),
            Place::Header if self.head.bytes + length > self.limits.headers => Err(Refusal::TooBigHeaders),
            Place::Trailer if self.head.bytes + length > self.limits.headers => Err(Refusal::BadChunk),
            Place::ChunkSize if length > MAX_CHUNK_LINE => Err(Refusal::BadChunk),
            _ => Ok(()),
        }
    }

    /// Takes one whole line, given without its LF.
    fn line(&mut self, line: &[u8]) -> Result<bool, Refusal> {
        self.check_size(line.len())?;
        let line = match line.split_last() {
            Some((b'\r', line)) => line,
            _ if self.in_body() => return Err(Refusal::BadChunk),
            _ => return Err(Refusal::BareLineFeed),
        };
        match self.place {
            Place::Header if line.is_empty() => {
                self.end_head()?;
                return Ok(true);
            }
            Place::Header => {
                self.count_header(line, Refusal::TooBigHeaders)?;
                self.header(line)?;
            }
            Place::ChunkSize => {
                self.place = match chunk_size(line)? {
                    0 => {
                        (self.head.bytes, self.head.count) = (0, 0);
                        Place::Trailer
                    }
                    size => Place::ChunkData(size),
                };
            }
            Place::Trailer if line.is_empty() => self.next_message(),
            Place::Trailer => {
                self.count_header(line, Refusal::BadChunk)?;
                header_parts(line)?;
            }
            _ if line.is_empty() => {
                self.head.blank_lines += 1;
                if self.head.blank_lines > MAX_BLANK_LINES {
                    return Err(Refusal::BadRequestLine);
                }
            }
            _ => {
                self.head.http10 = request_line(line)?;
                self.place = Place::Header;
            }
        }
        Ok(false)
    }

    fn count_header(&mut self, line: &[u8], too_big: Refusal) -> Result<(), Refusal> {
        self.head.bytes += line.len() + 2;
        self.head.count += 1;
        if self.head.count > self.limits.count { Err(too_big) } else { Ok(()) }
    }

    fn header(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let (name, value) = header_parts(line)?;
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => {
                if std::mem::replace(&mut self.head.host, true) {
                    return Err(Refusal::DuplicateHost);
                }
                if !value.trim_ascii().iter().all(|&byte| is_host(byte)) {
                    return Err(Refusal::BadHost);
                }
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                let repeated = self.head.length.replace(content_length(value)?);
                repeated.map_or(Ok(()), |_| Err(Refusal::DuplicateContentLength))?;
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                if std::mem::replace(&mut self.head.chunked, true) {
                    return Err(Refusal::DuplicateTransferEncoding);
                }
                transfer_encoding(value)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn end_head(&mut self) -> Result<(), Refusal> {
        let head = self.head;
        match (head.chunked, head.length) {
            _ if !head.host && !head.http10 => return Err(Refusal::NoHost),
            (true, _) if head.http10 => return Err(Refusal::TransferEncodingOnHttp10),
            (true, Some(_)) => return Err(Refusal::LengthAndTransferEncoding),
            (true, None) => self.place = Place::ChunkSize,
            (false, Some(length)) if length > 0 => self.place = Place::Length(length),
            _ => self.next_message(),
        }
        Ok(())
    }

    fn next_message(&mut self) {
        self.place = Place::RequestLine;
        self.head = Head::default();
    }
}

/// How many of the `left` bytes are in `bytes`, and how many are then left.
fn skip(left: u64, bytes: &[u8]) -> (usize, u64) {
    let used = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    (used, left - used as u64)
}

/// Checks `method SP target SP version`; true for HTTP/1.0.
fn request_line(line: &[u8]) -> Result<bool, Refusal> {
    let method_end = memchr(b' ', line).ok_or(Refusal::BadRequestLine)?;
    let (method, rest) = (&line[..method_end], &line[method_end + 1..]);
    let target_end = memchr(b' ', rest).ok_or(Refusal::BadRequestLine)?;
    let (target, version) = (&rest[..target_end], &rest[target_end + 1..]);
    if method.is_empty() || target.is_empty() || !method.iter().all(|&byte| is_token(byte)) {
        return Err(Refusal::BadRequestLine);
    }
    let http10 = match version {
        b"HTTP/1.1" => false,
        b"HTTP/1.0" => true,
        other if other.starts_with(b"HTTP/") => return Err(Refusal::UnsupportedVersion),
        _ => return Err(Refusal::BadRequestLine),
    };
    // `#` and what follows it would vanish in the parser above; the others it refuses without a fault.
    if !target.iter().all(|&byte| is_target(byte)) {
        return Err(Refusal::BadPath);
    }
    if method == b"CONNECT" { Err(Refusal::ConnectMethod) } else { Ok(http10) }
}

/// Splits `name: value` and checks every byte of both.
fn header_parts(line: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Refusal::FoldedHeader);
    }
    let colon = memchr(b':', line).ok_or(Refusal::NoColon)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.is_empty() {
        return Err(Refusal::EmptyHeaderName);
    }
    if !name.iter().all(|&byte| is_token(byte)) {
        let ascii = name.is_ascii();
        return Err(if ascii { Refusal::HeaderNameChar } else { Refusal::NonAsciiHeaderName });
    }
    // A fold without an early exit compiles to vector instructions.
    let control = |byte: u8| ((byte < b' ') & (byte != b'\t')) | (byte == 0x7f);
    if value.iter().fold(false, |found, &byte| found | control(byte)) {
        return Err(Refusal::HeaderValueChar);
    }
    Ok((name, value))
}

fn content_length(value: &[u8]) -> Result<u64, Refusal> {
    let digits = value.trim_ascii();
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::BadContentLength);
    }
    Ok(digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// Accepts `chunked` in any case between blanks, and nothing else: neither tabs, lists nor parameters.
fn transfer_encoding(value: &[u8]) -> Result<(), Refusal> {
    let start = value.iter().position(|&byte| byte != b' ').unwrap_or(value.len());
    let end = value.iter().rposition(|&byte| byte != b' ').map_or(start, |last| last + 1);
    let coding = &value[start..end];
    if coding.eq_ignore_ascii_case(b"chunked") {
        Ok(())
    } else if !coding.is_empty() && coding.iter().all(|&byte| is_token(byte)) {
        Err(Refusal::UnknownTransferEncoding)
    } else {
        Err(Refusal::BadTransferEncoding)
    }
}

/// Reads `1*15HEXDIG [";" extension]`.
fn chunk_size(line: &[u8]) -> Result<u64, Refusal> {
    let (digits, extension) = line.split_at(memchr(b';', line).unwrap_or(line.len()));
    if digits.is_empty() || digits.len() > 15 || extension.iter().any(u8::is_ascii_control) {
        return Err(Refusal::BadChunk);
    }
    digits.iter().try_fold(0, |sum: u64, &digit| {
        let value = char::from(digit).to_digit(16).ok_or(Refusal::BadChunk)?;
        Ok(sum << 4 | u64::from(value))
    })
}

/// One table for all classes: a head costs one look-up per byte.
const CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    mark(&mut table, b"!#$%&'*+-.^_`|~", IS_TOKEN);
    let mut byte = 0;
    while byte < 256 {
        if (byte as u8).is_ascii_alphanumeric() {
            table[byte] |= IS_TOKEN | IS_HOST;
        }
        if 0x21 <= byte && byte < 0x7f {
            table[byte] |= IS_TARGET;
        }
        byte += 1;
    }
    mark(&mut table, b"-._~!$&'()*+;=:[]%", IS_HOST);
    let not_in_targets = b"#<>`";
    let mut at = 0;
    while at < not_in_targets.len() {
        table[not_in_targets[at] as usize] &= !IS_TARGET;
        at += 1;
    }
    table
};

/// RFC 9110 §5.6.2, `tchar`.
const IS_TOKEN: u8 = 1;
/// RFC 3986 §3.2.2 and a port.
const IS_HOST: u8 = 2;
/// What a request target may hold unescaped, and what clients leave unescaped without harm.
const IS_TARGET: u8 = 4;

const fn mark(table: &mut [u8; 256], bytes: &[u8], class: u8) {
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] |= class;
        at += 1;
    }
}

const fn is_token(byte: u8) -> bool {
    CLASSES[byte as usize] & IS_TOKEN != 0
}

const fn is_host(byte: u8) -> bool {
    CLASSES[byte as usize] & IS_HOST != 0
}

const fn is_target(byte: u8) -> bool {
    CLASSES[byte as usize] & IS_TARGET != 0
}

#[cfg(test)]
mod tests;
