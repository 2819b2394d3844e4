//! Traces of all proxies: the sessions, and what they recorded, to be searched and compared.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::filter::TraceFilter;
use super::session::{RowList, rows_of};
use super::{SessionAt, SessionRow};
use crate::Console;
use crate::interrupted::Interrupted;
use crate::shell::{Place, Shell, html};
use crate::visit::SignedIn;
use crate::wire::trace::{DebugSession, all_sessions_path};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/traces", get(all))
}

#[derive(Template)]
#[template(path = "pages/trace/all.html")]
struct AllPage {
    shell: Shell,
    filter: TraceFilter,
    /// Proxies that have a session.
    proxies: Vec<String>,
    sessions: Vec<SessionRow>,
    list: RowList,
}

async fn all(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
) -> Result<Response, Interrupted> {
    let filter = TraceFilter::read(&visit.query);
    let known: Vec<DebugSession> = wire.get(&all_sessions_path(&console.gateway)).await?;
    let mut proxies: Vec<String> = known.iter().map(|session| session.proxy.clone()).collect();
    proxies.sort();
    proxies.dedup();
    let recorded: usize = known.iter().map(|session| session.transactions).sum();
    let mut rows = Vec::new();
    for session in known.iter().filter(|one| filter.proxy.is_empty() || one.proxy == filter.proxy) {
        rows.extend(rows_of(&console, &wire, &SessionAt::of(session), &filter).await?);
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.began_ms));
    let now = console.clock.now();
    html(&AllPage {
        sessions: known.iter().rev().map(|session| SessionRow::of(session, now)).collect(),
        list: RowList { filtered: rows.len() < recorded, rows, mixed: true },
        shell: Shell::new(&visit, "Traces", Place::Traces).behind(&wire),
        filter,
        proxies,
    })
}
