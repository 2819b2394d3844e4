//! Google's error body, and the reasons Drive gives.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderName, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::json;

/// A refusal in Google's dialect: `{"error": {"code", "message", "errors": [{…}], "status"?}}`.
/// Boxed, since it travels in the error half of every result.
#[derive(Debug, thiserror::Error)]
#[error("{} {}: {}", .0.status, .0.reason, .0.message)]
pub(crate) struct Problem(Box<Refusal>);

#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    domain: &'static str,
    reason: Cow<'static, str>,
    message: Cow<'static, str>,
    /// The text inside `errors[0]` where Google's differs from the outer one.
    detail: Option<&'static str>,
    location: Option<(&'static str, Cow<'static, str>)>,
    /// The canonical status name, which only newer refusals carry.
    canonical: Option<&'static str>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Refusal {
            status,
            domain: "global",
            reason: reason.into(),
            message: message.into(),
            detail: None,
            location: None,
            canonical: None,
            header: None,
        }))
    }

    pub(crate) fn about_parameter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.location = Some(("parameter", name.into()));
        self
    }

    pub(crate) fn about_header(mut self, name: &'static str) -> Self {
        self.0.location = Some(("header", name.into()));
        self
    }

    pub(crate) fn about_body(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.location = Some(("other", name.into()));
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.header = Some((name, value));
        self
    }

    pub(crate) fn in_domain(mut self, domain: &'static str) -> Self {
        self.0.domain = domain;
        self
    }

    /// A request that carries no credentials at all.
    pub(crate) fn login_required() -> Self {
        let mut problem = Self::new(
            StatusCode::UNAUTHORIZED,
            "required",
            "Request is missing required authentication credential. Expected OAuth 2 access token.",
        )
        .about_header("Authorization")
        .with_header(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"https://accounts.google.com/\""),
        );
        problem.0.detail = Some("Login Required.");
        problem.0.canonical = Some("UNAUTHENTICATED");
        problem
    }

    /// An access token that is unknown, expired or revoked.
    pub(crate) fn invalid_credentials() -> Self {
        let mut problem = Self::new(
            StatusCode::UNAUTHORIZED,
            "authError",
            "Request had invalid authentication credentials. Expected OAuth 2 access token.",
        )
        .about_header("Authorization")
        .with_header(
            WWW_AUTHENTICATE,
            HeaderValue::from_static(
                "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"",
            ),
        );
        problem.0.detail = Some("Invalid Credentials");
        problem.0.canonical = Some("UNAUTHENTICATED");
        problem
    }

    /// A live token whose scopes do not cover the method.
    pub(crate) fn insufficient_scopes() -> Self {
        let mut problem = Self::new(
            StatusCode::FORBIDDEN,
            "insufficientPermissions",
            "Request had insufficient authentication scopes.",
        )
        .with_header(
            WWW_AUTHENTICATE,
            HeaderValue::from_static(
                "Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\"",
            ),
        );
        problem.0.detail = Some("Insufficient Permission");
        problem.0.canonical = Some("PERMISSION_DENIED");
        problem
    }

    /// A person who may see the file but not do this to it.
    pub(crate) fn no_permission(file_id: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "insufficientFilePermissions",
            format!("The user does not have sufficient permissions for file {file_id}."),
        )
    }

    pub(crate) fn no_file(file_id: &str) -> Self {
        Self::missing("File", file_id, "fileId")
    }

    /// A thing of `kind` that is not there or not visible: Google does not tell the two apart.
    pub(crate) fn missing(kind: &str, id: &str, parameter: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "notFound", format!("{kind} not found: {id}."))
            .about_parameter(parameter)
    }

    /// A parameter whose value has the wrong form.
    pub(crate) fn invalid_value(parameter: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", "Invalid Value").about_parameter(parameter)
    }

    /// A parameter outside what the description allows.
    pub(crate) fn invalid_parameter(
        parameter: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalidParameter", message).about_parameter(parameter)
    }

    pub(crate) fn required(parameter: &'static str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "required",
            format!("The '{parameter}' parameter is required for this method."),
        )
        .about_parameter(parameter)
    }

    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "badRequest", message)
    }

    pub(crate) fn parse_error() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "parseError", "Parse Error")
    }

    /// A body property that the server alone writes.
    pub(crate) fn not_writable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "fieldNotWritable", message)
    }

    pub(crate) fn quota_exceeded() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "storageQuotaExceeded",
            "The user's Drive storage quota has been exceeded.",
        )
    }

    /// The double itself failed, or was told to act as if.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internalError", "Internal Error")
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        tracing::error!(%error, "the double's content store failed");
        Self::internal()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let refusal = *self.0;
        let mut first = json!({
            "message": refusal.detail.map_or(refusal.message.as_ref(), |detail| detail),
            "domain": refusal.domain,
            "reason": refusal.reason,
        });
        if let Some((kind, place)) = &refusal.location {
            first["location"] = json!(place);
            first["locationType"] = json!(kind);
        }
        let mut error =
            json!({"code": refusal.status.as_u16(), "message": refusal.message, "errors": [first]});
        if let Some(canonical) = refusal.canonical {
            error["status"] = json!(canonical);
        }
        let body = serde_json::to_vec_pretty(&json!({"error": error})).unwrap_or_default();
        let mut response = (refusal.status, body).into_response();
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
        if let Some((name, value)) = refusal.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
