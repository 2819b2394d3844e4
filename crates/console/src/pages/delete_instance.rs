//! Deleting a connector instance.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::confirm::Deletion;
use super::instance::instance_path;
use super::providers::list_providers;
use super::proxies::list_proxies;
use crate::Console;
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Crumb, Place};
use crate::visit::SignedIn;
use crate::wire::{ApiProvider, Instance, Wire, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/instances/{id}/delete", get(ask).post(delete))
}

async fn deletion(wire: &Wire, id: &str) -> Result<Deletion, Interrupted> {
    let instance: Instance = wire.get(&instance_path(id)?).await?;
    let hub_providers: Vec<_> =
        list_providers(wire).await?.into_iter().filter(ApiProvider::is_open_connectors).collect();
    let proxies = list_proxies(wire).await?;
    let calls_hub = |name: &str| hub_providers.iter().any(|provider| provider.name == name);
    // Which token a map holds is sealed, so all proxies before the hub are named, with that said.
    let breaks = proxies
        .into_iter()
        .filter(|proxy| calls_hub(&proxy.provider_name))
        .map(|proxy| Crumb { href: format!("/console/proxies/{}", escape(&proxy.name)), label: proxy.name });
    Ok(Deletion {
        kind: "instance",
        name: instance.name,
        sentence:
            "Its credentials and its token are gone for good. Calls with the token answer 401 from then \
                   on. To stop it for a while, disable it instead."
                .into(),
        breaks_heading: "API proxies call connectors here; one that holds this instance's token will fail:",
        breaks: breaks.collect(),
        back: format!("/console/instances/{id}"),
        place: Place::Instances,
        list: ("Instances", "/console/instances"),
    })
}

async fn ask(SignedIn { visit, wire }: SignedIn, Path(id): Path<String>) -> Result<Response, Interrupted> {
    deletion(&wire, &id).await?.ask(&visit)
}

async fn delete(
    SignedIn { visit, wire }: SignedIn,
    Path(id): Path<String>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let asked = deletion(&wire, &id).await?;
    let mistakes = asked.check(&typed);
    if !mistakes.none() {
        return asked.again(&visit, &typed, mistakes);
    }
    match wire.send(Method::DELETE, &instance_path(&id)?, None).await {
        Ok(_) => Ok(Redirect::to("/console/instances?done=deleted").into_response()),
        Err(problem) => asked.refused(&visit, &typed, problem),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn deleting_names_what_will_break_and_asks_for_the_name() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/instances/501/delete").await;
        page.expect(200).has("/console/proxies/Googledrive").has("Type the name to confirm");

        let wrong = browser.submit(&page, "/console/instances/501/delete", &[("confirm", "sales")]).await;
        wrong.expect(400).has("This is not the name");
        browser.get("/console/instances/501").await.expect(200);

        let done =
            browser.submit(&page, "/console/instances/501/delete", &[("confirm", "Sales drive")]).await;
        browser.get(done.redirect()).await.has("Deleted").has_not("Sales drive");
        browser.get("/console/instances/501").await.expect(404);
    }
}
