//! The house's own tools: `cargo xtask check`, `test`, `tidy`, `bench`, `policies`.

// A command-line tool speaks through its output.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks through its output"
)]

mod bench;
mod check;
mod corpus;
mod fuzz;
mod peers;
mod policies;
mod run;
mod test;
mod tidy;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Checks, tests and measures Pierhead")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Formatting, lints, documentation, licences and the rules of the house; no tests.
    Check,
    /// Every test, on both databases, with the real peers they need. Installs what is missing.
    Test(test::Options),
    /// The budgets of the design, measured beside peers in one run.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Writes the policy reference of the handbook from the policies' fact sheets.
    Policies {
        /// Only says what is wrong with the fact sheets.
        #[arg(long)]
        check: bool,
        /// Removes the body of one policy after another and notes which tests fail.
        #[arg(long)]
        mutate: bool,
    },
    /// Every bundle in a folder, and how far each gets: parse, round trip, deploy, run.
    Corpus(corpus::Corpus),
    /// Feeds the parsers with what a fuzzer makes up; not part of `test`.
    Fuzz(fuzz::Fuzz),
    /// The rules of the house that are fast to check: arrows between rooms, sizes, forbidden words.
    Tidy,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Check => check::run(),
        Command::Corpus(arguments) => corpus::run(&arguments),
        Command::Bench(what) => bench::run(&what),
        Command::Test(options) => test::run(&options),
        Command::Policies { mutate: true, .. } => policies::mutate(),
        Command::Policies { check, .. } => policies::run(check),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Tidy => tidy::run(),
    }
}
