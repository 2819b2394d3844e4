//! Ten thousand idle WebSockets: what each costs in memory.

use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::ground::Ground;
use super::peers::{Kind, Peers};
use super::upstream::{SOCKET_KEY, Upstream};
use super::work::Work;
use super::{Measure, Programs};
use crate::bench::cpu;

const WANTED: usize = 10_000;
/// Connections that are being opened at a time.
const AT_ONCE: usize = 128;
/// Every so many of them must still echo when all are open.
const PROBED: usize = 50;
/// For everything that is no WebSocket.
const SPARE_FILES: usize = 300;
const PATIENCE: Duration = Duration::from_secs(60);
/// What a server needs to give back what opening took.
const SETTLE: Duration = Duration::from_secs(1);

/// What came out for one peer.
#[derive(Debug, Serialize)]
pub(super) struct Sockets {
    pub(super) target: &'static str,
    pub(super) open: usize,
    pub(super) resident_kib_before: u64,
    pub(super) resident_kib_open: u64,
    pub(super) bytes_per_connection: u64,
    /// Instead of figures: why there are none.
    pub(super) refused: Option<String>,
}

impl Sockets {
    fn none(kind: Kind, why: &anyhow::Error) -> Self {
        Self {
            target: kind.name(),
            open: 0,
            resident_kib_before: 0,
            resident_kib_open: 0,
            bytes_per_connection: 0,
            refused: Some(format!("{why:#}")),
        }
    }
}

/// Lets this process and all it starts have as many files as the system allows; how many that is.
pub(super) fn raise_file_limit() -> anyhow::Result<usize> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .context("raising the limit of open files")?;
    Ok(limit.maximum.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX)))
}

pub(super) fn measure(
    peers: &Peers,
    programs: &Programs,
    ground: &Ground,
    measure: Measure,
) -> anyhow::Result<Vec<Sockets>> {
    eprintln!("case {}", super::SOCKETS);
    // A proxy needs two files for each, and so do we: one as client, one as upstream.
    let possible = raise_file_limit()?.saturating_sub(SPARE_FILES) / 2;
    let count = possible.min(if measure.quick { WANTED / 20 } else { WANTED });
    let mut all = Vec::new();
    for kind in [Kind::Pierhead, Kind::Nginx, Kind::Haproxy, Kind::Envoy, Kind::Traefik, Kind::Caddy] {
        if peers.has(kind) {
            all.push(
                one(kind, peers, programs, ground, count).unwrap_or_else(|why| Sockets::none(kind, &why)),
            );
        }
    }
    Ok(all)
}

fn one(
    kind: Kind,
    peers: &Peers,
    programs: &Programs,
    ground: &Ground,
    count: usize,
) -> anyhow::Result<Sockets> {
    // An upstream of its own: ports towards the last one's may still be waiting for their end.
    let upstream = Upstream::start()?;
    let peer = peers.one_towards(kind, Work::Upload, programs, ground, upstream.port)?;
    let before = cpu::resident_together_kib(peer.pid());
    let opened = upstream.block_on(open_all(peer.port, count))?;
    let mut sockets = opened?;
    std::thread::sleep(SETTLE);
    let open = cpu::resident_together_kib(peer.pid());
    upstream.block_on(echo(&mut sockets))?.with_context(|| format!("{} with {count} open", kind.name()))?;
    Ok(Sockets {
        target: kind.name(),
        open: count,
        resident_kib_before: before,
        resident_kib_open: open,
        bytes_per_connection: open.saturating_sub(before) * 1024 / count.max(1) as u64,
        refused: None,
    })
}

async fn open_all(port: u16, count: usize) -> anyhow::Result<Vec<TcpStream>> {
    let mut sockets = Vec::with_capacity(count);
    let mut opening = JoinSet::new();
    // The first alone: whoever cannot do it at all is asked once.
    sockets.push(open(port).await?);
    for _ in 1..count {
        if opening.len() >= AT_ONCE
            && let Some(opened) = opening.join_next().await
        {
            sockets.push(opened??);
        }
        opening.spawn(open(port));
    }
    while let Some(opened) = opening.join_next().await {
        sockets.push(opened??);
    }
    Ok(sockets)
}

async fn open(port: u16) -> anyhow::Result<TcpStream> {
    let upgrade = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let head = format!(
            "GET /socket HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: {SOCKET_KEY}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        let mut byte = [0];
        // Byte by byte: what follows the head is no longer ours to read.
        while !answer.ends_with(b"\r\n\r\n") && answer.len() < 4096 {
            if stream.read(&mut byte).await? == 0 {
                break;
            }
            answer.push(byte[0]);
        }
        let text = String::from_utf8_lossy(&answer);
        if !text.starts_with("HTTP/1.1 101") {
            bail!("no WebSocket: {}", text.lines().next().unwrap_or("nothing came"));
        }
        Ok(stream)
    };
    tokio::time::timeout(PATIENCE, upgrade).await.context("an upgrade took too long")?
}

/// A masked text frame goes, and comes back as it went.
async fn echo(sockets: &mut [TcpStream]) -> anyhow::Result<()> {
    let frame = [0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2];
    for socket in sockets.iter_mut().step_by(PROBED) {
        let there_and_back = async {
            socket.write_all(&frame).await?;
            let mut back = [0; 8];
            socket.read_exact(&mut back).await?;
            anyhow::ensure!(back == frame, "another frame came back");
            Ok(())
        };
        tokio::time::timeout(PATIENCE, there_and_back).await.context("an echo took too long")??;
    }
    Ok(())
}
