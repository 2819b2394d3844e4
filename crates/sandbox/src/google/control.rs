//! `/sandbox/…`: steering the double over HTTP. It has no authentication: the double is for loopback.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::faults::Fault;
use super::journal::JournalEntry;
use super::oauth::authorize;
use super::problem::Problem;
use super::state::Shared;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/sandbox/expire", post(expire))
        .route("/sandbox/revoke", post(revoke))
        .route("/sandbox/journal", get(journal).delete(forget))
        .route("/sandbox/faults", post(faults).delete(mend))
        .route("/sandbox/consent", post(consent))
        .route("/sandbox/reset", post(reset))
        .route("/sandbox/health", get(|| async { Json(json!({"ok": true})) }))
}

/// Ends the life of every access token; refresh tokens keep working.
async fn expire(State(app): State<Shared>) -> Json<Value> {
    Json(json!({"expired": app.oauth().expire_access_tokens(app.now())}))
}

/// Revokes every grant, as people do on their account page.
async fn revoke(State(app): State<Shared>) -> Json<Value> {
    Json(json!({"revoked": app.oauth().revoke_all()}))
}

async fn journal(State(app): State<Shared>) -> Json<Value> {
    let entries: Vec<JournalEntry> = app.journal.entries();
    Json(json!({"refreshCount": app.oauth().refresh_count(), "requests": entries}))
}

async fn forget(State(app): State<Shared>) -> StatusCode {
    app.journal.clear();
    StatusCode::NO_CONTENT
}

async fn faults(State(app): State<Shared>, Json(fault): Json<Fault>) -> StatusCode {
    app.faults.add(fault);
    StatusCode::NO_CONTENT
}

async fn mend(State(app): State<Shared>) -> StatusCode {
    app.faults.clear();
    StatusCode::NO_CONTENT
}

/// What somebody at a browser would do with an authorization URL.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Consent {
    /// The authorization URL, whole or from its path on.
    url: String,
    /// Whether the person allows it.
    #[serde(default = "yes")]
    allow: bool,
    /// The address of the person; the first account when absent.
    #[serde(default)]
    account: Option<String>,
}

fn yes() -> bool {
    true
}

/// Opens an authorization URL, decides, and answers where the browser would be sent.
async fn consent(State(app): State<Shared>, Json(consent): Json<Consent>) -> Result<Json<Value>, Problem> {
    let query = consent.url.split_once('?').map(|(_, query)| query.split('#').next().unwrap_or(query));
    authorize::decide_at_once(&app, query, consent.allow, consent.account.as_deref())
        .map(|location| Json(json!({"location": location})))
        .map_err(|why| Problem::bad_request(why.to_string()))
}

async fn reset(State(app): State<Shared>) -> Result<StatusCode, Problem> {
    app.reset()?;
    Ok(StatusCode::NO_CONTENT)
}
