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
        .route("/console/flow-hooks/{hook}/detach", post(detach))
}

/// A flow hook on the wire.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Hook {
    flow_hook_point: String,
    shared_flow: String,
    continue_on_error: bool,
}

impl Hook {
    fn when(&self) -> &'static str {
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

async fn all(console: &Console, wire: &Wire) -> Result<Vec<Hook>, WireProblem> {
    let at = console.gateway.in_environment("/flowhooks");
    let names: Vec<String> = wire.get(&at).await?;
    let mut hooks = Vec::new();
    for name in names {
        hooks.push(wire.get(&format!("{at}/{}", escape(&name))).await?);
    }
    Ok(hooks)
}

/// Names of the hooks that run a shared flow.
pub(super) async fn hooks_of(console: &Console, wire: &Wire, flow: &str) -> Result<Vec<String>, WireProblem> {
    let hooks = all(console, wire).await?.into_iter();
    Ok(hooks.filter(|hook| hook.shared_flow == flow).map(|hook| hook.flow_hook_point).collect())
}

async fn list(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
) -> Result<Response, Interrupted> {
    let hooks = all(&console, &wire).await?;
    let mut flows = Vec::new();
    for name in flow_names(&console, &wire).await? {
        if !wire.flow_revisions(&console.gateway, &name).await?.live.is_empty() {
            flows.push(name);
        }
    }
    let shell = Shell::new(&visit, "Flow hooks", Place::FlowHooks).behind(&wire);
    html(&HooksPage { shell, hooks, flows })
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
    Ok(Redirect::to("/console/flow-hooks?done=attached").into_response())
}

async fn detach(
    SignedIn { wire, .. }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(hook): Path<String>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    let at = console.gateway.in_environment(&format!("/flowhooks/{}", escape(&hook)));
    wire.send(Method::DELETE, &at, None).await?;
    Ok(Redirect::to("/console/flow-hooks?done=detached").into_response())
}
