//! `/api/v1/session`: who the caller is, and logging out.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use pierhead_domain::Role;
use pierhead_web::auth::Credentials;
use serde_json::{Value, json};

use super::{AdminCaller, AdminProblem};
use crate::credentials::kind;
use crate::hub::caller::credentials;
use crate::{Identity, IdentityProblem};

/// `GET /api/v1/session`: the caller's name, place and roles.
pub(crate) async fn who(AdminCaller(caller): AdminCaller) -> Json<Value> {
    Json(json!({
        "name": caller.name,
        "organizationId": caller.organization,
        "accountId": caller.account,
        "userId": caller.user,
        "roles": caller.roles.iter().map(Role::key).collect::<Vec<_>>(),
    }))
}

/// `DELETE /api/v1/session` with the login's `Bearer` token: the login ends. 204 even when it was over.
pub(crate) async fn end(State(identity): State<Identity>, parts: Parts) -> Result<StatusCode, AdminProblem> {
    let Credentials::Bearer(token) = credentials(&parts)? else {
        return Err(IdentityProblem::Unauthenticated("a login's Bearer token is needed".into()).into());
    };
    let tx = identity.0.store.write().await?;
    tx.end_login(&identity.hash(kind::LOGIN, token.expose())).await?;
    tx.commit().await?;
    identity.0.cache.clear();
    Ok(StatusCode::NO_CONTENT)
}
