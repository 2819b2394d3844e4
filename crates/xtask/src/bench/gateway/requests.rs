//! A case of requests: every peer that can do it has its turn in every round.

use serde::Serialize;

use super::ground::Ground;
use super::peers::Peers;
use super::work::{Load, Work};
use super::{Measure, Programs};
use crate::bench::cpu;
use crate::bench::load::{Fire, Seen};
use crate::bench::rounds::{as_f64, median, sorted};

/// Connections of a load at a fixed rate.
const CONNECTIONS: u32 = 32;

/// What came out for one target in one case.
#[derive(Debug, Serialize)]
pub(super) struct Figure {
    pub(super) case: String,
    pub(super) target: String,
    /// Requests per second that were asked for; `None` is as fast as it goes.
    pub(super) rate: Option<u32>,
    pub(super) cpu_us: Spread,
    /// This target's CPU per request over the first target's in the same round.
    pub(super) ratio: Spread,
    pub(super) per_second: f64,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
    pub(super) peak_resident_mib: f64,
    pub(super) requests: u64,
    pub(super) failed: u64,
}

/// A median with what lies around it.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Spread {
    pub(super) lowest: f64,
    pub(super) median: f64,
    pub(super) highest: f64,
}

impl Spread {
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Self {
        let values = sorted(values);
        Self {
            lowest: values.first().copied().unwrap_or_default(),
            median: median(&values),
            highest: values.last().copied().unwrap_or_default(),
        }
    }
}

/// Something that gets a load.
pub(super) struct Target<'a> {
    pub(super) name: String,
    pub(super) pid: u32,
    pub(super) fire: Fire<'a>,
}

pub(super) fn measure(
    work: Work,
    peers: &Peers,
    programs: &Programs,
    ground: &Ground,
    measure: Measure,
    failed: impl FnMut(&'static str, &anyhow::Error),
) -> anyhow::Result<Vec<Figure>> {
    eprintln!("case {}", work.name());
    let running = peers.start(work, programs, ground, failed)?;
    let headers = headers(work, ground);
    let body = ground.file("1m");
    let urls: Vec<String> =
        running.iter().map(|peer| format!("http://127.0.0.1:{}{}", peer.port, work.path())).collect();
    let targets: Vec<Target<'_>> = running
        .iter()
        .zip(&urls)
        .map(|(peer, url)| {
            let (rate, connections) = match work.load() {
                Load::Rate(rate) => {
                    (Some(rate.min(peer.kind.most_per_second().unwrap_or(rate))), CONNECTIONS)
                }
                Load::Closed(connections) => (None, connections),
            };
            let body = work.sends_a_body().then_some(body.as_path());
            let fire = Fire {
                url,
                headers: &headers,
                body,
                connections,
                rate,
                seconds: measure.seconds,
                urls: None,
            };
            Target { name: peer.name.to_owned(), pid: peer.pid(), fire }
        })
        .collect();
    in_rounds(work.title(), &targets, measure.rounds, ground)
}

/// Loads targets in turn, round after round.
pub(super) fn in_rounds(
    case: &str,
    targets: &[Target<'_>],
    rounds: usize,
    ground: &Ground,
) -> anyhow::Result<Vec<Figure>> {
    let mut results: Vec<Vec<(f64, Seen)>> = vec![Vec::new(); targets.len()];
    // The first round only warms up: connections, caches, page tables.
    for round in 0..=rounds {
        for (target, results) in targets.iter().zip(&mut results) {
            let fire = Fire { seconds: if round == 0 { 1 } else { target.fire.seconds }, ..target.fire };
            let before = cpu::nanoseconds(target.pid);
            let seen = fire.run(&ground.scratch)?;
            let spent = cpu::nanoseconds(target.pid).saturating_sub(before);
            if round > 0 {
                results.push((as_f64(spent) / 1000.0 / as_f64(seen.requests.max(1)), seen));
            }
        }
    }
    Ok(targets.iter().zip(&results).map(|(target, all)| figure(case, target, all, &results[0])).collect())
}

fn figure(case: &str, target: &Target<'_>, all: &[(f64, Seen)], first: &[(f64, Seen)]) -> Figure {
    let middle = |take: fn(&Seen) -> u64| {
        let mut values: Vec<u64> = all.iter().map(|(_, seen)| take(seen)).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    Figure {
        case: case.to_owned(),
        target: target.name.clone(),
        rate: target.fire.rate,
        cpu_us: Spread::of(all.iter().map(|(cpu, _)| *cpu)),
        ratio: Spread::of(all.iter().zip(first).map(|(ours, theirs)| ours.0 / theirs.0)),
        per_second: median(&sorted(all.iter().map(|(_, seen)| seen.per_second))),
        p50_us: middle(|seen| seen.p50_us),
        p99_us: middle(|seen| seen.p99_us),
        peak_resident_mib: as_f64(cpu::peak_resident_kib(target.pid)) / 1024.0,
        requests: all.iter().map(|(_, seen)| seen.requests).sum(),
        failed: all.iter().map(|(_, seen)| seen.failed).sum(),
    }
}

/// The same headers for every target of a case, whether it reads them or not.
pub(super) fn headers(work: Work, ground: &Ground) -> Vec<String> {
    let mut headers = vec!["apikey: key-0".to_owned()];
    if work.checks_tokens() {
        headers.push(format!("authorization: Bearer {}", ground.token));
    }
    headers
}
