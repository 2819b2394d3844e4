//! The body of a request on its way over HTTP/2.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::Body;

use crate::body::{BodyError, RequestBody};
use crate::outbox::BodyLength;

/// What is still to be sent. No more than one part of the body is held, and it is asked for the next only
/// when the target has room for this one.
pub(super) struct Sending {
    stream: SendStream<Bytes>,
    body: RequestBody,
    part: Bytes,
    left: Option<u64>,
    is_touched: bool,
    is_over: bool,
}

impl Sending {
    pub(super) fn new(stream: SendStream<Bytes>, body: RequestBody, length: BodyLength) -> Self {
        let left = match length {
            BodyLength::Known(bytes) => Some(bytes),
            BodyLength::None | BodyLength::Chunked | BodyLength::ToClose => None,
        };
        let is_over = length == BodyLength::None;
        Self { stream, body, part: Bytes::new(), left, is_touched: false, is_over }
    }

    /// Whether something of the body was taken: it cannot be sent once more.
    pub(super) fn is_touched(&self) -> bool {
        self.is_touched
    }

    /// The body, when nothing was taken of it.
    pub(super) fn into_untouched(self) -> Option<RequestBody> {
        (!self.is_touched).then_some(self.body)
    }

    /// Sends what goes. Ready once everything was sent or the target wants no more of it; an error is the
    /// body's own.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
        while !self.is_over {
            if self.part.is_empty() {
                match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                    Some(Ok(frame)) => {
                        self.is_touched = true;
                        match frame.into_data() {
                            Ok(part) => self.take(part)?,
                            Err(frame) => {
                                self.trailers(frame.into_trailers().unwrap_or_default());
                                return Poll::Ready(Ok(()));
                            }
                        }
                    }
                    Some(Err(error)) => return Poll::Ready(Err(self.give_up(error))),
                    None => {
                        self.is_touched = true;
                        self.is_over = true;
                        if self.left.is_some_and(|left| left > 0) {
                            return Poll::Ready(Err(self.give_up("it is shorter than it said".into())));
                        }
                        let _ = self.stream.send_data(Bytes::new(), true);
                    }
                }
                continue;
            }
            self.stream.reserve_capacity(self.part.len());
            while self.stream.capacity() == 0 {
                match ready!(self.stream.poll_capacity(cx)) {
                    Some(Ok(_)) => {}
                    // The target takes nothing more; its answer may still come.
                    Some(Err(_)) | None => {
                        self.is_over = true;
                        return Poll::Ready(Ok(()));
                    }
                }
            }
            let count = self.stream.capacity().min(self.part.len());
            let part = self.part.split_to(count);
            self.is_over = self.part.is_empty() && self.body.is_end_stream();
            if self.is_over && self.left.is_some_and(|left| left > 0) {
                return Poll::Ready(Err(self.give_up("it is shorter than it said".into())));
            }
            if self.stream.send_data(part, self.is_over).is_err() {
                self.is_over = true;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn take(&mut self, part: Bytes) -> Result<(), BodyError> {
        if let Some(left) = self.left {
            let Some(left) = left.checked_sub(part.len() as u64) else {
                return Err(self.give_up("it is longer than it said".into()));
            };
            self.left = Some(left);
        }
        self.part = part;
        Ok(())
    }

    fn trailers(&mut self, trailers: http::HeaderMap) {
        self.is_over = true;
        let _ = self.stream.send_trailers(trailers);
    }

    fn give_up(&mut self, error: BodyError) -> BodyError {
        (self.is_touched, self.is_over) = (true, true);
        self.stream.send_reset(Reason::CANCEL);
        error
    }
}
