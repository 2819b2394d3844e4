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
    /// Answered well.
    pub(super) requests: u64,
    /// Answered otherwise or not at all.
    pub(super) failed: u64,
    pub(super) per_second: f64,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
}

/// A load of h2load.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fire<'a> {
    pub(super) url: &'a str,
    /// A file of addresses that are asked in turn, instead of `url`.
    pub(super) urls: Option<&'a Path>,
    pub(super) headers: &'a [String],
    /// What every request carries.
    pub(super) body: Option<&'a Path>,
    pub(super) connections: u32,
    /// Requests per second of all connections together; `None` is as fast as it goes.
    pub(super) rate: Option<u32>,
    pub(super) seconds: u32,
}

impl Fire<'_> {
    /// Runs it; answers that are not 2xx, and requests without one, are counted.
    pub(super) fn run(&self, scratch: &Path) -> anyhow::Result<Seen> {
        let log = scratch.join("h2load.log");
        let _ = std::fs::remove_file(&log);
        let mut h2load = Command::new("h2load");
        h2load.args(["--h1", "-t1", &format!("-c{}", self.connections), &format!("-D{}", self.seconds)]);
        if let Some(rate) = self.rate {
            h2load.arg(format!("--rps={:.3}", f64::from(rate) / f64::from(self.connections)));
        }
        for header in self.headers {
            h2load.args(["-H", header]);
        }
        if let Some(body) = self.body {
            h2load.arg("-d").arg(body);
        }
        h2load.arg(format!("--log-file={}", log.display()));
        match self.urls {
            Some(urls) => h2load.arg("-i").arg(urls),
            None => h2load.arg(self.url),
        };
        let text = output(&mut h2load)?;
        let codes = counts(&text, "status codes:").context("h2load prints codes")?;
        let ends = counts(&text, "requests:").context("h2load counts requests")?;
        let [good, rest @ ..] = codes.as_slice() else { bail!("h2load counts answers") };
        // total, started, done, succeeded, failed, errored, timeout
        let lost: u64 = ends.iter().skip(4).take(1).sum();
        let mut times: Vec<u64> = std::fs::read_to_string(&log)?
            .lines()
            .filter_map(|line| line.split('\t').nth(2)?.parse().ok())
            .collect();
        times.sort_unstable();
        Ok(Seen {
            requests: *good,
            failed: rest.iter().sum::<u64>() + lost,
            per_second: as_f64(*good) / f64::from(self.seconds),
            p50_us: at(&times, 0.5),
            p99_us: at(&times, 0.99),
        })
    }
}

/// The numbers of a line of h2load: `status codes: 800 2xx, 0 3xx, …`.
fn counts(text: &str, name: &str) -> Option<Vec<u64>> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split(',').map(|part| part.split_whitespace().next()?.parse().ok()).collect()
}

fn at(sorted: &[u64], share: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank"
    )]
    let rank = (sorted.len() as f64 * share) as usize;
    sorted.get(rank.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// 4,000 requests per second over 32 connections.
pub(super) fn fixed_rate(url: &str, seconds: u32, scratch: &Path) -> anyhow::Result<Seen> {
    let headers = [KEY_HEADER.to_owned()];
    let fire = Fire { url, headers: &headers, connections: 32, rate: Some(4000), seconds, ..Fire::default() };
    let seen = fire.run(scratch)?;
    if seen.failed > 0 || seen.requests == 0 {
        bail!("{url}: {} good answers, {} others", seen.requests, seen.failed);
    }
    Ok(seen)
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
        failed: 0,
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
    fn the_counts_of_h2load_are_read() {
        let text = "requests: 9 total, 9 started, 8 done, 7 succeeded, 1 failed, 1 errored, 0 timeout\nstatus codes: 7 2xx, 0 3xx, 1 4xx, 0 5xx\n";
        assert_eq!(counts(text, "status codes:"), Some(vec![7, 0, 1, 0]));
        assert_eq!(counts(text, "requests:").map(|all| all[4]), Some(1));
        assert_eq!(counts("nothing", "requests:"), None);
    }

    #[test]
    fn times_are_read_in_all_units_of_wrk() {
        assert_eq!(microseconds("850.00us"), Some(850));
        assert_eq!(microseconds("1.57ms"), Some(1570));
        assert_eq!(microseconds("1.02s"), Some(1_020_000));
        assert_eq!(microseconds("1.02m"), None);
    }
}
