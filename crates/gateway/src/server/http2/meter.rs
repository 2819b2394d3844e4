//! Counts what a client's frames cost beside what they bring (hostile-input §4.2 line 7).
//!
//! PING, SETTINGS, RST_STREAM, PRIORITY, WINDOW_UPDATE, CONTINUATION and empty DATA make work for us and cost the
//! client nearly nothing. Each takes one from an allowance, which time, answers and moved bytes refill.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::counters::ThreadCounters;

/// The allowance of a connection, at its begin and at most.
const ALLOWANCE: f64 = 1_000.0;
const PER_SECOND: f64 = 100.0;
const PER_ANSWER: f64 = 8.0;
/// A client that reads an answer in small steps says so twice for each.
const PER_BYTE: f64 = 1.0 / 2048.0;

/// What is known of one connection's frames.
#[derive(Debug)]
pub(super) struct Meter {
    left: Cell<f64>,
    at: Cell<Instant>,
    is_flooded: Cell<bool>,
    frames: RefCell<Frames>,
}

/// Finds frame heads in the bytes of a connection.
#[derive(Debug)]
struct Frames {
    /// Bytes until the next frame head; at first HTTP/2's own first words.
    skip: usize,
    head: [u8; 9],
    have: usize,
}

const PREFACE: usize = 24;

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            left: Cell::new(ALLOWANCE),
            at: Cell::new(now),
            is_flooded: Cell::new(false),
            frames: RefCell::new(Frames { skip: PREFACE, head: [0; 9], have: 0 }),
        }
    }

    /// Whether more was asked than the client may. It stays so.
    pub(super) fn is_flooded(&self) -> bool {
        self.is_flooded.get()
    }

    /// When bytes last came.
    pub(super) fn last_read(&self) -> Instant {
        self.at.get()
    }

    /// A request was answered.
    pub(super) fn answered(&self) {
        self.refill(PER_ANSWER);
    }

    fn refill(&self, by: f64) {
        self.left.set((self.left.get() + by).min(ALLOWANCE));
    }

    fn wrote(&self, bytes: usize) {
        self.refill(bytes as f64 * PER_BYTE);
    }

    fn read(&self, bytes: &[u8], now: Instant) {
        let since = now.saturating_duration_since(self.at.replace(now));
        self.refill(since.as_secs_f64() * PER_SECOND + bytes.len() as f64 * PER_BYTE / 4.0);
        let cost = self.frames.borrow_mut().cost(bytes);
        self.left.set(self.left.get() - f64::from(cost));
        if self.left.get() < 0.0 {
            self.is_flooded.set(true);
        }
    }
}

impl Frames {
    /// How many frames that bring nothing have ended their head in `bytes`.
    fn cost(&mut self, mut bytes: &[u8]) -> u32 {
        let mut cost = 0;
        loop {
            let skipped = self.skip.min(bytes.len());
            (self.skip, bytes) = (self.skip - skipped, &bytes[skipped..]);
            if bytes.is_empty() {
                return cost;
            }
            let taken = bytes.len().min(self.head.len() - self.have);
            self.head[self.have..self.have + taken].copy_from_slice(&bytes[..taken]);
            (self.have, bytes) = (self.have + taken, &bytes[taken..]);
            if self.have < self.head.len() {
                return cost;
            }
            let [a, b, c, kind, flags, ..] = self.head;
            let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            (self.have, self.skip) = (0, length);
            cost += u32::from(brings_nothing(kind, flags, length));
        }
    }
}

fn brings_nothing(kind: u8, flags: u8, length: usize) -> bool {
    const DATA: u8 = 0;
    const HEADERS: u8 = 1;
    const END_STREAM: u8 = 1;
    match kind {
        DATA => length == 0 && flags & END_STREAM == 0,
        HEADERS => false,
        _ => true,
    }
}

/// A connection whose frames are counted.
pub(super) struct Metered<S> {
    stream: S,
    meter: Rc<Meter>,
    counters: Arc<ThreadCounters>,
}

impl<S> Metered<S> {
    pub(super) fn new(stream: S, meter: Rc<Meter>, counters: Arc<ThreadCounters>) -> Self {
        Self { stream, meter, counters }
    }

    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(count)) = written {
            self.meter.wrote(count);
            self.counters.sent(count);
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.meter.is_flooded() {
            // Nothing more is read of it; the driver looks at the meter.
            return Poll::Pending;
        }
        let before = buf.filled().len();
        std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let read = &buf.filled()[before..];
        self.counters.received(read.len());
        self.meter.read(read, Instant::now());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        [&[0, 0, payload.len() as u8, kind, flags, 0, 0, 0, 1], payload].concat()
    }

    fn fresh() -> Frames {
        Frames { skip: PREFACE, head: [0; 9], have: 0 }
    }

    #[test]
    fn frames_are_found_however_the_bytes_are_cut() {
        let mut all = vec![b'P'; PREFACE];
        for (kind, flags, payload) in [
            (4, 0, &[0; 6][..]),
            (1, 4, b"abc"),
            (0, 0, b"body"),
            (0, 0, b""),
            (0, 1, b""),
            (6, 0, &[0; 8]),
            (9, 0, b"x"),
        ] {
            all.extend(frame(kind, flags, payload));
        }
        assert_eq!(fresh().cost(&all), 4);
        for size in [1, 2, 7, 9, 10, 23] {
            let mut frames = fresh();
            let cost: u32 = all.chunks(size).map(|part| frames.cost(part)).sum();
            assert_eq!(cost, 4, "{size} bytes at a time");
        }
    }

    #[test]
    fn a_flood_is_told_from_a_long_answer() {
        let now = Instant::now();
        let (flood, answer) = (Meter::new(now), Meter::new(now));
        for meter in [&flood, &answer] {
            meter.read(&[0; PREFACE], now);
        }
        let update = frame(8, 0, &[0; 4]);
        for _ in 0..3_000 {
            flood.read(&update, now);
            answer.wrote(4096);
            answer.read(&[update.clone(), update.clone()].concat(), now);
        }
        assert!(flood.is_flooded() && !answer.is_flooded());
    }
}
