//! `/maskconfigs` and `/apis/{name}/maskconfigs`: what debug sessions do not show (api-management §8.10).

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use axum::response::IntoResponse;
use pierhead_gateway::trace::{Masks, PathLists};
use pierhead_store::management::ItemKind;
use serde_json::{Map, Value};

use super::apis::stored;
use super::problem::ApigeeProblem;
use super::proxy_call::ProxyCall;
use crate::names::check_name;
use crate::odata::Service;

/// Lists of a mask, with what they are lists of.
const LISTS: &[&str] = &[
    "variables",
    "jSONPathsRequest",
    "jSONPathsResponse",
    "jSONPathsFault",
    "xPathsRequest",
    "xPathsResponse",
    "xPathsFault",
];

/// The most entries of one list.
const MOST: usize = 200;

/// Answers what lies below `/maskconfigs` of the organization, or of a proxy.
pub(super) async fn answer(
    call: &ProxyCall<'_>,
    proxy: Option<&str>,
    below: &[&str],
) -> Result<Response<Body>, ApigeeProblem> {
    if let Some(proxy) = proxy {
        stored(call, proxy).await?;
    }
    let (status, value) = match (below, &call.method) {
        ([], &Method::GET) => (StatusCode::OK, names(call, proxy).await?),
        // The same call makes one and replaces it, as in the original.
        ([], &Method::POST) => (StatusCode::CREATED, put(call, proxy, None).await?),
        ([name], &Method::GET) => (StatusCode::OK, one(call, proxy, name).await?),
        ([name], &Method::POST | &Method::PUT) => (StatusCode::OK, put(call, proxy, Some(name)).await?),
        ([name], &Method::DELETE) => {
            let gone = one(call, proxy, name).await?;
            write(call, &key(proxy, name), None).await?;
            (StatusCode::OK, gone)
        }
        ([] | [_], other) => return Err(ApigeeProblem::Method(other.to_string())),
        _ => {
            let path = below.join("/");
            return Err(ApigeeProblem::missing("messaging.config.beans.NotFound", "Resource", &path));
        }
    };
    Ok((status, axum::Json(value)).into_response())
}

/// Where one lies: neither name may hold a slash.
fn key(proxy: Option<&str>, name: &str) -> String {
    format!("{}/{name}", proxy.unwrap_or_default())
}

async fn names(call: &ProxyCall<'_>, proxy: Option<&str>) -> Result<Value, ApigeeProblem> {
    let all = call.parts.store.designs().items(call.parts.organization(), ItemKind::MaskConfig).await?;
    let prefix = key(proxy, "");
    Ok(all.iter().filter_map(|item| item.name.strip_prefix(&prefix)).map(Value::from).collect())
}

async fn one(call: &ProxyCall<'_>, proxy: Option<&str>, name: &str) -> Result<Value, ApigeeProblem> {
    let designs = call.parts.store.designs();
    let found = designs.item(call.parts.organization(), ItemKind::MaskConfig, &key(proxy, name)).await?;
    let missing =
        || ApigeeProblem::missing("messaging.config.beans.MaskConfigDoesNotExist", "Mask config", name);
    serde_json::from_str(&found.ok_or_else(missing)?.document)
        .map_err(|why| ApigeeProblem::Internal(why.into()))
}

async fn put(call: &ProxyCall<'_>, proxy: Option<&str>, name: Option<&str>) -> Result<Value, ApigeeProblem> {
    let mut body = call.json()?;
    let said = body.get("name").and_then(Value::as_str);
    let name = match (name, said) {
        (Some(name), Some(said)) if name != said => {
            return Err(ApigeeProblem::bad("name cannot be changed"));
        }
        (Some(name), _) => name,
        (None, said) => said.unwrap_or("default"),
    }
    .to_owned();
    check_name("name", &name, 255)?;
    body.insert("name".into(), name.clone().into());
    let mut masks = Masks::default();
    add(&mut masks, &body)?;
    masks.paths().map_err(|bad| ApigeeProblem::Bad(bad.to_string()))?;
    let document = Value::Object(body);
    write(call, &key(proxy, &name), Some(document.to_string())).await?;
    Ok(document)
}

async fn write(call: &ProxyCall<'_>, key: &str, document: Option<String>) -> Result<(), ApigeeProblem> {
    let portal = call.portal();
    let mut work = portal.begin().await?;
    portal.put_item(&mut work, ItemKind::MaskConfig, key, document).await?;
    Ok(portal.commit(work).await?)
}

/// What a session of this proxy does not show: credentials, and what the organization's and the proxy's configs
/// name.
pub(super) async fn masks_of(call: &ProxyCall<'_>, proxy: &str) -> Result<Masks, ApigeeProblem> {
    let mut masks = Masks::default();
    let all = call.parts.store.designs().items(call.parts.organization(), ItemKind::MaskConfig).await?;
    for item in all {
        let of = item.name.split('/').next().unwrap_or_default();
        if of.is_empty() || of == proxy {
            let document: Map<String, Value> =
                serde_json::from_str(&item.document).map_err(|why| ApigeeProblem::Internal(why.into()))?;
            add(&mut masks, &document)?;
        }
    }
    Ok(masks)
}

/// Adds what a config names; the error names its field.
fn add(masks: &mut Masks, config: &Map<String, Value>) -> Result<(), ApigeeProblem> {
    let known = |field: &str| LISTS.contains(&field) || matches!(field, "name" | "namespaces");
    if let Some(unknown) = config.keys().find(|field| !known(field)) {
        return Err(ApigeeProblem::Bad(format!("{unknown} is no field of a mask config")));
    }
    for variable in texts(config, "variables")? {
        masks.hide_variable(&variable);
    }
    let mut paths = |side: &str, lists: fn(&mut Masks) -> &mut PathLists| {
        let json = texts(config, &format!("jSONPaths{side}"))?;
        let xml = texts(config, &format!("xPaths{side}"))?;
        lists(masks).json.extend(json);
        lists(masks).xml.extend(xml);
        Ok::<_, ApigeeProblem>(())
    };
    paths("Request", |masks| &mut masks.request)?;
    paths("Response", |masks| &mut masks.response)?;
    paths("Fault", |masks| &mut masks.fault)?;
    let rule = || ApigeeProblem::bad("namespaces must be a list of {\"prefix\", \"value\"} pairs");
    match config.get("namespaces") {
        None | Some(Value::Null) => {}
        Some(Value::Array(pairs)) if pairs.len() <= MOST => {
            for pair in pairs {
                let (prefix, value) = pair["prefix"].as_str().zip(pair["value"].as_str()).ok_or_else(rule)?;
                masks.namespaces.push((prefix.to_owned(), value.to_owned()));
            }
        }
        Some(_) => return Err(rule()),
    }
    Ok(())
}

fn texts(config: &Map<String, Value>, field: &str) -> Result<Vec<String>, ApigeeProblem> {
    let rule = || ApigeeProblem::Bad(format!("{field} must be a list of at most {MOST} texts"));
    match config.get(field) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) if items.len() <= MOST => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(rule)).collect()
        }
        Some(_) => Err(rule()),
    }
}
