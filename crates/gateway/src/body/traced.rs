//! A body at which a debug session looks while it goes by.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{BodyError, Source};
use crate::trace::Passing;

pub(crate) struct Traced {
    pub(super) source: Source,
    passing: Passing,
}

impl Source {
    /// Shows a debug session what goes by.
    pub(crate) fn shown_to(self, mut passing: Passing) -> Self {
        if self.is_end_stream() {
            passing.end();
            return self;
        }
        Self::Traced(Box::new(Traced { source: self, passing }))
    }
}

impl Body for Traced {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = std::task::ready!(Pin::new(&mut this.source).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => frame.data_ref().into_iter().for_each(|part| this.passing.note(part)),
            Some(Err(_)) => return Poll::Ready(frame),
            None => {}
        }
        // Who knows the length does not ask for the end.
        if frame.is_none() || this.source.is_end_stream() {
            this.passing.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.source.size_hint()
    }
}
