//! The way to targets: a thread's own stacks of open connections (performance A8, "own pool").
//!
//! A connection carries one request at a time and goes back to its stack only after the whole answer was
//! read. It has no task of its own: whoever uses it drives it ([`line::Line`]), which saves the switches
//! between tasks and lets the head and the first part of a body leave in one write.
//!
//! Where HTTP/2 is spoken, a connection has a task and carries many requests ([`http2`]).
//!
//! HTTP/1.1 towards targets is spoken here and not by hyper's client, whose channel between request and
//! connection and whose second header map cost a third of a small request. What it reads strictly:
//! [`response_head`] and [`decoder`].

mod carrier;
mod connect;
mod decoder;
#[cfg(any(test, feature = "fuzzing"))]
mod fuzz;
mod http2;
mod key;
mod line;
mod request_head;
mod resolve;
mod response_head;
mod sending;
mod stream;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ahash::AHashMap;
use rustls::pki_types::CertificateDer;

pub(crate) use self::carrier::Carrier;
pub(crate) use self::connect::ConnectError;
use self::connect::{Connector, Opened};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::fuzz::response as fuzz_response;
use self::http2::{Call, Multiplexed};
use self::key::{Key, spoken};
use self::line::{Line, Sent};
pub(crate) use self::request_head::RequestHead;
pub(crate) use self::response_head::{BadResponse, ResponseHead};
pub(crate) use self::stream::Stream as TargetStream;
use crate::body::RequestBody;
use crate::compile::{Endpoint, Http2, TargetTimeouts};
use crate::counters::ThreadCounters;
use crate::limits::Limits;
use crate::server::Watch;

/// The open connections to one target.
struct Stack {
    key: Rc<Key>,
    /// HTTP/1.1: those that nobody uses.
    idle: Vec<Line>,
    /// HTTP/2: all of them.
    shared: Vec<Rc<Multiplexed>>,
}

impl Stack {
    fn call(&self) -> Option<Carrier> {
        let connection = self.shared.iter().find(|connection| connection.has_room())?;
        Some(Carrier::Call(Box::new(Call::on(connection))))
    }
}

/// So often may a target say that it did nothing with a request before that is its answer.
const REFUSALS: u32 = 3;

/// Why a request got no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("cannot connect to the target: {0}")]
    Connect(#[from] ConnectError),
    #[error("no response in time")]
    TimedOut,
    #[error("the target does not speak proper HTTP/1: {0}")]
    BadResponse(#[from] BadResponse),
    #[error("the connection to the target broke: {0}")]
    Broken(#[from] std::io::Error),
    #[error("the target refuses to begin with the request")]
    Refused,
    #[error("HTTP/2 with the target went wrong: {0}")]
    Http2(#[from] h2::Error),
}

/// All upstream connections of one thread.
pub(crate) struct Upstreams {
    /// By a hash of the key, so that looking one up copies nothing.
    stacks: RefCell<AHashMap<u64, Vec<Stack>>>,
    hasher: ahash::RandomState,
    connector: Connector,
    counters: Arc<ThreadCounters>,
    idle_limit: usize,
}

impl Upstreams {
    pub(crate) fn new(
        limits: &Limits,
        counters: Arc<ThreadCounters>,
        extra_roots: &[CertificateDer<'static>],
        divert: Option<SocketAddr>,
    ) -> Self {
        Self {
            stacks: RefCell::default(),
            hasher: ahash::RandomState::new(),
            connector: Connector::new(limits, extra_roots, divert),
            counters,
            idle_limit: limits.idle_upstreams,
        }
    }

    /// Sends a request and returns the response's head with what its body comes on. A connection that turns
    /// out to be closed before anything of the request was written is replaced, and so is one whose other end
    /// says that it did nothing with the request; nothing is ever sent twice.
    pub(crate) async fn send(
        &self,
        to: &Endpoint,
        timeouts: TargetTimeouts,
        head: &RequestHead<'_>,
        body: &mut RequestBody,
        watch: &Watch,
    ) -> Result<(ResponseHead, Carrier), UpstreamError> {
        let http2 = spoken(to, head.is_http10 || head.upgrades);
        let hash = self.hash(to, http2);
        let mut refusals = 0;
        loop {
            let (carrier, key) = match self.take(hash, to, http2) {
                (Some(carrier), key) => {
                    self.counters.upstream_reused();
                    (carrier, key)
                }
                // Boxed, so that a request that finds a connection does not carry the room for it.
                (None, key) => (Box::pin(self.open(hash, &key, timeouts)).await?, key),
            };
            match carrier {
                Carrier::Line(mut line) => match line.send(head, body, timeouts.io, watch).await {
                    Sent::Answered(response) => {
                        line.keep(timeouts.keep_alive);
                        return Ok((response, Carrier::Line(line)));
                    }
                    Sent::Unwritten => {}
                    Sent::Failed(error) => return Err(error),
                },
                Carrier::Call(mut call) => {
                    match Box::pin(call.send(&key, head, body, timeouts.io, watch)).await {
                        Sent::Answered(response) => return Ok((response, Carrier::Call(call))),
                        Sent::Unwritten if refusals < REFUSALS => refusals += 1,
                        Sent::Unwritten => return Err(UpstreamError::Refused),
                        Sent::Failed(error) => return Err(error),
                    }
                }
            }
        }
    }

    /// A new connection, or a place on one that somebody else has opened meanwhile.
    async fn open(
        &self,
        hash: u64,
        key: &Rc<Key>,
        timeouts: TargetTimeouts,
    ) -> Result<Carrier, ConnectError> {
        let opening = async {
            let turn = if key.may_share() { key.turn.acquire().await.ok() } else { None };
            // It may have become known while others had their turn.
            let _turn = turn.filter(|_| key.may_share());
            if let Some(call) = self.share(hash, key) {
                self.counters.upstream_reused();
                return Ok(call);
            }
            let opened = self.connector.connect(hash, key).await?;
            self.counters.upstream_connected();
            Ok(match opened {
                Opened::Line(line) => {
                    key.chose_http1.set(true);
                    Carrier::Line(line)
                }
                Opened::Multiplexed(connection) => {
                    connection.keep(timeouts.keep_alive);
                    let call = Call::on(&connection);
                    if let Some(stack) = self
                        .stacks
                        .borrow_mut()
                        .get_mut(&hash)
                        .and_then(|stacks| stacks.iter_mut().find(|stack| Rc::ptr_eq(&stack.key, key)))
                    {
                        stack.shared.push(connection);
                    }
                    Carrier::Call(Box::new(call))
                }
            })
        };
        tokio::time::timeout(timeouts.connect, opening).await.unwrap_or(Err(ConnectError::TimedOut))
    }

    /// A place on a connection that carries many requests.
    fn share(&self, hash: u64, key: &Rc<Key>) -> Option<Carrier> {
        let stacks = self.stacks.borrow();
        let stack = stacks.get(&hash)?.iter().find(|stack| Rc::ptr_eq(&stack.key, key))?;
        stack.call()
    }

    /// Whether a connection opens in time; it is closed at once.
    pub(crate) async fn opens(&self, to: &Endpoint, within: Duration) -> bool {
        let key = Rc::new(Key::new(to, Http2::Never));
        tokio::time::timeout(within, self.connector.connect(0, &key)).await.is_ok_and(|opened| opened.is_ok())
    }

    /// A connection of its own to a server that speaks no HTTP; the rules for addresses and certificates are
    /// those of targets.
    pub(crate) async fn open_stream(&self, to: &Endpoint) -> Result<TargetStream, ConnectError> {
        self.connector.connect_unhurried(&Key::new(to, Http2::Never)).await.map(|(stream, ..)| stream)
    }

    /// Where datagrams for this host go.
    pub(crate) async fn datagram_address(&self, host: &str, port: u16) -> Result<SocketAddr, ConnectError> {
        self.connector.datagram_address(host, port).await
    }

    fn hash(&self, to: &Endpoint, http2: Http2) -> u64 {
        key::hash(&self.hasher, to, http2)
    }

    /// The connection last put back or one with room, and the key of this target.
    fn take(&self, hash: u64, to: &Endpoint, http2: Http2) -> (Option<Carrier>, Rc<Key>) {
        let mut stacks = self.stacks.borrow_mut();
        let stacks = stacks.entry(hash).or_default();
        if let Some(stack) = stacks.iter_mut().find(|stack| stack.key.is_of(to, http2)) {
            let carrier = stack.idle.pop().map(Carrier::Line).or_else(|| stack.call());
            return (carrier, Rc::clone(&stack.key));
        }
        let key = Rc::new(Key::new(to, http2));
        stacks.push(Stack { key: Rc::clone(&key), idle: Vec::new(), shared: Vec::new() });
        (None, key)
    }

    /// Takes back a connection whose last exchange is wholly over; one that is not is closed.
    pub(crate) fn put_back(&self, mut line: Line) {
        if !line.is_idle() {
            return;
        }
        let mut stacks = self.stacks.borrow_mut();
        let (hash, key) = line.home();
        let Some(stacks) = stacks.get_mut(&hash) else { return };
        if let Some(stack) = stacks.iter_mut().find(|stack| Rc::ptr_eq(&stack.key, key))
            && stack.idle.len() < self.idle_limit
        {
            line.rest();
            stack.idle.push(line);
        }
    }

    /// Closes connections that were idle too long or that the target has closed; runs for ever.
    pub(crate) async fn sweep(this: Rc<Self>) {
        let mut ticks = tokio::time::interval(Duration::from_secs(2));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = Instant::now();
            this.stacks.borrow_mut().retain(|_, stacks| {
                stacks.retain_mut(|stack| {
                    stack.idle.retain_mut(|line| line.is_worth_keeping(now));
                    stack.shared.retain(|connection| connection.is_worth_keeping(now));
                    // Whoever uses one of its connections holds the key too.
                    !stack.idle.is_empty() || !stack.shared.is_empty() || Rc::strong_count(&stack.key) > 1
                });
                !stacks.is_empty()
            });
        }
    }
}
