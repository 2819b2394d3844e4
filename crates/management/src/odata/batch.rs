//! `$batch`: many calls in one, change sets as one unit of work each.

mod multipart;

use std::collections::HashMap;

use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use bytes::Bytes;

use super::server::{answer_one, failed, is_reading, modify};
use super::{Call, Limits, ODataError, Service};
use multipart::{Part, boundary_of, parts};

/// What one part of a batch asks for.
enum Item {
    /// A call of its own.
    Single(Call),
    /// Calls that are all done or none.
    ChangeSet(Vec<(Option<String>, Call)>),
}

/// Answers a batch: 202 with one part per part, in order. A batch that is not well-formed does nothing.
pub(super) async fn answer<S: Service>(
    service: &S,
    limits: &Limits,
    call: &Call,
) -> Result<Response<Bytes>, ODataError> {
    if call.method != Method::POST {
        return Err(ODataError::unsupported(format_args!("{} of $batch", call.method)));
    }
    let items = read(limits, call)?;
    let outer = format!("batch_{}", limits.nonce);
    let mut body = Vec::new();
    for (number, item) in items.into_iter().enumerate() {
        match item {
            Item::Single(call) => {
                let answered = answer_one(service, limits, &call).await;
                write(&mut body, &outer, &answered.unwrap_or_else(|problem| failed(&problem)), None);
            }
            Item::ChangeSet(calls) => match change_set(service, limits, calls).await {
                Ok(answers) => {
                    let inner = format!("changeset_{}_{number}", limits.nonce);
                    body.extend_from_slice(
                        format!("--{outer}\r\nContent-Type: multipart/mixed; boundary={inner}\r\n\r\n")
                            .as_bytes(),
                    );
                    for (id, answer) in &answers {
                        write(&mut body, &inner, answer, id.as_deref());
                    }
                    body.extend_from_slice(format!("--{inner}--\r\n").as_bytes());
                }
                // V2: a change set that fails has one answer for all of it.
                Err(problem) => write(&mut body, &outer, &failed(&problem), None),
            },
        }
    }
    body.extend_from_slice(format!("--{outer}--\r\n").as_bytes());
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::ACCEPTED;
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(&format!("multipart/mixed; boundary={outer}")) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert("dataserviceversion", HeaderValue::from_static("2.0"));
    Ok(response)
}

/// Reads a batch, whatever comes of it.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz(limits: &Limits, call: &Call) {
    if let Ok(items) = read(limits, call) {
        let operations = items.iter().map(|item| match item {
            Item::Single(_) => 1,
            Item::ChangeSet(calls) => calls.len(),
        });
        assert!(operations.sum::<usize>() <= limits.batch_operations, "a batch has no more than it may");
    }
}

async fn change_set<S: Service>(
    service: &S,
    limits: &Limits,
    calls: Vec<(Option<String>, Call)>,
) -> Result<Vec<(Option<String>, Response<Bytes>)>, ODataError> {
    let mut work = service.begin().await?;
    let mut answers = Vec::new();
    let mut made: HashMap<String, String> = HashMap::new();
    for (id, mut call) in calls {
        // `$1` is the entity that the part with Content-ID 1 made.
        if let Some(reference) = call.path.strip_prefix('$') {
            let (name, rest) = reference.split_at(reference.find('/').unwrap_or(reference.len()));
            if let Some(path) = made.get(name) {
                call.path = format!("{path}{rest}");
            }
        }
        let (answer, path) = modify(service, limits, &mut work, &call).await?;
        if let (Some(id), Some(path)) = (&id, path) {
            made.insert(id.clone(), path);
        }
        answers.push((id, answer));
    }
    service.commit(work).await?;
    Ok(answers)
}

fn read(limits: &Limits, call: &Call) -> Result<Vec<Item>, ODataError> {
    let kind = call.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = boundary_of(kind)
        .ok_or_else(|| ODataError::bad("$batch must have Content-Type multipart/mixed with a boundary"))?;
    let mut items = Vec::new();
    let mut operations = 0;
    let mut counted = |call: Result<Call, ODataError>| {
        operations += 1;
        if operations > limits.batch_operations {
            return Err(ODataError::bad(format!(
                "$batch has more than {} operations",
                limits.batch_operations
            )));
        }
        call
    };
    for part in parts(&call.body, &boundary)? {
        let Some(inner) = boundary_of(part.content_type()) else {
            items.push(Item::Single(counted(operation(limits, call, &part))?));
            continue;
        };
        let mut calls = Vec::new();
        for part in parts(part.body, &inner)? {
            let inner_call = counted(operation(limits, call, &part))?;
            if is_reading(&inner_call.method) {
                return Err(ODataError::bad("a change set may not hold a GET"));
            }
            calls.push((part.header("content-id").map(str::to_owned), inner_call));
        }
        items.push(Item::ChangeSet(calls));
    }
    Ok(items)
}

/// The call that an `application/http` part holds.
fn operation(limits: &Limits, outer: &Call, part: &Part<'_>) -> Result<Call, ODataError> {
    if !part.content_type().starts_with("application/http") {
        return Err(ODataError::bad(
            "a part of $batch must have Content-Type application/http or multipart/mixed",
        ));
    }
    let malformed = || ODataError::bad("a part of $batch does not begin with '<method> <uri> HTTP/1.1'");
    let (line, rest) = multipart::line(part.body);
    let line = std::str::from_utf8(line).map_err(|_| malformed())?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(uri), Some("HTTP/1.1" | "HTTP/1.0"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(malformed());
    };
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| malformed())?;
    let (headers, body) = multipart::headers(rest)?;
    let mut headers = multipart::header_map(&headers)?;
    if let Some(accept) = outer.headers.get(header::ACCEPT).filter(|_| !headers.contains_key(header::ACCEPT))
    {
        headers.insert(header::ACCEPT, accept.clone());
    }
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let path = relative(limits, path)?;
    if path.trim_matches('/') == "$batch" {
        return Err(ODataError::bad("a batch may not hold a batch"));
    }
    // The blank line that ends a part is no part of its body.
    let body = Bytes::copy_from_slice(body.trim_ascii());
    Ok(Call { method, path, query: query.into(), headers, body })
}

/// The path below the service root, of a relative URI, an absolute path or an absolute URI.
fn relative(limits: &Limits, path: &str) -> Result<String, ODataError> {
    let after_scheme = path.split_once("://").map(|(_, rest)| rest);
    let absolute = match after_scheme {
        Some(rest) => rest.find('/').map_or("", |slash| &rest[slash..]),
        None => path,
    };
    let root = limits.root.split_once("://").and_then(|(_, rest)| rest.find('/').map(|slash| &rest[slash..]));
    match absolute.strip_prefix(root.unwrap_or_default()) {
        Some(below) if absolute.starts_with('/') => Ok(below.trim_start_matches('/').to_owned()),
        _ if after_scheme.is_some() => Err(ODataError::bad("a part of $batch addresses another service")),
        _ => Ok(absolute.trim_start_matches('/').to_owned()),
    }
}

fn write(body: &mut Vec<u8>, boundary: &str, answer: &Response<Bytes>, id: Option<&str>) {
    let status = answer.status();
    let mut inner =
        format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or_default());
    for (name, value) in answer.headers() {
        if let Ok(value) = value.to_str() {
            inner.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    inner.push_str(&format!("content-length: {}\r\n\r\n", answer.body().len()));
    let id = id.map_or_else(String::new, |id| format!("Content-ID: {id}\r\n"));
    body.extend_from_slice(
        format!(
            "--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{id}Content-Length: {}\r\n\r\n{inner}",
            inner.len() + answer.body().len()
        )
        .as_bytes(),
    );
    body.extend_from_slice(answer.body());
    body.extend_from_slice(b"\r\n");
}
