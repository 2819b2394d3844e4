//! A recorded request through another revision, and what differs.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::Response;
use axum::routing::post;

use super::SessionAt;
use super::session::{spoken_micros, tone};
use super::steps::{Group, groups};
use super::transaction::line;
use crate::Console;
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Shell, html};
use crate::visit::SignedIn;
use crate::wire::escape;
use crate::wire::trace::{Difference, Replayed, Transaction};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/proxies/{name}/trace/{revision}/{session}/{id}/replay", post(replay))
}

#[derive(Template)]
#[template(path = "pages/trace/replay.html")]
pub(super) struct ReplayPage {
    pub(super) shell: Shell,
    pub(super) title: &'static str,
    pub(super) sentence: &'static str,
    /// The page to replay from again; nothing when two recorded exchanges are compared.
    pub(super) again: String,
    /// What the two sides are called.
    pub(super) words: [&'static str; 2],
    pub(super) differences: Vec<Difference>,
    pub(super) sides: [Side; 2],
}

/// One of the two exchanges.
pub(super) struct Side {
    title: String,
    status: String,
    tone: &'static str,
    took: String,
    groups: Vec<Group>,
}

impl Side {
    pub(super) fn of(title: String, transaction: &Transaction, prefix: &str) -> Self {
        Self {
            title,
            status: transaction.status.map_or_else(|| "left".to_owned(), |status| status.to_string()),
            tone: tone(transaction.status),
            took: spoken_micros(transaction.took_us),
            groups: groups(transaction, prefix),
        }
    }
}

impl Difference {
    /// Where it shows, as people say it.
    fn place(&self) -> &'static str {
        match self.part.as_str() {
            "status" => "Status",
            "header" => "Answer header",
            "body" => "Answer body",
            "target" => "Target",
            "target_header" => "Header to the target",
            "target_body" => "Body to the target",
            "step" => "Step",
            "variable" => "Variable",
            _ => "Other",
        }
    }
}

/// A revision as people say it.
fn spoken(revision: &str) -> String {
    if revision == "draft" { "the design as it stands".into() } else { format!("revision {revision}") }
}

async fn replay(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path((proxy, revision, session, id)): Path<(String, String, String, String)>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let at = SessionAt { proxy, revision, session };
    let through = typed.trimmed("revision");
    let targets = if typed.trimmed("targets") == "live" { "live" } else { "recorded" };
    let path = format!(
        "{}/data/{}/replay?revision={}&targets={targets}",
        at.path(&console),
        escape(&id),
        escape(through)
    );
    let replayed: Replayed = wire.send(Method::POST, &path, None).await?.json()?;
    let back = format!("{}/{}", at.href(), escape(&id));
    let view = ReplayPage {
        shell: at.shell(&visit, "Replay").crumb(line(&replayed.recorded), back.clone()).behind(&wire),
        title: "Replay",
        sentence: match replayed.targets.as_str() {
            "live" => "The targets were called again.",
            _ => "The targets answered with what was recorded.",
        },
        again: back,
        words: ["Recorded", "Replayed"],
        differences: replayed.differences,
        sides: [
            Side::of(format!("Recorded, revision {}", replayed.recorded.revision), &replayed.recorded, "a"),
            Side::of(format!("Replayed, {}", spoken(&replayed.revision)), &replayed.replayed, "b"),
        ],
    };
    html(&view)
}
