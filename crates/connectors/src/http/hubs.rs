//! `/hubs`: the kinds of connectors (open-connectors §7.3).

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;

use super::extract::{PathParams, PlatformCaller, Query};
use super::list::ListAnswer;
use super::wire::{Depth, Element, HUBS, HubRow, Resource};
use crate::hub::{Hub, HubProblem};

/// `GET /hubs?hydrate=`.
pub(super) async fn list(
    _: PlatformCaller,
    State(hub): State<Hub>,
    query: Query,
) -> Result<impl IntoResponse, HubProblem> {
    let hydrate = query.flag("hydrate");
    ListAnswer::of(&query, HUBS.iter().enumerate().map(|(at, _)| row(&hub, at, hydrate)).collect())
}

/// `GET /hubs/keys`.
pub(super) async fn keys(_: PlatformCaller, query: Query) -> Result<impl IntoResponse, HubProblem> {
    ListAnswer::of(&query, HUBS.iter().map(|(key, _)| *key).collect())
}

/// `GET /hubs/{key}`.
pub(super) async fn one(
    _: PlatformCaller,
    State(hub): State<Hub>,
    path: PathParams,
) -> Result<Json<HubRow>, HubProblem> {
    Ok(Json(row(&hub, place(&path)?, true)))
}

/// `GET /hubs/{key}/elements`.
pub(super) async fn elements(
    _: PlatformCaller,
    State(hub): State<Hub>,
    path: PathParams,
    query: Query,
) -> Result<impl IntoResponse, HubProblem> {
    let (key, _) = HUBS[place(&path)?];
    let members = hub.catalogue.all().iter().filter(|connector| connector.hub == key);
    let depth = if query.flag("abridged") { Depth::Abridged } else { Depth::Full };
    let found: Vec<Element> =
        members.map(|connector| Element::of(connector, &hub.settings.public_url, depth)).collect();
    if found.is_empty() {
        return Err(HubProblem::NotFound("No elements found".into()));
    }
    ListAnswer::of(&query, found)
}

fn place(path: &PathParams) -> Result<usize, HubProblem> {
    let key = path.get("key");
    let found = HUBS.iter().position(|(known, _)| *known == key);
    found.ok_or_else(|| HubProblem::NotFound(format!("No hub found with key '{key}'")))
}

fn row(hub: &Hub, at: usize, hydrate: bool) -> HubRow {
    let (key, name) = HUBS[at];
    let members: Vec<_> = hub.catalogue.all().iter().filter(|connector| connector.hub == key).collect();
    let resources = || members.iter().flat_map(|connector| Resource::all(connector)).collect();
    HubRow {
        id: at + 1,
        key,
        name,
        description: format!("The {name} hub"),
        active: !members.is_empty(),
        resources: hydrate.then(resources),
    }
}
