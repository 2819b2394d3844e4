//! A connector as the catalogue shows it.

use serde::Serialize;
use serde_json::{Value, json};

use crate::definition::{Connector, HubOperation, Setting};

/// How much of an element is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// With configuration and resources.
    Full,
    /// Without them: long lists, and the element inside an instance.
    Abridged,
}

/// An element (open-connectors §7.2; appendix B, `Element`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Element {
    id: u32,
    key: String,
    name: String,
    description: String,
    image: String,
    logo: String,
    active: bool,
    deleted: bool,
    private: bool,
    extended: bool,
    extendable: bool,
    actually_extended: bool,
    cloneable: bool,
    beta: bool,
    type_oauth: bool,
    trial_account: bool,
    hub: String,
    protocol_type: &'static str,
    transformations_enabled: bool,
    child_transformations_enabled: bool,
    bulk_download_enabled: bool,
    bulk_upload_enabled: bool,
    authentication: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<Vec<ElementSetting>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<Vec<Resource>>,
}

impl Element {
    pub(crate) fn of(connector: &Connector, public_url: &str, depth: Depth) -> Self {
        let icon = format!("{public_url}/elements/api-v2/elements/{}/icon.svg", connector.key);
        let full = depth == Depth::Full;
        Self {
            id: connector.id,
            key: connector.key.clone(),
            name: connector.name.clone(),
            description: connector.description.clone(),
            image: icon.clone(),
            logo: icon,
            active: true,
            deleted: false,
            private: false,
            extended: false,
            extendable: false,
            actually_extended: false,
            cloneable: false,
            beta: false,
            type_oauth: connector.auth.scheme.is_oauth(),
            trial_account: false,
            hub: connector.hub.clone(),
            protocol_type: "http",
            transformations_enabled: false,
            child_transformations_enabled: false,
            bulk_download_enabled: false,
            bulk_upload_enabled: false,
            authentication: json!({"type": connector.authentication_type()}),
            configuration: full.then(|| ElementSetting::all(connector)),
            resources: full.then(|| Resource::all(connector)),
        }
    }
}

/// One field of an element's `configuration[]`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ElementSetting {
    pub(crate) id: u32,
    pub(crate) key: String,
    name: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<String>,
    r#type: &'static str,
    required: bool,
    active: bool,
    internal: bool,
    hide_from_console: bool,
    company_config: bool,
    reseller_config: bool,
    group_control: bool,
    is_private: bool,
    display_order: u32,
    options: Vec<Value>,
}

impl ElementSetting {
    pub(crate) fn all(connector: &Connector) -> Vec<Self> {
        connector.configuration.iter().map(|setting| Self::of(connector, setting)).collect()
    }

    fn of(connector: &Connector, setting: &Setting) -> Self {
        let option = |choice: &crate::definition::SettingChoice| json!({"value": choice.value, "description": choice.description});
        Self {
            id: setting_id(connector, setting),
            key: setting.key.clone(),
            name: setting.name.clone(),
            description: setting.description.clone(),
            default_value: setting.default.clone(),
            r#type: setting.kind.wire_name(),
            required: setting.required,
            active: true,
            internal: false,
            hide_from_console: setting.hide_from_console,
            company_config: false,
            reseller_config: false,
            group_control: false,
            is_private: setting.secret,
            display_order: setting.display_order,
            options: setting.options.iter().map(option).collect(),
        }
    }
}

/// The numeric id of a setting: stable as long as the definition keeps its order. Unsourced: the
/// original's numbers are database keys.
pub(crate) fn setting_id(connector: &Connector, setting: &Setting) -> u32 {
    connector.id.saturating_mul(1000).saturating_add(setting.display_order)
}

/// One call of an element's `resources[]`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Resource {
    id: u32,
    path: String,
    method: String,
    description: String,
    operation_id: String,
    r#type: &'static str,
    kind: &'static str,
    pagination_type: &'static str,
    parameters: Vec<Value>,
    owner_account_id: u32,
}

impl Resource {
    pub(crate) fn all(connector: &Connector) -> Vec<Self> {
        let numbered = connector.operations.iter().zip(1..);
        numbered.map(|(operation, number)| Self::of(connector, operation, number)).collect()
    }

    fn of(connector: &Connector, operation: &HubOperation, number: u32) -> Self {
        let parameter = |parameter: &crate::definition::HubParameter| {
            json!({
                "name": parameter.name,
                "type": parameter.place.wire_name(),
                "dataType": parameter.kind,
                "required": parameter.required,
                "description": parameter.description,
                "source": "request",
            })
        };
        let pages = operation.parameters.iter().any(|parameter| parameter.name == "nextPage");
        Self {
            id: connector.id.saturating_mul(1000).saturating_add(number),
            path: format!("/hubs/{}{}", connector.hub, operation.path),
            method: operation.method.to_string(),
            description: operation.description.clone(),
            operation_id: operation.operation_id(),
            r#type: if operation.path == "/ping" { "ping" } else { "api" },
            kind: "eb",
            pagination_type: if pages { "VENDOR_SUPPORTED" } else { "NOT_SUPPORTED" },
            parameters: operation.parameters.iter().map(parameter).collect(),
            owner_account_id: 1,
        }
    }
}

/// `GET /elements/{id}/metadata` (open-connectors §7.2).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ElementMetadata {
    id: u32,
    key: String,
    name: String,
    description: String,
    hub: String,
    element_type: &'static str,
    active: bool,
    beta: bool,
    extended: bool,
    display_order: u32,
    default_authentication: &'static str,
    authentication_type: &'static str,
    normalized_paging: bool,
    swagger_validated: bool,
    events: Value,
    discovery: Value,
    bulk: Value,
    api: Value,
    resources: Vec<Value>,
    /// Ours: recorded exchanges by origin, and how many of them are with the vendor or a real server.
    exchanges: Value,
}

impl ElementMetadata {
    pub(crate) fn of(connector: &Connector) -> Self {
        let resource = |object: &crate::definition::ObjectModel| {
            let operations = connector
                .operations
                .iter()
                .filter(|operation| operation.path.split('/').nth(1) == Some(object.name.as_str()));
            let operations: Vec<String> = operations.map(HubOperation::operation_id).collect();
            json!({"canonicalName": object.name, "operations": operations})
        };
        Self {
            id: connector.id,
            key: connector.key.clone(),
            name: connector.name.clone(),
            description: connector.description.clone(),
            hub: connector.hub.clone(),
            element_type: "Element",
            active: true,
            beta: false,
            extended: false,
            display_order: connector.id,
            default_authentication: connector.authentication_type(),
            authentication_type: connector.authentication_type(),
            normalized_paging: true,
            swagger_validated: false,
            events: json!({"supported": false, "methods": []}),
            discovery: json!({
                "customFields": false,
                "customObjects": false,
                "endpointCustomFields": false,
                "endpointCustomObjects": false,
            }),
            bulk: json!({"upload": false, "download": false}),
            api: json!({"type": "rest", "contentType": ["json"]}),
            resources: connector.objects.iter().map(resource).collect(),
            exchanges: exchanges(connector),
        }
    }
}

fn exchanges(connector: &Connector) -> Value {
    let counts = connector.exchanges.iter().map(|(origin, count)| (origin.name().to_owned(), json!(count)));
    let verified = ("verified".to_owned(), json!(connector.exchanges.verified()));
    Value::Object(counts.chain([verified]).collect())
}
