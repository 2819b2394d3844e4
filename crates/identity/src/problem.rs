//! What can go wrong in this room, and its status.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pierhead_store::StoreError;
use pierhead_vault::VaultError;
use pierhead_web::auth::{AuthFailure, BadAuthorization};
use pierhead_web::body::BadBody;
use pierhead_web::paging::BadPage;
use pierhead_web::{Problem, hub};

/// An error of this room. Its texts name the field and the rule and never a secret.
#[derive(Debug, thiserror::Error)]
pub enum IdentityProblem {
    /// Nobody is known by these credentials.
    #[error("{0}")]
    Unauthenticated(String),
    /// Too many failed attempts.
    #[error("too many failed attempts; try again in {retry_after_seconds} seconds")]
    TooMany {
        /// For `Retry-After`.
        retry_after_seconds: u64,
    },
    /// Known, but not allowed.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such thing, or it is somebody else's.
    #[error("{0} was not found")]
    NotFound(String),
    /// A member of the request is wrong.
    #[error("{field} {rule}")]
    Field {
        /// Its name on the wire.
        field: &'static str,
        /// What it must be.
        rule: String,
    },
    /// The request as a whole is wrong.
    #[error("{0}")]
    Invalid(String),
    /// A `where` that says nothing.
    #[error("Error parsing query: {0}")]
    Query(String),
    /// There is one already.
    #[error("{0}")]
    Conflict(String),
    /// The body could not be read.
    #[error("{0}")]
    Body(BadBody),
    /// A page parameter is wrong.
    #[error(transparent)]
    Page(#[from] BadPage),
    /// More passwords wait to be checked than can be.
    #[error("too many logins at once; try again in some seconds")]
    Busy,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The vault failed.
    #[error("the vault failed")]
    Vault(#[from] VaultError),
}

impl IdentityProblem {
    pub(crate) fn field(field: &'static str, rule: impl Into<String>) -> Self {
        Self::Field { field, rule: rule.into() }
    }

    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany { retry_after_seconds } => Some(*retry_after_seconds),
            Self::Busy => Some(2),
            _ => None,
        }
    }

    /// Writes `Retry-After` where one is due, whatever the dialect.
    pub(crate) fn mark(&self, mut response: Response) -> Response {
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl Problem for IdentityProblem {
    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Field { .. } | Self::Invalid(_) | Self::Query(_) | Self::Page(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Body(body) => body.status(),
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Vault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Field { field, .. } => Some(field),
            _ => None,
        }
    }
}

impl IntoResponse for IdentityProblem {
    fn into_response(self) -> Response {
        self.mark(hub::answer(&self))
    }
}

impl From<BadAuthorization> for IdentityProblem {
    fn from(why: BadAuthorization) -> Self {
        Self::Unauthenticated(why.to_string())
    }
}

impl From<BadBody> for IdentityProblem {
    fn from(why: BadBody) -> Self {
        Self::Body(why)
    }
}

impl From<IdentityProblem> for AuthFailure {
    fn from(why: IdentityProblem) -> Self {
        match why {
            IdentityProblem::TooMany { retry_after_seconds } => Self::TooMany { retry_after_seconds },
            IdentityProblem::Busy | IdentityProblem::Store(_) | IdentityProblem::Vault(_) => {
                Self::Unavailable(Box::new(why))
            }
            refusal => Self::Refused(refusal.to_string()),
        }
    }
}
