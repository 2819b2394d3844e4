//! A real server for one test.

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pierhead::config::{Config, Flags};
use pierhead::server::{Parts, Server};
use pierhead_domain::{Clock, EpochMillis, StoppedClock, SystemClock, SystemRng};
use pierhead_store::DatabaseUrl;
use pierhead_store::testing::postgres_url;

use crate::Site;

/// The first administrator of every test server.
pub const ADMIN_EMAIL: &str = "ada@example.com";
/// The password of [`ADMIN_EMAIL`].
pub const ADMIN_PASSWORD: &str = "Harbour-Pilot-7";

/// A running server; it and its data go with this value. It answers at the addresses of its [`Site`].
pub struct Pierhead {
    server: Option<Server>,
    folder: tempfile::TempDir,
    clock: StoppedClock,
    flags: Flags,
    site: Site,
}

impl Pierhead {
    /// A server on SQLite with defaults fit for tests: free ports, loopback allowed.
    pub async fn start() -> Self {
        Self::start_with(Flags::new()).await
    }

    /// The same on a database of [`postgres`].
    pub async fn start_on_postgres() -> Option<Self> {
        Some(Self::start_with(vec![("database.url", postgres().await?.into())]).await)
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
        let server = start(&flags, &clock).await;
        let site = site(&server);
        Self { server: Some(server), folder, clock, flags, site }
    }

    /// Stops the server in order and starts it again on the same data.
    pub async fn restart(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        let server = start(&self.flags, &self.clock).await;
        self.site = site(&server);
        self.server = Some(server);
    }

    /// Where deployed proxies are served over TLS, as configured.
    pub fn gateway_tls(&self) -> Vec<SocketAddr> {
        self.server.as_ref().map_or_else(Vec::new, |server| server.gateway_tls().to_vec())
    }

    /// Where everything else is served over TLS, as configured.
    pub fn control_tls(&self) -> Vec<SocketAddr> {
        self.server.as_ref().map_or_else(Vec::new, |server| server.control_tls().to_vec())
    }

    /// What its clock says.
    pub fn now(&self) -> EpochMillis {
        self.clock.now()
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
}

impl Deref for Pierhead {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

fn site(server: &Server) -> Site {
    Site::new(format!("http://{}", server.gateway()), format!("http://{}", server.control()))
}

/// The address of a new, empty database of the PostgreSQL server that `PIERHEAD_TEST_POSTGRES` names, or
/// `None` where it names none.
pub async fn postgres() -> Option<String> {
    match postgres_url().await? {
        DatabaseUrl::Postgres(url) => Some(url),
        DatabaseUrl::Sqlite(_) => None,
    }
}

async fn start(flags: &Flags, clock: &StoppedClock) -> Server {
    let config = Config::load(None::<&Path>, flags.clone()).expect("a configuration");
    let parts = Parts { clock: Arc::new(clock.clone()), rng: Arc::new(SystemRng) };
    Server::start(config, parts).await.unwrap_or_else(|error| panic!("the server starts: {error:?}"))
}
