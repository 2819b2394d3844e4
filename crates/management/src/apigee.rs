//! Apigee's management API (api-management §8.10) as far as it is built: API proxies with their revisions and
//! deployments, API products, developers, their apps and the apps' keys, under `/v1/organizations/{org}` and `/v1/o/{org}`.

mod apis;
mod apps;
mod caches;
mod debug_sessions;
mod deployments;
mod developers;
mod endpoints;
mod environment;
mod key_stores;
mod key_value_maps;
mod keys;
mod mask_configs;
mod pieces;
mod problem;
mod products;
mod proxy_call;
mod replay;
mod resource_files;
mod shared_flows;
mod trace_filter;
mod trace_har;
mod trace_json;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::any;
use pierhead_domain::Caller;
use pierhead_store::WriteTx;
use pierhead_store::management::Stamp;
use pierhead_web::{AuthFailure, Credentials, body};
use serde_json::{Map, Value, json};

use crate::live::LivePart;
use crate::management::{Management, Parts};
use problem::ApigeeProblem;

/// The routes of Apigee's management API.
pub(crate) fn routes(management: Management) -> Router {
    Router::new()
        .route("/v1/organizations/{org}/{*path}", any(serve))
        .route("/v1/o/{org}/{*path}", any(serve))
        .with_state(management)
}

/// A request that was let in.
struct Call<'m> {
    management: &'m Management,
    parts: &'m Parts,
    /// For `createdBy`.
    caller: String,
    method: Method,
    /// `?action=`.
    action: Option<String>,
    /// `?expand=true`.
    expand: bool,
    body: Map<String, Value>,
}

type Answered = Result<(StatusCode, Value), ApigeeProblem>;

async fn serve(
    State(management): State<Management>,
    Path((org, path)): Path<(String, String)>,
    request: Request,
) -> Response<Body> {
    match answer(&management, &org, &path, request).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn answer(
    management: &Management,
    org: &str,
    path: &str,
    request: Request,
) -> Result<Response<Body>, ApigeeProblem> {
    let parts = management.parts();
    let caller = authenticate(parts, request.headers()).await?;
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let allowed = if reads { caller.may_read_apis() } else { caller.may_design_apis() };
    if !allowed || caller.organization != parts.organization() {
        return Err(ApigeeProblem::Forbidden);
    }
    if org != parts.snapshots.load().organization() {
        return Err(ApigeeProblem::missing("organizations.OrganizationDoesNotExist", "Organization", org));
    }
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    if proxy_call::is_about(&segments) {
        return proxy_call::answer(management, caller, org, &segments, request).await;
    }
    let call = read(management, caller.name, request).await?;
    // Calls read, then write: one at a time, so that none undoes another.
    let _gate = if reads { None } else { Some(parts.gate.lock().await) };
    let answered = match segments.as_slice() {
        ["apiproducts"] => products::collection(&call).await,
        ["apiproducts", name] => products::one(&call, name).await,
        ["developers"] => developers::collection(&call).await,
        ["developers", email] => developers::one(&call, email).await,
        ["developers", email, "apps"] => apps::collection(&call, email).await,
        ["developers", email, "apps", app] => apps::one(&call, email, app).await,
        ["developers", email, "apps", app, "keys", "create"] => keys::create(&call, email, app).await,
        ["developers", email, "apps", app, "keys", key] => keys::one(&call, email, app, key).await,
        ["developers", email, "apps", app, "keys", key, "apiproducts", product] => {
            keys::product(&call, email, app, key, product).await
        }
        _ => Err(ApigeeProblem::missing("messaging.config.beans.NotFound", "Resource", path)),
    };
    answered.map(|(status, value)| match status {
        StatusCode::NO_CONTENT => status.into_response(),
        status => (status, axum::Json(value)).into_response(),
    })
}

async fn authenticate(parts: &Parts, headers: &HeaderMap) -> Result<Caller, ApigeeProblem> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credentials = value.and_then(|value| value.parse::<Credentials>().ok());
    let credentials = credentials.filter(|credentials| !matches!(credentials, Credentials::Connector(_)));
    match parts.authenticator.caller(&credentials.ok_or(ApigeeProblem::Unauthorized)?).await {
        Ok(caller) => Ok(caller),
        Err(AuthFailure::Refused(_)) => Err(ApigeeProblem::Unauthorized),
        Err(AuthFailure::TooMany { retry_after_seconds }) => Err(ApigeeProblem::TooMany(retry_after_seconds)),
        Err(AuthFailure::Unavailable(why)) => Err(ApigeeProblem::Internal(why)),
    }
}

async fn read(management: &Management, caller: String, request: Request) -> Result<Call<'_>, ApigeeProblem> {
    let parts = management.parts();
    let method = request.method().clone();
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().to_owned();
    // What a page of another site can make a browser send with Basic credentials it remembers is a form or
    // plain text; neither is taken here.
    let foreign = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"];
    if method == Method::POST && (kind.is_empty() || foreign.iter().any(|form| kind.starts_with(form))) {
        return Err(ApigeeProblem::bad("Content-Type must be application/json or application/octet-stream"));
    }
    let query: Vec<(String, String)> =
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
    let option = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let bytes =
        body::read(request.into_body(), parts.settings.body_bytes).await.map_err(ApigeeProblem::Body)?;
    let body = if bytes.trim_ascii().is_empty() {
        Map::new()
    } else {
        serde_json::from_slice(&bytes)
            .map_err(|error| ApigeeProblem::bad(format!("the body is no JSON object: {error}")))?
    };
    Ok(Call {
        management,
        parts,
        caller,
        method,
        action: option("action"),
        expand: option("expand").as_deref() == Some("true"),
        body,
    })
}

impl Call<'_> {
    fn stamp(&self) -> Stamp {
        Stamp::new(self.parts.clock.now().as_i64(), &self.caller)
    }

    fn unsupported(&self) -> ApigeeProblem {
        ApigeeProblem::Method(self.method.to_string())
    }

    async fn write(&self) -> Result<WriteTx, ApigeeProblem> {
        let tx = self.parts.store.write().await?;
        // Products, apps and keys refer to each other: two changes at once would not see each other.
        tx.begin_design_change(self.parts.organization()).await?;
        Ok(tx)
    }

    /// Makes the change durable and live.
    async fn commit(&self, tx: WriteTx) -> Result<(), ApigeeProblem> {
        // A client that leaves now must not leave a change behind that is committed and not live.
        let management = self.management.clone();
        let committed = tokio::spawn(async move {
            let parts = management.parts();
            parts.note(&tx, &[LivePart::Keys]).await?;
            tx.commit().await?;
            let published = parts.publish(&[LivePart::Keys], None).await;
            published.map(drop).map_err(|failure| ApigeeProblem::Internal(failure.into()))
        });
        committed.await.map_err(|stopped| ApigeeProblem::Internal(stopped.into()))?
    }

    /// A text of the body: at most 1 KiB, no control characters.
    fn text(&self, name: &str) -> Result<Option<&str>, ApigeeProblem> {
        match self.body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.len() <= 1024 && !text.contains(char::is_control) => {
                Ok(Some(text))
            }
            Some(_) => Err(ApigeeProblem::bad(format!("{name} must be a text of at most 1024 bytes"))),
        }
    }

    /// A text of the body that must be there.
    fn required(&self, name: &str) -> Result<&str, ApigeeProblem> {
        let text = self.text(name)?.map(str::trim).filter(|text| !text.is_empty());
        text.ok_or_else(|| ApigeeProblem::bad(format!("{name} must be given")))
    }

    /// A list of texts of the body.
    fn texts(&self, name: &str) -> Result<Vec<String>, ApigeeProblem> {
        let rule = || ApigeeProblem::bad(format!("{name} must be a list of at most 1000 texts"));
        match self.body.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) if items.len() <= 1000 => {
                items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(rule)).collect()
            }
            Some(_) => Err(rule()),
        }
    }

    /// `attributes` of the body, checked.
    fn attributes(&self) -> Result<Value, ApigeeProblem> {
        let rule =
            || ApigeeProblem::bad("attributes must be a list of at most 18 {\"name\", \"value\"} pairs");
        let pair = |item: &Value| match (item["name"].as_str(), item["value"].as_str()) {
            (Some(name), Some(value)) if !name.is_empty() && name.len() <= 255 && value.len() <= 2048 => {
                Ok(json!({"name": name, "value": value}))
            }
            _ => Err(rule()),
        };
        match self.body.get("attributes") {
            None | Some(Value::Null) => Ok(json!([])),
            Some(Value::Array(items)) if items.len() <= 18 => items.iter().map(pair).collect(),
            Some(_) => Err(rule()),
        }
    }
}

/// A stored JSON object.
fn document(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

/// The four fields that every entity of this API ends with.
fn stamped(mut fields: Map<String, Value>, stamp: &Stamp) -> Value {
    fields.insert("createdAt".into(), stamp.created_ms.into());
    fields.insert("createdBy".into(), stamp.created_by.clone().into());
    fields.insert("lastModifiedAt".into(), stamp.changed_ms.into());
    fields.insert("lastModifiedBy".into(), stamp.changed_by.clone().into());
    Value::Object(fields)
}
