//! The error dialect of the hub: `{"requestId","message","providerMessage"}` (open-connectors §3).

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::problem::{self, Problem};
use crate::request_id;

/// The body of every failed hub call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HubError {
    /// 24 hex digits; also in `Elements-Request-Id`.
    pub request_id: String,
    /// For people.
    pub message: String,
    /// What the vendor said, where one failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_message: Option<String>,
}

/// An answer in the hub's dialect.
pub fn error(status: StatusCode, message: impl Into<String>) -> Response {
    let body =
        HubError { request_id: request_id::current(), message: message.into(), provider_message: None };
    (status, Json(body)).into_response()
}

/// The answer for a [`Problem`], logged when it is ours.
pub fn answer(problem: &dyn Problem) -> Response {
    problem::log(problem);
    let body = HubError {
        request_id: request_id::current(),
        message: problem::text_for_client(problem),
        provider_message: problem.provider_message(),
    };
    (problem.status(), Json(body)).into_response()
}

/// Makes an error type answer in the hub's dialect.
#[macro_export]
macro_rules! answer_as_hub {
    ($problem:ty) => {
        impl axum::response::IntoResponse for $problem {
            fn into_response(self) -> axum::response::Response {
                $crate::hub::answer(&self)
            }
        }
    };
}
