//! 1 GiB through gateway and hub, either way: how much the server grows.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};
use serde::Serialize;

use super::cpu;
use super::installation::{Installation, curl};
use super::rounds::as_f64;

const SIZE: u64 = 1 << 30;

/// What one transfer cost.
#[derive(Debug, Serialize)]
pub(super) struct Transfer {
    vendor: &'static str,
    direction: &'static str,
    seconds: f64,
    mib_per_second: f64,
    cpu_seconds: f64,
    resident_before_mib: f64,
    peak_resident_mib: f64,
    growth_mib: f64,
}

/// Writes 1 GiB that differs from place to place, so that a lost or doubled piece shows.
pub(super) fn source(folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    let path = folder.join("1g");
    if fs::metadata(&path).is_ok_and(|known| known.len() == SIZE) {
        return Ok(path);
    }
    let mut file = std::io::BufWriter::with_capacity(1 << 20, fs::File::create(&path)?);
    for place in 0..SIZE / 8 {
        // Fibonacci hashing: a bijection, so no two places hold the same eight bytes.
        file.write_all(&place.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes())?;
    }
    file.flush()?;
    Ok(path)
}

/// Uploads `source` through the gateway's proxy of `vendor`, then downloads it and compares it byte for byte.
/// Each begins on a fresh server that has carried one small file the same way: what grows is what 1 GiB needs.
pub(super) fn there_and_back(
    mut installation: Installation,
    vendor: &'static str,
    source: &Path,
) -> anyhow::Result<(Installation, [Transfer; 2])> {
    let base = format!("http://127.0.0.1:{}/{vendor}/files?path=", installation.gateway);
    let (small, large) = (format!("{base}/small"), format!("{base}/bulk"));
    let upload = |content: &str, url: &str| {
        let form = format!("file={content};filename=bulk;type=application/octet-stream");
        curl(&["-F", &form, url]).map(drop)
    };

    installation = installation.restart()?;
    upload("small", &small)?;
    let sent =
        watched(installation.pid(), vendor, "upload", || upload(&format!("@{}", source.display()), &large))?;
    installation = installation.restart()?;
    curl(&[&small])?;
    let fetched = watched(installation.pid(), vendor, "download", || compare(&large, source))?;
    for url in [small, large] {
        curl(&["-X", "DELETE", &url])?;
    }
    Ok((installation, [sent, fetched]))
}

/// Downloads into `cmp`: nothing is kept, and the first differing byte fails.
fn compare(url: &str, source: &Path) -> anyhow::Result<()> {
    let mut download = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", url])
        .stdout(Stdio::piped())
        .spawn()
        .context("starting curl")?;
    let bytes = download.stdout.take().context("curl writes")?;
    let same = Command::new("cmp").arg(source).arg("-").stdin(bytes).status().context("starting cmp")?;
    let ended = download.wait().context("waiting for curl")?;
    if !same.success() || !ended.success() {
        bail!("{url} did not give the bytes that were uploaded");
    }
    Ok(())
}

fn watched(
    pid: u32,
    vendor: &'static str,
    direction: &'static str,
    transfer: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Transfer> {
    cpu::reset_peak(pid)?;
    let (before, spent) = (cpu::resident_kib(pid)?, cpu::nanoseconds(pid));
    let begun = Instant::now();
    transfer().with_context(|| format!("{direction} of 1 GiB, {vendor}"))?;
    let seconds = begun.elapsed().as_secs_f64();
    let peak = cpu::peak_resident_kib(pid);
    Ok(Transfer {
        vendor,
        direction,
        seconds,
        mib_per_second: as_f64(SIZE >> 20) / seconds,
        cpu_seconds: as_f64(cpu::nanoseconds(pid).saturating_sub(spent)) / 1e9,
        resident_before_mib: as_f64(before) / 1024.0,
        peak_resident_mib: as_f64(peak) / 1024.0,
        growth_mib: as_f64(peak.saturating_sub(before)) / 1024.0,
    })
}

pub(super) fn print(transfers: &[Transfer]) {
    println!("| 1 GiB | growth MiB (budget 32) | resident before → peak MiB | seconds | MiB/s | CPU s |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for it in transfers {
        println!(
            "| {} {} | {:.1} | {:.0} → {:.0} | {:.1} | {:.0} | {:.1} |",
            it.vendor,
            it.direction,
            it.growth_mib,
            it.resident_before_mib,
            it.peak_resident_mib,
            it.seconds,
            it.mib_per_second,
            it.cpu_seconds,
        );
    }
}
