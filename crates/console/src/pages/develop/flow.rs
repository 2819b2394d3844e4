//! Adding a conditional flow to an endpoint.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::steps::Spot;
use super::{Revision, landing};
use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Shell, html};
use crate::visit::{SignedIn, Visit};
use crate::wire::{Violation, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/proxies/{name}/revisions/{revision}/flows/new", get(show).post(add))
}

#[derive(Template)]
#[template(path = "pages/new_flow.html")]
struct NewFlowPage {
    shell: Shell,
    at: Revision,
    spot: Spot,
    typed: Fields,
    mistakes: Mistakes,
    violations: Vec<Violation>,
}

fn page(
    visit: &Visit,
    at: Revision,
    typed: Fields,
    (mistakes, violations): (Mistakes, Vec<Violation>),
) -> Result<Response, Interrupted> {
    let shell = at.shell(visit, "Add a conditional flow");
    html(&NewFlowPage { shell, at, spot: Spot::read(&visit.query), typed, mistakes, violations })
}

async fn show(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path((name, number)): Path<(String, String)>,
) -> Result<Response, Interrupted> {
    let at = Revision::read(&console, &wire, &name, &number).await?;
    page(&visit, at, Fields::default(), (Mistakes::default(), Vec::new()))
}

async fn add(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path((name, number)): Path<(String, String)>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let at = Revision::read(&console, &wire, &name, &number).await?;
    let spot = Spot::read(&visit.query);
    let mut mistakes = Mistakes::default();
    mistakes.needs(&typed, "name", "Give the flow a name.");
    if !mistakes.none() {
        let page = page(&visit, at, typed, (mistakes, Vec::new()))?;
        return Ok((StatusCode::BAD_REQUEST, page).into_response());
    }
    let piece = spot.piece()?;
    let path = console.gateway.revision("apis", &at.proxy, &at.number);
    let mut endpoint: Value = wire.get(&format!("{path}/{piece}")).await?;
    let flow = json!({"name": typed.trimmed("name"), "condition": typed.trimmed("flow_condition")});
    match endpoint["flows"].as_array_mut() {
        Some(flows) => flows.push(flow),
        None => endpoint["flows"] = json!([flow]),
    }
    match at.save_json(&console, &wire, &piece, &json!({"flows": endpoint["flows"]})).await {
        Ok(landed) => {
            let to = format!(
                "{}?done=saved&{}={}",
                super::href(&name, &landed),
                spot.kind,
                escape(&spot.endpoint)
            );
            Ok(Redirect::to(&to).into_response())
        }
        Err(problem) if problem.is_signed_out() => Err(Interrupted::SignIn),
        Err(problem) => {
            let page = page(&visit, at, typed, landing::refused(problem))?;
            Ok((StatusCode::BAD_REQUEST, page).into_response())
        }
    }
}
