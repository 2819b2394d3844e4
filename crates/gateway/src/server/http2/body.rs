//! A request's body on its stream.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{Response, StatusCode};
use http_body::Frame;

use crate::body::BodyError;
use crate::server::Watch;
use crate::server::pace::{Pace, TooSlow};
use crate::trailers::{self, Announced};

/// More trailers than this are no message.
const MAX_TRAILERS: usize = 100;

/// The client's end of a stream, as the stream's driver and the reader of its body share it.
pub(super) struct Shared {
    pub(super) respond: RefCell<SendResponse<Bytes>>,
    pub(super) watch: Rc<Watch>,
    /// Somebody waits for the client to send more of the body.
    pub(super) is_awaited: Cell<bool>,
    /// Who waits.
    pub(super) reader: RefCell<Option<Waker>>,
    pub(super) pace: Pace,
    /// The client waits to be told to go on.
    pub(super) waits: Cell<bool>,
}

impl Shared {
    /// Whether the client sends its body too slowly; who reads it is told.
    pub(super) fn cut_if_slow(&self, now: Instant) -> bool {
        let is_cut = self.pace.cut(now);
        if is_cut && let Some(reader) = self.reader.borrow_mut().take() {
            reader.wake();
        }
        is_cut
    }
}

/// What the head says about the body.
#[derive(Debug)]
pub(super) struct Judged {
    /// Its length, when the client says it.
    pub(super) length: Option<u64>,
    /// What follows it.
    pub(super) announced: Announced,
    pub(super) is_grpc: bool,
}

/// Reads the body of one request, from any task of the thread.
pub(crate) struct BodyReader {
    stream: RecvStream,
    shared: Rc<Shared>,
    left: Option<u64>,
    announced: Announced,
    /// gRPC announces nothing.
    is_grpc: bool,
    /// Bytes that were handed on and not yet given back to the client's window.
    taken: usize,
    is_ended: bool,
}

impl BodyReader {
    /// `None` when there is no body.
    pub(super) fn new(stream: RecvStream, shared: &Rc<Shared>, judged: Judged) -> Option<Self> {
        (!stream.is_end_stream()).then(|| Self {
            stream,
            shared: Rc::clone(shared),
            left: judged.length,
            announced: judged.announced,
            is_grpc: judged.is_grpc,
            taken: 0,
            is_ended: false,
        })
    }

    /// The next part of the body, or its trailers; `None` is its end.
    pub(in crate::server) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.is_ended {
            return Poll::Ready(None);
        }
        // Whoever asks for more has passed on what came before.
        let taken = std::mem::take(&mut self.taken);
        if taken > 0 {
            let _ = self.stream.flow_control().release_capacity(taken);
        }
        self.shared.is_awaited.set(false);
        if self.shared.pace.is_cut() {
            return Poll::Ready(Some(Err(TooSlow.into())));
        }
        let polled = self.poll_stream(cx);
        if polled.is_pending() {
            self.shared.is_awaited.set(true);
            self.shared.pace.awaits(Instant::now());
            *self.shared.reader.borrow_mut() = Some(cx.waker().clone());
            if self.shared.waits.replace(false)
                && let Ok(mut respond) = self.shared.respond.try_borrow_mut()
            {
                let mut go_on = Response::new(());
                *go_on.status_mut() = StatusCode::CONTINUE;
                let _ = respond.send_informational(go_on);
            }
        } else {
            let now = Instant::now();
            self.shared.watch.moved(now);
            self.shared.pace.came(now, self.taken);
        }
        polled
    }

    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            match ready!(self.stream.poll_data(cx)) {
                Some(Ok(part)) if part.is_empty() => {}
                Some(Ok(part)) => {
                    self.taken = part.len();
                    self.left = self.left.map(|left| left.saturating_sub(part.len() as u64));
                    self.is_ended = self.stream.is_end_stream();
                    return Poll::Ready(Some(Ok(Frame::data(part))));
                }
                Some(Err(error)) if error.reason() == Some(Reason::NO_ERROR) => break,
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => break,
            }
        }
        let trailers = ready!(self.stream.poll_trailers(cx));
        self.is_ended = true;
        Poll::Ready(match trailers {
            Ok(None) => None,
            Ok(Some(trailers)) if trailers.len() > MAX_TRAILERS => {
                Some(Err("there are too many trailers".into()))
            }
            Ok(Some(mut trailers)) => {
                if self.is_grpc {
                    trailers::drop_forbidden(&mut trailers);
                } else {
                    self.announced.retain(&mut trailers);
                }
                (!trailers.is_empty()).then(|| Ok(Frame::trailers(trailers)))
            }
            Err(error) => Some(Err(error.into())),
        })
    }

    pub(in crate::server) fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// What follows the body.
    pub(in crate::server) fn announced(&self) -> &Announced {
        &self.announced
    }

    /// Bytes still to come, when the client said so; in HTTP/1.1 nothing can follow what has a length.
    pub(in crate::server) fn exact(&self) -> Option<u64> {
        match self.is_ended {
            true => Some(0),
            false => self.left.filter(|_| self.announced.is_empty()),
        }
    }
}

impl Drop for BodyReader {
    fn drop(&mut self) {
        self.shared.is_awaited.set(false);
        self.shared.pace.came(self.shared.watch.last_progress(), 0);
    }
}
