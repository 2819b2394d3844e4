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

use super::filter::TraceFilter;
use super::{SessionAt, SessionRow, trace_href};
use crate::Console;
use crate::interrupted::Interrupted;
use crate::pages::confirm::SurePage;
use crate::posted::Posted;
use crate::shell::{Shell, html};
use crate::times::Moment;
use crate::visit::SignedIn;
use crate::wire::trace::{DebugSession, TransactionRow};
use crate::wire::{Wire, WireProblem, escape};

const PAGE: &str = "/console/proxies/{name}/trace/{revision}/{session}";

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route(PAGE, get(session))
        .route(&format!("{PAGE}/rows"), get(rows))
        .route(&format!("{PAGE}/export"), get(export))
        .route(&format!("{PAGE}/stop"), post(stop))
        .route(&format!("{PAGE}/delete"), get(ask_delete).post(delete))
}

#[derive(Template)]
#[template(path = "pages/trace/session.html")]
struct SessionPage {
    shell: Shell,
    address: String,
    row: SessionRow,
    filter: TraceFilter,
    list: RowList,
}

/// Recorded requests, two of which can be compared.
#[derive(Template)]
#[template(path = "pages/trace/rows.html")]
pub(super) struct RowList {
    pub(super) rows: Vec<Row>,
    /// Some were left out.
    pub(super) filtered: bool,
    /// They are of several sessions.
    pub(super) mixed: bool,
}

/// One recorded request.
pub(super) struct Row {
    pub(super) href: String,
    /// For the page that compares.
    pub(super) pick: String,
    /// Proxy and session.
    pub(super) of: (String, String),
    pub(super) verb: String,
    pub(super) target: String,
    pub(super) status: String,
    pub(super) tone: &'static str,
    pub(super) fault: String,
    pub(super) took: String,
    pub(super) began: Moment,
    pub(super) began_ms: i64,
    pub(super) clock: String,
}

impl Row {
    pub(super) fn new(row: TransactionRow, at: &SessionAt, now: EpochMillis) -> Self {
        let (verb, target) = row.request.split_once(' ').unwrap_or((&row.request, ""));
        let began = EpochMillis::new(row.began);
        let pick = [&at.proxy, &at.revision, &at.session, &row.id].map(|part| escape(part));
        Self {
            href: format!("{}/{}", at.href(), escape(&row.id)),
            pick: pick.join("/"),
            of: (at.proxy.clone(), at.session.clone()),
            verb: verb.to_owned(),
            target: target.to_owned(),
            status: row.status.map_or_else(|| "left".to_owned(), |status| status.to_string()),
            tone: tone(row.status),
            fault: row.fault,
            took: spoken_micros(row.took_micros),
            began: Moment::at(began, now),
            began_ms: row.began,
            clock: began.rfc3339_seconds().get(11..19).unwrap_or_default().to_owned(),
        }
    }
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

/// The rows of a session that fit, the newest first.
pub(super) async fn rows_of(
    console: &Console,
    wire: &Wire,
    at: &SessionAt,
    filter: &TraceFilter,
) -> Result<Vec<Row>, WireProblem> {
    let now = console.clock.now();
    let path = format!("{}/data?expand=true{}", at.path(console), filter.query(now));
    let rows: Vec<TransactionRow> = wire.get(&path).await?;
    Ok(rows.into_iter().rev().map(|row| Row::new(row, at, now)).collect())
}

async fn read(
    console: &Console,
    wire: &Wire,
    at: &SessionAt,
    filter: &TraceFilter,
) -> Result<(SessionRow, RowList), Interrupted> {
    let session: DebugSession = wire.get(&at.path(console)).await?;
    let rows = rows_of(console, wire, at, filter).await?;
    let row = SessionRow::of(&session, console.clock.now());
    let filtered = rows.len() < session.transactions;
    Ok((row, RowList { rows, filtered, mixed: false }))
}

async fn session(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(at): Path<SessionAt>,
) -> Result<Response, Interrupted> {
    let filter = TraceFilter::read(&visit.query);
    let (row, list) = read(&console, &wire, &at, &filter).await?;
    let view = SessionPage {
        shell: super::shell(&visit, &row.name, &at.proxy).crumb("Trace", trace_href(&at.proxy)).behind(&wire),
        address: console.gateway_url.clone(),
        row,
        filter,
        list,
    };
    html(&view)
}

async fn rows(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(at): Path<SessionAt>,
) -> Result<Response, Interrupted> {
    let (row, list) = read(&console, &wire, &at, &TraceFilter::read(&visit.query)).await?;
    let mut answer = html(&list)?;
    let recording = HeaderValue::from_static(if row.recording { "true" } else { "false" });
    answer.headers_mut().insert(HeaderName::from_static("x-recording"), recording);
    Ok(answer)
}

async fn export(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(at): Path<SessionAt>,
) -> Result<Response, Interrupted> {
    let format = if visit.query.get("format") == "har" { "har" } else { "export" };
    let answer = wire.open(Method::GET, &format!("{}?format={format}", at.path(&console)), None).await?;
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
    State(console): State<Arc<Console>>,
    Path(at): Path<SessionAt>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    wire.send(Method::POST, &format!("{}?action=stop", at.path(&console)), None).await?;
    Ok(Redirect::to(&format!("{}?done=stopped", at.href())).into_response())
}

async fn ask_delete(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(at): Path<SessionAt>,
) -> Result<Response, Interrupted> {
    let session: DebugSession = wire.get(&at.path(&console)).await?;
    html(&SurePage {
        shell: at.shell(&visit, "Delete").behind(&wire),
        question: format!("Delete the session {}?", at.session),
        sentence: format!(
            "The {} requests that it recorded go with it. Export it first if they may be wanted again.",
            session.transactions
        ),
        used_by: Vec::new(),
        verb: "Delete",
        back: at.href(),
        danger: true,
    })
}

async fn delete(
    SignedIn { wire, .. }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(at): Path<SessionAt>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    wire.send(Method::DELETE, &at.path(&console), None).await?;
    Ok(Redirect::to(&format!("{}?done=deleted", trace_href(&at.proxy))).into_response())
}
