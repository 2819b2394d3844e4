//! One connection to a target, driven by the request that uses it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Connection, SendRequest};
use hyper_util::rt::TokioIo;

use super::Key;
use super::relay::Relay;
use super::stream::Stream;
use crate::body::RequestBody;
use crate::guard::Watch;

/// An open connection. Dropping it closes it, which is also how a request is cancelled.
pub(crate) struct Line(Box<Parts>);

struct Parts {
    /// `None` once it is closed: hyper hands an unsent request back when the connection is dropped.
    connection: Option<Connection<TokioIo<Stream>, RequestBody>>,
    sender: SendRequest<RequestBody>,
    relay: Arc<Relay>,
    waker: Waker,
    home: Option<(u64, Rc<Key>)>,
    /// When the sweep first found it idle; asking the clock for each request would cost more than it tells.
    idle_since: Option<Instant>,
    keep: Duration,
}

/// What became of a request.
pub(super) enum Sent {
    /// The head of the response is there.
    Answered(Response<Incoming>, Line),
    /// The connection was closed before anything was written; the request is whole, where it was.
    Unwritten,
    /// The deadline passed.
    TimedOut,
    /// Something may have been written; it must not be sent again.
    Broken(hyper::Error),
}

/// A connection polled this often in a row still has something to do: let others run first.
const TURNS: usize = 8;

impl Line {
    pub(super) async fn new(
        stream: Stream,
        builder: &hyper::client::conn::http1::Builder,
    ) -> hyper::Result<Self> {
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        let relay = Arc::new(Relay::default());
        let waker = Waker::from(Arc::clone(&relay));
        Ok(Self(Box::new(Parts {
            connection: Some(connection),
            sender,
            relay,
            waker,
            home: None,
            idle_since: None,
            keep: Duration::ZERO,
        })))
    }

    /// Takes the request, sends it, and drives the connection until the response's head is there.
    pub(super) async fn send(
        mut self,
        request: &mut Option<Request<RequestBody>>,
        io: Duration,
        watch: &Watch,
    ) -> Sent {
        let Some(unsent) = request.take() else { return Sent::Unwritten };
        watch.wait(watch.last_progress(), io);
        let mut response = pin!(self.0.sender.try_send_request(unsent));
        let result = poll_fn(|cx| {
            // Only `drive` makes the response ready, so the response needs no waker.
            self.drive(cx);
            match response.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(result) => Poll::Ready(Some(result)),
                Poll::Pending if watch.expired() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        watch.relax();
        match result {
            Some(Ok(response)) => Sent::Answered(response, self),
            Some(Err(mut failed)) => {
                *request = failed.take_message();
                if request.is_some() { Sent::Unwritten } else { Sent::Broken(failed.into_error()) }
            }
            None => Sent::TimedOut,
        }
    }

    /// Lets the connection read and write as far as it can; wakes `cx` when it can do more.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        let this = &mut *self.0;
        let Some(connection) = &mut this.connection else { return };
        this.relay.hush();
        for _ in 0..TURNS {
            this.relay.take_noted();
            // An error reaches the request or its body; here it only means that this is the end.
            if Pin::new(&mut *connection).poll(&mut Context::from_waker(&this.waker)).is_ready() {
                this.connection = None;
                return;
            }
            if !this.relay.take_noted() {
                this.relay.pass_on(cx.waker());
                return;
            }
        }
        this.relay.pass_on(cx.waker());
        cx.waker().wake_by_ref();
    }

    /// What follows, up to the next [`Self::drive`], wakes nobody: it is followed by one.
    pub(crate) fn hush(&self) {
        self.0.relay.hush();
    }

    /// Where the connection goes back to, and how long it may lie there.
    pub(super) fn belongs_to(&mut self, hash: u64, key: Rc<Key>, keep: Duration) {
        self.0.home = Some((hash, key));
        self.0.keep = keep;
    }

    pub(super) fn home(&self) -> Option<(u64, &Rc<Key>)> {
        self.0.home.as_ref().map(|(hash, key)| (*hash, key))
    }

    /// Whether the last exchange is wholly over, request and response.
    pub(super) fn is_idle(&mut self) -> bool {
        self.0.connection.is_some() && self.0.sender.is_ready()
    }

    /// Goes into the pool: nobody wants to be woken for it.
    pub(super) fn rest(&mut self) {
        self.0.relay.hush();
        self.0.idle_since = None;
    }

    /// Whether the connection is open and was not idle for too long.
    pub(super) fn is_worth_keeping(&mut self, now: Instant) -> bool {
        let since = *self.0.idle_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= self.0.keep {
            return false;
        }
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.0.relay.hush();
        self.is_idle()
    }
}
