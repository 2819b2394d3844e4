//! Drives one client connection: its bytes, its streams' begin, the drain, and its end.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::{Ping, PingPong, Reason};
use tokio::time::Sleep;

use super::meter::{Meter, Metered};
use super::{CONNECTION_WINDOW, SEND_BUFFER, STREAM_WINDOW, STREAMS, stream};
use crate::limits::Limits;
use crate::server::connection::Ends;
use crate::server::http1;
use crate::server::worker::Open;

/// What the streams of a connection share.
pub(super) struct Connection {
    pub(super) open: Rc<Open>,
    pub(super) ends: Ends,
    meter: Rc<Meter>,
    active: Cell<usize>,
    begun: Cell<u64>,
    cancelled: Cell<u64>,
    last_end: Cell<Instant>,
}

/// A client with open requests that is silent for so long is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(30);
/// How long it may take to say so.
const PONG: Duration = Duration::from_secs(20);
/// Once nothing more is to be said, how long a client may take to hear it.
const FAREWELL: Duration = Duration::from_secs(2);
/// A client may change its mind so often; beyond, not more often than it waits for answers.
const CANCELS: u64 = 100;

impl Connection {
    /// A request was answered to its end.
    pub(super) fn answered(&self) {
        self.meter.answered();
    }

    /// The client left a request before its answer's end.
    pub(super) fn cancelled(&self) {
        self.cancelled.set(self.cancelled.get() + 1);
    }

    fn is_abused(&self) -> bool {
        self.meter.is_flooded()
            || (self.cancelled.get() > CANCELS && self.cancelled.get() * 2 > self.begun.get())
    }
}

/// Counts a stream while it lives.
struct Active(Rc<Connection>);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.set(self.0.active.get() - 1);
        self.0.last_end.set(Instant::now());
    }
}

/// Serves a connection until it ends.
pub(in crate::server) async fn drive(open: Rc<Open>, stream: impl http1::Stream + 'static, ends: Ends) {
    let worker = Rc::clone(&open.worker);
    let limits = &worker.limits;
    let now = Instant::now();
    let meter = Rc::new(Meter::new(now));
    let metered = Metered::new(stream, Rc::clone(&meter), Arc::clone(&worker.counters));
    let handshake = tokio::time::timeout(limits.header_timeout, builder(limits).handshake(metered)).await;
    let Ok(Ok(frames)) = handshake else { return };
    let connection = Rc::new(Connection {
        open,
        ends,
        meter,
        active: Cell::new(0),
        begun: Cell::new(0),
        cancelled: Cell::new(0),
        last_end: Cell::new(now),
    });
    let timer = pin!(tokio::time::sleep_until((now + limits.header_timeout).into()));
    let mut driver =
        Driver { connection: &connection, frames, timer, pings: None, asked: None, leaving: None };
    driver.pings = driver.frames.ping_pong();
    poll_fn(|cx| driver.poll(cx)).await;
}

fn builder(limits: &Limits) -> h2::server::Builder {
    let mut builder = h2::server::Builder::new();
    builder
        .max_concurrent_streams(STREAMS)
        .enable_connect_protocol()
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BUFFER)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_reset_streams(20)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(Some(100));
    builder
}

type Frames<S> = h2::server::Connection<Metered<S>, Bytes>;

struct Driver<'a, S: http1::Stream> {
    connection: &'a Rc<Connection>,
    frames: Frames<S>,
    timer: Pin<&'a mut Sleep>,
    pings: Option<PingPong>,
    /// A ping went out then and is not answered.
    asked: Option<Instant>,
    /// No more streams begin since then.
    leaving: Option<Leaving>,
}

#[derive(Clone, Copy)]
enum Leaving {
    /// Those that run may end.
    InOrder,
    /// Until then the client may hear why.
    AtOnce(Instant),
}

impl<S: http1::Stream> Driver<'_, S> {
    /// Ready when the connection is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.connection.open.wake_on_drain(cx.waker());
        loop {
            if let Some(Leaving::AtOnce(_)) = self.leaving {
                if self.frames.poll_closed(cx).is_ready() {
                    return Poll::Ready(());
                }
            } else {
                match self.frames.poll_accept(cx) {
                    Poll::Ready(Some(Ok((request, respond)))) => {
                        self.begin(request, respond);
                        continue;
                    }
                    Poll::Ready(Some(Err(error))) => {
                        let peer = self.connection.ends.peer;
                        tracing::debug!(%peer, %error, "an HTTP/2 connection of {peer} ended: {error}");
                        return Poll::Ready(());
                    }
                    Poll::Ready(None) => return Poll::Ready(()),
                    Poll::Pending => {}
                }
                if self.connection.is_abused() {
                    self.connection.open.worker.counters.shed();
                    self.frames.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                    let until = Instant::now() + FAREWELL;
                    self.leaving = Some(Leaving::AtOnce(until));
                    self.timer.as_mut().reset(until.into());
                    continue;
                }
                let worker = &self.connection.open.worker;
                let is_last = self.connection.begun.get() >= worker.limits.requests_of_connection;
                if self.leaving.is_none() && (is_last || worker.draining()) {
                    self.leave();
                    continue;
                }
            }
            if let Some(pings) = &mut self.pings
                && self.asked.is_some()
                && pings.poll_pong(cx).is_ready()
            {
                self.asked = None;
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            match self.due(now) {
                None => return Poll::Ready(()),
                Some(next) => self.timer.as_mut().reset(next.into()),
            }
        }
    }

    fn begin(&mut self, request: http::Request<h2::RecvStream>, respond: h2::server::SendResponse<Bytes>) {
        let connection = Rc::clone(self.connection);
        connection.begun.set(connection.begun.get() + 1);
        connection.active.set(connection.active.get() + 1);
        let active = Active(Rc::clone(&connection));
        tokio::task::spawn_local(async move {
            stream::serve(connection, request, respond).await;
            drop(active);
        });
    }

    /// Says that no more streams are taken.
    fn leave(&mut self) {
        self.frames.graceful_shutdown();
        self.leaving = Some(Leaving::InOrder);
        self.timer.as_mut().reset((Instant::now() + FAREWELL).into());
    }

    /// What the clock says: the next moment to look, or `None` when the connection is to be cut.
    fn due(&mut self, now: Instant) -> Option<Instant> {
        let limits = &self.connection.open.worker.limits;
        if let Some(Leaving::AtOnce(until)) = self.leaving {
            return (now < until).then_some(until);
        }
        if self.connection.active.get() == 0 {
            self.asked = None;
            // Whoever does not confirm to have heard of the end is not waited for.
            let patience = match (self.leaving, self.connection.begun.get()) {
                (Some(_), _) => FAREWELL,
                (None, 0) => limits.header_timeout,
                (None, _) => limits.idle_timeout,
            };
            let until = self.connection.last_end.get() + patience;
            if now < until {
                return Some(until);
            }
            if self.leaving.is_some() {
                return None;
            }
            self.leave();
            return Some(now + FAREWELL);
        }
        let heard = self.connection.meter.last_read();
        match self.asked {
            Some(asked) if heard < asked && now >= asked + PONG => None,
            Some(asked) if heard < asked => Some(asked + PONG),
            _ if now >= heard + SILENCE => {
                if let Some(pings) = &mut self.pings
                    && pings.send_ping(Ping::opaque()).is_ok()
                {
                    self.asked = Some(now);
                }
                Some(now + PONG)
            }
            // Also looks whether the last stream has ended since.
            _ => {
                let look = if self.leaving.is_some() { FAREWELL } else { limits.idle_timeout };
                Some((heard + SILENCE).min(now + look))
            }
        }
    }
}
