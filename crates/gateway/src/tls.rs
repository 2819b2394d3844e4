//! TLS towards clients: certificates by name, client certificates, and files that are read again when they change.
//!
//! One [`Tls`] belongs to one listener. A handshake takes the configuration of the moment it begins; connections
//! that are open keep theirs (decision 049).

mod certificates;
mod files;
mod handshake;
mod name;
mod peer;
mod session;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use arc_swap::ArcSwap;
use pierhead_domain::{Clock, SharedClock};
use rustls::pki_types::UnixTime;
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::TimeProvider;
use rustls::{RootCertStore, ServerConfig};

use self::certificates::Certificates;
pub use self::files::TlsProblem;
use self::files::{Digest, Files};
pub use self::handshake::{HandshakeFailed, Handshakes};
pub(crate) use self::peer::{OfCertificate, PeerCertificate};
pub use self::session::TlsSession;
use crate::key_stores::LiveKeyStores;

/// How a listener speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// At least one; the first serves clients that name no host or an unknown one.
    pub certificates: Vec<CertificateSource>,
    /// The oldest version that is spoken.
    pub minimum: TlsVersion,
    /// Whether clients show certificates.
    pub clients: ClientCertificates,
    /// Protocols offered by ALPN, best first.
    pub protocols: Vec<&'static str>,
}

/// Where a certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// In files.
    Files(CertificateFiles),
    /// In a key store of the environment. While it is not there, nobody is shown it.
    Stored {
        /// The store's name, or `ref://` and a reference's.
        store: String,
        /// Of an entry with a private key.
        alias: String,
    },
}

impl From<CertificateFiles> for CertificateSource {
    fn from(files: CertificateFiles) -> Self {
        Self::Files(files)
    }
}

/// A certificate chain and its key, both PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, then those that signed it, in order.
    pub chain: PathBuf,
    /// The key of the first certificate: PKCS #8, PKCS #1 or SEC 1, not encrypted.
    pub key: PathBuf,
}

impl fmt::Display for CertificateSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(files) => write!(f, "{}", files.chain.display()),
            Self::Stored { store, alias } => write!(f, "key store {store}, alias {alias}"),
        }
    }
}

/// Versions that are spoken at all. Older ones are broken (RFC 8996).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsVersion {
    /// TLS 1.2, RFC 5246.
    #[default]
    Tls12,
    /// TLS 1.3, RFC 8446.
    Tls13,
}

/// Whether clients show certificates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ClientCertificates {
    /// They are not asked.
    #[default]
    None,
    /// They are asked. One that is shown must be signed by an authority of this PEM file.
    Optional(PathBuf),
    /// They are asked, and who shows none is sent away.
    Required(PathBuf),
}

/// One listener's TLS.
pub struct Tls {
    settings: TlsSettings,
    clock: SharedClock,
    stores: LiveKeyStores,
    current: ArcSwap<ServerConfig>,
    /// What the files held when they were last looked at.
    seen: Mutex<Digest>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(1);

impl Tls {
    /// Reads the files. `clock` says whether a client's certificate is still good.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn open(settings: TlsSettings, clock: SharedClock) -> Result<Arc<Self>, TlsProblem> {
        Self::open_with(settings, clock, LiveKeyStores::default())
    }

    /// The same with certificates from key stores.
    ///
    /// # Errors
    /// Names the file and what is wrong with it. A store or alias that is not there is no error: it may come.
    pub fn open_with(
        settings: TlsSettings,
        clock: SharedClock,
        stores: LiveKeyStores,
    ) -> Result<Arc<Self>, TlsProblem> {
        let files = Files::read(&settings, &stores.get())?;
        let config = server_config(&settings, &files, &clock)?;
        let seen = Mutex::new(files.digest());
        Ok(Arc::new(Self { settings, clock, stores, current: ArcSwap::from_pointee(config), seen }))
    }

    /// Reads files and stores again. True when they have changed and what they hold now is served; blocks on the disk.
    ///
    /// # Errors
    /// What is wrong with them, once: the same wrong files are not reported again. Nothing changes then.
    pub fn reload(&self) -> Result<bool, TlsProblem> {
        let files = Files::read(&self.settings, &self.stores.get());
        let digest = match &files {
            Ok(files) => files.digest(),
            Err(problem) => files::digest_of(problem),
        };
        let before =
            std::mem::replace(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner), digest);
        if before == digest {
            return Ok(false);
        }
        let config = server_config(&self.settings, &files?, &self.clock)?;
        self.current.store(Arc::new(config));
        Ok(true)
    }

    /// Reads files again whenever they change, and stores at once; runs for ever, on any runtime of tokio.
    pub async fn follow(self: Arc<Self>) {
        let chain = self.settings.certificates.first().map(ToString::to_string).unwrap_or_default();
        let mut changes = self.stores.changes();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                // Whoever sets them is held by us, too.
                _ = changes.changed() => {}
            }
            let this = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || this.reload()).await {
                Ok(Ok(true)) => tracing::info!(chain, "the certificates of {chain} were read again"),
                Ok(Ok(false)) => {}
                Ok(Err(problem)) => tracing::error!(
                    %problem,
                    "changed certificates are not used, the ones before are: {problem}"
                ),
                // The runtime is ending.
                Err(_) => return,
            }
        }
    }

    fn config(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }
}

fn server_config(
    settings: &TlsSettings,
    files: &Files,
    clock: &SharedClock,
) -> Result<ServerConfig, TlsProblem> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificates = Certificates::new(files, &provider)?;
    let versions: &[&rustls::SupportedProtocolVersion] = match settings.minimum {
        TlsVersion::Tls12 => rustls::ALL_VERSIONS,
        TlsVersion::Tls13 => &[&rustls::version::TLS13],
    };
    let time = Arc::new(ClockTime(Arc::clone(clock)));
    let builder = ServerConfig::builder_with_details(Arc::clone(&provider), time)
        .with_protocol_versions(versions)
        .map_err(TlsProblem::Unusable)?;
    let builder = match (&settings.clients, &files.authorities) {
        (ClientCertificates::None, _) => builder.with_no_client_auth(),
        (clients, authorities) => {
            let mut roots = RootCertStore::empty();
            for authority in authorities {
                roots.add(authority.clone()).map_err(|why| TlsProblem::authority(clients, &why))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = match clients {
                ClientCertificates::Optional(_) => verifier.allow_unauthenticated(),
                _ => verifier,
            };
            builder.with_client_cert_verifier(
                verifier.build().map_err(|why| TlsProblem::authority(clients, &why))?,
            )
        }
    };
    let mut config = builder.with_cert_resolver(Arc::new(certificates));
    config.alpn_protocols = settings.protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    if settings.clients == ClientCertificates::None {
        // New keys with each configuration: a session that began under other rules is not resumed.
        config.ticketer = rustls::crypto::ring::Ticketer::new().map_err(TlsProblem::Unusable)?;
    } else {
        // A resumed session would not look at the client's certificate again, which may have expired.
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

/// Our clock for the library.
#[derive(Debug)]
struct ClockTime(SharedClock);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        let now = Clock::now(&*self.0).seconds();
        u64::try_from(now).ok().map(|seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}
