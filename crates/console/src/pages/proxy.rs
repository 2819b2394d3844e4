//! One API proxy: facts, deploy, try it.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::maps::{MapRow, list_maps};
use crate::Console;
use crate::gateway_probe::{self, NoAnswer, Preview, Seen};
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::{SignedIn, Visit};
use crate::wire::{ApiProvider, ApiProxy, Policy, SERVICE, Single, Wire, WireProblem, escape, quoted};

use super::edit_provider::provider_path;
use super::proxies::ProxyRow;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/proxies/{name}", get(proxy))
        .route("/console/proxies/{name}/deploy", post(deploy))
        .route("/console/proxies/{name}/undeploy", post(undeploy))
        .route("/console/proxies/{name}/try", post(try_it))
}

/// Everything the page shows of a proxy, in one read.
const EXPAND: &str = "proxyEndPoints,targetEndPoints,policies";

#[derive(Template)]
#[template(path = "pages/proxy.html")]
struct ProxyPage {
    shell: Shell,
    row: ProxyRow,
    deployed: bool,
    description: String,
    target: String,
    policies: usize,
    maps: Vec<MapRow>,
    /// The proxy calls connectors, and its map has no instance token yet.
    token_missing: bool,
    /// What was asked for in "Try it", after the base path.
    tried_path: String,
    tried: Option<Result<Seen, NoAnswer>>,
}

/// Path of a proxy on the wire.
pub(super) fn proxy_path(name: &str) -> String {
    format!("{SERVICE}/APIProxies({})", quoted(name))
}

async fn read(wire: &Wire, name: &str) -> Result<ApiProxy, WireProblem> {
    let path = format!("{}?$format=json&$expand={EXPAND}", proxy_path(name));
    Ok(wire.get::<Single<ApiProxy>>(&path).await?.d)
}

async fn proxy(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
) -> Result<Response, Interrupted> {
    let proxy = read(&wire, &name).await?;
    page(&console, &visit, &wire, &proxy, String::new(), None).await
}

async fn page(
    console: &Console,
    visit: &Visit,
    wire: &Wire,
    proxy: &ApiProxy,
    tried_path: String,
    tried: Option<Result<Seen, NoAnswer>>,
) -> Result<Response, Interrupted> {
    let provider = provider(wire, &proxy.provider_name).await?;
    let target = provider.as_ref().map(ApiProvider::target);
    let now = console.clock.now();
    let all_maps = list_maps(wire).await?;
    let own = all_maps.iter().filter(|map| map.scope == "APIPROXY" && map.scope_id == proxy.name);
    let maps: Vec<_> = own.map(|map| MapRow::new(map, now)).collect();
    let hub = proxy.policies.results.iter().any(Policy::fixed)
        || provider.as_ref().is_some_and(ApiProvider::is_open_connectors);
    let token_missing = hub
        && !all_maps.iter().any(|map| {
            map.name == "apim.oc.instance.token"
                && map.scope_id == proxy.name
                && !map.entries.results.is_empty()
        });
    let row = ProxyRow::new(proxy, &console.gateway_url, now);
    let target = target.unwrap_or_else(|| target_url(proxy));
    let view = ProxyPage {
        shell: Shell::new(visit, &proxy.name, Place::Proxies)
            .crumb("API proxies", "/console/proxies")
            .behind(wire),
        deployed: proxy.deployed(),
        description: proxy.description.clone(),
        target,
        policies: proxy.policies.results.len(),
        maps,
        token_missing,
        tried_path: if tried_path.is_empty() { example_path(hub).to_owned() } else { tried_path },
        tried,
        row,
    };
    html(&view)
}

/// The proxy's provider; none for a proxy without one, or when it was deleted.
async fn provider(wire: &Wire, name: &str) -> Result<Option<ApiProvider>, WireProblem> {
    if name.is_empty() || name == "NONE" {
        return Ok(None);
    }
    match wire.get::<Single<ApiProvider>>(&provider_path(name)).await {
        Ok(provider) => Ok(Some(provider.d)),
        Err(problem) if problem.status == 404 => Ok(None),
        Err(problem) => Err(problem),
    }
}

fn target_url(proxy: &ApiProxy) -> String {
    proxy.target_end_points.results.first().map_or_else(String::new, |target| target.url.clone())
}

fn example_path(hub: bool) -> &'static str {
    if hub { "/folders/contents?path=/" } else { "/" }
}

async fn deploy(
    SignedIn { wire, .. }: SignedIn,
    Path(name): Path<String>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    wire.send(Method::POST, &format!("{}/Deploy", proxy_path(&name)), None).await?;
    Ok(Redirect::to(&format!("/console/proxies/{}?done=deployed", escape(&name))).into_response())
}

async fn undeploy(
    SignedIn { wire, .. }: SignedIn,
    Path(name): Path<String>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    wire.send(Method::POST, &format!("{}/Undeploy", proxy_path(&name)), None).await?;
    Ok(Redirect::to(&format!("/console/proxies/{}?done=undeployed", escape(&name))).into_response())
}

async fn try_it(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    Posted(fields): Posted,
) -> Result<Response, Interrupted> {
    let proxy = read(&wire, &name).await?;
    let path = fields.trimmed("path");
    let seen = gateway_probe::get(&console.gateway_url, &format!("{}{path}", proxy.base_path())).await;
    page(&console, &visit, &wire, &proxy, path.to_owned(), Some(seen)).await
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn the_overview_leads_to_the_flows_the_provider_and_the_maps() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/proxies/Googledrive").await;
        page.expect(200)
            .has("this installation")
            .has("/console/proxies/Googledrive/flows")
            .has("4 in its flows");
        page.has("apim.oc.instance.token").has("scope=APIPROXY&#38;scopeId=Googledrive");
        browser.get("/console/proxies/None").await.expect(404);
    }

    #[tokio::test]
    async fn deploying_and_undeploying_show_the_new_state() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/proxies/Petstore").await;
        page.has("Draft");
        let done = browser.submit(&page, "/console/proxies/Petstore/deploy", &[]).await;
        let page = browser.get(done.redirect()).await;
        page.has("answers with this revision now").has("/console/proxies/Petstore/undeploy");
        let done = browser.submit(&page, "/console/proxies/Petstore/undeploy", &[]).await;
        browser.get(done.redirect()).await.has("Draft").has("no longer answers");
    }

    #[tokio::test]
    async fn a_refused_deployment_says_why() {
        let browser = Browser::signed_in().await;
        browser.control().refuse_deployments("policies/Verify key.xml: unknown element Colour");
        let page = browser.get("/console/proxies/Petstore").await;
        let refused = browser.submit(&page, "/console/proxies/Petstore/deploy", &[]).await;
        refused.expect(400).has("unknown element Colour");
    }

    #[tokio::test]
    async fn trying_a_proxy_shows_what_the_gateway_answered() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/proxies/Googledrive").await;
        let typed = [("path", "/folders/contents?path=/")];
        let tried = browser.submit(&page, "/console/proxies/Googledrive/try", &typed).await;
        tried.expect(200).has("The gateway at http://127.0.0.1:1 cannot be reached").has("value=\"/folders");
    }

    #[tokio::test]
    async fn a_missing_token_is_said_before_the_first_call_fails() {
        let browser = Browser::signed_in().await;
        browser.control().empty_map("apim.oc.instance.token");
        browser.get("/console/proxies/Googledrive").await.has("The instance token is missing");
    }
}
