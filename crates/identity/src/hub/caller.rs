//! Authorisation as extractors: whoever has one of these is known.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use pierhead_domain::Caller;
use pierhead_web::auth::{AuthFailure, Authenticator, Credentials};

use crate::{Identity, IdentityProblem};

/// The caller of a platform call: `User …, Organization …` (an `Element` part does no harm), or the `Bearer`
/// token of a login or of a service key (open-connectors §2.1).
#[derive(Debug)]
pub(crate) struct PlatformCaller(pub(crate) Caller);

impl FromRequestParts<Identity> for PlatformCaller {
    type Rejection = IdentityProblem;

    async fn from_request_parts(parts: &mut Parts, identity: &Identity) -> Result<Self, IdentityProblem> {
        let refused = |why: &str| Err(IdentityProblem::Unauthenticated(why.into()));
        match credentials(parts)? {
            Credentials::Connector(auth) if auth.organization.is_none() => {
                refused("the Authorization header has no 'Organization' part")
            }
            // Browsers send Basic by themselves; the hub's wire never had it.
            Credentials::Basic { .. } => {
                refused("the hub takes User and Organization secrets or a Bearer token")
            }
            known => identity.caller(&known).await.map(Self).map_err(IdentityProblem::from),
        }
    }
}

/// What the one Authorization header of a request holds.
pub(crate) fn credentials(parts: &Parts) -> Result<Credentials, IdentityProblem> {
    let refused = |why: &str| IdentityProblem::Unauthenticated(why.into());
    let mut all = parts.headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        return Err(refused("exactly one Authorization header is needed"));
    };
    let text = value.to_str().map_err(|_| refused("the Authorization header is not plain text"))?;
    Ok(text.parse::<Credentials>()?)
}

impl From<AuthFailure> for IdentityProblem {
    fn from(why: AuthFailure) -> Self {
        match why {
            AuthFailure::Refused(text) => Self::Unauthenticated(text),
            AuthFailure::TooMany { retry_after_seconds } => Self::TooMany { retry_after_seconds },
            AuthFailure::Unavailable(cause) => match cause.downcast::<IdentityProblem>() {
                Ok(ours) => *ours,
                Err(_) => Self::Busy,
            },
        }
    }
}
