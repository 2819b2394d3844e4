//! The API keys of the snapshot: every key with its app, developer and products, by keyed hash.

use std::collections::HashMap;
use std::sync::Arc;

use pierhead_domain::EpochMillis;
use pierhead_gateway::snapshot::{
    ApiKey, ApiProduct, Attributes, Developer, DeveloperApp, KeyTable, ProductQuota, ResourcePattern,
    Standing,
};
use pierhead_store::management::{
    Stamp, StoredApp, StoredConsumers, StoredDeveloper, StoredKey, StoredProduct,
};
use pierhead_vault::{Sealed, VaultError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::management::Parts;

/// What API keys are to the vault's look-up hash.
pub(crate) const KEY_KIND: &str = "api-key";

/// A key and its secret, as sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeyPair {
    pub(crate) key: String,
    pub(crate) secret: String,
}

/// Where a sealed key lies, for the vault.
pub(crate) fn sealed_place(hash: &str) -> String {
    format!("api_key/sealed/{hash}")
}

impl Parts {
    /// The committed keys as the gateway uses them.
    pub(crate) fn key_table(&self, stored: &StoredConsumers) -> Result<KeyTable, VaultError> {
        let products: HashMap<&str, Arc<ApiProduct>> =
            stored.products.iter().map(|one| (one.name.as_str(), Arc::new(product(one)))).collect();
        let mut apps_of: HashMap<&str, Vec<Box<str>>> = HashMap::new();
        for app in &stored.apps {
            apps_of.entry(&app.developer).or_default().push(app.name.as_str().into());
        }
        let developers: HashMap<&str, Arc<Developer>> = stored
            .developers
            .iter()
            .map(|one| (one.id.as_str(), Arc::new(developer(one, apps_of.remove(one.id.as_str())))))
            .collect();
        let apps: HashMap<&str, Arc<DeveloperApp>> = stored
            .apps
            .iter()
            .map(|one| (one.id.as_str(), Arc::new(app(one, developers.get(one.developer.as_str())))))
            .collect();
        let mut keys = Vec::with_capacity(stored.keys.len());
        for stored in &stored.keys {
            let Some(app) = apps.get(stored.app.as_str()) else { continue };
            keys.push(self.live_key(stored, app, &products)?);
        }
        let lookup = self.vault.lookup().clone();
        let hash = Arc::new(move |key: &str| lookup.digest(KEY_KIND, key));
        Ok(KeyTable::new(hash, keys))
    }

    fn live_key(
        &self,
        stored: &StoredKey,
        app: &Arc<DeveloperApp>,
        products: &HashMap<&str, Arc<ApiProduct>>,
    ) -> Result<([u8; 32], Arc<ApiKey>), VaultError> {
        let sealed = Sealed::from_stored(stored.sealed.clone());
        let place = sealed_place(&stored.hash);
        let clear = self.vault.open_bytes(self.organization(), &place, &sealed)?;
        let broken = || VaultError::DoesNotOpen(place.clone());
        let pair: KeyPair = serde_json::from_slice(&clear).map_err(|_| broken())?;
        let named = stored.products.iter().filter_map(|named| {
            Some((products.get(named.product.as_str())?.clone(), standing(&named.status)))
        });
        let key = ApiKey {
            standing: standing(&stored.status),
            expires_at: stored.expires_ms.map(EpochMillis::new),
            secret: Some(Arc::new(pair.secret.into())),
            products: named.collect(),
            app: app.clone(),
            attributes: Attributes::default(),
        };
        Ok((self.vault.lookup().digest(KEY_KIND, &pair.key), Arc::new(key)))
    }
}

fn product(stored: &StoredProduct) -> ApiProduct {
    let document = document(&stored.document);
    let quota = document["quota"].as_str().map(|limit| ProductQuota {
        limit: limit.into(),
        interval: text(&document, "quotaInterval"),
        time_unit: text(&document, "quotaTimeUnit"),
    });
    ApiProduct {
        name: stored.name.as_str().into(),
        display_name: text(&document, "displayName"),
        proxies: texts(&document, "proxies"),
        environments: texts(&document, "environments"),
        resources: texts(&document, "apiResources")
            .iter()
            .map(|pattern| ResourcePattern::new(pattern))
            .collect(),
        operations: Vec::new(),
        scopes: texts(&document, "scopes"),
        quota,
        attributes: attributes(&document),
    }
}

fn developer(stored: &StoredDeveloper, apps: Option<Vec<Box<str>>>) -> Developer {
    let document = document(&stored.document);
    let Stamp { created_ms, created_by, changed_ms, changed_by } = stored.stamp.clone();
    Developer {
        id: stored.id.as_str().into(),
        user_name: text(&document, "userName"),
        first_name: text(&document, "firstName"),
        last_name: text(&document, "lastName"),
        email: stored.email.as_str().into(),
        standing: standing(&text(&document, "status")),
        apps: apps.unwrap_or_default(),
        created_at: EpochMillis::new(created_ms),
        created_by: created_by.into(),
        changed_at: EpochMillis::new(changed_ms),
        changed_by: changed_by.into(),
        attributes: attributes(&document),
    }
}

fn app(stored: &StoredApp, developer: Option<&Arc<Developer>>) -> DeveloperApp {
    let document = document(&stored.document);
    let Stamp { created_ms, created_by, changed_ms, changed_by } = stored.stamp.clone();
    DeveloperApp {
        id: stored.id.as_str().into(),
        name: stored.name.as_str().into(),
        display_name: stored.name.as_str().into(),
        standing: standing(&text(&document, "status")),
        callback_url: text(&document, "callbackUrl"),
        access_type: text(&document, "accessType"),
        app_type: "Developer".into(),
        created_at: EpochMillis::new(created_ms),
        created_by: created_by.into(),
        changed_at: EpochMillis::new(changed_ms),
        changed_by: changed_by.into(),
        developer: developer.cloned(),
        company: None,
        attributes: attributes(&document),
    }
}

/// What is neither approved nor active may not be used.
fn standing(status: &str) -> Standing {
    match status {
        "approved" | "active" => Standing::Approved,
        "pending" => Standing::Pending,
        _ => Standing::Revoked,
    }
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn text(document: &Value, name: &str) -> Box<str> {
    document[name].as_str().unwrap_or_default().into()
}

fn texts(document: &Value, name: &str) -> Vec<Box<str>> {
    document[name].as_array().into_iter().flatten().filter_map(Value::as_str).map(Into::into).collect()
}

fn attributes(document: &Value) -> Attributes {
    let pairs = document["attributes"].as_array().into_iter().flatten();
    pairs.filter_map(|pair| Some((pair["name"].as_str()?.into(), pair["value"].as_str()?.into()))).collect()
}
