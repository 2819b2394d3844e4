//! `cargo xtask fuzz`: the fuzz targets of `fuzz/`, run by libFuzzer.
//!
//! libFuzzer needs coverage counters, which stable Rust gives by flags of LLVM. No address sanitizer, which
//! needs a nightly: `unsafe` is forbidden in every crate of ours. So neither a nightly nor cargo-fuzz is needed;
//! the folder is laid out so that `cargo fuzz` works too.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use clap::Args;

use crate::run::{cache, call, output, root, target};

/// The passes that `cargo fuzz` asks for, without a sanitizer.
const INSTRUMENTED: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// What to feed, for how long.
#[derive(Args)]
pub(crate) struct Fuzz {
    /// A target of `fuzz/fuzz_targets`; every one when left out.
    target: Option<String>,
    /// Seconds for each.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

pub(crate) fn run(options: &Fuzz) -> anyhow::Result<()> {
    let folder = root().join("fuzz");
    let targets = targets(&folder)?;
    let chosen: Vec<&String> = match &options.target {
        None => targets.iter().collect(),
        Some(name) => vec![targets.iter().find(|target| *target == name).with_context(|| {
            format!("there is no fuzz target '{name}'; there are {}", targets.join(", "))
        })?],
    };
    let programs = build(&folder, &chosen)?;
    let mut crashed = Vec::new();
    for name in chosen {
        if let Err(why) = feed(&folder, &programs, name, options.seconds) {
            eprintln!("{why:#}");
            crashed.push(name.as_str());
        }
    }
    if !crashed.is_empty() {
        let artifacts = cache()?.join("fuzz/artifacts");
        bail!("{} failed; what made them fail is in {}", crashed.join(", "), artifacts.display());
    }
    Ok(())
}

fn targets(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder.join("fuzz_targets"))? {
        let path = file?.path();
        if let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Builds the targets; the folder of their programs.
fn build(folder: &Path, names: &[&String]) -> anyhow::Result<PathBuf> {
    let version = output(Command::new("rustc").arg("-vV"))?;
    let host =
        version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names its host")?;
    let built = target().join("fuzz");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--target", host, "--manifest-path"]).arg(folder.join("Cargo.toml"));
    cargo.arg("--target-dir").arg(&built).env("RUSTFLAGS", INSTRUMENTED);
    for name in names {
        cargo.args(["--bin", name]);
    }
    call(&mut cargo)?;
    Ok(built.join(host).join("release"))
}

fn feed(folder: &Path, programs: &Path, name: &str, seconds: u32) -> anyhow::Result<()> {
    let found = cache()?.join("fuzz");
    let (corpus, artifacts) = (found.join("corpus").join(name), found.join("artifacts").join(name));
    std::fs::create_dir_all(&corpus)?;
    std::fs::create_dir_all(&artifacts)?;
    call(
        Command::new(programs.join(name))
            .arg(&corpus)
            .arg(folder.join("seeds").join(name))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .args(["-timeout=30", "-rss_limit_mb=2048", "-max_len=16384", "-print_final_stats=1"]),
    )
}
