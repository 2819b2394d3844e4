//! Recorded answers in place of calls.

use std::cell::RefCell;

use http::{HeaderMap, Method, StatusCode};

use super::super::kept::{RawAnswer, RawBody};
use super::super::shot::{BodyShot, MessageShot};
use super::super::transaction::{Point, Transaction};
use super::{ReplayFailed, header_map};
use crate::callout::{Callout, LocalFuture, Outbound};
use crate::exchange::{Message, MessageBody};
use crate::fault::EngineFault;
use crate::logging::LogLine;
use crate::target::UpstreamOutbound;

/// Gives each recorded answer once, in their order.
pub(super) struct RecordedAnswers(RefCell<Vec<RawAnswer>>);

impl RecordedAnswers {
    pub(super) fn new(answers: Vec<RawAnswer>) -> Self {
        Self(RefCell::new(answers))
    }

    fn take(&self, fits: impl Fn(&RawAnswer) -> bool) -> Option<Message> {
        let mut answers = self.0.borrow_mut();
        let at = answers.iter().position(fits)?;
        Some(answers.remove(at).message())
    }
}

fn unknown(method: &Method, url: &str) -> EngineFault {
    let url = url.split('?').next().unwrap_or_default();
    EngineFault::UnknownTarget(format!("No answer to {method} {url} was recorded"))
}

impl Outbound for RecordedAnswers {
    fn call(&self, callout: Callout) -> LocalFuture<Result<Message, EngineFault>> {
        let method = callout.request.as_request().map(|head| head.method.clone()).unwrap_or_default();
        let url = callout.url();
        let found = self.take(|one| !one.of_target && one.method == method && one.url == url);
        let found = found.ok_or_else(|| unknown(&method, &url));
        Box::pin(async move { found })
    }

    /// What would be logged elsewhere was logged when it happened.
    fn log(&self, _: LogLine) -> bool {
        true
    }

    /// The answer to the same call, else the first that is left: the revision may ask in another way.
    fn target(&self, method: &Method, url: &str) -> Option<Result<Message, EngineFault>> {
        let same = self.take(|one| one.of_target && one.method == *method && one.url == url);
        let found = same.or_else(|| self.take(|one| one.of_target));
        Some(found.ok_or_else(|| unknown(method, url)))
    }
}

impl RawAnswer {
    fn message(self) -> Message {
        let body = match self.body {
            RawBody::Whole(bytes) => MessageBody::Replaced(bytes),
            RawBody::Empty | RawBody::NotKept => MessageBody::Empty,
        };
        let mut message = Message::response(self.status, self.headers, body);
        if let Some(head) = message.as_response_mut() {
            head.reason = self.reason;
        }
        message
    }
}

/// Calls for real, but logs nothing elsewhere.
pub(super) struct Unlogged(pub(super) UpstreamOutbound);

impl Outbound for Unlogged {
    fn call(&self, callout: Callout) -> LocalFuture<Result<Message, EngineFault>> {
        self.0.call(callout)
    }

    fn log(&self, _: LogLine) -> bool {
        true
    }
}

/// The answers of an imported record, as far as they are shown.
pub(super) fn shown(transaction: &Transaction) -> Result<Vec<RawAnswer>, ReplayFailed> {
    let mut answers = Vec::new();
    let mut sent = (Method::GET, String::new());
    for timed in &transaction.points {
        match &timed.point {
            Point::Message { at, url: Some(url), message, .. } if at == "sent to target" => {
                sent = (method_of(message), url.clone());
            }
            Point::Message { at, message, .. } if at == "received from target" => {
                answers.push(answer(true, &sent.0, &sent.1, message)?);
            }
            Point::Call { url, request, answer: Some(shot), .. } => {
                answers.push(answer(false, &method_of(request), url, shot)?);
            }
            _ => {}
        }
    }
    Ok(answers)
}

fn answer(
    of_target: bool,
    method: &Method,
    url: &str,
    shot: &MessageShot,
) -> Result<RawAnswer, ReplayFailed> {
    let (status, reason) = shot.line.split_once(' ').unwrap_or((&shot.line, ""));
    let status = status.parse::<StatusCode>().map_err(|_| ReplayFailed::NoAnswerBody)?;
    Ok(RawAnswer {
        of_target,
        method: method.clone(),
        url: url.to_owned(),
        status,
        reason: (status.canonical_reason() != Some(reason)).then(|| reason.into()),
        headers: shown_headers(&shot.headers),
        body: shown_body(&shot.body).ok_or(ReplayFailed::NoAnswerBody)?,
    })
}

fn method_of(request: &MessageShot) -> Method {
    request.line.split(' ').next().and_then(|method| method.parse().ok()).unwrap_or_default()
}

pub(super) fn shown_headers(headers: &[(String, String)]) -> HeaderMap {
    header_map(headers)
}

/// A body that is shown whole.
pub(super) fn shown_body(body: &BodyShot) -> Option<RawBody> {
    match body {
        BodyShot::Empty => Some(RawBody::Empty),
        // One that is masked has another length, too.
        BodyShot::Text { text, bytes } if text.len() == *bytes || text.contains("***") => {
            Some(RawBody::Whole(bytes::Bytes::copy_from_slice(text.as_bytes())))
        }
        BodyShot::Text { .. } | BodyShot::Streaming | BodyShot::Binary { .. } => None,
    }
}
