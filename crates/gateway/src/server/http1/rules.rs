//! The rules of a request's bytes (RFC 9112; hostile-input §4.2 line 1): each piece is right or refused.

use std::ops::Range;

use http::HeaderName;
use memchr::memchr;

use super::refusal::Refusal;
use crate::octets::{has_control, is_host, is_target, is_token};

/// A request line taken apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RequestLine {
    /// Where the method ends; it begins with the line.
    pub(super) method_end: usize,
    /// Where the target ends; it begins one byte after the method's end.
    pub(super) target_end: usize,
    pub(super) is_http10: bool,
}

/// Reads `method SP target SP version`.
pub(super) fn request_line(line: &[u8]) -> Result<RequestLine, Refusal> {
    let method_end = memchr(b' ', line).ok_or(Refusal::BadRequestLine)?;
    let (method, rest) = (&line[..method_end], &line[method_end + 1..]);
    let target_end = memchr(b' ', rest).ok_or(Refusal::BadRequestLine)?;
    let (target, version) = (&rest[..target_end], &rest[target_end + 1..]);
    if method.is_empty() || target.is_empty() || !method.iter().all(|&byte| is_token(byte)) {
        return Err(Refusal::BadRequestLine);
    }
    let is_http10 = match version {
        b"HTTP/1.1" => false,
        b"HTTP/1.0" => true,
        other if other.starts_with(b"HTTP/") => return Err(Refusal::UnsupportedVersion),
        _ => return Err(Refusal::BadRequestLine),
    };
    // `#` and what follows it would vanish when the target is read as a URI.
    if !target.iter().all(|&byte| is_target(byte)) {
        return Err(Refusal::BadPath);
    }
    if method == b"CONNECT" {
        return Err(Refusal::ConnectMethod);
    }
    Ok(RequestLine { method_end, target_end: method_end + 1 + target_end, is_http10 })
}

/// Reads `name: value`; the range is the value's in the line, without the blanks around it.
pub(super) fn header(line: &[u8]) -> Result<(HeaderName, Range<usize>), Refusal> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Refusal::FoldedHeader);
    }
    let colon = memchr(b':', line).ok_or(Refusal::NoColon)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let name = HeaderName::from_bytes(name).map_err(|_| {
        if name.is_empty() {
            Refusal::EmptyHeaderName
        } else if name.is_ascii() {
            Refusal::HeaderNameChar
        } else {
            Refusal::NonAsciiHeaderName
        }
    })?;
    if has_control(value) {
        return Err(Refusal::HeaderValueChar);
    }
    let start = line.len() - value.trim_ascii_start().len();
    Ok((name, start..start + line[start..].trim_ascii_end().len()))
}

/// Whether a value could be a host and a port.
pub(in crate::server) fn is_host_and_port(value: &[u8]) -> bool {
    value.trim_ascii().iter().all(|&byte| is_host(byte))
}

pub(super) fn content_length(value: &[u8]) -> Result<u64, Refusal> {
    let digits = value.trim_ascii();
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::BadContentLength);
    }
    Ok(digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// Accepts `chunked` in any case between blanks, and nothing else: neither tabs, lists nor parameters.
pub(super) fn transfer_encoding(value: &[u8]) -> Result<(), Refusal> {
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
pub(super) fn chunk_size(line: &[u8]) -> Result<u64, Refusal> {
    let (digits, extension) = line.split_at(memchr(b';', line).unwrap_or(line.len()));
    if digits.is_empty() || digits.len() > 15 || extension.iter().any(u8::is_ascii_control) {
        return Err(Refusal::BadChunk);
    }
    digits.iter().try_fold(0, |sum: u64, &digit| {
        let value = char::from(digit).to_digit(16).ok_or(Refusal::BadChunk)?;
        Ok(sum << 4 | u64::from(value))
    })
}
