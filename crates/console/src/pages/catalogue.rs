//! The connector catalogue.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use super::matches;
use crate::Console;
use crate::interrupted::Interrupted;
use crate::shell::{Place, Shell, html};
use crate::visit::SignedIn;
use crate::wire::{Element, Wire, WireProblem, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/connectors", get(catalogue))
}

#[derive(Template)]
#[template(path = "pages/catalogue.html")]
struct CataloguePage {
    shell: Shell,
    query: String,
    hub: String,
    hubs: BTreeSet<String>,
    connectors: Vec<Element>,
    total: usize,
}

impl CataloguePage {
    fn hub_href(&self, hub: &str) -> String {
        format!("/console/connectors?hub={}&q={}", escape(hub), escape(&self.query))
    }
}

/// Every connector; none is an empty list, which the wire says by 404 (reference §3).
pub(super) async fn list_elements(wire: &Wire) -> Result<Vec<Element>, WireProblem> {
    match wire.get("/elements/api-v2/elements?pageSize=200").await {
        Err(problem) if problem.status == 404 => Ok(Vec::new()),
        other => other,
    }
}

async fn catalogue(SignedIn { visit, wire }: SignedIn) -> Result<Response, Interrupted> {
    let mut connectors = list_elements(&wire).await?;
    connectors.sort_by_key(|element| element.name.to_lowercase());
    let (query, hub) = (visit.query.trimmed("q").to_owned(), visit.query.trimmed("hub").to_owned());
    let total = connectors.len();
    let hubs = connectors.iter().map(|element| element.hub.clone()).filter(|hub| !hub.is_empty()).collect();
    connectors.retain(|element| hub.is_empty() || element.hub == hub);
    connectors.retain(|element| matches(&searchable(element), &query));
    let shell = Shell::new(&visit, "Connectors", Place::Catalogue).behind(&wire);
    html(&CataloguePage { shell, query, hub, hubs, connectors, total })
}

fn searchable(element: &Element) -> String {
    format!("{} {} {} {}", element.name, element.key, element.hub, element.description)
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn connectors_are_found_by_word_and_by_hub() {
        let browser = Browser::signed_in().await;
        browser.get("/console/connectors").await.expect(200).has("Google Drive").has("WebDAV").has("HubSpot");

        browser.get("/console/connectors?q=drive").await.has("Google Drive").has_not("HubSpot</a>");
        browser.get("/console/connectors?hub=crm").await.has("HubSpot</a>").has_not("WebDAV</a>");
        browser.get("/console/connectors?q=zzz").await.has("No connector fits");
    }

    #[tokio::test]
    async fn what_was_typed_is_escaped() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/connectors?q=%22%3E%3Cscript%3E").await;
        page.has("&#34;&#62;&#60;script&#62;").has_not("\"><script>");
    }
}
