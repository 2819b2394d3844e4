//! Why a call brought no response, or its body broke off.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// A failed call. Texts name the host and the rule, and never a path, query or header.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EgressError {
    /// The address cannot be called at all.
    #[error("the address cannot be called: {rule}")]
    BadUrl {
        /// What an address must be.
        rule: &'static str,
    },
    /// The name leads into a network that is not public.
    #[error("{host} is refused: {address} is {rule}; if that is meant, add it to egress.allow")]
    Refused {
        /// The host as written in the address.
        host: String,
        /// Where it leads.
        address: IpAddr,
        /// What kind of address that is.
        rule: &'static str,
    },
    /// The name could not be looked up.
    #[error("the name {host} could not be looked up")]
    Dns {
        /// The name.
        host: String,
        /// What the resolver said.
        source: Cause,
    },
    /// No address of the host took the connection.
    #[error("{host} does not take connections")]
    Connect {
        /// The host.
        host: String,
        /// What the system said of the last address tried.
        source: Cause,
    },
    /// No connection in time.
    #[error("{host} took no connection within {} ms", after.as_millis())]
    ConnectTimeout {
        /// The host.
        host: String,
        /// The limit.
        after: Duration,
    },
    /// No trusted TLS connection.
    #[error("no trusted TLS connection to {host}")]
    Tls {
        /// The host.
        host: String,
        /// What failed: often a certificate.
        source: Cause,
    },
    /// The request went out, no answer came.
    #[error("{host} did not answer within {} ms", after.as_millis())]
    FirstByteTimeout {
        /// The host.
        host: String,
        /// The limit.
        after: Duration,
    },
    /// A body stood still.
    #[error("the {which} body of the call to {host} stood still for {} ms", after.as_millis())]
    IdleTimeout {
        /// The host.
        host: String,
        /// `request` or `response`.
        which: &'static str,
        /// The limit.
        after: Duration,
    },
    /// The call as a whole took too long.
    #[error("the call to {host} took longer than {} ms", after.as_millis())]
    TotalTimeout {
        /// The host.
        host: String,
        /// The limit.
        after: Duration,
        /// Whether a connection was there, so that bytes can have left.
        sent: bool,
    },
    /// The connection broke, or what came was not HTTP.
    #[error("the exchange with {host} broke")]
    Protocol {
        /// The host.
        host: String,
        /// What broke.
        source: Cause,
    },
    /// The body to send failed in the hands of the caller.
    #[error("the request body for {host} could not be read")]
    RequestBody {
        /// The host.
        host: String,
        /// What the body said.
        source: Cause,
    },
    /// More than the limit came.
    #[error("the {what} of {host} is larger than {limit} bytes")]
    TooLarge {
        /// The host.
        host: String,
        /// `response head` or `response body`.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A redirect that is not followed.
    #[error("a redirect of {host} is not followed: {rule}")]
    Redirect {
        /// Who redirected.
        host: String,
        /// Which redirects are followed.
        rule: &'static str,
    },
}

impl EgressError {
    /// Whether the other side can have seen the request: then only idempotent calls may be repeated.
    pub fn may_have_been_sent(&self) -> bool {
        match self {
            Self::BadUrl { .. }
            | Self::Refused { .. }
            | Self::Dns { .. }
            | Self::Connect { .. }
            | Self::ConnectTimeout { .. }
            | Self::Tls { .. } => false,
            Self::TotalTimeout { sent, .. } => *sent,
            Self::FirstByteTimeout { .. }
            | Self::IdleTimeout { .. }
            | Self::Protocol { .. }
            | Self::RequestBody { .. }
            | Self::TooLarge { .. }
            | Self::Redirect { .. } => true,
        }
    }

    /// Whether time ran out.
    pub fn is_timeout(&self) -> bool {
        matches!(
            self,
            Self::ConnectTimeout { .. }
                | Self::FirstByteTimeout { .. }
                | Self::IdleTimeout { .. }
                | Self::TotalTimeout { .. }
        )
    }

    /// The first error of this kind in a chain: what broke a body that went through other hands.
    pub fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }
}

/// The error underneath, shared so that one failure can be told to several callers.
#[derive(Clone)]
pub struct Cause(Arc<dyn Error + Send + Sync>);

impl Cause {
    pub(crate) fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(error.into()))
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
