//! Key stores, trust stores and references as they lie in the database (decision 052).
//!
//! A store is one setting of the environment. Its certificates are public; each private key is sealed for its
//! own place and leaves this module only on its way to the gateway.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use pierhead_gateway::{KeyEntry, KeyStore, KeyStores};
use pierhead_store::management::StoredItem;
use pierhead_vault::{Certificate, Sealed, VaultError};
use serde::{Deserialize, Serialize};

use crate::management::Parts;
use crate::odata::ODataError;

/// The document of a store.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct StoreDocument {
    /// In the order they were put in.
    pub(crate) aliases: Vec<AliasDocument>,
}

/// One entry of a store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AliasDocument {
    pub(crate) alias: String,
    /// DER in base64: the certificate, then those that signed it.
    chain: Vec<String>,
    /// The private key, sealed, in base64; empty in a trust store.
    #[serde(default)]
    key: String,
}

/// The document of a reference: another name for a store, which can be turned to another one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ReferenceDocument {
    /// The store it stands for.
    pub(crate) refers: String,
    /// `KeyStore` or `TrustStore`.
    pub(crate) resource_type: String,
}

/// What somebody puts into a store: certificates and perhaps their private key, PEM or DER.
pub(crate) struct Upload {
    chain: Vec<Vec<u8>>,
    key: Option<Vec<u8>>,
}

/// More certificates than this are no chain.
const CHAIN: usize = 100;

impl Upload {
    /// Reads files as they were sent. The error names the rule and holds nothing of a key.
    pub(crate) fn read(certificates: &[u8], key: Option<&[u8]>) -> Result<Self, String> {
        if certificates.starts_with(b"\x30") && Certificate::read(certificates).is_err() && key.is_none() {
            return Err("PKCS #12 files are not read: convert them to PEM \
                        (openssl pkcs12 -in store.p12 -nodes)"
                .into());
        }
        let chain = match std::str::from_utf8(certificates) {
            Ok(text) if text.contains("-----BEGIN ") => pem_blocks(text, "CERTIFICATE")?,
            _ => vec![certificates.to_vec()],
        };
        if chain.is_empty() || chain.len() > CHAIN {
            return Err(format!("the certificate file must hold 1 to {CHAIN} certificates"));
        }
        for der in &chain {
            Certificate::read(der).map_err(|error| format!("the certificate cannot be read: {error}"))?;
        }
        let key = key.map(private_key).transpose()?;
        let entry = KeyEntry::read(&chain, key.clone())
            .map_err(|error| format!("the key cannot be read: {error}"))?;
        if key.is_some() {
            entry.check().map_err(|why| format!("key and certificate: {why}"))?;
        }
        Ok(Self { chain, key })
    }
}

fn private_key(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(bytes.to_vec()) };
    if !text.contains("-----BEGIN ") {
        return Ok(bytes.to_vec());
    }
    if text.contains("ENCRYPTED") {
        return Err("the private key is encrypted: decrypt it first (openssl pkey -in key.pem)".into());
    }
    for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
        if let Some(key) = pem_blocks(text, label)?.into_iter().next() {
            return Ok(key);
        }
    }
    Err("the key file holds no private key".into())
}

/// The contents of all blocks with this label (RFC 7468).
fn pem_blocks(text: &str, label: &str) -> Result<Vec<Vec<u8>>, String> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some((_, after)) = rest.split_once(&begin) {
        let (body, after) = after.split_once(&end).ok_or("a PEM block has no end")?;
        let body: String = body.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
        found.push(BASE64.decode(body).map_err(|_| "a PEM block is no base64")?);
        rest = after;
    }
    Ok(found)
}

impl StoreDocument {
    pub(crate) fn read(stored: &StoredItem) -> Result<Self, ODataError> {
        serde_json::from_str(&stored.document).map_err(ODataError::internal)
    }

    pub(crate) fn alias(&self, alias: &str) -> Option<&AliasDocument> {
        self.aliases.iter().find(|entry| entry.alias == alias)
    }
}

impl AliasDocument {
    pub(crate) fn has_key(&self) -> bool {
        !self.key.is_empty()
    }

    /// The certificates, the first one's own first.
    pub(crate) fn certificates(&self) -> Vec<Certificate> {
        let der = self.chain.iter().filter_map(|text| BASE64.decode(text).ok());
        der.filter_map(|der| Certificate::read(&der).ok()).collect()
    }

    /// All certificates as PEM, lines of 64 letters.
    pub(crate) fn pem(&self) -> String {
        let mut out = String::new();
        for text in &self.chain {
            out.push_str("-----BEGIN CERTIFICATE-----\n");
            for line in text.as_bytes().chunks(64) {
                out.push_str(&String::from_utf8_lossy(line));
                out.push('\n');
            }
            out.push_str("-----END CERTIFICATE-----\n");
        }
        out
    }
}

impl Parts {
    /// An entry for the store; the key is sealed for this alias of this store.
    pub(crate) fn seal_alias(
        &self,
        store: &str,
        alias: &str,
        upload: &Upload,
    ) -> Result<AliasDocument, VaultError> {
        let key = match &upload.key {
            None => String::new(),
            Some(key) => {
                let clear = BASE64.encode(key).into();
                let sealed = self.vault.seal_text(self.organization(), &place(store, alias), &clear)?;
                BASE64.encode(sealed.as_bytes())
            }
        };
        let chain = upload.chain.iter().map(|der| BASE64.encode(der)).collect();
        Ok(AliasDocument { alias: alias.into(), chain, key })
    }

    /// All stores as the gateway uses them, under their names and under `ref://` and the names of references.
    pub(crate) fn open_key_stores(
        &self,
        stores: &[StoredItem],
        references: &[StoredItem],
    ) -> Result<KeyStores, ODataError> {
        let mut made = KeyStores::default();
        for stored in stores {
            let mut store = KeyStore::default();
            for entry in StoreDocument::read(stored)?.aliases {
                store = store.with(&entry.alias, self.open_alias(&stored.name, &entry)?);
            }
            made = made.with(&stored.name, Arc::new(store));
        }
        for stored in references {
            let reference: ReferenceDocument =
                serde_json::from_str(&stored.document).map_err(ODataError::internal)?;
            if let Some(store) = made.get(&reference.refers).cloned() {
                made = made.with(&format!("ref://{}", stored.name), store);
            }
        }
        Ok(made)
    }

    fn open_alias(&self, store: &str, entry: &AliasDocument) -> Result<KeyEntry, ODataError> {
        let decode = |text: &String| BASE64.decode(text).map_err(ODataError::internal);
        let chain = entry.chain.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
        let key = if entry.has_key() {
            let sealed = Sealed::from_stored(decode(&entry.key)?);
            let clear = self.vault.open_bytes(self.organization(), &place(store, &entry.alias), &sealed)?;
            Some(BASE64.decode(&*clear).map_err(ODataError::internal)?)
        } else {
            None
        };
        KeyEntry::read(&chain, key).map_err(ODataError::internal)
    }
}

/// Where a private key lies. A name holds no newline.
fn place(store: &str, alias: &str) -> String {
    format!("environment_item/keystore/{store}\n{alias}")
}

#[cfg(test)]
mod tests {
    use super::Upload;

    #[test]
    fn what_is_no_certificate_or_no_key_is_refused_by_rule() {
        for (certificates, key, rule) in [
            (&b"nothing"[..], None, "the certificate cannot be read"),
            (b"-----BEGIN CERTIFICATE-----\nMII", None, "a PEM block has no end"),
            (b"-----BEGIN X-----", None, "the certificate file must hold"),
            (b"\x30\x82", None, "PKCS #12"),
            (b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----", None, "a PEM block is no base64"),
        ] {
            let why = Upload::read(certificates, key).err().unwrap_or_default();
            assert!(why.starts_with(rule), "{why}");
        }
    }
}
