//! `/apis`: API proxies, their revisions, and bundles in and out (api-management §8.10).

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use axum::response::IntoResponse;
use pierhead_bundle::Content;
use pierhead_gateway::design::ProxyDesign;
use pierhead_gateway::dialect::Dialect;
use pierhead_store::management::{Stamp, StoredProxy};
use serde_json::{Value, json};

use super::pieces;
use super::problem::ApigeeProblem;
use super::proxy_call::ProxyCall;
use crate::odata::Service;
use crate::portal::RevisionOf;
use crate::transport::zip_answer;

/// Answers what lies below `/apis`, but for deployments.
pub(super) async fn answer(call: &ProxyCall<'_>, below: &[&str]) -> Result<Response<Body>, ApigeeProblem> {
    let (status, value) = match (below, &call.method) {
        ([], &Method::GET) => (StatusCode::OK, names(call).await?),
        ([], &Method::POST) => (StatusCode::CREATED, import(call).await?),
        ([name], &Method::GET) => (StatusCode::OK, one(call, name).await?),
        ([name], &Method::DELETE) => (StatusCode::OK, remove(call, name).await?),
        ([name, "revisions"], &Method::GET) => (StatusCode::OK, json!(numbers(call, name).await?)),
        ([name, "revisions", number], &Method::GET) if call.query("format").as_deref() == Some("bundle") => {
            return bundle(call, name, number).await;
        }
        ([name, "revisions", number, "report"], &Method::GET) => {
            let (design, _) = kept(call, name, number).await?;
            let report = call.portal().examine(&Content::Proxy(Box::new(design))).await?;
            return Ok(axum::Json(report).into_response());
        }
        ([name, "revisions", number, piece, below @ ..], _) if pieces::is_kind(RevisionOf::Proxy, piece) => {
            return pieces::answer(call, RevisionOf::Proxy, name, number, piece, below).await;
        }
        ([name, "revisions", number], &Method::GET) => (StatusCode::OK, revision(call, name, number).await?),
        ([name, "revisions", number], &Method::DELETE) => {
            (StatusCode::OK, remove_revision(call, name, number).await?)
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

async fn names(call: &ProxyCall<'_>) -> Result<Value, ApigeeProblem> {
    let all = call.parts.store.designs().proxies(call.parts.organization()).await?;
    Ok(all.into_iter().map(|proxy| proxy.name).collect())
}

/// `POST /apis?action=import&name=…`: a zip, as it is or as the `file` of a form; each import is a revision.
/// `action=validate` only says what would be wrong with it.
async fn import(call: &ProxyCall<'_>) -> Result<Value, ApigeeProblem> {
    let action = call.query("action").unwrap_or_default();
    if !matches!(action.as_str(), "import" | "validate") {
        return Err(ApigeeProblem::bad("action must be import or validate"));
    }
    let name = call.query("name").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| ApigeeProblem::bad("name must be given"))?;
    let portal = call.portal();
    let mut design = portal.read_proxy(&call.zip().await?, &name)?;
    design.name = name;
    portal.no_broken_policy(&Content::Proxy(Box::new(design.clone()))).await?;
    let mut work = portal.begin().await?;
    let imported = portal.import_proxy(&mut work, design).await?;
    let design = portal.revision(&work, &imported.name, imported.revision).await?;
    let stored = work.proxy(call.parts, &imported.name).await?;
    let shown = shown(call, &design, imported.revision, stored.as_ref().map(|stored| &stored.stamp));
    if action == "import" {
        portal.commit(work).await?;
        tracing::info!(proxy = %imported.name, revision = imported.revision, is_new = imported.is_new, "a bundle was imported");
    }
    Ok(shown)
}

async fn one(call: &ProxyCall<'_>, name: &str) -> Result<Value, ApigeeProblem> {
    let stored = stored(call, name).await?;
    let revisions = numbers(call, name).await?;
    let mut meta = serde_json::Map::new();
    meta.insert("subType".into(), "null".into());
    let meta = super::stamped(meta, &stored.stamp);
    Ok(json!({"name": name, "revision": revisions, "metaData": meta}))
}

async fn remove(call: &ProxyCall<'_>, name: &str) -> Result<Value, ApigeeProblem> {
    let proxy = stored(call, name).await?;
    if let Some(live) = proxy.live_revision {
        return Err(ApigeeProblem::Bad(format!(
            "Revision {live} of API proxy {name} is deployed: undeploy it first"
        )));
    }
    let answer = one(call, name).await?;
    let portal = call.portal();
    let mut work = portal.begin().await?;
    portal.delete_proxy(&mut work, name).await?;
    portal.commit(work).await?;
    Ok(answer)
}

async fn revision(call: &ProxyCall<'_>, name: &str, number: &str) -> Result<Value, ApigeeProblem> {
    let (design, number) = kept(call, name, number).await?;
    Ok(shown(call, &design, number, Some(&stored(call, name).await?.stamp)))
}

async fn remove_revision(call: &ProxyCall<'_>, name: &str, number: &str) -> Result<Value, ApigeeProblem> {
    let answer = revision(call, name, number).await?;
    let portal = call.portal();
    let mut work = portal.begin().await?;
    portal.remove_revision(&mut work, name, super::proxy_call::number(number)?).await?;
    portal.commit(work).await?;
    Ok(answer)
}

/// `?format=bundle`: the zip, in Apigee's layout; `dialect=sap` asks for SAP's.
async fn bundle(call: &ProxyCall<'_>, name: &str, number: &str) -> Result<Response<Body>, ApigeeProblem> {
    let dialect = match call.query("dialect").as_deref() {
        None | Some("apigee") => Dialect::Apigee,
        Some("sap") => Dialect::Sap,
        Some(_) => return Err(ApigeeProblem::bad("dialect must be sap or apigee")),
    };
    let (design, number) = kept(call, name, number).await?;
    let zip = call.portal().write_proxy(&design, dialect)?;
    Ok(zip_answer(&format!("{name}_rev{number}.zip"), zip))
}

/// Numbers of the kept revisions and of the one that is being edited, as texts.
async fn numbers(call: &ProxyCall<'_>, name: &str) -> Result<Vec<String>, ApigeeProblem> {
    let edited = stored(call, name).await?.revision;
    let mut all = call.parts.store.designs().revisions(call.parts.organization(), name).await?;
    all.extend(Some(edited).filter(|edited| !all.contains(edited)));
    Ok(all.into_iter().map(|number| number.to_string()).collect())
}

/// A kept revision, or the one that is being edited, with its number.
pub(super) async fn kept(
    call: &ProxyCall<'_>,
    name: &str,
    number: &str,
) -> Result<(ProxyDesign, i64), ApigeeProblem> {
    let row = stored(call, name).await?;
    let number = super::proxy_call::number(number)?;
    let text = if row.revision == number {
        row.design
    } else {
        let found = call.parts.store.designs().revision(call.parts.organization(), name, number).await?;
        found.ok_or_else(|| no_revision(name, number))?.design
    };
    let design = serde_json::from_str(&text).map_err(|why| ApigeeProblem::Internal(why.into()))?;
    Ok((design, number))
}

/// The row of a proxy that must be there.
pub(super) async fn stored(call: &ProxyCall<'_>, name: &str) -> Result<StoredProxy, ApigeeProblem> {
    let found = call.parts.store.designs().proxy(call.parts.organization(), name).await?;
    let missing =
        || ApigeeProblem::missing("messaging.config.beans.ApplicationDoesNotExist", "APIProxy named", name);
    found.ok_or_else(missing)
}

pub(super) fn no_revision(name: &str, number: i64) -> ApigeeProblem {
    let what = format!("{number} of APIProxy {name}");
    ApigeeProblem::missing("messaging.config.beans.ApplicationRevisionDoesNotExist", "Revision", &what)
}

/// A revision as the original shows it.
fn shown(call: &ProxyCall<'_>, design: &ProxyDesign, number: i64, stamp: Option<&Stamp>) -> Value {
    let list = |names: &mut dyn Iterator<Item = String>| names.collect::<Vec<_>>();
    let proxies = list(&mut design.proxy_endpoints.iter().map(|endpoint| endpoint.name.clone()));
    let targets = list(&mut design.target_endpoints.iter().map(|endpoint| endpoint.name.clone()));
    let resources = list(&mut design.resources.iter().map(|file| format!("{}://{}", file.kind, file.name)));
    let fields = json!({
        "name": design.name,
        "revision": number.to_string(),
        "displayName": design.title,
        "description": design.description,
        "type": "Application",
        "contextInfo": format!("Revision {number} of application {}, in organization {}", design.name, call.organization),
        "configurationVersion": {"majorVersion": 4, "minorVersion": 0},
        "basepaths": list(&mut design.proxy_endpoints.iter().map(|endpoint| endpoint.base_path.clone())),
        "policies": list(&mut design.policies.iter().map(|policy| policy.name.clone())),
        "resourceFiles": {"resourceFile": design.resources.iter()
            .map(|file| json!({"name": file.name, "type": file.kind})).collect::<Vec<_>>()},
        "proxyEndpoints": proxies, "proxies": proxies,
        "targetEndpoints": targets, "targets": targets,
        "resources": resources,
    });
    match (fields, stamp) {
        (Value::Object(fields), Some(stamp)) => super::stamped(fields, stamp),
        (fields, _) => fields,
    }
}
