//! What goes wrong in an OData call.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use axum::http::StatusCode;
use pierhead_store::StoreError;
use pierhead_vault::VaultError;
use pierhead_web::Problem;

/// A failed call: status, machine-readable code, text for the client. What failed in here keeps its cause
/// for the log and shows none of it.
#[derive(Debug)]
pub(crate) struct ODataError {
    status: StatusCode,
    code: Cow<'static, str>,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ODataError {
    /// An error with its own code.
    pub(crate) fn coded(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self { status, code: code.into(), message: message.into(), source: None }
    }

    /// 400: the message names the field and the rule.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::coded(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    /// 404. Clients search the text for "not be found" (api-management §8.4).
    pub(crate) fn not_found(what: impl fmt::Display) -> Self {
        Self::coded(StatusCode::NOT_FOUND, "NOT_FOUND", format!("{what} could not be found."))
    }

    /// 405.
    pub(crate) fn unsupported(what: impl fmt::Display) -> Self {
        Self::coded(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", format!("{what} is not supported."))
    }

    /// 500: something in here failed; the client gets a general text.
    pub(crate) fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "INTERNAL_SERVER_ERROR".into(),
            message: "the management service failed".into(),
            source: Some(source.into()),
        }
    }
}

impl fmt::Display for ODataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ODataError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}

impl Problem for ODataError {
    fn status(&self) -> StatusCode {
        self.status
    }

    fn code(&self) -> &str {
        &self.code
    }
}

impl From<StoreError> for ODataError {
    fn from(error: StoreError) -> Self {
        match error {
            // Every create looks before it inserts; this is the loser of a race for the same name.
            StoreError::Duplicate(_) => Self::coded(
                StatusCode::BAD_REQUEST,
                "DUPLICATION_ERROR",
                "An entity with the same key was made meanwhile.",
            ),
            error => Self::internal(error),
        }
    }
}

impl From<VaultError> for ODataError {
    fn from(error: VaultError) -> Self {
        Self::internal(error)
    }
}

pierhead_web::answer_as_odata!(ODataError);
