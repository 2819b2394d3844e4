//! Whether tests notice that a policy does nothing: its body is removed and they run again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::sheet::{POLICIES, Sheet};
use crate::run::{output, root};

/// What the last run found, by kind.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Mutations(BTreeMap<String, Mutation>);

/// One policy without its body.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub(super) struct Mutation {
    /// How many tests it has.
    pub(super) tests: usize,
    /// How many of them fail.
    pub(super) fail: usize,
}

fn notes() -> PathBuf {
    root().join(POLICIES).join("mutations.toml")
}

impl Mutations {
    /// What was noted; nothing when no run has been.
    pub(super) fn read() -> anyhow::Result<Self> {
        match std::fs::read_to_string(notes()) {
            Ok(text) => toml::from_str(&text).context("mutations.toml"),
            Err(_) => Ok(Self::default()),
        }
    }

    pub(super) fn of(&self, kind: &str) -> Option<Mutation> {
        self.0.get(kind).copied()
    }

    pub(super) fn fails_without(&self, kind: &str) -> bool {
        self.of(kind).is_some_and(|mutation| mutation.fail > 0)
    }
}

/// Runs the tests of each policy without its body, and notes the result.
pub(super) fn run(sheets: &[Sheet]) -> anyhow::Result<()> {
    let tests = test_program()?;
    let mut found = Mutations::default();
    for sheet in sheets {
        let file = sheet.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let filter = format!("policy::{}::{file}::", sheet.family());
        let run = Command::new(&tests)
            .args([&filter, "--test-threads=2"])
            .env("PIERHEAD_WITHOUT_POLICY", &sheet.kind)
            .current_dir(root().join("crates/gateway"))
            .output()
            .with_context(|| format!("running the tests of {}", sheet.kind))?;
        let mutation = read(&String::from_utf8_lossy(&run.stdout))
            .with_context(|| format!("reading how the tests of {} ended", sheet.kind))?;
        println!("{:<28} {:>3} of {:>3} tests fail", sheet.kind, mutation.fail, mutation.tests);
        found.0.insert(sheet.kind.clone(), mutation);
    }
    let head =
        "# How many tests of a policy fail without its body: written by `cargo xtask policies --mutate`.\n";
    std::fs::write(notes(), format!("{head}{}", toml::to_string(&found)?)).context("mutations.toml")?;
    Ok(())
}

/// Builds the gateway's unit tests; gives the program.
fn test_program() -> anyhow::Result<PathBuf> {
    let built = output(Command::new(env!("CARGO")).args([
        "test",
        "--quiet",
        "-p",
        "pierhead-gateway",
        "--lib",
        "--no-run",
        "--message-format=json",
    ]))?;
    for line in built.lines() {
        let Ok(message) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        if message["target"]["name"] == "pierhead_gateway"
            && let Some(program) = message["executable"].as_str()
        {
            return Ok(program.into());
        }
    }
    bail!("cargo names no test program of pierhead-gateway")
}

/// Reads `test result: …. 3 passed; 2 failed; …`.
fn read(stdout: &str) -> Option<Mutation> {
    let line = stdout.lines().rev().find(|line| line.starts_with("test result:"))?;
    let number = |word: &str| {
        let before = line.split(word).next()?;
        before.trim_end().rsplit([' ', ';', '.']).next()?.parse::<usize>().ok()
    };
    let (passed, fail) = (number(" passed")?, number(" failed")?);
    Some(Mutation { tests: passed + fail, fail })
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn the_last_result_is_read() {
        let stdout = "running 5 tests\ntest result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.1s\n";
        let mutation = read(stdout).unwrap();
        assert_eq!((mutation.tests, mutation.fail), (5, 2));
        assert!(read("nothing").is_none());
    }
}
