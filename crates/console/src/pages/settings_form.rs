//! The part of a form that a connector's `configuration[]` makes.

use serde_json::{Map, Value};

use crate::fields::{Fields, Mistakes};
use crate::wire::{Element, ElementKey};

/// Settings that point an instance at another compatible server; every connector has them, folded away.
const SERVER: &[(&str, &str, &str)] = &[
    ("base.url", "Base address", "Where the vendor's API is, if not at the vendor."),
    ("oauth.authorization.url", "Consent page", "Address of the authorization endpoint."),
    ("oauth.token.url", "Token endpoint", "Address of the token endpoint."),
];

/// One field of the form.
pub(super) struct SettingField {
    /// Name in the form: `config.<key>`.
    pub(super) name: String,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) input: Input,
    pub(super) value: String,
    pub(super) required: bool,
    pub(super) error: String,
}

/// How a setting is typed.
#[derive(PartialEq, Eq)]
pub(super) enum Input {
    Text,
    Password,
    Area,
    Check,
    /// `(value, label)` pairs.
    Choice(Vec<(String, String)>),
}

/// The fields for a connector, with what was typed (or the defaults, when nothing was).
pub(super) fn fields(element: &Element, typed: Option<&Fields>, mistakes: &Mistakes) -> Vec<SettingField> {
    element.settings().into_iter().map(|key| field(key, typed, mistakes)).collect()
}

/// The folded fields for another server, without those that the connector itself asks for.
pub(super) fn server_fields(
    element: &Element,
    typed: Option<&Fields>,
    mistakes: &Mistakes,
) -> Vec<SettingField> {
    let asked = element.settings();
    SERVER
        .iter()
        .filter(|(key, ..)| !asked.iter().any(|other| other.key == *key))
        .filter(|(key, ..)| element.by_consent() || !key.starts_with("oauth."))
        .map(|(key, label, hint)| {
            let setting = ElementKey {
                key: (*key).into(),
                name: (*label).into(),
                description: (*hint).into(),
                ..ElementKey::default()
            };
            field(&setting, typed, mistakes)
        })
        .collect()
}

fn field(key: &ElementKey, typed: Option<&Fields>, mistakes: &Mistakes) -> SettingField {
    let name = form_name(&key.key);
    let input = match key.kind.to_ascii_uppercase().as_str() {
        "PASSWORD" => Input::Password,
        "TEXTAREA" => Input::Area,
        "BOOLEAN" => Input::Check,
        "COMBO" if !key.options.is_empty() => Input::Choice(
            key.options
                .iter()
                .map(|option| {
                    let label =
                        if option.description.is_empty() { &option.value } else { &option.description };
                    (option.value.clone(), label.clone())
                })
                .collect(),
        ),
        _ => Input::Text,
    };
    let value = match typed {
        Some(_) if input == Input::Password => String::new(),
        Some(fields) => fields.get(&name).to_owned(),
        None => key.default_text(),
    };
    SettingField {
        error: mistakes.at(&name).to_owned(),
        label: if key.name.is_empty() { key.key.clone() } else { key.name.clone() },
        hint: key.description.clone(),
        required: key.required && input != Input::Check,
        value,
        input,
        name,
    }
}

impl SettingField {
    /// Whether a checkbox is ticked.
    pub(super) fn ticked(&self) -> bool {
        matches!(self.value.as_str(), "on" | "true" | "1")
    }
}

/// Notes every needed setting that is empty.
pub(super) fn check(element: &Element, typed: &Fields, mistakes: &mut Mistakes) {
    for key in element.settings() {
        if key.required && !key.kind.eq_ignore_ascii_case("BOOLEAN") {
            let label = if key.name.is_empty() { &key.key } else { &key.name };
            mistakes.needs(typed, &form_name(&key.key), &format!("{label} is needed."));
        }
    }
}

/// The settings that were typed, as the wire takes them. Empty ones are left out.
pub(super) fn configuration(element: &Element, typed: &Fields) -> Map<String, Value> {
    let mut configuration = Map::new();
    for key in element.settings() {
        let text = typed.get(&form_name(&key.key));
        if key.kind.eq_ignore_ascii_case("BOOLEAN") {
            configuration
                .insert(key.key.clone(), Value::from(if text.is_empty() { "false" } else { "true" }));
        } else if !text.is_empty() {
            configuration.insert(key.key.clone(), Value::from(text));
        }
    }
    for (key, ..) in SERVER {
        let text = typed.trimmed(&form_name(key));
        if !text.is_empty() {
            configuration.insert((*key).into(), Value::from(text));
        }
    }
    configuration
}

/// Wire names paired with form fields, to place the wire's errors. Longer names first, so that
/// `oauth.token.url` is not taken for a `url`.
pub(super) fn error_places(element: &Element) -> Vec<(String, String)> {
    let keys = element.settings().into_iter().map(|key| key.key.clone());
    let server = SERVER.iter().map(|(key, ..)| (*key).to_owned());
    let mut places: Vec<_> = keys.chain(server).map(|key| (key.clone(), form_name(&key))).collect();
    places.push(("tags".into(), "tags".into()));
    places.push(("name".into(), "name".into()));
    places.sort_by_key(|(key, _)| std::cmp::Reverse(key.len()));
    places
}

/// Tags as people type them: separated by commas.
pub(super) fn tags(typed: &str) -> Vec<String> {
    typed.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

fn form_name(key: &str) -> String {
    format!("config.{key}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn element() -> Element {
        serde_json::from_value(json!({"key": "x", "configuration": [
            {"key": "url", "name": "Address", "required": true, "type": "TEXTFIELD_128"},
            {"key": "pass", "name": "Password", "type": "PASSWORD", "defaultValue": "d"},
            {"key": "nulls", "type": "BOOLEAN", "defaultValue": true},
            {"key": "zone", "type": "COMBO", "options": [{"value": "eu", "description": "Europe"}]},
        ]}))
        .unwrap()
    }

    #[test]
    fn the_form_follows_the_configuration() {
        let fields = fields(&element(), None, &Mistakes::default());
        assert_eq!(
            fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(),
            ["config.url", "config.pass", "config.nulls", "config.zone"]
        );
        assert!(fields[0].required && fields[1].input == Input::Password && fields[2].ticked());
        assert!(fields[3].input == Input::Choice(vec![("eu".into(), "Europe".into())]));
    }

    #[test]
    fn a_typed_password_never_comes_back() {
        let typed = Fields::parse(b"config.url=http%3A%2F%2Fh&config.pass=secret");
        let fields = fields(&element(), Some(&typed), &Mistakes::default());
        assert_eq!((fields[0].value.as_str(), fields[1].value.as_str()), ("http://h", ""));
        assert!(!fields[2].ticked(), "an empty form unticks");
    }

    #[test]
    fn the_wire_gets_what_was_typed_and_the_server_settings() {
        let typed = Fields::parse(b"config.url=u&config.pass=&config.base.url=http%3A%2F%2Fb&config.other=x");
        let sent = Value::Object(configuration(&element(), &typed));
        assert_eq!(sent, json!({"url": "u", "nulls": "false", "base.url": "http://b"}));
    }

    #[test]
    fn needed_settings_are_named_and_tags_are_split() {
        let mut mistakes = Mistakes::default();
        check(&element(), &Fields::default(), &mut mistakes);
        assert_eq!(mistakes.at("config.url"), "Address is needed.");
        assert_eq!(tags(" a, ,b "), ["a", "b"]);
    }
}
