//! One debug session: its transactions while they come, stop, export, delete.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use pierhead_domain::EpochMillis;

use super::{SessionRow, trace_href};
use crate::Console;
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::times::Moment;
use crate::visit::SignedIn;
use crate::wire::trace::{DebugSession, TransactionRow, revision_sessions_path};
use crate::wire::{Wire, escape};

const PAGE: &str = "/console/proxies/{name}/trace/{revision}/{session}";

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route(PAGE, get(session))
        .route(&format!("{PAGE}/rows"), get(rows))
        .route(&format!("{PAGE}/export"), get(export))
        .route(&format!("{PAGE}/stop"), post(stop))
        .route(&format!("{PAGE}/delete"), post(delete))
}

#[derive(Template)]
#[template(path = "pages/trace/session.html")]
struct SessionPage {
    shell: Shell,
    address: String,
    row: SessionRow,
    list: RowList,
}

#[derive(Template)]
#[template(path = "pages/trace/rows.html")]
struct RowList {
    rows: Vec<Row>,
}

struct Row {
    href: String,
    verb: String,
    target: String,
    status: String,
    tone: &'static str,
    fault: String,
    took: String,
    began: Moment,
    clock: String,
}

/// Where a session is on the wire.
pub(super) fn session_path((name, revision, session): &(String, String, String)) -> String {
    format!("{}/{}", revision_sessions_path(name, revision), escape(session))
}

/// Where its page is.
pub(super) fn session_href((name, revision, session): &(String, String, String)) -> String {
    format!("{}/{}/{}", trace_href(name), escape(revision), escape(session))
}

/// The tone of a status.
pub(super) fn tone(status: Option<u16>) -> &'static str {
    match status {
        Some(200..400) => "good",
        Some(400..500) => "warn",
        Some(_) => "bad",
        None => "idle",
    }
}

/// `1.2 ms`.
pub(super) fn spoken_micros(micros: u64) -> String {
    match micros {
        0..1000 => format!("{micros} µs"),
        1000..1_000_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        _ => format!("{}.{:02} s", micros / 1_000_000, micros % 1_000_000 / 10_000),
    }
}

async fn read(
    console: &Console,
    wire: &Wire,
    at: &(String, String, String),
) -> Result<(SessionRow, RowList), Interrupted> {
    let path = session_path(at);
    let session: DebugSession = wire.get(&path).await?;
    let rows: Vec<TransactionRow> = wire.get(&format!("{path}/data?expand=true")).await?;
    let now = console.clock.now();
    let row = SessionRow::of(&session, &at.0, now);
    let href = session_href(at);
    let shown = rows.into_iter().rev().map(|row| {
        let (verb, target) = row.request.split_once(' ').unwrap_or((&row.request, ""));
        let began = EpochMillis::new(row.began);
        Row {
            href: format!("{href}/{}", escape(&row.id)),
            verb: verb.to_owned(),
            target: target.to_owned(),
            status: row.status.map_or_else(|| "left".to_owned(), |status| status.to_string()),
            tone: tone(row.status),
            fault: row.fault,
            took: spoken_micros(row.took_micros),
            began: Moment::at(began, now),
            clock: began.rfc3339_seconds().get(11..19).unwrap_or_default().to_owned(),
        }
    });
    Ok((row, RowList { rows: shown.collect() }))
}

async fn session(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(at): Path<(String, String, String)>,
) -> Result<Response, Interrupted> {
    let (row, list) = read(&console, &wire, &at).await?;
    let view = SessionPage {
        shell: Shell::new(&visit, &row.name, Place::Proxies)
            .crumb("API proxies", "/console/proxies")
            .crumb(&at.0, format!("/console/proxies/{}", escape(&at.0)))
            .crumb("Trace", trace_href(&at.0))
            .behind(&wire),
        address: console.gateway_url.clone(),
        row,
        list,
    };
    html(&view)
}

async fn rows(
    SignedIn { wire, .. }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(at): Path<(String, String, String)>,
) -> Result<Response, Interrupted> {
    let (row, list) = read(&console, &wire, &at).await?;
    let mut answer = html(&list)?;
    let recording = HeaderValue::from_static(if row.recording { "true" } else { "false" });
    answer.headers_mut().insert(HeaderName::from_static("x-recording"), recording);
    Ok(answer)
}

async fn export(
    SignedIn { visit, wire }: SignedIn,
    Path(at): Path<(String, String, String)>,
) -> Result<Response, Interrupted> {
    let format = if visit.query.get("format") == "har" { "har" } else { "export" };
    let answer = wire.open(Method::GET, &format!("{}?format={format}", session_path(&at)), None).await?;
    let (head, body) = answer.into_parts();
    let mut response = Response::new(body);
    for name in [CONTENT_TYPE, CONTENT_DISPOSITION] {
        if let Some(value) = head.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    Ok(response)
}

async fn stop(
    SignedIn { wire, .. }: SignedIn,
    Path(at): Path<(String, String, String)>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    wire.send(Method::POST, &format!("{}?action=stop", session_path(&at)), None).await?;
    Ok(Redirect::to(&format!("{}?done=stopped", session_href(&at))).into_response())
}

async fn delete(
    SignedIn { wire, .. }: SignedIn,
    Path(at): Path<(String, String, String)>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    wire.send(Method::DELETE, &session_path(&at), None).await?;
    Ok(Redirect::to(&format!("{}?done=deleted", trace_href(&at.0))).into_response())
}
