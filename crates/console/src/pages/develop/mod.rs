//! One revision of an API proxy or shared flow: its flows as a diagram, and the editors of its endpoints, policies,
//! steps and files.

mod diagram;
mod endpoint;
mod file;
mod landing;
mod new_policy;
mod policy;
mod properties;
mod revision;
mod rows;
mod shared_flow;
mod spot;
mod steps;
mod templates;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use serde_json::Value;

use crate::Console;
use crate::interrupted::Interrupted;
use crate::shell::{Shell, html};
use crate::visit::SignedIn;
use crate::wire::{Report, escape};
use diagram::Diagram;
pub(super) use revision::{Open, Revision, Subject};
pub(crate) use templates::VOCABULARY as POLICIES;

pub(super) fn routes() -> Router<Arc<Console>> {
    let proxies = Router::new()
        .route("/console/proxies/{name}/revisions/{revision}", get(develop))
        .merge(endpoint::routes())
        .merge(pieces(Subject::Proxy));
    let shared_flows = shared_flow::routes().merge(pieces(Subject::SharedFlow));
    Router::new()
        .route("/console/proxies/{name}/flows", get(newest))
        .merge(proxies.layer(Extension(Subject::Proxy)))
        .merge(shared_flows.layer(Extension(Subject::SharedFlow)))
}

/// The pages of pieces that revisions of both kinds have.
fn pieces(of: Subject) -> Router<Arc<Console>> {
    steps::routes(of).merge(policy::routes(of)).merge(new_policy::routes(of)).merge(file::routes(of))
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
    let revisions = wire.revisions(&console.gateway, "apis", &name).await?;
    let to = format!("/console/proxies/{}/revisions/{}", escape(&name), escape(revisions.newest()));
    Ok(Redirect::to(&to).into_response())
}

async fn develop(open: Open, State(console): State<Arc<Console>>) -> Result<Response, Interrupted> {
    let Open { visit, wire, at, .. } = open;
    let path = at.path(&console);
    let shown: Value = wire.get(&path).await?;
    let (proxies, targets) = (names(&shown, "proxyEndpoints"), names(&shown, "targetEndpoints"));
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
    let shell = at.own_shell(&visit).behind(&wire);
    html(&DevelopPage { shell, files: files(&shown), at, report, diagram })
}

/// A list of names in JSON.
fn names(shown: &Value, field: &str) -> Vec<String> {
    let list = shown[field].as_array().into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Types and names of the files of a revision.
fn files(shown: &Value) -> Vec<(String, String)> {
    let files = names(shown, "resources").into_iter();
    files.filter_map(|file| file.split_once("://").map(|(kind, name)| (kind.into(), name.into()))).collect()
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
