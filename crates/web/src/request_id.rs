//! One id per request, in every answer and every log line.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use pierhead_domain::{RequestId, SharedClock, SharedRng};
use tracing::Instrument;

/// The header of every answer on the control listener.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The same id under the hub's name (open-connectors §4).
pub const ELEMENTS_REQUEST_ID: HeaderName = HeaderName::from_static("elements-request-id");

tokio::task_local! {
    static CURRENT: RequestId;
}

/// Where ids come from.
#[derive(Debug, Clone)]
pub struct RequestIds {
    /// Ids begin with the time.
    pub clock: SharedClock,
    /// Ids end with random digits.
    pub rng: SharedRng,
}

/// A middleware (`axum::middleware::from_fn_with_state`): gives the request a new id, never the client's
/// own, and writes it into the answer.
pub async fn assign(
    axum::extract::State(ids): axum::extract::State<RequestIds>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = RequestId::new(ids.clock.now(), ids.rng.as_ref());
    let hub = request.uri().path().starts_with("/elements/");
    request.extensions_mut().insert(id);
    let span = tracing::info_span!("request", request_id = %id);
    let connection = request.extensions().clone();
    let work = CURRENT.scope(id, next.run(request)).instrument(span);
    let mut response = crate::peer::scope(&connection, work).await;
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        if hub {
            response.headers_mut().insert(ELEMENTS_REQUEST_ID, value.clone());
        }
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}

/// The id of the request this task serves; text `-` outside of one.
pub fn current() -> String {
    CURRENT.try_with(|id| id.as_str().to_owned()).unwrap_or_else(|_| "-".into())
}

/// Runs `work` as part of the request `id`: for requests that do not come through [`assign`].
pub async fn scope<F: Future>(id: RequestId, work: F) -> F::Output {
    CURRENT.scope(id, work).await
}

/// The request id as an extractor.
#[derive(Debug, Clone)]
pub struct CurrentRequestId(pub String);

impl<S: Send + Sync> FromRequestParts<S> for CurrentRequestId {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let id = parts.extensions.get::<RequestId>().map(|id| id.as_str().to_owned());
        Ok(Self(id.unwrap_or_else(current)))
    }
}
