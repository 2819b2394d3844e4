//! Interleaved rounds: every target gets its turn in each, so that all see the same disturbances
//! (performance A2).

use std::path::Path;

use serde::Serialize;

use super::load::{Seen, closed_loop, fixed_rate};
use super::{Options, cpu};

/// One load that several targets get in turn; the first of them is nginx.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    /// `None` is the fixed rate.
    pub(super) connections: Option<u32>,
    pub(super) targets: &'static [&'static str],
}

/// Something that answers with the files of a case.
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) pid: u32,
    pub(super) port: u16,
    /// What a file's name is put behind.
    pub(super) path: &'static str,
}

/// What came out for one target in one case.
#[derive(Debug, Serialize)]
pub(super) struct Figure {
    case: &'static str,
    target: &'static str,
    cpu_us_per_request: f64,
    lowest_cpu_us: f64,
    highest_cpu_us: f64,
    /// Median over rounds of this target's figure over nginx's in the same round.
    times_nginx: f64,
    lowest_ratio: f64,
    highest_ratio: f64,
    requests_per_second: f64,
    p50_us: u64,
    p99_us: u64,
    peak_resident_mib: f64,
    requests: u64,
}

/// Loads the targets of `case` in turn, round after round.
pub(super) fn measure(
    targets: &[Target],
    case: &Case,
    options: &Options,
    scratch: &Path,
) -> anyhow::Result<Vec<Figure>> {
    let targets: Vec<_> = targets.iter().filter(|target| case.targets.contains(&target.name)).collect();
    let mut rounds: Vec<Vec<(f64, Seen)>> = vec![Vec::new(); targets.len()];
    // The first round only warms up: connections, caches, page tables.
    for round in 0..=options.rounds {
        for (target, results) in targets.iter().zip(&mut rounds) {
            let url = format!("http://127.0.0.1:{}{}{}", target.port, target.path, case.file);
            let before = cpu::nanoseconds(target.pid);
            let seconds = if round == 0 { 1 } else { options.seconds };
            let seen = match case.connections {
                None => fixed_rate(&url, seconds, scratch)?,
                Some(connections) => closed_loop(&url, seconds, connections)?,
            };
            let spent = cpu::nanoseconds(target.pid).saturating_sub(before);
            if round > 0 {
                results.push((as_f64(spent) / 1000.0 / as_f64(seen.requests.max(1)), seen));
            }
        }
    }
    let nginx = rounds[0].clone();
    Ok(targets
        .iter()
        .zip(&rounds)
        .map(|(target, results)| figure(case.name, target, results, &nginx))
        .collect())
}

fn figure(case: &'static str, target: &Target, results: &[(f64, Seen)], nginx: &[(f64, Seen)]) -> Figure {
    let ratios = sorted(results.iter().zip(nginx).map(|(ours, theirs)| ours.0 / theirs.0));
    let costs = sorted(results.iter().map(|(cpu, _)| *cpu));
    let of = |take: fn(&Seen) -> u64| {
        let mut all: Vec<u64> = results.iter().map(|(_, seen)| take(seen)).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    Figure {
        case,
        target: target.name,
        cpu_us_per_request: median(&costs),
        lowest_cpu_us: costs.first().copied().unwrap_or_default(),
        highest_cpu_us: costs.last().copied().unwrap_or_default(),
        times_nginx: median(&ratios),
        lowest_ratio: ratios.first().copied().unwrap_or_default(),
        highest_ratio: ratios.last().copied().unwrap_or_default(),
        requests_per_second: median(&sorted(results.iter().map(|(_, seen)| seen.per_second))),
        p50_us: of(|seen| seen.p50_us),
        p99_us: of(|seen| seen.p99_us),
        peak_resident_mib: as_f64(cpu::peak_resident_kib(target.pid)) / 1024.0,
        requests: results.iter().map(|(_, seen)| seen.requests).sum(),
    }
}

pub(super) fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

pub(super) fn median(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "figures for people: 52 bits are plenty")]
pub(super) fn as_f64(count: u64) -> f64 {
    count as f64
}

pub(super) fn print(figures: &[Figure]) {
    println!(
        "| case | target | CPU µs/request (spread) | × nginx (spread) | requests/s | p50 µs | p99 µs | peak RSS MiB | requests |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for figure in figures {
        println!(
            "| {} | {} | {:.1} ({:.1}–{:.1}) | {:.2} ({:.2}–{:.2}) | {:.0} | {} | {} | {:.0} | {} |",
            figure.case,
            figure.target,
            figure.cpu_us_per_request,
            figure.lowest_cpu_us,
            figure.highest_cpu_us,
            figure.times_nginx,
            figure.lowest_ratio,
            figure.highest_ratio,
            figure.requests_per_second,
            figure.p50_us,
            figure.p99_us,
            figure.peak_resident_mib,
            figure.requests,
        );
    }
}
