//! One key value map and its entries.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::instances::list_instances;
use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::{SignedIn, Visit};
use crate::wire::{Instance, KeyMap, MapAddress, SERVICE, Single, Wire, WireProblem};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/maps/map", get(map))
        .route("/console/maps/entry", post(put_entry))
        .route("/console/maps/entry/delete", post(delete_entry))
}

/// The map that the fixed OpenConnectors policy reads (API management reference §9.2).
const TOKEN_MAP: &str = "apim.oc.instance.token";

#[derive(Template)]
#[template(path = "pages/map.html")]
struct MapPage {
    shell: Shell,
    address: MapAddress,
    scope: String,
    encrypted: bool,
    entries: Vec<EntryRow>,
    /// The proxy's page, when the map belongs to one.
    proxy: String,
    /// Instances whose token can be put in with one click; only for the token map.
    instances: Vec<Instance>,
    typed: Fields,
    mistakes: Mistakes,
}

struct EntryRow {
    name: String,
    value: String,
}

/// A map's identity as its page's query and forms carry it.
pub(super) fn address(fields: &Fields) -> MapAddress {
    MapAddress {
        name: fields.get("name").into(),
        scope: fields.get("scope").into(),
        scope_id: fields.get("scopeId").into(),
    }
}

/// Reads a map with its entries.
pub(super) async fn read_map(wire: &Wire, address: &MapAddress) -> Result<KeyMap, WireProblem> {
    let path = format!("{}?$format=json&$expand=genericKeyMapEntryValues", address.path());
    Ok(wire.get::<Single<KeyMap>>(&path).await?.d)
}

async fn map(SignedIn { visit, wire }: SignedIn) -> Result<Response, Interrupted> {
    let address = address(&visit.query);
    page(&visit, &wire, address, Fields::default(), Mistakes::default()).await
}

async fn page(
    visit: &Visit,
    wire: &Wire,
    address: MapAddress,
    typed: Fields,
    mistakes: Mistakes,
) -> Result<Response, Interrupted> {
    let map = read_map(wire, &address).await?;
    let instances = match address.name.as_str() {
        TOKEN_MAP => list_instances(wire, "").await?.0,
        _ => Vec::new(),
    };
    let mut entries: Vec<_> = map
        .entries
        .results
        .into_iter()
        .map(|entry| EntryRow {
            name: entry.name,
            value: if map.encrypted { "********".into() } else { entry.value },
        })
        .collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let view = MapPage {
        shell: Shell::new(visit, &address.name, Place::Maps)
            .crumb("Key value maps", "/console/maps")
            .behind(wire),
        scope: address.spoken(),
        encrypted: map.encrypted,
        entries,
        proxy: if address.scope == "APIPROXY" { address.scope_id.clone() } else { String::new() },
        address,
        instances,
        typed,
        mistakes,
    };
    html(&view)
}

async fn put_entry(
    SignedIn { visit, wire }: SignedIn,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let address = address(&typed);
    let mut mistakes = Mistakes::default();
    mistakes.needs(&typed, "key", "Enter a key.");
    let value = match typed.get("instance") {
        "" => typed.get("value").to_owned(),
        id => token_of(&wire, id).await?,
    };
    if value.is_empty() {
        mistakes.field("value", "Enter a value.");
    }
    if mistakes.none() {
        match put(&wire, &address, typed.trimmed("key"), &value).await {
            Ok(()) => {
                let to = format!("/console/maps/map?{}&done=saved", address.query());
                return Ok(Redirect::to(&to).into_response());
            }
            Err(problem) if problem.is_signed_out() => return Err(Interrupted::SignIn),
            Err(problem) => {
                problem.onto(&mut mistakes, &[("value", "value"), ("key", "key"), ("name", "key")])
            }
        }
    }
    let page = page(&visit, &wire, address, typed, mistakes).await?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

/// Changes the entry, or makes it when there is none of this key.
async fn put(wire: &Wire, address: &MapAddress, key: &str, value: &str) -> Result<(), WireProblem> {
    let body = address.entry(key, value);
    let changed = wire.send(Method::PUT, &address.entry_path(key), Some(&body)).await;
    match changed {
        Err(problem) if problem.status == 404 => {
            let path = format!("{SERVICE}/GenericKeyMapEntryValues");
            wire.send(Method::POST, &path, Some(&body)).await.map(drop)
        }
        other => other.map(drop),
    }
}

async fn token_of(wire: &Wire, id: &str) -> Result<String, Interrupted> {
    Ok(wire.get::<Instance>(&super::instance::instance_path(id)?).await?.token)
}

async fn delete_entry(
    SignedIn { wire, .. }: SignedIn,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let address = address(&typed);
    wire.send(Method::DELETE, &address.entry_path(typed.get("key")), None).await?;
    Ok(Redirect::to(&format!("/console/maps/map?{}&done=deleted", address.query())).into_response())
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    const TOKENS: &[(&str, &str)] =
        &[("name", "apim.oc.instance.token"), ("scope", "APIPROXY"), ("scopeId", "Googledrive")];
    const TOKENS_PAGE: &str =
        "/console/maps/map?scope=APIPROXY&scopeId=Googledrive&name=apim.oc.instance.token";

    #[tokio::test]
    async fn encrypted_values_are_masked_and_plain_ones_are_shown() {
        let browser = Browser::signed_in().await;
        browser.get(TOKENS_PAGE).await.expect(200).has("********").has("Encrypted").has("Sales drive");
        browser.get("/console/maps/map?scope=ENV&scopeId=&name=limits").await.has("daily").has("1000");
        browser.get("/console/maps/map?scope=ENV&name=none").await.expect(404);
    }

    #[tokio::test]
    async fn an_instances_token_is_put_in_without_anybody_handling_it() {
        let browser = Browser::signed_in().await;
        let page = browser.get(TOKENS_PAGE).await;
        page.has_not("fJ5HQ135fW4okMt5AWq0hzm2X7kaK5OpQB0Uxjvlz6U=");
        let typed = [TOKENS, &[("key", "default"), ("instance", "501")]].concat();
        let saved = browser.submit(&page, "/console/maps/entry", &typed).await;
        browser.get(saved.redirect()).await.has("Saved");
        assert_eq!(browser.control().last_body()["value"], "fJ5HQ135fW4okMt5AWq0hzm2X7kaK5OpQB0Uxjvlz6U=");
    }

    #[tokio::test]
    async fn an_entry_is_added_changed_and_deleted_in_place() {
        let browser = Browser::signed_in().await;
        let map = [("name", "limits"), ("scope", "ENV"), ("scopeId", "")];
        let page = browser.get("/console/maps/map?scope=ENV&name=limits").await;

        let added = browser
            .submit(&page, "/console/maps/entry", &[&map[..], &[("key", "hourly"), ("value", "50")]].concat())
            .await;
        browser.get(added.redirect()).await.has("hourly").has("50");
        let empty = browser.submit(&page, "/console/maps/entry", &[&map[..], &[("key", "x")]].concat()).await;
        empty.expect(400).has("Enter a value.");
        let gone = browser
            .submit(&page, "/console/maps/entry/delete", &[&map[..], &[("key", "hourly")]].concat())
            .await;
        browser.get(gone.redirect()).await.has("Deleted").has_not("hourly");
    }
}
