//! Apigee's error shape: `{"code","message","contexts":[]}`.

use std::error::Error;

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use pierhead_bundle::Finding;
use pierhead_store::StoreError;
use pierhead_vault::VaultError;
use pierhead_web::Problem;
use pierhead_web::body::BadBody;
use serde_json::json;

use crate::odata::ODataError;
use crate::portal::NoChange;

/// What goes wrong in a call of Apigee's API.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApigeeProblem {
    #[error("Unauthorized")]
    Unauthorized,
    #[error("Forbidden: the caller's roles do not allow this")]
    Forbidden,
    #[error("too many failed logins; try again in {0} seconds")]
    TooMany(u64),
    #[error("{message}")]
    Missing { code: &'static str, message: String },
    #[error("{message}")]
    Conflict { code: &'static str, message: String },
    #[error("{0}")]
    Bad(String),
    /// A change that would break a design.
    #[error("{}", said(.0))]
    Broken(Vec<Finding>),
    #[error("{0} is not supported here")]
    Method(String),
    #[error("{0}")]
    Body(BadBody),
    #[error("the management service failed")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl ApigeeProblem {
    pub(super) fn missing(code: &'static str, kind: &str, name: &str) -> Self {
        Self::Missing { code, message: format!("{kind} {name} does not exist") }
    }

    pub(super) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict { code, message: message.into() }
    }

    pub(super) fn bad(rule: impl Into<String>) -> Self {
        Self::Bad(rule.into())
    }

    fn answer(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "security.Unauthorized"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "security.Forbidden"),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "security.TooManyRequests"),
            Self::Missing { code, .. } => (StatusCode::NOT_FOUND, code),
            Self::Conflict { code, .. } => (StatusCode::CONFLICT, code),
            Self::Broken(_) => (StatusCode::BAD_REQUEST, "messaging.config.beans.InvalidBundle"),
            Self::Bad(_) => (StatusCode::BAD_REQUEST, "keymanagement.service.InvalidArgument"),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, "messaging.runtime.MethodNotAllowed"),
            Self::Body(bad) => (bad.status(), "keymanagement.service.InvalidBody"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "messaging.runtime.InternalError"),
        }
    }
}

/// The first findings, each with its file, line and rule.
fn said(findings: &[Finding]) -> String {
    let shown: Vec<String> = findings.iter().take(10).map(ToString::to_string).collect();
    format!("The change would bring mistakes: {}", shown.join("; "))
}

impl From<NoChange> for ApigeeProblem {
    fn from(why: NoChange) -> Self {
        match why {
            NoChange::Broken(findings) => Self::Broken(findings),
            NoChange::Refused(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApigeeProblem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Duplicate(_) => Self::conflict(
                "keymanagement.service.AlreadyExists",
                "An entity with the same key exists already",
            ),
            error => Self::Internal(error.into()),
        }
    }
}

/// What the unit of work says, in Apigee's words: the text stays, the code is the one of its status.
impl From<ODataError> for ApigeeProblem {
    fn from(error: ODataError) -> Self {
        match error.status() {
            StatusCode::NOT_FOUND => {
                Self::Missing { code: "messaging.config.beans.NotFound", message: error.to_string() }
            }
            StatusCode::CONFLICT => Self::conflict("messaging.config.beans.AlreadyExists", error.to_string()),
            StatusCode::METHOD_NOT_ALLOWED => Self::Method(error.to_string()),
            status if status.is_client_error() => Self::Bad(error.to_string()),
            _ => Self::Internal(error.into()),
        }
    }
}

impl From<VaultError> for ApigeeProblem {
    fn from(error: VaultError) -> Self {
        Self::Internal(error.into())
    }
}

impl IntoResponse for ApigeeProblem {
    fn into_response(self) -> Response<Body> {
        let (status, code) = self.answer();
        if let Self::Internal(why) = &self {
            tracing::error!(error = %why, "a call of the Apigee API failed: {why}");
        }
        let mut body = json!({"code": code, "message": self.to_string(), "contexts": []});
        if let Self::Broken(findings) = &self {
            let violations = findings.iter().map(|finding| {
                json!({"filename": finding.file, "line": finding.line, "rule": finding.rule, "description": finding.message})
            });
            body["violations"] = violations.collect();
        }
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        match self {
            Self::Unauthorized => {
                headers
                    .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"API portal\""));
            }
            Self::TooMany(seconds) => {
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
            _ => {}
        }
        response
    }
}
