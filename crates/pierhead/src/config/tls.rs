//! Settings of listeners that speak TLS.

use std::net::SocketAddr;
use std::path::PathBuf;

use figment::value::{Dict, Value};
use pierhead_gateway::tls::{
    CertificateFiles, CertificateSource, ClientCertificates, TlsSettings, TlsVersion,
};
use serde::Deserialize;

/// An address that speaks TLS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file is the manual")]
pub struct TlsListen {
    pub listen: SocketAddr,
    pub certificates: Vec<Certificate>,
    #[serde(default)]
    pub minimum_version: MinimumVersion,
    #[serde(default)]
    pub client_certificates: AskClients,
    #[serde(default)]
    pub client_authorities: PathBuf,
}

/// A certificate and its key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file is the manual")]
pub struct Certificate {
    #[serde(default)]
    pub chain: PathBuf,
    #[serde(default)]
    pub key: PathBuf,
    #[serde(default)]
    pub store: String,
    #[serde(default)]
    pub alias: String,
}

impl Certificate {
    /// Two files, or a store and an alias in it; `None` is neither.
    fn source(&self) -> Option<CertificateSource> {
        let has_files = !self.chain.as_os_str().is_empty() && !self.key.as_os_str().is_empty();
        let has_any_file = !self.chain.as_os_str().is_empty() || !self.key.as_os_str().is_empty();
        match (has_files, has_any_file, self.store.as_str(), self.alias.as_str()) {
            (true, _, "", "") => {
                let files = CertificateFiles { chain: self.chain.clone(), key: self.key.clone() };
                Some(files.into())
            }
            (_, false, store, alias) if !store.is_empty() && !alias.is_empty() => {
                Some(CertificateSource::Stored { store: store.into(), alias: alias.into() })
            }
            _ => None,
        }
    }
}

/// The oldest version that is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum MinimumVersion {
    /// TLS 1.2.
    #[default]
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    Tls13,
}

/// Whether clients are asked for certificates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AskClients {
    /// They are not.
    #[default]
    None,
    /// They may show one.
    Optional,
    /// They must show one.
    Required,
}

impl TlsListen {
    /// For the gateway's library; `protocols` are offered by ALPN, best first.
    pub fn settings(&self, protocols: &[&'static str]) -> TlsSettings {
        let authorities = self.client_authorities.clone();
        TlsSettings {
            certificates: self.certificates.iter().filter_map(Certificate::source).collect(),
            minimum: match self.minimum_version {
                MinimumVersion::Tls12 => TlsVersion::Tls12,
                MinimumVersion::Tls13 => TlsVersion::Tls13,
            },
            clients: match self.client_certificates {
                AskClients::None => ClientCertificates::None,
                AskClients::Optional => ClientCertificates::Optional(authorities),
                AskClients::Required => ClientCertificates::Required(authorities),
            },
            protocols: protocols.to_vec(),
        }
    }
}

/// Checks what the types do not; the error names the setting.
pub(super) fn check(section: &str, listeners: &[TlsListen]) -> Result<(), String> {
    for (index, listener) in listeners.iter().enumerate() {
        let at = format!("{section}.tls[{index}]");
        let sources: Option<Vec<_>> = listener.certificates.iter().map(Certificate::source).collect();
        let Some(sources) = sources.filter(|sources| !sources.is_empty()) else {
            return Err(format!(
                "{at}.certificates: each needs a chain and a key, or a store and an alias, and there must be one"
            ));
        };
        let is_stored = |source: &CertificateSource| matches!(source, CertificateSource::Stored { .. });
        if section != "gateway" && sources.iter().any(is_stored) {
            return Err(format!("{at}.certificates: key stores are for the gateway's listeners; name files"));
        }
        let has_authorities = !listener.client_authorities.as_os_str().is_empty();
        if has_authorities != (listener.client_certificates != AskClients::None) {
            return Err(format!(
                "{at}.client_authorities: a file when client_certificates is optional or required, and only then"
            ));
        }
    }
    Ok(())
}

/// The one listener that flags describe: the first chain belongs to the first key and so on.
pub(crate) fn of_flags(listen: SocketAddr, chains: &[PathBuf], keys: &[PathBuf]) -> Value {
    let at = |files: &[PathBuf], index: usize| -> Value {
        files.get(index).map_or_else(String::new, |file| file.display().to_string()).into()
    };
    let certificates: Vec<Value> = (0..chains.len().max(keys.len()))
        .map(|index| {
            let pair = [("chain".to_owned(), at(chains, index)), ("key".to_owned(), at(keys, index))];
            Value::from(Dict::from(pair))
        })
        .collect();
    let listener =
        [("listen".to_owned(), listen.to_string().into()), ("certificates".to_owned(), certificates.into())];
    vec![Value::from(Dict::from(listener))].into()
}
