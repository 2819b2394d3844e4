//! TLS towards one target as its `SSLInfo` asks for it: our certificate, whom to believe, which name
//! (api-management §3, decision 052).

mod plan;
mod verifier;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio_rustls::TlsConnector;

pub(crate) use self::plan::{TlsAsked, TlsPlan, Unmet};
pub(crate) use self::verifier::TrustAll;
use self::verifier::{ExpectedName, TargetVerifier};
use crate::compile::Http2;
use crate::key_stores::{KeyEntry, KeyStore};
use pierhead_vault::Certificate;

/// TLS ready for handshakes with one target. Two are equal only when they are one and the same: connections
/// made with one are never used for a request that asks for another.
pub struct TargetTls {
    /// `None` believes the public authorities.
    trusted: Option<Vec<Certificate>>,
    verifies: bool,
    expected: Option<ExpectedName>,
    shown: Option<Arc<CertifiedKey>>,
    versions: Vec<&'static SupportedProtocolVersion>,
    provider: Arc<CryptoProvider>,
    offers: OnceLock<Result<Offers, Arc<str>>>,
}

impl TargetTls {
    /// The name that the certificate of the target must carry, when it is not its host's.
    pub(crate) fn expected_name(&self) -> Option<&str> {
        self.expected.as_ref().map(|expected| &*expected.pattern)
    }

    /// For a handshake. `public` are the authorities that are believed where the design names no store.
    pub(crate) fn offers(&self, public: &Arc<RootCertStore>) -> Result<&Offers, Arc<str>> {
        let made = self.offers.get_or_init(|| self.config(public).map(|config| Offers::new(&config)));
        made.as_ref().map_err(Arc::clone)
    }

    fn config(&self, public: &Arc<RootCertStore>) -> Result<ClientConfig, Arc<str>> {
        let text = |error: rustls::Error| Arc::from(error.to_string());
        let verifier: Arc<dyn ServerCertVerifier> = match self.verifies {
            false => Arc::new(TrustAll(Arc::clone(&self.provider))),
            true => {
                let trusted = self.trusted.as_deref();
                let expected = self.expected.clone();
                Arc::new(TargetVerifier::new(&self.provider, public, trusted, expected)?)
            }
        };
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&self.versions)
            .map_err(text)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        Ok(match &self.shown {
            Some(key) => builder.with_client_cert_resolver(Arc::new(Shown(Arc::clone(key)))),
            None => builder.with_no_client_auth(),
        })
    }
}

impl fmt::Debug for TargetTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetTls")
            .field("verifies", &self.verifies)
            .field("expected", &self.expected)
            .field("shows_a_certificate", &self.shown.is_some())
            .finish_non_exhaustive()
    }
}

impl PartialEq for TargetTls {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for TargetTls {}

impl Hash for TargetTls {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::from_ref(self).hash(state);
    }
}

/// Our certificate, whatever authorities the target says it believes: the design names it.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl rustls::client::ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], schemes: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.key.choose_scheme(schemes).map(|_| Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// An entry of a store as a handshake shows it. The error says what is wrong with it.
pub(crate) fn shown(entry: &KeyEntry, provider: &CryptoProvider) -> Result<CertifiedKey, String> {
    let key = entry.key.as_ref().ok_or("it holds no private key")?;
    let chain: Vec<_> =
        entry.chain.iter().map(|certificate| CertificateDer::from(certificate.der().to_vec())).collect();
    let der = PrivateKeyDer::try_from(key.der().to_vec()).map_err(str::to_owned)?;
    CertifiedKey::from_der(chain, der, provider).map_err(|error| error.to_string())
}

/// What a trust store trusts: all its certificates.
fn trusted(store: &KeyStore) -> Vec<Certificate> {
    store.certificates().cloned().collect()
}

/// The same trust with each choice of protocols (ALPN).
pub(crate) struct Offers {
    never: TlsConnector,
    negotiated: TlsConnector,
    only: TlsConnector,
}

pub(crate) const H2: &[u8] = b"h2";
const HTTP11: &[u8] = b"http/1.1";

impl Offers {
    pub(crate) fn new(config: &ClientConfig) -> Self {
        let offering = |protocols: &[&[u8]]| {
            let mut config = config.clone();
            config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
            TlsConnector::from(Arc::new(config))
        };
        Self { never: offering(&[HTTP11]), negotiated: offering(&[H2, HTTP11]), only: offering(&[H2]) }
    }

    pub(crate) const fn of(&self, http2: Http2) -> &TlsConnector {
        match http2 {
            Http2::Never => &self.never,
            Http2::Negotiated => &self.negotiated,
            Http2::Only => &self.only,
        }
    }
}

#[cfg(test)]
mod tests;
