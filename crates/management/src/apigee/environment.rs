//! `/environments/{env}`: target servers and flow hooks (api-management §8.10).

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use axum::response::IntoResponse;
use pierhead_store::management::{ItemKind, StoredItem};
use serde_json::{Map, Value, json};

use super::problem::ApigeeProblem;
use super::proxy_call::ProxyCall;
use crate::live_environment::{HOOKS, TargetServerDocument};
use crate::names::check_name;
use crate::odata::Service;

/// Answers what lies below `/targetservers`.
pub(super) async fn target_servers(
    call: &ProxyCall<'_>,
    below: &[&str],
) -> Result<Response<Body>, ApigeeProblem> {
    let kind = ItemKind::TargetServer;
    let designs = call.parts.store.designs();
    let organization = call.parts.organization();
    let (status, value) = match (below, &call.method) {
        ([], &Method::GET) => {
            let all = designs.items(organization, kind).await?;
            (StatusCode::OK, all.into_iter().map(|server| server.name).collect())
        }
        ([], &Method::POST) => {
            let (name, document) = read(call, None)?;
            if designs.item(organization, kind, &name).await?.is_some() {
                let code = "messaging.config.beans.TargetServerAlreadyExists";
                return Err(ApigeeProblem::conflict(code, format!("Target server {name} exists already")));
            }
            (StatusCode::CREATED, put(call, &name, document).await?)
        }
        ([name], method) => {
            let missing = || {
                ApigeeProblem::missing(
                    "messaging.config.beans.TargetServerDoesNotExist",
                    "Target server",
                    name,
                )
            };
            let stored = designs.item(organization, kind, name).await?.ok_or_else(missing)?;
            match *method {
                Method::GET => (StatusCode::OK, shown(&stored)),
                Method::PUT | Method::POST => {
                    let (name, document) = read(call, Some(name))?;
                    (StatusCode::OK, put(call, &name, document).await?)
                }
                Method::DELETE => {
                    let portal = call.portal();
                    let mut work = portal.begin().await?;
                    portal.put_item(&mut work, kind, name, None).await?;
                    portal.commit(work).await?;
                    (StatusCode::OK, shown(&stored))
                }
                ref other => return Err(ApigeeProblem::Method(other.to_string())),
            }
        }
        ([], other) => return Err(ApigeeProblem::Method(other.to_string())),
        _ => {
            return Err(ApigeeProblem::missing(
                "messaging.config.beans.NotFound",
                "Resource",
                &below.join("/"),
            ));
        }
    };
    Ok((status, axum::Json(value)).into_response())
}

async fn put(call: &ProxyCall<'_>, name: &str, document: Value) -> Result<Value, ApigeeProblem> {
    let portal = call.portal();
    let mut work = portal.begin().await?;
    portal.put_item(&mut work, ItemKind::TargetServer, name, Some(document.to_string())).await?;
    portal.commit(work).await?;
    Ok(document)
}

/// A target server of the body: its name and its document, checked.
fn read(call: &ProxyCall<'_>, name: Option<&str>) -> Result<(String, Value), ApigeeProblem> {
    let mut body = call.json()?;
    let said = body.get("name").and_then(Value::as_str).map(str::to_owned);
    let name = match (name, said) {
        (Some(name), Some(said)) if name != said => {
            return Err(ApigeeProblem::bad("name cannot be changed"));
        }
        (Some(name), _) => name.to_owned(),
        (None, Some(said)) => said,
        (None, None) => return Err(ApigeeProblem::bad("name must be given")),
    };
    check_name("name", &name, 255)?;
    body.insert("name".into(), name.clone().into());
    body.entry("isEnabled").or_insert(Value::Bool(true));
    let document = Value::Object(body);
    TargetServerDocument::read(&document).map_err(ApigeeProblem::Bad)?;
    Ok((name, document))
}

fn shown(stored: &StoredItem) -> Value {
    serde_json::from_str(&stored.document).unwrap_or_default()
}

/// Answers what lies below `/flowhooks`.
pub(super) async fn flow_hooks(
    call: &ProxyCall<'_>,
    below: &[&str],
) -> Result<Response<Body>, ApigeeProblem> {
    let value = match (below, &call.method) {
        ([], &Method::GET) => HOOKS.iter().map(|(name, _)| *name).collect(),
        ([name], method) => {
            if HOOKS.iter().all(|(known, _)| known != name) {
                return Err(ApigeeProblem::missing(
                    "messaging.config.beans.FlowHookDoesNotExist",
                    "Flow hook",
                    name,
                ));
            }
            match *method {
                Method::GET => hook(call, name).await?,
                Method::PUT | Method::POST => attach(call, name).await?,
                Method::DELETE => {
                    let answer = hook(call, name).await?;
                    let portal = call.portal();
                    let mut work = portal.begin().await?;
                    portal.put_item(&mut work, ItemKind::FlowHook, name, None).await?;
                    portal.commit(work).await?;
                    answer
                }
                ref other => return Err(ApigeeProblem::Method(other.to_string())),
            }
        }
        ([], other) => return Err(ApigeeProblem::Method(other.to_string())),
        _ => {
            return Err(ApigeeProblem::missing(
                "messaging.config.beans.NotFound",
                "Resource",
                &below.join("/"),
            ));
        }
    };
    Ok(axum::Json::<Value>(value).into_response())
}

async fn hook(call: &ProxyCall<'_>, name: &str) -> Result<Value, ApigeeProblem> {
    let stored = call.parts.store.designs().item(call.parts.organization(), ItemKind::FlowHook, name).await?;
    let mut shown: Map<String, Value> =
        stored.and_then(|stored| serde_json::from_str(&stored.document).ok()).unwrap_or_default();
    shown.insert("flowHookPoint".into(), name.into());
    Ok(Value::Object(shown))
}

/// `{"sharedFlow","continueOnError","description"}`; the shared flow must be deployed.
async fn attach(call: &ProxyCall<'_>, name: &str) -> Result<Value, ApigeeProblem> {
    let body = call.json()?;
    let flow = body.get("sharedFlow").and_then(Value::as_str).filter(|flow| !flow.is_empty());
    let flow = flow.ok_or_else(|| ApigeeProblem::bad("sharedFlow must be given"))?;
    let stored = call.parts.store.designs().shared_flow(call.parts.organization(), flow).await?;
    if stored.is_none_or(|stored| stored.live_revision.is_none()) {
        return Err(ApigeeProblem::Bad(format!("sharedFlow: no shared flow '{flow}' is deployed")));
    }
    let continues = match body.get("continueOnError") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(continues)) => *continues,
        Some(_) => return Err(ApigeeProblem::bad("continueOnError must be true or false")),
    };
    let document =
        json!({"sharedFlow": flow, "continueOnError": continues, "description": body.get("description")});
    let portal = call.portal();
    let mut work = portal.begin().await?;
    portal.put_item(&mut work, ItemKind::FlowHook, name, Some(document.to_string())).await?;
    portal.commit(work).await?;
    hook(call, name).await
}
