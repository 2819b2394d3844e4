//! `pierhead`: an API gateway, a connector hub and an app platform in one program.

use std::process::ExitCode;

use clap::Parser;
use pierhead::cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    pierhead::commands::run(cli.command)
}
