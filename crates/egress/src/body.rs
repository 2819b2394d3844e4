//! Bodies on their way out and in, with eyes on their progress.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::{CallLimits, Cause, EgressError};

/// What a body may fail with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A streamed body. A response's body fails with an [`EgressError`] inside (see [`EgressError::find`]).
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// A body without bytes.
pub fn empty_body() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body that is in memory already.
pub fn bytes_body(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// How far a request body is: when it last moved, and whether all of it is out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upload {
    pub(crate) moved_at: Instant,
    pub(crate) done: bool,
}

pub(crate) type UploadWatch = Arc<Mutex<Upload>>;

/// A request body that reports its progress: time to the first byte begins when the last one is out.
pub(crate) struct WatchedUpload {
    body: Body,
    watch: UploadWatch,
}

impl WatchedUpload {
    pub(crate) fn new(body: Body) -> (Self, UploadWatch) {
        let upload = Upload { moved_at: Instant::now(), done: body.is_end_stream() };
        let watch = Arc::new(Mutex::new(upload));
        (Self { body, watch: Arc::clone(&watch) }, watch)
    }
}

impl HttpBody for WatchedUpload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(frame) = &polled {
            let done = frame.is_none() || self.body.is_end_stream();
            let mut upload = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
            *upload = Upload { moved_at: Instant::now(), done };
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response body under the limits of its call.
pub(crate) struct LimitedDownload {
    body: Incoming,
    host: String,
    limits: CallLimits,
    seen: u64,
    idle: Pin<Box<Sleep>>,
    end: Option<Pin<Box<Sleep>>>,
    over: bool,
}

impl LimitedDownload {
    pub(crate) fn new(body: Incoming, host: String, limits: CallLimits, end: Option<Instant>) -> Self {
        Self {
            body,
            host,
            limits,
            seen: 0,
            idle: Box::pin(tokio::time::sleep(limits.idle)),
            end: end.map(|end| Box::pin(tokio::time::sleep_until(end))),
            over: false,
        }
    }

    fn timed_out(&mut self, cx: &mut Context<'_>) -> Option<EgressError> {
        let host = || self.host.clone();
        if self.idle.as_mut().poll(cx).is_ready() {
            let after = self.limits.idle;
            return Some(EgressError::IdleTimeout { host: host(), which: "response", after });
        }
        let ended = self.end.as_mut().is_some_and(|end| end.as_mut().poll(cx).is_ready());
        let after = self.limits.total.unwrap_or_default();
        ended.then(|| EgressError::TotalTimeout { host: host(), after, sent: true })
    }

    fn fail(&mut self, error: EgressError) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.over = true;
        Poll::Ready(Some(Err(error.into())))
    }
}

impl HttpBody for LimitedDownload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if this.over {
            return Poll::Ready(None);
        }
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                this.seen = this.seen.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
                if let Some(limit) = this.limits.max_body.filter(|limit| this.seen > *limit) {
                    let host = this.host.clone();
                    return this.fail(EgressError::TooLarge { host, what: "response body", limit });
                }
                this.idle.as_mut().reset(Instant::now() + this.limits.idle);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                let host = this.host.clone();
                this.fail(EgressError::Protocol { host, source: Cause::new(error) })
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => match this.timed_out(cx) {
                Some(error) => this.fail(error),
                None => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
