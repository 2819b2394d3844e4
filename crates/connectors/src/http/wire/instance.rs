//! A connector instance as clients see it: token shown, secrets masked (open-connectors §8.1).

use std::collections::{BTreeMap, HashMap};

use pierhead_domain::{SecretString, UserId};
use pierhead_store::connectors::{CredentialState, StoredInstance};
use pierhead_store::identity::StoredPerson;
use serde::Serialize;
use serde_json::{Value, json};

use super::element::setting_id;
use super::{Depth, Element};
use crate::definition::Connector;
use crate::hub::{Hub, HubProblem};
use crate::provision::{MASK, is_secret};

/// An instance. What a client gave as `providerData` is not in here.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Instance {
    id: i64,
    name: String,
    created_date: String,
    updated_date: String,
    token: String,
    element: Value,
    element_id: u32,
    tags: Vec<String>,
    valid: bool,
    disabled: bool,
    events_enabled: bool,
    trace_logging_enabled: bool,
    caching_enabled: bool,
    cache_time_to_live: u32,
    max_cache_size: u32,
    external_authentication: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<BTreeMap<String, String>>,
    user: Value,
    /// Ours: how the credential stands with the vendor, when it is not good.
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_state: Option<Value>,
}

impl Instance {
    /// The wire form of a row. `hydrated` shows the configuration and the whole element.
    pub(crate) fn of(
        hub: &Hub,
        stored: &StoredInstance,
        state: &CredentialState,
        owners: &Owners,
        hydrated: bool,
    ) -> Result<Self, HubProblem> {
        let token =
            hub.vault.open_token(stored.organization, &stored.token_hash, stored.token_sealed.clone())?;
        let connector = hub.catalogue.get(&stored.element);
        let element = connector.map_or_else(
            || json!({"key": stored.element, "active": false, "deleted": true}),
            |connector| json!(Element::of(connector, &hub.settings.public_url, Depth::Abridged)),
        );
        let trace = stored.trace_until.is_some_and(|until| until > hub.clock.now());
        Ok(Self {
            id: stored.id.as_i64(),
            name: stored.name.clone(),
            created_date: stored.created.rfc3339_seconds(),
            updated_date: stored.updated.rfc3339_seconds(),
            token: token.expose().to_owned(),
            element_id: connector.map_or(0, |connector| connector.id),
            element,
            tags: stored.tags.clone(),
            valid: !matches!(state, CredentialState::Reconnect { .. }),
            disabled: stored.disabled,
            events_enabled: false,
            trace_logging_enabled: trace,
            caching_enabled: false,
            cache_time_to_live: 0,
            max_cache_size: 0,
            external_authentication: stored.external_authentication.clone(),
            configuration: hydrated.then(|| masked(hub, stored)).transpose()?,
            user: owners.wire(stored),
            credential_state: not_good(state),
        })
    }
}

/// The people who made some instances.
pub(crate) struct Owners(HashMap<UserId, StoredPerson>);

impl Owners {
    /// Looks up everybody who made one of `instances`, each once.
    pub(crate) async fn of(hub: &Hub, instances: &[StoredInstance]) -> Result<Self, HubProblem> {
        let mut people = HashMap::new();
        for id in instances.iter().filter_map(|instance| instance.owner) {
            if !people.contains_key(&id)
                && let Some(person) = hub.store.identities().person(id).await?
            {
                people.insert(id, person);
            }
        }
        Ok(Self(people))
    }

    /// Whoever is gone, or was no person, is shown by the name kept with the instance.
    fn wire(&self, instance: &StoredInstance) -> Value {
        let person = instance.owner.and_then(|id| self.0.get(&id));
        let name = |of: fn(&StoredPerson) -> &str| person.map_or("", of);
        json!({
            "id": instance.owner.map_or(0, UserId::as_i64),
            "emailAddress": person.map_or(instance.owner_name.as_str(), |person| person.email.as_str()),
            "firstName": name(|person| &person.first_name),
            "lastName": name(|person| &person.last_name),
        })
    }
}

fn masked(hub: &Hub, stored: &StoredInstance) -> Result<BTreeMap<String, String>, HubProblem> {
    let mut shown = stored.settings.clone();
    let sealed = stored.secrets_sealed.clone();
    for key in hub.vault.open_secrets(stored.organization, &stored.token_hash, sealed)?.into_keys() {
        shown.insert(key, MASK.to_owned());
    }
    Ok(shown)
}

fn not_good(state: &CredentialState) -> Option<Value> {
    match state {
        CredentialState::Valid => None,
        CredentialState::Waiting { reason, since, next_try } => Some(json!({
            "state": "waiting",
            "reason": reason,
            "since": since.rfc3339_seconds(),
            "nextTry": next_try.rfc3339_seconds(),
        })),
        CredentialState::Reconnect { reason, since } => {
            Some(json!({"state": "reconnect", "reason": reason, "since": since.rfc3339_seconds()}))
        }
    }
}

/// One row of `GET /instances/{id}/configuration` (appendix B, `ElementInstanceConfig`).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstanceSetting {
    pub(crate) id: u32,
    pub(crate) key: String,
    name: String,
    description: String,
    property_value: Option<String>,
    r#type: &'static str,
    required: bool,
    active: bool,
    hide_from_console: bool,
}

impl InstanceSetting {
    /// All settings of the definition, then those that every connector may have and this instance has.
    pub(crate) fn all(
        connector: &Connector,
        plain: &BTreeMap<String, String>,
        secret: &BTreeMap<String, SecretString>,
    ) -> Vec<Self> {
        let value = |key: &str| {
            let masked = || secret.contains_key(key).then(|| MASK.to_owned());
            if is_secret(connector, key) { masked() } else { plain.get(key).cloned() }
        };
        let known = connector.configuration.iter().map(|setting| Self {
            id: setting_id(connector, setting),
            key: setting.key.clone(),
            name: setting.name.clone(),
            description: setting.description.clone(),
            property_value: value(&setting.key),
            r#type: setting.kind.wire_name(),
            required: setting.required,
            active: true,
            hide_from_console: setting.hide_from_console,
        });
        let mut all: Vec<Self> = known.collect();
        let common = plain.keys().chain(secret.keys()).filter(|key| connector.setting(key).is_none());
        for (key, number) in common.zip(500..) {
            all.push(Self {
                id: connector.id.saturating_mul(1000).saturating_add(number),
                key: key.clone(),
                name: key.clone(),
                description: String::new(),
                property_value: value(key),
                r#type: "TEXTFIELD_1000",
                required: false,
                active: true,
                hide_from_console: true,
            });
        }
        all
    }
}
