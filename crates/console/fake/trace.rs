//! Debug sessions of the stand-in: one of `Googledrive` that recorded two requests.

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{Control, Known, refuse};

/// What the stand-in says of a session.
#[derive(Default)]
pub(crate) struct TraceWorld {
    /// Names, revisions and whether they record.
    pub(crate) sessions: Vec<(String, bool)>,
    /// The query of the last call that changed something.
    pub(crate) last_query: String,
}

pub(super) fn routes() -> Router<Control> {
    let apis = "/v1/organizations/{org}/environments/{environment}/apis/{api}";
    let sessions = format!("{apis}/revisions/{{revision}}/debugsessions");
    Router::new()
        .route(
            "/v1/organizations/{org}/apis/{api}/revisions",
            get(|_: Known| async { Json(json!(["1", "2"])) }),
        )
        .route("/v1/organizations/{org}/apis/{api}/deployments", get(deployments))
        .route("/v1/organizations/{org}/environments/{environment}/debugsessions", get(all))
        .route(&format!("{apis}/debugsessions"), get(all))
        .route(&sessions, axum::routing::post(start))
        .route(&format!("{sessions}/{{session}}"), any(one))
        .route(&format!("{sessions}/{{session}}/data"), get(rows))
        .route(&format!("{sessions}/{{session}}/data/{{id}}"), get(|_: Known| async { Json(transaction()) }))
        .route(&format!("{sessions}/{{session}}/data/{{id}}/replay"), axum::routing::post(replay))
}

async fn deployments(_: Known, Path((_, api)): Path<(String, String)>) -> Response {
    let running = if api == "Petstore" { json!([]) } else { json!([{"name": "2", "state": "deployed"}]) };
    Json(json!({"name": api, "environment": [{"name": "default", "revision": running}]})).into_response()
}

fn shown(name: &str, recording: bool) -> Value {
    json!({"name": name, "apiProxy": "Googledrive", "revision": "2", "recording": recording, "startedAt": 1_763_740_700_000_i64,
        "startedBy": "ada@example.com", "endsAt": 1_763_741_300_000_i64, "transactions": 2, "dropped": 3,
        "filter": {"headers": [{"name": "x-customer", "value": "acme"}], "queryParams": [],
            "condition": "request.verb = \"GET\""}})
}

async fn all(_: Known, State(control): State<Control>) -> Response {
    let sessions: Vec<Value> =
        control.world().traces.sessions.iter().map(|(name, recording)| shown(name, *recording)).collect();
    Json(sessions).into_response()
}

async fn start(_: Known, State(control): State<Control>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let name =
        query.strip_prefix("session=").and_then(|rest| rest.split('&').next()).unwrap_or("x").to_owned();
    if name == "taken" {
        return refuse(StatusCode::CONFLICT, "session taken exists already");
    }
    let mut world = control.world();
    world.traces.last_query = query;
    world.traces.sessions.push((name.clone(), true));
    (StatusCode::CREATED, Json(shown(&name, true))).into_response()
}

async fn one(
    _: Known,
    State(control): State<Control>,
    Path((_, _, _, _, name)): Path<(String, String, String, String, String)>,
    method: Method,
    RawQuery(query): RawQuery,
) -> Response {
    let mut world = control.world();
    let Some(at) = world.traces.sessions.iter().position(|(known, _)| *known == name) else {
        return refuse(StatusCode::NOT_FOUND, "Debug session does not exist");
    };
    match method {
        Method::POST => world.traces.sessions[at].1 = false,
        Method::DELETE => drop(world.traces.sessions.remove(at)),
        _ if query.is_some_and(|query| query.contains("format")) => {
            let mut headers = HeaderMap::new();
            let disposition = HeaderValue::from_static("attachment; filename=\"t.trace.json\"");
            headers.insert(header::CONTENT_DISPOSITION, disposition);
            return (headers, Json(json!({"format": 1, "transactions": [transaction()]}))).into_response();
        }
        _ => {}
    }
    let recording = world.traces.sessions.get(at).is_some_and(|(_, recording)| *recording);
    Json(shown(&name, recording)).into_response()
}

async fn rows(_: Known) -> Response {
    Json(json!([
        {"id": "a1", "began": 1_763_740_710_000_i64, "tookMicros": 900, "status": 200,
            "request": "GET /googledrive/files?path=/a.txt", "fault": null},
        {"id": "a2", "began": 1_763_740_720_000_i64, "tookMicros": 12_300, "status": 401,
            "request": "GET /googledrive/files", "fault": "steps.oauth.v2.FailedToResolveAPIKey"},
    ]))
    .into_response()
}

fn shot(name: &str, line: &str, body: Value) -> Value {
    json!({"name": name, "line": line, "headers": [["content-type", "application/json"], ["authorization", "***"]], "body": body})
}

fn text(text: &str) -> Value {
    json!({"text": {"text": text, "bytes": text.len()}})
}

/// A transaction as the wire has it.
pub(crate) fn transaction() -> Value {
    let fault = json!({"code": "steps.oauth.v2.FailedToResolveAPIKey", "text": "Failed to resolve API Key variable", "policy": "Verify key"});
    json!({
        "id": "a2", "proxy": "Googledrive", "revision": "2", "endpoint": "default", "began": 1_763_740_720_000_i64,
        "took_us": 12_300, "status": 401, "truncated": false,
        "points": [
            {"after_us": 0, "point": "message", "at": "received",
                "message": shot("request", "GET /googledrive/files", text("{\"a\":{\"b\":[1,2]}}"))},
            {"after_us": 40, "point": "condition", "at": "ProxyRequest/PreFlow", "of": "step Read limits",
                "text": "request.verb = \"POST\"", "held": false, "read": [{"name": "request.verb", "value": "GET"}]},
            {"after_us": 50, "point": "condition", "at": "ProxyRequest/PreFlow", "of": "step Mark",
                "text": "request.verb = \"GET\"", "held": true, "read": [{"name": "request.verb", "value": "GET"}]},
            {"after_us": 90, "point": "step", "at": "ProxyRequest/PreFlow", "policy": "Mark", "kind": "AssignMessage",
                "took_us": 35, "read": [{"name": "client.ip", "value": null}],
                "assigned": [{"name": "flow.who", "before": null, "after": "ada"}], "changed": [shot("request", "GET /x", json!("streaming"))]},
            {"after_us": 200, "point": "call", "url": "https://erp.example:443/stock", "took_us": 100,
                "request": shot("request", "GET /stock", json!("empty")), "answer": shot("answer", "200 OK", text("<a><b>1</b></a>"))},
            {"after_us": 12_000, "point": "step", "at": "ProxyRequest/PreFlow", "policy": "Verify key", "kind": "VerifyAPIKey",
                "took_us": 11_000, "read": [], "assigned": [], "changed": [], "fault": fault},
            {"after_us": 12_100, "point": "fault", "at": "ProxyRequest/PreFlow", "fault": fault},
            {"after_us": 12_200, "point": "message", "at": "answer",
                "message": shot("response", "401 Unauthorized", text("{\"fault\":{}}"))},
        ],
    })
}

async fn replay(_: Known, State(control): State<Control>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let same = query.contains("revision=2");
    control.world().traces.last_query = query;
    let differences = json!([
        {"part": "status", "name": "", "recorded": "401", "replayed": "200"},
        {"part": "body", "name": "/fault", "recorded": "{}", "replayed": null},
        {"part": "step", "name": "ProxyRequest/PreFlow: Quota", "recorded": null, "replayed": "ran"},
    ]);
    Json(json!({"revision": "draft", "targets": "recorded", "same": same,
        "differences": if same { json!([]) } else { differences },
        "recorded": transaction(), "replayed": transaction()}))
    .into_response()
}
