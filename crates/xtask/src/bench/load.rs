//! Load generators: h2load for a fixed rate, wrk for as fast as it goes.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use super::rounds::as_f64;
use crate::run::output;

/// The key that the story's proxy verifies; sent to every target, so that all requests are alike.
const KEY_HEADER: &str = "apikey: key-0";

/// What a load saw.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) requests: u64,
    pub(super) per_second: f64,
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
    let per_second = as_f64(good) / f64::from(seconds);
    Ok(Seen { requests: good, per_second, p50_us: at(0.5), p99_us: at(0.99) })
}

/// As fast as it goes over `connections`.
pub(super) fn closed_loop(url: &str, seconds: u32, connections: u32) -> anyhow::Result<Seen> {
    let text = output(
        Command::new("wrk")
            .args(["-t1", "--latency", &format!("-c{connections}"), &format!("-d{seconds}")])
            .args(["-H", KEY_HEADER])
            .arg(url),
    )?;
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        bail!("{url}: {text}");
    }
    let line = text.lines().find(|line| line.contains(" requests in ")).context("wrk counts requests")?;
    let requests: u64 =
        line.split_whitespace().next().and_then(|count| count.parse().ok()).context("a count")?;
    let share = |name: &str| {
        let time = text.lines().find_map(|line| line.trim().strip_prefix(name))?;
        microseconds(time.trim())
    };
    Ok(Seen {
        requests,
        per_second: as_f64(requests) / f64::from(seconds),
        p50_us: share("50%").context("wrk prints the median")?,
        p99_us: share("99%").context("wrk prints the 99th percentile")?,
    })
}

/// `850.00us`, `1.57ms` or `1.02s`, as wrk writes times.
fn microseconds(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        _ => return None,
    };
    let time = number.parse::<f64>().ok()? * factor;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time of some seconds")]
    Some(time.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_all_units_of_wrk() {
        assert_eq!(microseconds("850.00us"), Some(850));
        assert_eq!(microseconds("1.57ms"), Some(1570));
        assert_eq!(microseconds("1.02s"), Some(1_020_000));
        assert_eq!(microseconds("1.02m"), None);
    }
}
