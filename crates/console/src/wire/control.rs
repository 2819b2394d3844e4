//! In-process calls to the control listener, remembered for the page they make.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use pierhead_domain::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use super::curl::ShownCall;
use super::problem::WireProblem;

/// The largest answer a page is made from.
const ANSWER_LIMIT_BYTES: usize = 8 * 1024 * 1024;

type ControlService = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// The control listener's services, called without a network hop.
///
/// The console is part of the router that it calls, so the two are tied together in two steps: make an
/// unbound value, build the router with it, then [`bind`](ControlApi::bind) the finished router. Clones
/// share the binding. Calls made before that answer 503.
#[derive(Clone, Default)]
pub struct ControlApi(Arc<OnceLock<ControlService>>);

impl ControlApi {
    /// A value that is not bound yet.
    pub fn unbound() -> Self {
        Self::default()
    }

    /// Ties the console to the services. The first binding stays.
    pub fn bind<S>(&self, service: S)
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        if self.0.set(BoxCloneSyncService::new(service)).is_err() {
            tracing::warn!("the console was bound to the control services a second time; the first stays");
        }
    }

    async fn call(&self, request: Request<Body>) -> Response<Body> {
        match self.0.get() {
            Some(service) => service.clone().oneshot(request).await.unwrap_or_else(|never| match never {}),
            None => {
                let mut response = Response::new(Body::from("the control services are not ready"));
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                response
            }
        }
    }
}

impl fmt::Debug for ControlApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ControlApi").field(&self.0.get().is_some()).finish()
    }
}

/// In whose name a request goes.
#[derive(Debug, Clone)]
pub(crate) enum Authority {
    /// Nobody's: sign-in and first-start setup.
    Nobody,
    /// The signed-in person's.
    Login(SecretString),
    /// A connector instance's, for hub calls.
    Instance {
        /// The person's user secret.
        user: SecretString,
        /// The instance's token.
        token: SecretString,
    },
}

impl Authority {
    fn header(&self) -> Option<String> {
        match self {
            Self::Nobody => None,
            Self::Login(token) => Some(format!("Bearer {}", token.expose())),
            Self::Instance { user, token } => {
                Some(format!("User {}, Element {}", user.expose(), token.expose()))
            }
        }
    }
}

/// A successful answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as JSON of the given shape. Null fields count as absent.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, WireProblem> {
        let value: Value = serde_json::from_slice(&self.body).map_err(|_| WireProblem::unreadable())?;
        serde_json::from_value(without_nulls(value)).map_err(|why| {
            tracing::warn!(%why, "an answer of our own wire has another shape than its page expects");
            WireProblem::unreadable()
        })
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, field)| !field.is_null())
            .map(|(name, field)| (name, without_nulls(field)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

/// A body that is not JSON.
pub(crate) struct Payload {
    pub(crate) content_type: &'static str,
    pub(crate) bytes: Bytes,
}

/// One visitor's line to the wire. Every request made through it is shown on the page it was made for.
pub(crate) struct Wire {
    api: ControlApi,
    authority: Authority,
    public_url: String,
    shown: Arc<Mutex<Vec<ShownCall>>>,
}

impl Wire {
    pub(crate) fn new(api: ControlApi, authority: Authority, public_url: &str) -> Self {
        Self { api, authority, public_url: public_url.to_owned(), shown: Arc::default() }
    }

    /// The same line in another name; both are shown on the same page.
    pub(crate) fn as_instance(&self, user: SecretString, token: SecretString) -> Self {
        Self {
            api: self.api.clone(),
            authority: Authority::Instance { user, token },
            public_url: self.public_url.clone(),
            shown: Arc::clone(&self.shown),
        }
    }

    /// Reads JSON. `path` begins with `/` and may hold a query.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, WireProblem> {
        self.send(Method::GET, path, None).await?.json()
    }

    /// Sends a request and reads the answer; every status from 400 up is a [`WireProblem`].
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, WireProblem> {
        let response = self.open(method, path, body).await?;
        let (parts, body) = response.into_parts();
        let read = Limited::new(body, ANSWER_LIMIT_BYTES).collect().await;
        let body = read.map_err(|_| WireProblem::unreadable())?.to_bytes();
        Ok(Answer { headers: parts.headers, body })
    }

    /// Sends bytes and reads the answer; every status from 400 up is a [`WireProblem`].
    pub(crate) async fn send_bytes(
        &self,
        method: Method,
        path: &str,
        payload: Payload,
    ) -> Result<Answer, WireProblem> {
        let mut request = self.request(&method, path, None)?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(payload.content_type));
        let shown = self.shown_call(&method, path, None).with_file(payload.content_type);
        *request.body_mut() = Body::from(payload.bytes);
        let response = self.call(request, shown).await?;
        let (parts, body) = response.into_parts();
        let read = Limited::new(body, ANSWER_LIMIT_BYTES).collect().await;
        let body = read.map_err(|_| WireProblem::unreadable())?.to_bytes();
        Ok(Answer { headers: parts.headers, body })
    }

    /// Sends a request and leaves the answer's body a stream; every status from 400 up is a [`WireProblem`].
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Body>, WireProblem> {
        let request = self.request(&method, path, body)?;
        self.call(request, self.shown_call(&method, path, body)).await
    }

    async fn call(&self, request: Request<Body>, shown: ShownCall) -> Result<Response<Body>, WireProblem> {
        let response = self.api.call(request).await;
        let status = response.status();
        self.note(shown.answered(status));
        if status.is_client_error() || status.is_server_error() {
            return Err(WireProblem::read(response).await);
        }
        Ok(response)
    }

    /// The request as a reader could send it, without sending it.
    pub(crate) fn shown_call(&self, method: &Method, path: &str, body: Option<&Value>) -> ShownCall {
        ShownCall::new(&self.public_url, &self.authority, method, path, body)
    }

    /// Everything sent so far.
    pub(crate) fn shown(&self) -> Vec<ShownCall> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, call: ShownCall) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    fn request(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Request<Body>, WireProblem> {
        let authority = self.public_url.split("://").nth(1).unwrap_or("localhost");
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::HOST, authority)
            .header(ACCEPT, "application/json");
        if let Some(credentials) = self.authority.header() {
            request = request.header(AUTHORIZATION, credentials);
        }
        let body = match body {
            Some(json) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        request.body(body).map_err(|_| WireProblem::bad_address())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn null_fields_count_as_absent() {
        assert_eq!(without_nulls(json!({"a": null, "b": [{"c": null, "d": 1}]})), json!({"b": [{"d": 1}]}));
    }

    #[tokio::test]
    async fn before_binding_calls_answer_503() {
        let wire = Wire::new(ControlApi::unbound(), Authority::Nobody, "http://h");
        let refused = wire.send(Method::GET, "/x", None).await.unwrap_err();
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    }
}
