//! Settings of listeners that speak TLS.

use std::net::SocketAddr;
use std::path::PathBuf;

use figment::value::{Dict, Value};
use pierhead_gateway::tls::{CertificateFiles, ClientCertificates, TlsSettings, TlsVersion};
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
    pub chain: PathBuf,
    pub key: PathBuf,
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
            certificates: self
                .certificates
                .iter()
                .map(|pair| CertificateFiles { chain: pair.chain.clone(), key: pair.key.clone() })
                .collect(),
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
        let is_empty =
            |pair: &Certificate| pair.chain.as_os_str().is_empty() || pair.key.as_os_str().is_empty();
        if listener.certificates.is_empty() || listener.certificates.iter().any(is_empty) {
            return Err(format!("{at}.certificates: each needs a chain and a key, and there must be one"));
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
