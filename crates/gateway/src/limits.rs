//! Sizes, counts and times of the data plane, each with its default (hostile-input §4.2 lines 2, 6, 12).

use std::time::Duration;

/// What one gateway allows. Zero is never "unlimited" but for the pace of bodies: every limit holds.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a request line; beyond it 414. The originals' is 7 KiB (api-management §4.2).
    pub request_line_bytes: usize,
    /// Bytes of all header lines; beyond it 431. The originals' is 18 KiB.
    pub header_bytes: usize,
    /// Header lines; beyond it 431. At most 100.
    pub headers: usize,
    /// From the first byte of a head (or the connection's begin) to its last; beyond it 408.
    pub header_timeout: Duration,
    /// From a connection's begin to the end of the TLS handshake; beyond it the connection is closed.
    pub handshake_timeout: Duration,
    /// A connection without a request is closed after this.
    pub idle_timeout: Duration,
    /// A client that neither sends what it announced nor reads what it asked for is cut off after this.
    pub client_timeout: Duration,
    /// Bytes of a body that a client must send for each second in which somebody waits for them; slower, and the
    /// request ends with 408. Zero is any pace. gRPC calls have any, and requests whose answer has begun.
    pub body_bytes_per_second: u64,
    /// So long a body may come more slowly.
    pub body_grace: Duration,
    /// Client connections of the whole gateway; one more is answered 503 and closed.
    pub connections: usize,
    /// Of them from one address; a reverse proxy needs many, nobody needs all.
    pub connections_of_address: usize,
    /// Requests of one connection; it is closed in order after the last.
    pub requests_of_connection: u64,
    /// Requests in flight of the whole gateway; one more is answered 503 with Retry-After.
    pub requests_in_flight: usize,
    /// Idle connections kept per target and thread.
    pub idle_upstreams: usize,
    /// The largest read buffer of one connection; body frames are at most this long.
    pub read_buffer_bytes: usize,
    /// Bytes of a target's response head; beyond it 502.
    pub response_head_bytes: usize,
    /// How long a resolved address is believed.
    pub dns_ttl: Duration,
}

impl Limits {
    /// How often somebody looks after a client that is waited for.
    pub(crate) fn tick(&self) -> Duration {
        const AT_LEAST: Duration = Duration::from_millis(20);
        self.client_timeout.min(self.body_grace.max(AT_LEAST))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_line_bytes: 7 * 1024,
            header_bytes: 18 * 1024,
            headers: 100,
            header_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            client_timeout: Duration::from_secs(60),
            body_bytes_per_second: 240,
            body_grace: Duration::from_secs(10),
            connections: 20_000,
            connections_of_address: 10_000,
            requests_of_connection: 100_000,
            requests_in_flight: 10_000,
            idle_upstreams: 128,
            read_buffer_bytes: 256 * 1024,
            response_head_bytes: 64 * 1024,
            dns_ttl: Duration::from_secs(30),
        }
    }
}
