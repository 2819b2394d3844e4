//! One recorded exchange, step by step.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use pierhead_domain::EpochMillis;

use super::SessionAt;
use super::session::{spoken_micros, tone};
use super::steps::{Group, groups};
use crate::Console;
use crate::interrupted::Interrupted;
use crate::shell::{Shell, html};
use crate::times::Moment;
use crate::visit::SignedIn;
use crate::wire::escape;
use crate::wire::trace::{Point, Transaction};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/proxies/{name}/trace/{revision}/{session}/{id}", get(transaction))
}

#[derive(Template)]
#[template(path = "pages/trace/transaction.html")]
struct TransactionPage {
    shell: Shell,
    href: String,
    line: String,
    status: String,
    tone: &'static str,
    took: String,
    began: Moment,
    revision: String,
    truncated: bool,
    /// The last thing that went wrong.
    fault: Option<(String, String)>,
    groups: Vec<Group>,
    /// Revisions to replay through, the newest first.
    revisions: Vec<String>,
    steps: usize,
}

/// The first line of the request.
pub(super) fn line(transaction: &Transaction) -> String {
    let first = transaction.points.iter().find_map(|timed| match &timed.point {
        Point::Message { at, message, .. } if at == "received" => Some(message.line.clone()),
        _ => None,
    });
    first.unwrap_or_default()
}

async fn transaction(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path((proxy, revision, session, id)): Path<(String, String, String, String)>,
) -> Result<Response, Interrupted> {
    let at = SessionAt { proxy, revision, session };
    let path = format!("{}/data/{}?format=pierhead", at.path(&console), escape(&id));
    let transaction: Transaction = wire.get(&path).await?;
    let revisions = wire.revisions(&console.gateway, "apis", &at.proxy).await?.all;
    let fault = transaction.points.iter().rev().find_map(|timed| match &timed.point {
        Point::Fault { fault, .. } => Some((fault.code.clone(), fault.text.clone())),
        _ => None,
    });
    let steps = transaction.points.iter().filter(|timed| matches!(timed.point, Point::Step { .. })).count();
    let line = line(&transaction);
    let view = TransactionPage {
        shell: at.shell(&visit, &line).behind(&wire),
        href: format!("{}/{}", at.href(), escape(&id)),
        line,
        status: transaction.status.map_or_else(|| "left".to_owned(), |status| status.to_string()),
        tone: tone(transaction.status),
        took: spoken_micros(transaction.took_us),
        began: Moment::at(EpochMillis::new(transaction.began), console.clock.now()),
        revision: transaction.revision.clone(),
        truncated: transaction.truncated,
        fault,
        groups: groups(&transaction, ""),
        revisions,
        steps,
    };
    html(&view)
}
