//! The request body on its way to a target.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::BodyError;

/// How far the client's body has got; shared with the exchange that forwards it.
#[derive(Debug, Default)]
pub(crate) struct ClientBodyState {
    ended: Cell<bool>,
    failed: Cell<bool>,
}

impl ClientBodyState {
    /// The whole body was read.
    pub(crate) fn ended(&self) -> bool {
        self.ended.get()
    }

    /// The client left or broke the framing in the middle of it.
    pub(crate) fn failed(&self) -> bool {
        self.failed.get()
    }
}

/// The client's body as it arrives. Trailers are dropped: no target asked for them.
#[derive(Debug)]
pub(crate) struct ClientBody {
    incoming: Incoming,
    state: Rc<ClientBodyState>,
}

impl ClientBody {
    pub(crate) fn new(incoming: Incoming) -> (Self, Rc<ClientBodyState>) {
        let state =
            Rc::new(ClientBodyState { ended: Cell::new(incoming.is_end_stream()), failed: Cell::new(false) });
        (Self { incoming, state: Rc::clone(&state) }, state)
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        loop {
            let frame = match std::task::ready!(Pin::new(&mut this.incoming).poll_frame(cx)) {
                Some(Ok(frame)) if frame.is_data() => frame,
                Some(Ok(_)) => continue,
                Some(Err(error)) => {
                    this.state.failed.set(true);
                    return Poll::Ready(Some(Err(error.into())));
                }
                None => {
                    this.state.ended.set(true);
                    return Poll::Ready(None);
                }
            };
            if this.incoming.is_end_stream() {
                this.state.ended.set(true);
            }
            return Poll::Ready(Some(Ok(frame)));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// What is sent to a target.
#[derive(Debug)]
pub(crate) enum RequestBody {
    /// Nothing.
    Empty,
    /// Bytes that a step read or set.
    Whole(Bytes),
    /// The client's, as it arrives.
    Client(ClientBody),
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Client(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Client(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Client(body) => body.size_hint(),
        }
    }
}
