//! `APIProviders`: named backend systems (api-management §8.6).

use std::collections::BTreeMap;
use std::sync::Arc;

use pierhead_gateway::compile::{Endpoint, HubPlace, OpenConnectorsProvider, Provider, ProviderKind};
use pierhead_gateway::design::TlsSettings;
use pierhead_store::management::StoredProvider;
use serde_json::{Map, Value};

use crate::live_environment::ssl_info;
use crate::names::check_name;
use crate::odata::{ComplexType, Entity, EntitySet, ODataError, Parsed, Property};

use super::{HISTORY, MASK, life_cycle};

static SSL_INFO: ComplexType = ComplexType {
    name: "SSLInfo",
    properties: &[
        Property::flag("enabled"),
        Property::flag("clientAuthEnabled"),
        Property::flag("ignoreValidationErrors"),
        Property::text("keyStore"),
        Property::text("keyAlias"),
        Property::text("trustStore"),
        Property::text("ciphers"),
        Property::text("protocols"),
    ],
};

pub(crate) static SET: EntitySet = EntitySet {
    name: "APIProviders",
    type_name: "APIProvider",
    title: "API provider",
    properties: &[
        Property::key("name"),
        Property::text("title"),
        Property::text("description").up_to(4096),
        Property::text("destType"),
        Property::text("host"),
        Property::number("port"),
        Property::flag("useSSL"),
        Property::flag("trustAll"),
        Property::flag("isOnPremise"),
        Property::text("pathPrefix"),
        Property::text("url"),
        Property::text("authType"),
        Property::text("userName"),
        Property::text("password"),
        Property::text("rt_auth"),
        Property::text("organizationSecret"),
        Property::text("userSecret"),
        Property::complex("sslInfo", &SSL_INFO),
        Property::complex("life_cycle", &HISTORY),
    ],
    navigation: &[],
};

/// Properties that are sealed and read as a mask.
const SECRETS: &[&str] = &["organizationSecret", "userSecret", "password"];
/// Names that the original keeps for itself; a `*` stands for any ending.
const RESERVED: &[&str] =
    &["DEST_CI", "APIMGMT_PORTAL", "ContentCatalog", "ON_PREM", "Apimgmt_rt*", "TC", "TC_*"];

/// Secrets of one provider by property name.
pub(crate) type Secrets = BTreeMap<String, String>;

/// A provider as its wire properties, secrets apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProviderDraft {
    pub(crate) values: Map<String, Value>,
    pub(crate) secrets: Secrets,
}

pub(crate) fn entity(provider: &StoredProvider) -> Entity {
    let mut values: Map<String, Value> = serde_json::from_str(&provider.settings).unwrap_or_default();
    values.insert("name".into(), provider.name.clone().into());
    values.insert("life_cycle".into(), life_cycle(&provider.stamp));
    Entity::new(&SET, Value::Object(values))
}

/// Where the sealed secrets of a provider lie, for the vault.
pub(crate) fn sealed_place(name: &str) -> String {
    format!("api_provider/sealed/{name}")
}

/// Where a provider's secrets go.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    dest_type: String,
    /// `None` is this installation.
    server: Option<Server>,
}

/// A server and the way to it; a change of any of these may lead to somebody else.
#[derive(Debug, PartialEq, Eq)]
struct Server {
    host: String,
    port: Option<i64>,
    tls: bool,
    trusts_all: bool,
    path_prefix: String,
}

impl ProviderDraft {
    /// Takes the properties of a body: with `merge` absent ones stay, else they get their defaults. Secrets
    /// stay in both cases when they are absent or the mask: a client cannot read what it would have to send.
    pub(crate) fn take(&mut self, body: &Parsed, merge: bool) -> Result<(), ODataError> {
        let served = self.place();
        let mut kept: Vec<&str> =
            SECRETS.iter().copied().filter(|name| self.secrets.contains_key(*name)).collect();
        let before = std::mem::take(&mut self.values);
        if merge {
            self.values = before;
        }
        for (name, value) in &body.values {
            match SECRETS.iter().find(|secret| **secret == name.as_str()) {
                Some(_) if value.as_str() == Some(MASK) => {}
                Some(_) => match value.as_str() {
                    Some(secret) if !secret.is_empty() => {
                        check_secret(name, secret)?;
                        kept.retain(|other| other != name);
                        self.secrets.insert(name.clone(), secret.into());
                    }
                    _ => {
                        self.secrets.remove(name);
                    }
                },
                None if name == "name" || name == "life_cycle" => {}
                None => {
                    self.values.insert(name.clone(), value.clone());
                }
            }
        }
        self.fill_defaults();
        for name in SECRETS {
            let shown = if self.secrets.contains_key(*name) { Value::from(MASK) } else { Value::Null };
            self.values.insert((*name).into(), shown);
        }
        self.check()?;
        // Whoever may change a provider may not read its secrets, so it may not have them sent elsewhere either.
        kept.retain(|name| self.secrets.contains_key(*name));
        if self.is_open_connectors() && !kept.is_empty() && served != self.place() {
            return Err(ODataError::bad(format!(
                "APIProviders.{} must be given again when destType, host, port, useSSL, trustAll or pathPrefix change: they were given for another server",
                kept.join(" and ")
            )));
        }
        Ok(())
    }

    /// What the secrets were given for; this installation has neither port nor TLS.
    fn place(&self) -> Place {
        let host = self.text("host").to_lowercase();
        let there = || Server {
            port: self.values.get("port").and_then(Value::as_i64),
            tls: self.flag("useSSL"),
            trusts_all: self.trusts_all(),
            path_prefix: self.text("pathPrefix").to_owned(),
            host: host.clone(),
        };
        Place { dest_type: self.dest_type(), server: (!host.is_empty()).then(there) }
    }

    /// Whether any certificate will do.
    fn trusts_all(&self) -> bool {
        let insecure = self.values.get("sslInfo").is_some_and(|info| info["ignoreValidationErrors"] == true);
        self.flag("trustAll") || insecure
    }

    /// The wire's word for the type, in upper case.
    pub(crate) fn dest_type(&self) -> String {
        self.text("destType").to_uppercase()
    }

    pub(crate) fn is_open_connectors(&self) -> bool {
        self.dest_type() == "OPENCONNECTORS"
    }

    fn text(&self, name: &str) -> &str {
        self.values.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn flag(&self, name: &str) -> bool {
        self.values.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    fn fill_defaults(&mut self) {
        let mut default = |name: &str, value: Value| {
            let present = self.values.entry(name).or_insert(Value::Null);
            if present.is_null() {
                *present = value;
            }
        };
        default("title", Value::from(""));
        default("destType", "Internet".into());
        default("host", "".into());
        default("useSSL", true.into());
        default("trustAll", false.into());
        default("isOnPremise", false.into());
        default("authType", "NONE".into());
        let port = if self.flag("useSSL") { 443 } else { 80 };
        let port = if self.text("host").is_empty() { 0 } else { port };
        let present = self.values.entry("port").or_insert(Value::Null);
        if present.is_null() || *present == 0 {
            *present = port.into();
        }
    }

    fn check(&self) -> Result<(), ODataError> {
        let bad = |rule: &str| Err(ODataError::bad(format!("APIProviders.{rule}")));
        match self.dest_type().as_str() {
            "INTERNET" if self.text("host").is_empty() => return bad("host must be given"),
            "INTERNET" => {}
            "OPENCONNECTORS" => {
                for name in ["organizationSecret", "userSecret"] {
                    if !self.secrets.contains_key(name) {
                        return bad(&format!("{name} must be given for the type OPENCONNECTORS"));
                    }
                }
            }
            _ => return bad("destType must be 'Internet' or 'OPENCONNECTORS'"),
        }
        if self.flag("isOnPremise") {
            return bad("isOnPremise must be false: there is no cloud connector here");
        }
        if !self.text("authType").eq_ignore_ascii_case("NONE") {
            return bad("authType must be NONE: the gateway sends no credentials of a provider");
        }
        if let Err(rule) = self.ssl_info() {
            return bad(&rule);
        }
        let host = self.text("host");
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '_');
        let address = host.starts_with('[') && bare.parse::<std::net::Ipv6Addr>().is_ok();
        if host.len() > 253 || !(address || host.chars().all(plain)) {
            return bad("host must be a host name or address, without scheme, port and path");
        }
        let port = self.values.get("port").and_then(Value::as_i64).unwrap_or(0);
        if !host.is_empty() && !(1..=65_535).contains(&port) {
            return bad("port must be 1 to 65535");
        }
        let prefix = self.text("pathPrefix");
        if !prefix.is_empty()
            && (!prefix.starts_with('/') || prefix.contains(['?', '#', '\\']) || prefix.contains(".."))
        {
            return bad("pathPrefix must start with '/' and hold no '..', '?', '#' or '\\'");
        }
        Ok(())
    }

    /// What it says about TLS beyond `useSSL` and `trustAll`.
    fn ssl_info(&self) -> Result<Option<TlsSettings>, String> {
        let Some(info) = self.values.get("sslInfo").filter(|info| info.is_object()) else { return Ok(None) };
        let mut settings = ssl_info(info, "sslInfo")?;
        // A store that is named is meant, whatever the flag of the form says.
        settings.enabled |= self.flag("useSSL") && !settings.trust_store.is_empty();
        Ok(Some(settings))
    }

    /// As the gateway runs it.
    pub(crate) fn runnable(&self, name: &str) -> Provider {
        let secret = |name: &str| self.secrets.get(name).cloned().unwrap_or_default();
        let port = self.values.get("port").and_then(Value::as_i64).and_then(|port| u16::try_from(port).ok());
        let endpoint = Endpoint {
            trust_all: self.trusts_all(),
            ssl: self.ssl_info().ok().flatten().map(Arc::new),
            path_prefix: self.text("pathPrefix").trim_end_matches('/').into(),
            ..Endpoint::new(self.flag("useSSL"), self.text("host"), port.unwrap_or_default())
        };
        let kind = if self.is_open_connectors() {
            let here = self.text("host").is_empty();
            ProviderKind::OpenConnectors(OpenConnectorsProvider {
                hub: if here { HubPlace::ThisInstallation } else { HubPlace::Remote(endpoint) },
                organization_secret: secret("organizationSecret").into(),
                user_secret: secret("userSecret").into(),
                allowed_platform_roots: Vec::new(),
            })
        } else {
            ProviderKind::Internet(endpoint)
        };
        Provider { name: Arc::from(name), kind }
    }
}

/// The name of a new provider.
pub(crate) fn check_provider_name(name: &str) -> Result<(), ODataError> {
    check_name("APIProviders.name", name, 255)?;
    let lower = name.to_lowercase();
    let reserved = |pattern: &str| {
        let pattern = pattern.to_lowercase();
        pattern.strip_suffix('*').map_or(lower == pattern, |start| lower.starts_with(start))
    };
    if RESERVED.iter().any(|pattern| reserved(pattern)) || name == super::endpoints::NO_PROVIDER {
        return Err(ODataError::bad(format!("APIProviders.name must not be the reserved name '{name}'")));
    }
    Ok(())
}

/// A secret becomes part of a header.
fn check_secret(name: &str, secret: &str) -> Result<(), ODataError> {
    if secret.chars().any(|char| !char.is_ascii_graphic() || (char == ',' && name != "password")) {
        return Err(ODataError::bad(format!(
            "APIProviders.{name} must be printable ASCII without blanks and commas"
        )));
    }
    Ok(())
}
