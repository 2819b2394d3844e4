//! Faults a test asks for: the next requests fail as Google's sometimes do.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use super::problem::Problem;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 401 `authError`, however good the token is.
    Unauthorized,
    /// 403 `userRateLimitExceeded`: Google's older way to say "slow down".
    RateLimit,
    /// 429 `rateLimitExceeded`.
    TooManyRequests,
    /// 500 `internalError`.
    InternalError,
    /// 503 `backendError`.
    Unavailable,
    /// 403 `storageQuotaExceeded`.
    QuotaExceeded,
    /// The right answer, late by `delay_ms`.
    Slow,
    /// The right answer's headers and half of its body, then the connection breaks.
    Truncated,
}

/// A fault and whom it hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub fault: FaultKind,
    /// How many matching requests it hits before it is used up.
    #[serde(default = "one")]
    pub count: u32,
    /// Only requests whose path begins so; all when absent.
    #[serde(default)]
    pub path: Option<String>,
    /// Only requests of this HTTP method; all when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// Seconds for a `Retry-After` header on refusals.
    #[serde(default)]
    pub retry_after: Option<u32>,
    /// How late a slow answer is, in milliseconds.
    #[serde(default = "one_second")]
    pub delay_ms: u64,
}

impl Fault {
    /// A fault for the next `count` requests, whatever they are.
    pub fn next(fault: FaultKind, count: u32) -> Self {
        Self { fault, count, path: None, method: None, retry_after: None, delay_ms: one_second() }
    }

    /// The same fault for requests whose path begins with `path` only.
    #[must_use]
    pub fn on(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    fn hits(&self, method: &str, path: &str) -> bool {
        self.count > 0
            && self.path.as_deref().is_none_or(|prefix| path.starts_with(prefix))
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
    }

    /// The refusal this fault stands for; `None` for faults that act on the right answer.
    pub(crate) fn refusal(&self) -> Option<Response> {
        let usage = "usageLimits";
        let problem = match self.fault {
            FaultKind::Unauthorized => Problem::invalid_credentials(),
            FaultKind::RateLimit => {
                Problem::new(StatusCode::FORBIDDEN, "userRateLimitExceeded", "User Rate Limit Exceeded")
                    .in_domain(usage)
            }
            FaultKind::TooManyRequests => {
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "rateLimitExceeded", "Rate Limit Exceeded")
                    .in_domain(usage)
            }
            FaultKind::InternalError => Problem::internal(),
            FaultKind::Unavailable => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "backendError", "Backend Error")
            }
            FaultKind::QuotaExceeded => Problem::quota_exceeded(),
            FaultKind::Slow | FaultKind::Truncated => return None,
        };
        let mut response = problem.into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        Some(response)
    }

    pub(crate) fn delay(&self) -> Option<Duration> {
        (self.fault == FaultKind::Slow).then(|| Duration::from_millis(self.delay_ms))
    }
}

fn one() -> u32 {
    1
}

fn one_second() -> u64 {
    1000
}

/// Faults waiting for their requests, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The fault that hits this request, used up by one.
    pub(crate) fn strike(&self, method: &str, path: &str) -> Option<Fault> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hit = waiting.iter_mut().find(|fault| fault.hits(method, path))?;
        hit.count -= 1;
        let struck = hit.clone();
        waiting.retain(|fault| fault.count > 0);
        Some(struck)
    }
}

/// The response with its length announced and its body broken off after half of it.
pub(crate) fn truncate(response: Response) -> Response {
    let length = http_body::Body::size_hint(response.body()).exact();
    let (mut parts, body) = response.into_parts();
    if let Some(length) = length {
        parts.headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    let half = body.into_data_stream().scan(length.unwrap_or(0) / 2, |left, frame| {
        let piece = match frame {
            Ok(_) if *left == 0 => None,
            Ok(frame) => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(frame.len());
                *left -= take as u64;
                Some(Ok::<Bytes, axum::BoxError>(frame.slice(..take)))
            }
            Err(error) => Some(Err(error.into())),
        };
        std::future::ready(piece)
    });
    let broken = stream::once(async {
        // While nothing more comes, what there is goes out; an error at once would take it along.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err("the double broke the answer off, as told".into())
    });
    Response::from_parts(parts, Body::from_stream(half.chain(broken)))
}
