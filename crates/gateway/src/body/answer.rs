//! The answer's body on its way to the client.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{BodyError, ClientBodyState, CutOff, EventBody, Recoded, Recorded, Traced};
use crate::balancer::InUse;
use crate::ports::HubBody;
use crate::proxy::Finish;
use crate::server::Watch;
use crate::trailers::Announced;
use crate::upstream::{Carrier, Upstreams};

/// Where an answer's body comes from.
pub(crate) enum Source {
    /// There is none.
    Empty,
    /// Memory: a fault, a policy's content, a body that a step read.
    Whole(Bytes),
    /// A target, frame by frame.
    Upstream(UpstreamBody),
    /// The hub of this installation, frame by frame.
    Hub(HubBody),
    /// One of the others, which is cached when it has gone by whole.
    Recorded(Box<Recorded>),
    /// One of the others, compressed or unpacked on its way.
    Recoded(Box<Recoded<Source>>),
    /// One of the others, at which a debug session looks.
    Traced(Box<Traced>),
    /// One of the others, whose events run through steps.
    Events(Box<EventBody>),
}

/// A target's body, which drives what it comes on.
pub(crate) struct UpstreamBody {
    /// `None` once the response was read to its end.
    carrier: Option<Carrier>,
    /// `None` when the request had no streamed body.
    request: Option<Rc<ClientBodyState>>,
    upstreams: Rc<Upstreams>,
    /// What follows it.
    announced: Announced,
    /// The server of a balancer that it keeps busy.
    in_use: Option<InUse>,
}

impl UpstreamBody {
    pub(crate) fn counts_as(&mut self, in_use: Option<InUse>) {
        self.in_use = in_use.filter(|_| self.carrier.is_some());
    }

    pub(crate) fn new(
        carrier: Carrier,
        request: Option<Rc<ClientBodyState>>,
        upstreams: Rc<Upstreams>,
        announced: Announced,
    ) -> Self {
        let mut this = Self { carrier: Some(carrier), request, upstreams, announced, in_use: None };
        this.give_back_if_over();
        this
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(carrier) = &mut self.carrier else { return Poll::Ready(None) };
        let frame = std::task::ready!(carrier.poll_frame(cx));
        self.give_back_if_over();
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    /// A connection whose request is not over when its response is, is closed and never used again.
    fn give_back_if_over(&mut self) {
        if let Some(Carrier::Line(line)) = self.carrier.take_if(|carrier| carrier.is_response_over())
            && self.request.as_ref().is_none_or(|request| request.ended())
        {
            self.upstreams.put_back(line);
        }
        if self.carrier.is_none() {
            self.in_use = None;
        }
    }

    fn exact(&self) -> Option<u64> {
        self.carrier.as_ref().map_or(Some(0), Carrier::exact_body)
    }
}

impl Body for Source {
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
            Self::Upstream(body) => body.poll(cx),
            Self::Hub(body) => Pin::new(body).poll_frame(cx),
            Self::Recorded(body) => Pin::new(&mut **body).poll_frame(cx),
            Self::Recoded(body) => Pin::new(&mut **body).poll_frame(cx),
            Self::Traced(body) => Pin::new(&mut **body).poll_frame(cx),
            Self::Events(body) => body.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Upstream(body) => body.carrier.is_none(),
            Self::Hub(body) => body.is_end_stream(),
            Self::Recorded(body) => body.is_end_stream(),
            Self::Recoded(body) => body.is_end_stream(),
            Self::Traced(body) => body.is_end_stream(),
            Self::Events(body) => body.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Upstream(body) => body.exact().map_or_else(SizeHint::new, SizeHint::with_exact),
            Self::Hub(body) => body.size_hint(),
            Self::Recorded(body) => body.size_hint(),
            Self::Recoded(body) => body.size_hint(),
            Self::Traced(body) => body.size_hint(),
            Self::Events(_) => SizeHint::new(),
        }
    }
}

/// A target's body that is given up when it is silent for too long.
pub(crate) struct Patient<'a> {
    pub(crate) source: &'a mut Source,
    pub(crate) watch: &'a Watch,
    /// The longest silence between two frames.
    pub(crate) io: Duration,
}

impl Body for Patient<'_> {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let this = self.get_mut();
        match Pin::new(&mut *this.source).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.watch.relax();
                Poll::Ready(frame.map(|frame| frame.map_err(CutOff::Broken)))
            }
            Poll::Pending if this.watch.expired() => Poll::Ready(Some(Err(CutOff::TimedOut))),
            Poll::Pending => {
                if !this.watch.is_waiting() {
                    this.watch.wait(Instant::now(), this.io);
                }
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.source.size_hint()
    }
}

/// A body with the end of its exchange attached: when it is dropped, the request is over.
pub(crate) struct AnswerBody {
    source: Source,
    io: Duration,
    watch: Rc<Watch>,
    finish: Finish,
    /// The client reads what follows it.
    takes_trailers: bool,
    /// Held back for one turn, so that what came before it is written.
    broken: Option<CutOff>,
}

impl AnswerBody {
    pub(crate) fn new(source: Source, io: Duration, watch: Rc<Watch>, finish: Finish) -> Self {
        Self { source, io, watch, finish, takes_trailers: false, broken: None }
    }

    /// Says whether the client reads what follows it.
    pub(crate) fn takes_trailers(&mut self, takes: bool) {
        self.takes_trailers = takes;
    }

    /// What follows it, as far as that is known.
    pub(crate) fn announced(&self) -> Option<&Announced> {
        self.source.announced().filter(|announced| self.takes_trailers && !announced.is_empty())
    }

    /// Whether more of the request's body is read while this one is written.
    pub(crate) fn reads_request(&self) -> bool {
        self.source.reads_request()
    }
}

impl Source {
    fn announced(&self) -> Option<&Announced> {
        match self {
            Self::Upstream(body) => Some(&body.announced),
            Self::Recorded(body) => body.source.announced(),
            Self::Traced(body) => body.source.announced(),
            Self::Empty | Self::Whole(_) | Self::Hub(_) | Self::Recoded(_) | Self::Events(_) => None,
        }
    }

    pub(super) fn reads_request(&self) -> bool {
        match self {
            Self::Upstream(body) => {
                body.carrier.is_some() && body.request.as_ref().is_some_and(|request| !request.ended())
            }
            Self::Hub(body) => !body.is_end_stream(),
            Self::Recorded(body) => body.source.reads_request(),
            Self::Recoded(body) => body.inner.reads_request(),
            Self::Traced(body) => body.source.reads_request(),
            Self::Events(body) => body.reads_request(),
            Self::Empty | Self::Whole(_) => false,
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let this = self.get_mut();
        if let Some(broken) = this.broken.take() {
            return Poll::Ready(Some(Err(broken)));
        }
        let mut body = Patient { source: &mut this.source, watch: &this.watch, io: this.io };
        match std::task::ready!(Pin::new(&mut body).poll_frame(cx)) {
            // They are the last of the body.
            Some(Ok(frame)) if frame.is_trailers() && !this.takes_trailers => Poll::Ready(None),
            Some(Ok(frame)) => {
                this.finish.sent(frame.data_ref().map_or(0, Bytes::len));
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                this.finish.target_failed();
                this.broken = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // In HTTP/1.1 nothing can follow what has a length.
        if self.announced().is_some() { SizeHint::new() } else { self.source.size_hint() }
    }
}
