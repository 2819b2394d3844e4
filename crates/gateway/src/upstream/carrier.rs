//! What a response comes on: a connection of its own, or a part of one.

use std::net::IpAddr;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;

use super::UpstreamError;
use super::http2::Call;
use super::line::Line;
use crate::tls::PeerCertificate;

/// Carries one request and its response. Dropping it cancels them.
#[derive(Debug)]
pub(crate) enum Carrier {
    /// HTTP/1.1: a whole connection.
    Line(Line),
    /// HTTP/2.
    Call(Box<Call>),
}

impl Carrier {
    /// The next part of the response's body, or its trailers; `None` is its end. Goes on sending the request
    /// meanwhile.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        match self {
            Self::Line(line) => line.poll_body(cx),
            Self::Call(call) => call.poll_frame(cx),
        }
    }

    /// Whether the response has been read to its end.
    pub(crate) fn is_response_over(&self) -> bool {
        match self {
            Self::Line(line) => line.is_response_over(),
            Self::Call(call) => call.is_response_over(),
        }
    }

    /// The address of the other end.
    pub(crate) fn peer(&self) -> IpAddr {
        match self {
            Self::Line(line) => line.peer(),
            Self::Call(call) => call.peer(),
        }
    }

    /// What the other end showed, when TLS is spoken with it.
    pub(crate) fn certificate(&self) -> Option<&Rc<PeerCertificate>> {
        match self {
            Self::Line(line) => line.certificate(),
            Self::Call(call) => call.certificate(),
        }
    }

    /// Bytes of the body still to come, when the target said so.
    pub(crate) fn exact_body(&self) -> Option<u64> {
        match self {
            Self::Line(line) => line.exact_body(),
            Self::Call(call) => call.exact_body(),
        }
    }
}
