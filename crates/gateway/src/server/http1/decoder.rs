//! Where a request's body ends: by its length or by chunks. It never repairs.

use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memchr;

use super::head::HeadLimits;
use super::refusal::Refusal;
use super::rules;

/// Cuts a body out of a connection's bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decoder {
    place: Place,
    /// Trailers may be as many and as long as headers.
    limits: HeadLimits,
}

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
    /// Lines up to an empty one; so many bytes and lines of them were seen.
    Trailer(usize, usize),
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

/// The first piece of the bytes at hand.
#[derive(Debug)]
enum Piece {
    /// So many bytes of the body.
    Data(usize),
    /// So many bytes of its framing.
    Framing(usize),
    /// A line with its end: a trailer.
    Trailer(usize, HeaderName, Range<usize>),
    NeedsMore,
    End,
}

/// A chunk's size line, extensions included.
const MAX_CHUNK_LINE: usize = 256;

impl Decoder {
    pub(super) const fn length(bytes: u64, limits: HeadLimits) -> Self {
        Self { place: Place::Length(bytes), limits }
    }

    pub(super) const fn chunked(limits: HeadLimits) -> Self {
        Self { place: Place::ChunkSize, limits }
    }

    pub(super) const fn is_ended(&self) -> bool {
        matches!(self.place, Place::Length(0))
    }

    /// Bytes still to come, when the head said so.
    pub(super) const fn exact(&self) -> Option<u64> {
        match self.place {
            Place::Length(left) => Some(left),
            _ => None,
        }
    }

    /// Takes what it can off the front of `buffer`; trailers go to `trailers`, all before the end.
    pub(super) fn decode(
        &mut self,
        buffer: &mut BytesMut,
        trailers: &mut HeaderMap,
    ) -> Result<Decoded, Refusal> {
        loop {
            match self.step(buffer)? {
                Piece::Data(count) => return Ok(Decoded::Data(buffer.split_to(count).freeze())),
                Piece::Framing(count) => buffer.advance(count),
                Piece::Trailer(count, name, value) => {
                    let value =
                        HeaderValue::from_bytes(&buffer[value]).map_err(|_| Refusal::HeaderValueChar)?;
                    trailers.append(name, value);
                    buffer.advance(count);
                }
                Piece::NeedsMore => return Ok(Decoded::NeedsMore),
                Piece::End => return Ok(Decoded::End),
            }
        }
    }

    /// Whether what has arrived of the body may be believed. Takes nothing.
    pub(super) fn check(mut self, mut bytes: &[u8]) -> Result<(), Refusal> {
        loop {
            match self.step(bytes)? {
                Piece::Data(count) | Piece::Framing(count) | Piece::Trailer(count, ..) => {
                    bytes = &bytes[count..];
                }
                Piece::NeedsMore | Piece::End => return Ok(()),
            }
        }
    }

    /// Looks at the next piece and stands behind it afterwards.
    fn step(&mut self, bytes: &[u8]) -> Result<Piece, Refusal> {
        if self.is_ended() {
            return Ok(Piece::End);
        }
        if bytes.is_empty() {
            return Ok(Piece::NeedsMore);
        }
        let (piece, place) = match self.place {
            Place::Length(left) => {
                let (count, left) = skip(left, bytes);
                (Piece::Data(count), Place::Length(left))
            }
            Place::ChunkData(left) => {
                let (count, left) = skip(left, bytes);
                (Piece::Data(count), if left == 0 { Place::ChunkEnd } else { Place::ChunkData(left) })
            }
            Place::ChunkEnd => match bytes {
                [b'\r', b'\n', ..] => (Piece::Framing(2), Place::ChunkSize),
                [b'\r'] => return Ok(Piece::NeedsMore),
                _ => return Err(Refusal::BadChunk),
            },
            Place::ChunkSize => {
                let Some(line) = line(bytes, MAX_CHUNK_LINE)? else { return Ok(Piece::NeedsMore) };
                let next = match rules::chunk_size(line)? {
                    0 => Place::Trailer(0, 0),
                    size => Place::ChunkData(size),
                };
                (Piece::Framing(line.len() + 2), next)
            }
            Place::Trailer(seen, count) => {
                let Some(line) = line(bytes, self.limits.headers.saturating_sub(seen))? else {
                    return Ok(Piece::NeedsMore);
                };
                let length = line.len() + 2;
                if line.is_empty() {
                    (Piece::Framing(length), Place::Length(0))
                } else {
                    if count >= self.limits.count {
                        return Err(Refusal::BadChunk);
                    }
                    let (name, value) = rules::header(line)?;
                    (Piece::Trailer(length, name, value), Place::Trailer(seen + length, count + 1))
                }
            }
        };
        self.place = place;
        Ok(piece)
    }
}

/// How many of the `left` bytes are in `bytes`, and how many are then left.
fn skip(left: u64, bytes: &[u8]) -> (usize, u64) {
    let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    (count, left - count as u64)
}

/// The line at the front without its CR LF; `None` when its end has not come.
fn line(bytes: &[u8], limit: usize) -> Result<Option<&[u8]>, Refusal> {
    match memchr(b'\n', bytes) {
        Some(end) if end > limit => Err(Refusal::BadChunk),
        Some(end) => bytes[..end].strip_suffix(b"\r").map(Some).ok_or(Refusal::BadChunk),
        None if bytes.len() > limit => Err(Refusal::BadChunk),
        None => Ok(None),
    }
}
