//! Load generators: h2load for a fixed rate, wrk for as fast as it goes.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::run::output;

/// The key that the story's proxy verifies; sent to every target, so that all requests are alike.
const KEY_HEADER: &str = "apikey: key-0";

/// What a load saw.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) requests: u64,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
}

/// 4,000 requests per second over 32 connections.
pub(super) fn fixed_rate(url: &str, seconds: u32, scratch: &Path) -> anyhow::Result<Seen> {
    let log = scratch.join("h2load.log");
    let _ = std::fs::remove_file(&log);
    let text = output(
        Command::new("h2load")
            .args(["--h1", "-t1", "-c32", "--rps=125", "-H", KEY_HEADER])
            .arg(format!("-D{seconds}"))
            .arg(format!("--log-file={}", log.display()))
            .arg(url),
    )?;
    let line = text.lines().find(|line| line.starts_with("status codes:")).context("h2load prints codes")?;
    let good: u64 = line
        .trim_start_matches("status codes:")
        .split_whitespace()
        .next()
        .and_then(|count| count.parse().ok())
        .context("h2load counts answers")?;
    if !line.contains(" 0 3xx, 0 4xx, 0 5xx") || good == 0 {
        bail!("{url}: {line}");
    }
    let mut times: Vec<u64> = std::fs::read_to_string(&log)?
        .lines()
        .filter_map(|line| line.split('\t').nth(2)?.parse().ok())
        .collect();
    times.sort_unstable();
    let at = |share: f64| {
        // Precise enough for a rank.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank"
        )]
        let rank = (times.len() as f64 * share) as usize;
        times.get(rank.min(times.len().saturating_sub(1))).copied().unwrap_or_default()
    };
    Ok(Seen { requests: good, p50_us: at(0.5), p99_us: at(0.99) })
}

/// As fast as it goes over `connections`.
pub(super) fn closed_loop(url: &str, seconds: u32, connections: u32) -> anyhow::Result<Seen> {
    let text = output(
        Command::new("wrk")
            .args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}"), "-H", KEY_HEADER])
            .arg(url),
    )?;
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        bail!("{url}: {text}");
    }
    let line = text.lines().find(|line| line.contains(" requests in ")).context("wrk counts requests")?;
    let requests = line.split_whitespace().next().and_then(|count| count.parse().ok()).context("a count")?;
    Ok(Seen { requests, ..Seen::default() })
}
