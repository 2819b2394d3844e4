//! Trace: the debug sessions of a proxy, what they recorded, and replays.

mod all;
mod compare;
mod filter;
mod import;
mod masks;
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
use crate::wire::trace::{DebugSession, proxy_sessions_path, revision_sessions_path};
use crate::wire::{Wire, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/proxies/{name}/trace", get(list).post(start))
        .merge(all::routes())
        .merge(import::routes())
        .merge(masks::routes())
        .merge(compare::routes())
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
    proxy: String,
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
    fn of(session: &DebugSession, now: EpochMillis) -> Self {
        let ends = EpochMillis::new(session.ends_at).rfc3339_seconds();
        Self {
            name: session.name.clone(),
            proxy: session.proxy.clone(),
            href: SessionAt::of(session).href(),
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

/// Where a session is.
#[derive(Debug, Clone, serde::Deserialize)]
struct SessionAt {
    #[serde(rename = "name")]
    proxy: String,
    revision: String,
    session: String,
}

impl SessionAt {
    fn of(session: &DebugSession) -> Self {
        let DebugSession { proxy, revision, name, .. } = session;
        Self { proxy: proxy.clone(), revision: revision.clone(), session: name.clone() }
    }

    /// On the wire.
    fn path(&self, console: &Console) -> String {
        let all = revision_sessions_path(&console.gateway, &self.proxy, &self.revision);
        format!("{all}/{}", escape(&self.session))
    }

    /// Its page.
    fn href(&self) -> String {
        format!("{}/{}/{}", trace_href(&self.proxy), escape(&self.revision), escape(&self.session))
    }

    /// What stands around a page below its own.
    fn shell(&self, visit: &Visit, title: impl Into<String>) -> Shell {
        shell(visit, title, &self.proxy)
            .crumb("Trace", trace_href(&self.proxy))
            .crumb(&self.session, self.href())
    }
}

fn shell(visit: &Visit, title: impl Into<String>, proxy: &str) -> Shell {
    Shell::new(visit, title, Place::Proxies)
        .crumb("API proxies", "/console/proxies")
        .crumb(proxy, format!("/console/proxies/{}", escape(proxy)))
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
    let revisions = wire.revisions(&console.gateway, "apis", name).await?;
    let sessions: Vec<DebugSession> = wire.get(&proxy_sessions_path(&console.gateway, name)).await?;
    let now = console.clock.now();
    let view = SessionsPage {
        shell: shell(visit, "Trace", name).behind(wire),
        proxy: name.to_owned(),
        href: format!("/console/proxies/{}", escape(name)),
        live: revisions.live,
        rows: sessions.iter().rev().map(|session| SessionRow::of(session, now)).collect(),
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
    let live = wire.revisions(&console.gateway, "apis", &name).await?.live;
    if live.is_empty() {
        mistakes.field("session", "Deploy the proxy first: nothing runs that could be traced.");
    }
    let session = match typed.trimmed("session") {
        "" => format!("trace-{}", console.clock.now().seconds()),
        session => session.to_owned(),
    };
    let query = start_query(&session, &typed, &mut mistakes);
    if mistakes.none() {
        let path = revision_sessions_path(&console.gateway, &name, &live);
        match wire.send(Method::POST, &format!("{path}?{query}"), None).await {
            Ok(_) => {
                let to = format!("{}/{live}/{}", trace_href(&name), escape(&session));
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
