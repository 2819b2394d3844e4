//! Faults and how they look on the wire (api-management §4.2).

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::exchange::{Message, MessageBody};

/// Something that puts an exchange into the error state.
#[derive(Debug, Clone)]
pub struct Fault(Box<FaultParts>);

#[derive(Debug, Clone)]
struct FaultParts {
    status: StatusCode,
    reason: Option<Box<str>>,
    code: Cow<'static, str>,
    text: Cow<'static, str>,
    category: Category,
    policy: Option<Arc<str>>,
    answer: Option<Message>,
}

/// Who found the fault; `fault.category`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// A policy.
    Step,
    /// The flow engine: routing and the like.
    Messaging,
    /// Reading or writing HTTP, on either side.
    Transport,
}

impl Category {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Step => "Step",
            Self::Messaging => "Messaging",
            Self::Transport => "Transport",
        }
    }
}

impl Fault {
    /// A fault of a policy. `code` is dotted; its last part becomes `fault.name`. `text` never holds a secret.
    pub fn step(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::of(Category::Step, status, code.into(), text.into())
    }

    /// A fault of a policy that is nobody's wrong input: 500.
    pub fn internal(code: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self::step(StatusCode::INTERNAL_SERVER_ERROR, code, text)
    }

    pub(crate) fn messaging(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::of(Category::Messaging, status, code.into(), text.into())
    }

    fn of(category: Category, status: StatusCode, code: Cow<'static, str>, text: Cow<'static, str>) -> Self {
        Self(Box::new(FaultParts { status, reason: None, code, text, category, policy: None, answer: None }))
    }

    /// With an answer that is sent instead of the stock one.
    pub(crate) fn with_answer(mut self, answer: Message) -> Self {
        self.0.answer = Some(answer);
        self
    }

    /// Raised by this policy.
    pub(crate) fn by(mut self, policy: &Arc<str>) -> Self {
        self.0.policy.get_or_insert_with(|| policy.clone());
        self
    }

    /// `fault.name`: the last part of the code.
    pub fn name(&self) -> &str {
        self.0.code.rsplit('.').next().unwrap_or_default()
    }

    /// The whole code, for example `steps.raisefault.RaiseFault`.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// For people; no secret.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The status of the stock answer.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// `fault.category`. Unsourced: the words.
    pub fn category(&self) -> &'static str {
        self.0.category.as_str()
    }

    /// The policy that raised it.
    pub fn policy(&self) -> Option<&str> {
        self.0.policy.as_deref()
    }

    pub(crate) fn take_answer(&mut self) -> Option<Message> {
        self.0.answer.take()
    }

    /// The stock answer, in JSON or XML.
    pub fn answer(&self, xml: bool) -> Message {
        let (kind, body) = if xml {
            (
                "application/xml",
                format!(
                    "<fault><faultstring>{}</faultstring><detail><errorcode>{}</errorcode></detail></fault>",
                    escape_xml(self.text()),
                    escape_xml(self.code()),
                ),
            )
        } else {
            let body = serde_json::json!({
                "fault": { "faultstring": self.text(), "detail": { "errorcode": self.code() } }
            });
            ("application/json", body.to_string())
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        let mut answer = Message::response(self.0.status, headers, MessageBody::Replaced(Bytes::from(body)));
        if let Some(head) = answer.as_response_mut() {
            head.reason.clone_from(&self.0.reason);
        }
        answer
    }
}

/// Whether the Accept header asks for XML and not for JSON; when it names neither, whether the request is
/// XML itself. Unsourced: the order of preference.
pub fn wants_xml(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()) else {
        return sends_xml(headers);
    };
    let wanted = accept.split(',').map(|item| item.split(';').next().unwrap_or_default().trim());
    for kind in wanted {
        let kind = kind.to_ascii_lowercase();
        if kind == "application/json" || kind.ends_with("+json") || kind == "text/html" {
            return false;
        }
        if matches!(kind.as_str(), "application/xml" | "text/xml") || kind.ends_with("+xml") {
            return true;
        }
    }
    // Whoever takes anything is answered in what they speak.
    sends_xml(headers)
}

fn sends_xml(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(kind.as_str(), "application/xml" | "text/xml") || kind.ends_with("+xml")
}

fn escape_xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() && !matches!(c, '\n' | '\r' | '\t') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Faults that no policy raises: the engine's and the transport's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineFault {
    /// No proxy serves this host and path: 404.
    ApplicationNotFound {
        /// Name of the virtual host.
        host: String,
        /// The path asked for.
        path: String,
    },
    /// A header that may come once came twice: 400.
    DuplicateHeader(String),
    /// A header without a name: 400.
    EmptyHeaderName,
    /// A header name outside ASCII: 400.
    HeaderNameWithNonAsciiChar,
    /// A header with a character that HTTP forbids: 400.
    HeaderWithInvalidChar,
    /// A path or request line that cannot be read one way only: 400. The text says what is wrong with it.
    BadPath(String),
    /// Form data that cannot be read: 400.
    BadFormData,
    /// Framing or syntax that HTTP forbids: 400. The text says which rule.
    BadRequest(&'static str),
    /// A POST or PUT without length or chunking: 411.
    LengthRequired,
    /// The client sent too slowly: 408.
    RequestTimeOut,
    /// A body above a limit in bytes: 413.
    TooBigBody(u64),
    /// A request line above the limit: 414.
    TooBigLine,
    /// Headers above the limit: 431.
    TooBigHeaders,
    /// A Content-Encoding nobody knows: 415.
    UnsupportedEncoding(String),
    /// A transfer coding or upgrade we do not speak: 501.
    NotImplemented(&'static str),
    /// No route rule holds: 500.
    RouteFailed,
    /// The target endpoint has no destination, or an unusable one: 500. The text says why.
    UnknownTarget(String),
    /// The target endpoint is of a kind that an original has and this gateway has not: 501. The text says why.
    TargetNotSupported(String),
    /// There is no token of Google's to call a target with: 500. The text says why.
    GoogleTokenGenerationFailure(String),
    /// Proxies call each other in a circle: 508.
    LoopDetected,
    /// The target closed before a whole answer: 502.
    UnexpectedEofAtTarget,
    /// The target answered something that is no HTTP: 502.
    BadTargetResponse,
    /// The target's response body, which a step reads, is above a limit in bytes: 502.
    TooBigTargetBody(u64),
    /// The target could not be connected to: 503.
    ServiceUnavailable,
    /// The address guard forbids the target: 503. Nothing about the network is told to the client.
    TargetForbidden,
    /// No target server is healthy: 503.
    NoActiveTargets,
    /// TLS towards the target failed: 503.
    SslHandshakeFailed,
    /// The node has too much to do: 503.
    Overloaded,
    /// No response in time: 504.
    GatewayTimeout,
    /// Sending the request to the target took too long: 408.
    TargetWriteTimeOut,
    /// Through an Open Connectors provider only hub calls pass: 403.
    PlatformRouteForbidden,
}

impl EngineFault {
    /// Whether it is the target's doing, so that another server may do better.
    pub(crate) const fn is_of_target(&self) -> bool {
        matches!(
            self,
            Self::UnexpectedEofAtTarget
                | Self::BadTargetResponse
                | Self::TooBigTargetBody(_)
                | Self::ServiceUnavailable
                | Self::TargetForbidden
                | Self::SslHandshakeFailed
                | Self::GatewayTimeout
                | Self::TargetWriteTimeOut
        )
    }

    /// Status, code and text.
    pub fn fault(&self) -> Fault {
        use Category::{Messaging, Transport};
        const FLOW: &str = "messaging.adaptors.http.flow.";
        let http = |status: u16, name: &str, text: Cow<'static, str>| {
            (Transport, status, format!("protocol.http.{name}"), text)
        };
        let flow = |status: u16, name: &str, text: Cow<'static, str>| {
            (Messaging, status, format!("{FLOW}{name}"), text)
        };
        let (category, status, code, text) = match self {
            Self::ApplicationNotFound { host, path } => flow(
                404,
                "ApplicationNotFound",
                format!("Unable to identify proxy for host: {host} and url: {path}").into(),
            ),
            Self::DuplicateHeader(name) => {
                http(400, "DuplicateHeader", format!("Duplicate Header \"{name}\"").into())
            }
            Self::EmptyHeaderName => http(400, "EmptyHeaderName", "Header name cannot be empty".into()),
            Self::HeaderNameWithNonAsciiChar => {
                http(400, "HeaderNameWithNonAsciiChar", "Header name contains non-ASCII characters".into())
            }
            Self::HeaderWithInvalidChar => {
                http(400, "HeaderWithInvalidChar", "Header contains invalid characters".into())
            }
            Self::BadPath(why) => http(400, "BadPath", format!("Bad path: {why}").into()),
            Self::BadFormData => http(400, "BadFormData", "Bad form data".into()),
            Self::BadRequest(why) => http(400, "BadRequest", (*why).into()),
            Self::LengthRequired => flow(411, "LengthRequired", "Content-Length is missing".into()),
            Self::RequestTimeOut => flow(408, "RequestTimeOut", "Request timed out".into()),
            Self::TooBigBody(limit) => {
                http(413, "TooBigBody", format!("Body buffer overflow: the limit is {limit} bytes").into())
            }
            Self::TooBigLine => http(414, "TooBigLine", "Request line is too long".into()),
            Self::TooBigHeaders => http(431, "TooBigHeaders", "Headers are too long".into()),
            Self::UnsupportedEncoding(name) => {
                http(415, "UnsupportedEncoding", format!("Unsupported Encoding \"{name}\"").into())
            }
            Self::NotImplemented(what) => http(501, "NotImplemented", (*what).into()),
            Self::RouteFailed => (
                Messaging,
                500,
                "messaging.runtime.RouteFailed".into(),
                "Unable to route the message to a TargetEndpoint".into(),
            ),
            Self::UnknownTarget(why) => {
                (Messaging, 500, "messaging.runtime.UnknownTargetEndpoint".into(), why.clone().into())
            }
            Self::TargetNotSupported(why) => {
                (Messaging, 501, "messaging.runtime.TargetNotSupported".into(), why.clone().into())
            }
            Self::GoogleTokenGenerationFailure(why) => (
                Messaging,
                500,
                "messaging.adaptors.http.filter.GoogleTokenGenerationFailure".into(),
                format!("No token of Google's could be had: {why}").into(),
            ),
            Self::LoopDetected => (
                Messaging,
                508,
                "messaging.runtime.LoopDetected".into(),
                "API proxies call each other in a circle".into(),
            ),
            Self::UnexpectedEofAtTarget => {
                flow(502, "UnexpectedEOFAtTarget", "Unexpected EOF at target".into())
            }
            Self::BadTargetResponse => http(502, "BadResponse", "The target did not answer in HTTP".into()),
            Self::TooBigTargetBody(limit) => http(
                502,
                "TooBigBody",
                format!("Body buffer overflow at target: the limit is {limit} bytes").into(),
            ),
            Self::ServiceUnavailable | Self::TargetForbidden => {
                flow(503, "ServiceUnavailable", "The Service is temporarily unavailable".into())
            }
            Self::NoActiveTargets => {
                flow(503, "NoActiveTargets", "The Service is temporarily unavailable".into())
            }
            Self::SslHandshakeFailed => flow(503, "SslHandshakeFailed", "SSL Handshake failed".into()),
            Self::Overloaded => {
                flow(503, "Overloaded", "The gateway has too much to do; try again later".into())
            }
            Self::GatewayTimeout => flow(504, "GatewayTimeout", "Gateway Timeout".into()),
            Self::TargetWriteTimeOut => flow(408, "RequestTimeOut", "Request timed out".into()),
            Self::PlatformRouteForbidden => (
                Messaging,
                403,
                "oc.PlatformRouteForbidden".into(),
                "Only hub calls of the connector instance pass through an Open Connectors provider".into(),
            ),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Fault::of(category, status, code.into(), text)
    }
}

impl From<EngineFault> for Fault {
    fn from(fault: EngineFault) -> Self {
        fault.fault()
    }
}

#[cfg(test)]
mod tests;
