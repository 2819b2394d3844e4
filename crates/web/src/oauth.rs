//! The error dialect of OAuth 2.0 token endpoints (RFC 6749 §5.2).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::problem::{self, Problem};

/// An answer in the OAuth dialect; never cached. A 401 names Basic, as the RFC asks.
pub fn error(status: StatusCode, code: &str, description: &str) -> Response {
    let body = serde_json::json!({"error": code, "error_description": description});
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"oauth\""));
    }
    response
}

/// The answer for a [`Problem`], logged when it is ours.
pub fn answer(problem: &dyn Problem) -> Response {
    problem::log(problem);
    error(problem.status(), problem.code(), &problem::text_for_client(problem))
}

/// Makes an error type answer in the OAuth dialect.
#[macro_export]
macro_rules! answer_as_oauth {
    ($problem:ty) => {
        impl axum::response::IntoResponse for $problem {
            fn into_response(self) -> axum::response::Response {
                $crate::oauth::answer(&self)
            }
        }
    };
}
