//! Deleting a key value map.

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::confirm::Deletion;
use super::map::{address, read_map};
use crate::Console;
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Crumb, Place};
use crate::visit::SignedIn;
use crate::wire::{MapAddress, Wire, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/maps/delete", get(ask).post(delete))
}

async fn deletion(wire: &Wire, address: &MapAddress) -> Result<Deletion, Interrupted> {
    let map = read_map(wire, address).await?;
    let breaks = match address.scope.as_str() {
        "APIPROXY" => vec![Crumb {
            href: format!("/console/proxies/{}", escape(&address.scope_id)),
            label: address.scope_id.clone(),
        }],
        _ => vec![],
    };
    let entries = map.entries.results.len();
    Ok(Deletion {
        kind: "map",
        name: map.name,
        sentence: match entries {
            1 => "Its entry is gone for good.".into(),
            n => format!("Its {n} entries are gone for good."),
        },
        breaks_heading: "Policies of this API proxy may read it, and fail without it:",
        breaks,
        back: format!("/console/maps/map?{}", address.query()),
        place: Place::Maps,
        list: ("Key value maps", "/console/maps"),
    })
}

async fn ask(SignedIn { visit, wire }: SignedIn) -> Result<Response, Interrupted> {
    deletion(&wire, &address(&visit.query)).await?.ask(&visit)
}

async fn delete(SignedIn { visit, wire }: SignedIn, Posted(typed): Posted) -> Result<Response, Interrupted> {
    let address = address(&visit.query);
    let asked = deletion(&wire, &address).await?;
    let mistakes = asked.check(&typed);
    if !mistakes.none() {
        return asked.again(&visit, &typed, mistakes);
    }
    match wire.send(Method::DELETE, &address.path(), None).await {
        Ok(_) => Ok(Redirect::to("/console/maps?done=deleted").into_response()),
        Err(problem) => asked.refused(&visit, &typed, problem),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn deleting_a_map_names_the_proxy_that_reads_it() {
        let browser = Browser::signed_in().await;
        let path = "/console/maps/delete?scope=APIPROXY&scopeId=Googledrive&name=apim.oc.instance.token";
        let page = browser.get(path).await;
        page.expect(200).has("/console/proxies/Googledrive").has("Its entry is gone");
        let done = browser.submit(&page, path, &[("confirm", "apim.oc.instance.token")]).await;
        browser.get(done.redirect()).await.has("Deleted").has_not("apim.oc.instance.token");
    }
}
