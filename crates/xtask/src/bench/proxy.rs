//! The gateway beside nginx: CPU per request, the main figure of the data plane (performance A2, A7).

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use serde::Serialize;

use super::load::{Seen, closed_loop, fixed_rate};
use super::nginx::Nginx;
use super::{Options, cpu};
use crate::peers::debian;
use crate::run::{call, free_port, root, wait_for_port};

/// One load that several targets get in turn.
struct Case {
    name: &'static str,
    file: &'static str,
    /// `None` is the fixed rate.
    connections: Option<u32>,
    targets: &'static [&'static str],
}

const CASES: [Case; 3] = [
    Case {
        name: "1 KiB, fixed 4,000/s",
        file: "1k",
        connections: None,
        targets: &["nginx", "gateway bare", "gateway story"],
    },
    Case {
        name: "100 KiB, closed loop",
        file: "100k",
        connections: Some(32),
        targets: &["nginx", "gateway bare"],
    },
    Case {
        name: "10 MiB, closed loop",
        file: "10m",
        connections: Some(8),
        targets: &["nginx", "nginx 64k buffers", "gateway bare"],
    },
];

/// What came out for one target in one case.
#[derive(Debug, Serialize)]
struct Figure {
    case: &'static str,
    target: &'static str,
    cpu_us_per_request: f64,
    /// Median over rounds of this target's figure over nginx's in the same round.
    times_nginx: f64,
    lowest_ratio: f64,
    highest_ratio: f64,
    p50_us: u64,
    p99_us: u64,
    peak_resident_mib: f64,
    requests: u64,
}

pub(super) fn run(options: &Options) -> anyhow::Result<()> {
    for (program, package) in [("nginx", "nginx-light"), ("wrk", "wrk"), ("h2load", "nghttp2-client")] {
        debian::ensure(program, package)?;
    }
    let binary = build()?;
    let stand = Stand::set_up(&binary)?;
    let mut figures = Vec::new();
    for case in &CASES {
        figures.extend(stand.measure(case, options)?);
    }
    if options.json {
        println!("{}", serde_json::to_string(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

/// The gateway's own small binary, built as packages are.
fn build() -> anyhow::Result<PathBuf> {
    call(Command::new("cargo").args([
        "build",
        "--quiet",
        "--profile",
        "dist",
        "-p",
        "pierhead-gateway",
        "--example",
        "bench_proxy",
    ]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target.join("dist/examples/bench_proxy"))
}

/// Everything that runs while we measure. All of it stays up through all rounds.
struct Stand {
    targets: Vec<(&'static str, u32, u16)>,
    scratch: PathBuf,
    _nginx: Vec<Nginx>,
    _gateways: Vec<Stopped>,
}

/// A process that is ended with this value.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Stand {
    fn set_up(binary: &Path) -> anyhow::Result<Self> {
        let scratch = crate::run::cache()?.join("bench-proxy");
        let files = scratch.join("files");
        // The story's proxy asks for the same file below the hub's path.
        for folder in [files.clone(), files.join("elements/api-v2")] {
            std::fs::create_dir_all(&folder)?;
            for (name, size) in [("1k", 1024), ("100k", 100 * 1024), ("10m", 10 * 1024 * 1024)] {
                std::fs::write(folder.join(name), vec![b'p'; size])?;
            }
        }
        let upstream = free_port()?;
        let mut nginx = vec![Nginx::files(&scratch, &files, upstream)?];
        let mut targets = Vec::new();
        for (name, file, extra) in [
            ("nginx", "peer", ""),
            (
                "nginx 64k buffers",
                "peer64",
                "proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;",
            ),
        ] {
            let port = free_port()?;
            let peer = Nginx::proxy(&scratch, file, port, upstream, extra)?;
            targets.push((name, peer.pid(), port));
            nginx.push(peer);
        }
        let mut gateways = Vec::new();
        for (name, chain) in [("gateway bare", "bare"), ("gateway story", "story")] {
            let port = free_port()?;
            let gateway = Command::new(binary)
                .args([&format!("127.0.0.1:{port}"), &upstream.to_string(), chain])
                .stdout(Stdio::null())
                .spawn()
                .context("starting the gateway")?;
            targets.push((name, gateway.id(), port));
            gateways.push(Stopped(gateway));
            wait_for_port(port)?;
        }
        Ok(Self { targets, scratch, _nginx: nginx, _gateways: gateways })
    }

    /// Gives each target of a case its turn in each round, so that all see the same disturbances.
    fn measure(&self, case: &Case, options: &Options) -> anyhow::Result<Vec<Figure>> {
        let targets: Vec<_> = self.targets.iter().filter(|(name, ..)| case.targets.contains(name)).collect();
        let mut rounds: Vec<Vec<(f64, Seen)>> = vec![Vec::new(); targets.len()];
        // The first round only warms up: connections, caches, page tables.
        for round in 0..=options.rounds {
            for ((_, pid, port), results) in targets.iter().zip(&mut rounds) {
                let url = format!("http://127.0.0.1:{port}/{}", case.file);
                let before = cpu::nanoseconds(*pid);
                let seconds = if round == 0 { 1 } else { options.seconds };
                let seen = match case.connections {
                    None => fixed_rate(&url, seconds, &self.scratch)?,
                    Some(connections) => closed_loop(&url, seconds, connections)?,
                };
                let spent = cpu::nanoseconds(*pid).saturating_sub(before);
                if round > 0 {
                    results.push((as_f64(spent) / 1000.0 / as_f64(seen.requests.max(1)), seen));
                }
            }
        }
        let nginx = rounds[0].clone();
        Ok(targets
            .iter()
            .zip(&rounds)
            .map(|((name, pid, _), results)| figure(case.name, name, *pid, results, &nginx))
            .collect())
    }
}

fn figure(
    case: &'static str,
    target: &'static str,
    pid: u32,
    results: &[(f64, Seen)],
    nginx: &[(f64, Seen)],
) -> Figure {
    let ratios = sorted(results.iter().zip(nginx).map(|(ours, theirs)| ours.0 / theirs.0));
    let of = |take: fn(&Seen) -> u64| {
        let mut all: Vec<u64> = results.iter().map(|(_, seen)| take(seen)).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    Figure {
        case,
        target,
        cpu_us_per_request: median(&sorted(results.iter().map(|(cpu, _)| *cpu))),
        times_nginx: median(&ratios),
        lowest_ratio: ratios.first().copied().unwrap_or_default(),
        highest_ratio: ratios.last().copied().unwrap_or_default(),
        p50_us: of(|seen| seen.p50_us),
        p99_us: of(|seen| seen.p99_us),
        peak_resident_mib: as_f64(cpu::peak_resident_kib(pid)) / 1024.0,
        requests: results.iter().map(|(_, seen)| seen.requests).sum(),
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "figures for people: 52 bits are plenty")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

fn print(figures: &[Figure]) {
    println!(
        "| case | target | CPU µs/request | × nginx (spread) | p50 µs | p99 µs | peak RSS MiB | requests |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for figure in figures {
        println!(
            "| {} | {} | {:.1} | {:.2} ({:.2}–{:.2}) | {} | {} | {:.0} | {} |",
            figure.case,
            figure.target,
            figure.cpu_us_per_request,
            figure.times_nginx,
            figure.lowest_ratio,
            figure.highest_ratio,
            figure.p50_us,
            figure.p99_us,
            figure.peak_resident_mib,
            figure.requests,
        );
    }
}
