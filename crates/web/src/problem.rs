//! What an endpoint's error says about itself. A dialect (`hub`, `odata`, `oauth`) turns it into an answer;
//! this module writes the log line, once.

use std::error::Error;

use axum::http::StatusCode;

/// An error of an endpoint family. Implement it by an exhaustive match, then choose the dialect with
/// [`answer_as_hub!`](crate::answer_as_hub), [`answer_as_odata!`](crate::answer_as_odata) or
/// [`answer_as_oauth!`](crate::answer_as_oauth).
pub trait Problem: Error + Send + Sync + 'static {
    /// The status of the answer.
    fn status(&self) -> StatusCode;

    /// The dialect's machine-readable code: OData `error.code`, OAuth `error`. The hub has none.
    fn code(&self) -> &str {
        match self.status() {
            StatusCode::NOT_FOUND => "NOT_FOUND",
            status if status.is_server_error() => "INTERNAL_SERVER_ERROR",
            _ => "BAD_REQUEST",
        }
    }

    /// The member of the request that is wrong; only the dialect of the admin API has a place for it.
    fn field(&self) -> Option<&str> {
        None
    }

    /// What a vendor said, where one failed; only the hub's dialect carries it.
    fn provider_message(&self) -> Option<String> {
        None
    }
}

/// The text for the client: the error's own for what the client did, a general one for what failed in here.
pub(crate) fn text_for_client(problem: &dyn Problem) -> String {
    let status = problem.status();
    if status.is_server_error() && status != StatusCode::BAD_GATEWAY && status != StatusCode::GATEWAY_TIMEOUT
    {
        return "The server failed to answer. Quote the request id to its operator.".into();
    }
    problem.to_string()
}

/// Logs what failed in here, with its causes; what a client did wrong is not our error.
pub(crate) fn log(problem: &dyn Problem) {
    if !problem.status().is_server_error() {
        return;
    }
    let mut causes = String::new();
    let mut source = problem.source();
    while let Some(cause) = source {
        causes.push_str(": ");
        causes.push_str(&cause.to_string());
        source = cause.source();
    }
    let request_id = crate::request_id::current();
    tracing::error!(
        request_id,
        status = problem.status().as_u16(),
        "request {request_id} failed: {problem}{causes}"
    );
}
