//! What is still to be written of a message: its head, and its body as it comes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::Body;
use tokio::io::AsyncWrite;

use crate::body::BodyError;
use crate::trailers;

/// One message on its way, request or answer. The head and the first part of the body leave in one write when
/// both are there; no more than one part of the body is held.
#[derive(Debug)]
pub(crate) struct Outbox<B> {
    /// The head, or the size of a chunk; sent up to `sent`. Its room is used again.
    text: Vec<u8>,
    sent: usize,
    part: Bytes,
    tail: &'static [u8],
    body: Option<B>,
    left: Left,
    /// TLS takes bytes before the socket does.
    unflushed: bool,
}

/// How the body that follows a head is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyLength {
    /// Nothing follows.
    None,
    /// So many bytes follow.
    Known(u64),
    /// Chunks follow.
    Chunked,
    /// Everything follows up to the connection's end; for an answer to HTTP/1.0 only.
    ToClose,
}

impl BodyLength {
    pub(crate) fn of(body: &impl Body) -> Self {
        if body.is_end_stream() {
            return Self::None;
        }
        body.size_hint().exact().map_or(Self::Chunked, Self::Known)
    }
}

/// How much body may follow what was taken.
#[derive(Debug, Clone, Copy, Default)]
enum Left {
    #[default]
    Nothing,
    Known(u64),
    Chunks,
    Unknown,
}

/// Why a message did not get out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The other side does not take it. A target may have answered all the same.
    #[error("the other side does not take the message: {0}")]
    Write(#[source] io::Error),
    /// The body broke off.
    #[error("the body of the message broke off: {0}")]
    Body(#[source] BodyError),
}

impl<B> Default for Outbox<B> {
    fn default() -> Self {
        Self {
            text: Vec::new(),
            sent: 0,
            part: Bytes::new(),
            tail: b"",
            body: None,
            left: Left::Nothing,
            unflushed: false,
        }
    }
}

impl<B> Outbox<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    /// Begins with a message; the one before it is gone. `write` appends the head and gives the body.
    pub(crate) fn begin(&mut self, length: BodyLength, write: impl FnOnce(&mut Vec<u8>) -> B) {
        self.text.clear();
        (self.sent, self.part, self.tail) = (0, Bytes::new(), b"");
        self.left = match length {
            BodyLength::None => Left::Nothing,
            BodyLength::Known(bytes) => Left::Known(bytes),
            BodyLength::Chunked => Left::Chunks,
            BodyLength::ToClose => Left::Unknown,
        };
        let body = write(&mut self.text);
        self.body = (length != BodyLength::None).then_some(body);
    }

    /// Whether everything was written.
    pub(crate) fn is_empty(&self) -> bool {
        self.body.is_none() && self.is_written() && !self.unflushed
    }

    /// Whether everything that was taken of the message was written: what is missing is the body's next part.
    pub(crate) fn is_written(&self) -> bool {
        self.sent == self.text.len() && self.part.is_empty() && self.tail.is_empty()
    }

    /// Writes what can be written. Ready once everything is.
    pub(crate) fn poll_send<S: AsyncWrite + Unpin>(
        &mut self,
        io: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        loop {
            if self.body.is_some() && self.part.is_empty() && self.tail.is_empty() {
                self.take_part(cx)?;
            }
            if self.is_written() {
                if self.unflushed {
                    std::task::ready!(Pin::new(&mut *io).poll_flush(cx)).map_err(SendError::Write)?;
                    self.unflushed = false;
                }
                return if self.body.is_none() { Poll::Ready(Ok(())) } else { Poll::Pending };
            }
            let written = if self.part.is_empty() && self.tail.is_empty() {
                Pin::new(&mut *io).poll_write(cx, &self.text[self.sent..])
            } else {
                let slices = [&self.text[self.sent..], &self.part[..], self.tail].map(IoSlice::new);
                let first = usize::from(self.sent == self.text.len());
                Pin::new(&mut *io).poll_write_vectored(cx, &slices[first..])
            };
            match std::task::ready!(written) {
                Ok(0) => return Poll::Ready(Err(SendError::Write(io::ErrorKind::WriteZero.into()))),
                Ok(count) => {
                    self.unflushed = true;
                    self.written(count);
                }
                Err(error) => return Poll::Ready(Err(SendError::Write(error))),
            }
        }
    }

    /// Takes the next part of the body, when it is there.
    fn take_part(&mut self, cx: &mut Context<'_>) -> Result<(), SendError> {
        let Some(body) = &mut self.body else { return Ok(()) };
        loop {
            let part = match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(part) => part,
                    Err(frame) => return self.end(frame.into_trailers().ok().as_ref()),
                },
                Poll::Ready(Some(Err(error))) => return Err(SendError::Body(error.into())),
                Poll::Ready(None) => return self.end(None),
            };
            if part.is_empty() {
                continue;
            }
            let ends = body.is_end_stream();
            match &mut self.left {
                Left::Known(left) => {
                    *left = left
                        .checked_sub(part.len() as u64)
                        .ok_or_else(|| SendError::Body("it is longer than it said".into()))?;
                }
                Left::Chunks => {
                    if self.sent == self.text.len() {
                        self.text.clear();
                        self.sent = 0;
                    }
                    self.text.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
                    self.tail = if ends { b"\r\n0\r\n\r\n" } else { b"\r\n" };
                }
                Left::Nothing | Left::Unknown => {}
            }
            self.part = part;
            if ends {
                if matches!(self.left, Left::Known(1..)) {
                    return Err(SendError::Body("it is shorter than it said".into()));
                }
                self.body = None;
            }
            return Ok(());
        }
    }

    /// Nothing more of the body comes; only chunks leave room for trailers.
    fn end(&mut self, trailers: Option<&HeaderMap>) -> Result<(), SendError> {
        self.body = None;
        match (self.left, trailers) {
            (Left::Known(1..), _) => return Err(SendError::Body("it is shorter than it said".into())),
            (Left::Chunks, None) => self.tail = b"0\r\n\r\n",
            (Left::Chunks, Some(trailers)) => {
                self.text.extend_from_slice(b"0\r\n");
                trailers::write(trailers, &mut self.text);
                self.tail = b"\r\n";
            }
            (Left::Known(0) | Left::Nothing | Left::Unknown, _) => {}
        }
        Ok(())
    }

    fn written(&mut self, mut count: usize) {
        let of_text = count.min(self.text.len() - self.sent);
        self.sent += of_text;
        count -= of_text;
        let of_part = count.min(self.part.len());
        self.part.advance(of_part);
        self.tail = self.tail.get(count - of_part..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests;
