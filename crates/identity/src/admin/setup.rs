//! `/api/v1/setup`: the first start by a person, who shows the code that the server printed.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use pierhead_vault::constant_time_eq;
use serde_json::{Value, json};

use super::{AdminPosted, AdminProblem};
use crate::authenticate::from_here;
use crate::first_start::FirstStart;
use crate::password_policy::{self, Owner};
use crate::posted::NAME;
use crate::{Identity, IdentityProblem};

/// Guesses of the code from one address: the code is far too long for many addresses to guess it together,
/// and nobody can keep the administrator out by guessing.
const THROTTLED: &str = "setup code";

/// `GET /api/v1/setup` → `{"needed": bool}`.
pub(crate) async fn needed(State(identity): State<Identity>) -> Result<Json<Value>, AdminProblem> {
    Ok(Json(json!({"needed": !identity.administrator_exists().await?})))
}

/// `POST /api/v1/setup` `{"email","password","organization","code"}` → 201; 409 when it is done; 403 for a
/// wrong code.
pub(crate) async fn set_up(
    State(identity): State<Identity>,
    AdminPosted(posted): AdminPosted,
) -> Result<(StatusCode, Json<Value>), AdminProblem> {
    if identity.administrator_exists().await? {
        return Err(done().into());
    }
    let code = posted.needed("code", NAME)?.to_lowercase();
    let here = from_here(THROTTLED);
    identity.may_try(&here)?;
    if !constant_time_eq(code.as_bytes(), identity.setup_code().expose().as_bytes()) {
        identity.0.throttle.failed(&here, identity.now());
        let why = "code is not the setup code that the server printed when it started";
        return Err(IdentityProblem::Forbidden(why.into()).into());
    }
    let email = posted.email()?.ok_or_else(|| IdentityProblem::field("email", "is required"))?;
    let organization = posted.needed("organization", NAME)?;
    let password = posted.needed_password("password")?;
    password_policy::check(&password, Owner { first_name: "", last_name: "", email: &email })?;
    match identity.first_start(&email, &password, &organization).await? {
        FirstStart::AlreadyDone => Err(done().into()),
        FirstStart::Created(made) => Ok((
            StatusCode::CREATED,
            Json(json!({
                "organizationId": made.organization,
                "accountId": made.account,
                "userId": made.user,
            })),
        )),
    }
}

fn done() -> IdentityProblem {
    IdentityProblem::Conflict("the setup is done; log in instead".into())
}
