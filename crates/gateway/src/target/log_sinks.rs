//! Carries the lines that steps log. A request never waits: a line is put into a bounded queue, and what finds
//! no room there is counted and lost.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ahash::AHashMap;
use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::compile::Endpoint;
use crate::counters::ThreadCounters;
use crate::logging::{LogDestination, LogLine, SyslogTransport};
use crate::upstream::{TargetStream, Upstreams};

/// Lines that wait for one destination on one thread.
const QUEUED: usize = 256;
/// A destination that gets nothing for so long is let go.
const IDLE: Duration = Duration::from_secs(60);
/// For connecting and for writing a line.
const PATIENCE: Duration = Duration::from_secs(5);
/// Until a server that could not be reached is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// The destinations of one thread.
pub(crate) struct LogSinks {
    queues: RefCell<AHashMap<Arc<LogDestination>, mpsc::Sender<Bytes>>>,
    upstreams: Rc<Upstreams>,
    counters: Arc<ThreadCounters>,
}

impl LogSinks {
    pub(crate) fn new(upstreams: Rc<Upstreams>, counters: Arc<ThreadCounters>) -> Self {
        Self { queues: RefCell::default(), upstreams, counters }
    }

    /// Takes a line, or loses it when too many wait already; says which.
    pub(crate) fn write(&self, LogLine { to, text }: LogLine) -> bool {
        if let LogDestination::File { folder, file } = &*to {
            let taken = folder.write(file, text);
            if !taken {
                self.counters.log_line_lost();
            }
            return taken;
        }
        let mut queues = self.queues.borrow_mut();
        let unsent = match queues.get(&to).map(|queue| queue.try_send(text.clone())) {
            Some(Ok(())) => return true,
            Some(Err(TrySendError::Full(_))) => {
                self.counters.log_line_lost();
                return false;
            }
            Some(Err(TrySendError::Closed(line))) => line,
            None => text,
        };
        // Sinks that ended with nothing to do are forgotten when another one begins.
        queues.retain(|_, queue| !queue.is_closed());
        let (queue, lines) = mpsc::channel(QUEUED);
        let taken = queue.try_send(unsent).is_ok();
        queues.insert(Arc::clone(&to), queue);
        tokio::task::spawn_local(carry(to, lines, Rc::clone(&self.upstreams), Arc::clone(&self.counters)));
        taken
    }
}

/// Carries lines until none came for a while.
async fn carry(
    to: Arc<LogDestination>,
    mut lines: mpsc::Receiver<Bytes>,
    upstreams: Rc<Upstreams>,
    counters: Arc<ThreadCounters>,
) {
    let mut open = None;
    let mut is_down = false;
    while let Ok(Some(line)) = tokio::time::timeout(IDLE, lines.recv()).await {
        let (host, port, transport) = match &*to {
            LogDestination::Syslog { host, port, transport } => (host, *port, transport),
            LogDestination::OwnLog { name } => {
                tracing::info!(log = %name, "{name}: {}", String::from_utf8_lossy(&line));
                continue;
            }
            LogDestination::File { folder, file } => {
                folder.write(file, line);
                continue;
            }
        };
        let had_one = open.is_some();
        let mut sent = send(&mut open, &upstreams, host, port, transport, &line).await;
        if sent.is_err() && had_one {
            // A server may close a connection that was idle; the line is tried once on a new one.
            open = None;
            sent = send(&mut open, &upstreams, host, port, transport, &line).await;
        }
        match sent {
            Ok(()) => is_down = false,
            Err(error) => {
                open = None;
                counters.log_line_lost();
                // Once for each time that it goes down.
                if !std::mem::replace(&mut is_down, true) {
                    tracing::warn!(%host, port, %error, "a log server cannot be reached: {error}");
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

enum Open {
    Datagrams(UdpSocket),
    Stream(TargetStream),
}

async fn send(
    open: &mut Option<Open>,
    upstreams: &Upstreams,
    host: &Arc<str>,
    port: u16,
    transport: &SyslogTransport,
    line: &[u8],
) -> io::Result<()> {
    let whole = async {
        let open = match open {
            Some(open) => open,
            None => open.insert(connect(upstreams, host, port, transport).await?),
        };
        match open {
            Open::Datagrams(socket) => socket.send(line).await.map(drop),
            Open::Stream(stream) => {
                stream.write_all(&[line, b"\n"].concat()).await?;
                stream.flush().await
            }
        }
    };
    tokio::time::timeout(PATIENCE, whole).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn connect(
    upstreams: &Upstreams,
    host: &Arc<str>,
    port: u16,
    transport: &SyslogTransport,
) -> io::Result<Open> {
    let (tls, trust_all, identity) = match transport {
        SyslogTransport::Udp => {
            let to = upstreams.datagram_address(host, port).await.map_err(io::Error::other)?;
            let any: SocketAddr =
                if to.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
            let socket = UdpSocket::bind(any).await?;
            socket.connect(to).await?;
            return Ok(Open::Datagrams(socket));
        }
        SyslogTransport::Tcp => (false, false, None),
        SyslogTransport::Tls { trust_all, identity } => (true, *trust_all, identity.clone()),
    };
    let server = Endpoint { trust_all, identity, ..Endpoint::new(tls, host.clone(), port) };
    upstreams.open_stream(&server).await.map(Open::Stream).map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
