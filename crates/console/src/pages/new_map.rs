//! Creating a key value map.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::proxies::list_proxies;
use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::{SignedIn, Visit};
use crate::wire::{MapAddress, SERVICE, Wire};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/maps/new", get(form).post(create))
}

#[derive(Template)]
#[template(path = "pages/new_map.html")]
struct NewMapPage {
    shell: Shell,
    typed: Fields,
    /// Whether the box for encryption is ticked.
    encrypted: bool,
    proxies: Vec<String>,
    mistakes: Mistakes,
}

impl NewMapPage {
    async fn new(
        visit: &Visit,
        wire: &Wire,
        typed: Fields,
        encrypted: bool,
        mistakes: Mistakes,
    ) -> Result<Self, Interrupted> {
        let proxies = list_proxies(wire).await?.into_iter().map(|proxy| proxy.name).collect();
        let path = format!("{SERVICE}/GenericKeyMapEntries");
        let sends = wire.shown_call(&Method::POST, &path, Some(&body(&typed, encrypted)));
        let shell = Shell::new(visit, "Create a key value map", Place::Maps)
            .crumb("Key value maps", "/console/maps")
            .sends(sends);
        Ok(Self { shell, typed, encrypted, proxies, mistakes })
    }

    fn scope(&self) -> &str {
        match self.typed.get("scope") {
            "" => "ENV",
            scope => scope,
        }
    }
}

fn address(typed: &Fields) -> MapAddress {
    let scope = match typed.trimmed("scope") {
        "" => "ENV",
        scope => scope,
    };
    let scope_id = if scope == "APIPROXY" { typed.trimmed("scopeId") } else { "" };
    MapAddress { name: typed.trimmed("name").into(), scope: scope.into(), scope_id: scope_id.into() }
}

fn body(typed: &Fields, encrypted: bool) -> Value {
    let address = address(typed);
    let entries: Vec<_> = match typed.trimmed("key") {
        "" => vec![],
        key => vec![address.entry(key, typed.get("value"))],
    };
    json!({
        "name": address.name, "scope": address.scope, "scopeId": address.scope_id,
        "isEncrypted": encrypted, "genericKeyMapEntryValues": entries,
    })
}

async fn form(SignedIn { visit, wire }: SignedIn) -> Result<Response, Interrupted> {
    let typed = visit.query.clone();
    html(&NewMapPage::new(&visit, &wire, typed, true, Mistakes::default()).await?)
}

async fn create(SignedIn { visit, wire }: SignedIn, Posted(typed): Posted) -> Result<Response, Interrupted> {
    let mut mistakes = Mistakes::default();
    mistakes.needs(&typed, "name", "Give the map a name.");
    if typed.get("scope") == "APIPROXY" {
        mistakes.needs(&typed, "scopeId", "Choose the API proxy that the map belongs to.");
    }
    if typed.trimmed("key").is_empty() && !typed.get("value").is_empty() {
        mistakes.field("key", "A value needs a key.");
    }
    let encrypted = typed.ticked("encrypted");
    if mistakes.none() {
        let made = wire
            .send(Method::POST, &format!("{SERVICE}/GenericKeyMapEntries"), Some(&body(&typed, encrypted)))
            .await;
        match made {
            Ok(_) => {
                let to = format!("/console/maps/map?{}&done=created", address(&typed).query());
                return Ok(Redirect::to(&to).into_response());
            }
            Err(problem) if problem.is_signed_out() => return Err(Interrupted::SignIn),
            Err(problem) => problem.onto(
                &mut mistakes,
                &[
                    ("exists already", "name"),
                    ("scopeId", "scopeId"),
                    ("scope", "scope"),
                    ("value", "value"),
                    ("key", "key"),
                    ("name", "name"),
                ],
            ),
        }
    }
    let page = NewMapPage::new(&visit, &wire, typed, encrypted, mistakes).await?;
    Ok((StatusCode::BAD_REQUEST, html(&page)?).into_response())
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn a_map_is_made_with_its_first_entry() {
        let browser = Browser::signed_in().await;
        let form = browser.get("/console/maps/new?scope=APIPROXY&scopeId=Petstore").await;
        form.expect(200).has("<option value=\"Petstore\" selected");
        let typed = [
            ("name", "keys"),
            ("scope", "APIPROXY"),
            ("scopeId", "Petstore"),
            ("encrypted", "on"),
            ("key", "a"),
            ("value", "hidden-1"),
        ];
        let made = browser.submit(&form, "/console/maps/new", &typed).await;
        let page = browser.get(made.redirect()).await;
        page.expect(200).has("Created").has("/console/proxies/Petstore").has_not("hidden-1");
        assert_eq!(browser.control().last_body()["genericKeyMapEntryValues"][0]["mapName"], "keys");
    }

    #[tokio::test]
    async fn a_value_without_a_key_and_a_map_without_a_name_are_mistakes() {
        let browser = Browser::signed_in().await;
        let form = browser.get("/console/maps/new").await;
        let answer = browser.submit(&form, "/console/maps/new", &[("value", "v"), ("scope", "ENV")]).await;
        answer.expect(400).has("Give the map a name.").has("A value needs a key.");
    }
}
