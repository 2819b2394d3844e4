//! What the operator decides.

use std::time::Duration;

use ipnet::IpNet;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

/// Settings of the client. All have defaults; only `allow` opens anything.
#[derive(Debug, Clone)]
pub struct EgressSettings {
    /// Networks that may be called although they are not public (`egress.allow`).
    pub allow: Vec<IpNet>,
    /// Sent when a request names none.
    pub user_agent: String,
    /// Longest time for name look-up, TCP and TLS together, whatever a call's own limit says.
    pub connect_timeout: Duration,
    /// How long a connection may wait for its next request.
    pub pool_idle_timeout: Duration,
    /// Waiting connections kept per origin.
    pub pool_max_idle_per_origin: usize,
    /// Open connections over all origins; further calls wait within their connect limit.
    pub max_connections: usize,
    /// Largest head of a response, in bytes; at least 8192.
    pub max_response_head: usize,
    /// Certificate authorities trusted beside the public ones, in DER.
    pub extra_roots: Vec<Vec<u8>>,
}

impl Default for EgressSettings {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            user_agent: concat!("Pierhead/", env!("CARGO_PKG_VERSION")).into(),
            connect_timeout: Duration::from_secs(15),
            pool_idle_timeout: Duration::from_secs(60),
            pool_max_idle_per_origin: 32,
            max_connections: 4096,
            max_response_head: 128 * 1024,
            extra_roots: Vec::new(),
        }
    }
}

/// Why no client can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    /// An extra root is no certificate.
    #[error("egress.extra_roots: certificate {index} cannot be used: {why}")]
    Root {
        /// 1-based.
        index: usize,
        /// What is wrong with it.
        why: String,
    },
    /// `user_agent` cannot stand in a header.
    #[error("egress.user_agent must be visible ASCII")]
    UserAgent,
    /// The TLS library offers no protocol version.
    #[error("TLS is not available: {0}")]
    Tls(String),
}

impl EgressSettings {
    pub(crate) fn roots(&self) -> Result<RootCertStore, BadSettings> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for (index, der) in self.extra_roots.iter().enumerate() {
            roots
                .add(CertificateDer::from(der.clone()))
                .map_err(|why| BadSettings::Root { index: index + 1, why: why.to_string() })?;
        }
        Ok(roots)
    }
}
