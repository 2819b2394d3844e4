//! The hub's JSON as pages read it (open-connectors reference §§2, 7, 8, 10).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The answer of `POST /authentication`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SignedInUser {
    pub(crate) token: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) username: String,
    pub(crate) organization_name: String,
}

/// A connector of the catalogue.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Element {
    pub(crate) id: u64,
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) hub: String,
    pub(crate) image: String,
    pub(crate) logo: String,
    pub(crate) type_oauth: bool,
    pub(crate) beta: bool,
    pub(crate) authentication: Authentication,
    pub(crate) configuration: Vec<ElementKey>,
    pub(crate) resources: Vec<ElementResource>,
}

/// How a connector's instances prove who they are.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Authentication {
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// One setting of a connector.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ElementKey {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) default_value: Value,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) required: bool,
    pub(crate) internal: bool,
    pub(crate) hide_from_console: bool,
    pub(crate) display_order: i64,
    pub(crate) options: Vec<ElementOption>,
}

/// One choice of a `COMBO` setting.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ElementOption {
    pub(crate) value: String,
    pub(crate) description: String,
}

/// One call of a connector.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ElementResource {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) description: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

impl Element {
    /// Whether making an instance goes through the vendor's consent page.
    pub(crate) fn by_consent(&self) -> bool {
        self.type_oauth || self.authentication.kind.eq_ignore_ascii_case("oauth2")
    }

    /// The icon's address, when it is one that our pages may load: inline, or the hub's own. The hub writes
    /// whole addresses with its public name; the path is enough, whichever name the reader came by.
    pub(crate) fn icon(&self) -> &str {
        let ours = |url: &'_ str| url.find("/elements/api-v2/elements/");
        [self.image.as_str(), self.logo.as_str()]
            .into_iter()
            .find_map(|url| match url.starts_with("data:image/") {
                true => Some(url),
                false => ours(url).map(|at| &url[at..]),
            })
            .unwrap_or("")
    }

    /// How people call its way of signing in.
    pub(crate) fn sign_in(&self) -> &str {
        match self.authentication.kind.to_ascii_lowercase().as_str() {
            "oauth2" => "OAuth 2.0",
            "oauth1" => "OAuth 1.0a",
            "basic" => "User name and password",
            "apikey" => "API key",
            "custom" => "Keys of its own",
            "" | "none" => "No sign-in",
            _ => &self.authentication.kind,
        }
    }

    /// The settings a person fills in, in the connector's order. The callback is ours to fill.
    pub(crate) fn settings(&self) -> Vec<&ElementKey> {
        let ours = ["oauth.callback.url", "oauth.user.token", "oauth.user.refresh_token"];
        let mut keys: Vec<_> = self
            .configuration
            .iter()
            .filter(|key| !key.internal && !key.hide_from_console && !ours.contains(&key.key.as_str()))
            .collect();
        keys.sort_by_key(|key| key.display_order);
        keys
    }
}

impl ElementKey {
    /// The default as form text.
    pub(crate) fn default_text(&self) -> String {
        match &self.default_value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }
}

/// A connector with somebody's credentials.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Instance {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) element: Element,
    pub(crate) tags: Vec<String>,
    pub(crate) valid: Option<bool>,
    pub(crate) disabled: bool,
    pub(crate) created_date: String,
    pub(crate) updated_date: String,
    pub(crate) configuration: BTreeMap<String, Value>,
    pub(crate) credential_state: CredentialState,
}

/// Our own addition to the original's shape: why an instance is not usable, and since when.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct CredentialState {
    /// `waiting`: the vendor does not answer, the grant is good; `reconnect`: the grant is gone.
    pub(crate) state: String,
    pub(crate) reason: String,
    pub(crate) since: String,
}

/// What a person must know of an instance first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum InstanceState {
    /// The vendor no longer accepts its credentials.
    ReconnectNeeded,
    /// The vendor does not answer; its grant is still good.
    VendorDown,
    /// Switched off by a person.
    Disabled,
    /// Ready for calls.
    Connected,
}

impl Instance {
    /// Its state; a disabled instance is called disabled, whatever its credentials are.
    pub(crate) fn state(&self) -> InstanceState {
        match (self.disabled, self.valid) {
            (true, _) => InstanceState::Disabled,
            (false, Some(false)) => InstanceState::ReconnectNeeded,
            (false, _) if self.credential_state.state == "waiting" => InstanceState::VendorDown,
            (false, _) => InstanceState::Connected,
        }
    }
}

impl InstanceState {
    /// Tone of the pill.
    pub(crate) fn tone(self) -> &'static str {
        match self {
            Self::Connected => "good",
            Self::Disabled => "idle",
            Self::VendorDown => "warn",
            Self::ReconnectNeeded => "bad",
        }
    }

    /// Word of the pill.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Connected => "Connected",
            Self::Disabled => "Disabled",
            Self::VendorDown => "Vendor does not answer",
            Self::ReconnectNeeded => "Reconnect needed",
        }
    }
}

/// A file or folder of the documents hub.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct StoredFile {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) directory: bool,
    pub(crate) modified_date: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_icons_of_our_own_origin_or_inline_are_used() {
        let icon = |image: &str| Element { image: image.into(), ..Element::default() }.icon().to_owned();
        let own = "/elements/api-v2/elements/x/icon.svg";
        assert_eq!(icon(own), own);
        assert_eq!(icon(&format!("https://pierhead.example{own}")), own);
        assert_eq!(icon("data:image/svg+xml;base64,AA"), "data:image/svg+xml;base64,AA");
        assert_eq!(icon("https://elsewhere.example/x.png"), "");
        assert_eq!(icon("//elsewhere.example/x.png"), "");
    }

    #[test]
    fn a_disabled_instance_is_called_disabled_first() {
        let instance: Instance =
            serde_json::from_value(json!({"id": 7, "valid": false, "disabled": true})).unwrap();
        assert_eq!(instance.state(), InstanceState::Disabled);
    }

    #[test]
    fn settings_leave_out_what_a_person_cannot_fill_in() {
        let element: Element = serde_json::from_value(json!({"configuration": [
            {"key": "b", "displayOrder": 2}, {"key": "a", "displayOrder": 1},
            {"key": "oauth.callback.url"}, {"key": "c", "internal": true}, {"key": "d", "hideFromConsole": true},
        ]}))
        .unwrap();
        assert_eq!(element.settings().iter().map(|key| key.key.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }
}
