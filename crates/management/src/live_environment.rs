//! What surrounds proxies in the snapshot: providers, target servers, key stores, files, flow hooks.

use std::sync::Arc;

use ahash::AHashMap;
use pierhead_gateway::compile::{Endpoint, Http2, Provider, TargetServer, World};
use pierhead_gateway::design::{Destination, FileResource, ProxyDesign, TlsSettings};
use pierhead_gateway::snapshot::{FlowHook, HookPoint, Snapshot, SnapshotEdit};
use pierhead_gateway::{KeyStores, PropertySets};
use pierhead_store::management::{StoredItem, StoredSurroundings};
use serde_json::Value;

use crate::management::Parts;
use crate::odata::ODataError;
use crate::resource_files::environment_files;
use crate::settings::Settings;

/// Names of flow hooks on the wire.
pub(crate) const HOOKS: &[(&str, HookPoint)] = &[
    ("PreProxyFlowHook", HookPoint::PreProxy),
    ("PreTargetFlowHook", HookPoint::PreTarget),
    ("PostTargetFlowHook", HookPoint::PostTarget),
    ("PostProxyFlowHook", HookPoint::PostProxy),
];

/// What designs are compiled against.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surroundings {
    providers: AHashMap<String, Arc<Provider>>,
    target_servers: AHashMap<String, Arc<TargetServer>>,
    key_stores: KeyStores,
    resources: Arc<[FileResource]>,
    property_sets: PropertySets,
}

impl Surroundings {
    pub(crate) fn world(&self, settings: &Settings, running: Arc<Snapshot>) -> World {
        let Self { providers, target_servers, key_stores, resources, property_sets } = self.clone();
        let substitutes = settings.substitutes.iter().map(|(name, text)| (name.clone(), text.clone()));
        World {
            providers,
            target_servers,
            key_stores,
            resources,
            property_sets,
            substitutes: substitutes.collect(),
            google: settings.google.clone(),
            log_folder: settings.log_folder.clone(),
            dialect: settings.dialect,
            ..World::new(running)
        }
    }
}

/// A target server's document, read.
pub(crate) struct TargetServerDocument;

impl TargetServerDocument {
    /// The server of a document as Apigee's API has it: `{"name","host","port","isEnabled","sSLInfo":{…}}`.
    /// The error names the field and the rule.
    pub(crate) fn read(document: &Value) -> Result<TargetServer, String> {
        let host = document["host"].as_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if bare.is_empty() || host.len() > 255 || !bare.chars().all(plain) {
            return Err("host must be a host name or an IP address".into());
        }
        let host = if bare.contains(':') { format!("[{bare}]") } else { bare.to_owned() };
        let port = document["port"].as_u64().or_else(|| document["port"].as_str()?.parse().ok());
        let port = port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
        let port = port.ok_or("port must be a number from 1 to 65535")?;
        let ssl = &document["sSLInfo"];
        let tls = flag(&ssl["enabled"], "sSLInfo.enabled", false)?;
        let settings = ssl_info(ssl, "sSLInfo")?;
        let http2 = match document["protocol"].as_str().unwrap_or_default() {
            "" | "PROTOCOL_UNSPECIFIED" | "HTTP" => Http2::default(),
            "HTTP2" | "GRPC_TARGET" | "GRPC" => Http2::Only,
            _ => return Err("protocol must be HTTP, HTTP2 or GRPC_TARGET".into()),
        };
        let endpoint = Endpoint { http2, ssl: Some(Arc::new(settings)), ..Endpoint::new(tls, host, port) };
        Ok(TargetServer { endpoint, enabled: flag(&document["isEnabled"], "isEnabled", true)? })
    }
}

fn flag(value: &Value, name: &str, default: bool) -> Result<bool, String> {
    match value {
        Value::Null => Ok(default),
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if text == "true" || text == "false" => Ok(text == "true"),
        _ => Err(format!("{name} must be true or false")),
    }
}

/// `SSLInfo` as JSON: of a target server (Apigee), of an API provider (SAP).
pub(crate) fn ssl_info(info: &Value, at: &str) -> Result<TlsSettings, String> {
    let text = |name: &str| match &info[name] {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.trim().to_owned()),
        _ => Err(format!("{at}.{name} must be a text")),
    };
    let flag = |name: &str| flag(&info[name], &format!("{at}.{name}"), false);
    // Apigee writes lists, SAP a text with commas.
    let list = |name: &str| match &info[name] {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => {
            Ok(text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect())
        }
        Value::Array(words) => words
            .iter()
            .map(|word| word.as_str().map(str::to_owned).ok_or(format!("{at}.{name} must hold texts")))
            .collect(),
        _ => Err(format!("{at}.{name} must be a list")),
    };
    let common_name = &info["commonName"];
    Ok(TlsSettings {
        enabled: flag("enabled")?,
        client_auth: flag("clientAuthEnabled")?,
        key_store: text("keyStore")?,
        key_alias: text("keyAlias")?,
        trust_store: text("trustStore")?,
        ciphers: list("ciphers")?,
        protocols: list("protocols")?,
        ignore_validation_errors: flag("ignoreValidationErrors")?,
        enforce: flag("enforce")?,
        common_name: common_name["value"].as_str().or(common_name.as_str()).unwrap_or_default().to_owned(),
        common_name_wildcard: common_name["wildcardMatch"].as_bool().unwrap_or(false),
    })
}

/// Whether settings name a store.
pub(crate) fn names_store(settings: &TlsSettings) -> bool {
    settings.enabled && !(settings.key_store.is_empty() && settings.trust_store.is_empty())
}

/// Whether a design itself names key or trust stores, in a target or in a policy.
pub(crate) fn uses_stores(design: &ProxyDesign) -> bool {
    design.target_endpoints.iter().filter_map(|target| target.tls.as_ref()).any(names_store)
        || design.policies.iter().any(|policy| names_store_in(&policy.xml))
}

/// The same of one policy.
pub(crate) fn names_store_in(xml: &str) -> bool {
    xml.contains("KeyStore") || xml.contains("TrustStore")
}

/// Whether a design sends requests to a target server of this name, from a target or a policy.
pub(crate) fn names_server(design: &ProxyDesign, server: &str) -> bool {
    let balances = design.target_endpoints.iter().any(|target| match &target.destination {
        Destination::Balanced(balancer) => balancer.servers.iter().any(|known| known.name == server),
        _ => false,
    });
    let mention = format!("\"{server}\"");
    balances
        || design
            .policies
            .iter()
            .any(|policy| policy.xml.contains("<Server") && policy.xml.contains(&mention))
}

impl Parts {
    /// What designs are compiled against, read from its rows.
    pub(crate) fn surroundings(&self, stored: &StoredSurroundings) -> Result<Surroundings, ODataError> {
        let key_stores = self.open_key_stores(&stored.key_stores, &stored.references)?;
        let mut made = Surroundings { key_stores, ..Surroundings::default() };
        for stored in &stored.providers {
            let provider = self.open_provider(stored)?.runnable(&stored.name);
            made.providers.insert(stored.name.clone(), Arc::new(provider));
        }
        for stored in &stored.target_servers {
            let document = serde_json::from_str(&stored.document).map_err(ODataError::internal)?;
            let server = TargetServerDocument::read(&document).map_err(ODataError::bad)?;
            made.target_servers.insert(stored.name.clone(), Arc::new(server));
        }
        (made.resources, made.property_sets) = environment_files(&stored.resources);
        Ok(made)
    }

    /// What is committed of them, as this node knows it.
    pub(crate) fn present_surroundings(&self) -> Arc<Surroundings> {
        self.surroundings.load_full()
    }

    /// Has designs compiled against others from now on, and listeners show certificates of others.
    pub(crate) fn set_surroundings(&self, read: Surroundings) {
        self.key_stores.set(read.key_stores.clone());
        self.surroundings.store(Arc::new(read));
    }

    /// What a design that is not deployed is compiled against.
    pub(crate) fn present_world(&self, running: Arc<Snapshot>) -> World {
        self.present_surroundings().world(&self.settings, running)
    }
}

/// Puts the committed flow hooks into a snapshot.
pub(crate) fn set_hooks(edit: &mut SnapshotEdit, items: &[StoredItem]) {
    for (name, point) in HOOKS {
        let document = items.iter().find(|item| item.name == *name).map(|item| item.document.as_str());
        let hook = document.and_then(|text| serde_json::from_str::<Value>(text).ok()).and_then(|document| {
            Some(FlowHook {
                shared_flow: document["sharedFlow"].as_str()?.into(),
                continue_on_error: document["continueOnError"].as_bool().unwrap_or(true),
            })
        });
        edit.set_flow_hook(*point, hook);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::TargetServerDocument;

    #[test]
    fn a_target_server_is_read_or_its_field_is_named() {
        let server = |host: &str| json!({"host": host, "port": 8443, "sSLInfo": {"enabled": "true"}});
        let read = TargetServerDocument::read(&server("::1")).unwrap();
        assert_eq!((&*read.endpoint.host, read.endpoint.port, read.endpoint.tls), ("[::1]", 8443, true));
        assert!(read.enabled);
        for (document, field) in [
            (server(""), "host"),
            (server("a/b"), "host"),
            (json!({"host": "h", "port": 0}), "port"),
            (json!({"host": "h", "port": 70000}), "port"),
            (json!({"host": "h"}), "port"),
            (json!({"host": "h", "port": 1, "isEnabled": "maybe"}), "isEnabled"),
            (json!({"host": "h", "port": 1, "sSLInfo": {"keyStore": 1}}), "sSLInfo.keyStore"),
            (json!({"host": "h", "port": 1, "sSLInfo": {"enforce": "x"}}), "sSLInfo.enforce"),
            (json!({"host": "h", "port": 1, "protocol": "SPDY"}), "protocol"),
        ] {
            let why = TargetServerDocument::read(&document).unwrap_err();
            assert!(why.starts_with(field), "{document}: {why}");
        }
    }
}
