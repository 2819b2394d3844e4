//! The API portal's part of the stand-in. Keys in parentheses are read from the path's last segment.

use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{Control, Known, World, refuse_odata};

pub(super) fn routes() -> Router<Control> {
    let service = Router::new()
        .route("/APIProviders", get(all_providers).post(create_provider))
        .route("/APIProxies", get(all_proxies).post(create_proxy))
        .route("/GenericKeyMapEntries", get(all_maps).post(create_map))
        .route("/GenericKeyMapEntryValues", axum::routing::post(create_entry))
        .route("/{entity}", any(one))
        .route("/{entity}/{action}", axum::routing::post(act));
    let nothing = || get(|_: Known| async { Json(json!([])) });
    Router::new()
        .nest("/apiportal/api/1.0/Management.svc", service)
        .route("/v1/organizations/{org}/sharedflows", nothing())
        .route("/v1/organizations/{org}/environments/{environment}/targetservers", nothing())
        .route("/v1/organizations/{org}/environments/{environment}/flowhooks", nothing())
}

fn life_cycle(at: i64) -> Value {
    json!({"changed_at": format!("/Date({at})/"), "changed_by": "ada@example.com"})
}

pub(super) fn providers() -> Vec<Value> {
    vec![
        json!({"name": "OpenConnectors", "title": "Our connector hub", "destType": "OPENCONNECTORS", "host": "",
            "port": 443, "useSSL": true, "life_cycle": life_cycle(1_763_700_000_000)}),
        json!({"name": "Petstore", "title": "Petstore", "destType": "Internet", "host": "petstore.example",
            "port": 443, "useSSL": true, "pathPrefix": "/v2", "description": null}),
    ]
}

fn steps(names: &[(&str, &str)]) -> Value {
    let steps = names.iter().enumerate().map(
        |(n, (name, condition))| json!({"policy_name": name, "condition": condition, "sequence": n + 1}),
    );
    json!({"steps": {"results": steps.collect::<Vec<_>>()}})
}

fn flow(name: &str, condition: &str, request: &[(&str, &str)], response: &[(&str, &str)]) -> Value {
    json!({"name": name, "conditions": condition, "request": steps(request), "response": steps(response)})
}

pub(super) fn proxies() -> Vec<Value> {
    let none = flow("", "", &[], &[]);
    let read = "<KeyValueMapOperations mapIdentifier=\"limits\"><Get assignTo=\"daily\"><Key><Parameter>daily\
                </Parameter></Key></Get></KeyValueMapOperations>";
    vec![
        json!({"name": "Googledrive", "title": "Google Drive", "state": "DEPLOYED", "version": "1",
            "service_code": "REST", "hasChanges": false, "provider_name": "OpenConnectors",
            "life_cycle": life_cycle(1_763_736_000_000_i64),
            "proxyEndPoints": {"results": [{"name": "default", "base_path": "/googledrive",
                "preFlow": flow("PreFlow", "", &[("Verify key", ""), ("Read limits", "request.verb = \"GET\"")], &[]),
                "conditionalFlows": {"results": [flow("Downloads", "proxy.pathsuffix MatchesPath \"/files/**\"",
                    &[], &[("Mark as attachment", "")])]},
                "postFlow": none}]},
            "targetEndPoints": {"results": [{"name": "default", "relativePath": "/elements/api-v2/",
                "provider_id": "OpenConnectors", "preFlow": none,
                "postFlow": flow("PostFlow", "", &[("OpenConnectors", "")], &[])}]},
            "policies": {"results": [
                {"name": "Verify key", "policy_type": "VerifyAPIKey", "policy_content": "<VerifyAPIKey><APIKey ref=\"request.header.apikey\"/></VerifyAPIKey>"},
                {"name": "Read limits", "policy_type": "KeyValueMapOperations", "policy_content": read},
                {"name": "Mark as attachment", "policy_type": "AssignMessage", "policy_content": "<AssignMessage/>"},
                {"name": "OpenConnectors", "policy_type": "OpenConnectors", "readOnly": true, "policy_content": "<OpenConnectors><InstanceSecret kvm-map-name=\"apim.oc.instance.token\" kvm-key-name=\"default\"/></OpenConnectors>"}]}}),
        json!({"name": "Petstore", "title": "Petstore", "state": "UNDEPLOYED", "version": "1", "service_code": "REST",
            "hasChanges": true, "provider_name": "NONE", "life_cycle": life_cycle(1_763_600_000_000),
            "proxyEndPoints": {"results": [{"name": "default", "base_path": "/pets", "preFlow": none, "postFlow": none}]},
            "targetEndPoints": {"results": [{"name": "default", "url": "https://petstore.example/v2", "preFlow": none, "postFlow": none}]},
            "policies": {"results": []}}),
    ]
}

pub(super) fn maps() -> Vec<Value> {
    vec![
        json!({"name": "apim.oc.instance.token", "scope": "APIPROXY", "scopeId": "Googledrive", "isEncrypted": true,
            "entries": [{"name": "default", "value": "********"}], "life_cycle": life_cycle(1_763_738_000_000)}),
        json!({"name": "limits", "scope": "ENV", "scopeId": "", "isEncrypted": false,
            "entries": [{"name": "daily", "value": "1000"}, {"name": "burst", "value": "25"}]}),
    ]
}

fn list(results: impl IntoIterator<Item = Value>) -> Response {
    let results: Vec<_> = results.into_iter().collect();
    Json(json!({"d": {"__count": results.len().to_string(), "results": results}})).into_response()
}

fn created(entity: &Value) -> Response {
    (StatusCode::CREATED, Json(json!({"d": entity}))).into_response()
}

fn as_wire(map: &Value) -> Value {
    let mut map = map.clone();
    let entries = map["entries"].take();
    map["genericKeyMapEntryValues"] = json!({"results": entries});
    map
}

async fn all_providers(_: Known, State(control): State<Control>) -> Response {
    list(control.world().providers.clone())
}

async fn all_proxies(_: Known, State(control): State<Control>) -> Response {
    list(control.world().proxies.clone())
}

async fn all_maps(_: Known, State(control): State<Control>) -> Response {
    list(control.world().maps.iter().map(as_wire))
}

async fn create_provider(_: Known, State(control): State<Control>, Json(mut body): Json<Value>) -> Response {
    let mut world = control.world();
    if world.providers.iter().any(|provider| provider["name"] == body["name"]) {
        let message =
            format!("An API provider '{}' exists already.", body["name"].as_str().unwrap_or_default());
        return refuse_odata(StatusCode::BAD_REQUEST, &message);
    }
    for secret in ["organizationSecret", "userSecret"] {
        body.as_object_mut().map(|fields| fields.remove(secret));
    }
    world.providers.push(body.clone());
    created(&body)
}

async fn create_proxy(_: Known, State(control): State<Control>, Json(mut body): Json<Value>) -> Response {
    let mut world = control.world();
    let path = body["proxyEndPoints"][0]["base_path"].clone();
    if world.proxies.iter().any(|proxy| proxy["proxyEndPoints"]["results"][0]["base_path"] == path) {
        return refuse_odata(
            StatusCode::BAD_REQUEST,
            "APIProxyEndPoints.base_path '/googledrive' is taken by the API proxy 'Googledrive'.",
        );
    }
    for many in ["proxyEndPoints", "targetEndPoints"] {
        body[many] = json!({"results": body[many]});
    }
    body["state"] = json!("UNDEPLOYED");
    let hub = world.providers.iter().any(|provider| {
        provider["name"] == body["provider_name"] && provider["destType"] == "OPENCONNECTORS"
    });
    if hub {
        body["targetEndPoints"]["results"][0]["postFlow"] =
            flow("PostFlow", "", &[("OpenConnectors", "")], &[]);
        body["policies"] = json!({"results": [{"name": "OpenConnectors", "policy_type": "OpenConnectors", "readOnly": true}]});
    }
    world.proxies.push(body.clone());
    created(&body)
}

async fn create_map(_: Known, State(control): State<Control>, Json(mut body): Json<Value>) -> Response {
    body["entries"] = body["genericKeyMapEntryValues"].take();
    control.world().maps.push(body.clone());
    created(&body)
}

async fn create_entry(_: Known, State(control): State<Control>, Json(body): Json<Value>) -> Response {
    let mut world = control.world();
    let map =
        world.maps.iter_mut().find(|map| map["name"] == body["mapName"] && map["scopeId"] == body["scopeId"]);
    match map.and_then(|map| map["entries"].as_array_mut()) {
        Some(entries) => {
            entries.push(body.clone());
            created(&body)
        }
        None => missing("map"),
    }
}

fn missing(what: &str) -> Response {
    refuse_odata(StatusCode::NOT_FOUND, &format!("The {what} could not be found"))
}

/// The value of one key in `Entity(name='x',scope='y')` or `Entity('x')`.
fn key(entity: &str, name: &str) -> String {
    let inside = entity.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
    let quoted = inside.split(',').find_map(|pair| pair.strip_prefix(&format!("{name}="))).unwrap_or(inside);
    quoted.trim_matches('\'').replace("''", "'")
}

async fn one(
    _: Known,
    State(control): State<Control>,
    method: Method,
    Path(entity): Path<String>,
    body: Option<Json<Value>>,
) -> Response {
    let mut world = control.world();
    let name = key(&entity, "name");
    if entity.starts_with("APIProviders(") {
        return provider(&mut world, &method, &name);
    }
    if entity.starts_with("APIProxies(") {
        let found = world.proxies.iter().position(|proxy| proxy["name"] == name);
        return found
            .map_or_else(|| missing("proxy"), |at| answer(&mut world.proxies, at, &method, Value::clone));
    }
    let map_name = if entity.contains("mapName=") { key(&entity, "mapName") } else { name.clone() };
    let (scope, scope_id) = (key(&entity, "scope"), key(&entity, "scopeId"));
    let found = world
        .maps
        .iter()
        .position(|map| map["name"] == map_name && map["scope"] == scope && map["scopeId"] == scope_id);
    let Some(at) = found else { return missing("map") };
    if !entity.starts_with("GenericKeyMapEntryValues(") {
        return answer(&mut world.maps, at, &method, as_wire);
    }
    let Some(entries) = world.maps[at]["entries"].as_array_mut() else { return missing("entry") };
    let Some(entry) = entries.iter().position(|entry| entry["name"] == name) else { return missing("entry") };
    if method == Method::DELETE {
        entries.remove(entry);
    } else if let Some(Json(body)) = body {
        entries[entry]["value"] = body["value"].clone();
    }
    StatusCode::NO_CONTENT.into_response()
}

fn provider(world: &mut World, method: &Method, name: &str) -> Response {
    if *method == Method::DELETE && world.proxies.iter().any(|proxy| proxy["provider_name"] == name) {
        return refuse_odata(StatusCode::BAD_REQUEST, "The provider is used by the proxy Googledrive");
    }
    let found = world.providers.iter().position(|provider| provider["name"] == name);
    found.map_or_else(|| missing("provider"), |at| answer(&mut world.providers, at, method, Value::clone))
}

fn answer(list: &mut Vec<Value>, at: usize, method: &Method, shown: fn(&Value) -> Value) -> Response {
    if *method == Method::GET {
        return Json(json!({"d": shown(&list[at])})).into_response();
    }
    if *method == Method::DELETE {
        list.remove(at);
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn act(
    _: Known,
    State(control): State<Control>,
    Path((entity, action)): Path<(String, String)>,
) -> Response {
    let mut world = control.world();
    if let Some(why) = &world.refusal {
        return refuse_odata(StatusCode::BAD_REQUEST, why);
    }
    let name = key(&entity, "name");
    match world.proxies.iter_mut().find(|proxy| proxy["name"] == name) {
        Some(proxy) => {
            proxy["state"] = json!(if action == "Deploy" { "DEPLOYED" } else { "UNDEPLOYED" });
            proxy["hasChanges"] = json!(false);
            Json(json!({"d": proxy})).into_response()
        }
        None => missing("proxy"),
    }
}
