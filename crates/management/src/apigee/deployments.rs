//! Deployments of API proxies: what runs where (api-management §8.10).

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use axum::response::IntoResponse;
use pierhead_store::management::StoredProxy;
use serde_json::{Value, json};

use super::apis::stored;
use super::problem::ApigeeProblem;
use super::proxy_call::{ProxyCall, number};
use crate::odata::Service;

/// `…/apis/{name}/revisions/{number}/deployments`: POST deploys, DELETE undeploys, GET tells.
pub(super) async fn of_revision(
    call: &ProxyCall<'_>,
    environment: Option<&str>,
    name: &str,
    revision: &str,
) -> Result<Response<Body>, ApigeeProblem> {
    if let Some(environment) = environment {
        call.environment(environment)?;
    }
    let revision = number(revision)?;
    let proxy = stored(call, name).await?;
    match (&call.method, environment) {
        (&Method::GET, _) => {
            let state = if proxy.live_revision == Some(revision) { "deployed" } else { "undeployed" };
            Ok(axum::Json(deployment(call, name, revision, state)).into_response())
        }
        (&Method::POST, Some(_)) => deploy(call, &proxy, revision).await,
        (&Method::DELETE, Some(_)) => undeploy(call, &proxy, revision).await,
        (other, _) => Err(ApigeeProblem::Method(other.to_string())),
    }
}

/// Another revision that runs is replaced only when `override=true` says so; no request fails meanwhile.
async fn deploy(
    call: &ProxyCall<'_>,
    proxy: &StoredProxy,
    revision: i64,
) -> Result<Response<Body>, ApigeeProblem> {
    let name = proxy.name.as_str();
    if let Some(live) = proxy.live_revision.filter(|live| *live != revision)
        && call.query("override").as_deref() != Some("true")
    {
        return Err(ApigeeProblem::Bad(format!(
            "Revision {live} of API proxy {name} is deployed: deploy with override=true, or undeploy it first"
        )));
    }
    let portal = call.portal();
    let mut work = portal.begin().await?;
    portal.deploy_revision(&mut work, name, revision).await?;
    portal.commit(work).await?;
    Ok(axum::Json(deployment(call, name, revision, "deployed")).into_response())
}

async fn undeploy(
    call: &ProxyCall<'_>,
    proxy: &StoredProxy,
    revision: i64,
) -> Result<Response<Body>, ApigeeProblem> {
    let name = proxy.name.as_str();
    if proxy.live_revision != Some(revision) {
        return Err(ApigeeProblem::Bad(format!("Revision {revision} of API proxy {name} is not deployed")));
    }
    let portal = call.portal();
    let mut work = portal.begin().await?;
    portal.undeploy(&mut work, name).await?;
    portal.commit(work).await?;
    Ok(axum::Json(deployment(call, name, revision, "undeployed")).into_response())
}

fn deployment(call: &ProxyCall<'_>, name: &str, revision: i64, state: &str) -> Value {
    let snapshot = call.parts.snapshots.peek();
    json!({
        "aPIProxy": name, "name": revision.to_string(), "revision": revision.to_string(),
        "environment": snapshot.environment(), "organization": call.organization, "state": state,
        "configuration": {"basePath": "/"}, "server": [],
    })
}

/// `/apis/{name}/deployments`.
pub(super) async fn of_proxy(call: &ProxyCall<'_>, name: &str) -> Result<Response<Body>, ApigeeProblem> {
    reads(call)?;
    let proxy = stored(call, name).await?;
    let environments: Vec<Value> = running(&proxy)
        .map(|revision| json!({"name": call.parts.snapshots.peek().environment(), "revision": [revision]}))
        .collect();
    let body = json!({"name": name, "organization": call.organization, "environment": environments});
    Ok((StatusCode::OK, axum::Json(body)).into_response())
}

/// `/deployments` and `/environments/{env}/deployments`.
pub(super) async fn all(
    call: &ProxyCall<'_>,
    environment: Option<&str>,
) -> Result<Response<Body>, ApigeeProblem> {
    reads(call)?;
    if let Some(environment) = environment {
        call.environment(environment)?;
    }
    let proxies = call.parts.store.designs().proxies(call.parts.organization()).await?;
    let proxies: Vec<Value> = proxies
        .iter()
        .flat_map(|proxy| running(proxy).map(|revision| json!({"name": proxy.name, "revision": [revision]})))
        .collect();
    let here = json!({
        "name": call.parts.snapshots.peek().environment(), "organization": call.organization, "aPIProxy": proxies,
    });
    let body = match environment {
        Some(_) => here,
        None => json!({"organization": call.organization, "environment": [here]}),
    };
    Ok(axum::Json(body).into_response())
}

fn running(proxy: &StoredProxy) -> impl Iterator<Item = Value> {
    proxy.live_revision.into_iter().map(|number| json!({"name": number.to_string(), "state": "deployed"}))
}

fn reads(call: &ProxyCall<'_>) -> Result<(), ApigeeProblem> {
    if call.method == Method::GET { Ok(()) } else { Err(ApigeeProblem::Method(call.method.to_string())) }
}
