//! CPU time and memory of a process with its children, as the kernel counts them.

use std::fs;

use anyhow::Context;

/// Nanoseconds on a CPU of `pid` and its descendants, all threads, so far.
pub(super) fn nanoseconds(pid: u32) -> u64 {
    family(pid).into_iter().map(of_process).sum()
}

/// The sum of the largest resident sizes of `pid` and its descendants, in KiB.
pub(super) fn peak_resident_kib(pid: u32) -> u64 {
    family(pid).into_iter().filter_map(|pid| status(pid, "VmHWM:")).sum()
}

/// The resident size of one process, in KiB.
pub(super) fn resident_kib(pid: u32) -> anyhow::Result<u64> {
    status(pid, "VmRSS:").with_context(|| format!("process {pid} is gone"))
}

/// The sum of the resident sizes of `pid` and its descendants, in KiB.
pub(super) fn resident_together_kib(pid: u32) -> u64 {
    family(pid).into_iter().filter_map(|pid| status(pid, "VmRSS:")).sum()
}

/// [`reset_peak`] for `pid` and its descendants.
pub(super) fn reset_peaks(pid: u32) -> anyhow::Result<()> {
    family(pid).into_iter().try_for_each(reset_peak)
}

/// Forgets the largest resident size of one process so far: it counts anew from the present one.
pub(super) fn reset_peak(pid: u32) -> anyhow::Result<()> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").context("resetting the largest resident size")
}

fn status(pid: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

fn of_process(pid: u32) -> u64 {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return 0 };
    threads
        .flatten()
        .filter_map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        })
        .sum()
}

fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut at = 0;
    while at < all.len() {
        let parent = all[at];
        let children =
            fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        at += 1;
    }
    all
}
