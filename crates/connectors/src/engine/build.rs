//! From a definition's request to the bytes on the wire.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, header};
use serde_json::Value;
use url::Url;

use super::scope::{Scope, definition_fault};
use super::{Body, CallProblem, full_body};
use crate::definition::{RequestBody, VendorRequest};

/// The client's bytes on their way to the vendor.
pub(crate) enum Payload {
    None,
    /// In memory: may be sent again.
    Bytes(Bytes),
    /// Streamed: once.
    Stream {
        body: Body,
        length: Option<u64>,
    },
}

/// A request but for its credentials, ready to be sent more than once if its body allows.
pub(crate) struct Prepared {
    pub(crate) method: http::Method,
    pub(crate) url: String,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Payload,
}

/// Fills a request's templates. `base` has no slash at its end; `address` replaces base and path when a
/// page names the next page's whole URL.
pub(crate) fn prepare(
    request: &VendorRequest,
    base: &str,
    address: Option<&str>,
    scope: &Scope,
    more_query: &[(String, String)],
    payload: Payload,
) -> Result<Prepared, CallProblem> {
    let label = &request.label;
    let fault = |error| definition_fault(label, &error);
    let mut url = match address {
        Some(address) => address.to_owned(),
        None => {
            let path = scope.text(&request.path).map_err(fault)?;
            let path = path
                .ok_or_else(|| CallProblem::bad_request(format!("{label}: a part of the path is missing")))?;
            refuse_dots(&path)?;
            format!("{base}{path}")
        }
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    if address.is_none() {
        for (name, template) in &request.query {
            if let Some(value) = scope.text(template).map_err(fault)? {
                query.append_pair(name, &value);
            }
        }
        for (name, value) in more_query {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if !query.is_empty() {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&query);
    }
    let mut headers = Vec::new();
    for (name, template) in &request.headers {
        if let Some(value) = scope.text(template).map_err(fault)? {
            headers.push((name.clone(), header_value(name, &value)?));
        }
    }
    let body = body_of(request, scope, payload, &mut headers)?;
    Ok(Prepared { method: request.method.clone(), url, headers, body })
}

fn body_of(
    request: &VendorRequest,
    scope: &Scope,
    payload: Payload,
    headers: &mut Vec<(HeaderName, HeaderValue)>,
) -> Result<Payload, CallProblem> {
    let fault = |error| definition_fault(&request.label, &error);
    let mut typed = |kind: &'static str| {
        if !headers.iter().any(|(name, _)| *name == header::CONTENT_TYPE) {
            headers.push((header::CONTENT_TYPE, HeaderValue::from_static(kind)));
        }
    };
    Ok(match &request.body {
        RequestBody::Nothing => Payload::None,
        RequestBody::Content => payload,
        RequestBody::Json(program) => {
            typed("application/json");
            let value = scope.value(program, scope.get("body")).map_err(fault)?;
            Payload::Bytes(value.to_string().into())
        }
        RequestBody::Xml(template) => {
            typed("application/xml; charset=utf-8");
            Payload::Bytes(scope.text(template).map_err(fault)?.unwrap_or_default().into())
        }
        RequestBody::Form(fields) => {
            typed("application/x-www-form-urlencoded");
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (name, template) in fields {
                if let Some(value) = scope.text(template).map_err(fault)? {
                    form.append_pair(name, &value);
                }
            }
            Payload::Bytes(form.finish().into())
        }
        RequestBody::Multipart(fields) => {
            // The boundary must not occur in any field: grow it until that holds.
            let mut values = Vec::new();
            for (name, template) in fields {
                if let Some(value) = scope.text(template).map_err(fault)? {
                    values.push((name, value));
                }
            }
            let mut boundary = "pierhead-part".to_owned();
            while values.iter().any(|(_, value)| value.contains(&boundary)) {
                boundary.push('x');
            }
            let part = |(name, value): &(&String, String)| {
                format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
            };
            let text: String = values.iter().map(part).chain([format!("--{boundary}--\r\n")]).collect();
            let kind = format!("multipart/form-data; boundary={boundary}");
            headers.push((header::CONTENT_TYPE, header_value(&header::CONTENT_TYPE, &kind)?));
            Payload::Bytes(text.into())
        }
    })
}

impl Prepared {
    /// One sendable request. A streamed body goes out with the first one; later ones are refused by
    /// [`Self::repeatable`].
    pub(crate) fn take(&mut self) -> Result<Request<Body>, CallProblem> {
        let mut request = Request::builder().method(self.method.clone()).uri(self.url.as_str());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let body = match &mut self.body {
            Payload::None => super::empty_body(),
            Payload::Bytes(bytes) => full_body(bytes.clone()),
            Payload::Stream { body, length } => {
                if let Some(length) = length {
                    request = request.header(header::CONTENT_LENGTH, *length);
                }
                std::mem::replace(body, super::empty_body())
            }
        };
        request
            .body(body)
            .map_err(|_| CallProblem::bad_request("the vendor's address is no URL: check base.url"))
    }

    pub(crate) fn repeatable(&self) -> bool {
        !matches!(self.body, Payload::Stream { .. })
    }

    pub(crate) fn add_query(&mut self, name: &str, value: &str) {
        self.url.push(if self.url.contains('?') { '&' } else { '?' });
        let pair = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
        self.url.push_str(&pair);
    }
}

/// A header's value; line breaks and other control characters never get into one.
pub(crate) fn header_value(name: &HeaderName, value: &str) -> Result<HeaderValue, CallProblem> {
    HeaderValue::from_bytes(value.as_bytes())
        .map_err(|_| CallProblem::bad_request(format!("the value for header {name} has control characters")))
}

/// `.` and `..` as whole segments would be resolved by the vendor or on the way.
fn refuse_dots(path: &str) -> Result<(), CallProblem> {
    let path = path.split('?').next().unwrap_or_default();
    if path.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(CallProblem::bad_request("path: the segments . and .. are not allowed"));
    }
    Ok(())
}

/// Whether two URLs have the same scheme, host and port.
pub(crate) fn same_origin(left: &str, right: &str) -> bool {
    match (Url::parse(left), Url::parse(right)) {
        (Ok(left), Ok(right)) => left.origin() == right.origin(),
        _ => false,
    }
}

/// The members of a JSON object with text values, as a query or as settings.
pub(crate) fn object_of(pairs: &[(String, String)]) -> Value {
    Value::Object(pairs.iter().rev().map(|(name, value)| (name.clone(), value.as_str().into())).collect())
}
