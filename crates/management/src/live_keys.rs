//! The API keys of the snapshot: every key with its app, developer and products, by keyed hash.

use std::collections::HashMap;
use std::sync::Arc;

use pierhead_domain::EpochMillis;
use pierhead_gateway::snapshot::{
    ApiKey, ApiProduct, Attributes, Developer, DeveloperApp, KeyTable, ProductQuota, ResourcePattern,
    Standing,
};
use pierhead_store::management::{Stamp, StoredApp, StoredDeveloper, StoredKey, StoredProduct};
use pierhead_vault::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::live::StartFailure;
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
    /// Puts the committed keys into the snapshot.
    pub(crate) async fn publish_keys(&self) -> Result<(), StartFailure> {
        let _one_at_a_time = self.publishing.lock().await;
        let (organization, designs) = (self.organization(), self.store.designs());
        let products: HashMap<String, Arc<ApiProduct>> = designs
            .products(organization)
            .await?
            .iter()
            .map(|stored| (stored.name.clone(), Arc::new(product(stored))))
            .collect();
        let stored_apps = designs.apps(organization).await?;
        let developers: HashMap<String, Arc<Developer>> = designs
            .developers(organization)
            .await?
            .iter()
            .map(|stored| (stored.id.clone(), Arc::new(developer(stored, &stored_apps))))
            .collect();
        let apps: HashMap<String, Arc<DeveloperApp>> = stored_apps
            .iter()
            .map(|stored| (stored.id.clone(), Arc::new(app(stored, developers.get(&stored.developer)))))
            .collect();
        let mut keys = Vec::new();
        for stored in designs.keys(organization).await? {
            let Some(app) = apps.get(&stored.app) else { continue };
            keys.push(self.live_key(&stored, app, &products)?);
        }
        let lookup = self.vault.lookup().clone();
        let hash = Arc::new(move |key: &str| lookup.digest(KEY_KIND, key));
        self.snapshots.update(|old| old.with_keys(KeyTable::new(hash, keys)));
        Ok(())
    }

    fn live_key(
        &self,
        stored: &StoredKey,
        app: &Arc<DeveloperApp>,
        products: &HashMap<String, Arc<ApiProduct>>,
    ) -> Result<([u8; 32], Arc<ApiKey>), StartFailure> {
        let sealed = Sealed::from_stored(stored.sealed.clone());
        let place = sealed_place(&stored.hash);
        let clear = self.vault.open_bytes(self.organization(), &place, &sealed)?;
        let broken = || pierhead_vault::VaultError::DoesNotOpen(place.clone());
        let pair: KeyPair = serde_json::from_slice(&clear).map_err(|_| broken())?;
        let named = stored
            .products
            .iter()
            .filter_map(|named| Some((products.get(&named.product)?.clone(), standing(&named.status))));
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

fn developer(stored: &StoredDeveloper, apps: &[StoredApp]) -> Developer {
    let document = document(&stored.document);
    let Stamp { created_ms, created_by, changed_ms, changed_by } = stored.stamp.clone();
    let own = apps.iter().filter(|app| app.developer == stored.id);
    Developer {
        id: stored.id.as_str().into(),
        user_name: text(&document, "userName"),
        first_name: text(&document, "firstName"),
        last_name: text(&document, "lastName"),
        email: stored.email.as_str().into(),
        standing: standing(&text(&document, "status")),
        apps: own.map(|app| app.name.as_str().into()).collect(),
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
