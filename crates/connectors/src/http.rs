//! The hub's HTTP face: `/elements/api-v2` (open-connectors §§7–10).
//!
//! Platform routes stand in the table below. Whatever is not in it and addresses no platform root is a hub
//! call: any hub word, or none, since the token decides the connector.

mod answer;
mod call;
mod configuration;
mod elements;
mod extract;
mod flags;
mod hubs;
mod icon;
mod instance;
mod instances;
mod links;
mod list;
mod oauth_url;
mod objects;
mod resource_path;
mod stream_limit;
#[cfg(test)]
mod tests;
mod wire;

use axum::Router;
use axum::routing::{any, get, put};

use crate::hub::{Hub, HubProblem};

/// The path below which everything of the hub lies.
pub(crate) const BASE: &str = "/elements/api-v2";

/// All routes of `hub` below `/elements/api-v2`. The binary merges them with the platform routes of other
/// faces, which win over the catch-all here.
pub fn router(hub: Hub) -> Router {
    let routes = Router::new()
        .route("/elements", get(elements::list))
        .route("/elements/keys", get(elements::keys))
        .route("/elements/{key_or_id}", get(elements::one))
        .route("/elements/{key_or_id}/metadata", get(elements::metadata))
        .route("/elements/{key_or_id}/configuration", get(elements::configuration))
        .route("/elements/{key_or_id}/configuration/{config}", get(elements::configuration_one))
        .route("/elements/{key_or_id}/resources", get(elements::resources))
        .route("/elements/{key_or_id}/icon.svg", get(icon::get))
        .route("/elements/{key_or_id}/oauth/url", get(oauth_url::get).post(oauth_url::post))
        .route("/elements/{key_or_id}/instances", get(instances::list).post(instances::create))
        .route(
            "/elements/{key_or_id}/instances/{id}",
            get(instance::get).put(instance::change).patch(instance::change).delete(instance::delete),
        )
        .route("/hubs", get(hubs::list))
        .route("/hubs/keys", get(hubs::keys))
        .route("/hubs/{key}", get(hubs::one))
        .route("/hubs/{key}/elements", get(hubs::elements))
        .route(
            "/instances",
            get(instances::list)
                .post(instances::create)
                .put(instance::change)
                .patch(instance::change)
                .delete(instance::delete),
        )
        .route("/instances/count", get(instances::count))
        .route(
            "/instances/{id}",
            get(instance::get).put(instance::change).patch(instance::change).delete(instance::delete),
        )
        .route("/instances/configuration", get(configuration::list))
        .route("/instances/{id}/configuration", get(configuration::list))
        .route("/instances/configuration/{config}", get(configuration::one).patch(configuration::change))
        .route("/instances/{id}/configuration/{config}", get(configuration::one).patch(configuration::change))
        .route("/instances/enabled", put(flags::enable).delete(flags::disable))
        .route("/instances/{id}/enabled", put(flags::enable).delete(flags::disable))
        .route("/instances/trace-logging", put(flags::trace).delete(flags::untrace))
        .route("/instances/{id}/trace-logging", put(flags::trace).delete(flags::untrace))
        .route("/links/{token}", get(links::download))
        .route("/{*path}", any(call::from_router))
        .method_not_allowed_fallback(async || HubProblem::Method)
        .with_state(hub);
    Router::new().nest(BASE, routes)
}
