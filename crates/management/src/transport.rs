//! `Transport.svc`: API proxies in and out as zips (api-management §8.8).

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pierhead_gateway::dialect::Dialect;
use serde_json::json;

use crate::odata::{ODataError, Service};
use crate::portal::Portal;

/// Root of the service on the control listener.
pub(crate) const ROOT: &str = "/apiportal/api/1.0/Transport.svc";

/// Answers a call; `path` is below [`ROOT`].
pub(crate) async fn answer(
    portal: &Portal,
    method: &Method,
    path: &str,
    query: &str,
    body: &Bytes,
) -> Response<Body> {
    let answered = match (path.trim_matches('/'), method) {
        ("", &Method::GET | &Method::HEAD) => Ok(StatusCode::OK.into_response()),
        ("APIProxies", &Method::GET | &Method::HEAD) => export(portal, query).await,
        ("APIProxies", &Method::POST) => import(portal, query, body).await,
        ("APIProxies", other) => Err(ODataError::unsupported(other)),
        (other, _) => Err(ODataError::not_found(format_args!("Resource '{other}'"))),
    };
    answered.unwrap_or_else(IntoResponse::into_response)
}

/// `GET …/APIProxies?name=<n>`: the zip, in SAP's layout; `dialect=apigee` asks for Apigee's.
async fn export(portal: &Portal, query: &str) -> Result<Response<Body>, ODataError> {
    let name = parameter(query, "name").ok_or_else(|| ODataError::bad("name must be given"))?;
    let dialect = match parameter(query, "dialect").as_deref() {
        None | Some("sap") => Dialect::Sap,
        Some("apigee") => Dialect::Apigee,
        Some(_) => return Err(ODataError::bad("dialect must be sap or apigee")),
    };
    let zip = portal.write_proxy(&portal.design(&name).await?, dialect)?;
    Ok(zip_answer(&format!("{name}.zip"), zip))
}

/// A zip as an answer.
pub(crate) fn zip_answer(file: &str, zip: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(zip));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    let plain: String =
        file.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// `POST …/APIProxies`: a zip, raw or as base64 text; it lands deployed and replaces the proxy of its name
/// (api-management §2.5). Answers 200, which clients insist on. With `validate=true`, which the original does not
/// have, nothing is kept and the answer is the report on the bundle, of whatever kind and dialect it is.
async fn import(portal: &Portal, query: &str, body: &Bytes) -> Result<Response<Body>, ODataError> {
    let zip = unwrap(body)?;
    let said = parameter(query, "name").unwrap_or_else(|| "proxy".into());
    match parameter(query, "validate").as_deref() {
        None | Some("false") => {}
        Some("true") => return Ok(axum::Json(portal.examine_zip(&zip, &said).await?).into_response()),
        Some(_) => return Err(ODataError::bad("validate must be true or false")),
    }
    let design = portal.read_proxy(&zip, &said)?;
    let mut work = portal.begin().await?;
    let imported = portal.import_proxy(&mut work, design).await?;
    portal.deploy(&mut work, &imported.name).await?;
    portal.commit(work).await?;
    let made = json!({"name": imported.name, "revision": imported.revision.to_string(), "state": "DEPLOYED"});
    Ok(axum::Json(made).into_response())
}

/// The zip in a body: `PK` is a zip, `UEsD` is one in base64, whatever the content type says.
fn unwrap(body: &Bytes) -> Result<Bytes, ODataError> {
    let trimmed = body.trim_ascii();
    if body.starts_with(b"PK") {
        return Ok(body.clone());
    }
    let bad = || {
        let text =
            "Verify the directory structure inside the zip. The body is neither a zip nor one in base64.";
        ODataError::coded(StatusCode::BAD_REQUEST, "APIPROXY_ZIP_ERROR", text)
    };
    if !trimmed.starts_with(b"UEsD") {
        return Err(bad());
    }
    let packed: Vec<u8> = trimmed.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(packed).map(Bytes::from).map_err(|_| bad())
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let mut all = form_urlencoded::parse(query.as_bytes());
    all.find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zip_comes_raw_or_in_base64_and_nothing_else() {
        assert_eq!(unwrap(&Bytes::from_static(b"PK\x03\x04zip")).unwrap(), "PK\x03\x04zip");
        let packed = STANDARD.encode(b"PK\x03\x04zip and more");
        for text in [packed.clone(), format!("\r\n{packed}\n"), format!("{}\n{}", &packed[..8], &packed[8..])]
        {
            assert_eq!(unwrap(&Bytes::from(text)).unwrap(), "PK\x03\x04zip and more");
        }
        for bad in ["", "hello", "UEsD!!!", "{}"] {
            assert!(unwrap(&Bytes::from_static(bad.as_bytes())).is_err(), "{bad}");
        }
    }
}
