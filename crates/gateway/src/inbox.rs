//! The bytes that came over a connection and were not used yet.

use std::io;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};

/// A read buffer whose parts are handed on without copying. It asks for as much as the other side's pace earns:
/// a full read doubles what is asked for next, two small ones halve it.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) bytes: BytesMut,
    window: usize,
    max_window: usize,
    was_small: bool,
}

const FIRST_WINDOW: usize = 8 * 1024;
/// A connection at rest keeps no more room than this.
const KEPT: usize = 64 * 1024;

impl Inbox {
    pub(crate) fn new(max_window: usize) -> Self {
        Self {
            bytes: BytesMut::new(),
            window: FIRST_WINDOW,
            max_window: max_window.max(FIRST_WINDOW),
            was_small: false,
        }
    }

    /// Reads once. `Ok(0)` is the end of the connection.
    pub(crate) fn poll_fill<S: AsyncRead + Unpin>(
        &mut self,
        io: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if self.bytes.capacity() - self.bytes.len() < self.window / 2 {
            self.bytes.reserve(self.window);
        }
        let room = self.bytes.capacity() - self.bytes.len();
        let count = std::task::ready!(pin!(io.read_buf(&mut self.bytes)).poll(cx))?;
        if count == room {
            self.window = (self.window * 2).min(self.max_window);
        }
        let is_small = count < self.window / 4;
        if is_small && self.was_small {
            self.window = (self.window / 2).max(FIRST_WINDOW);
        }
        self.was_small = is_small && !self.was_small;
        Poll::Ready(Ok(count))
    }

    /// Nothing will come for a while.
    pub(crate) fn rest(&mut self) {
        if self.bytes.capacity() > KEPT {
            self.bytes = BytesMut::new();
        }
    }
}
