//! `/environments/{env}/keystores` and `/references` (api-management §8.10). A private key goes in and never out.

use axum::body::Body;
use axum::http::{Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use pierhead_store::management::{ItemKind, StoredItem};
use pierhead_vault::Certificate;
use serde_json::{Value, json};

use super::problem::ApigeeProblem;
use super::proxy_call::ProxyCall;
use crate::key_stores::{AliasDocument, ReferenceDocument, StoreDocument, Upload};
use crate::names::check_name;
use crate::odata::{ODataError, Service};

type Answered = Result<Response<Body>, ApigeeProblem>;

/// Answers what lies below `/keystores`.
pub(super) async fn key_stores(call: &ProxyCall<'_>, below: &[&str]) -> Answered {
    match (below, &call.method) {
        ([], &Method::GET) => names(call, ItemKind::KeyStore).await,
        ([], &Method::POST) => {
            let body = call.json()?;
            let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
            check_name("name", name, 255)?;
            if find(call, ItemKind::KeyStore, name).await?.is_some() {
                let code = "messaging.config.beans.KeyStoreAlreadyExists";
                return Err(ApigeeProblem::conflict(code, format!("Key store {name} exists already")));
            }
            let document = StoreDocument::default();
            write(call, name, Some(&document)).await?;
            Ok((StatusCode::CREATED, axum::Json(shown(name, &document))).into_response())
        }
        ([name], &Method::GET) => Ok(axum::Json(shown(name, &store(call, name).await?)).into_response()),
        ([name], &Method::DELETE) => {
            let document = store(call, name).await?;
            write(call, name, None).await?;
            Ok(axum::Json(shown(name, &document)).into_response())
        }
        ([name, "aliases"], &Method::GET) => {
            let names: Vec<_> =
                store(call, name).await?.aliases.into_iter().map(|entry| entry.alias).collect();
            Ok(axum::Json(names).into_response())
        }
        ([name, "aliases"], &Method::POST) => {
            let alias = match call.query("alias") {
                Some(alias) => alias,
                None => call.json()?.get("alias").and_then(Value::as_str).unwrap_or_default().to_owned(),
            };
            put_alias(call, name, &alias, false).await
        }
        ([name, "aliases", alias], &Method::PUT) => put_alias(call, name, alias, true).await,
        ([name, "aliases", alias], &Method::GET) => {
            let document = store(call, name).await?;
            Ok(axum::Json(alias_shown(find_alias(&document, alias)?)).into_response())
        }
        ([name, "aliases", alias, "certificate"], &Method::GET) => {
            let document = store(call, name).await?;
            let pem = find_alias(&document, alias)?.pem();
            Ok(([(header::CONTENT_TYPE, "application/x-pem-file")], pem).into_response())
        }
        ([name, "aliases", alias], &Method::DELETE) => {
            let mut document = store(call, name).await?;
            let gone = alias_shown(find_alias(&document, alias)?);
            document.aliases.retain(|entry| entry.alias != *alias);
            write(call, name, Some(&document)).await?;
            Ok(axum::Json(gone).into_response())
        }
        ([] | [_] | [_, "aliases"] | [_, "aliases", _] | [_, "aliases", _, "certificate"], other) => {
            Err(ApigeeProblem::Method(other.to_string()))
        }
        _ => Err(ApigeeProblem::missing("messaging.config.beans.NotFound", "Resource", &below.join("/"))),
    }
}

/// Answers what lies below `/references`.
pub(super) async fn references(call: &ProxyCall<'_>, below: &[&str]) -> Answered {
    let missing = |name: &str| {
        ApigeeProblem::missing("messaging.config.beans.ReferenceDoesNotExist", "Reference", name)
    };
    match (below, &call.method) {
        ([], &Method::GET) => names(call, ItemKind::Reference).await,
        ([], &Method::POST) => {
            let (name, document) = read_reference(call, None).await?;
            if find(call, ItemKind::Reference, &name).await?.is_some() {
                let code = "messaging.config.beans.ReferenceAlreadyExists";
                return Err(ApigeeProblem::conflict(code, format!("Reference {name} exists already")));
            }
            let made = save_reference(call, &name, &document).await?;
            Ok((StatusCode::CREATED, axum::Json(made)).into_response())
        }
        ([name], method) => {
            let stored = find(call, ItemKind::Reference, name).await?.ok_or_else(|| missing(name))?;
            let old: ReferenceDocument =
                serde_json::from_str(&stored.document).map_err(ODataError::internal)?;
            match *method {
                Method::GET => Ok(axum::Json(reference_shown(name, &old)).into_response()),
                Method::PUT | Method::POST => {
                    let (name, document) = read_reference(call, Some((name, &old))).await?;
                    Ok(axum::Json(save_reference(call, &name, &document).await?).into_response())
                }
                Method::DELETE => {
                    let portal = call.portal();
                    let mut work = portal.begin().await?;
                    portal.put_item(&mut work, ItemKind::Reference, name, None).await?;
                    portal.commit(work).await?;
                    Ok(axum::Json(reference_shown(name, &old)).into_response())
                }
                ref other => Err(ApigeeProblem::Method(other.to_string())),
            }
        }
        ([], other) => Err(ApigeeProblem::Method(other.to_string())),
        _ => Err(missing(&below.join("/"))),
    }
}

async fn names(call: &ProxyCall<'_>, kind: ItemKind) -> Answered {
    let all = call.parts.store.designs().items(call.parts.organization(), kind).await?;
    let names: Vec<_> = all.into_iter().map(|item| item.name).collect();
    Ok(axum::Json(names).into_response())
}

async fn find(call: &ProxyCall<'_>, kind: ItemKind, name: &str) -> Result<Option<StoredItem>, ApigeeProblem> {
    Ok(call.parts.store.designs().item(call.parts.organization(), kind, name).await?)
}

async fn store(call: &ProxyCall<'_>, name: &str) -> Result<StoreDocument, ApigeeProblem> {
    let missing = || ApigeeProblem::missing("messaging.config.beans.KeyStoreDoesNotExist", "Key store", name);
    let stored = find(call, ItemKind::KeyStore, name).await?.ok_or_else(missing)?;
    Ok(StoreDocument::read(&stored)?)
}

fn find_alias<'d>(document: &'d StoreDocument, alias: &str) -> Result<&'d AliasDocument, ApigeeProblem> {
    document
        .alias(alias)
        .ok_or_else(|| ApigeeProblem::missing("messaging.config.beans.AliasDoesNotExist", "Alias", alias))
}

async fn write(
    call: &ProxyCall<'_>,
    name: &str,
    document: Option<&StoreDocument>,
) -> Result<(), ApigeeProblem> {
    let text = document.map(serde_json::to_string).transpose().map_err(ODataError::internal)?;
    let portal = call.portal();
    let mut work = portal.begin().await?;
    portal.put_item(&mut work, ItemKind::KeyStore, name, text).await?;
    portal.commit(work).await?;
    Ok(())
}

/// Takes `certFile` and `keyFile` of a form, or `cert` and `key` (PEM) of a JSON object.
async fn put_alias(call: &ProxyCall<'_>, name: &str, alias: &str, replaces: bool) -> Answered {
    check_name("alias", alias, 255)?;
    let mut document = store(call, name).await?;
    let at = document.aliases.iter().position(|entry| entry.alias == alias);
    match (at, replaces) {
        (Some(_), false) => {
            let code = "messaging.config.beans.AliasAlreadyExists";
            return Err(ApigeeProblem::conflict(code, format!("Alias {alias} exists already in {name}")));
        }
        (None, true) => return find_alias(&document, alias).map(|_| ().into_response()),
        _ => {}
    }
    match call.query("format").as_deref() {
        None | Some("" | "keycertfile") => {}
        Some(other) => {
            let hint = "send the certificate and its key as PEM or DER with format=keycertfile";
            return Err(ApigeeProblem::Bad(format!("format {other} is not read: {hint}")));
        }
    }
    let upload = read_upload(call).await?;
    let entry = call.parts.seal_alias(name, alias, &upload).map_err(ODataError::from)?;
    let answer = alias_shown(&entry);
    match at {
        Some(at) => document.aliases[at] = entry,
        None => document.aliases.push(entry),
    }
    write(call, name, Some(&document)).await?;
    let status = if replaces { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, axum::Json(answer)).into_response())
}

async fn read_upload(call: &ProxyCall<'_>) -> Result<Upload, ApigeeProblem> {
    let (mut certificates, mut key) = (None, None);
    match call.form().await? {
        Some(parts) => {
            for (name, bytes) in parts {
                match name.as_str() {
                    "certFile" | "file" => certificates = Some(bytes.to_vec()),
                    "keyFile" => key = Some(bytes.to_vec()),
                    "password" if !bytes.is_empty() => {
                        let rule = "password: encrypted keys are not read; decrypt the key first";
                        return Err(ApigeeProblem::bad(rule));
                    }
                    _ => {}
                }
            }
        }
        None => {
            let body = call.json()?;
            let text =
                |name: &str| body.get(name).and_then(Value::as_str).map(|text| text.as_bytes().to_vec());
            (certificates, key) = (text("cert"), text("key"));
        }
    }
    let certificates =
        certificates.ok_or_else(|| ApigeeProblem::bad("certFile (or cert in JSON) must be given"))?;
    Upload::read(&certificates, key.as_deref()).map_err(ApigeeProblem::Bad)
}

fn shown(name: &str, document: &StoreDocument) -> Value {
    let cert = |entry: &AliasDocument| format!("{}-cert", entry.alias);
    let keys = document.aliases.iter().filter(|entry| entry.has_key());
    json!({
        "name": name,
        "aliases": document.aliases.iter().map(|entry| json!({
            "aliasName": entry.alias,
            "cert": cert(entry),
            "key": entry.has_key().then_some(&entry.alias),
        })).collect::<Vec<_>>(),
        "certs": document.aliases.iter().map(cert).collect::<Vec<_>>(),
        "keys": keys.map(|entry| &entry.alias).collect::<Vec<_>>(),
    })
}

fn alias_shown(entry: &AliasDocument) -> Value {
    let facts = |certificate: &Certificate| {
        json!({
            "subject": certificate.common_name().map(|name| format!("CN={name}")),
            "issuer": certificate.issuer_common_name().map(|name| format!("CN={name}")),
            "serialNumber": certificate.serial(),
            "subjectAlternativeNames": certificate.dns_names(),
            "validFrom": certificate.valid_from().as_i64(),
            "expiryDate": certificate.valid_until().as_i64(),
        })
    };
    json!({
        "alias": entry.alias,
        "keyName": entry.has_key().then_some(&entry.alias),
        "certsInfo": {
            "certName": format!("{}-cert", entry.alias),
            "certInfo": entry.certificates().iter().map(facts).collect::<Vec<_>>(),
        },
    })
}

async fn read_reference(
    call: &ProxyCall<'_>,
    old: Option<(&str, &ReferenceDocument)>,
) -> Result<(String, ReferenceDocument), ApigeeProblem> {
    let body = call.json()?;
    let said = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let name = match (old, said("name")) {
        (Some((name, _)), Some(said)) if name != said => {
            return Err(ApigeeProblem::bad("name cannot be changed"));
        }
        (Some((name, _)), _) => name.to_owned(),
        (None, said) => said.unwrap_or_default(),
    };
    check_name("name", &name, 255)?;
    let kept = |field: fn(&ReferenceDocument) -> &String| old.map(|(_, old)| field(old).clone());
    let refers = said("refers").or_else(|| kept(|old| &old.refers)).unwrap_or_default();
    let resource_type = said("resourceType").or_else(|| kept(|old| &old.resource_type));
    let resource_type = resource_type.unwrap_or_else(|| "KeyStore".into());
    if !matches!(resource_type.as_str(), "KeyStore" | "TrustStore") {
        return Err(ApigeeProblem::bad("resourceType must be KeyStore or TrustStore"));
    }
    if find(call, ItemKind::KeyStore, &refers).await?.is_none() {
        return Err(ApigeeProblem::Bad(format!("refers: there is no key store '{refers}'")));
    }
    Ok((name, ReferenceDocument { refers, resource_type }))
}

async fn save_reference(
    call: &ProxyCall<'_>,
    name: &str,
    document: &ReferenceDocument,
) -> Result<Value, ApigeeProblem> {
    let text = serde_json::to_string(document).map_err(ODataError::internal)?;
    let portal = call.portal();
    let mut work = portal.begin().await?;
    portal.put_item(&mut work, ItemKind::Reference, name, Some(text)).await?;
    portal.commit(work).await?;
    Ok(reference_shown(name, document))
}

fn reference_shown(name: &str, document: &ReferenceDocument) -> Value {
    json!({"name": name, "refers": document.refers, "resourceType": document.resource_type})
}
