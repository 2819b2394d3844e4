//! The way to targets: a thread's own stacks of open connections (performance A8, "own pool").
//!
//! A connection carries one request at a time and goes back to its stack only after the whole answer was
//! read. It has no task of its own: whoever uses it drives it ([`line::Line`]), which saves the switches
//! between tasks and lets the head and the first part of a body leave in one write.
//!
//! HTTP/1.1 towards targets is spoken here and not by hyper's client, whose channel between request and
//! connection and whose second header map cost a third of a small request. What it reads strictly:
//! [`response_head`] and [`decoder`].

mod connect;
mod decoder;
mod line;
mod request_head;
mod resolve;
mod response_head;
mod stream;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ahash::AHashMap;
use http::HeaderValue;
use rustls::pki_types::CertificateDer;

pub(crate) use self::connect::ConnectError;
use self::connect::Connector;
pub(crate) use self::line::Line;
use self::line::Sent;
pub(crate) use self::request_head::RequestHead;
pub(crate) use self::response_head::{BadResponse, ResponseHead};
pub(crate) use self::stream::Stream as LogStream;
use crate::body::RequestBody;
use crate::compile::{Endpoint, TargetTimeouts};
use crate::counters::ThreadCounters;
use crate::limits::Limits;
use crate::server::Watch;

/// What two requests must have in common to share a connection: credentials and trust never mix.
#[derive(Debug)]
pub(crate) struct Key {
    host: Arc<str>,
    port: u16,
    trust: Trust,
    /// The Host header of its requests.
    authority: Box<str>,
}

impl Key {
    fn new(to: &Endpoint) -> Self {
        let trust = Trust::of(to);
        let authority = if to.port == trust.default_port() {
            to.host.to_string()
        } else {
            format!("{}:{}", to.host, to.port)
        };
        // Only a host that no resolver knows either is no header value.
        let is_value = HeaderValue::from_str(&authority).is_ok();
        let authority = if is_value { authority.into() } else { "invalid".into() };
        Self { host: to.host.clone(), port: to.port, trust, authority }
    }

    fn is_of(&self, to: &Endpoint) -> bool {
        self.port == to.port && self.trust == Trust::of(to) && self.host == to.host
    }
}

/// How much a connection is to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Trust {
    /// Plain TCP.
    Plain,
    /// TLS, the certificate verified.
    Verified,
    /// TLS, any certificate (a provider with "trust all").
    Anything,
}

/// The open connections to one target.
struct Stack {
    key: Rc<Key>,
    idle: Vec<Line>,
}

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

    /// Sends a request and returns the response's head with the connection its body comes on. A connection
    /// that turns out to be closed before anything of the request was written is replaced; nothing is ever
    /// sent twice.
    pub(crate) async fn send(
        &self,
        to: &Endpoint,
        timeouts: TargetTimeouts,
        head: &RequestHead<'_>,
        body: &mut RequestBody,
        watch: &Watch,
    ) -> Result<(ResponseHead, Line), UpstreamError> {
        let hash = self.hash(&to.host, to.port, Trust::of(to));
        loop {
            let mut line = match self.take(hash, to) {
                (Some(line), _) => {
                    self.counters.upstream_reused();
                    line
                }
                (None, key) => {
                    // Boxed, so that a request that finds a connection does not carry the room for it.
                    let line = Box::pin(self.connector.connect(hash, &key, timeouts.connect)).await?;
                    self.counters.upstream_connected();
                    line
                }
            };
            match line.send(head, body, timeouts.io, watch).await {
                Sent::Answered(response) => {
                    line.keep(timeouts.keep_alive);
                    return Ok((response, line));
                }
                Sent::Unwritten => {}
                Sent::Failed(error) => return Err(error),
            }
        }
    }

    /// Whether a connection opens in time; it is closed at once.
    pub(crate) async fn opens(&self, to: &Endpoint, within: Duration) -> bool {
        let key = Rc::new(Key::new(to));
        self.connector.connect(0, &key, within).await.is_ok()
    }

    /// A connection of its own to a server that speaks no HTTP; the rules for addresses and certificates are
    /// those of targets.
    pub(crate) async fn open_stream(&self, to: &Endpoint) -> Result<LogStream, ConnectError> {
        self.connector.connect_unhurried(&Key::new(to)).await.map(|(stream, _)| stream)
    }

    /// Where datagrams for this host go.
    pub(crate) async fn datagram_address(&self, host: &str, port: u16) -> Result<SocketAddr, ConnectError> {
        self.connector.datagram_address(host, port).await
    }

    fn hash(&self, host: &str, port: u16, trust: Trust) -> u64 {
        self.hasher.hash_one((host, port, trust))
    }

    /// The connection last put back, and the key of this target.
    fn take(&self, hash: u64, to: &Endpoint) -> (Option<Line>, Rc<Key>) {
        let mut stacks = self.stacks.borrow_mut();
        let stacks = stacks.entry(hash).or_default();
        if let Some(stack) = stacks.iter_mut().find(|stack| stack.key.is_of(to)) {
            return (stack.idle.pop(), Rc::clone(&stack.key));
        }
        let key = Rc::new(Key::new(to));
        stacks.push(Stack { key: Rc::clone(&key), idle: Vec::new() });
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
                    // Whoever uses one of its connections holds the key too.
                    !stack.idle.is_empty() || Rc::strong_count(&stack.key) > 1
                });
                !stacks.is_empty()
            });
        }
    }
}

impl Trust {
    fn of(endpoint: &Endpoint) -> Self {
        match (endpoint.tls, endpoint.trust_all) {
            (false, _) => Self::Plain,
            (true, false) => Self::Verified,
            (true, true) => Self::Anything,
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Plain => 80,
            Self::Verified | Self::Anything => 443,
        }
    }
}
