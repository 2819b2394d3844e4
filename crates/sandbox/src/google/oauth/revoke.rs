//! `POST /revoke`: the end of a grant, by either of its tokens, in the query or in a form.

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use super::super::params::Params;
use super::super::state::Shared;
use super::token::{Form, TokenProblem, answer};

pub(super) async fn revoke(State(app): State<Shared>, request: Request) -> Result<Response, TokenProblem> {
    let (parts, body) = request.into_parts();
    let query = Params::parse(parts.uri.query());
    let token = match query.filled("token") {
        Some(token) => Some(token.to_owned()),
        None => Form::read(body).await?.get("token").map(str::to_owned),
    };
    let token = token.ok_or(TokenProblem::Missing("token"))?;
    if app.oauth().revoke(&token) {
        return Ok(answer(StatusCode::OK, &json!({})));
    }
    let refused = json!({"error": "invalid_token", "error_description": "Token expired or revoked"});
    Ok(answer(StatusCode::BAD_REQUEST, &refused))
}
