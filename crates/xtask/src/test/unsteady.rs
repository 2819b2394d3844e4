//! `cargo test` whose failed tests run once more, one after another. What then passes is shown as unsteady: a test
//! that a loaded machine tips over is to be mended, but says nothing about the change at hand.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::run::root;

/// What a run of `cargo test` said.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    success: bool,
    passed: usize,
    /// Names of tests that failed.
    failed: Vec<String>,
    /// How cargo names the binaries they are in: `-p pierhead --test server`.
    targets: Vec<String>,
}

impl Outcome {
    fn read_line(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            self.failed.push(name.to_owned());
        }
        self.passed += usize::from(line.starts_with("test ") && line.ends_with(" ... ok"));
    }

    /// A line of cargo's list of what failed, which quotes the arguments that run it again.
    fn read_error(&mut self, line: &str) {
        let quoted = line.split('`').nth(1).filter(|quoted| quoted.starts_with("-p "));
        self.targets.extend(quoted.map(str::to_owned));
    }
}

/// Runs all tests of the workspace; fails when a test fails twice.
pub(super) fn run(command: impl Fn() -> anyhow::Result<Command>) -> anyhow::Result<()> {
    let first = outcome(command()?.args(["test", "--workspace", "--no-fail-fast"]))?;
    if first.success {
        return Ok(());
    }
    if first.failed.is_empty() || first.targets.is_empty() {
        bail!("cargo test failed");
    }
    println!("\n== once more, one after another: {}", first.failed.join(", "));
    let mut passed = 0;
    for target in &first.targets {
        let mut again = command()?;
        again.arg("test").args(target.split(' ')).args(["--", "--exact", "--test-threads", "1"]);
        let second = outcome(again.args(&first.failed))?;
        if !second.success {
            bail!("failed twice: {}", second.failed.join(", "));
        }
        passed += second.passed;
    }
    // A binary that ended early names no test of its own.
    if passed < first.failed.len() {
        bail!("{} tests failed, {passed} of them passed when run again", first.failed.len());
    }
    println!("\nUNSTEADY, to be mended: {}", first.failed.join(", "));
    Ok(())
}

/// Runs `command`, showing what it prints.
fn outcome(command: &mut Command) -> anyhow::Result<Outcome> {
    let mut child = command
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting cargo test")?;
    let errors = child.stderr.take().context("standard error is a pipe")?;
    let errors = std::thread::spawn(move || {
        let mut read = Outcome::default();
        each_line(errors, |line| {
            eprintln!("{line}");
            read.read_error(line);
        });
        read.targets
    });
    let mut read = Outcome::default();
    each_line(child.stdout.take().context("standard output is a pipe")?, |line| {
        println!("{line}");
        read.read_line(line);
    });
    read.success = child.wait().context("waiting for cargo test")?.success();
    read.targets = errors.join().map_err(|_| anyhow::anyhow!("reading what cargo prints failed"))?;
    Ok(read)
}

fn each_line(from: impl Read, mut act: impl FnMut(&str)) {
    for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
        act(&String::from_utf8_lossy(&line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_tests_and_their_binaries_are_found_in_what_cargo_prints() {
        let mut read = Outcome::default();
        for line in
            ["test a::passes ... ok", "test a::fails::webdav ... FAILED", "test result: FAILED. 1 passed"]
        {
            read.read_line(line);
        }
        for line in
            ["     Running tests/server/main.rs (target/debug/deps/server-1)", "error: 1 target failed:"]
        {
            read.read_error(line);
        }
        read.read_error("    `-p pierhead --test server`");

        assert_eq!((read.passed, read.failed), (1, vec!["a::fails::webdav".to_owned()]));
        assert_eq!(read.targets, ["-p pierhead --test server"]);
    }
}
