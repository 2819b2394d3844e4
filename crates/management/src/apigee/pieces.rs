//! `/apis/{n}/revisions/{r}/{policies,proxies,targets,resourcefiles}` and the same of `/sharedflows`, whose steps are
//! `sharedflows/default`: one piece of a revision at a time (api-management §8.10).
//!
//! A change lands in the revision itself, which must not be deployed, or with `newRevision=true` in a new one; the
//! answer's `Location` names the piece in the revision that holds the change.

mod change;
mod shape;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pierhead_bundle::Content;
use pierhead_gateway::design::{Destination, FileResource, PolicyText, ProxyDesign, TargetEndpoint};
use serde_json::{Value, json};

use self::change::Change;
pub(super) use self::change::upload;
use super::problem::ApigeeProblem;
use super::proxy_call::{ProxyCall, number};
use super::{apis, shared_flows};
use crate::odata::Service;
use crate::portal::{Landing, RevisionOf};

/// Whether a word names a kind of pieces.
pub(super) fn is_kind(of: RevisionOf, word: &str) -> bool {
    match word {
        "policies" | "resources" | "resourcefiles" => true,
        "proxies" | "targets" => of == RevisionOf::Proxy,
        "sharedflows" => of == RevisionOf::SharedFlow,
        _ => false,
    }
}

/// Answers what lies below a revision.
pub(super) async fn answer(
    call: &ProxyCall<'_>,
    of: RevisionOf,
    name: &str,
    revision: &str,
    piece: &str,
    below: &[&str],
) -> Result<Response<Body>, ApigeeProblem> {
    if call.method == Method::GET {
        let content = match of {
            RevisionOf::Proxy => Content::Proxy(Box::new(apis::kept(call, name, revision).await?.0)),
            RevisionOf::SharedFlow => {
                Content::SharedFlow(Box::new(shared_flows::kept(call, name, revision).await?.0))
            }
        };
        return read(call, &content, piece, below);
    }
    match of {
        RevisionOf::Proxy => drop(apis::stored(call, name).await?),
        RevisionOf::SharedFlow => drop(shared_flows::stored(call, name).await?),
    }
    let change = Change::read(call, piece, below).await?;
    let landing = match call.query("newRevision").as_deref() {
        None | Some("false") => Landing::InPlace,
        Some("true") => Landing::NewRevision,
        Some(_) => return Err(ApigeeProblem::bad("newRevision must be true or false")),
    };
    if let (RevisionOf::Proxy, Some(endpoint)) = (of, change.endpoint_that_goes()) {
        nobody_calls(call, name, endpoint).await?;
    }
    let portal = call.portal();
    let mut work = portal.begin().await?;
    let landed = portal
        .change_revision(&mut work, of, name, number(revision)?, landing, |content| change.make(content))
        .await?;
    let content = portal.content(&work, of, name, landed).await?;
    portal.commit(work).await?;
    tracing::info!(name, revision = landed, piece = change.path, "a revision was changed");
    let body = change.shown(&content).unwrap_or_else(|| json!({"name": change.name}));
    let status = if change.adds { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = (status, axum::Json(body)).into_response();
    let kind = if of == RevisionOf::Proxy { "apis" } else { "sharedflows" };
    let at =
        format!("/v1/organizations/{}/{kind}/{name}/revisions/{landed}/{}", call.organization, change.path);
    if let Ok(at) = HeaderValue::from_str(&at) {
        response.headers_mut().insert(header::LOCATION, at);
    }
    Ok(response)
}

/// Other proxies may send their requests to a proxy endpoint, with no network hop.
async fn nobody_calls(call: &ProxyCall<'_>, proxy: &str, endpoint: &str) -> Result<(), ApigeeProblem> {
    for stored in call.parts.store.designs().proxies(call.parts.organization()).await? {
        let design: ProxyDesign =
            serde_json::from_str(&stored.design).map_err(|why| ApigeeProblem::Internal(why.into()))?;
        let calls = |target: &&TargetEndpoint| {
            matches!(&target.destination, Destination::LocalProxy { proxy: to, endpoint: at }
                if to == proxy && at == endpoint)
        };
        if let Some(target) = design.target_endpoints.iter().find(calls) {
            return Err(ApigeeProblem::Bad(format!(
                "Proxy endpoint {endpoint} is in use: target endpoint {} of API proxy {} sends its requests to it",
                target.name, stored.name
            )));
        }
    }
    Ok(())
}

fn policies(content: &Content) -> &[PolicyText] {
    match content {
        Content::Proxy(design) => &design.policies,
        Content::SharedFlow(design) => &design.policies,
        Content::Template(template) => &template.policies,
    }
}

fn resources(content: &Content) -> &[FileResource] {
    match content {
        Content::Proxy(design) => &design.resources,
        Content::SharedFlow(design) => &design.resources,
        Content::Template(template) => &template.resources,
    }
}

fn read(
    call: &ProxyCall<'_>,
    content: &Content,
    piece: &str,
    below: &[&str],
) -> Result<Response<Body>, ApigeeProblem> {
    let value = match (piece, below) {
        ("policies", []) => policies(content).iter().map(|policy| policy.name.as_str()).collect(),
        ("policies", [name]) => {
            let policy = policies(content).iter().find(|policy| policy.name == *name);
            let policy = policy.ok_or_else(|| missing("Policy", name))?;
            if call.header(header::ACCEPT).contains("xml") {
                return Ok(document(policy.xml.clone().into_bytes(), "application/xml"));
            }
            policy_shown(policy)
        }
        ("resources", []) => {
            resources(content).iter().map(|file| format!("{}://{}", file.kind, file.name)).collect()
        }
        ("resourcefiles", []) => {
            let files: Vec<Value> = resources(content).iter().map(file_shown).collect();
            json!({"resourceFile": files})
        }
        ("resources" | "resourcefiles", [kind, name]) => {
            let file = resources(content).iter().find(|file| file.kind == *kind && file.name == *name);
            let file = file.ok_or_else(|| missing("Resource", &format!("{kind}://{name}")))?;
            let bytes = match file.binary {
                false => file.content.clone().into_bytes(),
                true => STANDARD.decode(&file.content).map_err(|why| ApigeeProblem::Internal(why.into()))?,
            };
            return Ok(document(bytes, "application/octet-stream"));
        }
        (_, []) => shape::names(content, piece),
        (_, [name]) => shape::shown(content, piece, name).ok_or_else(|| missing("Endpoint", name))?,
        _ => return Err(missing("Resource", &below.join("/"))),
    };
    Ok(axum::Json::<Value>(value).into_response())
}

/// Bytes that a browser saves and never shows.
pub(super) fn document(bytes: Vec<u8>, kind: &'static str) -> Response<Body> {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_DISPOSITION, "attachment"),
    ];
    (headers, bytes).into_response()
}

fn policy_shown(policy: &PolicyText) -> Value {
    json!({
        "name": policy.name, "displayName": policy.name, "policyType": policy.kind, "fixed": policy.fixed,
        "xml": policy.xml,
    })
}

fn file_shown(file: &FileResource) -> Value {
    json!({"name": file.name, "type": file.kind})
}

fn missing(kind: &str, name: &str) -> ApigeeProblem {
    ApigeeProblem::missing("messaging.config.beans.NotFound", kind, name)
}
