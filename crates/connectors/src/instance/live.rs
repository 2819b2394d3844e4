//! One instance, opened: settings in clear, credential at hand.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use pierhead_domain::{Caller, EpochMillis, InstanceToken, SecretString};
use pierhead_store::connectors::{StoredCredential, StoredInstance};

use super::{InstanceVault, LoadProblem};
use crate::credentials::{CredentialSlot, Held};
use crate::definition::Connector;

/// An instance in memory. Its settings never change: a change makes a new one. Its credential does.
#[derive(Debug)]
pub(crate) struct LiveInstance {
    /// The row it was made from.
    pub(crate) stored: StoredInstance,
    /// Its definition.
    pub(crate) connector: Arc<Connector>,
    /// The connector token, as lists show it.
    pub(crate) token: InstanceToken,
    /// The credential, replaced in place by each refresh.
    pub(crate) credential: CredentialSlot,
    settings: HashMap<String, SecretString>,
    last_used: AtomicI64,
}

impl LiveInstance {
    /// Opens what the store holds.
    pub(crate) fn open(
        vault: &InstanceVault,
        connector: Arc<Connector>,
        stored: StoredInstance,
        credential: Option<StoredCredential>,
    ) -> Result<Self, LoadProblem> {
        let (organization, hash) = (stored.organization, stored.token_hash.as_str());
        let token = vault.open_token(organization, hash, stored.token_sealed.clone())?;
        let mut settings: HashMap<String, SecretString> =
            vault.open_secrets(organization, hash, stored.secrets_sealed.clone())?.into_iter().collect();
        for (key, value) in &stored.settings {
            settings.insert(key.clone(), SecretString::new(value.as_str()));
        }
        let held = match credential {
            Some(credential) => {
                let material = vault.open_material(organization, hash, credential.sealed)?;
                Held::refreshable(&material, credential.generation, credential.expires, credential.state)
            }
            None => Held::fixed(&connector, &settings),
        };
        let last_used = AtomicI64::new(0);
        Ok(Self { stored, connector, token, credential: CredentialSlot::new(held), settings, last_used })
    }

    /// A setting by its wire key, in clear.
    pub(crate) fn setting(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(SecretString::expose)
    }

    /// Whether `caller` may call and see it: same organization, and same account unless an administrator of
    /// the organization.
    pub(crate) fn belongs_to(&self, caller: &Caller) -> bool {
        self.stored.organization == caller.organization
            && (self.stored.account == caller.account || caller.is_org_admin())
    }

    pub(crate) fn touch(&self, now: EpochMillis) {
        self.last_used.store(now.as_i64(), Ordering::Relaxed);
    }

    pub(crate) fn last_used(&self) -> i64 {
        self.last_used.load(Ordering::Relaxed)
    }
}
