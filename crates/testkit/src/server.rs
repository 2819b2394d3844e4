//! A real server for one test.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pierhead::config::{Config, Flags};
use pierhead::server::{Parts, Server};
use pierhead_domain::{Clock, StoppedClock, SystemClock, SystemRng};

use crate::{Admin, Client};

/// The first administrator of every test server.
pub const ADMIN_EMAIL: &str = "ada@example.com";
/// The password of [`ADMIN_EMAIL`].
pub const ADMIN_PASSWORD: &str = "Harbour-Pilot-7";

/// A running server; it and its data go with this value.
pub struct Pierhead {
    server: Option<Server>,
    folder: tempfile::TempDir,
    clock: StoppedClock,
    flags: Flags,
    /// A client for plain requests.
    pub client: Client,
}

impl Pierhead {
    /// A server on SQLite with defaults fit for tests: free ports, loopback allowed.
    pub async fn start() -> Self {
        Self::start_with(Flags::new()).await
    }

    /// The same with more settings.
    pub async fn start_with(more: Flags) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut flags: Flags = vec![
            ("server.data_dir", folder.path().join("data").display().to_string().into()),
            ("server.drain_seconds", 2.into()),
            ("gateway.listen", "127.0.0.1:0".into()),
            ("gateway.threads", 1.into()),
            ("control.listen", "127.0.0.1:0".into()),
            ("egress.allow", vec!["127.0.0.0/8".to_owned()].into()),
            ("admin.email", ADMIN_EMAIL.into()),
            ("admin.password", ADMIN_PASSWORD.into()),
        ];
        flags.extend(more);
        let clock = StoppedClock::at(SystemClock.now());
        let server = Some(start(&flags, &clock).await);
        Self { server, folder, clock, flags, client: Client::default() }
    }

    /// Stops the server in order and starts it again on the same data.
    pub async fn restart(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        self.server = Some(start(&self.flags, &self.clock).await);
        self.client = Client::default();
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("the server runs")
    }

    /// An address on the gateway listener.
    pub fn gateway(&self, path: &str) -> String {
        format!("http://{}{path}", self.server().gateway())
    }

    /// An address on the control listener.
    pub fn control(&self, path: &str) -> String {
        format!("http://{}{path}", self.server().control())
    }

    /// An address below the hub's prefix.
    pub fn hub(&self, path: &str) -> String {
        self.control(&format!("/elements/api-v2{path}"))
    }

    /// An address below the management API's prefix.
    pub fn management(&self, path: &str) -> String {
        self.control(&format!("/apiportal/api/1.0/Management.svc{path}"))
    }

    /// Moves the server's clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The server's data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder of this test beside the data directory; made when missing.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// The administrator, logged in, with both secrets.
    pub async fn admin(&self) -> Admin<'_> {
        Admin::log_in(self).await
    }
}

async fn start(flags: &Flags, clock: &StoppedClock) -> Server {
    let config = Config::load(None::<&Path>, flags.clone()).expect("a configuration");
    let parts = Parts { clock: Arc::new(clock.clone()), rng: Arc::new(SystemRng) };
    Server::start(config, parts).await.unwrap_or_else(|error| panic!("the server starts: {error:?}"))
}
