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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    host: Arc<str>,
    port: u16,
    trust: Trust,
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
    stacks: RefCell<AHashMap<Key, Stack>>,
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
            connector: Connector::new(limits, extra_roots),
            counters,
            idle_limit: limits.idle_upstreams,
        }
    }

    /// Sends `request` (an origin-form URI; the Host header is set here) and returns the response's head
    /// with the connection its body comes on. A connection that turns out to be closed before anything of
    /// the request was written is replaced; nothing is ever sent twice.
    pub(crate) async fn send(
        &self,
        to: &Endpoint,
        timeouts: TargetTimeouts,
        mut request: Request<RequestBody>,
        watch: &Watch,
    ) -> Result<(Response<Incoming>, Line), UpstreamError> {
        let key = Key { host: to.host.clone(), port: to.port, trust: Trust::of(to) };
        let (mut pooled, host) = self.take(&key);
        request.headers_mut().insert(http::header::HOST, host);
        loop {
            let reused = pooled.is_some();
            let line = match pooled {
                Some(line) => {
                    self.counters.upstream_reused();
                    line
                }
                None => {
                    let line = self.connector.connect(&key, timeouts.connect).await?;
                    self.counters.upstream_connected();
                    line
                }
            };
            match line.send(request, timeouts.io, watch).await {
                Sent::Answered(response, mut line) => {
                    line.keep_for(timeouts.keep_alive);
                    return Ok((response, line));
                }
                Sent::Unwritten(unwritten) if reused => request = unwritten,
                Sent::Unwritten(_) => return Err(ConnectError::Closed.into()),
                Sent::TimedOut => return Err(UpstreamError::TimedOut),
                Sent::Broken(error) => return Err(UpstreamError::Broken(error)),
            }
            pooled = self.take(&key).0;
        }
    }

    /// The connection last put back, and the Host header for this target.
    fn take(&self, key: &Key) -> (Option<Line>, HeaderValue) {
        let mut stacks = self.stacks.borrow_mut();
        if let Some(stack) = stacks.get_mut(key) {
            return (stack.idle.pop(), stack.host.clone());
        }
        let host = host_header(key);
        stacks.insert(key.clone(), Stack { host: host.clone(), idle: Vec::new() });
        (None, host)
    }

    /// Takes back a connection whose last exchange is wholly over; one that is not is closed.
    pub(crate) fn put_back(&self, to: &Endpoint, mut line: Line) {
        if !line.is_idle() {
            return;
        }
        let key = Key { host: to.host.clone(), port: to.port, trust: Trust::of(to) };
        if let Some(stack) = self.stacks.borrow_mut().get_mut(&key)
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
            this.stacks.borrow_mut().retain(|_, stack| {
                stack.idle.retain_mut(|line| line.is_worth_keeping(now));
                !stack.idle.is_empty()
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
