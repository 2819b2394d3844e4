//! Key stores and assertions of tests. The assertions were signed by xmlsec1 1.2.37.

use std::sync::Arc;

use pierhead_vault::Certificate;

use crate::compile::{World, compile};
use crate::design::ProxyDesign;
use crate::dialect::Dialect;
use crate::key_stores::{KeyEntry, KeyStore, KeyStores};
use crate::snapshot::Snapshot;
use crate::testing::{Bench, world};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("fixtures/", $name))
    };
}

pub(crate) const RSA_SHA256: &str = fixture!("rsa-sha256.xml");
/// Every way of signing that is verified.
pub(crate) const SIGNED: [&str; 4] = [
    RSA_SHA256,
    fixture!("rsa-sha1-inclusive.xml"),
    fixture!("ecdsa-sha256.xml"),
    fixture!("rsa-sha512-prefixes.xml"),
];
/// The response is signed, the assertion in it is not.
pub(crate) const SIGNED_RESPONSE: &str = fixture!("response.xml");
/// By a key that nobody vouches for, under the name of one that is trusted.
pub(crate) const STRANGER: &str = fixture!("stranger.xml");
/// With a certificate that held until 2012.
pub(crate) const OLD: &str = fixture!("old.xml");

pub(crate) const AUTHORITY: &str = fixture!("ca.crt");
pub(crate) const IDP_RSA: &str = fixture!("idp-rsa.crt");
pub(crate) const IDP_EC: &str = fixture!("idp-ec.crt");

fn chain(pem: &str) -> Vec<Certificate> {
    Certificate::read_pem(pem).unwrap()
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    crate::template::decode_base64(&body).unwrap()
}

/// `trust` holds the authority; `pinned` the certificates of both signers; `keys` their keys under `rsa`, `ec`.
pub(crate) fn stores() -> KeyStores {
    use crate::policy::security::jose::testing::{P256, RSA};
    let certificate = |pem| KeyEntry { chain: chain(pem), key: None };
    let key = |pem: &str, key| KeyEntry::read(&[chain(pem)[0].der().to_vec()], Some(der(key))).unwrap();
    let trust = KeyStore::default().with("ca", certificate(AUTHORITY));
    let pinned = KeyStore::default().with("a", certificate(IDP_EC)).with("b", certificate(IDP_RSA));
    let keys = KeyStore::default().with("rsa", key(IDP_RSA, RSA)).with("ec", key(IDP_EC, P256));
    KeyStores::default()
        .with("trust", Arc::new(trust))
        .with("pinned", Arc::new(pinned))
        .with("keys", Arc::new(keys))
        .with("empty", Arc::default())
}

/// A bench in an environment that has the key stores.
pub(crate) fn bench(design: &ProxyDesign, dialect: Dialect) -> Bench {
    let world = World { key_stores: stores(), dialect, ..world() };
    let proxy = compile(design, "3", &world).unwrap_or_else(|problems| panic!("{problems:#?}"));
    Bench::on(Snapshot::empty("acme", "test").with_proxy(proxy).unwrap())
}
