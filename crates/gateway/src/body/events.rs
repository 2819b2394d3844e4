//! An answer's server-sent events, each run through steps on its way.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};

use super::{BodyError, Source};
use crate::events::{self, Splitter};
use crate::exchange::Exchange;
use crate::flow;

/// Where an exchange waits while none of its steps runs: for the next event, and at last for the steps after the
/// answer.
pub(crate) type Resting = Rc<RefCell<Option<Box<Exchange>>>>;

/// Steps over one event; the exchange comes back with what is to be sent.
type Running = Pin<Box<dyn Future<Output = (Box<Exchange>, Option<Bytes>)>>>;

/// No more than one event is held, and while steps run nothing more is read.
pub(crate) struct EventBody {
    source: Source,
    exchange: Resting,
    running: Option<Running>,
    buffer: BytesMut,
    splitter: Splitter,
    /// Bytes of one event.
    limit: usize,
    count: u32,
    has_ended: bool,
    /// Nobody else runs the steps after the answer.
    is_inner: bool,
}

impl Drop for EventBody {
    fn drop(&mut self) {
        if self.is_inner
            && let Some(mut exchange) = self.exchange.borrow_mut().take()
        {
            tokio::task::spawn_local(async move { flow::run_post_client(&mut exchange).await });
        }
    }
}

impl EventBody {
    /// The body of an answer that another proxy of this gateway takes: the steps after it follow its end.
    pub(crate) fn inner(self) -> Self {
        let mut this = self;
        this.is_inner = true;
        this
    }

    pub(crate) fn new(source: Source, exchange: Resting, limit: usize) -> Self {
        Self {
            source,
            exchange,
            running: None,
            buffer: BytesMut::new(),
            splitter: Splitter::default(),
            limit,
            count: 0,
            has_ended: false,
            is_inner: false,
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if let Some(running) = &mut self.running {
                let (exchange, sent) = ready!(running.as_mut().poll(cx));
                self.running = None;
                *self.exchange.borrow_mut() = Some(exchange);
                match sent {
                    Some(bytes) if bytes.is_empty() => {}
                    Some(bytes) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                    None => {
                        // A step has put an end to it; the target need not go on.
                        self.source = Source::Empty;
                        self.buffer.clear();
                        self.has_ended = true;
                    }
                }
                continue;
            }
            let end = self.splitter.end(&self.buffer);
            match end.or_else(|| (self.has_ended && !self.buffer.is_empty()).then_some(self.buffer.len())) {
                Some(end) => {
                    let event = self.buffer.split_to(end).freeze();
                    self.splitter = Splitter::default();
                    if let Some(passed) = self.begin(event) {
                        return Poll::Ready(Some(Ok(Frame::data(passed))));
                    }
                }
                None if self.has_ended => return Poll::Ready(None),
                None => match ready!(Pin::new(&mut self.source).poll_frame(cx)) {
                    Some(Ok(frame)) => {
                        let data = frame.into_data().unwrap_or_default();
                        if self.buffer.len() + data.len() > self.limit {
                            return Poll::Ready(Some(Err("an event is too long".into())));
                        }
                        self.buffer.extend_from_slice(&data);
                    }
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => self.has_ended = true,
                },
            }
        }
    }

    /// Begins with the steps over an event; what is none goes on as it is.
    fn begin(&mut self, event: Bytes) -> Option<Bytes> {
        if !events::is_event(&event) {
            return Some(event);
        }
        let mut exchange = self.exchange.borrow_mut().take()?;
        self.count += 1;
        let count = self.count;
        self.running = Some(Box::pin(async move {
            let sent = flow::run_event(&mut exchange, event, count).await;
            (exchange, sent)
        }));
        None
    }

    pub(super) fn reads_request(&self) -> bool {
        self.source.reads_request()
    }

    pub(super) fn is_over(&self) -> bool {
        self.has_ended && self.buffer.is_empty() && self.running.is_none()
    }
}
