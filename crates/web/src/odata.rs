//! The error dialect of OData V2: `{"error":{"code","message":{"lang","value"}}}` (api-management §8.4).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::problem::{self, Problem};

/// An answer in the OData dialect.
pub fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = serde_json::json!({"error": {"code": code, "message": {"lang": "en", "value": message}}});
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("dataserviceversion", HeaderValue::from_static("1.0"));
    response
}

/// The answer for a [`Problem`], logged when it is ours.
pub fn answer(problem: &dyn Problem) -> Response {
    problem::log(problem);
    error(problem.status(), problem.code(), &problem::text_for_client(problem))
}

/// Makes an error type answer in the OData dialect.
#[macro_export]
macro_rules! answer_as_odata {
    ($problem:ty) => {
        impl axum::response::IntoResponse for $problem {
            fn into_response(self) -> axum::response::Response {
                $crate::odata::answer(&self)
            }
        }
    };
}
