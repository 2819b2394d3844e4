//! All figures of a run, as one table a kind or one JSON document.

use serde::Serialize;

use super::bulk::Transfer;
use super::requests::{Figure, Spread};
use super::routes::Deploys;
use super::sockets::Sockets;

/// What came out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Who could not be had, and why.
    missing: Vec<(&'static str, String)>,
    /// Who could be had and did not do its work: case, name, why.
    failed: Vec<(&'static str, &'static str, String)>,
    requests: Vec<Figure>,
    transfers: Vec<Transfer>,
    deploys: Option<Deploys>,
    sockets: Vec<Sockets>,
}

impl Report {
    pub(super) fn new(missing: Vec<(&'static str, String)>) -> Self {
        Self { missing, ..Self::default() }
    }

    /// Notes a peer that did not do a case's work.
    pub(super) fn failed(&mut self, case: &'static str, name: &'static str, why: &anyhow::Error) {
        eprintln!("{name} fails in case {case}: {why:#}");
        self.failed.push((case, name, format!("{why:#}")));
    }

    /// What a case came to; or its failure is noted.
    pub(super) fn or_failed<T>(&mut self, case: &'static str, came: anyhow::Result<T>) -> Option<T> {
        came.map_err(|why| self.failed(case, "the case", &why)).ok()
    }

    pub(super) fn requests(&mut self, figures: Vec<Figure>) {
        self.requests.extend(figures);
    }

    pub(super) fn transfers(&mut self, transfers: Vec<Transfer>) {
        self.transfers = transfers;
    }

    pub(super) fn deploys(&mut self, deploys: Deploys) {
        self.deploys = Some(deploys);
    }

    pub(super) fn sockets(&mut self, sockets: Vec<Sockets>) {
        self.sockets = sockets;
    }

    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        for (name, why) in &self.missing {
            println!("Not measured: {name}: {}", why.replace('\n', " "));
        }
        for (case, name, why) in &self.failed {
            println!("Failed in case {case}: {name}: {}", why.replace('\n', " "));
        }
        self.print_requests();
        self.print_transfers();
        if let Some(deploys) = &self.deploys {
            print_deploys(deploys);
        }
        self.print_sockets();
        Ok(())
    }

    fn print_requests(&self) {
        if self.requests.is_empty() {
            return;
        }
        println!(
            "\n| case | target | CPU µs/request (spread) | × bare nginx (spread) | requests/s | p50 µs | p99 µs | peak RSS MiB | requests | failed |"
        );
        println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        for it in &self.requests {
            println!(
                "| {} | {} | {} | {} | {:.0}{} | {} | {} | {:.0} | {} | {} |",
                it.case,
                it.target,
                spread(it.cpu_us, 1),
                spread(it.ratio, 2),
                it.per_second,
                if it.rate.is_some() { "" } else { " (closed loop)" },
                it.p50_us,
                it.p99_us,
                it.peak_resident_mib,
                it.requests,
                it.failed,
            );
        }
    }

    fn print_transfers(&self) {
        if self.transfers.is_empty() {
            return;
        }
        println!(
            "\n| transfer | target | CPU s (spread) | × nginx (spread) | MiB/s (spread) | resident growth MiB (spread) |"
        );
        println!("| --- | --- | --- | --- | --- | --- |");
        for it in &self.transfers {
            println!(
                "| {} of {} MiB | {} | {} | {} | {} | {} |",
                it.direction,
                it.bytes >> 20,
                it.target,
                spread(it.cpu_seconds, 2),
                spread(it.ratio, 2),
                spread(it.mib_per_second, 0),
                spread(it.growth_mib, 1),
            );
        }
    }

    fn print_sockets(&self) {
        if self.sockets.is_empty() {
            return;
        }
        println!("\n| idle WebSockets | open | bytes each | resident before → open MiB |");
        println!("| --- | --- | --- | --- |");
        for it in &self.sockets {
            match &it.refused {
                Some(why) => println!("| {} | none: {} | | |", it.target, why.replace('\n', " ")),
                None => println!(
                    "| {} | {} | {} | {} → {} |",
                    it.target,
                    it.open,
                    it.bytes_per_connection,
                    it.resident_kib_before >> 10,
                    it.resident_kib_open >> 10
                ),
            }
        }
    }
}

fn print_deploys(it: &Deploys) {
    println!("\n| deploying once a second among {} proxies | |", it.proxies);
    println!("| --- | --- |");
    println!("| requests / failed | {} / {} |", it.requests, it.failed);
    println!(
        "| deployments, milliseconds each (spread) | {}, {} |",
        it.swaps,
        spread(thousandth(it.swap_us), 1)
    );
    println!("| p99 µs, with / without deployments | {} / {} |", it.p99_us, it.p99_us_without);
    println!("| CPU µs/request, with / without | {:.1} / {:.1} |", it.cpu_us, it.cpu_us_without);
    println!(
        "| resident MiB, before → after | {:.0} → {:.0} |",
        it.resident_mib_before, it.resident_mib_after
    );
}

fn thousandth(of: Spread) -> Spread {
    Spread { lowest: of.lowest / 1e3, median: of.median / 1e3, highest: of.highest / 1e3 }
}

fn spread(of: Spread, digits: usize) -> String {
    format!("{:.digits$} ({:.digits$}–{:.digits$})", of.median, of.lowest, of.highest)
}
