//! Trace: the debug sessions of a proxy, what they recorded, and replays.

mod pretty;
mod replay;
mod session;
mod steps;
mod transaction;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use pierhead_domain::EpochMillis;

use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::times::Moment;
use crate::visit::{SignedIn, Visit};
use crate::wire::trace::{
    DebugSession, Deployments, deployments_path, proxy_sessions_path, revision_sessions_path,
};
use crate::wire::{Wire, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/proxies/{name}/trace", get(list).post(start))
        .merge(session::routes())
        .merge(transaction::routes())
        .merge(replay::routes())
}

#[derive(Template)]
#[template(path = "pages/trace/sessions.html")]
struct SessionsPage {
    shell: Shell,
    proxy: String,
    /// The proxy's page.
    href: String,
    /// The revision that runs; nothing when none does.
    live: String,
    rows: Vec<SessionRow>,
    typed: Fields,
    mistakes: Mistakes,
}

/// A session as lists and its own page show it.
struct SessionRow {
    name: String,
    href: String,
    revision: String,
    recording: bool,
    transactions: usize,
    dropped: u64,
    by: String,
    started: Moment,
    /// Time of day when it ends or ended.
    ends: String,
    filter: Vec<String>,
}

impl SessionRow {
    fn of(session: &DebugSession, proxy: &str, now: EpochMillis) -> Self {
        let ends = EpochMillis::new(session.ends_at).rfc3339_seconds();
        Self {
            name: session.name.clone(),
            href: format!("{}/{}/{}", trace_href(proxy), escape(&session.revision), escape(&session.name)),
            revision: session.revision.clone(),
            recording: session.recording,
            transactions: session.transactions,
            dropped: session.dropped,
            by: session.started_by.clone(),
            started: Moment::at(EpochMillis::new(session.started_at), now),
            ends: format!("{} UTC", ends.get(11..16).unwrap_or_default()),
            filter: session.filter.spoken(),
        }
    }
}

/// The page of a proxy's sessions.
fn trace_href(proxy: &str) -> String {
    format!("/console/proxies/{}/trace", escape(proxy))
}

async fn list(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
) -> Result<Response, Interrupted> {
    page(&console, &visit, &wire, &name, Fields::default(), Mistakes::default()).await
}

async fn page(
    console: &Console,
    visit: &Visit,
    wire: &Wire,
    name: &str,
    typed: Fields,
    mistakes: Mistakes,
) -> Result<Response, Interrupted> {
    let deployments: Deployments = wire.get(&deployments_path(name)).await?;
    let sessions: Vec<DebugSession> = wire.get(&proxy_sessions_path(name)).await?;
    let now = console.clock.now();
    let view = SessionsPage {
        shell: Shell::new(visit, "Trace", Place::Proxies)
            .crumb("API proxies", "/console/proxies")
            .crumb(name, format!("/console/proxies/{}", escape(name)))
            .behind(wire),
        proxy: name.to_owned(),
        href: format!("/console/proxies/{}", escape(name)),
        live: deployments.live().to_owned(),
        rows: sessions.iter().rev().map(|session| SessionRow::of(session, name, now)).collect(),
        typed,
        mistakes,
    };
    html(&view)
}

async fn start(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let mut mistakes = Mistakes::default();
    let deployments: Deployments = wire.get(&deployments_path(&name)).await?;
    if deployments.live().is_empty() {
        mistakes.field("session", "Deploy the proxy first: nothing runs that could be traced.");
    }
    let session = match typed.trimmed("session") {
        "" => format!("trace-{}", console.clock.now().seconds()),
        session => session.to_owned(),
    };
    let query = start_query(&session, &typed, &mut mistakes);
    if mistakes.none() {
        let path = revision_sessions_path(&name, deployments.live());
        match wire.send(Method::POST, &format!("{path}?{query}"), None).await {
            Ok(_) => {
                let to = format!("{}/{}/{}", trace_href(&name), deployments.live(), escape(&session));
                return Ok(Redirect::to(&format!("{to}?done=tracing")).into_response());
            }
            Err(problem) if problem.is_signed_out() => return Err(Interrupted::SignIn),
            Err(problem) => {
                problem.onto(
                    &mut mistakes,
                    &[("session", "session"), ("timeout", "timeout"), ("filter", "filter")],
                );
            }
        }
    }
    let page = page(&console, &visit, &wire, &name, typed, mistakes).await?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

/// What the form asks for, as the wire's query.
fn start_query(session: &str, typed: &Fields, mistakes: &mut Mistakes) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("session", session);
    if !typed.trimmed("timeout").is_empty() {
        query.append_pair("timeout", typed.trimmed("timeout"));
    }
    for (field, prefix) in [("header", "header_"), ("param", "qparam_")] {
        let (key, value) = (typed.trimmed(field), typed.get(&format!("{field}_value")));
        match (key, value.is_empty()) {
            ("", true) => {}
            ("", false) => mistakes.field(field, "Enter its name."),
            (key, _) => {
                query.append_pair(&format!("{prefix}{key}"), value);
            }
        }
    }
    if !typed.trimmed("filter").is_empty() {
        query.append_pair("filter", typed.trimmed("filter"));
    }
    query.finish()
}

#[cfg(test)]
mod tests;
