//! This story's proxy with the in-process hub, beside the bare proxies of nginx and of ours; 1 GiB either
//! way; the start.

use anyhow::Context;
use serde::Serialize;

use super::Options;
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

/// Everything, as `--json` prints it.
#[derive(Serialize)]
struct Report {
    requests: Vec<Figure>,
    transfers: Vec<Transfer>,
    starts: Starts,
}

pub(super) fn run(options: &Options) -> anyhow::Result<()> {
    debian::ensure("curl", "curl")?;
    debian::ensure("cmp", "diffutils")?;
    let binary = build(&options.profile, &["-p", "pierhead"], "pierhead")?;
    let scratch = crate::run::cache()?.join("bench-hub");
    let vault = scratch.join("bulk");
    std::fs::create_dir_all(&vault).context("making the folder of large files")?;
    let mut stand = Stand::set_up(&options.profile)?;
    let installation = Installation::start(&binary, &scratch)?;
    installation.publish_folder(&stand.files)?;
    stand.targets.push(Target {
        name: "gateway and hub",
        pid: installation.pid(),
        port: installation.gateway,
        path: "/folder/files?path=/",
    });
    let mut requests = Vec::new();
    for case in &CASES {
        requests.extend(rounds::measure(&stand.targets, case, options, &stand.scratch)?);
    }

    let source = bulk::source(&vault)?;
    let drive = Drive::start(&binary)?;
    installation.publish_drive(&drive)?;
    let mut transfers = Vec::new();
    for vendor in ["folder", "googledrive"] {
        transfers.extend(bulk::there_and_back(&installation, vendor, &source)?);
    }
    installation.stop()?;
    drop((drive, stand));

    let report = Report { requests, transfers, starts: start::measure(&binary, &scratch.join("data"))? };
    if options.json {
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
