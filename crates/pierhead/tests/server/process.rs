//! The real program in a process of its own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use pierhead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Site};

/// What a program leaves behind when it dies: its data directory and its database.
pub(crate) struct Home {
    folder: tempfile::TempDir,
    /// Its address; the embedded database when `None`.
    postgres: Option<String>,
}

impl Home {
    /// An empty home with the embedded database.
    pub(crate) fn embedded() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), postgres: None }
    }

    /// An empty home with a new database of the test server, where one is given.
    pub(crate) async fn on_postgres() -> Option<Self> {
        let postgres = Some(pierhead_testkit::postgres().await?);
        Some(Self { postgres, ..Self::embedded() })
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

/// A running `pierhead serve` on free ports; it is killed when this value goes.
pub(crate) struct Process {
    child: Child,
    site: Site,
}

impl Process {
    /// Starts and waits until both listeners serve.
    pub(crate) fn start(home: &Home) -> Self {
        Self::start_with(home, &["--log", "error"], &[], Stdio::inherit())
    }

    /// The same, with so much time for what runs when it is told to stop.
    pub(crate) fn start_draining(home: &Home, seconds: u64) -> Self {
        let drain = [("PIERHEAD_SERVER__DRAIN_SECONDS", seconds.to_string())];
        Self::start_with(home, &["--log", "error"], &drain, Stdio::inherit())
    }

    /// Starts with every log line there is, written to `log`.
    pub(crate) fn start_logging_all(home: &Home, log: &Path) -> Self {
        let log = File::create(log).unwrap();
        Self::start_with(home, &["--log", "trace", "--access-log"], &[], log.into())
    }

    fn start_with(home: &Home, more: &[&str], settings: &[(&str, String)], stderr: Stdio) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pierhead"))
            .args(["serve", "--gateway", "127.0.0.1:0", "--control", "127.0.0.1:0"])
            .args(["--egress-allow", "127.0.0.0/8", "--data-dir"])
            .arg(home.data())
            .args(more)
            // In the environment: arguments can be read by everybody on the machine.
            .envs(home.postgres.iter().map(|url| ("PIERHEAD_DATABASE__URL", url)))
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .env("PIERHEAD_ADMIN_EMAIL", ADMIN_EMAIL)
            .env("PIERHEAD_ADMIN_PASSWORD", ADMIN_PASSWORD)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |listener: &str| {
            let line = lines.find_map(|line| line.unwrap().strip_prefix(listener).map(str::to_owned));
            let line = line.expect("the server says where it listens");
            line.trim().split(' ').next().unwrap().to_owned()
        };
        let (gateway, control) = (address("gateway"), address("control"));
        // Whoever writes to a closed standard output is cut off: read to the end.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, site: Site::new(gateway, control) }
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn exited(mut self) -> ExitStatus {
        let began = tokio::time::Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "it still runs");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Deref for Process {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
