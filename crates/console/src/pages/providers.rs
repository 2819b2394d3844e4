//! The list of API providers.

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
use crate::wire::{ApiProvider, Listed, SERVICE, Wire, WireProblem};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/providers", get(providers))
}

#[derive(Template)]
#[template(path = "pages/providers.html")]
struct ProvidersPage {
    shell: Shell,
    query: String,
    rows: Vec<ApiProvider>,
    any: bool,
}

/// Every provider, by name.
pub(super) async fn list_providers(wire: &Wire) -> Result<Vec<ApiProvider>, WireProblem> {
    let listed: Listed<ApiProvider> =
        wire.get(&format!("{SERVICE}/APIProviders?$format=json&$orderby=name")).await?;
    Ok(listed.all())
}

async fn providers(SignedIn { visit, wire }: SignedIn) -> Result<Response, Interrupted> {
    let mut providers = list_providers(&wire).await?;
    let any = !providers.is_empty();
    let query = visit.query.trimmed("q").to_owned();
    providers.retain(|provider| matches(&searchable(provider), &query));
    let shell = Shell::new(&visit, "API providers", Place::Providers).behind(&wire);
    html(&ProvidersPage { shell, query, rows: providers, any })
}

fn searchable(provider: &ApiProvider) -> String {
    format!("{} {} {} {}", provider.name, provider.title, provider.kind(), provider.target())
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn providers_say_their_type_and_where_they_lead() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/providers").await;
        page.expect(200).has("OpenConnectors").has("Open Connectors").has("this installation");
        page.has("https://petstore.example").has_not("ce7f1f9be0d2a8b1f37bcfa6d71eda20");
        browser.get("/console/providers?q=petstore").await.has("Petstore").has_not("OpenConnectors</a>");
    }

    #[tokio::test]
    async fn no_provider_yet_shows_how_to_make_one() {
        let browser = Browser::signed_in().await;
        browser.control().empty();
        let page = browser.get("/console/providers").await;
        page.has("No API provider yet").has("/console/providers/new").has("OPENCONNECTORS");
    }
}
