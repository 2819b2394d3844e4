//! What happens around every request: method override, faults, the journal.

use std::borrow::Cow;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use http::{HeaderMap, Method, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};

use super::bearer;
use super::faults::{self, FaultKind};
use super::journal::{BodyNote, JournalEntry};
use super::problem::Problem;
use super::state::{App, Shared};

/// A query moved into a body by a method override may be this long.
const OVERRIDDEN_QUERY_LIMIT: usize = 1 << 20;

/// Query parameters that let somebody in, and therefore stay out of the journal.
const SECRET_PARAMETERS: &[&str] =
    &["access_token", "oauth_token", "token", "code", "client_secret", "refresh_token", "upload_id", "sig"];

pub(crate) async fn observe(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let mut request = match apply_method_override(request).await {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    let note = BodyNote::default();
    request.extensions_mut().insert(note.clone());
    let mut entry = describe(&app, &request);

    let fault = app.faults.strike(request.method().as_str(), request.uri().path());
    let response = match &fault {
        Some(fault) => {
            if let Some(delay) = fault.delay() {
                tokio::time::sleep(delay).await;
            }
            match fault.refusal() {
                Some(refusal) => refusal,
                None if fault.fault == FaultKind::Truncated => faults::truncate(next.run(request).await),
                None => next.run(request).await,
            }
        }
        None => next.run(request).await,
    };

    entry.status = response.status().as_u16();
    entry.body = note.take();
    app.journal.record(entry);
    response
}

pub(crate) async fn no_such_route(method: Method, uri: Uri) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "notFound",
        format!("The double of Google Drive does not serve {method} {}.", uri.path()),
    )
}

/// Google's clients send a query that is too long for a URL as the form body of a POST that says which
/// method it means.
async fn apply_method_override(mut request: Request) -> Result<Request, Problem> {
    let Some(wanted) = request.headers_mut().remove("x-http-method-override") else { return Ok(request) };
    if request.method() != Method::POST {
        return Ok(request);
    }
    let method = Method::from_bytes(wanted.as_bytes())
        .map_err(|_| Problem::bad_request("X-HTTP-Method-Override names no method"))?;
    let is_form = header(request.headers(), CONTENT_TYPE)
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if method == Method::GET && is_form {
        let (mut parts, body) = request.into_parts();
        let query = Limited::new(body, OVERRIDDEN_QUERY_LIMIT)
            .collect()
            .await
            .map_err(|_| Problem::bad_request("the query in the body is too long or was cut off"))?
            .to_bytes();
        let query = String::from_utf8_lossy(&query);
        let joined = match parts.uri.query() {
            Some(first) if !first.is_empty() => format!("{}?{first}&{query}", parts.uri.path()),
            _ => format!("{}?{query}", parts.uri.path()),
        };
        parts.uri = joined.parse().map_err(|_| Problem::bad_request("the query in the body is malformed"))?;
        parts.headers.remove(CONTENT_TYPE);
        parts.headers.remove(http::header::CONTENT_LENGTH);
        request = Request::from_parts(parts, axum::body::Body::empty());
    }
    *request.method_mut() = method;
    Ok(request)
}

fn describe(app: &App, request: &Request) -> JournalEntry {
    let token = bearer::presented(request.headers(), request.uri().query());
    let (bearer, _) = app.oauth().judge(token.as_deref(), app.now());
    let headers = request.headers().iter().filter(|(name, _)| *name != AUTHORIZATION && *name != COOKIE);
    JournalEntry {
        sequence: 0,
        at_ms: app.now().as_i64(),
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().map(without_tokens),
        status: 0,
        bearer,
        token_fingerprint: token.as_deref().map(bearer::fingerprint),
        content_type: header(request.headers(), CONTENT_TYPE).map(Cow::into_owned),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: None,
    }
}

fn header(headers: &HeaderMap, name: http::HeaderName) -> Option<Cow<'_, str>> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()))
}

fn without_tokens(query: &str) -> String {
    query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if SECRET_PARAMETERS.contains(&name) => format!("{name}=***"),
            _ => pair.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("&")
}
