//! A body that is cached while it goes by.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{BodyError, Source};
use crate::exchange::Recording;

/// What goes by is noted; when it has gone by whole, it is cached, and when it breaks off, forgotten.
pub(crate) struct Recorded {
    pub(super) source: Source,
    recording: Option<Recording>,
}

impl Source {
    /// Caches what goes by.
    pub(crate) fn recorded(self, recording: Recording) -> Self {
        if self.is_end_stream() {
            recording.finish();
            return self;
        }
        Self::Recorded(Box::new(Recorded { source: self, recording: Some(recording) }))
    }
}

impl Body for Recorded {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = std::task::ready!(Pin::new(&mut this.source).poll_frame(cx));
        let goes_on = match &frame {
            Some(Ok(frame)) => frame
                .data_ref()
                .is_none_or(|part| this.recording.as_mut().is_some_and(|recording| recording.note(part))),
            Some(Err(_)) => false,
            None => true,
        };
        if !goes_on {
            this.recording = None;
        }
        // Who knows the length does not ask for the end.
        if (frame.is_none() || this.source.is_end_stream())
            && let Some(recording) = this.recording.take()
        {
            recording.finish();
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
