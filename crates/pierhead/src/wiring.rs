//! Where the rooms meet: each port of one room is answered by another.

pub(crate) mod access_log;
mod hub;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use pierhead_bundle::{Limits, read_substitutes};
use pierhead_connectors::catalogue::Catalogue;
use pierhead_connectors::engine::{Engine, EngineParts};
use pierhead_connectors::{Hub, HubParts, HubSettings};
use pierhead_domain::{Rng, SecretString};
use pierhead_egress::{Egress, EgressSettings, SystemResolver};
use pierhead_gateway::GoogleAccount;
use pierhead_gateway::analytics::RecentAnalytics;
use pierhead_gateway::logging::LogFolder;
use pierhead_gateway::ports::Ports;
use pierhead_gateway::snapshot::{Snapshot, SnapshotCell};
use pierhead_gateway::state::{RunState, StateLimits};
use pierhead_identity::{
    FirstStart as IdentityFirstStart, Identity, IdentitySettings, open_vault, open_vault_without_database,
};
use pierhead_management::{HostSetting, Management, Settings as ManagementSettings};
use pierhead_store::Store;
use pierhead_vault::Vault;
use tokio::task::JoinHandle;

use crate::config::{Config, PublicAddress};
use crate::server::{FirstStart, Parts};
use crate::start::{self, Opened};
use hub::InProcessHub;

/// Where people and programs reach this server.
pub(crate) struct Addresses {
    /// Base of links, without a slash at its end.
    pub(crate) public_url: String,
    /// The gateway listener.
    pub(crate) gateway: SocketAddr,
}

/// The services of one installation.
pub(crate) struct Rooms {
    pub(crate) identity: Identity,
    pub(crate) hub: Hub,
    pub(crate) management: Management,
    pub(crate) vault: Arc<Vault>,
    snapshot: Arc<SnapshotCell>,
    store: Store,
    background: JoinHandle<()>,
}

impl Rooms {
    /// Opens the vault and makes the services; nothing serves yet.
    pub(crate) async fn open(
        config: &Config,
        parts: &Parts,
        opened: Opened,
        at: &Addresses,
    ) -> anyhow::Result<Self> {
        let (clock, rng) = (Arc::clone(&parts.clock), Arc::clone(&parts.rng));
        let Opened { store, without_database } = opened;
        let vault = Arc::new(match without_database {
            None => open_vault(&store, &config.key_file(), &clock, &rng).await?,
            Some(keys) => open_vault_without_database(&keys, &config.key_file(), &rng)?,
        });
        let identity = Identity::new(
            store.clone(),
            Arc::clone(&vault),
            Arc::clone(&clock),
            Arc::clone(&rng),
            IdentitySettings { public_url: at.public_url.clone(), ..IdentitySettings::default() },
        );
        let hub = open_hub(config, parts, &store, &vault, &identity, at)?;
        let snapshot = Arc::new(SnapshotCell::new(Snapshot::empty("default", "default")));
        let log_folder = LogFolder::new(config.message_logs(), Arc::clone(&clock));
        let management = Management::new(
            store.clone(),
            Arc::clone(&vault),
            clock,
            rng,
            Arc::new(identity.clone()),
            Arc::clone(&snapshot),
            ManagementSettings {
                substitutes: substitutes(config)?,
                log_folder: Some(log_folder),
                google: google_account(&config.gateway.google_service_account)?,
                public_url: at.public_url.clone(),
                virtual_hosts: vec![virtual_host(config, at.gateway)],
                last_good: Some(start::last_good(config)),
                ..ManagementSettings::default()
            },
        );
        let background = tokio::spawn(hub.clone().background());
        Ok(Self { identity, hub, management, vault, snapshot, store, background })
    }

    /// Makes the first administrator, or says how to.
    pub(crate) async fn first_start(
        &self,
        config: &Config,
        at: &Addresses,
    ) -> anyhow::Result<Option<FirstStart>> {
        if self.identity.administrator_exists().await.context("looking for the administrator")? {
            return Ok(None);
        }
        if config.admin.email.is_empty() {
            let page = format!("{}/console/setup", at.public_url);
            return Ok(Some(FirstStart::SetupCode {
                page,
                code: self.identity.setup_code().expose().to_owned(),
            }));
        }
        let generated = config.admin.password.expose().is_empty();
        let password = if generated {
            generate_password(&pierhead_domain::SystemRng)
        } else {
            config.admin.password.clone()
        };
        let made = self
            .identity
            .first_start(&config.admin.email, &password, &config.admin.organization)
            .await
            .context("making the first administrator")?;
        let created = matches!(made, IdentityFirstStart::Created(_));
        Ok((created && generated).then(|| FirstStart::GeneratedPassword {
            email: config.admin.email.clone(),
            password: password.expose().to_owned(),
        }))
    }

    /// What the data plane asks of the rest.
    pub(crate) fn ports(&self) -> Ports {
        let control = tokio::runtime::Handle::current();
        Ports {
            hub: Some(InProcessHub::new(self.hub.clone(), control)),
            kvm: self.management.kvm_writer(),
            analytics: Arc::new(RecentAnalytics::default()),
            tokens: self.management.tokens(),
        }
    }

    /// The counters and caches of this node, which counts together with others where there may be some.
    pub(crate) fn run_state(&self) -> Arc<RunState> {
        let limits = StateLimits::default();
        let state = Arc::new(match self.management.shared_counters() {
            Some(counters) => RunState::sharing(&limits, counters),
            None => RunState::new(&limits),
        });
        self.management.clears_caches_of(Arc::clone(&state));
        state
    }

    /// What the data plane serves.
    pub(crate) fn snapshot(&self) -> Arc<SnapshotCell> {
        Arc::clone(&self.snapshot)
    }

    /// Ends background work and closes the database.
    pub(crate) async fn close(self) {
        self.background.abort();
        self.management.close().await;
        if let Err(error) = self.store.close().await {
            tracing::warn!(%error, "the database was not closed in order: {error}");
        }
    }
}

impl fmt::Debug for Rooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rooms")
    }
}

fn open_hub(
    config: &Config,
    parts: &Parts,
    store: &Store,
    vault: &Arc<Vault>,
    identity: &Identity,
    at: &Addresses,
) -> anyhow::Result<Hub> {
    let settings = EgressSettings {
        allow: config.egress.allow.clone(),
        connect_timeout: Duration::from_secs(config.egress.connect_seconds),
        ..EgressSettings::default()
    };
    let egress =
        Arc::new(Egress::new(&settings, Arc::new(SystemResolver)).context("preparing outbound calls")?);
    let data_directory =
        std::fs::canonicalize(&config.server.data_dir).context("finding the data directory")?;
    let engine = Engine::new(EngineParts {
        outbound: egress.clone(),
        forbidden_directories: vec![data_directory.clone()],
        clock: Arc::clone(&parts.clock),
        rng: Arc::clone(&parts.rng),
    });
    Ok(Hub::new(HubParts {
        store: store.clone(),
        vault: Arc::clone(vault),
        catalogue: Arc::new(catalogue(config)?),
        engine,
        outbound: egress,
        authenticator: Arc::new(identity.clone()),
        clock: Arc::clone(&parts.clock),
        rng: Arc::clone(&parts.rng),
        settings: HubSettings { data_directory: Some(data_directory), ..HubSettings::new(&at.public_url) },
    }))
}

/// The one virtual host: every name, at the public address.
fn virtual_host(config: &Config, gateway: SocketAddr) -> HostSetting {
    let listening = PublicAddress { host: gateway.ip().to_string(), port: gateway.port(), tls: false };
    // The configuration was checked when it was read.
    let public = config.gateway_public_url().ok().flatten().unwrap_or(listening);
    HostSetting { host: public.host, port: public.port, tls: public.tls, ..HostSetting::default() }
}

/// The operator's scripts in place of Java and Python.
fn substitutes(config: &Config) -> anyhow::Result<BTreeMap<String, Arc<str>>> {
    let folder = &config.gateway.substitutes;
    if folder.as_os_str().is_empty() {
        return Ok(BTreeMap::new());
    }
    let read = read_substitutes(folder, &Limits::default()).context("gateway.substitutes")?;
    Ok(read.into_iter().map(|(name, text)| (name, text.into())).collect())
}

/// The service account of a key file; an empty path is none.
pub(crate) fn google_account(file: &Path) -> anyhow::Result<Option<Arc<GoogleAccount>>> {
    if file.as_os_str().is_empty() {
        return Ok(None);
    }
    let at = || format!("the Google service account key {}", file.display());
    let document = std::fs::read_to_string(file).with_context(at)?;
    GoogleAccount::service(&document).with_context(at).map(|account| Some(Arc::new(account)))
}

fn catalogue(config: &Config) -> anyhow::Result<Catalogue> {
    let folders: Vec<&Path> = config.catalog.folders.iter().map(std::path::PathBuf::as_path).collect();
    match Catalogue::load(&folders) {
        Ok(catalogue) => Ok(catalogue),
        Err(mistakes) => {
            let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            bail!("connector definitions have mistakes:\n  {}", mistakes.join("\n  "))
        }
    }
}

/// A password that satisfies the default policy: letters of both cases, digits, a symbol; 80 random bits.
fn generate_password(rng: &dyn Rng) -> SecretString {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyzACDEFGHJK";
    let mut bytes = [0; 16];
    rng.fill(&mut bytes);
    let body: String = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    format!("{body}-Aa7").into()
}
