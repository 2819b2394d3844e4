//! The whole server as a value: `serve`, the demo and the tests start it the same way.

use std::fmt;
use std::fs::File;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use pierhead_domain::{SharedClock, SharedRng, SystemClock, SystemRng};
use pierhead_gateway::tls::Tls;
use pierhead_gateway::{LiveKeyStores, RunningGateway, TlsListener};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::config::tls::TlsListen;
use crate::control::{self, health::Health};
use crate::start;
use crate::wiring::access_log::{access_log, json_line};
use crate::wiring::{Addresses, Rooms};

/// What a server takes from outside: time and randomness.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Time.
    pub clock: SharedClock,
    /// Randomness.
    pub rng: SharedRng,
}

impl Parts {
    /// This machine's.
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), rng: Arc::new(SystemRng) }
    }
}

/// What the very first start has to tell its operator, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstStart {
    /// An administrator was made with a generated password.
    GeneratedPassword {
        /// Who.
        email: String,
        /// Shown once and never again.
        password: String,
    },
    /// Nobody was named: the setup page asks for this code.
    SetupCode {
        /// Address of the page.
        page: String,
        /// Good until somebody used it.
        code: String,
    },
}

impl fmt::Display for FirstStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GeneratedPassword { email, password } => write!(
                f,
                "first start: log in as {email} with the password {password} (it is not shown again)"
            ),
            Self::SetupCode { page, code } => {
                write!(f, "first start: make the first administrator at {page} with the setup code {code}")
            }
        }
    }
}

/// A server that serves. Dropping it cuts everything; [`Server::stop`] ends it in order.
pub struct Server {
    gateway: RunningGateway,
    control: SocketAddr,
    control_tls: Vec<SocketAddr>,
    /// Read certificates again when their files change.
    followers: Vec<JoinHandle<()>>,
    serving: JoinHandle<()>,
    stop: watch::Sender<bool>,
    ready: Arc<AtomicBool>,
    rooms: Rooms,
    drain: Duration,
    first_start: Option<FirstStart>,
    _lock: File,
}

impl Server {
    /// Starts everything; when it returns, both listeners serve.
    pub async fn start(config: Config, parts: Parts) -> anyhow::Result<Self> {
        start::data_dir(&config)?;
        let lock = start::lock(&config)?;
        let listener = TcpListener::bind(config.control.listen).await.with_context(|| {
            format!(
                "listening on the control address {}; choose another with --control",
                config.control.listen
            )
        })?;
        let control = listener.local_addr().context("asking for the control address")?;
        let mut tls = Opener { clock: &parts.clock, stores: LiveKeyStores::default(), followers: Vec::new() };
        let mut listeners = vec![(listener, None)];
        let mut control_tls = Vec::new();
        for each in &config.control.tls {
            let tls = tls.open(each, &["http/1.1"])?;
            let listener = TcpListener::bind(each.listen)
                .await
                .with_context(|| format!("listening on the control address {} for TLS", each.listen))?;
            control_tls.push(listener.local_addr().context("asking for the control address")?);
            listeners.push((listener, Some(tls)));
        }
        let reserved = start::reserve(config.gateway.listen)?;
        let at = Addresses { public_url: public_url(&config, control), gateway: reserved.address };

        let opened = start::open_database(&config).await?;
        let store = opened.store.clone();
        let is_away = opened.without_database.is_some();
        let rooms = Rooms::open(&config, &parts, opened, &at).await?;
        let first_start = if is_away {
            rooms.management.start_from_last_good().await.context("starting without the database")?;
            None
        } else {
            let first_start = rooms.first_start(&config, &at).await?;
            rooms.management.start().await.context("loading the deployed proxies")?;
            first_start
        };
        tls.stores = rooms.management.key_stores();
        let mut gateway_tls = Vec::new();
        for each in &config.gateway.tls {
            start::reserve(each.listen)?;
            gateway_tls.push(TlsListener { addr: each.listen, tls: tls.open(each, &["h2", "http/1.1"])? });
        }
        let gateway = gateway(&config, &parts, &rooms, at.gateway, gateway_tls)?;
        drop(reserved);

        let ready = Arc::new(AtomicBool::new(false));
        let health = Health { store, gateway: gateway.counter_reader(), ready: Arc::clone(&ready) };
        let router = control::router(&rooms, &parts, health, &at);
        let (stop, stopped) = watch::channel(false);
        let drain = config.drain();
        let serving = tokio::spawn(control::listener::serve(listeners, router, stopped, drain));
        ready.store(true, Ordering::Release);
        let followers = tls.followers.into_iter().map(|tls| tokio::spawn(tls.follow())).collect();
        Ok(Self {
            gateway,
            control,
            control_tls,
            followers,
            serving,
            stop,
            ready,
            rooms,
            drain,
            first_start,
            _lock: lock,
        })
    }

    /// Where deployed proxies are served.
    pub fn gateway(&self) -> SocketAddr {
        self.gateway.local_addr()
    }

    /// Where everything else is served.
    pub fn control(&self) -> SocketAddr {
        self.control
    }

    /// Where deployed proxies are served over TLS, as configured.
    pub fn gateway_tls(&self) -> &[SocketAddr] {
        self.gateway.tls_addrs()
    }

    /// Where everything else is served over TLS, as configured.
    pub fn control_tls(&self) -> &[SocketAddr] {
        &self.control_tls
    }

    /// What the very first start has to tell, if this was it.
    pub fn first_start(&self) -> Option<&FirstStart> {
        self.first_start.as_ref()
    }

    /// Stops in order: no new requests, running ones may end within the drain time, then the rest is cut.
    pub async fn stop(self) {
        self.ready.store(false, Ordering::Release);
        for follower in &self.followers {
            follower.abort();
        }
        self.gateway.shutdown(self.drain).await;
        // The receiver is gone only when the listener ended by itself.
        let _ = self.stop.send(true);
        if self.serving.await.is_err() {
            tracing::error!("the control listener ended badly");
        }
        self.rooms.close().await;
    }
}

/// Opens certificates, and remembers whose files are to be followed.
struct Opener<'a> {
    clock: &'a SharedClock,
    stores: LiveKeyStores,
    followers: Vec<Arc<Tls>>,
}

impl Opener<'_> {
    fn open(&mut self, listener: &TlsListen, protocols: &[&'static str]) -> anyhow::Result<Arc<Tls>> {
        let tls = Tls::open_with(listener.settings(protocols), Arc::clone(self.clock), self.stores.clone())
            .with_context(|| format!("preparing TLS for {}", listener.listen))?;
        self.followers.push(Arc::clone(&tls));
        Ok(tls)
    }
}

fn public_url(config: &Config, control: SocketAddr) -> String {
    match config.server.public_url.trim_end_matches('/') {
        "" => format!("http://{control}"),
        given => given.to_owned(),
    }
}

fn gateway(
    config: &Config,
    parts: &Parts,
    rooms: &Rooms,
    address: SocketAddr,
    tls: Vec<TlsListener>,
) -> anyhow::Result<RunningGateway> {
    let mut gateway = pierhead_gateway::GatewayConfig::new(
        Arc::clone(&parts.clock),
        Arc::clone(&parts.rng),
        rooms.ports(),
        rooms.snapshot(),
    );
    gateway.addr = address;
    gateway.state = rooms.run_state();
    gateway.tls = tls;
    gateway.threads = NonZeroUsize::new(config.gateway.threads);
    gateway.traces = rooms.management.traces();
    gateway.limits.connections = config.gateway.max_connections;
    gateway.limits.connections_of_address = config.gateway.max_connections_per_address;
    gateway.limits.body_bytes_per_second = config.gateway.min_body_bytes_per_second;
    gateway.limits.body_grace = Duration::from_secs(config.gateway.body_grace_seconds);
    gateway.access_log = config.gateway.access_log.then(|| access_log(json_line));
    pierhead_gateway::Gateway::start(gateway)
        .with_context(|| format!("listening on the gateway address {address}"))
}
