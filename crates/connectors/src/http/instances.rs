//! `/instances`: making, listing and counting connector instances (open-connectors §8.2).

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use pierhead_domain::{Caller, InstanceId};
use pierhead_store::connectors::{CredentialState, InstanceFilter};
use serde_json::{Map, Value, json};

use super::extract::{HubJson, PathParams, PlatformCaller, Query, token_instance};
use super::list::{ListAnswer, page};
use super::wire::{Instance, Owners};
use super::{elements, instance};
use crate::hub::{Hub, HubProblem};
use crate::provision::{ElementChoice, InstanceAsk};

/// `POST /instances` and `POST /elements/{keyOrId}/instances`.
pub(super) async fn create(
    PlatformCaller { caller, .. }: PlatformCaller,
    State(hub): State<Hub>,
    path: PathParams,
    HubJson(body): HubJson<Map<String, Value>>,
) -> Result<Json<Instance>, HubProblem> {
    let ask = InstanceAsk::read(body)?;
    let connector = if path.find("key_or_id").is_some() {
        elements::element(&hub, &path)?
    } else {
        let named = ask.element.as_ref().and_then(ElementChoice::key_or_id);
        let named = named.ok_or_else(|| HubProblem::Bad("element.key is required".into()))?;
        hub.catalogue.get(&named).ok_or_else(|| HubProblem::unknown_element(&named))?
    };
    let id = hub.create_instance(&caller, connector, ask).await?;
    instance::show(&hub, &caller, id).await
}

/// `GET /instances?tags[]=&searchText=&hydrate=` and `GET /elements/{keyOrId}/instances`. With an `Element`
/// part `GET /instances` is that one instance.
pub(super) async fn list(
    PlatformCaller { caller, element }: PlatformCaller,
    State(hub): State<Hub>,
    path: PathParams,
    query: Query,
) -> Result<Response, HubProblem> {
    let of_element = path.find("key_or_id").map(|_| elements::element(&hub, &path)).transpose()?;
    if let (Some(token), None) = (element, of_element) {
        let id = token_instance(&hub, &caller, &token).await?;
        return Ok(instance::show(&hub, &caller, id).await?.into_response());
    }
    let filter = InstanceFilter {
        element: of_element.map(|connector| connector.key.clone()),
        tags: query.all("tags").into_iter().filter(|tag| !tag.is_empty()).collect(),
        text: query.get("searchText").filter(|text| !text.is_empty()).map(str::to_owned),
        ..visible_to(&caller)
    };
    let page = page(&query)?;
    let total = hub.store.count_instances(&filter).await?.iter().map(|(_, count)| count).sum::<u64>();
    if total == 0 {
        return Err(HubProblem::NotFound("No instances found".into()));
    }
    let (offset, size) = (page.offset as u64, page.size as u64);
    let stored = hub.store.instances(&filter, offset, size).await?;
    let ids: Vec<InstanceId> = stored.iter().map(|instance| instance.id).collect();
    let credentials = hub.store.credentials(&ids).await?;
    let states: HashMap<InstanceId, CredentialState> =
        credentials.into_iter().map(|credential| (credential.instance, credential.state)).collect();
    let owners = Owners::of(&hub, &stored).await?;
    let hydrated = !query.get("hydrate").is_some_and(|value| value.eq_ignore_ascii_case("false"));
    let wire = stored.iter().map(|instance| {
        let state = states.get(&instance.id).unwrap_or(&CredentialState::Valid);
        Instance::of(&hub, instance, state, &owners, hydrated)
    });
    let items = wire.collect::<Result<Vec<Instance>, HubProblem>>()?;
    let total = usize::try_from(total).unwrap_or(usize::MAX);
    Ok(ListAnswer { items, page, total }.into_response())
}

/// `GET /instances/count`.
pub(super) async fn count(
    PlatformCaller { caller, .. }: PlatformCaller,
    State(hub): State<Hub>,
) -> Result<Json<Value>, HubProblem> {
    let counts = hub.store.count_instances(&visible_to(&caller)).await?;
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    let by_element: Map<String, Value> =
        counts.into_iter().map(|(element, count)| (element, count.into())).collect();
    Ok(Json(json!({"totalInstances": total, "elementInstances": by_element})))
}

/// An administrator of the organization sees all its accounts; others see their own.
fn visible_to(caller: &Caller) -> InstanceFilter {
    InstanceFilter {
        organization: caller.organization,
        account: (!caller.is_org_admin()).then_some(caller.account),
        element: None,
        tags: Vec::new(),
        text: None,
    }
}
