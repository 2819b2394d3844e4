//! The control listener: all faces but the data plane, behind one set of layers.

pub(crate) mod health;
pub(crate) mod listener;
mod paths;
mod per_address;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{Redirect, Response};
use axum::routing::get;
use pierhead_console::{ConsoleParts, ControlApi};
use pierhead_web::request_id::{self, RequestIds};
use pierhead_web::{cors, problem_json};
use tower::{Layer, ServiceExt};

use crate::server::Parts;
use crate::wiring::{Addresses, Rooms};
use health::Health;
pub(crate) use paths::HUB;

/// Everything the control listener serves.
pub(crate) fn router(rooms: &Rooms, parts: &Parts, health: Health, at: &Addresses) -> Router {
    let api = ControlApi::unbound();
    let snapshot = rooms.snapshot().load();
    let console = pierhead_console::router(ConsoleParts {
        api: api.clone(),
        gateway_url: format!("http://{}", at.gateway),
        organization: snapshot.organization().to_owned(),
        environment: snapshot.environment().to_owned(),
        public_url: at.public_url.clone(),
        clock: parts.clock.clone(),
        rng: parts.rng.clone(),
        key: rooms.vault.lookup().clone(),
    });
    // `/accounts` and `/users` exist twice; the Element part decides (open-connectors §6.2).
    let connectors = pierhead_connectors::router(rooms.hub.clone()).fallback(nothing_here);
    let identity = pierhead_identity::router(rooms.identity.clone());
    let platform = identity.fallback_service(connectors.clone());
    let elements = middleware::from_fn(move |request: Request, next: Next| {
        let connectors = connectors.clone();
        async move {
            if paths::is_connectors(request.uri(), request.headers()) {
                return connectors.oneshot(request).await.unwrap_or_else(|never| match never {});
            }
            next.run(request).await
        }
    });
    let ids = RequestIds { clock: parts.clock.clone(), rng: parts.rng.clone() };
    let routes = Router::new()
        .route("/", get(async || Redirect::temporary("/console")))
        .merge(health::router(health))
        .merge(pierhead_management::router(rooms.management.clone()))
        .merge(console)
        .fallback_service(platform.layer(elements))
        .layer(middleware::from_fn(cors::open_to_scripts))
        .layer(middleware::from_fn_with_state(ids, request_id::assign));
    let service = tower::util::MapRequestLayer::new(paths::single_slashes).layer(routes);
    api.bind(service.clone());
    Router::new().fallback_service(service)
}

/// A path that is no face's.
async fn nothing_here() -> Response {
    problem_json::error(StatusCode::NOT_FOUND, "there is nothing at this path", None)
}
