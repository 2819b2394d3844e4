//! The pages: one file each, with its handler, its view and its tests.

mod catalogue;
mod confirm;
mod connector;
mod consent;
mod delete_instance;
mod delete_map;
mod delete_provider;
mod delete_proxy;
mod design;
mod develop;
mod edit_provider;
mod family;
mod files;
mod flow_hooks;
mod import_bundle;
mod instance;
mod instances;
mod login;
mod map;
mod maps;
mod new_instance;
mod new_map;
mod new_proxy;
mod overview;
mod providers;
mod proxies;
mod proxy;
mod reconnect;
mod revisions;
mod search;
mod secrets;
mod settings_form;
mod setup;
mod shared_flows;
mod target_servers;
mod theme;
mod trace;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;

use crate::Console;
use crate::interrupted::Interrupted;

/// Every route of the console.
pub(crate) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .merge(login::routes())
        .merge(setup::routes())
        .merge(overview::routes())
        .merge(search::routes())
        .merge(secrets::routes())
        .merge(catalogue::routes())
        .merge(connector::routes())
        .merge(instances::routes())
        .merge(new_instance::routes())
        .merge(consent::routes())
        .merge(instance::routes())
        .merge(files::routes())
        .merge(reconnect::routes())
        .merge(delete_instance::routes())
        .merge(providers::routes())
        .merge(edit_provider::routes())
        .merge(delete_provider::routes())
        .merge(proxies::routes())
        .merge(new_proxy::routes())
        .merge(proxy::routes())
        .merge(delete_proxy::routes())
        .merge(import_bundle::routes())
        .merge(revisions::routes())
        .merge(develop::routes())
        .merge(shared_flows::routes())
        .merge(target_servers::routes())
        .merge(flow_hooks::routes())
        .merge(maps::routes())
        .merge(new_map::routes())
        .merge(map::routes())
        .merge(delete_map::routes())
        .merge(trace::routes())
        .merge(theme::routes())
        .merge(design::routes())
        .route("/console/", get(slashless))
        .route("/console/{*rest}", get(nowhere).post(nowhere))
}

async fn slashless() -> axum::response::Redirect {
    axum::response::Redirect::permanent("/console")
}

async fn nowhere(State(_): State<Arc<Console>>, uri: Uri) -> Interrupted {
    Interrupted::Missing(format!("page at {}", uri.path()))
}

pub(crate) use develop::POLICIES;
pub(crate) use family::family;

/// The icon that goes with a pill's tone: state is told by shape, not colour alone.
pub(crate) fn pill_icon(tone: &str) -> &'static str {
    match tone {
        "good" => "circle-check",
        "warn" => "triangle-alert",
        "bad" => "circle-x",
        "info" => "info",
        _ => "circle-dashed",
    }
}

/// The first letter of a name, for tiles without an icon.
pub(crate) fn initial(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "·".into(), |c| c.to_uppercase().collect())
}

/// Whether `text` holds every word of `query`, in any case.
pub(crate) fn matches(text: &str, query: &str) -> bool {
    let text = text.to_lowercase();
    query.to_lowercase().split_whitespace().all(|word| text.contains(word))
}
