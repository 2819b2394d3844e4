//! Bounds a streamed body in bytes and in time (open-connectors §8.4).

use std::pin::Pin;
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

impl StreamLimit {
    /// `body`, which breaks off where it goes beyond.
    pub(super) fn bound<B>(self, body: B) -> Body
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let until = Box::pin(sleep_until(Instant::now() + self.time));
        let bounded = Bounded { body: Box::pin(body), left: self.bytes, limit: self, until };
        Body::new(bounded)
    }
}

struct Bounded<B> {
    body: Pin<Box<B>>,
    left: u64,
    limit: StreamLimit,
    until: Pin<Box<Sleep>>,
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
                Poll::Ready(()) => Poll::Ready(Some(Err(StreamCut::Time(self.limit.time).into()))),
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
            None => Poll::Ready(Some(Err(StreamCut::Bytes(self.limit.bytes).into()))),
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
        let cut = limit(3).bound(full_body("four")).collect().await.unwrap_err();
        assert_eq!(cut.downcast_ref(), Some(&StreamCut::Bytes(3)));
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
