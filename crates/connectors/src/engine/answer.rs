//! A vendor's answer and how it is read: within limits, and only as what it says it is.

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Map, Value};

use super::scope::{Scope, definition_fault};
use super::{Body, CallProblem, xml};
use crate::definition::{AnswerCodec, VendorRequest};

/// What came back for one request.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// The URL that was asked.
    pub(crate) url: String,
}

/// Levels of nesting an answer may have; serde_json's own limit is 128.
const READABLE: usize = 64 * 1024;

impl Answer {
    /// The answer's content by the request's codec. Nothing at all reads as null.
    pub(crate) async fn read(self, request: &VendorRequest, limit: usize) -> Result<Parsed, CallProblem> {
        let headers = header_object(&self.headers);
        let url = self.url;
        let kind = content_type(&self.headers);
        let content = match request.answer {
            AnswerCodec::Nothing | AnswerCodec::Stream => Value::Null,
            codec => {
                let bytes = collect(self.body, limit).await?;
                parse(codec, &bytes, &kind)?
            }
        };
        Ok(Parsed { status: self.status, content, headers, url, raw_headers: self.headers })
    }
}

/// A read answer.
pub(crate) struct Parsed {
    pub(crate) status: StatusCode,
    pub(crate) content: Value,
    pub(crate) headers: Value,
    pub(crate) raw_headers: HeaderMap,
    pub(crate) url: String,
}

impl Parsed {
    /// What the definition's `record` selects.
    pub(crate) fn record(&self, request: &VendorRequest, scope: &Scope) -> Result<Value, CallProblem> {
        match &request.record {
            None => Ok(self.content.clone()),
            Some(program) => {
                let scope = self.scope(scope);
                scope.value(program, &self.content).map_err(|error| unfit(&request.label, &error))
            }
        }
    }

    /// What the definition's `records` selects.
    pub(crate) fn records(&self, request: &VendorRequest, scope: &Scope) -> Result<Vec<Value>, CallProblem> {
        let found = match &request.records {
            None => vec![self.content.clone()],
            Some(program) => {
                let scope = self.scope(scope);
                scope.all(program, &self.content).map_err(|error| unfit(&request.label, &error))?
            }
        };
        Ok(match <[Value; 1]>::try_from(found) {
            Ok([Value::Array(records)]) => records,
            Ok([Value::Null]) => Vec::new(),
            Ok([one]) => vec![one],
            Err(many) => many,
        })
    }

    /// The scope with what a request's answer adds to it.
    pub(crate) fn scope(&self, scope: &Scope) -> Scope {
        let url: Value = self.url.as_str().into();
        scope
            .clone()
            .with("headers", self.headers.clone())
            .with("status", u64::from(self.status.as_u16()))
            .with("request", Value::Object(Map::from_iter([("url".to_owned(), url)])))
    }
}

/// The vendor's answer has not the shape the definition says.
fn unfit(label: &str, error: &pierhead_script::EvalError) -> CallProblem {
    let problem = definition_fault(label, error);
    CallProblem::bad_gateway(format!("the vendor's answer has an unexpected shape: {}", problem.message))
}

/// Reads a body whole, up to `limit` bytes.
pub(crate) async fn collect(mut body: Body, limit: usize) -> Result<Bytes, CallProblem> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| CallProblem::bad_gateway("the vendor's answer broke off"))?;
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.remaining() > limit {
                let message = format!("the vendor's answer is larger than {limit} bytes");
                return Err(CallProblem { retryable: false, ..CallProblem::bad_gateway(message) });
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes.freeze())
}

/// The start of an error answer, as JSON where it is JSON or XML, else as text.
pub(crate) async fn error_content(body: Body, headers: &HeaderMap) -> Value {
    let mut body = body;
    let mut bytes = BytesMut::new();
    while bytes.len() < READABLE
        && let Some(Ok(frame)) = body.frame().await
    {
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    let kind = content_type(headers);
    if kind.contains("html") {
        return Value::Null;
    }
    if kind.contains("xml") {
        return xml::parse(&bytes).unwrap_or_default();
    }
    match serde_json::from_slice(&bytes) {
        Ok(value) => value,
        Err(_) => String::from_utf8_lossy(&bytes).trim().chars().take(4000).collect::<String>().into(),
    }
}

fn parse(codec: AnswerCodec, bytes: &Bytes, kind: &str) -> Result<Value, CallProblem> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let wanted = if codec == AnswerCodec::Xml { "XML" } else { "JSON" };
    let parsed = if codec == AnswerCodec::Xml {
        xml::parse(bytes).ok()
    } else {
        // A byte order mark is tolerated; any other encoding than UTF-8 is not.
        serde_json::from_slice(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)).ok()
    };
    parsed.ok_or_else(|| {
        let what = if kind.contains("html") { "a web page (HTML)" } else { "something else or a part of it" };
        CallProblem::bad_gateway(format!("the vendor was to answer {wanted} but answered {what}"))
    })
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_ascii_lowercase()
}

fn header_object(headers: &HeaderMap) -> Value {
    let pairs =
        headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into())));
    Value::Object(pairs.collect())
}
