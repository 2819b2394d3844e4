//! Where a target's body ends: by its length, by chunks, or with the connection.

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memchr;

use super::response_head::{self, BadResponse, MAX_HEADERS};

/// Cuts a body out of a connection's bytes. It never repairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decoder(Place);

/// What comes next on the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// So many bytes of the body, then its end. Zero is the end.
    Length(u64),
    ChunkSize,
    /// So many bytes of a chunk; at least one.
    ChunkData(u64),
    /// The line end after a chunk.
    ChunkEnd,
    /// Lines up to an empty one; so many bytes of them were seen.
    Trailer(usize),
    /// Everything up to the connection's end.
    ToClose,
}

/// What the bytes at hand hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    /// The next part of the body, never empty.
    Data(Bytes),
    /// Nothing yet.
    NeedsMore,
    /// The body has ended.
    End,
}

/// A chunk's size line, extensions included.
const MAX_CHUNK_LINE: usize = 1024;
/// All trailers.
const MAX_TRAILERS: usize = 16 * 1024;

impl Decoder {
    pub(super) const fn ended() -> Self {
        Self(Place::Length(0))
    }

    pub(super) const fn length(bytes: u64) -> Self {
        Self(Place::Length(bytes))
    }

    pub(super) const fn chunked() -> Self {
        Self(Place::ChunkSize)
    }

    pub(super) const fn to_close() -> Self {
        Self(Place::ToClose)
    }

    pub(super) const fn is_ended(&self) -> bool {
        matches!(self.0, Place::Length(0))
    }

    /// Bytes still to come, when the head said so.
    pub(super) const fn exact(&self) -> Option<u64> {
        match self.0 {
            Place::Length(left) => Some(left),
            _ => None,
        }
    }

    /// The connection has ended: so has the body, or it broke off.
    pub(super) fn close(&mut self) -> Result<(), BrokeOff> {
        match self.0 {
            Place::Length(0) | Place::ToClose => {
                self.0 = Place::Length(0);
                Ok(())
            }
            _ => Err(BrokeOff),
        }
    }

    /// Takes what it can off the front of `buffer`; trailers go to `trailers`, all before the end.
    pub(super) fn decode(
        &mut self,
        buffer: &mut BytesMut,
        trailers: &mut HeaderMap,
    ) -> Result<Decoded, BadResponse> {
        loop {
            match self.0 {
                Place::Length(0) => return Ok(Decoded::End),
                _ if buffer.is_empty() => return Ok(Decoded::NeedsMore),
                Place::Length(left) => {
                    let (data, left) = take(buffer, left);
                    self.0 = Place::Length(left);
                    return Ok(Decoded::Data(data));
                }
                Place::ToClose => return Ok(Decoded::Data(buffer.split().freeze())),
                Place::ChunkData(left) => {
                    let (data, left) = take(buffer, left);
                    self.0 = if left == 0 { Place::ChunkEnd } else { Place::ChunkData(left) };
                    return Ok(Decoded::Data(data));
                }
                Place::ChunkEnd => {
                    match &buffer[..] {
                        [b'\r', b'\n', ..] => {}
                        [b'\r'] => return Ok(Decoded::NeedsMore),
                        _ => return Err(BadResponse("a chunk is longer than it says")),
                    }
                    buffer.advance(2);
                    self.0 = Place::ChunkSize;
                }
                Place::ChunkSize => {
                    let Some(end) = line_end(buffer, MAX_CHUNK_LINE)? else { return Ok(Decoded::NeedsMore) };
                    self.0 = match chunk_size(&buffer[..end])? {
                        0 => Place::Trailer(0),
                        size => Place::ChunkData(size),
                    };
                    buffer.advance(end + 2);
                }
                Place::Trailer(seen) => {
                    let Some(end) = line_end(buffer, MAX_TRAILERS - seen)? else {
                        return Ok(Decoded::NeedsMore);
                    };
                    let seen = seen + end + 2;
                    if seen > MAX_TRAILERS {
                        return Err(BadResponse("its trailers are too long"));
                    }
                    if end == 0 {
                        self.0 = Place::Length(0);
                    } else {
                        self.0 = Place::Trailer(seen);
                        keep(&buffer[..end], trailers)?;
                    }
                    buffer.advance(end + 2);
                }
            }
        }
    }
}

/// The connection ended in the middle of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection ended in the middle of the body")]
pub(super) struct BrokeOff;

fn take(buffer: &mut BytesMut, left: u64) -> (Bytes, u64) {
    let count = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
    (buffer.split_to(count).freeze(), left - count as u64)
}

fn keep(line: &[u8], trailers: &mut HeaderMap) -> Result<(), BadResponse> {
    if trailers.len() == MAX_HEADERS {
        return Err(BadResponse("it has too many trailers"));
    }
    let (name, value) = response_head::header(line)?;
    let name = HeaderName::from_bytes(name).map_err(|_| BadResponse("a trailer has no proper name"))?;
    let value =
        HeaderValue::from_bytes(value).map_err(|_| BadResponse("a trailer holds a control character"))?;
    trailers.append(name, value);
    Ok(())
}

/// Length of the line at the front without its CR LF; `None` when its end has not come.
fn line_end(buffer: &[u8], limit: usize) -> Result<Option<usize>, BadResponse> {
    match memchr(b'\n', buffer) {
        Some(end) if end > limit => Err(BadResponse("a line of its chunked body is too long")),
        Some(end) if end > 0 && buffer[end - 1] == b'\r' => Ok(Some(end - 1)),
        Some(_) => Err(BadResponse("a line of its chunked body does not end with CR LF")),
        None if buffer.len() > limit => Err(BadResponse("a line of its chunked body is too long")),
        None => Ok(None),
    }
}

/// Reads `1*15HEXDIG *BLANK [";" extension]`; blanks, because old servers pad their sizes.
fn chunk_size(line: &[u8]) -> Result<u64, BadResponse> {
    let size = &line[..memchr(b';', line).unwrap_or(line.len())];
    let digits = size.trim_ascii_end();
    if digits.is_empty() || digits.len() > 15 || line.contains(&b'\r') {
        return Err(BadResponse("a chunk has no proper size"));
    }
    digits.iter().try_fold(0, |sum: u64, &digit| {
        let value = char::from(digit).to_digit(16).ok_or(BadResponse("a chunk has no proper size"))?;
        Ok(sum << 4 | u64::from(value))
    })
}

#[cfg(test)]
mod tests;
