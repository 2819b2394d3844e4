//! `/instances[/{id}]/configuration[/{configId}]`: an instance's settings, secrets masked
//! (open-connectors §8.2).

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::extract::{HubJson, PathParams, Target};
use super::wire::InstanceSetting;
use crate::hub::{Hub, HubProblem};
use crate::instance::LoadProblem;
use crate::provision::InstanceAsk;

/// `ElementInstanceConfigUpdate` of appendix B.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SettingAsk {
    property_value: Value,
}

/// `GET …/configuration`.
pub(super) async fn list(
    target: Target,
    State(hub): State<Hub>,
) -> Result<Json<Vec<InstanceSetting>>, HubProblem> {
    Ok(Json(settings(&hub, &target).await?))
}

/// `GET …/configuration/{configId}`; the key stands for the id as well.
pub(super) async fn one(
    target: Target,
    State(hub): State<Hub>,
    path: PathParams,
) -> Result<Json<InstanceSetting>, HubProblem> {
    find(settings(&hub, &target).await?, path.get("config")).map(Json)
}

/// `PATCH …/configuration/{configId}` with `{"propertyValue"}`; the mask means "unchanged".
pub(super) async fn change(
    target: Target,
    State(hub): State<Hub>,
    path: PathParams,
    HubJson(ask): HubJson<SettingAsk>,
) -> Result<Json<InstanceSetting>, HubProblem> {
    let setting = find(settings(&hub, &target).await?, path.get("config"))?;
    if ask.property_value.is_null() {
        return Err(HubProblem::Bad("propertyValue is required".into()));
    }
    let configuration = Map::from_iter([(setting.key.clone(), ask.property_value)]);
    let ask = InstanceAsk { configuration: Some(configuration), ..InstanceAsk::default() };
    hub.change_instance(&target.caller, target.id, ask).await?;
    find(settings(&hub, &target).await?, &setting.key).map(Json)
}

async fn settings(hub: &Hub, target: &Target) -> Result<Vec<InstanceSetting>, HubProblem> {
    let stored = hub.visible(&target.caller, target.id).await?;
    let connector = hub.catalogue.get(&stored.element);
    let connector = connector.ok_or_else(|| LoadProblem::NoConnector(stored.element.clone()))?;
    let sealed = stored.secrets_sealed.clone();
    let secret = hub.vault.open_secrets(stored.organization, &stored.token_hash, sealed)?;
    Ok(InstanceSetting::all(connector, &stored.settings, &secret))
}

fn find(all: Vec<InstanceSetting>, wanted: &str) -> Result<InstanceSetting, HubProblem> {
    let found = all.into_iter().find(|setting| setting.key == wanted || setting.id.to_string() == wanted);
    found.ok_or_else(|| HubProblem::NotFound(format!("No configuration found with id '{wanted}'")))
}
