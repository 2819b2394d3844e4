//! `/environments/{env}/resourcefiles` and `/resourcefiles`: files of the environment and of the organization that
//! policies name (api-management §8.10). Those of a revision are among its pieces.

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use pierhead_store::management::{ResourceKey, StoredResource};
use serde_json::{Value, json};

use super::pieces::{document, upload};
use super::problem::ApigeeProblem;
use super::proxy_call::ProxyCall;
use crate::odata::Service;

/// What a file may be.
const TYPES: &[&str] = &["jsc", "js", "py", "xsl", "xsd", "wsdl", "oas", "properties", "java", "graphql"];

type Answered = Result<Response<Body>, ApigeeProblem>;

/// Answers what lies below `/resourcefiles` of a scope (`ENV` or `ORG`).
pub(super) async fn answer(call: &ProxyCall<'_>, scope: &'static str, below: &[&str]) -> Answered {
    match (below, &call.method) {
        ([], &Method::GET) => list(call, scope, call.query("type").as_deref()).await,
        ([kind], &Method::GET) => list(call, scope, Some(kind)).await,
        ([], &Method::POST) => {
            let (kind, name, content) = upload(call, below).await?;
            let key = key(scope, &kind, &name)?;
            if find(call, &key).await?.is_some() {
                let code = "messaging.config.beans.ResourceFileAlreadyExists";
                let text = format!("Resource file {kind}://{name} exists already");
                return Err(ApigeeProblem::conflict(code, text));
            }
            write(call, &key, Some(content)).await?;
            Ok((StatusCode::CREATED, axum::Json(shown(&key))).into_response())
        }
        ([kind, name], method) => {
            let key = key(scope, kind, name)?;
            let missing = || {
                let file = format!("{kind}://{name}");
                ApigeeProblem::missing(
                    "messaging.config.beans.ResourceFileDoesNotExist",
                    "Resource file",
                    &file,
                )
            };
            let stored = find(call, &key).await?.ok_or_else(missing)?;
            match *method {
                Method::GET => return Ok(document(stored.content, "application/octet-stream")),
                Method::PUT | Method::POST => {
                    let (_, _, content) = upload(call, below).await?;
                    write(call, &key, Some(content)).await?;
                }
                Method::DELETE => write(call, &key, None).await?,
                ref other => return Err(ApigeeProblem::Method(other.to_string())),
            }
            Ok(axum::Json(shown(&key)).into_response())
        }
        ([] | [_], other) => Err(ApigeeProblem::Method(other.to_string())),
        _ => Err(ApigeeProblem::missing("messaging.config.beans.NotFound", "Resource", &below.join("/"))),
    }
}

async fn list(call: &ProxyCall<'_>, scope: &str, kind: Option<&str>) -> Answered {
    let all = call.parts.store.designs().resources(call.parts.organization()).await?;
    let listed = all
        .iter()
        .filter(|file| file.key.scope == scope && kind.is_none_or(|kind| file.key.kind == kind))
        .map(|file| shown(&file.key));
    let listed: Vec<Value> = listed.collect();
    Ok(axum::Json(json!({"resourceFile": listed})).into_response())
}

async fn find(call: &ProxyCall<'_>, key: &ResourceKey) -> Result<Option<StoredResource>, ApigeeProblem> {
    Ok(call.parts.store.designs().resource(call.parts.organization(), key).await?)
}

async fn write(call: &ProxyCall<'_>, key: &ResourceKey, content: Option<Bytes>) -> Result<(), ApigeeProblem> {
    let portal = call.portal();
    let mut work = portal.begin().await?;
    portal.put_resource(&mut work, key, content).await?;
    Ok(portal.commit(work).await?)
}

fn key(scope: &str, kind: &str, name: &str) -> Result<ResourceKey, ApigeeProblem> {
    if !TYPES.contains(&kind) {
        return Err(ApigeeProblem::bad(format!("type must be one of {}", TYPES.join(", "))));
    }
    Ok(ResourceKey { scope: scope.into(), kind: kind.into(), name: name.into() })
}

fn shown(key: &ResourceKey) -> Value {
    json!({"name": key.name, "type": key.kind})
}
