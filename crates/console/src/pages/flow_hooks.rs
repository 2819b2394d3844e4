//! Flow hooks: a shared flow that every proxy of the environment runs at one of four points.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use super::confirm::SurePage;
use super::shared_flows::flow_names;
use crate::Console;
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::SignedIn;
use crate::wire::{Wire, WireProblem, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/flow-hooks", get(list))
        .route("/console/flow-hooks/{hook}", post(attach))
        .route("/console/flow-hooks/{hook}/detach", get(ask).post(detach))
}

/// A flow hook on the wire.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Hook {
    pub(super) flow_hook_point: String,
    pub(super) shared_flow: String,
    pub(super) continue_on_error: bool,
}

impl Hook {
    /// When its shared flow runs.
    pub(super) fn when(&self) -> &'static str {
        match self.flow_hook_point.as_str() {
            "PreProxyFlowHook" => "Before the proxy endpoint's PreFlow of every request.",
            "PreTargetFlowHook" => "After the proxy endpoint's flows, before the target endpoint's PreFlow.",
            "PostTargetFlowHook" => "After the target endpoint's flows of every response.",
            _ => "After the proxy endpoint's flows of every response, before the client gets it.",
        }
    }
}

#[derive(Template)]
#[template(path = "pages/flow_hooks.html")]
struct HooksPage {
    shell: Shell,
    hooks: Vec<Hook>,
    /// Deployed shared flows.
    flows: Vec<String>,
}

/// The flow hooks of the environment.
pub(super) async fn all_hooks(console: &Console, wire: &Wire) -> Result<Vec<Hook>, WireProblem> {
    let at = console.gateway.in_environment("/flowhooks");
    let names: Vec<String> = wire.get(&at).await?;
    let mut hooks = Vec::new();
    for name in names {
        hooks.push(wire.get(&format!("{at}/{}", escape(&name))).await?);
    }
    Ok(hooks)
}

async fn list(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
) -> Result<Response, Interrupted> {
    let hooks = all_hooks(&console, &wire).await?;
    let mut flows = Vec::new();
    for name in flow_names(&console, &wire).await? {
        if !wire.revisions(&console.gateway, "sharedflows", &name).await?.live.is_empty() {
            flows.push(name);
        }
    }
    let shell = Shell::new(&visit, "Flow hooks", Place::FlowHooks).behind(&wire);
    html(&HooksPage { shell, hooks, flows })
}

/// Where the person came from: the page of a shared flow, or the page of all hooks.
fn back(wanted: &str) -> &str {
    if wanted.starts_with("/console/shared-flows/") { wanted } else { "/console/flow-hooks" }
}

async fn attach(
    SignedIn { wire, .. }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(hook): Path<String>,
    Posted(fields): Posted,
) -> Result<Response, Interrupted> {
    let body = json!({"sharedFlow": fields.trimmed("flow"), "continueOnError": fields.ticked("continue")});
    let at = console.gateway.in_environment(&format!("/flowhooks/{}", escape(&hook)));
    wire.send(Method::PUT, &at, Some(&body)).await?;
    Ok(Redirect::to(&format!("{}?done=attached", back(fields.get("return")))).into_response())
}

async fn ask(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(point): Path<String>,
) -> Result<Response, Interrupted> {
    let at = console.gateway.in_environment(&format!("/flowhooks/{}", escape(&point)));
    let hook: Hook = wire.get(&at).await?;
    html(&SurePage {
        shell: Shell::new(&visit, "Detach", Place::FlowHooks)
            .crumb("Flow hooks", "/console/flow-hooks")
            .behind(&wire),
        question: format!("Detach {} from {point}?", hook.shared_flow),
        sentence: "From the next request on, no proxy runs it there. It can be attached again.".into(),
        used_by: Vec::new(),
        verb: "Detach",
        back: back(visit.query.get("return")).to_owned(),
        danger: true,
    })
}

async fn detach(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(hook): Path<String>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    let at = console.gateway.in_environment(&format!("/flowhooks/{}", escape(&hook)));
    wire.send(Method::DELETE, &at, None).await?;
    Ok(Redirect::to(&format!("{}?done=detached", back(visit.query.get("return")))).into_response())
}
