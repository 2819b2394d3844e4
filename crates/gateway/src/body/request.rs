//! The request body on its way to a target.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pierhead_domain::{EpochMillis, SharedClock};

use super::{BodyError, Recoded};
use crate::fault::EngineFault;
use crate::server::{BodyReader, TooSlow};
use crate::trace::Passing;
use crate::trailers::Announced;

/// How far the client's body has got; shared with the exchange that forwards it.
#[derive(Default)]
pub(crate) struct ClientBodyState {
    ended: Cell<bool>,
    /// Somebody may ask when it ended.
    clock: OnceCell<SharedClock>,
    ended_at: Cell<Option<EpochMillis>>,
    broken: Cell<Option<Broken>>,
}

/// Why a client's body has no end.
#[derive(Debug, Clone, Copy)]
enum Broken {
    /// The client left or broke the framing in the middle of it.
    Off,
    /// It came too slowly.
    Slow,
}

impl fmt::Debug for ClientBodyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBodyState").field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl ClientBodyState {
    /// Its end is to be noted by this clock.
    pub(crate) fn timed_by(&self, clock: &SharedClock) {
        let _ = self.clock.set(SharedClock::clone(clock));
    }

    /// When it ended, when that was to be noted.
    pub(crate) fn ended_at(&self) -> Option<EpochMillis> {
        self.ended_at.get()
    }

    fn end(&self) {
        if !self.ended.replace(true) {
            self.ended_at.set(self.clock.get().map(|clock| clock.now()));
        }
    }

    /// The whole body was read.
    pub(crate) fn ended(&self) -> bool {
        self.ended.get()
    }

    /// What to answer when it was the body that failed.
    pub(crate) fn fault(&self) -> Option<EngineFault> {
        Some(match self.broken.get()? {
            Broken::Off => EngineFault::BadRequest("The request body broke off"),
            Broken::Slow => EngineFault::RequestTimeOut,
        })
    }
}

/// The client's body as it arrives, and what follows it.
pub(crate) struct ClientBody {
    reader: BodyReader,
    state: Rc<ClientBodyState>,
    /// A debug session looks at what passes.
    passing: Option<Box<Passing>>,
}

impl ClientBody {
    pub(crate) fn new(reader: BodyReader) -> (Self, Rc<ClientBodyState>) {
        let state = Rc::new(ClientBodyState::default());
        (Self { reader, state: Rc::clone(&state), passing: None }, state)
    }

    /// What follows the body.
    fn announced(&self) -> &Announced {
        self.reader.announced()
    }

    /// Shows a debug session what passes.
    pub(crate) fn shown_to(&mut self, passing: Passing) {
        self.passing = Some(Box::new(passing));
    }
}

impl fmt::Debug for ClientBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBody").field("state", &self.state).finish_non_exhaustive()
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
        let part = std::task::ready!(this.reader.poll_frame(cx));
        if let Some(Err(error)) = &part {
            let broken = if error.is::<TooSlow>() { Broken::Slow } else { Broken::Off };
            this.state.broken.set(Some(broken));
        } else if this.reader.is_ended() {
            this.state.end();
        }
        if let Some(passing) = &mut this.passing {
            if let Some(Ok(frame)) = &part
                && let Some(data) = frame.data_ref()
            {
                passing.note(data);
            }
            if this.state.ended() {
                passing.end();
            }
        }
        Poll::Ready(part)
    }

    fn is_end_stream(&self) -> bool {
        self.reader.is_ended()
    }

    fn size_hint(&self) -> SizeHint {
        self.reader.exact().map_or_else(SizeHint::new, SizeHint::with_exact)
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
    /// One of the others, compressed or unpacked on its way.
    Recoded(Box<Recoded<RequestBody>>),
}

impl RequestBody {
    /// What follows it: only a client's own body has something behind it.
    pub(crate) fn announced(&self) -> Option<&Announced> {
        match self {
            Self::Client(body) => Some(body.announced()).filter(|announced| !announced.is_empty()),
            Self::Empty | Self::Whole(_) | Self::Recoded(_) => None,
        }
    }
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
            Self::Recoded(body) => Pin::new(&mut **body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Client(body) => body.is_end_stream(),
            Self::Recoded(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Client(body) => body.size_hint(),
            Self::Recoded(body) => body.size_hint(),
        }
    }
}
