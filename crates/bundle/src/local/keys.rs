//! API keys of a local gateway.

use std::collections::BTreeMap;
use std::sync::Arc;

use pierhead_domain::EpochMillis;
use pierhead_gateway::snapshot::{
    ApiKey, ApiProduct, Attributes, Developer, DeveloperApp, KeyTable, ProductOperation, ProductQuota,
    ResourcePattern, Standing,
};
use sha2::{Digest, Sha256};

use super::settings::{App, Operation, Product, Settings};

/// The table of all keys: those of the settings, and `keys` with access to everything.
pub(super) fn table(settings: &Settings, keys: &[String], now: EpochMillis) -> KeyTable {
    // The keys of one's own machine need no keyed hash.
    let hash = |key: &str| -> [u8; 32] { Sha256::digest(key.as_bytes()).into() };
    let products: BTreeMap<&str, Arc<ApiProduct>> =
        settings.products.iter().map(|made| (made.name.as_str(), Arc::new(product(made)))).collect();
    let everything = Arc::new(ApiProduct {
        name: "everything".into(),
        display_name: "Everything".into(),
        ..ApiProduct::default()
    });
    let given = keys.iter().enumerate().map(|(index, key)| App {
        name: format!("key-{}", index + 1),
        key: key.clone(),
        developer: "local@example.test".into(),
        ..App::default()
    });
    let all = settings.apps.iter().cloned().chain(given).map(|app| {
        let mut access: Vec<_> = app
            .products
            .iter()
            .filter_map(|name| products.get(name.as_str()))
            .map(|product| (Arc::clone(product), Standing::Approved))
            .collect();
        if app.products.is_empty() {
            access.push((Arc::clone(&everything), Standing::Approved));
        }
        (hash(&app.key), Arc::new(key(&app, access, now)))
    });
    KeyTable::new(Arc::new(hash), all.collect::<Vec<_>>())
}

fn key(app: &App, products: Vec<(Arc<ApiProduct>, Standing)>, now: EpochMillis) -> ApiKey {
    let developer = Developer {
        id: app.developer.as_str().into(),
        user_name: app.developer.as_str().into(),
        email: app.developer.as_str().into(),
        apps: vec![app.name.as_str().into()],
        created_at: now,
        changed_at: now,
        ..Developer::default()
    };
    let owner = DeveloperApp {
        id: app.name.as_str().into(),
        name: app.name.as_str().into(),
        display_name: app.name.as_str().into(),
        callback_url: app.callback_url.as_str().into(),
        app_type: "Developer".into(),
        created_at: now,
        changed_at: now,
        developer: Some(Arc::new(developer)),
        attributes: attributes(&app.attributes),
        ..DeveloperApp::default()
    };
    ApiKey {
        standing: Standing::Approved,
        expires_at: None,
        secret: app.secret.clone().map(|secret| Arc::new(secret.into())),
        products,
        app: Arc::new(owner),
        attributes: Attributes::default(),
    }
}

fn product(made: &Product) -> ApiProduct {
    ApiProduct {
        name: made.name.as_str().into(),
        display_name: made.display_name.as_str().into(),
        proxies: made.proxies.iter().map(|name| name.as_str().into()).collect(),
        resources: made.resources.iter().map(|pattern| ResourcePattern::new(pattern)).collect(),
        operations: made.operations.iter().map(operation).collect(),
        scopes: made.scopes.iter().map(|scope| scope.as_str().into()).collect(),
        quota: made.quota.as_ref().map(|quota| ProductQuota {
            limit: quota.limit.to_string().into(),
            interval: quota.interval.to_string().into(),
            time_unit: quota.time_unit.as_str().into(),
        }),
        attributes: attributes(&made.attributes),
        ..ApiProduct::default()
    }
}

fn operation(made: &Operation) -> ProductOperation {
    ProductOperation {
        proxy: made.proxy.as_str().into(),
        resource: ResourcePattern::new(&made.resource),
        methods: made.methods.iter().map(|method| method.to_ascii_uppercase().into()).collect(),
    }
}

fn attributes(given: &BTreeMap<String, String>) -> Attributes {
    given.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect()
}
