//! `pierhead doctor`: what would keep the server from starting or from working well, each with its cure.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use pierhead_domain::{Clock, SharedRng, SystemClock, SystemRng};
use pierhead_identity::open_vault_without_database;
use pierhead_management::{BadLastGood, Settings as ManagementSettings};
use pierhead_store::Store;
use pierhead_vault::KeyRing;

use crate::cli::Settings;
use crate::commands::say;
use crate::config::Config;
use crate::start;

/// One check: what was looked at, and what is wrong with it.
struct Finding {
    what: &'static str,
    outcome: Result<String, String>,
}

/// 2026-01-01: a clock before it cannot be right, since this program did not exist.
const EARLIEST_MS: i64 = 1_767_225_600_000;

/// `Ok(false)` when something must be mended.
pub(super) async fn run(settings: &Settings) -> anyhow::Result<bool> {
    let config = match Config::load(settings.config.as_deref(), settings.flags()) {
        Ok(config) => config,
        Err(error) => {
            show(&Finding { what: "configuration", outcome: Err(error.to_string()) });
            return Ok(false);
        }
    };
    let findings = [
        Finding { what: "configuration", outcome: Ok("reads well".into()) },
        data_dir(&config),
        database(&config).await,
        keys(&config).await,
        last_good(&config),
        clock(),
        port("gateway", config.gateway.listen),
        port("control", config.control.listen),
    ];
    findings.iter().for_each(show);
    Ok(findings.iter().all(|finding| finding.outcome.is_ok()))
}

fn show(finding: &Finding) {
    match &finding.outcome {
        Ok(text) => say(&format!("ok    {:<13} {text}", finding.what)),
        Err(text) => say(&format!("FAIL  {:<13} {text}", finding.what)),
    }
}

fn data_dir(config: &Config) -> Finding {
    let folder = config.server.data_dir.display();
    let outcome = match std::fs::metadata(&config.server.data_dir) {
        Ok(metadata) if !metadata.is_dir() => Err(format!("{folder} is no folder")),
        Ok(_) => tempfile::tempfile_in(&config.server.data_dir)
            .map(|_| format!("{folder} can be written"))
            .map_err(|error| format!("{folder} cannot be written: {error}")),
        Err(_) => Ok(format!("{folder} will be made at the first start")),
    };
    Finding { what: "data", outcome }
}

async fn database(config: &Config) -> Finding {
    let outcome = async {
        let url = config.database_url().map_err(|error| error.to_string())?;
        if let pierhead_store::DatabaseUrl::Sqlite(file) = &url
            && !std::path::Path::new(file).exists()
        {
            return Ok(format!("{url} will be made at the first start"));
        }
        let store = Store::open(&url).await.map_err(|error| format!("{url}: {}", start::causes(&error)))?;
        let pending =
            store.pending_migrations().await.map_err(|error| format!("{url}: {}", start::causes(&error)))?;
        let _ = store.close().await;
        Ok(match pending.len() {
            0 => format!("{url} answers, schema up to date"),
            count => format!("{url} answers; {count} migration(s) will run at the next start"),
        })
    };
    Finding { what: "database", outcome: outcome.await }
}

async fn keys(config: &Config) -> Finding {
    let file = config.key_file();
    let outcome = match KeyRing::read(&file) {
        Ok(_) => Ok(format!("{} reads well and is private", file.display())),
        Err(pierhead_vault::KeyFileProblem::Missing(_)) if !start::has_keys(config).await => {
            Ok(format!("{} will be made at the first start", file.display()))
        }
        Err(error) => Err(error.to_string()),
    };
    Finding { what: "keys", outcome }
}

/// Whether this node could start while its database is away.
fn last_good(config: &Config) -> Finding {
    let file = start::last_good(config);
    let rng: SharedRng = Arc::new(SystemRng);
    let examined = || -> Result<String, String> {
        let keys = match file.keys() {
            Err(BadLastGood::Missing(_)) => {
                return Ok("none yet; it is written at the first start".into());
            }
            other => other.map_err(|bad| bad.to_string())?,
        };
        let vault = open_vault_without_database(&keys, &config.key_file(), &rng)
            .map_err(|error| format!("{}: {error}", file.path().display()))?;
        let organization = ManagementSettings::default().organization;
        let report = file.examine(&vault, organization).map_err(|bad| bad.to_string())?;
        let (at, parts) = (report.written.rfc3339_seconds(), report.parts);
        Ok(format!("{} opens: {parts} parts, written whole at {at}", file.path().display()))
    };
    Finding { what: "last good", outcome: examined() }
}

fn clock() -> Finding {
    let now = SystemClock.now();
    let outcome = if now.as_i64() < EARLIEST_MS {
        Err(format!("this machine says {}; set its clock", now.rfc3339_seconds()))
    } else {
        Ok(now.rfc3339_seconds())
    };
    Finding { what: "clock", outcome }
}

fn port(what: &'static str, address: SocketAddr) -> Finding {
    let outcome = TcpListener::bind(address)
        .map(|_| format!("{address} is free"))
        .map_err(|error| format!("{address} cannot be taken: {error}; choose another with --{what}"));
    Finding { what, outcome }
}
