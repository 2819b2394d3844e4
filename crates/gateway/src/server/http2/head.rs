//! What a client asks for on a stream, judged by the rules that hold for HTTP/1.1 too (hostile-input §4.2 line 5).
//!
//! The library has refused capitals, connection headers, repeated or missing pseudo headers and control characters
//! before; those streams are reset.

use h2::ext::Protocol;
use http::header::{CONTENT_LENGTH, EXPECT, HOST, TE};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Version, request};

use super::body::Judged;
use crate::limits::Limits;
use crate::octets::is_target;
use crate::proxy::{declared_length, is_grpc};
use crate::server::http1::{Refusal, is_host_and_port};
use crate::server::{Expects, RequestHead};
use crate::trailers::{self, Announced};

/// The head, and what it says about the body.
pub(super) fn judge(parts: request::Parts, limits: &Limits) -> Result<(RequestHead, Judged), Refusal> {
    let request::Parts { mut method, uri, mut headers, extensions, .. } = parts;
    let upgrades = method == Method::CONNECT
        && extensions.get::<Protocol>().is_some_and(|protocol| protocol.as_str() == "websocket");
    if upgrades {
        // What it is in HTTP/1.1 (RFC 8441 §5), for flows and targets.
        method = Method::GET;
    }
    if method == Method::CONNECT {
        return Err(Refusal::ConnectMethod);
    }
    if headers.len() > limits.headers {
        return Err(Refusal::TooBigHeaders);
    }
    let uri = uri.into_parts();
    let target = uri.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
    if target.as_str().len() > limits.request_line_bytes {
        return Err(Refusal::TooBigLine);
    }
    if !target.as_str().bytes().all(is_target) {
        return Err(Refusal::BadPath);
    }
    let mut hosts = headers.get_all(HOST).iter();
    match (&uri.authority, hosts.next(), hosts.next()) {
        (_, Some(_), Some(_)) => return Err(Refusal::DuplicateHost),
        (None, None, _) => return Err(Refusal::NoHost),
        (Some(authority), _, _) if !is_host_and_port(authority.as_str().as_bytes()) => {
            return Err(Refusal::BadHost);
        }
        (_, Some(host), _) if !is_host_and_port(host.as_bytes()) => return Err(Refusal::BadHost),
        _ => {}
    }
    let length = declared_length(&headers);
    if length.is_none() && headers.contains_key(CONTENT_LENGTH) {
        return Err(Refusal::BadContentLength);
    }
    let expects = expects(&headers);
    for name in [CONTENT_LENGTH, EXPECT] {
        headers.remove(name);
    }
    let announced = Announced::by(&headers);
    let is_grpc = is_grpc(&headers);
    let asks = headers.get_all(TE).iter().any(|value| trailers::are_asked_for(value.as_bytes()));
    strip(&mut headers);
    let head = RequestHead {
        method,
        version: Version::HTTP_2,
        target,
        authority: uri.authority,
        headers,
        // Where a body ends is said by the frames, always.
        announces_body: !upgrades,
        expects,
        // An Upgrade header means nothing here.
        upgrades,
        nominates: false,
        takes_trailers: asks || is_grpc,
    };
    Ok((head, Judged { length, announced, is_grpc }))
}

fn expects(headers: &HeaderMap) -> Expects {
    match headers.get(EXPECT) {
        None => Expects::Nothing,
        Some(value) if value.as_bytes().eq_ignore_ascii_case(b"100-continue") => Expects::Continue,
        Some(_) => Expects::Other,
    }
}

/// What ends here. `te: trailers` goes on: gRPC servers insist on it.
fn strip(headers: &mut HeaderMap) {
    let ends = |name: &http::HeaderName| name.as_str() != "te" && crate::proxy::is_hop_by_hop(name);
    while let Some(name) = headers.keys().find(|name| ends(name)).cloned() {
        headers.remove(name);
    }
}
