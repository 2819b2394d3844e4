//! Deleting an API proxy.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::confirm::Deletion;
use super::maps::list_maps;
use super::proxy::proxy_path;
use crate::Console;
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Crumb, Place};
use crate::visit::SignedIn;
use crate::wire::{ApiProxy, Single, Wire, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/proxies/{name}/delete", get(ask).post(delete))
}

async fn deletion(wire: &Wire, name: &str) -> Result<Deletion, Interrupted> {
    let path = format!("{}?$format=json&$expand=proxyEndPoints", proxy_path(name));
    let proxy = wire.get::<Single<ApiProxy>>(&path).await?.d;
    let maps =
        list_maps(wire).await?.into_iter().filter(|map| map.scope == "APIPROXY" && map.scope_id == name);
    let sentence = if proxy.deployed() {
        format!("The gateway stops answering at {} at once.", proxy.base_path())
    } else {
        "It is not deployed, so no client is affected.".to_owned()
    };
    Ok(Deletion {
        kind: "proxy",
        sentence,
        name: proxy.name,
        breaks_heading: "These key value maps belong to it:",
        breaks: maps
            .map(|map| Crumb {
                href: format!("/console/maps/map?{}", map.address().query()),
                label: map.name,
            })
            .collect(),
        back: format!("/console/proxies/{}", escape(name)),
        place: Place::Proxies,
        list: ("API proxies", "/console/proxies"),
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
    match wire.send(Method::DELETE, &proxy_path(&name), None).await {
        Ok(_) => Ok(Redirect::to("/console/proxies?done=deleted").into_response()),
        Err(problem) => asked.refused(&visit, &typed, problem),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn deleting_a_deployed_proxy_says_that_it_stops_answering() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/proxies/Googledrive/delete").await;
        page.expect(200).has("stops answering at /googledrive").has("apim.oc.instance.token");
        let done =
            browser.submit(&page, "/console/proxies/Googledrive/delete", &[("confirm", "Googledrive")]).await;
        browser.get(done.redirect()).await.has("Deleted").has_not("/console/proxies/Googledrive");
    }
}
