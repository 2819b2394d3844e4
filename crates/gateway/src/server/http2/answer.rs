//! The head of an answer on a stream.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, DATE, HeaderName, TRAILER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use memchr::memchr;

use crate::exchange::Carried;
use crate::outbox::BodyLength;
use crate::proxy::Answer;
use crate::server::http1::concerns_this_hop;
use crate::trailers::Announced;

/// A head, and whether a body follows and how long it is.
pub(super) struct Begin {
    pub(super) head: Response<()>,
    pub(super) body: BodyLength,
}

/// `date` is the line of HTTP/1.1.
pub(super) fn begin(answer: &mut Answer, is_head: bool, date: &str) -> Begin {
    // An interim status is no answer, whoever set it.
    let is_final = !answer.status.is_informational();
    let status = if is_final { answer.status } else { StatusCode::INTERNAL_SERVER_ERROR };
    let never_a_body = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) || !is_final;
    let length = if never_a_body { BodyLength::None } else { BodyLength::of(&answer.body) };
    let mut headers = std::mem::take(&mut answer.headers);
    let ours: Vec<HeaderName> = headers.keys().filter(|name| concerns_this_hop(name)).cloned().collect();
    for name in ours {
        headers.remove(name);
    }
    if let Some(carried) = &answer.carried {
        carry(carried, &mut headers);
    }
    if length != BodyLength::None
        && let Some(names) = answer.body.announced().and_then(Announced::value)
    {
        headers.insert(TRAILER, names);
    }
    match length {
        // After HEAD a length says how long the body would be.
        _ if is_head && headers.contains_key(CONTENT_LENGTH) => {}
        BodyLength::Known(bytes) => {
            headers.insert(CONTENT_LENGTH, bytes.into());
        }
        // A gRPC status that comes without a body has no length.
        BodyLength::None if headers.contains_key("grpc-status") => {
            headers.remove(CONTENT_LENGTH);
        }
        BodyLength::None if !never_a_body && !is_head => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        _ => {
            headers.remove(CONTENT_LENGTH);
        }
    }
    if let Ok(id) = HeaderValue::from_str(answer.id.as_str()) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    if !headers.contains_key(DATE)
        && let Some(date) =
            date.strip_prefix("date: ").and_then(|date| HeaderValue::from_str(date.trim_end()).ok())
    {
        headers.insert(DATE, date);
    }
    let mut head = Response::new(());
    *head.status_mut() = status;
    *head.headers_mut() = headers;
    Begin { head, body: if is_head { BodyLength::None } else { length } }
}

/// Lines that nobody has read yet: here names are written in small letters.
fn carry(carried: &Carried, headers: &mut HeaderMap) {
    for line in carried.lines().flat_map(|lines| lines.split(|&byte| byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(colon) = memchr(b':', line) else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_maybe_shared(Bytes::copy_from_slice(value)))
            && !concerns_this_hop(&name)
        {
            headers.append(name, value);
        }
    }
}
