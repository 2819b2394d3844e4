//! A connection that switched protocols: bytes both ways, and nobody looks at them (hostile-input §4.2 line 3).
//!
//! While nothing moves a tunnel holds no buffer: what it reads is read into the stack and written at once; only
//! what the other side does not take is kept.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::balancer::InUse;
use crate::counters::ThreadCounters;
use crate::upstream::TargetStream;

/// How long nothing may move, where the design does not say it (`websocket.idle.timeout.millis`).
pub(crate) const IDLE: Duration = Duration::from_secs(300);

/// Bytes that are moved at once.
const BITE: usize = 8 * 1024;

/// Whether a client asks to speak another protocol, and what came of it.
#[derive(Debug)]
pub(crate) enum Upgrade {
    /// It asks for WebSocket.
    Asked,
    /// The target agreed.
    Open(Box<Tunnel>),
}

impl Upgrade {
    pub(crate) fn into_tunnel(self) -> Option<Box<Tunnel>> {
        match self {
            Self::Asked => None,
            Self::Open(tunnel) => Some(tunnel),
        }
    }
}

/// The target's half, once it has answered 101.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) target: TargetStream,
    /// What came after the head of its answer.
    pub(crate) first: Bytes,
    /// How long nothing may move.
    pub(crate) idle: Duration,
    /// The server of a balancer that it keeps busy.
    pub(crate) in_use: Option<InUse>,
}

/// Carries bytes until both sides have ended, one of them breaks, or nothing moved for too long. `first` is what
/// the client has sent beyond its request.
pub(crate) async fn carry<C>(client: C, first: Bytes, tunnel: Box<Tunnel>, counters: &ThreadCounters)
where
    C: AsyncRead + AsyncWrite + Unpin,
{
    counters.tunnel_opened();
    let Tunnel { target, first: from_target, idle, in_use } = *tunnel;
    let ended = join(client, first, target, from_target, idle, counters).await;
    drop(in_use);
    counters.tunnel_closed();
    if let Err(error) = ended {
        tracing::debug!(%error, "a WebSocket broke: {error}");
    }
}

async fn join<C, T>(
    mut client: C,
    to_target: Bytes,
    mut target: T,
    to_client: Bytes,
    idle: Duration,
    counters: &ThreadCounters,
) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let (mut up, mut down) = (Way::new(to_target), Way::new(to_client));
    let mut moved = Instant::now();
    let mut timer = pin!(tokio::time::sleep_until((moved + idle).into()));
    poll_fn(|cx| {
        let before = (up.moved, down.moved);
        let up_ended = up.poll(&mut client, &mut target, cx)?.is_ready();
        let down_ended = down.poll(&mut target, &mut client, cx)?.is_ready();
        counters.received(up.moved - before.0);
        counters.sent(down.moved - before.1);
        if up_ended && down_ended {
            return Poll::Ready(Ok(()));
        }
        if before != (up.moved, down.moved) {
            moved = Instant::now();
        }
        while timer.as_mut().poll(cx).is_ready() {
            // Armed once for each time-out, not for each message.
            if moved.elapsed() >= idle {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            timer.as_mut().reset((moved + idle).into());
        }
        Poll::Pending
    })
    .await
}

/// One direction.
struct Way {
    /// What was read and not taken.
    pending: Bytes,
    unflushed: bool,
    ended: bool,
    shut: bool,
    /// Bytes so far.
    moved: usize,
}

impl Way {
    fn new(pending: Bytes) -> Self {
        Self { pending, unflushed: false, ended: false, shut: false, moved: 0 }
    }

    /// Ready once the one side has ended and the other one was told.
    fn poll<F, T>(&mut self, from: &mut F, to: &mut T, cx: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        F: AsyncRead + Unpin,
        T: AsyncWrite + Unpin,
    {
        loop {
            while !self.pending.is_empty() {
                let count = ready!(Pin::new(&mut *to).poll_write(cx, &self.pending))?;
                self.wrote(count)?;
                self.pending.advance(count);
            }
            if self.ended {
                if !self.shut {
                    ready!(Pin::new(&mut *to).poll_shutdown(cx))?;
                    self.shut = true;
                }
                return Poll::Ready(Ok(()));
            }
            let mut room = [MaybeUninit::<u8>::uninit(); BITE];
            let mut read = ReadBuf::uninit(&mut room);
            if Pin::new(&mut *from).poll_read(cx, &mut read)?.is_pending() {
                if self.unflushed {
                    ready!(Pin::new(&mut *to).poll_flush(cx))?;
                    self.unflushed = false;
                }
                return Poll::Pending;
            }
            let read = read.filled();
            if read.is_empty() {
                self.ended = true;
                continue;
            }
            let count = match Pin::new(&mut *to).poll_write(cx, read)? {
                Poll::Ready(count) => {
                    self.wrote(count)?;
                    count
                }
                Poll::Pending => 0,
            };
            self.pending = Bytes::copy_from_slice(&read[count..]);
        }
    }

    fn wrote(&mut self, count: usize) -> io::Result<()> {
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.moved += count;
        self.unflushed = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::join;
    use crate::counters::ThreadCounters;

    #[tokio::test]
    async fn bytes_go_both_ways_in_order_and_an_end_is_passed_on() {
        // The room is small, so that each side has to wait for the other.
        let (mut client, client_end) = duplex(16);
        let (mut target, target_end) = duplex(16);
        let counters = ThreadCounters::default();
        let hour = Duration::from_secs(3600);
        let joined = join(
            client_end,
            Bytes::from_static(b"early "),
            target_end,
            Bytes::from_static(b"hello "),
            hour,
            &counters,
        );
        let sent: Vec<u8> = (0..50_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        let talk = async {
            let (mut client_reads, mut client_writes) = tokio::io::split(&mut client);
            let write = async {
                client_writes.write_all(&sent).await.expect("writes");
                client_writes.shutdown().await.expect("ends");
            };
            let read = async {
                let mut came = Vec::new();
                target.read_to_end(&mut came).await.expect("reads");
                target.write_all(b"bye").await.expect("writes after the other has ended");
                target.shutdown().await.expect("ends");
                came
            };
            let answer = async {
                let mut came = Vec::new();
                client_reads.read_to_end(&mut came).await.expect("reads");
                came
            };
            tokio::join!(write, read, answer)
        };

        let (ended, ((), came, answer)) = tokio::join!(joined, talk);

        ended.expect("both have ended");
        assert_eq!(came, [b"early ".as_slice(), &sent].concat());
        assert_eq!(answer, b"hello bye");
        assert_eq!(counters.read().received_bytes, came.len() as u64);
    }

    #[tokio::test]
    async fn a_tunnel_in_which_nothing_moves_is_closed() {
        let (_client, client_end) = duplex(16);
        let (_target, target_end) = duplex(16);
        let counters = ThreadCounters::default();
        let idle = Duration::from_millis(20);

        let ended = join(client_end, Bytes::new(), target_end, Bytes::new(), idle, &counters).await;

        assert_eq!(ended.expect_err("too long").kind(), std::io::ErrorKind::TimedOut);
    }

    #[test]
    fn an_idle_tunnel_takes_little_memory() {
        let (client, target) = (duplex(1).0, duplex(1).0);
        let counters = ThreadCounters::default();
        let client: Box<dyn crate::server::Stream> = Box::new(client);
        let joined = join(client, Bytes::new(), target, Bytes::new(), Duration::from_secs(1), &counters);
        assert!(size_of_val(&joined) <= 512, "{}", size_of_val(&joined));
    }
}
