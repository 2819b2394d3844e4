//! `cargo xtask test`: every test, with the real servers and clients they need.

mod unsteady;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::peers::postgres::Postgres;
use crate::peers::webdav::{self, WebDav};
use crate::peers::{debian, node, python};
use crate::run::{Running, cache, call, free_port, root, target, wait_for_port};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Also run what needs slow real servers.
    #[arg(long)]
    peers: bool,
    /// Leave out the browser.
    #[arg(long)]
    no_browser: bool,
}

/// What the tests find in their environment.
struct Peers {
    postgres: Postgres,
    webdav: WebDav,
    google: PathBuf,
}

impl Peers {
    fn start() -> anyhow::Result<Self> {
        debian::ensure("xmlsec1", "xmlsec1")?;
        let requirements = python::requirements(&root().join("tests/clients/google/requirements.txt"))?;
        let packages: Vec<&str> = requirements.iter().map(String::as_str).collect();
        Ok(Self {
            google: python::environment("google", &packages)?,
            postgres: Postgres::start()?,
            webdav: WebDav::start()?,
        })
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> anyhow::Result<Command> {
        let mut command = Command::new(program);
        command
            .env("PIERHEAD_TEST_POSTGRES", &self.postgres.url)
            .env("PIERHEAD_TEST_WEBDAV_URL", &self.webdav.url)
            .env("PIERHEAD_TEST_WEBDAV_USER", webdav::USER)
            .env("PIERHEAD_TEST_WEBDAV_PASSWORD", webdav::PASSWORD)
            .env("PIERHEAD_TEST_XMLSEC", "xmlsec1")
            .env("PIERHEAD_DRIVE_DESCRIPTION", self.drive_description()?);
        Ok(command)
    }

    /// Google's own description of Drive v3, inside its client's package.
    fn drive_description(&self) -> anyhow::Result<PathBuf> {
        let library = self.google.parent().context("an environment has a folder")?.join("lib");
        for version in std::fs::read_dir(library)? {
            let file =
                version?.path().join("site-packages/googleapiclient/discovery_cache/documents/drive.v3.json");
            if file.is_file() {
                return Ok(file);
            }
        }
        bail!("the package google-api-python-client holds no drive.v3.json")
    }
}

fn run_step(
    passed: &mut u32,
    failed: &mut Vec<String>,
    name: &str,
    step: impl FnOnce() -> anyhow::Result<()>,
) {
    println!("\n== {name}");
    match step() {
        Ok(()) => *passed += 1,
        Err(error) => {
            eprintln!("FAILED {name}: {error:#}");
            failed.push(name.to_owned());
        }
    }
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let peers = Peers::start()?;
    let binary = target().join("debug/pierhead");
    let (mut passed, mut failed) = (0, Vec::new());

    run_step(&mut passed, &mut failed, "unit and whole-server tests", || {
        unsteady::run(|| peers.command("cargo"))
    });
    run_step(&mut passed, &mut failed, "the program builds", || {
        call(Command::new("cargo").args(["build", "-p", "pierhead"]))
    });
    run_step(&mut passed, &mut failed, "Google's Python client against the Drive double", || {
        let port = free_port()?;
        let listen = format!("127.0.0.1:{port}");
        let _double = Running::start(
            Command::new(&binary).args(["sandbox", "googledrive", "--listen", &listen]).stdout(Stdio::null()),
        )?;
        wait_for_port(port)?;
        call(
            Command::new(peers.google.join("python"))
                .arg("tests/clients/google/drive_client_test.py")
                .args(["--base-url", &format!("http://{listen}")]),
        )
    });
    for vendor in ["googledrive", "folder", "webdav"] {
        run_step(&mut passed, &mut failed, &format!("the demo with {vendor}"), || {
            demo(&binary, vendor, &peers)
        });
    }
    if !options.no_browser {
        run_step(&mut passed, &mut failed, "the console in a browser", || browser(&binary));
    }
    if options.peers {
        println!("no slow peers are needed yet");
    }
    println!("\n{passed} passed, {} failed", failed.len());
    if failed.is_empty() { Ok(()) } else { bail!("failed: {}", failed.join(", ")) }
}

fn demo(binary: &std::path::Path, vendor: &str, peers: &Peers) -> anyhow::Result<()> {
    let mut command = Command::new(binary);
    command.args(["demo", "--once", "--json"]);
    let folder = cache()?.join("demo-folder");
    match vendor {
        "folder" => {
            std::fs::create_dir_all(&folder)?;
            command.args(["--vendor", "folder", "--path"]).arg(&folder);
        }
        "webdav" => {
            command.args(["--vendor", "webdav", "--url", &peers.webdav.url, "--user", webdav::USER]);
            command.env("PIERHEAD_DEMO_PASSWORD", webdav::PASSWORD);
        }
        _ => {}
    }
    call(&mut command)
}

fn browser(binary: &std::path::Path) -> anyhow::Result<()> {
    debian::ensure("chromium", "chromium")?;
    node::browser_tests()?;
    let (gateway, control, drive) = (free_port()?, free_port()?, free_port()?);
    let data = std::env::temp_dir().join(format!("pierhead-browser-{}", std::process::id()));
    // The demo leaves an instance, a provider, a deployed proxy and a map: pages with something on them.
    let files = data.join("files");
    std::fs::create_dir_all(&files)?;
    let installation = data.join("installation");
    call(
        Command::new(binary)
            .args(["demo", "--once", "--json", "--vendor", "folder", "--path"])
            .arg(&files)
            .arg("--data-dir")
            .arg(&installation)
            .stdout(Stdio::null()),
    )?;
    let email = "ada@example.com";
    let password = std::fs::read_to_string(installation.join("demo-password"))?;
    let _server = Running::start(
        Command::new(binary)
            .args([
                "serve",
                "--gateway",
                &format!("127.0.0.1:{gateway}"),
                "--control",
                &format!("127.0.0.1:{control}"),
            ])
            .args(["--egress-allow", "127.0.0.0/8", "--data-dir"])
            .arg(&installation),
    )?;
    let _drive = Running::start(
        Command::new(binary)
            .args(["sandbox", "googledrive", "--listen", &format!("127.0.0.1:{drive}")])
            .stdout(Stdio::null()),
    )?;
    wait_for_port(control)?;
    wait_for_port(drive)?;
    let double = format!("http://127.0.0.1:{drive}");
    // The double's client; its secret protects nothing.
    let consent = serde_json::json!({"key": "googledrive", "fields": {
        "config.oauth.api.key": "pierhead-sandbox.apps.googleusercontent.com",
        "config.oauth.api.secret": "GOCSPX-pierhead-sandbox",
        "config.base.url": double,
        "config.oauth.authorization.url": format!("{double}/o/oauth2/v2/auth"),
        "config.oauth.token.url": format!("{double}/token"),
    }});
    let shots = cache()?.join("screenshots");
    std::fs::create_dir_all(&shots)?;
    let tests = call(
        Command::new("node")
            .arg("tests/browser/console.mjs")
            .env("PIERHEAD_CONSOLE_URL", format!("http://127.0.0.1:{control}/console"))
            .env("PIERHEAD_ADMIN_EMAIL", email)
            .env("PIERHEAD_ADMIN_PASSWORD", password.trim())
            .env("PIERHEAD_CONSENT", consent.to_string())
            .env("PIERHEAD_SHOTS", shots),
    );
    let _ = std::fs::remove_dir_all(data);
    tests
}
