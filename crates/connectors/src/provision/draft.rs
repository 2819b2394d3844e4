//! An instance's settings while they are checked: plain ones and secret ones.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use pierhead_domain::SecretString;
use pierhead_store::connectors::StoredInstance;
use pierhead_vault::VaultError;
use serde_json::{Map, Value};
use url::Url;

use super::ask::plain_text;
use super::directory_rule;
use crate::definition::{Connector, SettingType};
use crate::hub::HubProblem;
use crate::instance::InstanceVault;

/// What the wire shows instead of a secret (open-connectors §8.1). Sent back, it means "unchanged".
pub(crate) const MASK: &str = "********";

/// Settings that instances of any connector may have (open-connectors §7.2, "Reserved keys" and "Common
/// instance settings"); other unknown keys are dropped.
const COMMON: &[&str] = &[
    "allow.select.fields",
    "base.url",
    "document.root.folder.name",
    "filter.response.nulls",
    "oauth.api.key",
    "oauth.api.secret",
    "oauth.authorization.url",
    "oauth.callback.url",
    "oauth.scope",
    "oauth.token.revoke_url",
    "oauth.token.url",
    "oauth.user.refresh_interval",
];
/// Where this installation itself will call.
const ADDRESSES: &[&str] =
    &["base.url", "oauth.authorization.url", "oauth.token.revoke_url", "oauth.token.url"];
const COMMON_FAMILIES: &[&str] = &["event.", "bulk."];
/// Secret whatever the definition says.
const SECRET: &[&str] =
    &["password", "oauth.api.key", "oauth.api.secret", "event.notification.signature.key"];
const COMMON_CHARS: usize = 1000;
/// Poller configurations are documents of their own.
const FAMILY_CHARS: usize = 65_536;

/// Whether the value of this key is masked on the wire and sealed at rest.
pub(crate) fn is_secret(connector: &Connector, key: &str) -> bool {
    connector.is_secret(key) || SECRET.contains(&key)
}

/// Checked settings.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) plain: BTreeMap<String, String>,
    pub(super) secret: BTreeMap<String, SecretString>,
}

impl Draft {
    /// The settings of a stored instance.
    pub(super) fn of(vault: &InstanceVault, stored: &StoredInstance) -> Result<Self, VaultError> {
        let sealed = stored.secrets_sealed.clone();
        let secret = vault.open_secrets(stored.organization, &stored.token_hash, sealed)?;
        Ok(Self { plain: stored.settings.clone(), secret })
    }

    /// Takes over `given`, key by key, and checks the whole. What is not given stays.
    pub(super) fn take(
        mut self,
        connector: &Connector,
        given: &Map<String, Value>,
        data_directory: Option<&Path>,
    ) -> Result<Self, HubProblem> {
        for (key, value) in given {
            let Some(kind) = Kind::of(connector, key) else { continue };
            if value.is_null() {
                continue;
            }
            let text = plain_text(value)
                .ok_or_else(|| HubProblem::Bad(format!("configuration['{key}'] must be a text")))?;
            if text == MASK && is_secret(connector, key) {
                if self.get(key).is_none() {
                    let message = format!("configuration['{key}'] holds the mask instead of a value");
                    return Err(HubProblem::Bad(message));
                }
                continue;
            }
            kind.check(connector, key, &text, data_directory)?;
            self.put(connector, key, text);
        }
        self.complete(connector)
    }

    /// A setting in clear.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.plain.get(key).map(String::as_str).or_else(|| self.secret.get(key).map(SecretString::expose))
    }

    /// Sets one value; an empty one is taken away.
    pub(super) fn put(&mut self, connector: &Connector, key: &str, value: String) {
        self.plain.remove(key);
        self.secret.remove(key);
        if value.is_empty() {
        } else if is_secret(connector, key) {
            self.secret.insert(key.to_owned(), value.into());
        } else {
            self.plain.insert(key.to_owned(), value);
        }
    }

    /// All settings in clear.
    pub(super) fn clear(&self) -> HashMap<String, SecretString> {
        let plain = self.plain.iter().map(|(key, value)| (key.clone(), SecretString::new(value.as_str())));
        plain.chain(self.secret.iter().map(|(key, value)| (key.clone(), value.clone()))).collect()
    }

    fn complete(mut self, connector: &Connector) -> Result<Self, HubProblem> {
        for setting in &connector.configuration {
            if self.get(&setting.key).is_some() {
                continue;
            }
            match &setting.default {
                Some(default) => self.put(connector, &setting.key, default.clone()),
                None if setting.required => {
                    let (key, name) = (&setting.key, &connector.key);
                    let message = format!("configuration['{key}'] is required by the connector '{name}'");
                    return Err(HubProblem::Bad(message));
                }
                None => {}
            }
        }
        Ok(self)
    }
}

/// What a key may hold.
enum Kind {
    Known(SettingType),
    Common(usize),
}

impl Kind {
    /// `None` for keys that are dropped.
    fn of(connector: &Connector, key: &str) -> Option<Self> {
        if let Some(setting) = connector.setting(key) {
            return Some(Self::Known(setting.kind));
        }
        if COMMON.contains(&key) {
            return Some(Self::Common(COMMON_CHARS));
        }
        let family = COMMON_FAMILIES.iter().any(|family| key.starts_with(family)) && key.len() <= 128;
        family.then_some(Self::Common(FAMILY_CHARS))
    }

    fn check(
        &self,
        connector: &Connector,
        key: &str,
        value: &str,
        data_directory: Option<&Path>,
    ) -> Result<(), HubProblem> {
        let bad = |rule: &str| Err(HubProblem::Bad(format!("configuration['{key}'] {rule}")));
        let (max, lines) = match self {
            Self::Known(kind) => (kind.max_chars(), *kind == SettingType::TextArea),
            Self::Common(max) => (*max, *max == FAMILY_CHARS),
        };
        if value.chars().count() > max {
            return bad(&format!("must have at most {max} characters"));
        }
        // A line end in a setting would be one in a vendor's header or path.
        if value.chars().any(|c| c.is_control() && !(lines && matches!(c, '\n' | '\r' | '\t'))) {
            return bad("may not hold control characters");
        }
        if ADDRESSES.contains(&key) && !value.is_empty() && !is_address(value) {
            return bad("must be an absolute http or https URL without user name and password");
        }
        let Some(setting) = connector.setting(key).filter(|_| !value.is_empty()) else { return Ok(()) };
        if setting.kind == SettingType::Boolean && !matches!(value, "true" | "false") {
            return bad("must be true or false");
        }
        if !setting.options.is_empty() && setting.options.iter().all(|option| option.value != value) {
            let allowed: Vec<&str> = setting.options.iter().map(|option| option.value.as_str()).collect();
            return bad(&format!("must be one of {}", allowed.join(", ")));
        }
        if setting.directory
            && let Err(rule) = directory_rule::check(value, data_directory)
        {
            return bad(&rule.to_string());
        }
        Ok(())
    }
}

fn is_address(text: &str) -> bool {
    let anonymous = |url: &Url| url.username().is_empty() && url.password().is_none();
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && anonymous(&url))
}
