//! One revision of an API proxy: its flows as a diagram, and the editors of its policies, steps and files.

mod diagram;
mod file;
mod flow;
mod landing;
mod new_policy;
mod policy;
mod steps;
mod templates;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::Value;

use crate::Console;
use crate::interrupted::Interrupted;
use crate::shell::{Place, Shell, html};
use crate::visit::{SignedIn, Visit};
use crate::wire::{Report, Revisions, Wire, escape};
use diagram::Diagram;
pub(crate) use templates::VOCABULARY as POLICIES;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/proxies/{name}/revisions/{revision}", get(develop))
        .route("/console/proxies/{name}/flows", get(newest))
        .merge(steps::routes())
        .merge(flow::routes())
        .merge(policy::routes())
        .merge(new_policy::routes())
        .merge(file::routes())
}

/// The revision that a page is about.
pub(super) struct Revision {
    pub(super) proxy: String,
    pub(super) number: String,
    pub(super) revisions: Revisions,
}

impl Revision {
    pub(super) async fn read(
        console: &Console,
        wire: &Wire,
        proxy: &str,
        number: &str,
    ) -> Result<Self, Interrupted> {
        let revisions = wire.proxy_revisions(&console.gateway, proxy).await?;
        if !revisions.all.iter().any(|known| known == number) {
            return Err(Interrupted::Missing(format!("revision {number} of the API proxy {proxy}")));
        }
        Ok(Self { proxy: proxy.to_owned(), number: number.to_owned(), revisions })
    }

    /// The proxy's page.
    pub(super) fn proxy_href(&self) -> String {
        format!("/console/proxies/{}", escape(&self.proxy))
    }

    /// The page of this revision.
    pub(super) fn href(&self) -> String {
        href(&self.proxy, &self.number)
    }

    pub(super) fn is_live(&self) -> bool {
        self.revisions.live == self.number
    }

    pub(super) fn shell(&self, visit: &Visit, title: impl Into<String>) -> Shell {
        Shell::new(visit, title, Place::Proxies)
            .crumb("API proxies", "/console/proxies")
            .crumb(&self.proxy, self.proxy_href())
            .crumb(format!("Revision {}", self.number), self.href())
    }
}

/// The page of a revision.
pub(super) fn href(proxy: &str, number: &str) -> String {
    format!("/console/proxies/{}/revisions/{}", escape(proxy), escape(number))
}

#[derive(Template)]
#[template(path = "pages/develop.html")]
struct DevelopPage {
    shell: Shell,
    at: Revision,
    report: Report,
    diagram: Diagram,
    files: Vec<(String, String)>,
}

impl DevelopPage {
    /// The page with other endpoints in the diagram.
    fn choose(&self, proxy: &str, target: &str) -> String {
        format!("{}?proxy={}&target={}", self.at.href(), escape(proxy), escape(target))
    }
}

/// The newest revision, whatever its number is by then.
async fn newest(
    SignedIn { wire, .. }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
) -> Result<Response, Interrupted> {
    let revisions = wire.proxy_revisions(&console.gateway, &name).await?;
    Ok(Redirect::to(&href(&name, revisions.newest())).into_response())
}

async fn develop(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path((name, number)): Path<(String, String)>,
) -> Result<Response, Interrupted> {
    let at = Revision::read(&console, &wire, &name, &number).await?;
    let path = console.gateway.revision("apis", &name, &number);
    let shown: Value = wire.get(&path).await?;
    let names = |field: &str| -> Vec<String> {
        let list = shown[field].as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (proxies, targets) = (names("proxyEndpoints"), names("targetEndpoints"));
    let report: Report = wire.get(&format!("{path}/report")).await?;
    let proxy = chosen(&proxies, visit.query.trimmed("proxy"));
    let entrance: Value = match proxy.as_str() {
        "" => Value::Null,
        name => wire.get(&format!("{path}/proxies/{}", escape(name))).await?,
    };
    let wanted = match visit.query.trimmed("target") {
        "" => diagram::first_target(&entrance),
        target => target.to_owned(),
    };
    let target = chosen(&targets, &wanted);
    let exit: Value = match target.as_str() {
        "" => Value::Null,
        name => wire.get(&format!("{path}/targets/{}", escape(name))).await?,
    };
    let diagram = Diagram::of((proxies, entrance), (targets, exit), &report, &at.href());
    let files = shown["resourceFiles"]["resourceFile"].as_array().into_iter().flatten();
    let text = |file: &Value, field: &str| file[field].as_str().unwrap_or_default().to_owned();
    let files = files.map(|file| (text(file, "type"), text(file, "name"))).collect();
    let shell = Shell::new(&visit, format!("Revision {number}"), Place::Proxies)
        .crumb("API proxies", "/console/proxies")
        .crumb(&name, at.proxy_href())
        .behind(&wire);
    html(&DevelopPage { shell, at, report, diagram, files })
}

fn chosen(all: &[String], wanted: &str) -> String {
    let found = all.iter().find(|name| *name == wanted).or(all.first());
    found.cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::testing::{Browser, bundles};

    #[tokio::test]
    async fn the_diagram_shows_both_lanes_in_the_order_of_a_request() {
        let (browser, _) = Browser::before_management().await;
        browser.import(&bundles::whole(), "Whole", false).await;
        let page = browser.get("/console/proxies/Whole/revisions/1").await;
        page.expect(200).in_order(&[
            "Request",
            "Client",
            "/whole",
            "PreFlow",
            "Verify",
            "Reads",
            "request.verb = &#34;GET&#34;",
            "PostFlow",
            "Route",
            "target.header = 1",
            "Target default",
            "backend.example",
            "Response",
            "PreFlow",
            "Client",
            "PostClientFlow",
            "Log",
            "When something fails",
            "Slow",
            "Stop",
        ]);
        page.has("policies/Verify\"").has("VerifyAPIKey").has("class=\"family security\"");
        page.has("Not deployed").has("jsc/a.js");
        let other = browser.get("/console/proxies/Whole/revisions/1?target=other").await;
        other.expect(200).has("other.example");
        browser.get("/console/proxies/Whole/revisions/7").await.expect(404);
    }

    #[tokio::test]
    async fn a_step_that_does_not_run_is_marked_with_the_reason() {
        let (browser, _) = Browser::before_management().await;
        browser.import(&bundles::degraded(), "Java", true).await;
        let page = browser.get("/console/proxies/Java/revisions/1").await;
        page.expect(200).has("Does not run here").has("Runs degraded").has("Deployed");
    }
}
