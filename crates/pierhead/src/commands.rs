//! The commands of the command line.

mod bundles;
mod demo;
mod doctor;
mod migrate;
mod run;
mod sandbox;
mod serve;
mod trace;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::server::Server;

/// Runs a command to its end. Errors go to standard error with their causes.
pub fn run(command: Command) -> ExitCode {
    match dispatch(command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say_error(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// `Ok(false)` when the command ran and its verdict is bad.
fn dispatch(command: Command) -> anyhow::Result<bool> {
    match command {
        Command::Version => say(&format!("pierhead {}", env!("CARGO_PKG_VERSION"))),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "pierhead", &mut script);
            say(String::from_utf8_lossy(&script).trim_end());
        }
        Command::Serve(arguments) => block_on(serve::run(arguments))?,
        Command::Run(arguments) => return block_on(run::run(arguments)),
        Command::Check(arguments) => return block_on(bundles::check(arguments)),
        Command::Convert(arguments) => bundles::convert(&arguments)?,
        Command::Trace(arguments) => return block_on(trace::run(arguments)),
        Command::Demo(arguments) => return block_on(demo::run(arguments)),
        Command::Sandbox { vendor } => block_on(sandbox::run(vendor))?,
        Command::Migrate(settings) => block_on(migrate::run(&settings))?,
        Command::Doctor(settings) => return block_on(doctor::run(&settings)),
    }
    Ok(true)
}

fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("control")
        .enable_all()
        .build()
        .context("starting")?;
    let result = runtime.block_on(work);
    // Blocking reads of a terminal or a stuck file system must not keep the program from ending.
    runtime.shutdown_background();
    result
}

/// Keeps a server up until SIGTERM, SIGINT or Ctrl-C, then stops it in order.
async fn run_until_stopped(server: Server) -> anyhow::Result<()> {
    stop_signal().await?;
    tracing::info!("stopping: running requests may end");
    server.stop().await;
    Ok(())
}

async fn stop_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// A command's answer. Whoever reads it may stop early (`| head`): that is no failure of ours.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[expect(clippy::print_stderr, reason = "a command complains on standard error")]
fn say_error(line: &str) {
    eprintln!("{line}");
}
