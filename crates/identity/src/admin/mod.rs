//! Our own admin API below `/api/v1`: setup, the own login, service keys. Errors are problem+json.

pub(crate) mod service_keys;
pub(crate) mod session;
pub(crate) mod setup;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use pierhead_domain::Caller;
use pierhead_web::auth::{Authenticator, Credentials};
use pierhead_web::problem_json;

use crate::hub::caller::credentials;
use crate::posted::Posted;
use crate::{Identity, IdentityProblem};

/// An error of this room in the dialect of this API.
#[derive(Debug)]
pub(crate) struct AdminProblem(IdentityProblem);

impl<E: Into<IdentityProblem>> From<E> for AdminProblem {
    fn from(why: E) -> Self {
        Self(why.into())
    }
}

impl IntoResponse for AdminProblem {
    fn into_response(self) -> Response {
        self.0.mark(problem_json::answer(&self.0))
    }
}

/// The caller of an admin call, by any credentials there are.
#[derive(Debug)]
pub(crate) struct AdminCaller(pub(crate) Caller);

impl FromRequestParts<Identity> for AdminCaller {
    type Rejection = AdminProblem;

    async fn from_request_parts(parts: &mut Parts, identity: &Identity) -> Result<Self, AdminProblem> {
        let found = credentials(parts)?;
        if matches!(found, Credentials::Basic { .. }) && parts.method == Method::POST && !is_json(parts) {
            // A browser sends Basic by itself, but no page elsewhere can make it send JSON with it.
            return Err(IdentityProblem::Invalid("the content type must be application/json".into()).into());
        }
        Ok(Self(identity.caller(&found).await.map_err(IdentityProblem::from)?))
    }
}

fn is_json(parts: &Parts) -> bool {
    let media_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    media_type.is_some_and(|media_type| {
        media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
    })
}

/// A posted JSON object, with errors in this API's dialect.
#[derive(Debug)]
pub(crate) struct AdminPosted(pub(crate) Posted);

impl<S: Send + Sync> FromRequest<S> for AdminPosted {
    type Rejection = AdminProblem;

    async fn from_request(request: Request, state: &S) -> Result<Self, AdminProblem> {
        Ok(Self(Posted::from_request(request, state).await?))
    }
}
