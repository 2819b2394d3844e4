//! The hub's part of the stand-in.

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{Control, Known, refuse};

const ORGANIZATION_SECRET: &str = "ce7f1f9be0d2a8b1f37bcfa6d71eda20";
const USER_SECRET: &str = "7OpR4MRo7wnPoVKkKFXHhHBUPRzqutoem/d+WEnR1kY=";

pub(super) fn routes() -> Router<Control> {
    let hub = Router::new()
        .route("/authentication", post(log_in))
        .route("/authentication/secrets", get(secrets))
        .route("/elements", get(all_elements))
        .route("/elements/{key}", get(element))
        .route("/elements/{key}/oauth/url", post(oauth_url))
        .route("/instances", get(all_instances).post(create))
        .route("/instances/{id}", get(instance).patch(change).delete(delete))
        .route("/instances/{id}/configuration", get(configuration))
        .route("/instances/{id}/enabled", put(enable).delete(disable))
        .route("/ping", get(ping))
        .route("/hubs/documents/folders/contents", get(contents))
        .route("/hubs/documents/files", get(file));
    Router::new()
        .nest("/elements/api-v2", hub)
        .route("/api/v1/setup", get(setup).post(set_up))
        .route("/api/v1/session", axum::routing::delete(end_session))
}

pub(super) fn elements() -> Vec<Value> {
    let icon = |colour: &str, letter: &str| {
        format!(
            "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Crect width='24' \
             height='24' rx='5' fill='%23{colour}'/%3E%3Ctext x='12' y='17' font-family='sans-serif' font-size='13' \
             font-weight='700' text-anchor='middle' fill='white'%3E{letter}%3C/text%3E%3C/svg%3E"
        )
    };
    let key = |key: &str, name: &str, kind: &str, description: &str| json!({"key": key, "name": name, "type": kind, "required": true, "description": description});
    let resource = |method: &str, path: &str, description: &str| json!({"method": method, "path": path, "description": description, "type": "api"});
    let files = vec![
        resource("GET", "/hubs/documents/files", "Download a file by path"),
        resource("POST", "/hubs/documents/files", "Upload a file"),
        resource("GET", "/hubs/documents/folders/contents", "List a folder"),
        resource("GET", "/hubs/documents/search", "Search by name and properties"),
    ];
    vec![
        json!({"id": 21, "key": "googledrive", "name": "Google Drive", "hub": "documents", "typeOauth": true,
            "description": "Files and folders of a Google account or a shared drive.", "image": icon("1a73e8", "G"),
            "authentication": {"type": "oauth2"}, "resources": files,
            "configuration": [
                key("oauth.api.key", "API key", "TEXTFIELD_128", "The OAuth client's id at Google."),
                key("oauth.api.secret", "API secret", "PASSWORD", "The OAuth client's secret."),
                key("oauth.callback.url", "Callback URL", "TEXTFIELD_1000", ""),
                {"key": "filter.response.nulls", "name": "Leave out empty fields", "type": "BOOLEAN",
                 "defaultValue": "true", "required": false, "description": "Answers hold no null fields."}]}),
        json!({"id": 9001, "key": "webdav", "name": "WebDAV", "hub": "documents", "image": icon("6b4fbb", "W"),
            "description": "Any server that speaks WebDAV, such as Nextcloud.", "authentication": {"type": "basic"},
            "resources": files, "configuration": [
                key("base.url", "Address", "TEXTFIELD_1000", "The folder that becomes the top, https://…"),
                key("username", "User name", "TEXTFIELD_128", ""), key("password", "Password", "PASSWORD", "")]}),
        json!({"id": 9002, "key": "folder", "name": "Folder", "hub": "documents", "image": icon("14804a", "F"),
            "description": "A directory on the machine that Pierhead runs on.", "authentication": {"type": "none"},
            "resources": files, "configuration": [
                key("root.path", "Directory", "TEXTFIELD_1000", "Absolute path. Links out of it are not followed.")]}),
        json!({"id": 49, "key": "hubspotcrm", "name": "HubSpot", "hub": "crm", "image": icon("e8552d", "H"),
            "description": "Contacts, companies and deals.", "authentication": {"type": "oauth2"}, "typeOauth": true}),
        json!({"id": 184, "key": "brighttalk", "name": "BrightTALK", "hub": "marketing", "beta": true,
            "description": "Channels, webcasts and their subscribers.", "authentication": {"type": "custom"},
            "image": "https://elsewhere.example/icon.png"}),
    ]
}

pub(super) fn instances() -> Vec<Value> {
    let all = elements();
    vec![
        json!({"id": 501, "name": "Sales drive", "element": all[0], "tags": ["emea", "sales"], "valid": true,
            "disabled": false, "token": "fJ5HQ135fW4okMt5AWq0hzm2X7kaK5OpQB0Uxjvlz6U=",
            "createdDate": "2025-11-19T09:12:00Z",
            "configuration": {"oauth.api.key": "********", "oauth.api.secret": "********",
                "oauth.callback.url": "http://127.0.0.1:8081/console/oauth/callback"}}),
        json!({"id": 502, "name": "Shared folder", "element": all[2], "tags": [], "valid": true, "disabled": true,
            "token": "Qm1zR0hKa2xNbk9wUXJTdFV2V3hZWjAxMjM0NTY3ODk=", "createdDate": "2025-11-20T16:40:00Z",
            "configuration": {"root.path": "/srv/share"}}),
        json!({"id": 503, "name": "Marketing drive", "element": all[0], "tags": ["marketing"], "valid": false,
            "disabled": false, "token": "dG9rZW4gb2YgdGhlIG1hcmtldGluZyBkcml2ZSAxMjM=",
            "createdDate": "2025-10-02T08:00:00Z",
            "credentialState": {"state": "reconnect", "reason": "Google Drive refused the refresh token (invalid_grant).", "since": "2025-11-21T13:04:00Z"},
            "configuration": {"oauth.api.key": "********", "oauth.api.secret": "********"}}),
    ]
}

async fn setup(State(control): State<Control>) -> Json<Value> {
    Json(json!({"needed": !control.world().administrator}))
}

async fn set_up(State(control): State<Control>, Json(body): Json<Value>) -> Response {
    if body["code"] != "setup-code" {
        return refuse(
            StatusCode::FORBIDDEN,
            "code is not the setup code that the server printed when it started",
        );
    }
    control.world().administrator = true;
    Json(json!({})).into_response()
}

async fn end_session(_: Known, State(control): State<Control>) -> StatusCode {
    control.world().logins_ended += 1;
    StatusCode::NO_CONTENT
}

async fn log_in(Json(body): Json<Value>) -> Response {
    if body["password"] != "Right-1!" {
        return refuse(StatusCode::UNAUTHORIZED, "Bad credentials.");
    }
    Json(json!({"token": format!("login-token-{}", body["username"].as_str().unwrap_or_default()),
        "username": body["username"], "firstName": "Ada", "lastName": "Lovelace",
        "organizationName": "Harbour Ltd", "roles": []}))
    .into_response()
}

async fn secrets(_: Known) -> Json<Value> {
    Json(json!({"userSecret": USER_SECRET, "organizationSecret": ORGANIZATION_SECRET}))
}

async fn all_elements(State(control): State<Control>) -> Json<Value> {
    Json(Value::from(control.world().elements.clone()))
}

async fn element(State(control): State<Control>, Path(key): Path<String>) -> Response {
    let found = control.world().elements.iter().find(|element| element["key"] == key).cloned();
    found.map_or_else(
        || refuse(StatusCode::NOT_FOUND, &format!("No element found with key {key}")),
        |element| Json(element).into_response(),
    )
}

async fn oauth_url(Path(key): Path<String>, Json(ask): Json<Value>) -> Json<Value> {
    let text = |name: &str| ask[name].as_str().unwrap_or_default();
    let (state, callback) = (text("state"), text("callbackUrl"));
    // The example's vendor is this machine under its other name, so that it is another site to the browser.
    let vendor =
        callback.replace("127.0.0.1", "localhost").replace("/console/oauth/callback", "/vendor/consent");
    Json(json!({"oauthUrl": format!("{vendor}?state={state}&redirect_uri={callback}"), "element": key}))
}

async fn all_instances(_: Known, State(control): State<Control>) -> Response {
    let instances = control.world().instances.clone();
    if instances.is_empty() {
        return refuse(StatusCode::NOT_FOUND, "No element instances found");
    }
    Json(Value::from(instances)).into_response()
}

fn code_problem(body: &Value) -> Option<Response> {
    (body["providerData"]["code"] == "expired").then(|| {
        (
            StatusCode::BAD_REQUEST,
            Json(json!({"requestId": "53dbca9430045c016b46566c",
                "message": "The vendor refused the authorization code.", "providerMessage": "invalid_grant"})),
        )
            .into_response()
    })
}

async fn create(_: Known, State(control): State<Control>, Json(body): Json<Value>) -> Response {
    if let Some(problem) = code_problem(&body) {
        return problem;
    }
    if body["configuration"]["root.path"] == "/etc" {
        return refuse(
            StatusCode::BAD_REQUEST,
            "root.path may not be /etc: it is outside of what is allowed.",
        );
    }
    let mut world = control.world();
    let id = world.fresh_id();
    let element = world.elements.iter().find(|element| element["key"] == body["element"]["key"]).cloned();
    let made = json!({"id": id, "name": body["name"], "element": element, "tags": body["tags"], "valid": true,
        "disabled": false, "token": format!("token-of-{id}"), "createdDate": "2025-11-21T15:59:00Z",
        "configuration": body["configuration"]});
    world.instances.push(made.clone());
    Json(made).into_response()
}

fn with_instance(control: &Control, id: u64, act: impl FnOnce(&mut Value)) -> Response {
    let mut world = control.world();
    match world.instances.iter_mut().find(|instance| instance["id"] == id) {
        Some(instance) => {
            act(instance);
            Json(instance.clone()).into_response()
        }
        None => refuse(StatusCode::NOT_FOUND, &format!("No element instance found with id {id}")),
    }
}

async fn instance(_: Known, State(control): State<Control>, Path(id): Path<u64>) -> Response {
    with_instance(&control, id, |_| {})
}

async fn change(
    _: Known,
    State(control): State<Control>,
    Path(id): Path<u64>,
    Json(body): Json<Value>,
) -> Response {
    if let Some(problem) = code_problem(&body) {
        return problem;
    }
    with_instance(&control, id, |instance| {
        for field in ["name", "tags"] {
            if !body[field].is_null() {
                instance[field] = body[field].clone();
            }
        }
        if body.get("configuration").is_some() {
            instance["valid"] = json!(true);
            instance["credentialState"] = Value::Null;
        }
    })
}

async fn delete(_: Known, State(control): State<Control>, Path(id): Path<u64>) -> Response {
    let answer = with_instance(&control, id, |_| {});
    control.world().instances.retain(|instance| instance["id"] != id);
    answer
}

async fn configuration(_: Known, State(control): State<Control>, Path(id): Path<u64>) -> Response {
    let world = control.world();
    let Some(instance) = world.instances.iter().find(|instance| instance["id"] == id) else {
        return refuse(StatusCode::NOT_FOUND, "No element instance found");
    };
    let rows = instance["configuration"].as_object().into_iter().flatten().map(|(key, value)| {
        json!({"id": 1, "key": key, "name": key.replace('.', " "), "propertyValue": value, "type": "TEXTFIELD_128"})
    });
    Json(rows.collect::<Value>()).into_response()
}

async fn enable(_: Known, State(control): State<Control>, Path(id): Path<u64>) -> Response {
    with_instance(&control, id, |instance| instance["disabled"] = json!(false))
}

async fn disable(_: Known, State(control): State<Control>, Path(id): Path<u64>) -> Response {
    with_instance(&control, id, |instance| instance["disabled"] = json!(true))
}

async fn ping(_: Known, State(control): State<Control>, headers: HeaderMap) -> Response {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = sent.split("Element ").nth(1).unwrap_or_default();
    let world = control.world();
    match world.instances.iter().find(|instance| instance["token"] == token) {
        Some(instance) if instance["valid"] == true => {
            Json(json!({"dateTime": "2025-11-21T16:00:00Z", "endpoint": instance["element"]["key"]})).into_response()
        }
        Some(_) => (
            StatusCode::BAD_GATEWAY,
            Json(json!({"requestId": "53dbca9430045c016b46566c", "message": "The vendor refused the refresh token.",
                "providerMessage": "invalid_grant: Token has been revoked."})),
        )
            .into_response(),
        None => refuse(StatusCode::UNAUTHORIZED, "Invalid Element token."),
    }
}

async fn contents(_: Known, Query(query): Query<HashMap<String, String>>) -> Response {
    let entry = |name: &str, directory: bool, size: u64| {
        let top = query["path"].trim_end_matches('/');
        json!({"id": name, "name": name, "path": format!("{top}/{name}"), "directory": directory, "size": size,
            "modifiedDate": "2025-11-18T10:00:00Z"})
    };
    match query["path"].as_str() {
        "/" => Json(json!([
            entry("report.pdf", false, 5_242_880),
            entry("Contracts", true, 0),
            entry("notes.txt", false, 812)
        ]))
        .into_response(),
        "/Contracts" => Json(json!([])).into_response(),
        _ => refuse(StatusCode::NOT_FOUND, "No folder found at this path"),
    }
}

async fn file(_: Known, Query(query): Query<HashMap<String, String>>) -> Response {
    match query["path"].as_str() {
        "/report.pdf" => ([(header::CONTENT_TYPE, "application/pdf")], "%PDF-1.7\n").into_response(),
        _ => refuse(StatusCode::NOT_FOUND, "No file found at this path"),
    }
}
