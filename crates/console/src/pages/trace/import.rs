//! An exported session shown again.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;

use super::{page, trace_href};
use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::uploaded::Uploaded;
use crate::visit::SignedIn;
use crate::wire::trace::revision_sessions_path;
use crate::wire::{Payload, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/proxies/{name}/trace/import", post(import))
}

async fn import(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    upload: Uploaded,
) -> Result<Response, Interrupted> {
    let mut mistakes = Mistakes::default();
    let revisions = wire.revisions(&console.gateway, "apis", &name).await?;
    let revision = if revisions.live.is_empty() { revisions.newest() } else { &revisions.live };
    let session = upload.stem().trim_end_matches(".json").trim_end_matches(".trace").to_owned();
    if upload.bytes.is_empty() {
        mistakes.field("file", "Choose a file that Export saved.");
    }
    if mistakes.none() {
        let at = revision_sessions_path(&console.gateway, &name, revision);
        let path = format!("{at}?session={}&action=import", escape(&session));
        let payload = Payload { content_type: "application/json", bytes: upload.bytes };
        match wire.send_bytes(Method::POST, &path, payload).await {
            Ok(_) => {
                let to = format!("{}/{}/{}", trace_href(&name), escape(revision), escape(&session));
                return Ok(Redirect::to(&format!("{to}?done=imported")).into_response());
            }
            Err(problem) if problem.is_signed_out() => return Err(Interrupted::SignIn),
            Err(problem) => mistakes.field("file", problem.sentence()),
        }
    }
    let page = page(&console, &visit, &wire, &name, Fields::default(), mistakes).await?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}
