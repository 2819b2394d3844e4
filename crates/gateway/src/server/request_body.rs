//! A request's body, whatever it comes on.

use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;

use super::{http1, http2};
use crate::body::BodyError;
use crate::trailers::Announced;

/// Reads the body of one request, from any task of the thread.
pub(crate) enum BodyReader {
    Http1(http1::BodyReader),
    Http2(http2::BodyReader),
}

impl BodyReader {
    /// The next part of the body, or its trailers; `None` is its end. The client is told to go on when it waits
    /// for that.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self {
            Self::Http1(body) => body.poll_frame(cx),
            Self::Http2(body) => body.poll_frame(cx),
        }
    }

    /// What follows the body.
    pub(crate) fn announced(&self) -> &Announced {
        match self {
            Self::Http1(body) => body.announced(),
            Self::Http2(body) => body.announced(),
        }
    }

    /// Whether the whole body was read.
    pub(crate) fn is_ended(&self) -> bool {
        match self {
            Self::Http1(body) => body.is_ended(),
            Self::Http2(body) => body.is_ended(),
        }
    }

    /// Bytes still to come, when the client said so.
    pub(crate) fn exact(&self) -> Option<u64> {
        match self {
            Self::Http1(body) => body.exact(),
            Self::Http2(body) => body.exact(),
        }
    }
}
