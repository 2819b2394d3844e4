//! `/instances/{id}`, and `/instances` by token: one instance (open-connectors §8.2).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use pierhead_domain::{Caller, InstanceId};
use pierhead_store::connectors::CredentialState;
use serde_json::{Map, Value};

use super::extract::{HubJson, Target};
use super::wire::{Instance, Owners};
use crate::hub::{Hub, HubProblem};
use crate::provision::InstanceAsk;

/// `GET`: the instance, its token included.
pub(super) async fn get(target: Target, State(hub): State<Hub>) -> Result<Json<Instance>, HubProblem> {
    show(&hub, &target.caller, target.id).await
}

/// `PUT` and `PATCH`: what is given replaces what was there; `providerData.code` connects it anew.
pub(super) async fn change(
    target: Target,
    State(hub): State<Hub>,
    HubJson(body): HubJson<Map<String, Value>>,
) -> Result<Json<Instance>, HubProblem> {
    hub.change_instance(&target.caller, target.id, InstanceAsk::read(body)?).await?;
    show(&hub, &target.caller, target.id).await
}

/// `DELETE`: 200 with `null`.
pub(super) async fn delete(target: Target, State(hub): State<Hub>) -> Result<Response, HubProblem> {
    hub.delete_instance(&target.caller, target.id).await?;
    let json = HeaderValue::from_static("application/json");
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, json)], "null").into_response())
}

/// The wire form of an instance that `caller` may see.
pub(super) async fn show(hub: &Hub, caller: &Caller, id: InstanceId) -> Result<Json<Instance>, HubProblem> {
    let stored = hub.visible(caller, id).await?;
    let credential = hub.store.credential(id).await?;
    let state = credential.map_or(CredentialState::Valid, |credential| credential.state);
    let owners = Owners::of(hub, std::slice::from_ref(&stored)).await?;
    Ok(Json(Instance::of(hub, &stored, &state, &owners, true)?))
}
