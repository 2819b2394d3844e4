//! `pierhead demo`: the main job, end to end, over real HTTP on this machine and only through the public wire
//! (seeds 1 and 2).

mod client;
mod connect;
mod publish;
mod report;
mod story;
mod vendor;

use std::path::PathBuf;

use anyhow::Context;
use pierhead_domain::{Rng, SystemRng};

use crate::cli::Demo;
use crate::commands::run_until_stopped;
use crate::config::{Config, Flags};
use crate::server::Server;
use report::Report;
use story::Story;
use vendor::Vendor;

/// The person of the demo.
const EMAIL: &str = "ada@example.com";

/// Runs the demo. `Ok(false)` when a step failed.
pub(super) async fn run(arguments: Demo) -> anyhow::Result<bool> {
    let vendor = Vendor::read(&arguments)?;
    let scratch =
        tempfile::Builder::new().prefix("pierhead-demo-").tempdir().context("making a temporary folder")?;
    let data_dir = arguments.data_dir.clone().unwrap_or_else(|| scratch.path().join("data"));
    let file = match &arguments.file {
        Some(file) => std::fs::canonicalize(file).with_context(|| format!("finding {}", file.display()))?,
        None => sample_file(scratch.path())?,
    };
    let password = login_of(&data_dir)?;
    let mut report = Report::new(arguments.json);

    report.begin("start", "Start Pierhead on an embedded database, and the vendor");
    let config = Config::load(None, flags(&arguments, &data_dir, &password))?;
    let started = async {
        let double = vendor.start().await?;
        let server = Server::start(config, crate::server::Parts::system()).await?;
        anyhow::Ok((double, server))
    };
    let (double, server) = match started.await {
        Ok(started) => started,
        Err(error) => {
            report.failed(&error);
            return Ok(false);
        }
    };
    report.note(&format!("gateway  http://{}", server.gateway()));
    report.note(&format!("control  http://{}", server.control()));
    if let Some(double) = &double {
        report.note(&format!("vendor   {} (a double of Google Drive)", double.base_url()));
    }
    report.note(&format!("data     {}", data_dir.display()));
    report.done(serde_json::json!({
        "gateway": format!("http://{}", server.gateway()),
        "control": format!("http://{}", server.control()),
    }));

    let mut story = Story::new(&server, vendor, double.as_ref(), file, EMAIL, &password);
    story.tell(&mut report).await;
    let good = report.failures().is_empty();
    if arguments.once || !good {
        server.stop().await;
        return Ok(good);
    }
    report.line(&format!(
        "\nEverything works and stays up.\n  console   http://{}/console\n  login     {EMAIL}\n  password  {password}\nStop it with Ctrl-C.",
        server.control()
    ));
    run_until_stopped(server).await?;
    Ok(true)
}

fn flags(arguments: &Demo, data_dir: &std::path::Path, password: &str) -> Flags {
    // Free ports for a check that must not collide; the documented ones for a person.
    let default = |port: u16| format!("127.0.0.1:{}", if arguments.once { 0 } else { port });
    let address = |given: Option<std::net::SocketAddr>, port| {
        given.map_or_else(|| default(port), |given| given.to_string())
    };
    vec![
        ("server.data_dir", data_dir.display().to_string().into()),
        ("gateway.listen", address(arguments.gateway, 8080).into()),
        ("control.listen", address(arguments.control, 8081).into()),
        // The vendor of the demo is on this machine.
        ("egress.allow", vec!["127.0.0.0/8".to_owned(), "::1/128".to_owned()].into()),
        ("admin.email", EMAIL.into()),
        ("admin.password", password.into()),
        ("admin.organization", "Demo harbour".into()),
        ("log.level", "warn".into()),
    ]
}

/// The demo's password: made once per data directory and kept beside the key file, for its owner only.
fn login_of(data_dir: &std::path::Path) -> anyhow::Result<String> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let kept = data_dir.join("demo-password");
    if let Ok(password) = std::fs::read_to_string(&kept) {
        return Ok(password.trim().to_owned());
    }
    let mut bytes = [0; 9];
    SystemRng.fill(&mut bytes);
    let tail: String = bytes.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
    let password = format!("Pier-{tail}-7");
    crate::start::private_folder(data_dir)?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&kept)?;
    file.write_all(password.as_bytes())?;
    Ok(password)
}

/// A file to carry when the user gave none: 64 KiB of text whose every line differs.
fn sample_file(folder: &std::path::Path) -> anyhow::Result<PathBuf> {
    let mut text = String::new();
    let mut line = 0;
    while text.len() < 64 << 10 {
        line += 1;
        text.push_str(&format!(
            "{line:05}  berth {}  tide {} cm  cargo {} t\n",
            line % 17,
            (line * 37) % 400,
            (line * 911) % 5000
        ));
    }
    let file = folder.join("harbour-log.txt");
    std::fs::write(&file, text)?;
    Ok(file)
}
