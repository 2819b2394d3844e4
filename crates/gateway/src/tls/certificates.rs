//! Which certificate a client is shown: by the host name it asks for (SNI, RFC 6066 §3).

use std::fmt;
use std::sync::Arc;

use ahash::AHashMap;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::files::{Files, Pair, TlsProblem};

/// The certificates of a listener by the names in them.
pub(super) struct Certificates {
    /// `None` while no store has what was named.
    first: Option<Arc<CertifiedKey>>,
    exact: AHashMap<Box<str>, Arc<CertifiedKey>>,
    /// `*.example.com` as `example.com`.
    wildcard: AHashMap<Box<str>, Arc<CertifiedKey>>,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("names", &self.exact.len()).finish_non_exhaustive()
    }
}

impl Certificates {
    /// A name that several certificates have is served by the first of them.
    pub(super) fn new(files: &Files, provider: &CryptoProvider) -> Result<Self, TlsProblem> {
        let (mut exact, mut wildcard) = (AHashMap::new(), AHashMap::new());
        let mut first = None;
        for pair in &files.pairs {
            let certified = Arc::new(certified(pair, provider)?);
            for name in names(pair)? {
                let (names, name) = match name.strip_prefix("*.") {
                    Some(parent) => (&mut wildcard, parent.into()),
                    None => (&mut exact, name.into_boxed_str()),
                };
                names.entry(name).or_insert_with(|| Arc::clone(&certified));
            }
            first.get_or_insert(certified);
        }
        Ok(Self { first, exact, wildcard })
    }

    fn named(&self, name: &str) -> Option<&Arc<CertifiedKey>> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let by_parent = || self.wildcard.get(name.split_once('.')?.1);
        self.exact.get(&*name).or_else(by_parent)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().and_then(|name| self.named(name));
        named.or(self.first.as_ref()).map(Arc::clone)
    }
}

fn certified(pair: &Pair, provider: &CryptoProvider) -> Result<CertifiedKey, TlsProblem> {
    let key = provider
        .key_provider
        .load_private_key(pair.key.clone_key())
        .map_err(|_| TlsProblem::wrong(&pair.file, "must hold an RSA, ECDSA or Ed25519 key"))?;
    let certified = CertifiedKey::new(pair.chain.clone(), key);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(certified),
        Err(_) => Err(TlsProblem::wrong(&pair.file, "must be the key of the first certificate of its chain")),
    }
}

/// The DNS names of a pair's certificate, in lower case.
fn names(pair: &Pair) -> Result<Vec<String>, TlsProblem> {
    let first = pair.chain.first().ok_or(TlsProblem::NoCertificate)?;
    let certificate = webpki::EndEntityCert::try_from(first)
        .map_err(|why| TlsProblem::wrong(&pair.file, format!("has an unusable certificate: {why}")))?;
    Ok(certificate.valid_dns_names().map(str::to_ascii_lowercase).collect())
}
