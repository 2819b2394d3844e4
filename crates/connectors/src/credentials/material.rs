//! Secret material: as sealed, and as held in memory.

use std::collections::HashMap;
use std::time::Duration;

use pierhead_domain::{EpochMillis, SecretString};
use pierhead_store::connectors::CredentialState;
use serde_json::{Value, json};

use crate::definition::{Connector, Scheme};
use crate::engine::Credential;

/// What a token endpoint gave, as it is sealed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Material {
    pub(crate) access_token: SecretString,
    /// What the next access token is bought with; none where the vendor gives none.
    pub(crate) refresh_token: Option<SecretString>,
    /// When the access token was asked for.
    pub(crate) issued: EpochMillis,
}

impl Material {
    pub(crate) fn to_json(&self) -> SecretString {
        let refresh_token = self.refresh_token.as_ref().map(SecretString::expose);
        let whole = json!({
            "access_token": self.access_token.expose(),
            "refresh_token": refresh_token,
            "issued": self.issued.as_i64(),
        });
        SecretString::new(whole.to_string())
    }

    pub(crate) fn from_json(json: &SecretString) -> Option<Self> {
        let whole: Value = serde_json::from_str(json.expose()).ok()?;
        let text = |name: &str| whole.get(name).and_then(Value::as_str).map(SecretString::from);
        Some(Self {
            access_token: text("access_token")?,
            refresh_token: text("refresh_token"),
            issued: EpochMillis::new(whole.get("issued").and_then(Value::as_i64)?),
        })
    }
}

/// How long before expiry a token is refreshed: what the definition says, but never more than a fifth of
/// the token's life, so that a short-lived token is not refreshed on every call.
pub(crate) fn refresh_window(before: Duration, issued: EpochMillis, expires: EpochMillis) -> Duration {
    before.min(expires.since(issued) / 5)
}

/// A credential in memory.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// What the engine puts into requests.
    pub(crate) credential: Credential,
    /// Which refresh made it; 0 for credentials that never change.
    pub(crate) generation: i64,
    /// When the vendor stops accepting it.
    pub(crate) expires: Option<EpochMillis>,
    pub(crate) issued: EpochMillis,
    /// How it stands with the vendor.
    pub(crate) state: CredentialState,
    /// Whether a token endpoint issues it.
    pub(crate) renewable: bool,
    refresh_token: Option<SecretString>,
}

impl Held {
    /// A credential from a token endpoint.
    pub(crate) fn refreshable(
        material: &Material,
        generation: i64,
        expires: Option<EpochMillis>,
        state: CredentialState,
    ) -> Self {
        let number = u64::try_from(generation).unwrap_or(0);
        Self {
            credential: Credential::bearer(material.access_token.clone(), number),
            generation,
            expires,
            issued: material.issued,
            state,
            renewable: true,
            refresh_token: material.refresh_token.clone(),
        }
    }

    /// A credential that is made of settings: every secret setting under its wire key, a user's name and
    /// password, and a lone key as `api_key` and `access_token`.
    pub(crate) fn fixed(connector: &Connector, settings: &HashMap<String, SecretString>) -> Self {
        let secrets: Vec<(&String, &SecretString)> =
            settings.iter().filter(|(key, _)| connector.is_secret(key)).collect();
        let mut credential = Credential::none();
        for (key, value) in &secrets {
            credential = credential.with(key.as_str(), (*value).clone());
        }
        match (connector.auth.scheme, secrets.as_slice()) {
            (Scheme::Basic, _) => {
                if let Some(name) = settings.get("username") {
                    credential = credential.with("username", name.clone());
                }
            }
            (Scheme::ApiKey, [(_, key)]) => credential = credential.with("api_key", (*key).clone()),
            (Scheme::Bearer, [(_, token)]) => credential = credential.with("access_token", (*token).clone()),
            _ => {}
        }
        Self {
            credential,
            generation: 0,
            expires: None,
            issued: EpochMillis::default(),
            state: CredentialState::Valid,
            renewable: false,
            refresh_token: None,
        }
    }

    /// What ends the whole grant when it is revoked.
    pub(crate) fn revocable(&self) -> Option<SecretString> {
        let access_token = || self.credential.part("access_token").cloned();
        if self.renewable { self.refresh_token.clone().or_else(access_token) } else { None }
    }

    /// The vendor no longer accepts it.
    pub(crate) fn expired(&self, now: EpochMillis) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    /// It expires soon, or has.
    pub(crate) fn due(&self, now: EpochMillis, before: Duration) -> bool {
        self.expires.is_some_and(|at| at.minus(refresh_window(before, self.issued, at)) <= now)
    }

    /// The same credential in another state.
    pub(crate) fn standing(&self, state: CredentialState) -> Self {
        Self { state, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn material_comes_back_from_its_sealed_form() {
        for refresh_token in [None, Some("r".into())] {
            let material =
                Material { access_token: "a\"\\".into(), refresh_token, issued: EpochMillis::new(5) };
            assert_eq!(Material::from_json(&material.to_json()), Some(material));
        }
        assert_eq!(Material::from_json(&"{}".into()), None);
    }

    #[test]
    fn a_short_lived_token_is_not_due_at_once() {
        let (issued, five_minutes) = (EpochMillis::new(0), Duration::from_secs(300));
        let expires = issued.plus(Duration::from_secs(10));
        assert_eq!(refresh_window(five_minutes, issued, expires), Duration::from_secs(2));
        let hour = issued.plus(Duration::from_secs(3600));
        assert_eq!(refresh_window(five_minutes, issued, hour), five_minutes);
    }
}
