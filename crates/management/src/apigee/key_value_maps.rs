//! `/keyvaluemaps` of the organization, an environment or an API proxy, with their entries (api-management §8.10).
//! Values of encrypted maps go in and are shown as a mask.

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use axum::response::IntoResponse;
use pierhead_domain::SecretString;
use pierhead_store::management::{MapKey, StoredMap};
use serde_json::{Map, Value, json};

use super::problem::ApigeeProblem;
use super::proxy_call::ProxyCall;
use crate::odata::Service;
use crate::portal::Writes;

/// Whose maps.
pub(super) enum Scope {
    Organization,
    Environment,
    /// Of this API proxy, whatever its revision.
    Proxy(String),
}

type Answered = Result<Response<Body>, ApigeeProblem>;

/// Answers what lies below `/keyvaluemaps`.
pub(super) async fn answer(call: &ProxyCall<'_>, scope: &Scope, below: &[&str]) -> Answered {
    match (below, &call.method) {
        ([], &Method::GET) => {
            let all = call.parts.store.designs().maps(call.parts.organization()).await?;
            let (of, id) = scope.words();
            let own = all.into_iter().filter(|map| map.key.scope == of && map.key.scope_id == id);
            Ok(axum::Json(own.map(|map| map.key.name).collect::<Vec<_>>()).into_response())
        }
        ([], &Method::POST) => make(call, scope).await,
        ([name], method) => {
            let map = find(call, scope, name).await?;
            let portal = call.portal();
            match *method {
                Method::GET => {}
                Method::PUT | Method::POST => {
                    let body = call.json()?;
                    if flag(&body)?.is_some_and(|said| said != map.encrypted) {
                        return Err(ApigeeProblem::bad("encrypted cannot be changed"));
                    }
                    let mut work = portal.begin().await?;
                    portal.put_values(&mut work, &map.key, &entries(&body)?, Writes::Any).await?;
                    portal.commit(work).await?;
                }
                Method::DELETE => {
                    let gone = shown(call, &map).await?;
                    let mut work = portal.begin().await?;
                    portal.remove_map(&mut work, &map.key).await?;
                    portal.commit(work).await?;
                    return Ok(axum::Json(gone).into_response());
                }
                ref other => return Err(ApigeeProblem::Method(other.to_string())),
            }
            Ok(axum::Json(shown(call, &map).await?).into_response())
        }
        ([name, "keys"], &Method::GET) => {
            let map = find(call, scope, name).await?;
            let names = call.portal().values(&map).await?.into_iter().map(|(name, _)| name);
            Ok(axum::Json(names.collect::<Vec<_>>()).into_response())
        }
        ([name, "entries"], &Method::GET) => {
            let map = find(call, scope, name).await?;
            let all = call.portal().values(&map).await?;
            let all: Vec<Value> = all.iter().map(|(name, value)| entry_shown(name, value)).collect();
            Ok(axum::Json(json!({"keyValueEntries": all, "nextPageToken": ""})).into_response())
        }
        ([name, "entries"], &Method::POST) => {
            let map = find(call, scope, name).await?;
            let entry = entry(&Value::Object(call.json()?), None)?;
            write(call, &map, entry, Writes::New).await
        }
        ([name, "entries", key], method) => {
            let map = find(call, scope, name).await?;
            match *method {
                Method::GET => {}
                Method::PUT | Method::POST => {
                    let entry = entry(&Value::Object(call.json()?), Some(key))?;
                    return write(call, &map, entry, Writes::Known).await;
                }
                Method::DELETE => {
                    let gone = one(call, &map, key).await?;
                    let portal = call.portal();
                    let mut work = portal.begin().await?;
                    portal.remove_value(&mut work, &map.key, key).await?;
                    portal.commit(work).await?;
                    return Ok(axum::Json(gone).into_response());
                }
                ref other => return Err(ApigeeProblem::Method(other.to_string())),
            }
            Ok(axum::Json(one(call, &map, key).await?).into_response())
        }
        ([] | [_, "keys" | "entries"], other) => Err(ApigeeProblem::Method(other.to_string())),
        _ => Err(ApigeeProblem::missing("messaging.config.beans.NotFound", "Resource", &below.join("/"))),
    }
}

impl Scope {
    /// Scope and scope id of its maps.
    fn words(&self) -> (&'static str, &str) {
        match self {
            Self::Organization => ("ORG", ""),
            Self::Environment => ("ENV", ""),
            Self::Proxy(name) => ("APIPROXY", name),
        }
    }

    fn map(&self, name: &str) -> MapKey {
        let (scope, scope_id) = self.words();
        MapKey { scope: scope.into(), scope_id: scope_id.into(), name: name.into() }
    }
}

async fn make(call: &ProxyCall<'_>, scope: &Scope) -> Answered {
    let body = call.json()?;
    let name =
        body.get("name").and_then(Value::as_str).ok_or_else(|| ApigeeProblem::bad("name must be given"))?;
    let (key, encrypted) = (scope.map(name), flag(&body)?.unwrap_or(false));
    let portal = call.portal();
    let mut work = portal.begin().await?;
    portal.make_map(&mut work, &key, encrypted, &entries(&body)?).await?;
    portal.commit(work).await?;
    let map = find(call, scope, name).await?;
    Ok((StatusCode::CREATED, axum::Json(shown(call, &map).await?)).into_response())
}

async fn write(
    call: &ProxyCall<'_>,
    map: &StoredMap,
    entry: (String, SecretString),
    writes: Writes,
) -> Answered {
    let portal = call.portal();
    let mut work = portal.begin().await?;
    portal.put_values(&mut work, &map.key, std::slice::from_ref(&entry), writes).await?;
    portal.commit(work).await?;
    let status = if writes == Writes::New { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, axum::Json(one(call, map, &entry.0).await?)).into_response())
}

async fn find(call: &ProxyCall<'_>, scope: &Scope, name: &str) -> Result<StoredMap, ApigeeProblem> {
    let found = call.parts.store.designs().map(call.parts.organization(), &scope.map(name)).await?;
    found.ok_or_else(|| {
        ApigeeProblem::missing("messaging.config.beans.KeyValueMapDoesNotExist", "Key value map", name)
    })
}

async fn one(call: &ProxyCall<'_>, map: &StoredMap, key: &str) -> Result<Value, ApigeeProblem> {
    let all = call.portal().values(map).await?;
    all.iter().find(|(name, _)| name == key).map(|(name, value)| entry_shown(name, value)).ok_or_else(|| {
        ApigeeProblem::missing(
            "messaging.config.beans.KeyValueMapEntryDoesNotExist",
            "Key value map entry",
            key,
        )
    })
}

async fn shown(call: &ProxyCall<'_>, map: &StoredMap) -> Result<Value, ApigeeProblem> {
    let all = call.portal().values(map).await?;
    let entries: Vec<Value> = all.iter().map(|(name, value)| entry_shown(name, value)).collect();
    Ok(json!({"name": map.key.name, "encrypted": map.encrypted, "entry": entries}))
}

fn entry_shown(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

/// `encrypted` of the body.
fn flag(body: &Map<String, Value>) -> Result<Option<bool>, ApigeeProblem> {
    match body.get("encrypted") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(Value::String(text)) if text == "true" || text == "false" => Ok(Some(text == "true")),
        Some(_) => Err(ApigeeProblem::bad("encrypted must be true or false")),
    }
}

/// `entry` of the body.
fn entries(body: &Map<String, Value>) -> Result<Vec<(String, SecretString)>, ApigeeProblem> {
    match body.get("entry") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(all)) => all.iter().map(|one| entry(one, None)).collect(),
        Some(_) => Err(ApigeeProblem::bad("entry must be a list of {\"name\", \"value\"} pairs")),
    }
}

/// One entry; `known` is its name where the path has it.
fn entry(value: &Value, known: Option<&str>) -> Result<(String, SecretString), ApigeeProblem> {
    let name = match (value["name"].as_str(), known) {
        (Some(said), Some(known)) if said != known => {
            return Err(ApigeeProblem::bad("name cannot be changed"));
        }
        (said, known) => {
            said.or(known).ok_or_else(|| ApigeeProblem::bad("name of an entry must be given"))?
        }
    };
    let text = value["value"].as_str();
    let text = text.ok_or_else(|| ApigeeProblem::Bad(format!("value of entry '{name}' must be a text")))?;
    Ok((name.to_owned(), text.into()))
}
