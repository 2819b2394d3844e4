//! Hub calls: authenticated by `User` and `Element`, answered by the connector of the token.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, header};
use http_body::Body as _;
use pierhead_domain::RequestId;
use pierhead_domain::hub_paths::HubPath;
use pierhead_web::request_id::{self, ELEMENTS_REQUEST_ID, X_REQUEST_ID};
use serde_json::json;
use tokio::time::Instant;

use super::answer::hub_answer;
use super::extract::{element_auth, query_pairs};
use super::resource_path::ResourcePath;
use super::stream_limit::{CutSeen, StreamLimit};
use super::{BASE, objects};
use crate::engine::{CallProblem, HubAnswer, HubCall, empty_body};
use crate::hub::{Hub, HubProblem};
use crate::instance::{Line, LiveInstance};

/// Which way a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// The control listener.
    Router,
    /// The gateway, on behalf of a stranger: platform paths are forbidden, not merely absent.
    Gateway,
}

/// Whatever the router's table does not know.
pub(super) async fn from_router(State(hub): State<Hub>, request: Request) -> Result<Response, HubProblem> {
    let path = ResourcePath::read(request.uri().path()).map_err(|why| HubProblem::Bad(why.to_string()))?;
    if path.kind == HubPath::Platform {
        return Err(HubProblem::NotFound("There is no such path".into()));
    }
    call(&hub, Door::Router, path, request).await
}

impl Hub {
    /// The gateway's way in: hub calls only, whatever the path's spelling, with the three secrets in the
    /// `Authorization` header. Never fails: every outcome is an answer in the hub's dialect.
    ///
    /// The path must lie below `/elements/api-v2`. Platform paths, and paths that could be read as one,
    /// answer 403; `/accounts` and `/users` pass where the instance's connector has such a resource.
    pub async fn in_process(&self, request: Request) -> Response {
        let given = request.extensions().get::<RequestId>().cloned();
        let id = given.unwrap_or_else(|| RequestId::new(self.clock.now(), self.rng.as_ref()));
        // Problems become answers inside of the scope, so that they carry the request's id.
        let work =
            async { self.through_the_gateway(request).await.unwrap_or_else(IntoResponse::into_response) };
        let mut answer = request_id::scope(id, work).await;
        if let Ok(id) = http::HeaderValue::from_str(id.as_str()) {
            answer.headers_mut().insert(ELEMENTS_REQUEST_ID, id.clone());
            answer.headers_mut().insert(X_REQUEST_ID, id);
        }
        answer
    }

    async fn through_the_gateway(&self, request: Request) -> Result<Response, HubProblem> {
        let closed = |why: &str| HubProblem::Forbidden(format!("Only hub calls pass here: {why}"));
        let path = one_slash(request.uri().path());
        let below = path.strip_prefix(BASE).filter(|below| below.is_empty() || below.starts_with('/'));
        let below = below.ok_or_else(|| closed("the path does not lie below /elements/api-v2"))?;
        let path = ResourcePath::read(below).map_err(|why| closed(&why.to_string()))?;
        if path.kind == HubPath::Platform {
            return Err(closed("this path is the platform's"));
        }
        call(self, Door::Gateway, path, request).await
    }
}

async fn call(hub: &Hub, door: Door, path: ResourcePath, request: Request) -> Result<Response, HubProblem> {
    let begun = Instant::now();
    let (method, resource) = (request.method().clone(), path.resource.clone());
    let outcome = admitted(hub, door, path, request).await;
    let took_ms = begun.elapsed().as_millis();
    let (status, vendor) = match &outcome {
        Ok(answer) => (answer.status().as_u16(), None),
        Err(HubProblem::Call(problem)) => {
            (problem.status.as_u16(), problem.provider.as_ref().map(|fault| fault.status.as_u16()))
        }
        Err(problem) => (problem.code(), None),
    };
    tracing::debug!(
        target: "pierhead::hub",
        %method, resource, status, vendor_status = vendor, took_ms,
        "{method} {resource} {status} in {took_ms} ms"
    );
    outcome
}

async fn admitted(
    hub: &Hub,
    door: Door,
    path: ResourcePath,
    request: Request,
) -> Result<Response, HubProblem> {
    let (parts, body) = request.into_parts();
    let (auth, token) = element_auth(&parts.headers)?;
    let caller = hub.authenticator.connector_caller(&auth).await?;
    let live = hub.directory.by_token(&hub.store, &token, hub.clock.now()).await?;
    let live = live.filter(|live| live.belongs_to(&caller)).ok_or_else(HubProblem::bad_token)?;
    if door == Door::Gateway && path.kind == HubPath::Shared && !has_resource(&live, path.root()) {
        return Err(HubProblem::Forbidden("Only hub calls pass here: this path is the platform's".into()));
    }
    let limit = StreamLimit { bytes: hub.settings.stream_limit, time: hub.settings.stream_time };
    let id = live.stored.id;
    if objects::described(&parts.method, &path) {
        return Ok(hub_answer(
            objects::describe(&live.connector, &path, &query_pairs(parts.uri.query())?, &parts.headers)?,
            id,
            limit,
        ));
    }
    if live.stored.disabled {
        return Err(HubProblem::Forbidden(format!(
            "Instance {id} is disabled; PUT /instances/{id}/enabled enables it"
        )));
    }
    let head = parts.method == Method::HEAD;
    let answer = if path.resource == "/ping" && matches!(parts.method, Method::GET | Method::HEAD) {
        ping(hub, live).await?
    } else {
        refuse_large(&body, limit)?;
        let seen = CutSeen::default();
        let call = HubCall {
            method: if head { Method::GET } else { parts.method },
            resource: path.resource,
            query: query_pairs(parts.uri.query())?,
            headers: for_engine(parts.headers),
            body: limit.bound_and_tell(body, seen.clone()),
            deadline: Some(Instant::now() + limit.time),
        };
        let outcome = run(hub, live, call, limit).await;
        match seen.get() {
            // Whatever the reader made of a body that we cut.
            Some(cut) if outcome.is_err() => return Err(over_limit(cut.to_string()).into()),
            _ => outcome?,
        }
    };
    let answer = if head { HubAnswer { body: empty_body(), ..answer } } else { answer };
    Ok(hub_answer(answer, id, limit))
}

/// Makes one call of the engine, within the hub's time.
pub(super) async fn run(
    hub: &Hub,
    live: Arc<LiveInstance>,
    call: HubCall,
    limit: StreamLimit,
) -> Result<HubAnswer, HubProblem> {
    let line = Line::new(hub, live);
    match tokio::time::timeout(limit.time, hub.engine.call(&line, call)).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => {
            Err(over_limit(format!("The call took longer than {} seconds", limit.time.as_secs())).into())
        }
    }
}

async fn ping(hub: &Hub, live: Arc<LiveInstance>) -> Result<HubAnswer, HubProblem> {
    let key = live.connector.key.clone();
    let line = Line::new(hub, live);
    hub.engine.verify(&line).await?;
    let now = hub.clock.now().rfc3339_seconds();
    Ok(HubAnswer::json(&json!({"dateTime": now, "endpoint": key, "valid": true})))
}

/// Says before the first byte that an upload is too large, where its length is known (open-connectors §8.4).
fn refuse_large(body: &Body, limit: StreamLimit) -> Result<(), HubProblem> {
    if body.size_hint().lower() > limit.bytes {
        return Err(over_limit(format!("The body is larger than {} bytes", limit.bytes)).into());
    }
    Ok(())
}

/// The original answers its streaming limits with 429.
fn over_limit(message: String) -> CallProblem {
    CallProblem::new(StatusCode::TOO_MANY_REQUESTS, message)
}

fn has_resource(live: &LiveInstance, root: &str) -> bool {
    let roots = live.connector.operations.iter().filter_map(|operation| operation.path.split('/').nth(1));
    roots.into_iter().any(|known| known == root)
}

/// The engine sees no secret of ours.
fn for_engine(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(header::AUTHORIZATION);
    headers.remove(header::COOKIE);
    headers
}

/// Published samples double slashes; they mean one.
fn one_slash(path: &str) -> String {
    path.split('/').filter(|segment| !segment.is_empty()).flat_map(|segment| ["/", segment]).collect()
}
