//! Another proxy of the same snapshot as target, with no network hop (`LocalTargetConnection`).

use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt as _, Full};

use super::destination::{go_on, join, path_and_query, rooted, suffix};
use super::{ForwardTo, RequestOutcome, run_post_client, run_request, run_response};
use crate::body::{ReadBodyError, read_whole};
use crate::callout::{Callout, LocalFuture};
use crate::compile::LocalPlan;
use crate::exchange::{Exchange, Incoming, Message, MessageBody, normalise};
use crate::fault::{EngineFault, Fault};
use crate::ports::HubBody;
use crate::snapshot::Route;
use crate::trace::Recorder;

/// Proxies that call each other deeper than this are stopped. Unsourced.
const MAX_DEPTH: u8 = 8;

/// A proxy endpoint of this snapshot and what is asked of it.
#[derive(Debug, Clone)]
pub struct LocalTarget {
    /// The proxy endpoint.
    pub(crate) route: Route,
    /// Where its base path ends in the path.
    pub(crate) base_end: usize,
    /// The request target.
    pub(crate) path_and_query: PathAndQuery,
}

/// Finds the proxy endpoint that a target endpoint means.
pub(super) fn find(cx: &Exchange, plan: &LocalPlan) -> Result<LocalTarget, Fault> {
    match plan {
        LocalPlan::Proxy { proxy, endpoint } => {
            let route = route_of(cx, proxy, endpoint)?;
            let base = route.proxy.endpoints[route.endpoint].base_path.clone();
            let base_end = base.trim_end_matches('/').len();
            let path = join(&base, suffix(cx));
            let path_and_query = path_and_query(cx, &path, "")?;
            Ok(LocalTarget { route, base_end, path_and_query })
        }
        LocalPlan::Path(template) => {
            let path = template
                .render(cx, false)
                .map_err(|unresolved| EngineFault::UnknownTarget(format!("The local path: {unresolved}")))?;
            let (path, query) = path.split_once('?').unwrap_or((&path, ""));
            let rooted = rooted(path)?;
            let path = join(&rooted, suffix(cx));
            let (route, base_end) = served(cx, &path)?;
            let path_and_query = path_and_query(cx, &path, query)?;
            Ok(LocalTarget { route, base_end, path_and_query })
        }
    }
}

fn route_of(cx: &Exchange, proxy: &str, endpoint: &str) -> Result<Route, Fault> {
    let found = cx.snapshot.proxy(proxy).and_then(|proxy| {
        let endpoint = proxy.endpoints.iter().position(|plan| *plan.name == *endpoint)?;
        Some(Route { proxy: Arc::clone(proxy), endpoint })
    });
    found.ok_or_else(|| {
        let text = format!("There is no proxy endpoint '{endpoint}' of an API proxy '{proxy}'");
        EngineFault::UnknownTarget(text).into()
    })
}

/// What serves a normalised path on the virtual host of this request.
fn served(cx: &Exchange, path: &str) -> Result<(Route, usize), Fault> {
    let found = cx.snapshot.route(cx.host, path);
    let (route, base_end) = found.ok_or_else(|| EngineFault::ApplicationNotFound {
        host: cx.virtual_host().map_or_else(String::new, |host| host.name.to_string()),
        path: path.to_owned(),
    })?;
    Ok((route.clone(), base_end))
}

impl Exchange {
    /// The exchange of a request that this one makes of another proxy of its snapshot. Both have one id.
    pub(crate) fn call_into(&self, to: &LocalTarget, mut request: Message) -> Result<Box<Self>, EngineFault> {
        if self.depth >= MAX_DEPTH {
            return Err(EngineFault::LoopDetected);
        }
        if let Some(head) = request.as_request_mut() {
            head.uri = to.path_and_query.clone();
            head.path = None;
            head.edited_query = None;
            head.query = std::cell::OnceCell::new();
        }
        let raw = to.path_and_query.path();
        let path = normalise(raw).map_err(|bad| EngineFault::BadPath(bad.to_string()))?;
        let normalised = match path {
            std::borrow::Cow::Borrowed(_) => None,
            std::borrow::Cow::Owned(path) => Some(path.into_boxed_str()),
        };
        let incoming = Incoming {
            request,
            client: self.client,
            local: self.local,
            tls: self.tls.clone(),
            received: self.now(),
        };
        let snapshot = Arc::clone(&self.snapshot);
        let route = to.route.clone();
        let mut inner =
            Self::new(snapshot, self.services.clone(), incoming, route, self.host, normalised, to.base_end);
        inner.depth = self.depth + 1;
        inner.takes_trailers = self.takes_trailers;
        let _ = inner.message_id.set(*self.message_id());
        let mut inner = Box::new(inner);
        if self.services.traces.is_on() {
            Recorder::begin(&self.services.traces, &mut inner);
        }
        Ok(inner)
    }
}

/// Where a step's call goes inside this environment.
#[derive(Debug, Clone)]
pub enum LocalAddress {
    /// An endpoint of a proxy; the request's path is below its base path.
    Proxy {
        /// Name of the proxy.
        proxy: Arc<str>,
        /// Name of its proxy endpoint.
        endpoint: Arc<str>,
    },
    /// Whatever is served at the request's path.
    Path,
}

/// Makes a call of a step to another proxy of this snapshot: the request with its whole body, the answer
/// with its whole body. What goes wrong inside is an answer, as it would be over the network.
pub fn call_local(
    cx: &Exchange,
    to: &LocalAddress,
    request: Message,
) -> LocalFuture<Result<Message, EngineFault>> {
    let inner = begin(cx, to, request);
    Box::pin(async move {
        let mut inner = inner?;
        run_whole(&mut inner).await;
        let answer = inner.take_answer().unwrap_or_else(Message::empty_response);
        run_post_client(&mut inner).await;
        Ok(answer)
    })
}

fn begin(cx: &Exchange, to: &LocalAddress, request: Message) -> Result<Box<Exchange>, EngineFault> {
    let bad = |why: String| EngineFault::UnknownTarget(why);
    let uri = request.as_request().map_or_else(|| PathAndQuery::from_static("/"), |head| head.uri.clone());
    let path = normalise(uri.path()).map_err(|why| EngineFault::BadPath(why.to_string()))?;
    let target = match to {
        LocalAddress::Path => {
            let (route, base_end) = served(cx, &path).map_err(|fault| bad(fault.text().to_owned()))?;
            LocalTarget { route, base_end, path_and_query: uri }
        }
        LocalAddress::Proxy { proxy, endpoint } => {
            let route = route_of(cx, proxy, endpoint).map_err(|fault| bad(fault.text().to_owned()))?;
            let base = route.proxy.endpoints[route.endpoint].base_path.trim_end_matches('/').to_owned();
            let below = if uri.path() == "/" { "" } else { uri.path() };
            let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
            let whole = format!("{}{below}{query}", crate::exchange::encode(&base));
            let whole = if whole.starts_with('/') { whole } else { format!("/{whole}") };
            let path_and_query = whole.parse().map_err(|_| bad("The local path is no path".to_owned()))?;
            LocalTarget { route, base_end: base.len(), path_and_query }
        }
    };
    cx.call_into(&target, request)
}

/// Runs an exchange whose bodies are all in memory, from its first step to its answer.
pub(crate) async fn run_whole(cx: &mut Exchange) {
    let mut to = match run_request(cx).await {
        RequestOutcome::Answer => return,
        RequestOutcome::Forward(to) => to,
    };
    loop {
        let answered = forward(cx, to).await;
        let failed = match &answered {
            Ok(answer) => cx.is_unhealthy(answer.status()),
            Err(fault) => fault.is_of_target(),
        };
        match (go_on(cx, failed, true), answered) {
            (Some(next), _) => to = next,
            (None, Ok(answer)) => {
                cx.receive(answer);
                return run_response(cx).await;
            }
            (None, Err(fault)) => return super::on_target_error(cx, fault).await,
        }
    }
}

async fn forward(cx: &mut Exchange, to: ForwardTo) -> Result<Message, EngineFault> {
    let method = cx.request.as_request().map(|head| &head.method);
    if let Some(laid_ready) = method.and_then(|method| cx.services.outbound.target(method, &to.url())) {
        return laid_ready;
    }
    let timeouts = cx.target().map(|target| target.timeouts).unwrap_or_default();
    let answer_limit = cx.proxy().buffered_body_bytes;
    match to {
        ForwardTo::Local(target) => {
            let mut inner = cx.call_into(&target, cx.request.clone())?;
            Box::pin(run_whole(&mut inner)).await;
            Ok(inner.take_answer().unwrap_or_else(Message::empty_response))
        }
        ForwardTo::Network { endpoint, path_and_query } => {
            let mut request = cx.request.clone();
            if let Some(head) = request.as_request_mut() {
                head.uri = path_and_query;
            }
            let within = timeouts.connect.saturating_add(timeouts.io);
            let callout = Callout { endpoint, request, timeouts, within, answer_limit };
            cx.services.outbound.forward(callout).await
        }
        ForwardTo::Hub { path_and_query } => {
            let hub = cx.services.ports.hub.clone().ok_or(EngineFault::ServiceUnavailable)?;
            let bytes = bytes::Bytes::copy_from_slice(cx.request.body.bytes());
            let length = bytes.len();
            let body = HubBody::new(Full::new(bytes).map_err(|never| match never {}));
            let mut request = Request::new(body);
            *request.uri_mut() = path_and_query.into();
            if let Some(head) = cx.request.as_request() {
                request.method_mut().clone_from(&head.method);
            }
            request.headers_mut().clone_from(&cx.request.headers);
            if length > 0 {
                request.headers_mut().insert(http::header::CONTENT_LENGTH, HeaderValue::from(length));
            }
            request.extensions_mut().insert(*cx.message_id());
            let (head, mut body) = hub.call(request).await.into_parts();
            let bytes = read_whole(&mut body, answer_limit).await.map_err(|error| match error {
                ReadBodyError::TooBig(limit) => EngineFault::TooBigTargetBody(limit),
                ReadBodyError::Broken(_) => EngineFault::UnexpectedEofAtTarget,
            })?;
            Ok(Message::response(head.status, head.headers, MessageBody::Replaced(bytes)))
        }
    }
}

#[cfg(test)]
mod tests;
