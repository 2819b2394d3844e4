//! Shared flows: the list, and what is done with one as a whole.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::confirm::{Deletion, SurePage};
use super::flow_hooks::all_hooks;
use super::matches;
use crate::Console;
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::SignedIn;
use crate::wire::{Revisions, Wire, WireProblem, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/shared-flows", get(list))
        .route("/console/shared-flows/{name}/deploy", post(deploy))
        .route("/console/shared-flows/{name}/undeploy", get(ask_undeploy).post(undeploy))
        .route("/console/shared-flows/{name}/export", get(export))
        .route("/console/shared-flows/{name}/delete", get(ask).post(delete))
}

struct FlowRow {
    name: String,
    href: String,
    revisions: Revisions,
}

#[derive(Template)]
#[template(path = "pages/shared_flows.html")]
struct ListPage {
    shell: Shell,
    query: String,
    any: bool,
    rows: Vec<FlowRow>,
}

fn href(name: &str) -> String {
    format!("/console/shared-flows/{}", escape(name))
}

/// Names of all shared flows.
pub(super) async fn flow_names(console: &Console, wire: &Wire) -> Result<Vec<String>, WireProblem> {
    wire.get(&console.gateway.below("/sharedflows")).await
}

async fn list(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
) -> Result<Response, Interrupted> {
    let names = flow_names(&console, &wire).await?;
    let query = visit.query.trimmed("q").to_owned();
    let (any, mut rows) = (!names.is_empty(), Vec::new());
    for name in names.into_iter().filter(|name| matches(name, &query)) {
        let revisions = wire.revisions(&console.gateway, "sharedflows", &name).await?;
        rows.push(FlowRow { href: href(&name), name, revisions });
    }
    let shell = Shell::new(&visit, "Shared flows", Place::SharedFlows).behind(&wire);
    html(&ListPage { shell, query, any, rows })
}

async fn deploy(
    SignedIn { wire, .. }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    Posted(fields): Posted,
) -> Result<Response, Interrupted> {
    let at = console.gateway.deployment("sharedflows", &name, fields.trimmed("revision"));
    wire.send(Method::POST, &format!("{at}?override=true"), None).await?;
    Ok(Redirect::to(&format!("{}?done=deployed", href(&name))).into_response())
}

async fn ask_undeploy(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
) -> Result<Response, Interrupted> {
    let revisions = wire.revisions(&console.gateway, "sharedflows", &name).await?;
    let hooks = all_hooks(&console, &wire).await?.into_iter().filter(|hook| hook.shared_flow == name);
    html(&SurePage {
        shell: Shell::new(&visit, "Undeploy", Place::SharedFlows)
            .crumb("Shared flows", "/console/shared-flows")
            .crumb(&name, href(&name))
            .behind(&wire),
        question: format!("Undeploy revision {} of {name}?", revisions.live),
        sentence: "A proxy that calls it with a FlowCallout policy answers 500 until it is deployed again."
            .into(),
        used_by: hooks.map(|hook| format!("The flow hook {}", hook.flow_hook_point)).collect(),
        verb: "Undeploy",
        back: href(&name),
        danger: true,
    })
}

async fn undeploy(
    SignedIn { wire, .. }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    let live = wire.revisions(&console.gateway, "sharedflows", &name).await?.live;
    let at = console.gateway.deployment("sharedflows", &name, &live);
    wire.send(Method::DELETE, &at, None).await?;
    Ok(Redirect::to(&format!("{}?done=undeployed", href(&name))).into_response())
}

async fn export(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
) -> Result<Response, Interrupted> {
    let revision = visit.query.trimmed("revision");
    let at = console.gateway.revision("sharedflows", &name, revision);
    super::revisions::zip(&wire, &format!("{at}?format=bundle"), &format!("{name}-{revision}.zip")).await
}

async fn deletion(console: &Console, wire: &Wire, name: &str) -> Result<Deletion, Interrupted> {
    let revisions = wire.revisions(&console.gateway, "sharedflows", name).await?;
    let sentence = match revisions.live.as_str() {
        "" => "It is not deployed, so nothing that runs calls it.".to_owned(),
        live => format!("Revision {live} is deployed: undeploy it first. Proxies that call it would fail."),
    };
    Ok(Deletion {
        kind: "shared flow",
        name: name.to_owned(),
        sentence,
        breaks_heading: "",
        breaks: Vec::new(),
        back: href(name),
        place: Place::SharedFlows,
        list: ("Shared flows", "/console/shared-flows"),
    })
}

async fn ask(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
) -> Result<Response, Interrupted> {
    deletion(&console, &wire, &name).await?.ask(&visit)
}

async fn delete(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let asked = deletion(&console, &wire, &name).await?;
    let mistakes = asked.check(&typed);
    if !mistakes.none() {
        return asked.again(&visit, &typed, mistakes);
    }
    let path = console.gateway.below(&format!("/sharedflows/{}", escape(&name)));
    match wire.send(Method::DELETE, &path, None).await {
        Ok(_) => Ok(Redirect::to("/console/shared-flows?done=deleted").into_response()),
        Err(problem) => asked.refused(&visit, &typed, problem),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Browser, bundles};

    #[tokio::test]
    async fn a_shared_flow_is_imported_deployed_hooked_and_deleted() {
        let (browser, real) = Browser::before_management().await;
        browser.get("/console/shared-flows").await.expect(200).has("No shared flow yet");
        let form = browser.get("/console/proxies/import").await;
        let to = browser.upload(&form, "/console/proxies/import", "g.zip", &bundles::guard()).await;
        let at = to.redirect().to_owned();
        let report = browser.get(&at).await;
        report.has("shared flow").has("Stop");
        let done = browser.submit(&report, &at, &[("name", "Guard")]).await;
        let page = browser.get(done.redirect()).await;
        page.expect(200).has("RaiseFault").has("Not deployed");
        browser.submit(&page, "/console/shared-flows/Guard/deploy", &[("revision", "1")]).await.redirect();
        assert!(real.snapshots.load().shared_flow("Guard").is_some());
        browser.get("/console/shared-flows").await.has("Guard").has("Deployed");

        let hooks = browser.get("/console/flow-hooks").await;
        hooks.expect(200).has("PreProxyFlowHook").has("<option value=\"Guard\"");
        let typed = [("flow", "Guard"), ("continue", "on")];
        let done = browser.submit(&hooks, "/console/flow-hooks/PreProxyFlowHook", &typed).await;
        browser.get(done.redirect()).await.has("Attached").has("/console/shared-flows/Guard");
        browser.get("/console/shared-flows/Guard").await.has("PreProxyFlowHook");
        let refused =
            browser.submit(&page, "/console/shared-flows/Guard/undeploy", &[("revision", "1")]).await;
        refused.expect(400).has("detach it first");
        let ask = browser.get("/console/shared-flows/Guard/undeploy").await;
        ask.has("It is in use").has("PreProxyFlowHook");
        let done = browser.submit(&hooks, "/console/flow-hooks/PreProxyFlowHook/detach", &[]).await;
        browser.get(done.redirect()).await.has("Detached");
        let ask = browser.get("/console/shared-flows/Guard/undeploy").await;
        ask.has("Undeploy revision 1 of Guard?");
        browser.submit(&ask, "/console/shared-flows/Guard/undeploy", &[]).await.redirect();
        let ask = browser.get("/console/shared-flows/Guard/delete").await;
        ask.expect(200).has("not deployed");
        browser.submit(&ask, "/console/shared-flows/Guard/delete", &[("confirm", "Guard")]).await.redirect();
        browser.get("/console/shared-flows").await.has("No shared flow yet");
    }
}
