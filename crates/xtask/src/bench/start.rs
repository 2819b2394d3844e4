//! From the start of the process to the first 200 of `/readyz`, and the memory of a server that does nothing.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::bail;
use serde::Serialize;

use super::cpu;
use super::installation::serve;
use super::rounds::{as_f64, median, sorted};
use crate::run::{Running, free_port};

/// Starts that are measured.
const STARTS: usize = 10;
/// How long the server is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(2);

/// Medians and spreads over all starts.
#[derive(Debug, Serialize)]
pub(super) struct Starts {
    starts: usize,
    ready_ms: f64,
    fastest_ms: f64,
    slowest_ms: f64,
    cpu_ms: f64,
    idle_resident_mib: f64,
    highest_idle_mib: f64,
}

/// Starts and stops the server on a data directory that an earlier start filled.
pub(super) fn measure(binary: &Path, data: &Path) -> anyhow::Result<Starts> {
    let (mut ready, mut spent, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let (control, gateway) = (free_port()?, free_port()?);
        let begun = Instant::now();
        let server = Running::start(&mut serve(binary, data, control, gateway))?;
        wait_until_ready(control)?;
        ready.push(begun.elapsed().as_secs_f64() * 1000.0);
        spent.push(as_f64(cpu::nanoseconds(server.pid())) / 1e6);
        std::thread::sleep(IDLE);
        idle.push(as_f64(cpu::resident_kib(server.pid())?) / 1024.0);
        server.stop()?;
    }
    let (ready, idle) = (sorted(ready.into_iter()), sorted(idle.into_iter()));
    Ok(Starts {
        starts: STARTS,
        ready_ms: median(&ready),
        fastest_ms: ready.first().copied().unwrap_or_default(),
        slowest_ms: ready.last().copied().unwrap_or_default(),
        cpu_ms: median(&sorted(spent.into_iter())),
        idle_resident_mib: median(&idle),
        highest_idle_mib: idle.last().copied().unwrap_or_default(),
    })
}

fn wait_until_ready(control: u16) -> anyhow::Result<()> {
    for _ in 0..30_000 {
        if readyz(control).is_ok_and(|status| status == *b"HTTP/1.1 200") {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    bail!("the server was not ready within 30 seconds")
}

/// The start of the answer's status line.
fn readyz(control: u16) -> std::io::Result<[u8; 12]> {
    let mut stream = TcpStream::connect(("127.0.0.1", control))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    Ok(status)
}

pub(super) fn print(starts: &Starts) {
    println!("| what | median | spread | budget |");
    println!("| --- | --- | --- | --- |");
    println!(
        "| start to ready, {} starts | {:.0} ms ({:.0} ms of CPU) | {:.0}–{:.0} ms | 300 ms |",
        starts.starts, starts.ready_ms, starts.cpu_ms, starts.fastest_ms, starts.slowest_ms
    );
    println!(
        "| idle, {} s after the start | {:.1} MiB | up to {:.1} MiB | 60 MiB |",
        IDLE.as_secs(),
        starts.idle_resident_mib,
        starts.highest_idle_mib
    );
}
