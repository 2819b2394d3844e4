//! The byte-level guard beneath hyper: sees every byte of a request before the parser does.
//!
//! hyper repairs what it should refuse (bare LF line ends, a Content-Length beside Transfer-Encoding), and
//! nothing above it can tell. The guard follows the framing of the stream, passes bytes unchanged, and stops
//! at the first message that breaks a rule: the messages before it are answered, then the connection's
//! driver ([`crate::server`]) answers the refusal and closes.

mod framing;
mod refusal;

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(crate) use self::framing::HeadLimits;
use self::framing::{Framing, Refused};
pub(crate) use self::refusal::Refusal;
use crate::counters::ThreadCounters;

/// What the guard saw, shared with the connection's driver on the same thread.
#[derive(Debug)]
pub(crate) struct Watch {
    refused: Cell<Option<Refusal>>,
    unanswered: Cell<u32>,
    unflushed: Cell<bool>,
    in_head: Cell<bool>,
    awaits_body: Cell<bool>,
    progress: Cell<Instant>,
    head_began: Cell<Instant>,
    received_any: Cell<bool>,
    body_refused: Cell<bool>,
    wait: Cell<Option<(Instant, Duration)>>,
    end: Cell<Option<Instant>>,
    expired: Cell<bool>,
    counters: Arc<ThreadCounters>,
}

/// What a connection waits for, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// For the rest of a request head.
    Head(Instant),
    /// For the next request.
    Idle(Instant),
    /// For the client to send more of a body or to read more of an answer.
    Client(Instant),
    /// For us.
    Answer,
}

impl Watch {
    pub(crate) fn new(now: Instant, counters: Arc<ThreadCounters>) -> Self {
        Self {
            refused: Cell::new(None),
            unanswered: Cell::new(0),
            unflushed: Cell::new(false),
            in_head: Cell::new(false),
            awaits_body: Cell::new(false),
            progress: Cell::new(now),
            head_began: Cell::new(now),
            received_any: Cell::new(false),
            body_refused: Cell::new(false),
            wait: Cell::new(None),
            end: Cell::new(None),
            expired: Cell::new(false),
            counters,
        }
    }

    /// The refusal, once everything before it has been answered and written.
    pub(crate) fn refusal_due(&self) -> Option<Refusal> {
        if self.quiet() { self.refused.get() } else { None }
    }

    /// Counts one answer as written; called when its body ended or was dropped.
    pub(crate) fn answered(&self) {
        self.unanswered.set(self.unanswered.get().saturating_sub(1));
    }

    /// What the connection waits for.
    pub(crate) fn waiting(&self) -> Waiting {
        if !self.quiet() {
            let client = self.unflushed.get() || self.awaits_body.get();
            return if client { Waiting::Client(self.progress.get()) } else { Waiting::Answer };
        }
        if self.in_head.get() {
            Waiting::Head(self.head_began.get())
        } else {
            Waiting::Idle(self.progress.get())
        }
    }

    /// Whether the end of the connection is our doing: the client is there to read the answer.
    pub(crate) fn body_refused(&self) -> bool {
        self.body_refused.get()
    }

    /// Whether the client has sent anything yet.
    pub(crate) fn has_received(&self) -> bool {
        self.received_any.get()
    }

    /// When the client's bytes last moved: near enough to now for deadlines, and free.
    pub(crate) fn last_progress(&self) -> Instant {
        self.progress.get()
    }

    /// The exchange begins to wait for its target and gives up after `patience` in which the client's bytes
    /// did not move either. The driver polls it then, with [`Self::expired`] true.
    pub(crate) fn wait(&self, since: Instant, patience: Duration) {
        self.wait.set(Some((since, patience)));
    }

    /// The exchange waits for nothing any more.
    pub(crate) fn relax(&self) {
        self.wait.set(None);
        self.expired.set(false);
    }

    /// Whether the exchange waits.
    pub(crate) fn is_waiting(&self) -> bool {
        self.wait.get().is_some()
    }

    /// The exchange gives up then, whatever moves.
    pub(crate) fn end_by(&self, end: Option<Instant>) {
        self.end.set(end);
    }

    /// Whether the deadline of the exchange has passed.
    pub(crate) fn expired(&self) -> bool {
        self.expired.get()
    }

    /// When the exchange gives up, as things are.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.expired.get() {
            return None;
        }
        let wait = self.wait.get().map(|(since, patience)| since.max(self.progress.get()) + patience);
        match (wait, self.end.get()) {
            (Some(wait), Some(end)) => Some(wait.min(end)),
            (wait, end) => wait.or(end),
        }
    }

    /// Lets the exchange's deadline pass when `now` is not before it.
    pub(crate) fn expire(&self, now: Instant) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.expired.set(true);
        }
    }

    fn quiet(&self) -> bool {
        self.unanswered.get() == 0 && !self.unflushed.get()
    }
}

/// A connection whose reads are looked at.
#[derive(Debug)]
pub(crate) struct Guard<S> {
    io: S,
    framing: Framing,
    watch: Rc<Watch>,
}

impl<S> Guard<S> {
    pub(crate) fn new(io: S, limits: HeadLimits, counters: Arc<ThreadCounters>) -> Self {
        Self { io, framing: Framing::new(limits), watch: Rc::new(Watch::new(Instant::now(), counters)) }
    }

    pub(crate) fn watch(&self) -> Rc<Watch> {
        Rc::clone(&self.watch)
    }

    /// The connection itself, for the refusal and the farewell.
    pub(crate) fn into_inner(self) -> S {
        self.io
    }

    /// Lets through what may pass of the bytes just read.
    fn inspect(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let watch = &self.watch;
        let was_in_head = watch.in_head.get();
        let verdict = self.framing.follow(bytes);
        watch.progress.set(Instant::now());
        watch.received_any.set(true);
        watch.counters.received(bytes.len());
        watch.unanswered.set(watch.unanswered.get() + verdict.heads);
        watch.in_head.set(self.framing.in_head());
        watch.awaits_body.set(false);
        if self.framing.in_head() && (!was_in_head || verdict.heads > 0) {
            watch.head_began.set(watch.progress.get());
        }
        match verdict.refused {
            None => {}
            Some(Refused::Head(refusal)) => watch.refused.set(Some(refusal)),
            Some(Refused::Body(refusal)) => {
                watch.body_refused.set(true);
                return Err(io::Error::new(io::ErrorKind::InvalidData, refusal.text()));
            }
        }
        Ok(verdict.pass)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.watch.refused.get().is_some() {
            // The driver looks for a refusal after each poll: no waker is needed.
            return Poll::Pending;
        }
        let before = buf.filled().len();
        match Pin::new(&mut this.io).poll_read(cx, buf) {
            Poll::Pending => {
                this.watch.awaits_body.set(this.framing.in_body());
                return Poll::Pending;
            }
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => {}
        }
        if buf.filled().len() == before {
            return Poll::Ready(Ok(()));
        }
        let pass = this.inspect(&buf.filled()[before..])?;
        buf.set_filled(before + pass);
        // Nothing may pass: zero bytes would mean the end of the stream.
        if pass == 0 { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

impl<S: AsyncWrite + Unpin> Guard<S> {
    fn wrote(&self, result: &Poll<io::Result<usize>>) {
        self.watch.unflushed.set(true);
        if let Poll::Ready(Ok(count)) = result {
            self.watch.progress.set(Instant::now());
            self.watch.counters.sent(*count);
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(cx, buf);
        self.wrote(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.wrote(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_flush(cx);
        if result.is_ready() {
            self.watch.unflushed.set(false);
        }
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
