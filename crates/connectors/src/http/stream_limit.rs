//! Bounds a streamed body in bytes and in time (open-connectors §8.4).

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::engine::{Body, BoxError};

/// What a stream may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamLimit {
    pub(super) bytes: u64,
    pub(super) time: Duration,
}

/// Why a stream was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum StreamCut {
    #[error("the body is larger than {0} bytes, the most that is streamed")]
    Bytes(u64),
    #[error("the body took longer than {} seconds, the longest that is streamed", .0.as_secs())]
    Time(Duration),
}

/// Whether a bounded body was cut: what reads it takes the cut for a body that broke off.
#[derive(Debug, Clone, Default)]
pub(super) struct CutSeen(Arc<OnceLock<StreamCut>>);

impl CutSeen {
    pub(super) fn get(&self) -> Option<StreamCut> {
        self.0.get().copied()
    }
}

impl StreamLimit {
    /// `body`, which breaks off where it goes beyond.
    pub(super) fn bound<B>(self, body: B) -> Body
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.bound_and_tell(body, CutSeen::default())
    }

    /// The same, and `seen` is told of the cut.
    pub(super) fn bound_and_tell<B>(self, body: B, seen: CutSeen) -> Body
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let until = Box::pin(sleep_until(Instant::now() + self.time));
        let bounded = Bounded { body: Box::pin(body), left: self.bytes, limit: self, until, seen };
        Body::new(bounded)
    }
}

struct Bounded<B> {
    body: Pin<Box<B>>,
    left: u64,
    limit: StreamLimit,
    until: Pin<Box<Sleep>>,
    seen: CutSeen,
}

impl<B> Bounded<B> {
    fn cut(&self, cut: StreamCut) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        // Told once only: the first cut is the reason.
        let _ = self.seen.0.set(cut);
        Poll::Ready(Some(Err(cut.into())))
    }
}

impl<B> HttpBody for Bounded<B>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Poll::Ready(frame) = self.body.as_mut().poll_frame(cx) else {
            return match self.until.as_mut().poll(cx) {
                Poll::Ready(()) => self.cut(StreamCut::Time(self.limit.time)),
                Poll::Pending => Poll::Pending,
            };
        };
        let Some(Ok(frame)) = frame else {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        };
        let size = frame.data_ref().map_or(0, |data| data.len() as u64);
        match self.left.checked_sub(size) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => self.cut(StreamCut::Bytes(self.limit.bytes)),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::engine::full_body;

    fn limit(bytes: u64) -> StreamLimit {
        StreamLimit { bytes, time: Duration::from_secs(10) }
    }

    #[tokio::test]
    async fn a_body_within_its_limit_passes_and_a_larger_one_breaks() {
        let whole = limit(4).bound(full_body("four")).collect().await.unwrap();
        assert_eq!(whole.to_bytes(), "four");
        let seen = CutSeen::default();
        let cut = limit(3).bound_and_tell(full_body("four"), seen.clone()).collect().await.unwrap_err();
        assert_eq!(cut.downcast_ref(), Some(&StreamCut::Bytes(3)));
        assert_eq!(seen.get(), Some(StreamCut::Bytes(3)));
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_cut_in_time() {
        let limit = StreamLimit { bytes: 3, time: Duration::from_millis(20) };
        let endless = http_body_util::StreamBody::new(futures_util::stream::pending::<
            Result<Frame<Bytes>, BoxError>,
        >());
        let cut = limit.bound(endless).collect().await.unwrap_err();
        assert_eq!(cut.downcast_ref(), Some(&StreamCut::Time(Duration::from_millis(20))));
    }
}
