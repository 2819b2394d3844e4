//! What two requests must have in common to share a connection: credentials and trust never mix.

use std::cell::Cell;
use std::sync::Arc;

use http::HeaderValue;
use http::uri::Scheme;
use tokio::sync::Semaphore;

use crate::compile::{Endpoint, Http2};
use crate::target_tls::TargetTls;

/// A target as its connections see it.
#[derive(Debug)]
pub(crate) struct Key {
    pub(super) host: Arc<str>,
    pub(super) port: u16,
    pub(super) trust: Trust,
    /// What may be spoken; never negotiated without TLS.
    pub(super) http2: Http2,
    /// The Host header of its requests.
    pub(super) authority: Box<str>,
    /// Where HTTP/2 may be spoken, one connection is opened at a time: the next request may fit on it.
    pub(super) turn: Semaphore,
    /// The target was offered HTTP/2 and chose HTTP/1.1.
    pub(super) chose_http1: Cell<bool>,
}

/// How much a connection is to be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Plain TCP.
    Plain,
    /// TLS, the certificate verified.
    Verified,
    /// TLS, any certificate (a provider with "trust all").
    Anything,
    /// TLS as the design asks for it: whom to believe, whom to be.
    Own(Arc<TargetTls>),
}

impl Key {
    pub(super) fn new(to: &Endpoint, http2: Http2) -> Self {
        let trust = Trust::of(to);
        let authority = if to.port == trust.default_port() {
            to.host.to_string()
        } else {
            format!("{}:{}", to.host, to.port)
        };
        // Only a host that no resolver knows either is no header value.
        let is_value = HeaderValue::from_str(&authority).is_ok();
        let authority = if is_value { authority.into() } else { "invalid".into() };
        Self {
            host: to.host.clone(),
            port: to.port,
            trust,
            http2,
            authority,
            turn: Semaphore::new(1),
            chose_http1: Cell::new(false),
        }
    }

    pub(super) fn is_of(&self, to: &Endpoint, http2: Http2) -> bool {
        self.port == to.port && self.trust.is_of(to) && self.http2 == http2 && self.host == to.host
    }

    pub(super) fn scheme(&self) -> Scheme {
        if self.trust == Trust::Plain { Scheme::HTTP } else { Scheme::HTTPS }
    }

    /// Whether a new connection may turn out to carry many requests.
    pub(super) fn may_share(&self) -> bool {
        self.http2 != Http2::Never && !self.chose_http1.get()
    }
}

/// What is spoken to `to`. `is_http1` is a request in HTTP/1.0, because somebody asked for it, or one that only
/// HTTP/1.1 has words for.
pub(super) fn spoken(to: &Endpoint, is_http1: bool) -> Http2 {
    match to.http2 {
        Http2::Negotiated if is_http1 || !to.tls => Http2::Never,
        http2 => http2,
    }
}

impl Trust {
    fn of(endpoint: &Endpoint) -> Self {
        match (endpoint.tls, &endpoint.identity, endpoint.trust_all) {
            (false, ..) => Self::Plain,
            (true, Some(own), _) => Self::Own(Arc::clone(own)),
            (true, None, false) => Self::Verified,
            (true, None, true) => Self::Anything,
        }
    }

    fn is_of(&self, endpoint: &Endpoint) -> bool {
        match (self, &endpoint.identity) {
            (Self::Plain, _) => !endpoint.tls,
            (Self::Verified, None) => endpoint.tls && !endpoint.trust_all,
            (Self::Anything, None) => endpoint.tls && endpoint.trust_all,
            (Self::Own(own), Some(asked)) => endpoint.tls && Arc::ptr_eq(own, asked),
            _ => false,
        }
    }

    const fn default_port(&self) -> u16 {
        match self {
            Self::Plain => 80,
            Self::Verified | Self::Anything | Self::Own(_) => 443,
        }
    }
}

/// What tells the keys of targets apart, all of it but the details that only [`Key::is_of`] compares.
pub(super) fn hash(hasher: &ahash::RandomState, to: &Endpoint, http2: Http2) -> u64 {
    let identity = to.identity.as_ref().map(Arc::as_ptr).filter(|_| to.tls);
    hasher.hash_one((&*to.host, to.port, to.tls, to.trust_all, identity, http2))
}
