//! Faults as gRPC's callers read them: statuses of their own in a head that is all there is ("Trailers-Only").

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};

use crate::exchange::{Message, MessageBody};
use crate::server::RequestHead;

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Whether a request is a gRPC call.
pub(super) fn is_call(head: &RequestHead) -> bool {
    head.version == Version::HTTP_2 && is_grpc(&head.headers)
}

/// Whether a message speaks gRPC.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// The same refusal for a gRPC caller. What speaks gRPC already, and what is no refusal, stays as it is.
pub(super) fn refusal(mut answer: Message, text: &str) -> Message {
    let status = answer.status();
    if is_grpc(&answer.headers) || !(status.is_client_error() || status.is_server_error()) {
        return answer;
    }
    answer.headers.remove(CONTENT_LENGTH);
    answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    answer.headers.insert(STATUS, code(status).into());
    if let Ok(text) = HeaderValue::from_str(&encoded(text)) {
        answer.headers.insert(MESSAGE, text);
    }
    Message::response(StatusCode::OK, answer.headers, MessageBody::Empty)
}

/// gRPC's own table of HTTP statuses (doc/http-grpc-status-mapping.md).
fn code(status: StatusCode) -> u16 {
    const UNKNOWN: u16 = 2;
    const PERMISSION_DENIED: u16 = 7;
    const UNIMPLEMENTED: u16 = 12;
    const INTERNAL: u16 = 13;
    const UNAVAILABLE: u16 = 14;
    const UNAUTHENTICATED: u16 = 16;
    match status.as_u16() {
        400 => INTERNAL,
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        404 => UNIMPLEMENTED,
        429 | 502..=504 => UNAVAILABLE,
        _ => UNKNOWN,
    }
}

/// Visible ASCII as it is, all else in percent (gRPC over HTTP/2, "Status-Message").
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, text: &str) -> Message {
        let status = StatusCode::from_u16(status).expect("a status");
        refusal(Message::response(status, HeaderMap::new(), MessageBody::Empty), text)
    }

    #[test]
    fn statuses_become_those_of_grpc() {
        for (http, grpc) in [
            (400, "13"),
            (401, "16"),
            (403, "7"),
            (404, "12"),
            (429, "14"),
            (500, "2"),
            (503, "14"),
            (504, "14"),
        ] {
            let answer = refused(http, "no");
            assert_eq!(
                (answer.status(), answer.headers["grpc-status"].as_bytes()),
                (StatusCode::OK, grpc.as_bytes())
            );
        }
    }

    #[test]
    fn texts_are_encoded() {
        assert_eq!(refused(500, "100 % ä\n").headers["grpc-message"], "100 %25 %C3%A4%0A");
    }

    #[test]
    fn what_is_no_refusal_or_speaks_grpc_stays() {
        assert!(!refused(200, "x").headers.contains_key("grpc-status"));
        let mut spoken = HeaderMap::new();
        spoken.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc+proto"));
        let answer = refusal(Message::response(StatusCode::BAD_GATEWAY, spoken, MessageBody::Empty), "x");
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    }
}
