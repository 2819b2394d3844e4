//! What the engine asks of a connector instance. The hub's HTTP face implements it.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use pierhead_domain::{EpochMillis, InstanceId, SecretString};

use super::CallProblem;
use crate::definition::Connector;

/// One connector instance during one call.
pub trait Connection: Send + Sync {
    /// The instance called, for logs.
    fn instance_id(&self) -> InstanceId;

    /// The definition the instance was made from.
    fn connector(&self) -> &Arc<Connector>;

    /// The instance's configuration by its wire key (`base.url`, `root.path`, `username`, `password`, …),
    /// secrets in clear. Defaults of the definition are filled in by the engine, not here.
    fn setting(&self, key: &str) -> Option<&str>;

    /// Fresh credential material; refreshes first when it is about to expire.
    fn credential(&self) -> BoxFuture<'_, Result<Credential, CallProblem>>;

    /// The vendor refused the credential of this generation: refresh it once and give the new one. A
    /// connection that cannot refresh answers with the problem to show (401 or 502).
    fn rejected(&self, generation: u64) -> BoxFuture<'_, Result<Credential, CallProblem>>;

    /// A link to a file of this instance that needs no credentials, signed and expiring, if the
    /// installation makes such links. `file_id` is the hub's id of the file.
    fn download_link(&self, file_id: &str) -> Option<DownloadLink> {
        let _ = file_id;
        None
    }
}

/// Secret material that a definition's `apply` block puts into requests, by name:
/// `access_token` for the OAuth kinds, `username` and `password` for basic, `api_key`, … .
/// `generation` grows with each refresh; 0 for credentials that never change.
#[derive(Debug, Clone, Default)]
pub struct Credential {
    /// Which refresh made this material.
    pub generation: u64,
    parts: Vec<(String, SecretString)>,
}

impl Credential {
    /// No credential at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// An OAuth access token.
    pub fn bearer(access_token: impl Into<SecretString>, generation: u64) -> Self {
        Self { generation, parts: Vec::new() }.with("access_token", access_token)
    }

    /// The same with one more named part.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.parts.push((name.into(), secret.into()));
        self
    }

    /// The part of this name.
    pub fn part(&self, name: &str) -> Option<&SecretString> {
        self.parts.iter().find(|(key, _)| key == name).map(|(_, secret)| secret)
    }

    /// All parts with their names.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.parts.iter().map(|(name, secret)| (name.as_str(), secret))
    }
}

/// A download link that needs no credentials (`cloudElementsLink`, open-connectors §10).
#[derive(Debug, Clone)]
pub struct DownloadLink {
    /// The absolute URL.
    pub url: String,
    /// When it stops working.
    pub expires: EpochMillis,
}
