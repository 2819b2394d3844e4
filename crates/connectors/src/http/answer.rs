//! Turns the engine's answer into the hub's, with the headers of open-connectors §4.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use pierhead_domain::InstanceId;

use super::list::{NEXT_PAGE_TOKEN, RETURNED_COUNT, TOTAL_COUNT};
use super::stream_limit::StreamLimit;
use crate::engine::HubAnswer;

const INSTANCE_ID: HeaderName = HeaderName::from_static("elements-element-instance-id");
const PARTIAL: HeaderName = HeaderName::from_static("elements-error");
const FILTERED_LOCALLY: HeaderName = HeaderName::from_static("pierhead-filtered-locally");

pub(super) fn hub_answer(answer: HubAnswer, instance: InstanceId, limit: StreamLimit) -> Response {
    let HubAnswer {
        status,
        mut headers,
        body,
        next_page,
        returned_count,
        total_count,
        partial,
        filtered_locally,
    } = answer;
    headers.insert(INSTANCE_ID, HeaderValue::from(instance.as_i64()));
    text(&mut headers, NEXT_PAGE_TOKEN, next_page);
    text(&mut headers, PARTIAL, partial);
    text(&mut headers, FILTERED_LOCALLY, filtered_locally);
    if let Some(count) = returned_count {
        headers.insert(RETURNED_COUNT, HeaderValue::from(count));
    }
    if let Some(count) = total_count {
        headers.insert(TOTAL_COUNT, HeaderValue::from(count));
    }
    keep_passive(&mut headers);
    let mut response = Response::new(Body::new(limit.bound(body)));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// A vendor's file is never a page of ours: not guessed at, not shown, not run.
fn keep_passive(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes().get(..16).is_some_and(|start| start.eq_ignore_ascii_case(b"application/json"))
    });
    if !json {
        headers
            .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
        headers.entry(header::CONTENT_DISPOSITION).or_insert_with(|| HeaderValue::from_static("attachment"));
    }
}

/// Vendors' texts may hold what no header may: such characters become blanks.
fn text(headers: &mut HeaderMap, name: HeaderName, value: Option<String>) {
    let Some(value) = value else { return };
    let clean: String =
        value.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { ' ' }).collect();
    if let Ok(value) = HeaderValue::try_from(clean) {
        headers.insert(name, value);
    }
}
