//! The error dialect of our own admin API below `/api/v1`: `application/problem+json` (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::problem::{self, Problem};
use crate::request_id;

/// An answer in this dialect; `field` names the member of the request that is wrong.
pub fn error(status: StatusCode, detail: &str, field: Option<&str>) -> Response {
    let mut body = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or_default(),
        "status": status.as_u16(),
        "detail": detail,
        "requestId": request_id::current(),
    });
    if let Some(field) = field {
        body["field"] = field.into();
    }
    let mut response = (status, body.to_string()).into_response();
    let media_type = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}

/// The answer for a [`Problem`], logged when it is ours.
pub fn answer(problem: &dyn Problem) -> Response {
    problem::log(problem);
    error(problem.status(), &problem::text_for_client(problem), problem.field())
}
