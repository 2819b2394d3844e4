//! The `inputs` block: an instance's form, plus the settings every connector of a kind has.

use super::block::Block;
use super::yaml::NodeData;
use super::{Auth, Scheme, Setting, SettingChoice, SettingType};

pub(super) fn read(definition: &Block<'_>) -> Vec<Setting> {
    const TYPES: &[(&str, SettingType)] = &[
        ("text32", SettingType::Text32),
        ("text", SettingType::Text128),
        ("text1000", SettingType::Text1000),
        ("textarea", SettingType::TextArea),
        ("password", SettingType::Password),
        ("boolean", SettingType::Boolean),
        ("combo", SettingType::Combo),
    ];
    let read = |block: &Block<'_>| {
        let kind = block.choice("type", TYPES).unwrap_or(SettingType::Text128);
        let options = block.list("options").iter().filter_map(|node| match &node.data {
            NodeData::Text(value) => Some(SettingChoice { value: value.clone(), description: value.clone() }),
            _ => {
                block.mistake("options", "must be a list of texts");
                None
            }
        });
        let options: Vec<SettingChoice> = options.collect();
        if kind == SettingType::Combo && options.is_empty() {
            block.mistake("options", "is required for type combo");
        }
        Setting {
            key: block.required_text("key"),
            name: block.required_text("name"),
            description: block.text("description").unwrap_or_default(),
            kind,
            required: block.flag("required").unwrap_or(false),
            default: block.text("default"),
            hide_from_console: block.flag("hidden").unwrap_or(false),
            display_order: 0,
            secret: block.flag("secret").unwrap_or(kind == SettingType::Password),
            directory: block.flag("directory").unwrap_or(false),
            options,
        }
    };
    definition.blocks("inputs", "input").iter().map(read).collect()
}

/// Adds what follows from the kind of authentication and numbers the form's fields.
pub(super) fn complete(mut settings: Vec<Setting>, auth: &Auth) -> Vec<Setting> {
    let mut add = |key: &str, name: &str, description: &str, kind, required, hidden| {
        if settings.iter().any(|setting| setting.key == key) {
            return;
        }
        settings.push(Setting {
            key: key.to_owned(),
            name: name.to_owned(),
            description: description.to_owned(),
            kind,
            required,
            default: None,
            hide_from_console: hidden,
            display_order: 0,
            secret: kind == SettingType::Password || key == "oauth.api.key",
            directory: false,
            options: Vec::new(),
        });
    };
    match auth.scheme {
        Scheme::OAuth2Code | Scheme::OAuth2ClientCredentials => {
            let code = auth.scheme == Scheme::OAuth2Code;
            add(
                "oauth.api.key",
                "API key",
                "The client id the vendor gave your app.",
                SettingType::Text1000,
                true,
                false,
            );
            add(
                "oauth.api.secret",
                "API secret",
                "The client secret of your app.",
                SettingType::Password,
                true,
                false,
            );
            let callback = "Where the vendor sends the browser back; registered with the vendor exactly so.";
            if code {
                add("oauth.callback.url", "Callback URL", callback, SettingType::Text1000, true, false);
            }
            add(
                "oauth.scope",
                "Scope",
                "Instead of the connector's own scopes.",
                SettingType::Text1000,
                false,
                true,
            );
            let other = "Another server that speaks the same protocol.";
            add("oauth.authorization.url", "Authorization URL", other, SettingType::Text1000, false, true);
            add("oauth.token.url", "Token URL", other, SettingType::Text1000, false, true);
            add("oauth.token.revoke_url", "Revocation URL", other, SettingType::Text1000, false, true);
            add("base.url", "Base URL", other, SettingType::Text1000, false, true);
        }
        Scheme::Basic => {
            add("username", "User name", "", SettingType::Text128, true, false);
            add("password", "Password", "", SettingType::Password, true, false);
        }
        Scheme::ApiKey => add("api.key", "API key", "", SettingType::Password, true, false),
        Scheme::Bearer => add("access.token", "Access token", "", SettingType::Password, true, false),
        Scheme::None => {}
    }
    let nulls = "Leave members without a value out of answers.";
    add("filter.response.nulls", "Filter nulls", nulls, SettingType::Boolean, false, true);
    for (setting, order) in settings.iter_mut().zip(1..) {
        setting.display_order = order;
        if setting.key == "filter.response.nulls" && setting.default.is_none() {
            setting.default = Some("true".to_owned());
        }
    }
    settings
}
