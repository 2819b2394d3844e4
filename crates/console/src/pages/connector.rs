//! One connector: what it is, what it needs, what it can do.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;

use super::instances::{InstanceRow, list_instances};
use crate::Console;
use crate::interrupted::Interrupted;
use crate::shell::{Place, Shell, html};
use crate::visit::SignedIn;
use crate::wire::{Element, ElementResource, Wire, WireProblem, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/connectors/{key}", get(connector))
}

#[derive(Template)]
#[template(path = "pages/connector.html")]
struct ConnectorPage {
    shell: Shell,
    element: Element,
    resources: Vec<ElementResource>,
    instances: Vec<InstanceRow>,
}

/// Reads one connector.
pub(super) async fn read_element(wire: &Wire, key: &str) -> Result<Element, WireProblem> {
    wire.get(&format!("/elements/api-v2/elements/{}", escape(key))).await
}

async fn connector(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(key): Path<String>,
) -> Result<Response, Interrupted> {
    let element = read_element(&wire, &key).await?;
    let now = console.clock.now();
    let mut instances = list_instances(&wire, "").await?.0;
    instances.retain(|instance| instance.element.key == element.key);
    let resources = element.resources.iter().filter(|one| matches!(one.kind.as_str(), "" | "api"));
    let page = ConnectorPage {
        shell: Shell::new(&visit, &element.name, Place::Catalogue)
            .crumb("Connectors", "/console/connectors")
            .behind(&wire),
        resources: resources.cloned().collect(),
        instances: instances.iter().map(|instance| InstanceRow::new(instance, now)).collect(),
        element,
    };
    html(&page)
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn a_connector_says_what_it_needs_and_what_it_can_do() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/connectors/googledrive").await;
        page.expect(200).has("OAuth 2.0").has("oauth.api.key").has("/hubs/documents/files");
        page.has("/console/instances/new/googledrive").has("Connect Google Drive").has("Sales drive");
    }

    #[tokio::test]
    async fn an_unknown_connector_is_a_page_with_the_request_id() {
        let browser = Browser::signed_in().await;
        browser.get("/console/connectors/nonesuch").await.expect(404).has("nonesuch").has("request id");
    }
}
