//! The PEM files of a listener, read whole.

use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{CertificateSource, ClientCertificates, TlsSettings};
use crate::key_stores::{KeyEntry, KeyStores};

/// Names what files held.
pub(super) type Digest = [u8; 32];

/// Why a listener cannot speak TLS. No text of a file is in it.
#[derive(Debug, thiserror::Error)]
pub enum TlsProblem {
    /// A file cannot be read.
    #[error("{}: {source}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{}: {rule}", file.display())]
    Wrong {
        /// Which.
        file: PathBuf,
        /// What it must be.
        rule: String,
    },
    /// No certificate was named.
    #[error("a TLS listener needs a certificate and its key")]
    NoCertificate,
    /// The library refuses the settings.
    #[error("TLS is not usable: {0}")]
    Unusable(#[source] rustls::Error),
}

impl TlsProblem {
    pub(super) fn wrong(file: &Path, rule: impl Into<String>) -> Self {
        Self::Wrong { file: file.to_owned(), rule: rule.into() }
    }

    /// A trust store that cannot be used.
    pub(super) fn authority(clients: &ClientCertificates, why: &dyn std::error::Error) -> Self {
        let file = clients.file().unwrap_or(Path::new(""));
        Self::wrong(file, format!("a certificate authority is unusable: {why}"))
    }
}

impl ClientCertificates {
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::None => None,
            Self::Optional(file) | Self::Required(file) => Some(file),
        }
    }
}

/// One certificate with its key.
pub(super) struct Pair {
    pub(super) file: PathBuf,
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// What the files of a listener hold.
pub(super) struct Files {
    pub(super) pairs: Vec<Pair>,
    pub(super) authorities: Vec<CertificateDer<'static>>,
    digest: Sha256,
}

impl Files {
    pub(super) fn read(settings: &TlsSettings, stores: &KeyStores) -> Result<Self, TlsProblem> {
        let mut digest = Sha256::new();
        let mut pairs = Vec::new();
        for source in &settings.certificates {
            let files = match source {
                CertificateSource::Files(files) => files,
                CertificateSource::Stored { store, alias } => {
                    let entry = stores.get(store).and_then(|store| store.get(alias));
                    match entry.and_then(|entry| stored(entry, source, &mut digest)) {
                        Some(pair) => pairs.push(pair),
                        None => digest.update(b"nothing"),
                    }
                    continue;
                }
            };
            let chain = certificates(&files.chain, &mut digest)?;
            let bytes = read(&files.key, &mut digest)?;
            let key = PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| {
                TlsProblem::wrong(&files.key, "must be a PEM file with an unencrypted private key")
            })?;
            pairs.push(Pair { file: files.key.clone(), chain, key });
        }
        if settings.certificates.is_empty() {
            return Err(TlsProblem::NoCertificate);
        }
        let authorities = match settings.clients.file() {
            Some(file) => certificates(file, &mut digest)?,
            None => Vec::new(),
        };
        Ok(Self { pairs, authorities, digest })
    }

    pub(super) fn digest(&self) -> Digest {
        self.digest.clone().finalize().into()
    }
}

/// A pair of a key store; `None` when there is no key with it.
fn stored(entry: &KeyEntry, source: &CertificateSource, digest: &mut Sha256) -> Option<Pair> {
    let key = entry.key.as_ref()?;
    let mut note = |bytes: &[u8]| {
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    };
    let chain: Vec<_> =
        entry.chain.iter().map(|certificate| CertificateDer::from(certificate.der().to_vec())).collect();
    chain.iter().for_each(|der| note(der));
    note(key.der());
    let key = PrivateKeyDer::try_from(key.der().to_vec()).ok()?;
    Some(Pair { file: source.to_string().into(), chain, key })
}

/// Names a state in which the files cannot be read.
pub(super) fn digest_of(problem: &TlsProblem) -> Digest {
    Sha256::digest(problem.to_string().as_bytes()).into()
}

fn read(file: &Path, digest: &mut Sha256) -> Result<Zeroizing<Vec<u8>>, TlsProblem> {
    let bytes = std::fs::read(file)
        .map_err(|source| TlsProblem::Unreadable { file: file.to_owned(), source })
        .map(Zeroizing::new)?;
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(&bytes[..]);
    Ok(bytes)
}

fn certificates(file: &Path, digest: &mut Sha256) -> Result<Vec<CertificateDer<'static>>, TlsProblem> {
    let bytes = read(file, digest)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(TlsProblem::wrong(file, "must be a PEM file with certificates")),
    }
}
