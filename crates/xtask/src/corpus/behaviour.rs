//! `cargo xtask corpus <folder> --behaviour`: what public bundles are described to do, tried over HTTP.
//!
//! The bundles are where their owners publish them and the descriptions beside them: feature files, call scripts,
//! READMEs. The stories that try them are ours, in `tests/behaviour/`. A story serves its bundles as they are, says
//! what their environment holds and what their targets answer, sends calls, and compares the answers and what the
//! targets were asked. Time stands still in between. A description that no story covers and no exception explains fails.

mod call;
mod compare;
mod oauth1;
mod story;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::json;

use super::Corpus;
use story::{Exception, Story, Tales};

/// What came of one scenario.
enum Verdict {
    Passed,
    Failed(String),
    /// The bundle is not in the folder.
    Absent,
}

pub(super) async fn run(arguments: &Corpus) -> anyhow::Result<()> {
    let Tales { stories, exceptions } = story::read_all(&story::folder())?;
    let (mut passed, mut failed, mut absent) = (0_usize, 0_usize, 0_usize);
    println!("result  scenario");
    for (file, story) in &stories {
        if arguments.only.as_ref().is_some_and(|only| !file.contains(only.as_str())) {
            continue;
        }
        let verdicts = try_out(story, collection(&arguments.folder, &story.collection).as_deref()).await;
        for (scenario, verdict) in story.scenarios.iter().zip(verdicts) {
            let (mark, why) = match verdict {
                Verdict::Passed => ("passed", None),
                Verdict::Failed(why) => ("FAILED", Some(why)),
                Verdict::Absent => ("absent", None),
            };
            passed += usize::from(mark == "passed");
            failed += usize::from(mark == "FAILED");
            absent += usize::from(mark == "absent");
            println!("{mark:<7} {file}: {}", scenario.name);
            for line in why.iter().flat_map(|why| why.lines()) {
                println!("        {line}");
            }
        }
    }
    let collections: BTreeSet<&str> = stories.iter().map(|(_, story)| story.collection.as_str()).collect();
    let mut described = Vec::new();
    for name in collections {
        if let Some(root) = collection(&arguments.folder, name) {
            descriptions(&root, &root, &mut described)?;
        }
    }
    let covered = |at: &&String| stories.iter().any(|(_, story)| story.describes.contains(at));
    let excepted = |at: &&String| exceptions.iter().any(|exception| exception.describes == **at);
    let open: Vec<&String> = described.iter().filter(|at| !covered(at) && !excepted(at)).collect();
    print_exceptions(&exceptions);
    for at in &open {
        println!("not covered: {at}");
    }
    let counts = json!({
        "scenarios": passed + failed + absent,
        "passed": passed,
        "failed": failed,
        "absent": absent,
        "descriptions": described.len(),
        "covered": described.iter().filter(covered).count(),
        "excepted": described.iter().filter(excepted).count(),
        "not_covered": open.len(),
    });
    if arguments.json {
        println!("{counts}");
    } else {
        println!(
            "\n{passed} passed, {failed} failed, {absent} absent; {} of {} descriptions covered, {} excepted",
            counts["covered"],
            described.len(),
            counts["excepted"]
        );
    }
    if failed > 0 || !open.is_empty() {
        bail!("{failed} scenarios failed, {} descriptions are not covered", open.len());
    }
    Ok(())
}

fn print_exceptions(exceptions: &[Exception]) {
    if !exceptions.is_empty() {
        println!("\nnot tried: why");
    }
    for exception in exceptions {
        println!("{}: {}", exception.describes, exception.reason);
    }
    println!();
}

/// All scenarios of a story, one after another, each with a gateway of its own.
async fn try_out(story: &Story, root: Option<&Path>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for scenario in &story.scenarios {
        let verdict = match root {
            Some(root) if story.is_in(root) => match call::play(story, scenario, root).await {
                Ok(()) => Verdict::Passed,
                Err(why) => Verdict::Failed(format!("{why:#}")),
            },
            _ => Verdict::Absent,
        };
        verdicts.push(verdict);
    }
    verdicts
}

/// Where `owner/name` was unpacked or cloned to: `name`, `owner+name` or `owner/name`, or the folder itself.
fn collection(folder: &Path, name: &str) -> Option<PathBuf> {
    let short = name.rsplit('/').next().unwrap_or(name);
    let joined = name.replace('/', "+");
    let itself = folder.canonicalize().ok()?;
    let own = itself.file_name()?.to_string_lossy().into_owned();
    if own == short || own == joined {
        return Some(itself);
    }
    [short, &joined, name].into_iter().map(|name| folder.join(name)).find(|path| path.is_dir())
}

/// Every feature file and call script below `at`, as paths below `root`.
fn descriptions(root: &Path, at: &Path, found: &mut Vec<String>) -> anyhow::Result<()> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(at).with_context(|| format!("listing {}", at.display()))? {
        entries.push(entry?);
    }
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (name, path) = (entry.file_name(), entry.path());
        let kind = entry.file_type()?;
        if kind.is_dir() && name != "node_modules" && name != ".git" {
            descriptions(root, &path, found)?;
        }
        let describes = name == "invoke.sh" || path.extension().is_some_and(|kind| kind == "feature");
        if kind.is_file() && describes {
            let below = path.strip_prefix(root).unwrap_or(&path);
            found.push(below.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
