//! The API portal's OData V2 JSON as pages read it (API management reference §§8.4–8.7).

use serde::Deserialize;
use serde_json::Value;

use super::{escape, quoted};

/// Root of the management service.
pub(crate) const SERVICE: &str = "/apiportal/api/1.0/Management.svc";

/// `{"d":{"results":[…]}}`.
#[derive(Debug, Deserialize)]
pub(crate) struct Listed<T> {
    d: Page<T>,
}

#[derive(Debug, Deserialize)]
struct Page<T> {
    results: Vec<T>,
}

impl<T> Listed<T> {
    /// The entities of this page.
    pub(crate) fn all(self) -> Vec<T> {
        self.d.results
    }
}

/// `{"d":{…}}`.
#[derive(Debug, Deserialize)]
pub(crate) struct Single<T> {
    /// The entity.
    pub(crate) d: T,
}

/// An expanded to-many property; empty when it was not expanded.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Many<T> {
    pub(crate) results: Vec<T>,
}

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self { results: Vec::new() }
    }
}

/// Who changed an entity, and when.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LifeCycle {
    pub(crate) changed_at: String,
    pub(crate) changed_by: String,
    pub(crate) created_at: String,
}

/// Where proxies send their requests.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ApiProvider {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) description: String,
    #[serde(rename = "destType")]
    pub(crate) dest_type: String,
    pub(crate) host: String,
    pub(crate) port: Value,
    #[serde(rename = "useSSL")]
    pub(crate) use_ssl: bool,
    #[serde(rename = "pathPrefix")]
    pub(crate) path_prefix: String,
    pub(crate) life_cycle: LifeCycle,
}

impl ApiProvider {
    /// Whether it leads to a connector hub.
    pub(crate) fn is_open_connectors(&self) -> bool {
        self.dest_type.eq_ignore_ascii_case("OPENCONNECTORS")
    }

    /// The type as people call it.
    pub(crate) fn kind(&self) -> &str {
        match self.dest_type.to_ascii_uppercase().as_str() {
            "OPENCONNECTORS" => "Open Connectors",
            "INTERNET" => "Internet",
            "CPI" => "Cloud Integration",
            _ => &self.dest_type,
        }
    }

    /// Where it leads: an address, or this installation.
    pub(crate) fn target(&self) -> String {
        if self.host.is_empty() {
            return "this installation".into();
        }
        let scheme = if self.use_ssl { "https" } else { "http" };
        let port = self.port_text();
        let usual = if self.use_ssl { "443" } else { "80" };
        let port = if port.is_empty() || port == usual { String::new() } else { format!(":{port}") };
        format!("{scheme}://{}{port}{}", self.host, self.path_prefix)
    }

    /// The port as form text.
    pub(crate) fn port_text(&self) -> String {
        match &self.port {
            Value::Number(port) if port.as_u64() != Some(0) => port.to_string(),
            Value::String(port) => port.clone(),
            _ => String::new(),
        }
    }
}

/// A published API.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ApiProxy {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) version: Value,
    pub(crate) state: String,
    #[serde(rename = "hasChanges")]
    pub(crate) has_changes: bool,
    pub(crate) provider_name: String,
    pub(crate) life_cycle: LifeCycle,
    #[serde(rename = "proxyEndPoints")]
    pub(crate) proxy_end_points: Many<EndPoint>,
    #[serde(rename = "targetEndPoints")]
    pub(crate) target_end_points: Many<EndPoint>,
    pub(crate) policies: Many<Policy>,
}

impl ApiProxy {
    /// Whether the gateway answers for it.
    pub(crate) fn deployed(&self) -> bool {
        self.state.eq_ignore_ascii_case("DEPLOYED")
    }

    /// The first base path, when the endpoints were expanded.
    pub(crate) fn base_path(&self) -> &str {
        self.proxy_end_points.results.first().map_or("", |end_point| &end_point.base_path)
    }

    /// Tone of the state pill.
    pub(crate) fn tone(&self) -> &'static str {
        match (self.deployed(), self.has_changes) {
            (true, true) => "warn",
            (true, false) => "good",
            (false, _) => "idle",
        }
    }

    /// Word of the state pill.
    pub(crate) fn word(&self) -> &'static str {
        match (self.deployed(), self.has_changes) {
            (true, true) => "Deployed, with changes",
            (true, false) => "Deployed",
            (false, _) => "Draft",
        }
    }
}

/// A proxy or target endpoint.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct EndPoint {
    pub(crate) name: String,
    pub(crate) base_path: String,
    #[serde(rename = "relativePath")]
    pub(crate) relative_path: String,
    pub(crate) url: String,
}

/// A policy of a proxy.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Policy {
    pub(crate) name: String,
    #[serde(rename = "policy_type")]
    pub(crate) kind: String,
    #[serde(rename = "policy_content")]
    pub(crate) content: String,
    #[serde(rename = "readOnly")]
    pub(crate) read_only: bool,
}

impl Policy {
    /// Whether it belongs to the provider's type and cannot be edited (policies reference §9.2).
    pub(crate) fn fixed(&self) -> bool {
        self.read_only || self.kind == "OpenConnectors"
    }
}

/// A key value map. The generic family says `isEncrypted`, the other `encrypted`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct KeyMap {
    pub(crate) name: String,
    pub(crate) scope: String,
    #[serde(rename = "scopeId")]
    pub(crate) scope_id: String,
    #[serde(rename = "isEncrypted", alias = "encrypted")]
    pub(crate) encrypted: bool,
    pub(crate) life_cycle: LifeCycle,
    #[serde(rename = "genericKeyMapEntryValues", alias = "keyMapEntryValues")]
    pub(crate) entries: Many<MapEntry>,
}

/// One entry; the value of an encrypted map is a mask.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MapEntry {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Identity of a map: name, scope and scope id (reference §8.5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MapAddress {
    pub(crate) name: String,
    pub(crate) scope: String,
    pub(crate) scope_id: String,
}

impl MapAddress {
    /// Path of the map on the wire.
    pub(crate) fn path(&self) -> String {
        format!(
            "{SERVICE}/GenericKeyMapEntries(name={},scope={},scopeId={})",
            quoted(&self.name),
            quoted(&self.scope),
            quoted(&self.scope_id)
        )
    }

    /// Path of one entry on the wire.
    pub(crate) fn entry_path(&self, key: &str) -> String {
        format!(
            "{SERVICE}/GenericKeyMapEntryValues(name={},mapName={},scope={},scopeId={})",
            quoted(key),
            quoted(&self.name),
            quoted(&self.scope),
            quoted(&self.scope_id)
        )
    }

    /// The body that makes or changes an entry.
    pub(crate) fn entry(&self, key: &str, value: &str) -> Value {
        serde_json::json!({
            "name": key, "mapName": self.name, "value": value, "scope": self.scope, "scopeId": self.scope_id,
        })
    }

    /// Query of the map's own page.
    pub(crate) fn query(&self) -> String {
        format!(
            "scope={}&scopeId={}&name={}",
            escape(&self.scope),
            escape(&self.scope_id),
            escape(&self.name)
        )
    }

    /// The scope in words.
    pub(crate) fn spoken(&self) -> String {
        match self.scope.as_str() {
            "APIPROXY" => format!("API proxy {}", self.scope_id),
            "ORG" => "Organization".into(),
            "ENV" => "Environment".into(),
            other => other.into(),
        }
    }
}

impl KeyMap {
    /// Its identity.
    pub(crate) fn address(&self) -> MapAddress {
        MapAddress { name: self.name.clone(), scope: self.scope.clone(), scope_id: self.scope_id.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_proxy_is_read_with_and_without_its_endpoints() {
        let bare: Single<ApiProxy> = serde_json::from_value(
            json!({"d": {"name": "p", "proxyEndPoints": {"__deferred": {"uri": "x"}}}}),
        )
        .unwrap();
        assert_eq!(bare.d.base_path(), "");

        let whole: Single<ApiProxy> = serde_json::from_value(json!({"d": {"name": "p", "state": "DEPLOYED",
            "proxyEndPoints": {"results": [{"name": "default", "base_path": "/p"}]}}}))
        .unwrap();
        assert_eq!(whole.d.base_path(), "/p");
        assert_eq!(whole.d.word(), "Deployed");
    }

    #[test]
    fn a_map_address_quotes_what_a_name_may_hold() {
        let address = MapAddress { name: "it's".into(), scope: "APIPROXY".into(), scope_id: "a b".into() };
        assert!(address.path().ends_with("(name='it%27%27s',scope='APIPROXY',scopeId='a%20b')"));
    }

    #[test]
    fn a_provider_without_a_host_is_this_installation() {
        let provider: ApiProvider =
            serde_json::from_value(json!({"destType": "OPENCONNECTORS", "host": ""})).unwrap();
        assert_eq!(provider.target(), "this installation");
        let provider: ApiProvider = serde_json::from_value(
            json!({"destType": "Internet", "host": "h.example", "port": 8443, "useSSL": true, "pathPrefix": "/v1"}),
        )
        .unwrap();
        assert_eq!(provider.target(), "https://h.example:8443/v1");
    }
}
