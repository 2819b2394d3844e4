//! What the operator decides.

use std::collections::BTreeMap;
use std::sync::Arc;

use pierhead_domain::OrganizationId;
use pierhead_gateway::GoogleAccount;
use pierhead_gateway::dialect::Dialect;
use pierhead_gateway::logging::LogFolder;
use pierhead_gateway::snapshot::VirtualHost;

use crate::last_good::LastGoodFile;

/// Settings of the management service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The one organization whose designs this gateway runs.
    pub organization: OrganizationId,
    /// `http://host:port` of the control listener: the base of links where a request has no Host header.
    pub public_url: String,
    /// Where proxies are reached; exactly one is the default.
    pub virtual_hosts: Vec<HostSetting>,
    /// Which original the environment behaves like.
    pub dialect: Dialect,
    /// JavaScript in place of code that cannot run here, by what it replaces.
    pub substitutes: BTreeMap<String, Arc<str>>,
    /// Where files of message logs are written.
    pub log_folder: Option<LogFolder>,
    /// In whose name proxies call Google's services.
    pub google: Option<Arc<GoogleAccount>>,
    /// Where the last good snapshot is kept; `None` keeps none.
    pub last_good: Option<LastGoodFile>,
    /// The largest request body, in bytes.
    pub body_bytes: usize,
    /// The most operations in one `$batch`.
    pub batch_operations: usize,
    /// Entities on one page of a list.
    pub page: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            organization: OrganizationId::new(1),
            public_url: "http://127.0.0.1:8081".into(),
            virtual_hosts: vec![HostSetting::default()],
            dialect: Dialect::default(),
            substitutes: BTreeMap::new(),
            log_folder: None,
            google: None,
            last_good: None,
            body_bytes: 16 * 1024 * 1024,
            batch_operations: 1000,
            page: 1000,
        }
    }
}

/// A virtual host of the gateway listener.
#[derive(Debug, Clone)]
pub struct HostSetting {
    /// Its name in designs, and its id on the wire.
    pub name: String,
    /// The host name that clients use.
    pub host: String,
    /// The port that clients use.
    pub port: u16,
    /// Clients speak TLS.
    pub tls: bool,
    /// Serves every host name that no other has, and proxies that name no virtual host.
    pub is_default: bool,
}

impl Default for HostSetting {
    fn default() -> Self {
        Self { name: "default".into(), host: "127.0.0.1".into(), port: 8080, tls: false, is_default: true }
    }
}

impl HostSetting {
    pub(crate) fn for_snapshot(&self) -> VirtualHost {
        let aliases = if self.is_default { Vec::new() } else { vec![self.host.to_lowercase().into()] };
        VirtualHost { name: self.name.as_str().into(), aliases, is_default: self.is_default, tls: self.tls }
    }

    /// `http://host:port`, without the port where it is the scheme's own.
    pub(crate) fn url(&self) -> String {
        match (self.tls, self.port) {
            (false, 80) => format!("http://{}", self.host),
            (true, 443) => format!("https://{}", self.host),
            (tls, port) => format!("http{}://{}:{port}", if tls { "s" } else { "" }, self.host),
        }
    }
}
