//! One API proxy: endpoints, the way of a request through its policies, deploy, try it.

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
use crate::wire::{
    ApiProvider, ApiProxy, EndPoint, Flow, FlowStep, Policy, SERVICE, Single, Wire, WireProblem, by_name,
    escape, quoted,
};

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
const EXPAND: &str = "proxyEndPoints,targetEndPoints,policies,\
    proxyEndPoints/preFlow/request/steps,proxyEndPoints/preFlow/response/steps,\
    proxyEndPoints/postFlow/request/steps,proxyEndPoints/postFlow/response/steps,\
    proxyEndPoints/conditionalFlows/request/steps,proxyEndPoints/conditionalFlows/response/steps,\
    targetEndPoints/preFlow/request/steps,targetEndPoints/preFlow/response/steps,\
    targetEndPoints/postFlow/request/steps,targetEndPoints/postFlow/response/steps,\
    targetEndPoints/conditionalFlows/request/steps,targetEndPoints/conditionalFlows/response/steps";

#[derive(Template)]
#[template(path = "pages/proxy.html")]
struct ProxyPage {
    shell: Shell,
    row: ProxyRow,
    deployed: bool,
    description: String,
    target: String,
    policies: Vec<Policy>,
    request: Vec<Stage>,
    response: Vec<Stage>,
    maps: Vec<MapRow>,
    /// The proxy calls connectors, and its map has no instance token yet.
    token_missing: bool,
    /// What was asked for in "Try it", after the base path.
    tried_path: String,
    tried: Option<Result<Seen, NoAnswer>>,
}

/// One place on the way of a request.
#[derive(Debug, PartialEq, Eq)]
struct Stage {
    title: String,
    condition: String,
    icon: &'static str,
    /// Client, target: where the way begins and ends.
    end: bool,
    steps: Vec<StageStep>,
}

/// One policy on the way.
#[derive(Debug, PartialEq, Eq)]
struct StageStep {
    policy: String,
    kind: String,
    condition: String,
    /// It came with the provider's type and cannot be edited.
    locked: bool,
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
        request: way(proxy, &row, &target, Direction::Request),
        response: way(proxy, &row, &target, Direction::Response),
        target,
        policies: proxy.policies.results.clone(),
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Request,
    Response,
}

/// The stages that a request, or its response, passes. Flows run PreFlow, conditional, PostFlow on both
/// endpoints and both ways (API management reference §4).
fn way(proxy: &ApiProxy, row: &ProxyRow, target: &str, direction: Direction) -> Vec<Stage> {
    let policies = by_name(&proxy.policies.results);
    let client = Stage::end("Client", &row.base_path, "monitor");
    let relative = proxy.target_end_points.results.first().map_or("", |end_point| &end_point.relative_path);
    let provider = Stage::end(&row.provider, &format!("{target} {relative}"), "server");
    let mut stages = Vec::new();
    let mut add = |word: &str, end_points: &[EndPoint]| {
        for end_point in end_points {
            let named = |flow: &str| match end_points.len() {
                1 => format!("{word}: {flow}"),
                _ => format!("{word} {}: {flow}", end_point.name),
            };
            stages.push(Stage::of(named("PreFlow"), &end_point.pre_flow, direction, &policies));
            for flow in &end_point.conditional_flows.results {
                stages.push(Stage::of(named(&flow.name), flow, direction, &policies));
            }
            stages.push(Stage::of(named("PostFlow"), &end_point.post_flow, direction, &policies));
        }
    };
    let (first, last) = match direction {
        Direction::Request => {
            add("Proxy", &proxy.proxy_end_points.results);
            add("Target", &proxy.target_end_points.results);
            (client, provider)
        }
        Direction::Response => {
            add("Target", &proxy.target_end_points.results);
            add("Proxy", &proxy.proxy_end_points.results);
            (provider, client)
        }
    };
    stages.insert(0, first);
    stages.push(last);
    stages
}

impl Stage {
    fn end(title: &str, detail: &str, icon: &'static str) -> Self {
        let title = if title.is_empty() { "No provider" } else { title };
        Self { title: title.into(), condition: detail.trim().into(), icon, end: true, steps: vec![] }
    }

    fn of(
        title: String,
        flow: &Flow,
        direction: Direction,
        policies: &std::collections::BTreeMap<&str, &Policy>,
    ) -> Self {
        let (stream, icon) = match direction {
            Direction::Request => (&flow.request, "arrow-down"),
            Direction::Response => (&flow.response, "arrow-down"),
        };
        let mut steps: Vec<&FlowStep> = stream.steps.results.iter().collect();
        steps.sort_by_key(|step| step.sequence.as_i64().unwrap_or(i64::MAX));
        let steps = steps.into_iter().map(|step| {
            let policy = policies.get(step.policy_name.as_str());
            StageStep {
                policy: step.policy_name.clone(),
                kind: policy.map_or_else(String::new, |policy| policy.kind.clone()),
                condition: step.condition.clone(),
                locked: policy.is_some_and(|policy| policy.fixed()),
            }
        });
        Self { title, condition: flow.condition.clone(), icon, end: false, steps: steps.collect() }
    }
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
    async fn the_way_of_a_request_is_shown_with_the_locked_policy_before_the_provider() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/proxies/Googledrive").await;
        page.expect(200).has("Proxy: PreFlow").has("Verify key").has("Target: PostFlow");
        page.has("class=\"locked\"").has("OpenConnectors").has("cannot be edited").has("this installation");
        page.in_order(&["Proxy: PreFlow", "Proxy: Downloads", "Proxy: PostFlow", "Target: PostFlow"]);
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
