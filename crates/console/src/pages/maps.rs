//! The list of key value maps.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use pierhead_domain::EpochMillis;

use super::matches;
use crate::Console;
use crate::interrupted::Interrupted;
use crate::shell::{Place, Shell, html};
use crate::times::Moment;
use crate::visit::SignedIn;
use crate::wire::{KeyMap, Listed, SERVICE, Wire, WireProblem};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/maps", get(maps))
}

/// A map as lists show it.
pub(super) struct MapRow {
    pub(super) name: String,
    pub(super) href: String,
    pub(super) scope: String,
    pub(super) encrypted: bool,
    pub(super) entries: usize,
    pub(super) changed: Option<Moment>,
}

impl MapRow {
    pub(super) fn new(map: &KeyMap, now: EpochMillis) -> Self {
        let address = map.address();
        Self {
            name: map.name.clone(),
            href: format!("/console/maps/map?{}", address.query()),
            scope: address.spoken(),
            encrypted: map.encrypted,
            entries: map.entries.results.len(),
            changed: Moment::read(&map.life_cycle.changed_at, now),
        }
    }
}

#[derive(Template)]
#[template(path = "pages/maps.html")]
struct MapsPage {
    shell: Shell,
    query: String,
    scope: String,
    rows: Vec<MapRow>,
    any: bool,
}

/// Every map of every scope, with its entries' names.
pub(super) async fn list_maps(wire: &Wire) -> Result<Vec<KeyMap>, WireProblem> {
    let path = format!("{SERVICE}/GenericKeyMapEntries?$format=json&$expand=genericKeyMapEntryValues");
    Ok(wire.get::<Listed<KeyMap>>(&path).await?.all())
}

async fn maps(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
) -> Result<Response, Interrupted> {
    let mut all = list_maps(&wire).await?;
    let now = console.clock.now();
    let any = !all.is_empty();
    let (query, scope) = (visit.query.trimmed("q").to_owned(), visit.query.trimmed("scope").to_owned());
    all.sort_by(|a, b| (&a.scope, &a.scope_id, &a.name).cmp(&(&b.scope, &b.scope_id, &b.name)));
    all.retain(|map| scope.is_empty() || map.scope == scope);
    let mut rows: Vec<_> = all.iter().map(|map| MapRow::new(map, now)).collect();
    rows.retain(|row| matches(&searchable(row), &query));
    let shell = Shell::new(&visit, "Key value maps", Place::Maps).behind(&wire);
    html(&MapsPage { shell, query, scope, rows, any })
}

fn searchable(row: &MapRow) -> String {
    format!("{} {}", row.name, row.scope)
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn maps_are_listed_by_scope() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/maps").await;
        page.expect(200).has("apim.oc.instance.token").has("API proxy Googledrive").has("limits");
        browser.get("/console/maps?scope=ENV").await.has("limits").has_not("apim.oc.instance.token</a>");
        browser.control().empty();
        browser.get("/console/maps").await.has("No key value map yet").has("GenericKeyMapEntries");
    }
}
