//! The bodies of token answers.

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, PRAGMA};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use super::settings::Settings;
use crate::exchange::{Exchange, Message, MessageBody};
use crate::policy::security::oauth::products;
use crate::policy::security::oauth::variables::{TokenVariables, seconds_left};
use crate::policy::{Next, security::oauth};

/// Puts a token answer into the response.
pub(super) fn tokens(settings: &Settings, cx: &mut Exchange, found: &TokenVariables) -> Next {
    let members = if settings.rfc { rfc(found) } else { original(cx, found) };
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    let (kind, body) = if settings.as_form {
        let mut form = Serializer::new(String::new());
        for (name, value) in &members {
            match value {
                Value::String(text) => form.append_pair(name, text),
                other => form.append_pair(name, &other.to_string()),
            };
        }
        ("application/x-www-form-urlencoded", form.finish())
    } else {
        ("application/json", Value::Object(members).to_string())
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let body = MessageBody::Replaced(Bytes::from(body));
    cx.response = Some(Message::response(StatusCode::OK, headers, body));
    Next::Respond
}

/// RFC 6749 §5.1, with the attributes that are to be shown.
fn rfc(found: &TokenVariables) -> Map<String, Value> {
    let token = &found.token;
    let mut members = Map::new();
    let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
    if let Some(access) = &found.access {
        set("access_token", access.expose().into());
    }
    set("token_type", "Bearer".into());
    if token.expires_at.is_some() {
        set("expires_in", seconds_left(token.expires_at, found.now).into());
    }
    if let Some(refresh) = &found.refresh {
        set("refresh_token", refresh.expose().into());
    }
    if !token.scope.is_empty() {
        set("scope", token.scope.as_str().into());
    }
    for attribute in token.attributes.iter().filter(|attribute| attribute.display) {
        set(&attribute.name, attribute.value.as_str().into());
    }
    members
}

/// The original's body: every value is a text.
fn original(cx: &Exchange, found: &TokenVariables) -> Map<String, Value> {
    let token = &found.token;
    let key = oauth::key_of(cx, &token.client_id);
    let names: Vec<&str> =
        key.as_deref().map(|key| products(key).map(|product| &*product.name).collect()).unwrap_or_default();
    let mut members = Map::new();
    let mut set = |name: &str, value: String| members.insert(name.to_owned(), value.into());
    set("issued_at", token.issued_at.to_string());
    set("application_name", token.app_id.clone());
    set("scope", token.scope.clone());
    set("status", "approved".into());
    set("api_product_list", format!("[{}]", names.join(", ")));
    set("expires_in", seconds_left(token.expires_at, found.now).to_string());
    let developer = key.as_ref().and_then(|key| key.app.developer.as_ref());
    if let Some(developer) = developer {
        set("developer.email", developer.email.to_string());
    }
    set("token_type", "BearerToken".into());
    set("client_id", token.client_id.clone());
    if let Some(access) = &found.access {
        set("access_token", access.expose().to_owned());
    }
    set("organization_name", found.snapshot.organization().to_owned());
    set("organization_id", "0".into());
    if let Some(refresh) = &found.refresh {
        set("refresh_token", refresh.expose().to_owned());
        set("refresh_token_status", "approved".into());
    }
    let part = token.refresh.as_ref();
    if let Some(part) = part {
        set("refresh_token_issued_at", part.issued_at.to_string());
    }
    let left = seconds_left(part.and_then(|part| part.expires_at), found.now);
    set("refresh_token_expires_in", left.to_string());
    set("refresh_count", part.map_or(0, |part| part.count).to_string());
    for attribute in token.attributes.iter().filter(|attribute| attribute.display) {
        set(&attribute.name, attribute.value.clone());
    }
    members.insert("api_product_list_json".into(), json!(names));
    members
}

/// Sends the browser to `uri` with these parameters, in the query or behind `#`.
pub(super) fn redirect(
    cx: &mut Exchange,
    uri: &str,
    parameters: &[(&str, &str)],
    fragment: bool,
) -> Option<Next> {
    let mut query = Serializer::new(String::new());
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    let separator = match (fragment, uri.contains('?')) {
        (true, _) => '#',
        (false, true) => '&',
        (false, false) => '?',
    };
    let location = HeaderValue::from_str(&format!("{uri}{separator}{}", query.finish())).ok()?;
    let mut headers = HeaderMap::new();
    headers.insert(LOCATION, location);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    cx.response = Some(Message::response(StatusCode::FOUND, headers, MessageBody::Empty));
    Some(Next::Respond)
}
