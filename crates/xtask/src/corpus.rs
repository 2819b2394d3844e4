//! `cargo xtask corpus <folder>`: every bundle in a folder, and how far each gets.
//!
//! * **parse**: every document of it was read; nothing in it is an error.
//! * **round trip**: exported in its own dialect, packed, unpacked and read again, it is the same.
//! * **deploy**: it compiles in an environment that has the servers it names and the shared flows of the folder, but
//!   and somebody at Google to make tokens for, but no key value maps, keys or certificates. *Degraded* when a request can reach a part that cannot run here.
//! * **run**: deployed in memory with echoing targets, one `GET` to each of its base paths is answered, and not by
//!   our failure: no broken connection, no 404 of the gateway, no 501, no 502, 503 or 504, no 500 but one that a policy of the
//!   bundle raised (a key that is missing, a fault that the bundle defines).

mod behaviour;
mod outcome;
mod request;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use pierhead_bundle::local::{LocalGateway, Options};
use pierhead_bundle::{Content, Discovery, Found, Limits, find};
use pierhead_gateway::design::SharedFlowDesign;
use serde_json::json;

use outcome::{Outcome, judge};

/// Flags of `corpus`.
#[derive(Args)]
pub(crate) struct Corpus {
    /// Where to look: a folder, or a zip.
    folder: PathBuf,
    /// End in one line of JSON with the counts.
    #[arg(long)]
    json: bool,
    /// Also print the whole report of each bundle.
    #[arg(long)]
    reports: bool,
    /// Tries what the bundles are described to do: the stories of `tests/behaviour/`.
    #[arg(long, conflicts_with = "reports")]
    behaviour: bool,
    /// Only stories whose file has this in its name.
    #[arg(long, requires = "behaviour")]
    only: Option<String>,
}

pub(crate) fn run(arguments: &Corpus) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting")?;
    if arguments.behaviour {
        return runtime.block_on(behaviour::run(arguments));
    }
    runtime.block_on(run_all(arguments))
}

async fn run_all(arguments: &Corpus) -> anyhow::Result<()> {
    let limits = Limits::default();
    let Discovery { found, refused } = find(&arguments.folder, &limits)?;
    let flows: Vec<_> = found.iter().flat_map(shared_flows).collect();
    let options = Options {
        mock_targets: true,
        threads: NonZeroUsize::new(1),
        // Twice: a flow may call one that comes after it.
        shared_flows: flows.iter().chain(&flows).cloned().collect(),
        ..Options::default()
    };
    let gateway = LocalGateway::start(options).await.context("starting a gateway")?;
    let mut outcomes = Vec::new();
    for found in &found {
        let outcome = judge(found, &gateway, &limits).await;
        if arguments.reports {
            println!("{}\n{}", outcome.at, outcome.report);
        }
        outcomes.push(outcome);
    }
    gateway.stop().await;
    print_table(&outcomes);
    for (file, why) in &refused {
        println!("not read: {file}: {why}");
    }
    let reasons = print_reasons(&outcomes);
    let count = |holds: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| holds(outcome)).count();
    let counts = json!({
        "bundles": outcomes.len(),
        "parsed": count(|outcome| outcome.parsed),
        "round_trip": count(|outcome| outcome.round_trip),
        "deployed": count(|outcome| outcome.deployed),
        "degraded": count(|outcome| outcome.deployed && outcome.degraded),
        "undegraded": count(|outcome| outcome.deployed && !outcome.degraded),
        "run": count(|outcome| outcome.run),
        "with_unknown_elements": count(|outcome| outcome.unknown_elements > 0),
        "zips_refused": refused.len(),
        "reasons": reasons,
    });
    if arguments.json {
        println!("{counts}");
    } else {
        let percent = |name: &str| {
            let part = counts[name].as_u64().unwrap_or(0);
            format!("{part} {name} ({} %)", part * 100 / outcomes.len().max(1) as u64)
        };
        let names = ["parsed", "round_trip", "deployed", "undegraded", "degraded", "run"];
        println!("\n{} bundles: {}", outcomes.len(), names.map(percent).join(", "));
    }
    Ok(())
}

/// A shared flow under its own name, and under its folder's: importers are told a name, and it is often that one.
fn shared_flows(found: &Found) -> Vec<SharedFlowDesign> {
    let Content::SharedFlow(design) = &found.bundle.content else { return Vec::new() };
    let folder = found.at.trim_end_matches("/sharedflowbundle").rsplit(['/', '!']).next().unwrap_or_default();
    let renamed = SharedFlowDesign { name: folder.to_owned(), ..design.as_ref().clone() };
    vec![design.as_ref().clone(), renamed]
}

fn print_table(outcomes: &[Outcome]) {
    println!("parse  trip   deploy    run    bundle");
    for outcome in outcomes {
        let mark = |good: bool| if good { "yes" } else { "NO" };
        let deploy = match (outcome.deployed, outcome.degraded) {
            (true, false) => "yes",
            (true, true) => "degraded",
            (false, _) => "NO",
        };
        println!(
            "{:<6} {:<6} {deploy:<9} {:<6} {}",
            mark(outcome.parsed),
            mark(outcome.round_trip),
            mark(outcome.run),
            outcome.at
        );
        let answers = (!outcome.answers.is_empty()).then(|| outcome.answers.join(", "));
        for line in outcome.reasons.iter().chain(&answers) {
            println!("{:30} {line}", "");
        }
    }
}

/// Counts of the reasons, the most frequent first: in how many bundles each stands.
fn print_reasons(outcomes: &[Outcome]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::<String, usize>::new();
    for outcome in outcomes {
        let mut own: Vec<&String> = outcome.short_reasons.iter().collect();
        own.sort();
        own.dedup();
        for reason in own {
            *counts.entry(reason.clone()).or_default() += 1;
        }
    }
    let mut sorted: Vec<_> = counts.iter().collect();
    sorted.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), (*reason).clone()));
    println!("\nbundles  reason");
    for (reason, count) in sorted {
        println!("{count:<8} {reason}");
    }
    counts
}
