//! `cargo xtask bench gateway`: the numbers of the gateway beside its peers, in one run (performance A2, 2.5).
//!
//! Every request costs bounded time and every load is bounded in count: the default run ends within 15 minutes.

mod bulk;
mod ground;
mod peers;
mod report;
mod requests;
mod routes;
mod sockets;
mod upstream;
mod work;

use std::path::PathBuf;

use clap::Args;

use self::ground::Ground;
use self::peers::{Kind, Peers};
use self::report::Report;
use self::work::Work;
use super::proxy::build;
use crate::peers::debian;
use crate::run::target;

/// What to measure, beside whom, for how long.
#[derive(Args)]
pub(crate) struct GatewayOptions {
    /// Only this case; may be repeated. A wrong name prints them all.
    #[arg(long, value_name = "NAME")]
    case: Vec<String>,
    /// Only these peers, by comma; ours and bare nginx always run.
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// Interleaved rounds; medians are over these.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of load per target and round.
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// One short round of everything, to see that it works; its figures say nothing.
    #[arg(long)]
    quick: bool,
    /// The profile our programs are built with.
    #[arg(long, default_value = "dist")]
    profile: String,
    /// Measure what was built before.
    #[arg(long)]
    no_build: bool,
    /// Print one JSON document instead of tables.
    #[arg(long)]
    json: bool,
}

/// Cases that are more than a load of requests.
const ROUTES: &str = "routes";
const DEPLOYS: &str = "deploys";
const GIB: &str = "1-gib";
const SOCKETS: &str = "websockets";

/// How much of everything.
#[derive(Clone, Copy)]
struct Measure {
    rounds: usize,
    seconds: u32,
    quick: bool,
}

/// Our programs.
struct Programs {
    pierhead: PathBuf,
    many_routes: PathBuf,
}

pub(super) fn run(options: &GatewayOptions) -> anyhow::Result<()> {
    let cases = Cases::chosen(&options.case)?;
    for (program, package) in
        [("nginx", "nginx-light"), ("h2load", "nghttp2-client"), ("curl", "curl"), ("openssl", "openssl")]
    {
        debian::ensure(program, package)?;
    }
    sockets::raise_file_limit()?;
    let measure = Measure {
        rounds: if options.quick { 1 } else { options.rounds.max(1) },
        seconds: if options.quick { 1 } else { options.seconds.max(1) },
        quick: options.quick,
    };
    let programs = programs(options)?;
    let ground = Ground::prepare(measure.quick)?;
    let peers = Peers::install(&options.peers)?;
    let mut report = Report::new(peers.missing());

    // A case that fails is told; what the others came to is not lost.
    for work in Work::ALL.into_iter().filter(|work| cases.has(work.name())) {
        let failed = |name: &'static str, why: &anyhow::Error| report.failed(work.name(), name, why);
        let figures = requests::measure(work, &peers, &programs, &ground, measure, failed);
        if let Some(figures) = report.or_failed(work.name(), figures) {
            report.requests(figures);
        }
    }
    if cases.has(GIB) {
        let failed = |name: &'static str, why: &anyhow::Error| report.failed(GIB, name, why);
        let transfers = bulk::measure(&peers, &programs, &ground, measure, failed);
        if let Some(transfers) = report.or_failed(GIB, transfers) {
            report.transfers(transfers);
        }
    }
    if cases.has(ROUTES)
        && let Some(figures) = report.or_failed(ROUTES, routes::many(&programs, &ground, measure))
    {
        report.requests(figures);
    }
    if cases.has(DEPLOYS)
        && let Some(deploys) = report.or_failed(DEPLOYS, routes::swapped(&programs, &ground, measure))
    {
        report.deploys(deploys);
    }
    if cases.has(SOCKETS)
        && let Some(sockets) =
            report.or_failed(SOCKETS, sockets::measure(&peers, &programs, &ground, measure))
    {
        report.sockets(sockets);
    }
    report.print(options.json)
}

fn programs(options: &GatewayOptions) -> anyhow::Result<Programs> {
    let profile = options.profile.as_str();
    if options.no_build {
        let folder = target().join(profile);
        return Ok(Programs {
            pierhead: folder.join("pierhead"),
            many_routes: folder.join("examples/bench_routes"),
        });
    }
    Ok(Programs {
        pierhead: build(profile, &["-p", "pierhead", "--bin", "pierhead"], "pierhead")?,
        many_routes: build(
            profile,
            &["-p", "pierhead-gateway", "--example", "bench_routes"],
            "examples/bench_routes",
        )?,
    })
}

/// The cases of this run.
struct Cases(Vec<String>);

impl Cases {
    fn chosen(names: &[String]) -> anyhow::Result<Self> {
        let all: Vec<&str> =
            Work::ALL.iter().map(|work| work.name()).chain([GIB, ROUTES, DEPLOYS, SOCKETS]).collect();
        if let Some(unknown) = names.iter().find(|name| !all.contains(&name.as_str())) {
            anyhow::bail!("there is no case '{unknown}'; there are {}", all.join(", "));
        }
        Ok(Self(names.to_vec()))
    }

    fn has(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|chosen| chosen == name)
    }
}

/// As many workers as the machine has cores, for everybody.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get)
}

impl Kind {
    fn is_chosen(self, names: &[String]) -> bool {
        matches!(self, Self::Pierhead | Self::Nginx)
            || names.is_empty()
            || names.iter().any(|name| name == self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_case_is_named_with_those_there_are() {
        let said = Cases::chosen(&["bear".into()]).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains("'bear'") && said.contains("bare") && said.contains(GIB), "{said}");
    }

    #[test]
    fn no_choice_is_every_case() {
        let cases = Cases::chosen(&[]).unwrap();
        assert!(cases.has("bare") && cases.has(SOCKETS));
    }
}
