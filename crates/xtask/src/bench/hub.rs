//! This story's proxy with the in-process hub, beside the bare proxies of nginx and of ours; 1 GiB either
//! way; the start.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde::Serialize;

use super::bulk::{self, Transfer};
use super::installation::{Drive, Installation};
use super::proxy::{Stand, build};
use super::rounds::{self, Case, Figure, Target};
use super::start::{self, Starts};
use crate::peers::debian;

const TARGETS: &[&str] = &["nginx", "gateway bare", "gateway and hub"];

const CASES: [Case; 2] = [
    Case { name: "1 KiB, fixed 4,000/s", file: "1k", connections: None, targets: TARGETS },
    Case { name: "1 KiB, closed loop", file: "1k", connections: Some(32), targets: TARGETS },
];

/// How to measure it.
#[derive(Args)]
pub(crate) struct HubOptions {
    #[command(flatten)]
    common: super::Options,
    /// Measure this program instead of building one, to compare two builds.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// Everything, as `--json` prints it.
#[derive(Serialize)]
struct Report {
    requests: Vec<Figure>,
    transfers: Vec<Transfer>,
    starts: Starts,
}

pub(super) fn run(options: &HubOptions) -> anyhow::Result<()> {
    debian::ensure("curl", "curl")?;
    debian::ensure("cmp", "diffutils")?;
    let HubOptions { common, binary } = options;
    let binary = match binary {
        Some(binary) => binary.canonicalize().with_context(|| format!("finding {}", binary.display()))?,
        None => build(&common.profile, &["-p", "pierhead"], "pierhead")?,
    };
    let scratch = crate::run::cache()?.join("bench-hub");
    let vault = scratch.join("bulk");
    std::fs::create_dir_all(&vault).context("making the folder of large files")?;
    let mut stand = Stand::set_up(&common.profile)?;
    let mut installation = Installation::start(&binary, &scratch)?;
    installation.publish_folder(&stand.files)?;
    stand.targets.push(Target {
        name: "gateway and hub",
        pid: installation.pid(),
        port: installation.gateway,
        path: "/folder/files?path=/",
    });
    let mut requests = Vec::new();
    for case in &CASES {
        requests.extend(rounds::measure(&stand.targets, case, common, &stand.scratch)?);
    }

    let source = bulk::source(&vault)?;
    let drive = Drive::start(&binary)?;
    installation.publish_drive(&drive)?;
    let mut transfers = Vec::new();
    for vendor in ["folder", "googledrive"] {
        let (served, both) = bulk::there_and_back(installation, vendor, &source)?;
        installation = served;
        transfers.extend(both);
    }
    installation.stop()?;
    drop((drive, stand));

    let report = Report { requests, transfers, starts: start::measure(&binary, &scratch.join("data"))? };
    if common.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        rounds::print(&report.requests);
        println!();
        bulk::print(&report.transfers);
        println!();
        start::print(&report.starts);
    }
    Ok(())
}
