//! The answer's body on its way to the client.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::{BodyError, ClientBodyState, CutOff};
use crate::guard::Watch;
use crate::ports::HubBody;
use crate::proxy::Finish;
use crate::upstream::{Line, Upstreams};

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
}

/// A target's body, which drives its own connection.
pub(crate) struct UpstreamBody {
    incoming: Incoming,
    /// `None` once it went back to the pool.
    line: Option<Line>,
    /// `None` when the request had no streamed body.
    request: Option<Rc<ClientBodyState>>,
    upstreams: Rc<Upstreams>,
}

impl UpstreamBody {
    pub(crate) fn new(
        incoming: Incoming,
        line: Line,
        request: Option<Rc<ClientBodyState>>,
        upstreams: Rc<Upstreams>,
    ) -> Self {
        let mut this = Self { incoming, line: Some(line), request, upstreams };
        if this.incoming.is_end_stream() {
            this.give_back();
        }
        this
    }

    /// Only `drive` makes frames, so the frames need no waker.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut quiet = Context::from_waker(Waker::noop());
        if let Some(line) = &self.line {
            line.hush();
        }
        let mut frame = Pin::new(&mut self.incoming).poll_frame(&mut quiet);
        if frame.is_pending()
            && let Some(line) = &mut self.line
        {
            line.drive(cx);
            frame = Pin::new(&mut self.incoming).poll_frame(&mut quiet);
        }
        let ended = match &frame {
            Poll::Ready(Some(Ok(_))) => self.incoming.is_end_stream(),
            Poll::Ready(None) => true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => false,
        };
        if ended {
            self.give_back();
        }
        frame.map_err(Into::into)
    }

    /// The response is over. A connection whose request is not is closed, never used again.
    fn give_back(&mut self) {
        if let Some(line) = self.line.take()
            && self.request.as_ref().is_none_or(|request| request.ended())
        {
            self.upstreams.put_back(line);
        }
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
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Upstream(body) => body.incoming.is_end_stream(),
            Self::Hub(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Upstream(body) => body.incoming.size_hint(),
            Self::Hub(body) => body.size_hint(),
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
    /// Held back for one turn, so that what came before it is written.
    broken: Option<CutOff>,
}

impl AnswerBody {
    pub(crate) fn new(source: Source, io: Duration, watch: Rc<Watch>, finish: Finish) -> Self {
        Self { source, io, watch, finish, broken: None }
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
        loop {
            let mut body = Patient { source: &mut this.source, watch: &this.watch, io: this.io };
            let frame = std::task::ready!(Pin::new(&mut body).poll_frame(cx));
            return match frame {
                Some(Ok(frame)) => match frame.data_ref() {
                    Some(data) => {
                        this.finish.sent(data.len());
                        Poll::Ready(Some(Ok(frame)))
                    }
                    // Trailers end here: no client asked for them.
                    None => continue,
                },
                Some(Err(error)) => {
                    this.finish.target_failed();
                    this.broken = Some(error);
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                None => Poll::Ready(None),
            };
        }
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.source.size_hint()
    }
}
