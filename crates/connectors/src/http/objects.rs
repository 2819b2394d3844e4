//! Calls that every connector answers from its definition (open-connectors §9): `/objects`,
//! `/objects/{name}/metadata`; and `/ping`, which asks the vendor.

use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::resource_path::ResourcePath;
use crate::definition::{Connector, ObjectField};
use crate::engine::HubAnswer;
use crate::hub::HubProblem;

/// Whether a path is answered by the definition, without the vendor: also for a disabled instance.
pub(super) fn described(method: &Method, path: &ResourcePath) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let rest = path.resource.split('/').skip(2).collect::<Vec<_>>();
    reads && path.root() == "objects" && (rest.is_empty() || matches!(rest[..], [_, "metadata"]))
}

/// Answers a path that is [`described`].
pub(super) fn describe(
    connector: &Connector,
    path: &ResourcePath,
    query: &[(String, String)],
    headers: &HeaderMap,
) -> Result<HubAnswer, HubProblem> {
    let Some(name) = path.resource.split('/').nth(2) else { return Ok(names(connector, headers)) };
    let name = percent_decode_str(name).decode_utf8_lossy();
    let object = connector.objects.iter().find(|object| object.name == name);
    let object = object.ok_or_else(|| HubProblem::NotFound(format!("No object found with name '{name}'")))?;
    let custom_only =
        query.iter().any(|(name, value)| name == "customFieldsOnly" && value.eq_ignore_ascii_case("true"));
    let mut fields: Vec<Value> = object.fields.iter().map(field).collect();
    fields.retain(|field| !custom_only || field["custom"] == true);
    Ok(HubAnswer::json(&json!({"fields": fields})))
}

/// Names alone, or with their kind for `Elements-Version: Helium`.
fn names(connector: &Connector, headers: &HeaderMap) -> HubAnswer {
    let version = headers.get("elements-version").and_then(|value| value.to_str().ok());
    let rich = version.is_some_and(|version| version.trim().eq_ignore_ascii_case("helium"));
    let name = |name: &String| {
        if rich { json!({"name": name, "vendorName": name, "type": "vendor"}) } else { json!(name) }
    };
    HubAnswer::json(&connector.objects.iter().map(|object| name(&object.name)).collect())
}

fn field(field: &ObjectField) -> Value {
    json!({
        "vendorPath": field.path,
        "type": field.kind,
        "vendorDisplayName": field.path,
        "vendorReadOnly": !field.createable && !field.updateable,
        "vendorRequired": false,
        "filterable": field.filterable,
        "createable": field.createable,
        "updateable": field.updateable,
        "custom": false,
    })
}
