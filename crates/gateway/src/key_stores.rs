//! Key stores and trust stores of an environment: certificates, and private keys that belong to them.

use std::sync::Arc;

use ahash::AHashMap;
use indexmap::IndexMap;
use pierhead_vault::jose::JoseError;
use pierhead_vault::{Certificate, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::watch;

/// Key stores by name; a reference is another name of a store, `ref://<reference>`.
#[derive(Debug, Clone, Default)]
pub struct KeyStores(Arc<AHashMap<String, Arc<KeyStore>>>);

impl KeyStores {
    /// With one store more, or another one of the same name.
    #[must_use]
    pub fn with(mut self, name: &str, store: Arc<KeyStore>) -> Self {
        Arc::make_mut(&mut self.0).insert(name.to_owned(), store);
        self
    }

    /// A store.
    pub fn get(&self, name: &str) -> Option<&Arc<KeyStore>> {
        self.0.get(name)
    }
}

/// The key stores of the moment, for listeners: whoever changes them sets them here.
#[derive(Debug, Clone)]
pub struct LiveKeyStores(Arc<watch::Sender<KeyStores>>);

impl Default for LiveKeyStores {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(KeyStores::default())))
    }
}

impl LiveKeyStores {
    /// From now on these are used.
    pub fn set(&self, stores: KeyStores) {
        self.0.send_replace(stores);
    }

    pub(crate) fn get(&self) -> KeyStores {
        self.0.borrow().clone()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<KeyStores> {
        self.0.subscribe()
    }
}

/// Certificates and keys by alias, in the order they were put in.
#[derive(Debug, Default)]
pub struct KeyStore(IndexMap<String, KeyEntry>);

impl KeyStore {
    /// With one entry more, or another one under the same alias.
    #[must_use]
    pub fn with(mut self, alias: &str, entry: KeyEntry) -> Self {
        self.0.insert(alias.to_owned(), entry);
        self
    }

    /// What is under an alias.
    pub fn get(&self, alias: &str) -> Option<&KeyEntry> {
        self.0.get(alias)
    }

    /// The entry with a private key, when there is exactly one.
    pub fn only_key(&self) -> Option<&KeyEntry> {
        let mut keys = self.0.values().filter(|entry| entry.key.is_some());
        keys.next().filter(|_| keys.next().is_none())
    }

    /// The first certificate of each entry: what a trust store trusts.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.0.values().filter_map(|entry| entry.chain.first())
    }
}

/// A certificate with those that vouch for it, and its private key where there is one.
#[derive(Debug)]
pub struct KeyEntry {
    /// The certificate of the key first, then each one's issuer.
    pub chain: Vec<Certificate>,
    /// The private key; none in a trust store.
    pub key: Option<KeyPair>,
}

impl KeyEntry {
    /// Reads DER: certificates, and a private key in PKCS #8, PKCS #1 or SEC 1.
    pub fn read(chain: &[Vec<u8>], key: Option<Vec<u8>>) -> Result<Self, JoseError> {
        let chain = chain.iter().map(|der| Certificate::read(der)).collect::<Result<_, _>>()?;
        Ok(Self { chain, key: key.map(KeyPair::read_der).transpose()? })
    }

    /// Reads PEM files: certificates, and a private key that is not encrypted.
    ///
    /// # Errors
    /// The rule that a file breaks; never a part of the key.
    pub fn read_pem(certificates: &[u8], key: Option<&[u8]>) -> Result<Self, String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
        let chain: Vec<Vec<u8>> = chain
            .map(|all| all.iter().map(|der| der.to_vec()).collect())
            .map_err(|_| "the certificates are no PEM")?;
        if chain.is_empty() {
            return Err("there is no certificate".into());
        }
        let key = key
            .map(|key| PrivateKeyDer::from_pem_slice(key).map(|key| key.secret_der().to_vec()))
            .transpose()
            .map_err(|_| "the key is no unencrypted PEM key")?;
        let entry = Self::read(&chain, key).map_err(|why| why.to_string())?;
        if entry.key.is_some() {
            entry.check()?;
        }
        Ok(entry)
    }

    /// Whether the key belongs to the certificate and can be shown in a handshake.
    ///
    /// # Errors
    /// What is wrong with them; never a part of the key.
    pub fn check(&self) -> Result<(), String> {
        crate::target_tls::shown(self, &rustls::crypto::ring::default_provider()).map(drop)
    }
}
