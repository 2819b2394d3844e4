//! A client's connection as its driver and the reader of a request's body share it.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use tokio::io::{AsyncRead, AsyncWrite};

use super::decoder::{Decoded, Decoder};
use super::head::{Expects, HeadLimits, HeadReader, Heard};
use super::refusal::Refusal;
use crate::body::BodyError;
use crate::counters::ThreadCounters;
use crate::inbox::Inbox;
use crate::limits::Limits;
use crate::server::deadline::Watch;
use crate::server::pace::{Pace, TooSlow};
use crate::spare_maps::SpareMaps;
use crate::trailers::Announced;

/// The bytes under a client's connection: plain or TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// One connection. Nothing in it is borrowed while anybody else's code runs.
pub(crate) struct Wire {
    parts: RefCell<Parts>,
    pace: Pace,
    watch: Rc<Watch>,
    counters: Arc<ThreadCounters>,
}

struct Parts {
    /// `None` once it was released.
    io: Option<Box<dyn Stream>>,
    inbox: Inbox,
    heads: HeadReader,
    /// The present request's body.
    body: Decoder,
    /// What has come behind it.
    trailers: HeaderMap,
    /// Counts requests: who holds the body of an earlier one gets nothing of the next.
    serial: u64,
    /// Who waits for the client to send more of the body.
    reader: Option<Waker>,
    driver: Waker,
    /// What is to be sent once somebody waits for the body, or what is left of it.
    interim: &'static [u8],
    has_received: bool,
    head_began: Instant,
}

/// Why there is no request.
#[derive(Debug)]
pub(in crate::server) enum NoHead {
    Refused(Refusal),
    /// The client has closed, between two requests or within one.
    Closed {
        within: bool,
    },
    Broken,
}

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

impl Wire {
    pub(in crate::server) fn new(
        io: Box<dyn Stream>,
        limits: &Limits,
        maps: Rc<SpareMaps>,
        counters: Arc<ThreadCounters>,
    ) -> Self {
        let now = Instant::now();
        let of_head = HeadLimits {
            line: limits.request_line_bytes,
            headers: limits.header_bytes,
            count: limits.headers,
        };
        let parts = Parts {
            io: Some(io),
            inbox: Inbox::new(limits.read_buffer_bytes),
            heads: HeadReader::new(of_head, maps),
            body: Decoder::length(0, of_head),
            trailers: HeaderMap::new(),
            serial: 0,
            reader: None,
            driver: Waker::noop().clone(),
            interim: b"",
            has_received: false,
            head_began: now,
        };
        let pace = Pace::new(limits);
        Self { parts: RefCell::new(parts), pace, watch: Rc::new(Watch::new(now)), counters }
    }

    pub(in crate::server) fn watch(&self) -> &Rc<Watch> {
        &self.watch
    }

    /// Who is to be woken when another task has taken the last of a body.
    pub(in crate::server) fn driven_by(&self, driver: &Waker) {
        self.parts.borrow_mut().driver.clone_from(driver);
    }

    /// The next request. A head whose body is wrong from its first bytes on is refused like a wrong head, so
    /// that nobody ever sees it.
    pub(in crate::server) fn poll_head(&self, cx: &mut Context<'_>) -> Poll<Result<Heard, NoHead>> {
        let parts = &mut *self.parts.borrow_mut();
        loop {
            let begins = parts.inbox.bytes.is_empty();
            if !begins
                && let Some(head) = parts.heads.read(&mut parts.inbox.bytes).map_err(NoHead::Refused)?
            {
                head.body.check(&parts.inbox.bytes).map_err(NoHead::Refused)?;
                parts.body = head.body;
                let waits = head.expects == Expects::Continue && !head.body.is_ended();
                parts.interim = if waits && head.version == http::Version::HTTP_11 { CONTINUE } else { b"" };
                return Poll::Ready(Ok(head));
            }
            if ready!(self.fill(parts, cx)).map_err(|_| NoHead::Broken)? == 0 {
                return Poll::Ready(Err(NoHead::Closed { within: !begins }));
            }
            if begins {
                parts.head_began = self.watch.last_progress();
            }
        }
    }

    /// When the first byte of a head came whose end has not.
    pub(in crate::server) fn head_began(&self) -> Option<Instant> {
        let parts = self.parts.borrow();
        (!parts.inbox.bytes.is_empty()).then_some(parts.head_began)
    }

    /// Whether the client has sent anything yet.
    pub(in crate::server) fn has_received(&self) -> bool {
        self.parts.borrow().has_received
    }

    /// Whether somebody waits for the client to send more of the body.
    pub(in crate::server) fn is_awaited(&self) -> bool {
        self.parts.borrow().reader.is_some()
    }

    /// When the client will have sent its body too slowly.
    pub(in crate::server) fn slow_at(&self) -> Option<Instant> {
        self.pace.due()
    }

    /// Whether the client sends its body too slowly; who reads it is told.
    pub(in crate::server) fn cut_if_slow(&self, now: Instant) -> bool {
        let is_cut = self.pace.cut(now);
        if is_cut && let Some(reader) = self.parts.borrow_mut().reader.take() {
            reader.wake();
        }
        is_cut
    }

    /// The body of the present request, and what it announces to follow; `None` when there is none.
    pub(in crate::server) fn body(this: &Rc<Self>, announced: Announced) -> Option<BodyReader> {
        let parts = this.parts.borrow();
        (!parts.body.is_ended()).then(|| BodyReader {
            wire: Rc::clone(this),
            serial: parts.serial,
            announced,
        })
    }

    /// Whether the client has closed the connection while it waits for us. What it sends meanwhile is kept;
    /// once there is something, it is not asked for more.
    pub(in crate::server) fn is_left(&self, cx: &mut Context<'_>) -> bool {
        let parts = &mut *self.parts.borrow_mut();
        if parts.reader.is_some() || !parts.inbox.bytes.is_empty() {
            return false;
        }
        matches!(self.fill(parts, cx), Poll::Ready(Ok(0) | Err(_)))
    }

    /// Drops what has come of a body that nobody reads. True when that was all of it.
    pub(in crate::server) fn skip_body(&self, cx: &mut Context<'_>) -> bool {
        /// Who has more than this still to send is not waited for.
        const AT_MOST: usize = 256 * 1024;
        let parts = &mut *self.parts.borrow_mut();
        let mut skipped = 0;
        while skipped < AT_MOST {
            match parts.body.decode(&mut parts.inbox.bytes, &mut parts.trailers) {
                Ok(Decoded::End) => return true,
                Ok(Decoded::Data(data)) => skipped += data.len(),
                Ok(Decoded::NeedsMore) if matches!(self.fill(parts, cx), Poll::Ready(Ok(1..))) => {}
                Ok(Decoded::NeedsMore) | Err(_) => return false,
            }
        }
        false
    }

    /// The present request is over: what of its body was not read is not to be had any more.
    pub(in crate::server) fn end_request(&self) {
        let mut parts = self.parts.borrow_mut();
        parts.serial += 1;
        parts.trailers.clear();
        self.pace.restart();
        parts.head_began = self.watch.last_progress();
        if let Some(reader) = parts.reader.take() {
            reader.wake();
        }
    }

    /// Gives the connection away: to a farewell, or, after an answer that switches protocols, to who speaks
    /// the new one.
    pub(in crate::server) fn release(&self) -> Option<Box<dyn Stream>> {
        self.end_request();
        self.parts.borrow_mut().io.take()
    }

    /// The same with what the client has sent beyond its request, or when it sent none of HTTP/1, with all of it.
    pub(in crate::server) fn release_with_rest(&self) -> Option<(Box<dyn Stream>, Bytes)> {
        let rest = self.parts.borrow_mut().inbox.bytes.split().freeze();
        self.release().map(|stream| (stream, rest))
    }

    /// How many requests are over.
    pub(in crate::server) fn answered(&self) -> u64 {
        self.parts.borrow().serial
    }

    /// Reads once. `Ok(0)` is the end of the connection.
    fn fill(&self, parts: &mut Parts, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some(io) = &mut parts.io else { return Poll::Ready(Ok(0)) };
        let count = ready!(parts.inbox.poll_fill(io, cx))?;
        self.watch.moved(Instant::now());
        self.counters.received(count);
        parts.has_received = true;
        Poll::Ready(Ok(count))
    }

    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(count)) = written {
            self.watch.moved(Instant::now());
            self.counters.sent(count);
        }
        written
    }

    /// Writes what is left of an interim answer, or all of it when it is due.
    fn poll_interim(&self, parts: &mut Parts, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !parts.interim.is_empty() {
            let Some(io) = &mut parts.io else { return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())) };
            let count = ready!(self.wrote(Pin::new(io).poll_write(cx, parts.interim)))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            parts.interim = parts.interim.get(count..).unwrap_or_default();
            if parts.interim.is_empty()
                && let Some(io) = &mut parts.io
            {
                // What little a stream holds back goes out with what is written next at the latest.
                let _ = Pin::new(io).poll_flush(cx)?;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_body(
        &self,
        serial: u64,
        announced: &Announced,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let parts = &mut *self.parts.borrow_mut();
        if parts.serial != serial {
            return Poll::Ready(Some(Err("the request is over".into())));
        }
        parts.reader = None;
        if self.pace.is_cut() {
            return Poll::Ready(Some(Err(TooSlow.into())));
        }
        let next = loop {
            match parts.body.decode(&mut parts.inbox.bytes, &mut parts.trailers) {
                Ok(Decoded::Data(data)) => {
                    self.pace.came(self.watch.last_progress(), data.len());
                    break Some(Ok(Frame::data(data)));
                }
                Ok(Decoded::End) => {
                    let mut trailers = std::mem::take(&mut parts.trailers);
                    announced.retain(&mut trailers);
                    break (!trailers.is_empty()).then(|| Ok(Frame::trailers(trailers)));
                }
                Ok(Decoded::NeedsMore) => {}
                Err(refusal) => break Some(Err(refusal.text().into())),
            }
            let filled = match self.poll_interim(parts, cx) {
                Poll::Ready(Ok(())) => self.fill(parts, cx),
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Pending => Poll::Pending,
            };
            match filled {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0)) => break Some(Err("the client closed the connection".into())),
                Poll::Ready(Err(error)) => break Some(Err(error.into())),
                Poll::Pending => {
                    self.pace.awaits(Instant::now());
                    parts.reader = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            }
        };
        if parts.body.is_ended() && !parts.driver.will_wake(cx.waker()) {
            // From now on the driver looks whether the client leaves.
            parts.driver.wake_by_ref();
        }
        Poll::Ready(next)
    }
}

/// Reads the body of one request, from any task of the thread.
pub(crate) struct BodyReader {
    wire: Rc<Wire>,
    serial: u64,
    announced: Announced,
}

impl BodyReader {
    /// The next part of the body, or its trailers; `None` is its end. The client is told to go on when it waits
    /// for that.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.wire.poll_body(self.serial, &self.announced, cx)
    }

    /// What follows the body.
    pub(crate) fn announced(&self) -> &Announced {
        &self.announced
    }

    /// Whether the whole body was read.
    pub(crate) fn is_ended(&self) -> bool {
        let parts = self.wire.parts.borrow();
        parts.serial == self.serial && parts.body.is_ended()
    }

    /// Bytes still to come, when the client said so.
    pub(crate) fn exact(&self) -> Option<u64> {
        let parts = self.wire.parts.borrow();
        if parts.serial == self.serial { parts.body.exact() } else { None }
    }
}

impl Drop for BodyReader {
    fn drop(&mut self) {
        let mut parts = self.wire.parts.borrow_mut();
        if parts.serial == self.serial && parts.reader.take().is_some() {
            self.wire.pace.came(self.wire.watch.last_progress(), 0);
            parts.driver.wake_by_ref();
        }
    }
}

/// The way to the client. What an interim answer has begun goes first.
pub(in crate::server) struct Writer<'a>(pub(in crate::server) &'a Wire);

impl Writer<'_> {
    /// From now on the final answer is written: nobody is told to go on any more.
    pub(in crate::server) fn begin_answer(&self) {
        let mut parts = self.0.parts.borrow_mut();
        if parts.interim.len() == CONTINUE.len() {
            parts.interim = b"";
        }
    }

    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut Box<dyn Stream>>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let parts = &mut *self.0.parts.borrow_mut();
        ready!(self.0.poll_interim(parts, cx))?;
        match &mut parts.io {
            Some(io) => write(Pin::new(io), cx),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

impl AsyncWrite for Writer<'_> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.wrote(self.poll(cx, |io, cx| io.poll_write(cx, buf)))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.wrote(self.poll(cx, |io, cx| io.poll_write_vectored(cx, bufs)))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, |io, cx| io.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, |io, cx| io.poll_shutdown(cx))
    }
}
