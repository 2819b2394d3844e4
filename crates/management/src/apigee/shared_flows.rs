//! `/sharedflows`: shared flows, their revisions and deployments (api-management §8.10).

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use axum::response::IntoResponse;
use pierhead_bundle::Content;
use pierhead_gateway::design::SharedFlowDesign;
use pierhead_gateway::dialect::Dialect;
use pierhead_store::management::StoredSharedFlow;
use serde_json::{Value, json};

use super::pieces;
use super::problem::ApigeeProblem;
use super::proxy_call::{ProxyCall, number};
use crate::odata::Service;
use crate::portal::RevisionOf;
use crate::transport::zip_answer;

/// Answers what lies below `/sharedflows`, but for deployments.
pub(super) async fn answer(call: &ProxyCall<'_>, below: &[&str]) -> Result<Response<Body>, ApigeeProblem> {
    let (status, value) = match (below, &call.method) {
        ([], &Method::GET) => (StatusCode::OK, names(call).await?),
        ([], &Method::POST) => (StatusCode::CREATED, import(call).await?),
        ([name], &Method::GET) => (StatusCode::OK, one(call, name).await?),
        ([name], &Method::DELETE) => {
            let answer = one(call, name).await?;
            let portal = call.portal();
            let mut work = portal.begin().await?;
            portal.delete_shared_flow(&mut work, name).await?;
            portal.commit(work).await?;
            (StatusCode::OK, answer)
        }
        ([name, "revisions"], &Method::GET) => (StatusCode::OK, json!(numbers(call, name).await?)),
        ([name, "revisions", revision, "report"], &Method::GET) => {
            let (design, _) = kept(call, name, revision).await?;
            let report = call.portal().examine(&Content::SharedFlow(Box::new(design))).await?;
            return Ok(axum::Json(report).into_response());
        }
        ([name, "revisions", number, piece, below @ ..], _)
            if pieces::is_kind(RevisionOf::SharedFlow, piece) =>
        {
            return pieces::answer(call, RevisionOf::SharedFlow, name, number, piece, below).await;
        }
        ([name, "revisions", revision], &Method::GET) => {
            let (design, revision) = kept(call, name, revision).await?;
            if call.query("format").as_deref() == Some("bundle") {
                let content = Content::SharedFlow(Box::new(design));
                let zip = call.portal().write_bundle(&content, Dialect::Apigee)?;
                return Ok(zip_answer(&format!("{name}_rev{revision}.zip"), zip));
            }
            (StatusCode::OK, shown(call, &design, revision, &stored(call, name).await?))
        }
        ([name, "revisions", revision], &Method::DELETE) => {
            let (design, revision) = kept(call, name, revision).await?;
            let portal = call.portal();
            let mut work = portal.begin().await?;
            portal.delete_shared_flow_revision(&mut work, name, revision).await?;
            portal.commit(work).await?;
            (StatusCode::OK, shown(call, &design, revision, &stored(call, name).await?))
        }
        ([] | [_] | [_, "revisions"] | [_, "revisions", _], other) => {
            return Err(ApigeeProblem::Method(other.to_string()));
        }
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

/// `…/sharedflows/{name}/revisions/{number}/deployments`. A deployed revision is replaced in place: every caller
/// runs the new one with its next request.
pub(super) async fn deployment(
    call: &ProxyCall<'_>,
    environment: &str,
    name: &str,
    revision: &str,
) -> Result<Response<Body>, ApigeeProblem> {
    call.environment(environment)?;
    let revision = number(revision)?;
    let flow = stored(call, name).await?;
    let state = match call.method {
        Method::GET if flow.live_revision == Some(revision) => "deployed",
        Method::GET => "undeployed",
        Method::POST => {
            let portal = call.portal();
            let mut work = portal.begin().await?;
            portal.deploy_shared_flow(&mut work, name, revision).await?;
            portal.commit(work).await?;
            "deployed"
        }
        Method::DELETE => {
            if flow.live_revision != Some(revision) {
                return Err(ApigeeProblem::Bad(format!(
                    "Revision {revision} of shared flow {name} is not deployed"
                )));
            }
            let portal = call.portal();
            let mut work = portal.begin().await?;
            portal.undeploy_shared_flow(&mut work, name).await?;
            portal.commit(work).await?;
            "undeployed"
        }
        ref other => return Err(ApigeeProblem::Method(other.to_string())),
    };
    Ok(axum::Json(json!({
        "aPIProxy": name, "name": revision.to_string(), "revision": revision.to_string(),
        "environment": environment, "organization": call.organization, "state": state, "server": [],
    }))
    .into_response())
}

/// `/sharedflows/{name}/deployments`.
pub(super) async fn deployments(call: &ProxyCall<'_>, name: &str) -> Result<Response<Body>, ApigeeProblem> {
    if call.method != Method::GET {
        return Err(ApigeeProblem::Method(call.method.to_string()));
    }
    let live = stored(call, name).await?.live_revision;
    let revision = live.map(|number| json!({"name": number.to_string(), "state": "deployed"}));
    let here = revision
        .map(|revision| json!({"name": call.parts.snapshots.peek().environment(), "revision": [revision]}));
    let environments: Vec<Value> = here.into_iter().collect();
    let body = json!({"name": name, "organization": call.organization, "environment": environments});
    Ok(axum::Json(body).into_response())
}

async fn names(call: &ProxyCall<'_>) -> Result<Value, ApigeeProblem> {
    let all = call.parts.store.designs().shared_flows(call.parts.organization()).await?;
    Ok(all.into_iter().map(|flow| flow.name).collect())
}

async fn import(call: &ProxyCall<'_>) -> Result<Value, ApigeeProblem> {
    if call.query("action").as_deref() != Some("import") {
        return Err(ApigeeProblem::bad("action must be import"));
    }
    let name = call.query("name").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| ApigeeProblem::bad("name must be given"))?;
    let portal = call.portal();
    let mut design = portal.read_shared_flow(&call.zip().await?, &name)?;
    design.name = name;
    portal.no_broken_policy(&Content::SharedFlow(Box::new(design.clone()))).await?;
    let mut work = portal.begin().await?;
    let number = portal.import_shared_flow(&mut work, &design).await?;
    portal.commit(work).await?;
    Ok(shown(call, &design, number, &stored(call, &design.name).await?))
}

async fn one(call: &ProxyCall<'_>, name: &str) -> Result<Value, ApigeeProblem> {
    let flow = stored(call, name).await?;
    let meta = super::stamped(serde_json::Map::new(), &flow.stamp);
    Ok(json!({"name": name, "revision": numbers(call, name).await?, "metaData": meta}))
}

async fn numbers(call: &ProxyCall<'_>, name: &str) -> Result<Vec<String>, ApigeeProblem> {
    stored(call, name).await?;
    let all = call.parts.store.designs().shared_flow_revisions(call.parts.organization(), name).await?;
    Ok(all.into_iter().map(|number| number.to_string()).collect())
}

/// A kept revision with its number.
pub(super) async fn kept(
    call: &ProxyCall<'_>,
    name: &str,
    revision: &str,
) -> Result<(SharedFlowDesign, i64), ApigeeProblem> {
    stored(call, name).await?;
    let revision = number(revision)?;
    let designs = call.parts.store.designs();
    let found = designs.shared_flow_revision(call.parts.organization(), name, revision).await?;
    let missing = || {
        let code = "messaging.config.beans.SharedFlowRevisionDoesNotExist";
        ApigeeProblem::missing(code, "Revision", &format!("{revision} of shared flow {name}"))
    };
    let design = serde_json::from_str(&found.ok_or_else(missing)?);
    Ok((design.map_err(|why| ApigeeProblem::Internal(why.into()))?, revision))
}

/// The row of a shared flow that must be there.
pub(super) async fn stored(call: &ProxyCall<'_>, name: &str) -> Result<StoredSharedFlow, ApigeeProblem> {
    let found = call.parts.store.designs().shared_flow(call.parts.organization(), name).await?;
    found.ok_or_else(|| {
        ApigeeProblem::missing("messaging.config.beans.SharedFlowDoesNotExist", "Shared flow", name)
    })
}

fn shown(call: &ProxyCall<'_>, design: &SharedFlowDesign, number: i64, stored: &StoredSharedFlow) -> Value {
    let fields = json!({
        "name": design.name, "revision": number.to_string(), "displayName": design.title,
        "description": design.description, "sharedFlows": ["default"],
        "contextInfo": format!("Revision {number} of shared flow {}, in organization {}", design.name, call.organization),
        "policies": design.policies.iter().map(|policy| &policy.name).collect::<Vec<_>>(),
        "resources": design.resources.iter().map(|file| format!("{}://{}", file.kind, file.name)).collect::<Vec<_>>(),
    });
    match fields {
        Value::Object(fields) => super::stamped(fields, &stored.stamp),
        other => other,
    }
}
