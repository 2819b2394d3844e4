//! The way to targets: a thread's own stacks of open connections (performance A8, "own pool").
//!
//! A connection carries one request at a time and goes back to its stack only after the whole answer was
//! read. It has no task of its own: whoever uses it drives it ([`line::Line`]), which saves the switches
//! between tasks and lets the head and the first part of a body leave in one write.

mod connect;
mod line;
mod relay;
mod resolve;
mod stream;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ahash::AHashMap;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use rustls::pki_types::CertificateDer;

pub(crate) use self::connect::ConnectError;
use self::connect::Connector;
pub(crate) use self::line::Line;
use self::line::Sent;
use crate::body::RequestBody;
use crate::compile::{Endpoint, TargetTimeouts};
use crate::counters::ThreadCounters;
use crate::guard::Watch;
use crate::limits::Limits;

/// What two requests must have in common to share a connection: credentials and trust never mix.
#[derive(Debug)]
pub(crate) struct Key {
    host: Arc<str>,
    port: u16,
    trust: Trust,
}

impl Key {
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
    /// The Host header of its requests.
    host: HeaderValue,
    idle: Vec<Line>,
}

/// Why a request got no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("cannot connect to the target: {0}")]
    Connect(#[from] ConnectError),
    #[error("no response in time")]
    TimedOut,
    #[error("the connection to the target broke: {0}")]
    Broken(#[source] hyper::Error),
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
    ) -> Self {
        Self {
            stacks: RefCell::default(),
            hasher: ahash::RandomState::new(),
            connector: Connector::new(limits, extra_roots),
            counters,
            idle_limit: limits.idle_upstreams,
        }
    }

    /// Takes and sends `request` (an origin-form URI; the Host header is set here) and returns the response's head
    /// with the connection its body comes on. A connection that turns out to be closed before anything of
    /// the request was written is replaced; nothing is ever sent twice.
    pub(crate) async fn send(
        &self,
        to: &Endpoint,
        timeouts: TargetTimeouts,
        request: &mut Option<Request<RequestBody>>,
        watch: &Watch,
    ) -> Result<(Response<Incoming>, Line), UpstreamError> {
        let hash = self.hash(&to.host, to.port, Trust::of(to));
        let (mut pooled, host, key) = self.take(hash, to);
        if let Some(request) = request {
            request.headers_mut().insert(http::header::HOST, host);
        }
        loop {
            let reused = pooled.is_some();
            let line = match pooled {
                Some(line) => {
                    self.counters.upstream_reused();
                    line
                }
                None => {
                    // Boxed, so that a request that finds a connection does not carry the room for it.
                    let line = Box::pin(self.connector.connect(&key, timeouts.connect)).await?;
                    self.counters.upstream_connected();
                    line
                }
            };
            match line.send(request, timeouts.io, watch).await {
                Sent::Answered(response, mut line) => {
                    line.belongs_to(hash, key, timeouts.keep_alive);
                    return Ok((response, line));
                }
                Sent::Unwritten if reused => {}
                Sent::Unwritten => return Err(ConnectError::Closed.into()),
                Sent::TimedOut => return Err(UpstreamError::TimedOut),
                Sent::Broken(error) => return Err(UpstreamError::Broken(error)),
            }
            pooled = self.take(hash, to).0;
        }
    }

    fn hash(&self, host: &str, port: u16, trust: Trust) -> u64 {
        self.hasher.hash_one((host, port, trust))
    }

    /// The connection last put back, with the Host header and the key of this target.
    fn take(&self, hash: u64, to: &Endpoint) -> (Option<Line>, HeaderValue, Rc<Key>) {
        let mut stacks = self.stacks.borrow_mut();
        let stacks = stacks.entry(hash).or_default();
        if let Some(stack) = stacks.iter_mut().find(|stack| stack.key.is_of(to)) {
            return (stack.idle.pop(), stack.host.clone(), Rc::clone(&stack.key));
        }
        let key = Rc::new(Key { host: to.host.clone(), port: to.port, trust: Trust::of(to) });
        let host = host_header(&key);
        stacks.push(Stack { key: Rc::clone(&key), host: host.clone(), idle: Vec::new() });
        (None, host, key)
    }

    /// Takes back a connection whose last exchange is wholly over; one that is not is closed.
    pub(crate) fn put_back(&self, mut line: Line) {
        if !line.is_idle() {
            return;
        }
        let mut stacks = self.stacks.borrow_mut();
        let Some((hash, key)) = line.home() else { return };
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

fn host_header(key: &Key) -> HeaderValue {
    let host = if key.port == key.trust.default_port() {
        HeaderValue::from_str(&key.host)
    } else {
        HeaderValue::from_str(&format!("{}:{}", key.host, key.port))
    };
    // Only a host that no resolver knows either is no header value.
    host.unwrap_or_else(|_| HeaderValue::from_static("invalid"))
}
