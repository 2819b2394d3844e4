//! Many proxies in one gateway: what a request costs, and what deploying among them costs the others.
//!
//! One bundle holds one proxy, so this is not `pierhead run` but the same gateway with compiled proxies in its
//! snapshot (`crates/gateway/examples/bench_routes.rs`).

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use super::ground::Ground;
use super::requests::{Figure, Spread, Target, in_rounds};
use super::{Measure, Programs};
use crate::bench::cpu;
use crate::bench::load::Fire;
use crate::bench::rounds::as_f64;
use crate::run::{Running, free_port};

const PROXIES: [usize; 3] = [1, 1_000, 50_000];

/// Different proxies that requests go to in turn.
const ASKED: usize = 1_000;

/// Proxies around those that are deployed anew.
const AROUND: usize = 10_000;

/// A gateway with so many proxies.
struct Many {
    running: Running,
    port: u16,
    /// `ready` and `swapped` with their numbers, as they are said.
    said: Receiver<(String, f64)>,
    urls: PathBuf,
}

impl Many {
    fn start(
        programs: &Programs,
        ground: &Ground,
        proxies: usize,
        swap_every_ms: u32,
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut running = Running::start(
            Command::new(&programs.many_routes)
                .arg(format!("127.0.0.1:{port}"))
                .args([ground.files_port.to_string(), proxies.to_string(), swap_every_ms.to_string()])
                .stdout(Stdio::piped()),
        )?;
        let lines = BufReader::new(running.printed().context("it speaks")?).lines();
        let (tell, said) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let said = line.split_once(' ').and_then(|(what, number)| Some((what, number.parse().ok()?)));
                if said
                    .is_some_and(|(what, number): (&str, f64)| tell.send((what.to_owned(), number)).is_err())
                {
                    return;
                }
            }
        });
        said.recv_timeout(Duration::from_secs(120)).context("the gateway with many proxies is not ready")?;
        let urls = ground.scratch.join(format!("urls-{proxies}-{swap_every_ms}"));
        let step = (proxies / ASKED).max(1);
        let text: String = (0..ASKED)
            .map(|index| format!("http://127.0.0.1:{port}/p{}/1k\n", (index * step) % proxies))
            .collect();
        std::fs::write(&urls, text)?;
        Ok(Self { running, port, said, urls })
    }

    fn fire(&self, seconds: u32) -> Fire<'_> {
        Fire { urls: Some(&self.urls), connections: 32, rate: Some(4000), seconds, ..Fire::default() }
    }
}

/// The cost of a request among 1, 1,000 and 50,000 proxies; ratios are to one.
pub(super) fn many(programs: &Programs, ground: &Ground, measure: Measure) -> anyhow::Result<Vec<Figure>> {
    eprintln!("case {}", super::ROUTES);
    let all: Vec<(usize, Many)> = PROXIES
        .into_iter()
        .map(|proxies| Ok((proxies, Many::start(programs, ground, proxies, 0)?)))
        .collect::<anyhow::Result<_>>()?;
    let targets: Vec<Target<'_>> = all
        .iter()
        .map(|(proxies, many)| Target {
            name: format!("{proxies} proxies"),
            pid: many.running.pid(),
            fire: many.fire(measure.seconds),
        })
        .collect();
    in_rounds("routes (× is to 1 proxy)", &targets, measure.rounds, ground)
}

/// What deploying once a second did.
#[derive(Debug, Serialize)]
pub(super) struct Deploys {
    pub(super) proxies: usize,
    pub(super) swaps: usize,
    /// Compiling one proxy and swapping the snapshot.
    pub(super) swap_us: Spread,
    pub(super) requests: u64,
    pub(super) failed: u64,
    pub(super) p99_us: u64,
    /// The same gateway in the same seconds of another turn, without swaps.
    pub(super) p99_us_without: u64,
    pub(super) cpu_us: f64,
    pub(super) cpu_us_without: f64,
    pub(super) resident_mib_before: f64,
    pub(super) resident_mib_after: f64,
}

pub(super) fn swapped(programs: &Programs, ground: &Ground, measure: Measure) -> anyhow::Result<Deploys> {
    eprintln!("case {}", super::DEPLOYS);
    let seconds = if measure.quick { 3 } else { 15 };
    let still = Many::start(programs, ground, AROUND, 0)?;
    let swapping = Many::start(programs, ground, AROUND, 1000)?;
    let mut seen = Vec::new();
    let mut resident = Vec::new();
    for many in [&still, &swapping] {
        let pid = many.running.pid();
        many.fire(1).run(&ground.scratch).with_context(|| format!("loading port {}", many.port))?;
        let (before, spent) = (cpu::resident_kib(pid)?, cpu::nanoseconds(pid));
        let came = many.fire(seconds).run(&ground.scratch)?;
        let cpu_us =
            as_f64(cpu::nanoseconds(pid).saturating_sub(spent)) / 1000.0 / as_f64(came.requests.max(1));
        seen.push((came, cpu_us));
        resident.push((before, cpu::resident_kib(pid)?));
    }
    let swaps: Vec<f64> = swapping.said.try_iter().map(|(_, micros)| micros).collect();
    let ((without, cpu_us_without), (with, cpu_us)) = (seen[0], seen[1]);
    Ok(Deploys {
        proxies: AROUND,
        swaps: swaps.len(),
        swap_us: Spread::of(swaps.into_iter()),
        requests: with.requests,
        failed: with.failed,
        p99_us: with.p99_us,
        p99_us_without: without.p99_us,
        cpu_us,
        cpu_us_without,
        resident_mib_before: as_f64(resident[1].0) / 1024.0,
        resident_mib_after: as_f64(resident[1].1) / 1024.0,
    })
}
