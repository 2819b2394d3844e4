//! The list of API proxies.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use pierhead_domain::EpochMillis;

use super::matches;
use crate::Console;
use crate::interrupted::Interrupted;
use crate::shell::{Place, Shell, html};
use crate::times::Moment;
use crate::visit::SignedIn;
use crate::wire::{ApiProxy, Listed, SERVICE, Wire, WireProblem, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/proxies", get(proxies))
}

/// A proxy as lists show it.
pub(super) struct ProxyRow {
    pub(super) title: String,
    pub(super) name: String,
    pub(super) href: String,
    pub(super) base_path: String,
    pub(super) address: String,
    pub(super) provider: String,
    pub(super) tone: &'static str,
    pub(super) word: &'static str,
    pub(super) changed: Option<Moment>,
}

impl ProxyRow {
    pub(super) fn new(proxy: &ApiProxy, gateway_url: &str, now: EpochMillis) -> Self {
        let provider = match proxy.provider_name.as_str() {
            "NONE" => String::new(),
            name => name.to_owned(),
        };
        Self {
            title: if proxy.title.is_empty() { proxy.name.clone() } else { proxy.title.clone() },
            href: format!("/console/proxies/{}", escape(&proxy.name)),
            address: format!("{gateway_url}{}", proxy.base_path()),
            base_path: proxy.base_path().to_owned(),
            name: proxy.name.clone(),
            provider,
            tone: proxy.tone(),
            word: proxy.word(),
            changed: Moment::read(&proxy.life_cycle.changed_at, now),
        }
    }
}

#[derive(Template)]
#[template(path = "pages/proxies.html")]
struct ProxiesPage {
    shell: Shell,
    query: String,
    rows: Vec<ProxyRow>,
    any: bool,
}

/// Every proxy with its proxy endpoints, by name.
pub(super) async fn list_proxies(wire: &Wire) -> Result<Vec<ApiProxy>, WireProblem> {
    let path = format!("{SERVICE}/APIProxies?$format=json&$orderby=name&$expand=proxyEndPoints");
    Ok(wire.get::<Listed<ApiProxy>>(&path).await?.all())
}

async fn proxies(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
) -> Result<Response, Interrupted> {
    let all = list_proxies(&wire).await?;
    let now = console.clock.now();
    let query = visit.query.trimmed("q").to_owned();
    let any = !all.is_empty();
    let mut rows: Vec<_> = all.iter().map(|proxy| ProxyRow::new(proxy, &console.gateway_url, now)).collect();
    rows.retain(|row| matches(&searchable(row), &query));
    let shell = Shell::new(&visit, "API proxies", Place::Proxies).behind(&wire);
    html(&ProxiesPage { shell, query, rows, any })
}

fn searchable(row: &ProxyRow) -> String {
    format!("{} {} {} {} {}", row.name, row.title, row.base_path, row.provider, row.word)
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn proxies_say_their_state_and_address() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/proxies").await;
        page.expect(200).has("Googledrive").has("Deployed").has("/googledrive").has("Draft");
        browser.get("/console/proxies?q=pets").await.has("Petstore").has_not("/googledrive");
        browser.control().empty();
        browser.get("/console/proxies").await.has("No API proxy yet").has("/console/proxies/new");
    }
}
