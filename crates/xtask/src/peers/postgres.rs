//! A PostgreSQL server of our own for the time of the tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::peers::debian;
use crate::run::{Running, exists, free_port, output, wait_for_port};

/// A running server; it and its data go with this value.
pub(crate) struct Postgres {
    _server: Running,
    folder: PathBuf,
    /// Address of the database `postgres`.
    pub(crate) url: String,
}

impl Postgres {
    /// Makes a cluster in a new folder and starts it on a free port of 127.0.0.1.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let programs = programs()?;
        let folder = std::env::temp_dir().join(format!("pierhead-postgres-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let data = folder.join("data");
        let port = free_port()?;
        let server = if output(Command::new("id").arg("-u"))?.trim() == "0" {
            // The server refuses to run as root.
            output(Command::new("chown").arg("postgres").arg(&folder))?;
            let initdb = format!(
                "{} -D {} -A trust -U postgres -E UTF8 --no-sync",
                programs.join("initdb").display(),
                data.display()
            );
            output(&mut as_postgres(&initdb))?;
            Running::start(
                as_postgres(&format!("exec {}", start(&programs, &data, &folder, port)))
                    .stdout(Stdio::null())
                    .stderr(Stdio::null()),
            )?
        } else {
            output(Command::new(programs.join("initdb")).arg("-D").arg(&data).args([
                "-A",
                "trust",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--no-sync",
            ]))?;
            let command = format!("exec {}", start(&programs, &data, &folder, port));
            Running::start(
                Command::new("sh").args(["-c", &command]).stdout(Stdio::null()).stderr(Stdio::null()),
            )?
        };
        wait_for_port(port)?;
        Ok(Self { _server: server, folder, url: format!("postgres://postgres@127.0.0.1:{port}/postgres") })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The postmaster's own id is in its folder: the shell that `su` made may not pass a signal on.
        if let Ok(text) = std::fs::read_to_string(self.folder.join("data/postmaster.pid"))
            && let Some(id) = text.lines().next()
        {
            let _ = Command::new("kill").args(["-INT", id]).status();
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn start(programs: &Path, data: &Path, folder: &Path, port: u16) -> String {
    format!(
        "{} -D {} -k {} -h 127.0.0.1 -p {port} -c fsync=off -c max_connections=400",
        programs.join("postgres").display(),
        data.display(),
        folder.display()
    )
}

fn as_postgres(command: &str) -> Command {
    let mut su = Command::new("su");
    su.args(["postgres", "-s", "/bin/sh", "-c", command]);
    su
}

/// The folder of the server's programs: Debian keeps them out of the path.
fn programs() -> anyhow::Result<PathBuf> {
    let debian_folder = || {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let mut folders: Vec<PathBuf> = versions.flatten().map(|entry| entry.path().join("bin")).collect();
        folders.sort();
        folders.into_iter().rfind(|folder| folder.join("initdb").is_file())
    };
    if let Some(folder) = debian_folder() {
        return Ok(folder);
    }
    if exists("initdb") {
        let path = output(Command::new("sh").args(["-c", "dirname \"$(command -v initdb)\""]))?;
        return Ok(PathBuf::from(path.trim()));
    }
    debian::ensure("initdb", "postgresql")
        .or_else(|error| if debian_folder().is_some() { Ok(()) } else { Err(error) })?;
    debian_folder().context("PostgreSQL's programs are not where Debian puts them")
}
