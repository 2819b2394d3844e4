//! The overview: what runs, what needs a person, and the next step.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::instances::{InstanceRow, list_instances};
use super::providers::list_providers;
use super::proxies::{ProxyRow, list_proxies};
use crate::Console;
use crate::interrupted::Interrupted;
use crate::shell::{Place, Shell, html};
use crate::visit::SignedIn;
use crate::wire::{ApiProvider, ApiProxy, Instance, InstanceState};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console", get(overview))
}

#[derive(Template)]
#[template(path = "pages/overview.html")]
struct OverviewPage {
    shell: Shell,
    steps: Vec<NextStep>,
    connected: usize,
    disabled: usize,
    to_reconnect: Vec<InstanceRow>,
    deployed: Vec<ProxyRow>,
    drafts: usize,
    gateway_url: String,
}

/// One step of the way from nothing to an API that answers.
struct NextStep {
    done: bool,
    title: &'static str,
    text: &'static str,
    href: &'static str,
    verb: &'static str,
}

async fn overview(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
) -> Result<Response, Interrupted> {
    let now = console.clock.now();
    let instances = list_instances(&wire, "").await?.0;
    let providers = list_providers(&wire).await?;
    let proxies = list_proxies(&wire).await?;
    let count = |state| instances.iter().filter(|instance| instance.state() == state).count();
    let deployed: Vec<_> = proxies.iter().filter(|proxy| proxy.deployed()).collect();
    let page = OverviewPage {
        shell: Shell::new(&visit, "Overview", Place::Overview).behind(&wire),
        steps: steps(&instances, &providers, &proxies),
        connected: count(InstanceState::Connected),
        disabled: count(InstanceState::Disabled),
        to_reconnect: instances
            .iter()
            .filter(|instance| instance.state() == InstanceState::ReconnectNeeded)
            .map(|instance| InstanceRow::new(instance, now))
            .collect(),
        drafts: proxies.len() - deployed.len(),
        deployed: deployed.into_iter().map(|proxy| ProxyRow::new(proxy, &console.gateway_url, now)).collect(),
        gateway_url: console.gateway_url.clone(),
    };
    html(&page)
}

fn steps(instances: &[Instance], providers: &[ApiProvider], proxies: &[ApiProxy]) -> Vec<NextStep> {
    vec![
        NextStep {
            done: !instances.is_empty(),
            title: "Connect a service",
            text: "Choose a connector and sign in to the vendor once. Its credentials are kept sealed and refreshed.",
            href: "/console/connectors",
            verb: "Open the catalogue",
        },
        NextStep {
            done: providers.iter().any(ApiProvider::is_open_connectors),
            title: "Create an API provider",
            text: "A provider of type Open Connectors lets API proxies call your connector instances.",
            href: "/console/providers/new",
            verb: "Create a provider",
        },
        NextStep {
            done: !proxies.is_empty(),
            title: "Create an API proxy",
            text: "A proxy gives the provider an address on the gateway and runs your policies.",
            href: "/console/proxies/new",
            verb: "Create a proxy",
        },
        NextStep {
            done: proxies.iter().any(ApiProxy::deployed),
            title: "Put the instance token into its map and deploy",
            text: "The proxy's map apim.oc.instance.token takes the token; deploying makes the gateway answer.",
            href: "/console/proxies",
            verb: "Open the proxies",
        },
    ]
}

impl OverviewPage {
    /// Whether any step is still to be done.
    fn beginning(&self) -> bool {
        self.steps.iter().any(|step| !step.done)
    }

    /// Whether this is the first step that is not done.
    fn is_next(&self, step: &NextStep) -> bool {
        self.steps.iter().find(|step| !step.done).is_some_and(|next| next.title == step.title)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn an_empty_installation_shows_the_first_step() {
        let browser = Browser::signed_in().await;
        browser.control().empty();
        let page = browser.get("/console").await;
        page.expect(200).has("Connect a service").has("Open the catalogue").has("aria-current=\"page\"");
    }

    #[tokio::test]
    async fn what_needs_a_person_stands_on_the_overview() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console").await;
        page.expect(200).has("Reconnect needed").has("Marketing drive").has("/console/instances/503");
        page.has("/googledrive").has("/console/proxies/Googledrive");
    }

    #[tokio::test]
    async fn the_page_shows_the_requests_that_made_it_and_no_secret() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console").await;
        page.has("requests behind this page").has("/elements/api-v2/instances").has("Bearer $TOKEN");
        page.has_not("login-token");
    }
}
