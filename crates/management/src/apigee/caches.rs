//! `/environments/{env}/caches`: caches that policies name, and clearing them (api-management §8.10).
//!
//! A cache that a policy names works without being made here; what is made here is its description.

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use axum::response::IntoResponse;
use pierhead_store::management::{ItemKind, StoredItem};
use serde_json::{Value, json};

use super::problem::ApigeeProblem;
use super::proxy_call::ProxyCall;
use crate::names::check_name;
use crate::odata::{ODataError, Service};

type Answered = Result<Response<Body>, ApigeeProblem>;

const KIND: ItemKind = ItemKind::Cache;

/// Answers what lies below `/caches`.
pub(super) async fn answer(call: &ProxyCall<'_>, below: &[&str]) -> Answered {
    match (below, &call.method) {
        ([], &Method::GET) => {
            let all = call.parts.store.designs().items(call.parts.organization(), KIND).await?;
            Ok(axum::Json(all.into_iter().map(|cache| cache.name).collect::<Vec<_>>()).into_response())
        }
        ([], &Method::POST) => {
            let mut body = call.json()?;
            let said = body.get("name").and_then(Value::as_str).map(str::to_owned);
            let name = call.query("name").or(said).ok_or_else(|| ApigeeProblem::bad("name must be given"))?;
            check_name("name", &name, 255)?;
            if find(call, &name).await?.is_some() {
                let code = "messaging.config.beans.CacheAlreadyExists";
                return Err(ApigeeProblem::conflict(code, format!("Cache {name} exists already")));
            }
            body.insert("name".into(), name.clone().into());
            let made = Value::Object(body);
            write(call, &name, Some(&made)).await?;
            Ok((StatusCode::CREATED, axum::Json(made)).into_response())
        }
        ([name], method) => {
            let known = shown(&stored(call, name).await?)?;
            match *method {
                Method::GET => Ok(axum::Json(known).into_response()),
                Method::PUT | Method::POST => {
                    let mut body = call.json()?;
                    body.insert("name".into(), (*name).into());
                    let changed = Value::Object(body);
                    write(call, name, Some(&changed)).await?;
                    Ok(axum::Json(changed).into_response())
                }
                Method::DELETE => {
                    write(call, name, None).await?;
                    clear(call, name, "").await?;
                    Ok(axum::Json(known).into_response())
                }
                ref other => Err(ApigeeProblem::Method(other.to_string())),
            }
        }
        ([name, "entries"], &Method::POST) => {
            action_is_clear(call)?;
            clear(call, name, &call.query("prefix").unwrap_or_default()).await?;
            Ok(axum::Json(json!({"name": name, "action": "clear"})).into_response())
        }
        ([] | [_, "entries"], other) => Err(ApigeeProblem::Method(other.to_string())),
        _ => Err(ApigeeProblem::missing("messaging.config.beans.NotFound", "Resource", &below.join("/"))),
    }
}

fn action_is_clear(call: &ProxyCall<'_>) -> Result<(), ApigeeProblem> {
    match call.query("action").as_deref() {
        Some("clear") => Ok(()),
        _ => Err(ApigeeProblem::bad("action must be clear")),
    }
}

/// Clears a cache on every node. One that was never described may still be in use.
async fn clear(call: &ProxyCall<'_>, name: &str, prefix: &str) -> Result<(), ApigeeProblem> {
    Ok(call.parts.clear_cache(name, prefix).await?)
}

async fn find(call: &ProxyCall<'_>, name: &str) -> Result<Option<StoredItem>, ApigeeProblem> {
    Ok(call.parts.store.designs().item(call.parts.organization(), KIND, name).await?)
}

async fn stored(call: &ProxyCall<'_>, name: &str) -> Result<StoredItem, ApigeeProblem> {
    let missing = || ApigeeProblem::missing("messaging.config.beans.CacheDoesNotExist", "Cache", name);
    find(call, name).await?.ok_or_else(missing)
}

async fn write(call: &ProxyCall<'_>, name: &str, document: Option<&Value>) -> Result<(), ApigeeProblem> {
    let portal = call.portal();
    let mut work = portal.begin().await?;
    portal.put_item(&mut work, KIND, name, document.map(Value::to_string)).await?;
    Ok(portal.commit(work).await?)
}

fn shown(stored: &StoredItem) -> Result<Value, ApigeeProblem> {
    Ok(serde_json::from_str(&stored.document).map_err(ODataError::internal)?)
}
