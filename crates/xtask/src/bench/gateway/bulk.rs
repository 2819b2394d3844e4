//! 1 GiB through each proxy, either way.

use std::process::Command;
use std::time::Instant;

use anyhow::bail;
use serde::Serialize;

use super::ground::Ground;
use super::peers::{Kind, Peer, Peers};
use super::requests::Spread;
use super::work::Work;
use super::{Measure, Programs};
use crate::bench::cpu;
use crate::bench::rounds::as_f64;
use crate::run::output;

/// Rounds at most: each moves a GiB per peer and direction.
const MOST_ROUNDS: usize = 3;

/// One peer, one direction.
#[derive(Debug, Serialize)]
pub(super) struct Transfer {
    pub(super) direction: &'static str,
    pub(super) target: &'static str,
    pub(super) bytes: u64,
    pub(super) cpu_seconds: Spread,
    /// Over nginx's with its default buffers, in the same round.
    pub(super) ratio: Spread,
    pub(super) mib_per_second: Spread,
    /// The largest resident size during a transfer less the one before it.
    pub(super) growth_mib: Spread,
}

struct Turn {
    cpu_seconds: f64,
    mib_per_second: f64,
    growth_mib: f64,
}

pub(super) fn measure(
    peers: &Peers,
    programs: &Programs,
    ground: &Ground,
    measure: Measure,
    mut failed: impl FnMut(&'static str, &anyhow::Error),
) -> anyhow::Result<Vec<Transfer>> {
    let mut transfers = Vec::new();
    for (direction, work) in [("download", Work::DownloadLarge), ("upload", Work::Upload)] {
        eprintln!("case {} {direction}", super::GIB);
        let running = peers.start(work, programs, ground, &mut failed)?;
        let mut turns: Vec<Vec<Turn>> = running.iter().map(|_| Vec::new()).collect();
        for _ in 0..measure.rounds.min(MOST_ROUNDS) {
            for (peer, turns) in running.iter().zip(&mut turns) {
                turns.push(turn(peer, work, ground)?);
            }
        }
        let nginx: Vec<f64> = turns[0].iter().map(|turn| turn.cpu_seconds).collect();
        transfers.extend(running.iter().zip(&turns).map(|(peer, turns)| Transfer {
            direction,
            target: if peer.kind == Kind::Nginx { "nginx" } else { peer.name },
            bytes: ground.large,
            cpu_seconds: Spread::of(turns.iter().map(|turn| turn.cpu_seconds)),
            ratio: Spread::of(turns.iter().zip(&nginx).map(|(turn, nginx)| turn.cpu_seconds / nginx)),
            mib_per_second: Spread::of(turns.iter().map(|turn| turn.mib_per_second)),
            growth_mib: Spread::of(turns.iter().map(|turn| turn.growth_mib)),
        }));
    }
    Ok(transfers)
}

fn turn(peer: &Peer, work: Work, ground: &Ground) -> anyhow::Result<Turn> {
    let pid = peer.pid();
    let mut curl = Command::new("curl");
    curl.args(["-s", "-m", "120", "-H", "Expect:", "-o", "/dev/null"]);
    let (url, size) = if work.sends_a_body() {
        curl.arg("-T").arg(ground.file("large"));
        (format!("http://127.0.0.1:{}{}", peer.port, work.path()), "%{http_code} %{size_upload}")
    } else {
        (format!("http://127.0.0.1:{}/large", peer.port), "%{http_code} %{size_download}")
    };
    cpu::reset_peaks(pid)?;
    let (before, spent, begun) = (cpu::resident_together_kib(pid), cpu::nanoseconds(pid), Instant::now());
    let said = output(curl.args(["-w", size]).arg(url))?;
    let seconds = begun.elapsed().as_secs_f64();
    if said.trim() != format!("200 {}", ground.large) {
        bail!("{}: {said} instead of {} bytes", peer.name, ground.large);
    }
    let growth = cpu::peak_resident_kib(pid).saturating_sub(before);
    Ok(Turn {
        cpu_seconds: as_f64(cpu::nanoseconds(pid).saturating_sub(spent)) / 1e9,
        mib_per_second: as_f64(ground.large >> 20) / seconds,
        growth_mib: as_f64(growth) / 1024.0,
    })
}
