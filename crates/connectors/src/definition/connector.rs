//! The checked definition and what the catalogue's wire shows of it.

use bytes::Bytes;

use super::{Auth, Errors, ExchangeCounts, Files, Resource, Transport, Verify};

/// One connector: everything its definition says, checked. Nothing checks again.
#[derive(Debug, Clone)]
pub struct Connector {
    /// Lower-case key, unique in the catalogue (`googledrive`).
    pub key: String,
    /// Element id on the wire, stable for ever.
    pub id: u32,
    /// Name for people.
    pub name: String,
    /// One sentence for the catalogue.
    pub description: String,
    /// Hub word (`documents`, `crm`, …).
    pub hub: String,
    /// How instances authenticate.
    pub auth: Auth,
    /// Form fields of an instance, in display order.
    pub configuration: Vec<Setting>,
    /// Only administrators may make instances (connectors that reach into this machine).
    pub administrators_only: bool,
    /// The icon, SVG.
    pub icon: Bytes,
    /// Notes for people, Markdown.
    pub docs: String,
    /// Hub calls this connector answers, for docs and the console.
    pub operations: Vec<HubOperation>,
    /// Objects for `GET /objects` and `GET /objects/{name}/metadata`.
    pub objects: Vec<ObjectModel>,
    /// How many recorded exchanges it was proven by, by their origin.
    pub exchanges: ExchangeCounts,
    pub(crate) transport: Transport,
    pub(crate) errors: Errors,
    pub(crate) files: Option<Files>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) verify: Option<Verify>,
}

impl Connector {
    /// `authentication.type` of the element JSON (open-connectors §7.2).
    pub fn authentication_type(&self) -> &'static str {
        self.auth.scheme.wire_name()
    }

    /// The form field of this key.
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.configuration.iter().find(|setting| setting.key == key)
    }

    /// Whether the value of this configuration key must be masked on the wire and sealed at rest.
    pub fn is_secret(&self, key: &str) -> bool {
        self.setting(key).is_some_and(|setting| setting.secret)
    }
}

/// One field of an instance's configuration (`configuration[]`, open-connectors §7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Wire key, e.g. `oauth.api.key`.
    pub key: String,
    /// Label.
    pub name: String,
    /// Help text.
    pub description: String,
    /// Widget and length.
    pub kind: SettingType,
    /// Must be given when an instance is made.
    pub required: bool,
    /// Used when nothing is given.
    pub default: Option<String>,
    /// Not shown in the console's form (reserved and internal settings).
    pub hide_from_console: bool,
    /// Order in the form, from 1.
    pub display_order: u32,
    /// Masked on the wire, sealed at rest.
    pub secret: bool,
    /// Names a directory on this machine: for administrators, never inside the data directory.
    pub directory: bool,
    /// Allowed values; empty when free.
    pub options: Vec<SettingChoice>,
}

/// One allowed value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChoice {
    /// The value on the wire.
    pub value: String,
    /// What people see.
    pub description: String,
}

/// Widget and length of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingType {
    /// At most 32 characters.
    Text32,
    /// At most 128 characters.
    Text128,
    /// At most 1000 characters.
    Text1000,
    /// Several lines.
    TextArea,
    /// Masked input.
    Password,
    /// `true` or `false`.
    Boolean,
    /// One of `options`.
    Combo,
}

impl SettingType {
    /// The wire's word, e.g. `TEXTFIELD_128`.
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::Text32 => "TEXTFIELD_32",
            Self::Text128 => "TEXTFIELD_128",
            Self::Text1000 => "TEXTFIELD_1000",
            Self::TextArea => "TEXTAREA",
            Self::Password => "PASSWORD",
            Self::Boolean => "BOOLEAN",
            Self::Combo => "COMBO",
        }
    }

    /// The most characters a value may have.
    pub fn max_chars(self) -> usize {
        match self {
            Self::Text32 => 32,
            Self::Text128 => 128,
            Self::Boolean => 5,
            Self::Text1000 | Self::Password | Self::Combo => 1000,
            Self::TextArea => 65_536,
        }
    }
}

/// One hub call a connector answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubOperation {
    /// `GET`, `POST`, …
    pub method: http::Method,
    /// Path after the hub word with its placeholders: `/files/{id}/metadata`.
    pub path: String,
    /// What it does, one sentence.
    pub description: String,
    /// Parameters the call reads.
    pub parameters: Vec<HubParameter>,
    /// The answer is a byte stream rather than JSON.
    pub streams: bool,
}

impl HubOperation {
    /// The original's operation id: `GET-files-id-metadata` (open-connectors §8.2, "ids like `GET-contacts`").
    pub fn operation_id(&self) -> String {
        let words = self.path.split('/').filter(|part| !part.is_empty());
        let words: Vec<&str> = words.map(|part| part.trim_matches(|c| c == '{' || c == '}')).collect();
        format!("{}-{}", self.method, words.join("-"))
    }
}

/// One parameter of a hub call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubParameter {
    /// Its name on the wire.
    pub name: String,
    /// Where it stands.
    pub place: ParameterPlace,
    /// JSON type: `string`, `integer`, `boolean`, `object`, `file`.
    pub kind: &'static str,
    /// The call fails without it.
    pub required: bool,
    /// What it does.
    pub description: String,
}

/// Where a parameter stands (Swagger 2's `in`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterPlace {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// The JSON body.
    Body,
    /// A field of a multipart body.
    FormData,
}

impl ParameterPlace {
    /// Swagger 2's word.
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Body => "body",
            Self::FormData => "formData",
        }
    }
}

/// One kind of object a connector deals in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectModel {
    /// Its name on the wire (`files`).
    pub name: String,
    /// Its fields.
    pub fields: Vec<ObjectField>,
}

/// One field of an object (`GET /objects/{name}/metadata`, open-connectors §9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectField {
    /// Hub path of the field.
    pub path: String,
    /// `string`, `number`, `boolean`, `date`, `array`, `object`.
    pub kind: String,
    /// May stand in `where`.
    pub filterable: bool,
    /// May be given on create.
    pub createable: bool,
    /// May be given on update.
    pub updateable: bool,
}
