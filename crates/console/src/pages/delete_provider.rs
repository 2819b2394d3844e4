//! Deleting an API provider.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::confirm::Deletion;
use super::edit_provider::provider_path;
use super::proxies::list_proxies;
use crate::Console;
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Crumb, Place};
use crate::visit::SignedIn;
use crate::wire::{ApiProvider, Single, Wire, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/providers/{name}/delete", get(ask).post(delete))
}

async fn deletion(wire: &Wire, name: &str) -> Result<Deletion, Interrupted> {
    let provider: Single<ApiProvider> = wire.get(&provider_path(name)).await?;
    let mut users = list_proxies(wire).await?;
    users.retain(|proxy| proxy.provider_name == provider.d.name);
    Ok(Deletion {
        kind: "provider",
        name: provider.d.name,
        sentence: "Its address and its secrets are gone for good.".into(),
        breaks_heading: "These API proxies send their requests to it:",
        breaks: users
            .into_iter()
            .map(|proxy| Crumb {
                href: format!("/console/proxies/{}", escape(&proxy.name)),
                label: proxy.name,
            })
            .collect(),
        back: format!("/console/providers/{}", escape(name)),
        place: Place::Providers,
        list: ("API providers", "/console/providers"),
    })
}

async fn ask(SignedIn { visit, wire }: SignedIn, Path(name): Path<String>) -> Result<Response, Interrupted> {
    deletion(&wire, &name).await?.ask(&visit)
}

async fn delete(
    SignedIn { visit, wire }: SignedIn,
    Path(name): Path<String>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let asked = deletion(&wire, &name).await?;
    let mistakes = asked.check(&typed);
    if !mistakes.none() {
        return asked.again(&visit, &typed, mistakes);
    }
    match wire.send(Method::DELETE, &provider_path(&name), None).await {
        Ok(_) => Ok(Redirect::to("/console/providers?done=deleted").into_response()),
        Err(problem) => asked.refused(&visit, &typed, problem),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn the_proxies_that_use_a_provider_are_named_and_the_wire_may_refuse() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/providers/OpenConnectors/delete").await;
        page.expect(200).has("/console/proxies/Googledrive");
        let answer = browser
            .submit(&page, "/console/providers/OpenConnectors/delete", &[("confirm", "OpenConnectors")])
            .await;
        answer.expect(400).has("is used by");

        let page = browser.get("/console/providers/Petstore/delete").await;
        let done =
            browser.submit(&page, "/console/providers/Petstore/delete", &[("confirm", "Petstore")]).await;
        browser.get(done.redirect()).await.has("Deleted").has_not("petstore.example");
    }
}
