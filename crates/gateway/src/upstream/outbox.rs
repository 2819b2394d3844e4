//! What is still to be written of a request: its head, and its body as it comes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::Body;
use tokio::io::AsyncWrite;

use super::request_head::{BodyLength, RequestHead};
use crate::body::{BodyError, RequestBody};

/// One request on its way. The head and the first part of the body leave in one write when both are there;
/// no more than one part of the body is held.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// The head, or the size of a chunk; sent up to `sent`. Its room is used again.
    text: Vec<u8>,
    sent: usize,
    part: Bytes,
    tail: &'static [u8],
    body: Option<RequestBody>,
    left: Left,
    /// TLS takes bytes before the socket does.
    unflushed: bool,
}

/// How much body may follow what was taken.
#[derive(Debug, Clone, Copy, Default)]
enum Left {
    #[default]
    Nothing,
    Known(u64),
    Chunks,
}

/// Why a request did not get out.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// The target does not take it. It may have answered all the same.
    #[error("the target does not take the request: {0}")]
    Write(#[source] io::Error),
    /// The body broke off.
    #[error("the body of the request broke off: {0}")]
    Body(#[source] BodyError),
}

impl Outbox {
    /// Begins with a request; the one before it is gone.
    pub(super) fn begin(&mut self, head: &RequestHead<'_>, host: &str, body: RequestBody) {
        self.text.clear();
        (self.sent, self.part, self.tail) = (0, Bytes::new(), b"");
        if body.is_end_stream() {
            (self.body, self.left) = (None, Left::Nothing);
            return head.write(host, BodyLength::None, &mut self.text);
        }
        let length = match body.size_hint().exact() {
            Some(bytes) => {
                self.left = Left::Known(bytes);
                BodyLength::Known(bytes)
            }
            None => {
                self.left = Left::Chunks;
                BodyLength::Chunked
            }
        };
        head.write(host, length, &mut self.text);
        self.body = Some(body);
    }

    /// Whether everything was written.
    pub(super) fn is_empty(&self) -> bool {
        self.body.is_none() && self.is_written() && !self.unflushed
    }

    fn is_written(&self) -> bool {
        self.sent == self.text.len() && self.part.is_empty() && self.tail.is_empty()
    }

    /// Writes what can be written. Ready once everything is.
    pub(super) fn poll_send<S: AsyncWrite + Unpin>(
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
                Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
                Poll::Ready(Some(Err(error))) => return Err(SendError::Body(error)),
                Poll::Ready(None) => {
                    match self.left {
                        Left::Known(1..) => return Err(SendError::Body("it is shorter than it said".into())),
                        Left::Chunks => self.tail = b"0\r\n\r\n",
                        Left::Known(0) | Left::Nothing => {}
                    }
                    self.body = None;
                    return Ok(());
                }
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
                Left::Nothing => {}
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
