//! One call of a hub resource, and its answer: what passes between the hub's HTTP face and the engine.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use tokio::time::Instant;

/// Why a body stopped before its end.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A streaming body; the same type as the outbound client's, so that bytes pass through without a copy.
pub type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>;

/// A body of no bytes.
pub fn empty_body() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body whose bytes are all there.
pub fn full_body(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A call of one hub resource, already authenticated and freed of its hub word.
pub struct HubCall {
    /// The client's method.
    pub method: Method,
    /// Path after the hub word, decoded per segment by the caller and joined again percent-encoded as it
    /// came, with its leading slash: `/files/42/links`. No query.
    pub resource: String,
    /// Query parameters in their order, decoded.
    pub query: Vec<(String, String)>,
    /// The client's headers. The engine reads `Accept`, `Content-Type`, `Content-Length`, `Range`,
    /// `If-Range` and `If-None-Match`; nothing else reaches the vendor.
    pub headers: HeaderMap,
    /// The client's body, streamed.
    pub body: Body,
    /// When the whole call must have been answered (first byte of the answer); bodies may take longer.
    pub deadline: Option<Instant>,
}

impl HubCall {
    /// A call without body, as tests and `ping` make it.
    pub fn get(resource: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            resource: resource.into(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: empty_body(),
            deadline: None,
        }
    }

    /// The first query parameter of this name.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a query parameter says `true` (any case).
    pub fn flag(&self, name: &str) -> bool {
        self.query(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// A call without its body. Bodies cannot be looked at by two threads, so what the engine hands round is
/// this.
#[derive(Debug)]
pub(crate) struct CallHead {
    pub(crate) method: Method,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
}

impl CallHead {
    /// A `GET` that says nothing more.
    pub(crate) fn plain() -> Self {
        Self { method: Method::GET, query: Vec::new(), headers: HeaderMap::new() }
    }

    /// The first query parameter of this name.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a query parameter says `true` (any case).
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.query(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

impl HubCall {
    pub(crate) fn split(self) -> (CallHead, Body) {
        (CallHead { method: self.method, query: self.query, headers: self.headers }, self.body)
    }
}

impl std::fmt::Debug for HubCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubCall").field("method", &self.method).field("resource", &self.resource).finish()
    }
}

/// What a hub call answers. JSON unless `headers` says otherwise.
pub struct HubAnswer {
    /// 200 for everything that worked (open-connectors §3), 206 or 304 for a range or condition met.
    pub status: StatusCode,
    /// `Content-Type`, `Content-Length`, `Content-Disposition`, `Content-Range`, `ETag`, … of the answer.
    pub headers: HeaderMap,
    /// The answer's body, streamed.
    pub body: Body,
    /// Opaque token of the next page (`Elements-Next-Page-Token`); none on the last page.
    pub next_page: Option<String>,
    /// Items in this page (`Elements-Returned-Count`), for lists.
    pub returned_count: Option<u64>,
    /// All items (`Elements-Total-Count`), when the call asked `returnCount=true`.
    pub total_count: Option<u64>,
    /// Text of a partial success (`Elements-Error`).
    pub partial: Option<String>,
    /// What of `where` or `orderBy` the vendor could not do and was done here
    /// (`Pierhead-Filtered-Locally`): the fields' names, comma separated.
    pub filtered_locally: Option<String>,
}

impl HubAnswer {
    /// 200 with this JSON.
    pub fn json(value: &serde_json::Value) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        Self { headers, ..Self::stream(full_body(value.to_string())) }
    }

    /// 200 with this body and no header yet.
    pub fn stream(body: Body) -> Self {
        Self {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body,
            next_page: None,
            returned_count: None,
            total_count: None,
            partial: None,
            filtered_locally: None,
        }
    }
}

impl std::fmt::Debug for HubAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubAnswer").field("status", &self.status).field("headers", &self.headers).finish()
    }
}
