//! `/elements`: the catalogue (open-connectors §7.1). Readable without credentials.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::extract::{PathParams, Query};
use super::list::ListAnswer;
use super::wire::{Depth, Element, ElementMetadata, ElementSetting, Resource};
use crate::ceql;
use crate::definition::Connector;
use crate::hub::{Hub, HubProblem};

/// `GET /elements?where=&key=&hub=&abridged=`: filtered to nothing is 404, as clients expect.
pub(super) async fn list(State(hub): State<Hub>, query: Query) -> Result<impl IntoResponse, HubProblem> {
    let condition = query.get("where").filter(|text| !text.trim().is_empty());
    let condition = condition.map(ceql::where_clause).transpose();
    let condition = condition.map_err(|why| HubProblem::Bad(why.to_string()))?;
    let mut fields = Vec::new();
    condition.iter().for_each(|condition| condition.fields(&mut fields));
    let abridged = query.flag("abridged") || fields.iter().any(|field| field == "abridged");
    let depth = if abridged { Depth::Abridged } else { Depth::Full };
    let wanted =
        |name: &str, value: &str| query.get(name).is_none_or(|wanted| wanted.eq_ignore_ascii_case(value));
    let mut found = Vec::new();
    for connector in hub.catalogue.all() {
        if !wanted("key", &connector.key) || !wanted("hub", &connector.hub) {
            continue;
        }
        let mut element = json!(Element::of(connector, &hub.settings.public_url, depth));
        if let Some(condition) = &condition {
            // In a condition `abridged='true'` asks for short rows; it filters nothing.
            element["abridged"] = Value::Bool(true);
            if !ceql::holds(condition, &element) {
                continue;
            }
            element.as_object_mut().map(|fields| fields.remove("abridged"));
        }
        found.push(element);
    }
    if found.is_empty() {
        return Err(HubProblem::NotFound("No elements found".into()));
    }
    ListAnswer::of(&query, found)
}

/// `GET /elements/keys`.
pub(super) async fn keys(State(hub): State<Hub>, query: Query) -> Result<impl IntoResponse, HubProblem> {
    let keys = hub.catalogue.all().iter().map(|connector| connector.key.clone()).collect();
    ListAnswer::<String>::of(&query, keys)
}

/// `GET /elements/{keyOrId}`.
pub(super) async fn one(State(hub): State<Hub>, path: PathParams) -> Result<Json<Element>, HubProblem> {
    let connector = element(&hub, &path)?;
    Ok(Json(Element::of(connector, &hub.settings.public_url, Depth::Full)))
}

/// `GET /elements/{id}/metadata`.
pub(super) async fn metadata(
    State(hub): State<Hub>,
    path: PathParams,
) -> Result<Json<ElementMetadata>, HubProblem> {
    Ok(Json(ElementMetadata::of(element(&hub, &path)?)))
}

/// `GET /elements/{keyOrId}/configuration`.
pub(super) async fn configuration(
    State(hub): State<Hub>,
    path: PathParams,
) -> Result<Json<Vec<ElementSetting>>, HubProblem> {
    Ok(Json(ElementSetting::all(element(&hub, &path)?)))
}

/// `GET /elements/{keyOrId}/configuration/{configKey}`.
pub(super) async fn configuration_one(
    State(hub): State<Hub>,
    path: PathParams,
) -> Result<Json<ElementSetting>, HubProblem> {
    let (connector, wanted) = (element(&hub, &path)?, path.get("config"));
    let found = ElementSetting::all(connector)
        .into_iter()
        .find(|setting| setting.key == wanted || setting.id.to_string() == wanted);
    found.map(Json).ok_or_else(|| HubProblem::NotFound(format!("No configuration found with key '{wanted}'")))
}

/// `GET /elements/{keyOrId}/resources`.
pub(super) async fn resources(
    State(hub): State<Hub>,
    path: PathParams,
) -> Result<Json<Vec<Resource>>, HubProblem> {
    Ok(Json(Resource::all(element(&hub, &path)?)))
}

/// The connector a route names by key or id.
pub(super) fn element<'h>(hub: &'h Hub, path: &PathParams) -> Result<&'h Arc<Connector>, HubProblem> {
    let key_or_id = path.get("key_or_id");
    hub.catalogue.get(key_or_id).ok_or_else(|| HubProblem::unknown_element(key_or_id))
}
