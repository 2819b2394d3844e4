//! Counters of the data plane: kept per thread without contention, summed when read.

use std::ops::AddAssign;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that one thread writes and any thread reads.
#[derive(Debug, Default)]
struct Count(AtomicU64);

impl Count {
    /// Not an atomic addition: there is one writer, so a plain load and store lose nothing.
    fn add(&self, by: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
    }

    fn subtract(&self, by: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_sub(by), Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of one thread. Written by that thread only.
#[derive(Debug, Default)]
pub(crate) struct ThreadCounters {
    requests: Count,
    answers: [Count; 5],
    in_flight: Count,
    connections: Count,
    received_bytes: Count,
    sent_bytes: Count,
    refused: Count,
    shed: Count,
    aborted: Count,
    target_errors: Count,
    upstream_connects: Count,
    upstream_reuses: Count,
    lost_log_lines: Count,
    tunnels: Count,
    tunnels_opened: Count,
    failed_handshakes: Count,
}

impl ThreadCounters {
    pub(crate) fn request_began(&self) {
        self.requests.add(1);
        self.in_flight.add(1);
    }

    /// `status` is `None` when the client left before there was an answer.
    pub(crate) fn request_ended(&self, status: Option<u16>) {
        self.in_flight.subtract(1);
        match status {
            Some(status) => self.answered(status),
            None => self.aborted.add(1),
        }
    }

    pub(crate) fn requests_in_flight(&self) -> u64 {
        self.in_flight.get()
    }

    /// A request that the guard refused: it never became one in flight.
    pub(crate) fn refused(&self, status: u16) {
        self.requests.add(1);
        self.refused.add(1);
        self.answered(status);
    }

    pub(crate) fn shed(&self) {
        self.shed.add(1);
    }

    pub(crate) fn connection_opened(&self) {
        self.connections.add(1);
    }

    pub(crate) fn connection_closed(&self) {
        self.connections.subtract(1);
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.received_bytes.add(bytes as u64);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.sent_bytes.add(bytes as u64);
    }

    pub(crate) fn target_failed(&self) {
        self.target_errors.add(1);
    }

    pub(crate) fn upstream_connected(&self) {
        self.upstream_connects.add(1);
    }

    pub(crate) fn upstream_reused(&self) {
        self.upstream_reuses.add(1);
    }

    pub(crate) fn handshake_failed(&self) {
        self.failed_handshakes.add(1);
    }

    pub(crate) fn log_line_lost(&self) {
        self.lost_log_lines.add(1);
    }

    pub(crate) fn tunnel_opened(&self) {
        self.tunnels.add(1);
        self.tunnels_opened.add(1);
    }

    pub(crate) fn tunnel_closed(&self) {
        self.tunnels.subtract(1);
    }

    fn answered(&self, status: u16) {
        if let Some(class) = self.answers.get(usize::from(status / 100).wrapping_sub(1)) {
            class.add(1);
        }
    }

    pub(crate) fn read(&self) -> Counters {
        Counters {
            requests: self.requests.get(),
            answers: [0, 1, 2, 3, 4].map(|class| self.answers[class].get()),
            in_flight: self.in_flight.get(),
            connections: self.connections.get(),
            received_bytes: self.received_bytes.get(),
            sent_bytes: self.sent_bytes.get(),
            refused: self.refused.get(),
            shed: self.shed.get(),
            aborted: self.aborted.get(),
            target_errors: self.target_errors.get(),
            upstream_connects: self.upstream_connects.get(),
            upstream_reuses: self.upstream_reuses.get(),
            lost_log_lines: self.lost_log_lines.get(),
            tunnels: self.tunnels.get(),
            tunnels_opened: self.tunnels_opened.get(),
            failed_handshakes: self.failed_handshakes.get(),
        }
    }
}

/// Sums the threads' counters whenever it is asked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CounterReader(Arc<[Arc<ThreadCounters>]>);

impl CounterReader {
    pub(crate) fn new(threads: Vec<Arc<ThreadCounters>>) -> Self {
        Self(threads.into())
    }

    /// The sums at this moment.
    pub fn read(&self) -> Counters {
        self.0.iter().fold(Counters::default(), |mut sum, thread| {
            sum += thread.read();
            sum
        })
    }
}

/// What a gateway has done since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests whose head arrived, refused ones included.
    pub requests: u64,
    /// Answers by class: 1xx, 2xx, 3xx, 4xx, 5xx.
    pub answers: [u64; 5],
    /// Requests being served now.
    pub in_flight: u64,
    /// Client connections open now.
    pub connections: u64,
    /// Bytes read from clients, heads included.
    pub received_bytes: u64,
    /// Bytes written to clients, heads included.
    pub sent_bytes: u64,
    /// Requests refused for their framing or size.
    pub refused: u64,
    /// Requests and connections answered 503 because there were too many.
    pub shed: u64,
    /// Requests whose client left before the answer.
    pub aborted: u64,
    /// Requests whose target failed: connect, time-out, broken answer.
    pub target_errors: u64,
    /// Connections opened to targets.
    pub upstream_connects: u64,
    /// Requests that found an open connection to their target.
    pub upstream_reuses: u64,
    /// Lines of MessageLogging steps that were lost: their queue was full, or their server away.
    pub lost_log_lines: u64,
    /// WebSockets open now.
    pub tunnels: u64,
    /// WebSockets opened so far.
    pub tunnels_opened: u64,
    /// TLS handshakes with clients that failed or took too long.
    pub failed_handshakes: u64,
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        for (sum, part) in self.answers.iter_mut().zip(other.answers) {
            *sum += part;
        }
        self.requests += other.requests;
        self.in_flight += other.in_flight;
        self.connections += other.connections;
        self.received_bytes += other.received_bytes;
        self.sent_bytes += other.sent_bytes;
        self.refused += other.refused;
        self.shed += other.shed;
        self.aborted += other.aborted;
        self.target_errors += other.target_errors;
        self.upstream_connects += other.upstream_connects;
        self.upstream_reuses += other.upstream_reuses;
        self.lost_log_lines += other.lost_log_lines;
        self.tunnels += other.tunnels;
        self.tunnels_opened += other.tunnels_opened;
        self.failed_handshakes += other.failed_handshakes;
    }
}
