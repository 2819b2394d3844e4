//! How long a call may take and how much it may bring.

use std::time::Duration;

/// Limits of one call. Streams of any length pass as long as they keep moving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// Until a connection is ready: name look-up, TCP, TLS, waiting for the pool.
    pub connect: Duration,
    /// From the last byte of the request to the head of the response.
    pub first_byte: Duration,
    /// Longest pause of either body while it streams.
    pub idle: Duration,
    /// The whole call with both bodies; `None`: as long as it takes.
    pub total: Option<Duration>,
    /// Largest response body in bytes; `None`: any.
    pub max_body: Option<u64>,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            total: None,
            max_body: None,
        }
    }
}
