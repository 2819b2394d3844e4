//! What can go wrong on the hub's routes, and the one place that turns it into an answer.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use pierhead_store::StoreError;
use pierhead_vault::VaultError;
use pierhead_web::{AuthFailure, Problem, hub, request_id};
use serde::Serialize;

use crate::engine::CallProblem;
use crate::instance::LoadProblem;

/// A failed call of a hub route.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HubProblem {
    /// The request itself is wrong; the text names the field and the rule.
    #[error("{0}")]
    Bad(String),
    /// No credentials, wrong ones, or credentials that do not belong together.
    #[error("{0}")]
    Unauthorized(String),
    /// Known, but not allowed.
    #[error("{0}")]
    Forbidden(String),
    /// Not there, or not visible to this caller.
    #[error("{0}")]
    NotFound(String),
    /// The path is there, the method is not.
    #[error("this path does not answer that method")]
    Method,
    /// A body beyond its limit.
    #[error("{0}")]
    TooLarge(String),
    /// Too many failed logins.
    #[error("too many failed logins; try again in {0} seconds")]
    TooMany(u64),
    /// Too many consents begun from one address.
    #[error("too many consents were begun from this address; try again in {0} seconds")]
    TooManyConsents(u64),
    /// The engine or the vendor says no.
    #[error(transparent)]
    Call(#[from] CallProblem),
    /// Who is calling could not be found out.
    #[error("the caller could not be looked up")]
    Lookup(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// A value could not be sealed or opened.
    #[error("the vault failed")]
    Vault(#[from] VaultError),
}

impl HubProblem {
    pub(crate) fn unknown_element(key_or_id: &str) -> Self {
        Self::NotFound(format!("No element found with key or id '{key_or_id}'"))
    }

    pub(crate) fn unknown_instance(id: impl std::fmt::Display) -> Self {
        Self::NotFound(format!("No element instance found with id {id}"))
    }

    pub(crate) fn bad_token() -> Self {
        Self::Unauthorized(
            "The Element part of the Authorization header names no instance of this user".into(),
        )
    }
}

impl Problem for HubProblem {
    fn status(&self) -> StatusCode {
        match self {
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany(_) | Self::TooManyConsents(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Call(problem) => problem.status,
            Self::Lookup(_) | Self::Store(StoreError::Database(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Vault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for HubProblem {
    fn into_response(self) -> Response {
        match self {
            Self::Call(problem) => call_answer(&problem),
            Self::TooMany(seconds) | Self::TooManyConsents(seconds) => {
                let mut answer = hub::answer(&self);
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                answer
            }
            _ => hub::answer(&self),
        }
    }
}

impl From<AuthFailure> for HubProblem {
    fn from(failure: AuthFailure) -> Self {
        match failure {
            AuthFailure::Refused(why) => Self::Unauthorized(why),
            AuthFailure::TooMany { retry_after_seconds } => Self::TooMany(retry_after_seconds),
            AuthFailure::Unavailable(why) => Self::Lookup(why),
        }
    }
}

impl From<LoadProblem> for HubProblem {
    fn from(problem: LoadProblem) -> Self {
        match problem {
            LoadProblem::Store(error) => Self::Store(error),
            LoadProblem::Vault(error) => Self::Vault(error),
            LoadProblem::NoConnector(key) => Self::NotFound(format!(
                "The connector '{key}' of this instance is no longer in the catalogue of this installation"
            )),
        }
    }
}

/// The error body with what the engine knows beyond the original's three fields.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallError<'a> {
    request_id: String,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_status: Option<u16>,
    retryable: bool,
}

fn call_answer(problem: &CallProblem) -> Response {
    let request_id = request_id::current();
    if problem.status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(request_id, "hub call {request_id} failed: {}", problem.message);
    }
    let body = CallError {
        request_id,
        message: &problem.message,
        provider_message: problem.provider.as_ref().map(|fault| fault.message.as_str()),
        provider_status: problem.provider.as_ref().map(|fault| fault.status.as_u16()),
        retryable: problem.retryable,
    };
    let mut answer = (problem.status, Json(body)).into_response();
    if let Some(range) = &problem.content_range {
        answer.headers_mut().insert(header::CONTENT_RANGE, range.clone());
    }
    if let Some(wait) = problem.retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    answer
}
