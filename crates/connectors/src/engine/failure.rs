//! A vendor's error answer in the hub's terms.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::scope::Scope;
use super::{CallProblem, ProviderFault};
use crate::definition::{Connector, ErrorRule, hub_status};

/// An error answer, judged.
pub(crate) struct Failure {
    pub(crate) problem: CallProblem,
    /// The credential is no longer good.
    pub(crate) refresh: bool,
}

/// Judges an error answer by the definition's rules, else by its status.
pub(crate) fn judge(
    connector: &Connector,
    status: StatusCode,
    headers: &HeaderMap,
    content: &Value,
) -> Failure {
    let errors = &connector.errors;
    let scope = Scope::default().with("status", u64::from(status.as_u16())).with("headers", Value::Null);
    let fits = |rule: &&ErrorRule| {
        (rule.statuses.is_empty() || rule.statuses.contains(&status.as_u16()))
            && rule.test.as_ref().is_none_or(|test| scope.test(test, content).unwrap_or(false))
    };
    let rule = errors.rules.iter().find(fits);
    let told = errors.message.as_ref().and_then(|program| scope.value(program, content).ok());
    let words = told.as_ref().and_then(Value::as_str).or_else(|| content.as_str()).map(str::trim);
    let words =
        words.filter(|words| !words.is_empty()).map(|words| words.chars().take(4000).collect::<String>());
    let answer = rule.map_or_else(|| hub_status(status), |rule| rule.answer);
    let message = rule.and_then(|rule| rule.text.clone()).unwrap_or_else(|| general(answer).to_owned());
    let fallback = || format!("HTTP status {}", status.as_u16());
    let problem = CallProblem {
        status: answer,
        message,
        provider: Some(ProviderFault { status, message: words.unwrap_or_else(fallback) }),
        retryable: rule.is_some_and(|rule| rule.retryable)
            || matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504),
        retry_after: retry_after(headers),
        address_refused: false,
        content_range: headers
            .get(header::CONTENT_RANGE)
            .filter(|_| answer == StatusCode::RANGE_NOT_SATISFIABLE)
            .cloned(),
    };
    let refresh = rule.map_or(status == StatusCode::UNAUTHORIZED, |rule| rule.refresh);
    Failure { problem, refresh }
}

/// What the hub says for a status when the definition has no text.
fn general(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "the vendor refuses this instance's credentials: connect it again",
        403 => "the vendor does not allow this",
        404 => "the vendor does not know this item",
        405 => "the vendor does not allow this method here",
        406 => "the vendor cannot answer in the form asked for",
        409 => "the vendor reports a conflict with what is there",
        413 => "this is too large for the vendor",
        415 => "the vendor does not take this media type",
        416 => "the range lies outside of the file",
        429 => "the vendor limits the rate of calls: wait and try again",
        504 => "the vendor did not answer in time",
        status if status >= 500 => "the vendor failed",
        _ => "the vendor refuses the request",
    }
}

/// `Retry-After` in seconds (the form with a date is rare and read as absent).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}
