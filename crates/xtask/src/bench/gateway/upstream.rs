//! An upstream of our own: it takes uploads to their end, and echoes WebSockets.

use std::io;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// The accept value of [`SOCKET_KEY`] (RFC 6455 §1.3, whose example key it is).
const SOCKET_ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// The key that our clients send.
pub(super) const SOCKET_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

const MOST_HEAD: usize = 16 << 10;

/// Serves until it is dropped.
pub(super) struct Upstream {
    pub(super) port: u16,
    runtime: Option<Runtime>,
}

impl Upstream {
    pub(super) fn start() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("starting the upstream")?;
        let listener = runtime.block_on(listen())?;
        let port = listener.local_addr()?.port();
        runtime.spawn(async move {
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    // Who breaks off is no concern of the upstream: the load generator counts it.
                    tokio::spawn(serve(stream));
                }
            }
        });
        Ok(Self { port, runtime: Some(runtime) })
    }

    /// Runs our clients too.
    pub(super) fn block_on<T>(&self, work: impl Future<Output = T>) -> anyhow::Result<T> {
        Ok(self.runtime.as_ref().context("the upstream runs")?.block_on(work))
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn listen() -> io::Result<TcpListener> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    socket.listen(4096)
}

async fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let Some((head, filled)) = read_head(&mut stream, &mut buffer).await? else { return Ok(()) };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        if text.contains("upgrade: websocket") {
            drop(buffer);
            return echo(stream).await;
        }
        let Some(length) =
            field(&text, "content-length:").or((!text.contains("\r\ntransfer-encoding:")).then_some(0))
        else {
            return stream.write_all(b"HTTP/1.1 411 Length Required\r\ncontent-length: 0\r\n\r\n").await;
        };
        let mut left = length.saturating_sub((filled - head) as u64);
        while left > 0 {
            let read = stream.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            left = left.saturating_sub(read as u64);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await?;
    }
}

/// Bytes of the head and bytes read so far; `None` when the client is done.
async fn read_head(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<Option<(usize, usize)>> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Ok(None);
        }
        filled += read;
        if let Some(at) = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n") {
            return Ok(Some((at + 4, filled)));
        }
        if filled > MOST_HEAD {
            return Ok(None);
        }
    }
}

fn field(head: &str, name: &str) -> Option<u64> {
    head.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok()
}

/// The upgrade, then everything comes back: frames of a client are masked, but nobody looks into them here.
async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: {SOCKET_ACCEPT}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut buffer = [0; 256];
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..read]).await?;
    }
}
