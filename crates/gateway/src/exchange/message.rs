//! Messages: the request, the response, the error, and those that policies make.

use std::borrow::Cow;
use std::cell::OnceCell;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, StatusCode, Version};

use super::carried::Carried;
use super::params::Params;

/// A message of an exchange: a head, headers and a body.
#[derive(Debug, Clone)]
pub struct Message {
    /// The first line.
    pub head: Head,
    /// Headers as received or as set; framing and hop-by-hop headers are the transport's business.
    pub headers: HeaderMap,
    /// Where the body is.
    pub body: MessageBody,
    pub(crate) form: OnceCell<Params>,
    /// Whether a policy wrote the body.
    pub(crate) written: bool,
    /// More headers of a target's response, which no step can see: there is none that could look.
    pub(crate) carried: Option<Carried>,
}

/// The first line of a message.
#[derive(Debug, Clone)]
pub enum Head {
    /// Of a request.
    Request(RequestHead),
    /// Of a response.
    Response(ResponseHead),
}

/// The first line of a request.
#[derive(Debug, Clone)]
pub struct RequestHead {
    /// The verb.
    pub method: Method,
    /// HTTP version as received.
    pub version: Version,
    /// Path and query as received.
    pub uri: PathAndQuery,
    /// Path set by a policy; replaces the path suffix towards the target.
    pub(crate) path: Option<Box<str>>,
    pub(crate) query: OnceCell<Params>,
    /// The query once a policy edited it: what is sent is written from this.
    pub(crate) edited_query: Option<Params>,
}

/// The first line of a response.
#[derive(Debug, Clone)]
pub struct ResponseHead {
    /// The status.
    pub status: StatusCode,
    /// HTTP version; of no consequence for what the client gets.
    pub version: Version,
    /// The reason phrase when it is not the standard one of the status.
    pub reason: Option<Box<str>>,
}

/// The body of a message.
#[derive(Debug, Clone, Default)]
pub enum MessageBody {
    /// The transport holds it and moves it frame by frame; no step reads it.
    Streaming,
    /// In memory: read whole because a step reads it, or set by a policy.
    Replaced(Bytes),
    /// None.
    #[default]
    Empty,
}

impl MessageBody {
    /// The bytes in memory; empty while streaming.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Replaced(bytes) => bytes,
            Self::Streaming | Self::Empty => &[],
        }
    }
}

impl Message {
    /// A request as the listener read it.
    pub fn request(
        method: Method,
        uri: PathAndQuery,
        version: Version,
        headers: HeaderMap,
        body: MessageBody,
    ) -> Self {
        let head =
            RequestHead { method, version, uri, path: None, query: OnceCell::new(), edited_query: None };
        Self {
            head: Head::Request(head),
            headers,
            body,
            form: OnceCell::new(),
            written: false,
            carried: None,
        }
    }

    /// A response.
    pub fn response(status: StatusCode, headers: HeaderMap, body: MessageBody) -> Self {
        let head = ResponseHead { status, version: Version::HTTP_11, reason: None };
        Self {
            head: Head::Response(head),
            headers,
            body,
            form: OnceCell::new(),
            written: false,
            carried: None,
        }
    }

    /// An empty `GET /`, which policies fill.
    pub(crate) fn empty_request() -> Self {
        let root = PathAndQuery::from_static("/");
        Self::request(Method::GET, root, Version::HTTP_11, HeaderMap::new(), MessageBody::Empty)
    }

    /// An empty `200`, which policies fill and which a null route answers.
    pub(crate) fn empty_response() -> Self {
        Self::response(StatusCode::OK, HeaderMap::new(), MessageBody::Empty)
    }

    /// The request line, when this is a request.
    pub const fn as_request(&self) -> Option<&RequestHead> {
        match &self.head {
            Head::Request(head) => Some(head),
            Head::Response(_) => None,
        }
    }

    pub(crate) const fn as_request_mut(&mut self) -> Option<&mut RequestHead> {
        match &mut self.head {
            Head::Request(head) => Some(head),
            Head::Response(_) => None,
        }
    }

    /// The status line, when this is a response.
    pub const fn as_response(&self) -> Option<&ResponseHead> {
        match &self.head {
            Head::Response(head) => Some(head),
            Head::Request(_) => None,
        }
    }

    pub(crate) const fn as_response_mut(&mut self) -> Option<&mut ResponseHead> {
        match &mut self.head {
            Head::Response(head) => Some(head),
            Head::Request(_) => None,
        }
    }

    /// The status of a response; 200 for a request, which has none.
    pub fn status(&self) -> StatusCode {
        self.as_response().map_or(StatusCode::OK, |head| head.status)
    }

    /// Replaces the body and forgets what was read from the old one.
    pub fn set_body(&mut self, body: MessageBody) {
        self.receive_body(body);
        self.written = true;
    }

    /// The body as it came in.
    pub(crate) fn receive_body(&mut self, body: MessageBody) {
        self.body = body;
        self.form = OnceCell::new();
        self.written = false;
    }

    /// The body as text; bytes that are not UTF-8 show as U+FFFD.
    pub(crate) fn content(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.body.bytes())
    }

    /// Form parameters, when the content type says there are some.
    pub(crate) fn form(&self) -> &Params {
        self.form.get_or_init(|| {
            let is_form = self.headers.get(CONTENT_TYPE).is_some_and(|kind| {
                let kind = kind.as_bytes();
                let form = b"application/x-www-form-urlencoded";
                kind.len() >= form.len() && kind[..form.len()].eq_ignore_ascii_case(form)
            });
            if is_form { Params::parse(self.body.bytes()) } else { Params::default() }
        })
    }

    /// Writes edited form parameters back into the body.
    pub(crate) fn set_form(&mut self, form: Params) {
        self.headers
            .insert(CONTENT_TYPE, http::HeaderValue::from_static("application/x-www-form-urlencoded"));
        self.set_body(MessageBody::Replaced(Bytes::from(form.to_text())));
    }
}

impl RequestHead {
    /// The query without its `?`, edits included.
    pub fn query_text(&self) -> Cow<'_, str> {
        match &self.edited_query {
            Some(params) => Cow::Owned(params.to_text().replace('+', "%20")),
            None => Cow::Borrowed(self.uri.query().unwrap_or_default()),
        }
    }

    /// The query parameters, parsed when first asked for.
    pub fn params(&self) -> &Params {
        match &self.edited_query {
            Some(params) => params,
            None => self.query.get_or_init(|| self.received_params()),
        }
    }

    pub(crate) fn edit_params(&mut self) -> &mut Params {
        let received = self.query.take();
        if self.edited_query.is_none() {
            self.edited_query = Some(received.unwrap_or_else(|| self.received_params()));
        }
        self.edited_query.get_or_insert_default()
    }

    fn received_params(&self) -> Params {
        Params::parse(self.uri.query().unwrap_or_default().as_bytes())
    }
}

impl ResponseHead {
    /// The reason phrase: the one set, else the status's own.
    pub fn reason_phrase(&self) -> &str {
        self.reason.as_deref().or_else(|| self.status.canonical_reason()).unwrap_or_default()
    }
}
