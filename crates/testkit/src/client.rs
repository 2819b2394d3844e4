//! A plain HTTP client that follows nothing and hides nothing.

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// The client.
#[derive(Debug, Clone)]
pub struct Client {
    client: hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>,
}

impl Default for Client {
    fn default() -> Self {
        Self { client: hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http() }
    }
}

/// A request in the making.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Request {
    /// A request to an absolute URL.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// GET.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    /// POST.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new(Method::POST, url)
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
        self
    }

    /// Sends JSON.
    pub fn json(mut self, body: &serde_json::Value) -> Self {
        self.body = body.to_string().into();
        self.header("content-type", "application/json")
    }

    /// Sends bytes of a type.
    pub fn body(mut self, kind: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", kind)
    }

    /// Makes the request as it stands, for a server that may be gone.
    pub(crate) fn into_http(self) -> http::Request<Full<Bytes>> {
        let mut builder = http::Request::builder().method(self.method).uri(&self.url);
        *builder.headers_mut().expect("a valid address") = self.headers;
        builder.body(Full::new(self.body)).expect("a valid request")
    }

    /// Sends one multipart field named `file`.
    pub fn file(self, name: &str, kind: &str, content: &[u8]) -> Self {
        let mut body = format!(
            "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--frontier--\r\n");
        self.body("multipart/form-data; boundary=frontier", body)
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub bytes: Bytes,
    what: String,
}

impl Client {
    /// Makes a request; fails only when no answer comes.
    pub async fn send(&self, request: Request) -> Answer {
        let what = format!("{} {}", request.method, request.url);
        let response = self
            .client
            .request(request.into_http())
            .await
            .unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let (parts, body) = response.into_parts();
        let bytes = body
            .collect()
            .await
            .unwrap_or_else(|error| panic!("{what}: the body broke off: {error}"))
            .to_bytes();
        Answer { status: parts.status, headers: parts.headers, bytes, what }
    }

    /// Makes a request to a server that may be gone: its whole answer, or `None`.
    pub async fn try_answer(&self, request: Request) -> Option<Answer> {
        let what = format!("{} {}", request.method, request.url);
        let response = self.client.request(request.into_http()).await.ok()?;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.ok()?.to_bytes();
        Some(Answer { status: parts.status, headers: parts.headers, bytes, what })
    }

    /// GETs an absolute URL.
    pub async fn get(&self, url: impl Into<String>) -> Answer {
        self.send(Request::get(url)).await
    }
}

impl Answer {
    /// Insists on a status.
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{} answered {}: {}", self.what, self.status, self.text());
        self
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.what, self.text()))
    }

    /// A header as text; empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or(""))
    }
}
