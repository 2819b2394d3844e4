//! `cargo xtask bench`: the budgets of the design, measured beside peers in one run.

mod bulk;
mod cpu;
mod gateway;
mod hub;
mod installation;
mod load;
mod nginx;
mod proxy;
mod rounds;
mod start;

use clap::{Args, Subcommand};

/// What to measure.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// CPU per request of the gateway beside nginx: bare, with this story's policies, with bodies.
    Proxy(Options),
    /// Every number of the gateway beside its peers: policies, bodies, routes, deployments, WebSockets.
    Gateway(gateway::GatewayOptions),
    /// This story's proxy with the in-process hub: CPU per request, 1 GiB either way, start and idle memory.
    Hub(hub::HubOptions),
}

/// How to measure it.
#[derive(Args)]
pub(crate) struct Options {
    /// Interleaved rounds; medians are over these.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of load per target and round.
    #[arg(long, default_value_t = 4)]
    seconds: u32,
    /// The profile our programs are built with.
    #[arg(long, default_value = "dist")]
    profile: String,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    json: bool,
}

/// Measures.
///
/// # Errors
/// When a program is missing and cannot be installed, does not start, or answers with errors.
pub(crate) fn run(what: &Bench) -> anyhow::Result<()> {
    match what {
        Bench::Proxy(options) => proxy::run(options),
        Bench::Gateway(options) => gateway::run(options),
        Bench::Hub(options) => hub::run(options),
    }
}
