//! The head of a request as it is written to a target.

use http::header::{CONTENT_LENGTH, HOST, TE, TRAILER};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Uri};

use super::key::Key;
use crate::outbox::BodyLength;
use crate::proxy::{is_grpc, is_hop_by_hop};

/// What is sent, borrowed from the exchange: nothing is copied but into the connection's buffer.
pub(crate) struct RequestHead<'a> {
    pub(crate) method: &'a Method,
    /// Origin form.
    pub(crate) target: &'a PathAndQuery,
    /// Framing, hop-by-hop headers and Host in it are passed over: they are written here.
    pub(crate) headers: &'a HeaderMap,
    /// Speaks HTTP/1.0; the connection then ends with the answer.
    pub(crate) is_http10: bool,
    /// Nobody will read the headers of the response.
    pub(crate) carries: bool,
    /// Asks to speak WebSocket from the answer on.
    pub(crate) upgrades: bool,
    /// What follows the body of the response will be read.
    pub(crate) takes_trailers: bool,
}

impl RequestHead<'_> {
    /// Appends the whole head to `out`; `announced` is what follows the body.
    pub(crate) fn write(
        &self,
        host: &str,
        length: BodyLength,
        announced: Option<&HeaderValue>,
        out: &mut Vec<u8>,
    ) {
        let put =
            |out: &mut Vec<u8>, parts: [&[u8]; 4]| parts.iter().for_each(|part| out.extend_from_slice(part));
        let version: &[u8] = if self.is_http10 { b" HTTP/1.0\r\nhost: " } else { b" HTTP/1.1\r\nhost: " };
        put(out, [self.method.as_str().as_bytes(), b" ", self.target.as_str().as_bytes(), version]);
        out.extend_from_slice(host.as_bytes());
        for (name, value) in self.headers {
            if !is_hop_by_hop(name) && name != HOST {
                put(out, [b"\r\n", name.as_str().as_bytes(), b": ", value.as_bytes()]);
            }
        }
        if self.upgrades {
            out.extend_from_slice(b"\r\nconnection: upgrade\r\nupgrade: websocket");
        } else if self.takes_trailers && !self.is_http10 {
            out.extend_from_slice(b"\r\nconnection: te\r\nte: trailers");
        }
        match length {
            BodyLength::Chunked => {
                out.extend_from_slice(b"\r\ntransfer-encoding: chunked");
                if let Some(names) = announced {
                    put(out, [b"\r\ntrailer: ", names.as_bytes(), b"", b""]);
                }
            }
            BodyLength::Known(bytes) => write_length(out, bytes),
            // Where a body is expected, that there is none must be said (RFC 9110 §8.6).
            BodyLength::None if matches!(*self.method, Method::POST | Method::PUT | Method::PATCH) => {
                write_length(out, 0);
            }
            BodyLength::None | BodyLength::ToClose => {}
        }
        out.extend_from_slice(b"\r\n\r\n");
    }

    /// The same for HTTP/2. `None` when the target's name can stand in no URL.
    pub(super) fn to_http2(
        &self,
        key: &Key,
        length: BodyLength,
        announced: Option<HeaderValue>,
    ) -> Option<Request<()>> {
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 2);
        for (name, value) in self.headers {
            if !is_hop_by_hop(name) && name != HOST {
                headers.append(name.clone(), value.clone());
            }
        }
        if let BodyLength::Known(bytes) = length {
            headers.insert(CONTENT_LENGTH, bytes.into());
        }
        if let Some(names) = announced {
            headers.insert(TRAILER, names);
        }
        // gRPC servers insist on being told that the statuses they send last will be read.
        if self.takes_trailers || is_grpc(self.headers) {
            headers.insert(TE, HeaderValue::from_static("trailers"));
        }
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(key.scheme());
        parts.authority = Some(key.authority.parse().ok()?);
        parts.path_and_query = Some(self.target.clone());
        let mut request = Request::new(());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = Uri::from_parts(parts).ok()?;
        *request.headers_mut() = headers;
        Some(request)
    }
}

fn write_length(out: &mut Vec<u8>, bytes: u64) {
    out.extend_from_slice(format!("\r\ncontent-length: {bytes}").as_bytes());
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn written(method: Method, headers: &[(&'static str, &'static str)], length: BodyLength) -> String {
        let headers: HeaderMap = headers
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let mut out = Vec::new();
        let target = PathAndQuery::from_static("/a?b");
        RequestHead {
            method: &method,
            target: &target,
            headers: &headers,
            is_http10: false,
            carries: false,
            upgrades: false,
            takes_trailers: false,
        }
        .write("t:81", length, None, &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_target_gets_its_own_host_and_end_to_end_headers_only() {
        let head = written(
            Method::GET,
            &[("host", "api"), ("connection", "x"), ("te", "trailers"), ("x-a", "1"), ("x-a", "2")],
            BodyLength::None,
        );
        assert_eq!(head, "GET /a?b HTTP/1.1\r\nhost: t:81\r\nx-a: 1\r\nx-a: 2\r\n\r\n");
    }

    #[test]
    fn framing_is_that_of_the_body_whatever_the_headers_say() {
        let lies = [("content-length", "7"), ("transfer-encoding", "gzip")];
        for (length, framing) in [
            (BodyLength::None, "content-length: 0\r\n"),
            (BodyLength::Known(12), "content-length: 12\r\n"),
            (BodyLength::Chunked, "transfer-encoding: chunked\r\n"),
        ] {
            let head = written(Method::POST, &lies, length);
            assert_eq!(head, format!("POST /a?b HTTP/1.1\r\nhost: t:81\r\n{framing}\r\n"));
        }
    }
}
