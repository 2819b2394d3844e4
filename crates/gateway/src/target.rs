//! Sends an exchange's request to its target and takes the head of the response.

mod callout;
mod health;
mod hub;
mod local;
mod log_sinks;
mod server;

use std::borrow::Cow;
use std::rc::Rc;

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri, Version};
use http_body::Body;

use crate::body::{ClientBody, ClientBodyState, Recoded, RequestBody, Source, recoding};
use crate::compile::FlowsPlan;
use crate::exchange::{Exchange, Message, MessageBody};
use crate::fault::EngineFault;
use crate::flow::{self, ForwardTo};
use crate::proxy::{Client, add_forwarded, declared_length, strip_hop_by_hop};
use crate::server::Worker;
use crate::snapshot::HookPoint;
use crate::tunnel::{self, Tunnel, Upgrade};
use crate::upstream::RequestHead;

pub(crate) use callout::UpstreamOutbound;
pub(crate) use health::monitor;
pub(crate) use log_sinks::LogSinks;

/// The client's body with what is known about it, when the request has one that streams.
pub(crate) type StreamedBody = Option<(ClientBody, Rc<ClientBodyState>)>;

/// Makes the call. What comes back is the response's head and the body that follows it. With several servers
/// those that are left are tried while the request can be sent again.
pub(crate) async fn call(
    worker: &Rc<Worker>,
    client: &Client,
    exchange: &mut Exchange,
    mut to: ForwardTo,
    body: StreamedBody,
) -> Result<(Message, Source), EngineFault> {
    let (mut body, state) = request_body(&exchange.request, body);
    loop {
        let mut called = once(worker, client, exchange, to, &mut body, state.clone()).await;
        if exchange.balancing.is_none() {
            return called;
        }
        let failed = match &called {
            Ok((answer, _)) => exchange.is_unhealthy(answer.status()),
            Err(fault) => fault.is_of_target(),
        };
        let streamed = matches!(exchange.request.body, MessageBody::Streaming) && state.is_some();
        if !streamed {
            (body, _) = request_body(&exchange.request, None);
        }
        let sendable = !streamed || matches!(body, RequestBody::Client(_));
        match flow::go_on(exchange, failed, sendable) {
            Some(next) => to = next,
            None => {
                if let (Ok((_, Source::Upstream(body))), Some(balancing)) =
                    (&mut called, &mut exchange.balancing)
                {
                    body.counts_as(balancing.in_use.take());
                }
                return called;
            }
        }
    }
}

async fn once(
    worker: &Rc<Worker>,
    client: &Client,
    exchange: &mut Exchange,
    to: ForwardTo,
    body: &mut RequestBody,
    state: Option<Rc<ClientBodyState>>,
) -> Result<(Message, Source), EngineFault> {
    let timeouts = exchange.target().map(|target| target.timeouts).unwrap_or_default();
    let watched = is_watched(exchange);
    if watched {
        exchange.times.target_sent_start = Some(worker.services.clock.now());
        if let Some(body) = &state {
            body.timed_by(&worker.services.clock);
            exchange.client_body = Some(Rc::clone(body));
        }
    }
    let result = match to {
        ForwardTo::Network { endpoint, path_and_query: path } => {
            let head = exchange.request.as_request();
            let mut headers = Cow::Borrowed(&exchange.request.headers);
            if exchange.endpoint().x_forwarded_for {
                add_forwarded(headers.to_mut(), client.peer.ip(), client.tls.is_some());
            }
            if exchange.has_event_steps() && headers.contains_key(ACCEPT_ENCODING) {
                // Its events are to be read.
                headers.to_mut().remove(ACCEPT_ENCODING);
            }
            let mut method = head.map_or(&Method::GET, |head| &head.method);
            if let Some(sent) = overridden(exchange, method) {
                headers.to_mut().insert(METHOD_OVERRIDE, header_of(method));
                method = sent;
            }
            if let Some(wanted) = exchange.target().and_then(|target| target.compression)
                && !body.is_end_stream()
                && let Some(change) = recoding(wanted, headers.to_mut())
            {
                let plain = std::mem::replace(body, RequestBody::Empty);
                *body = RequestBody::Recoded(Box::new(Recoded::new(plain, change)));
            }
            let head = RequestHead {
                method,
                target: &path,
                headers: &headers,
                is_http10: speaks_http10(exchange),
                carries: !watched && !reads_headers(exchange),
                upgrades: exchange.upgrade.is_some() && body.is_end_stream(),
                takes_trailers: exchange.takes_trailers,
            };
            let (head, answered, peer) =
                server::call(worker, client, endpoint, timeouts, head, body, state).await?;
            exchange.target_ip = Some(peer.address);
            exchange.target_certificate = peer.certificate;
            let body = match answered {
                server::Answered::Body(body) => Source::Upstream(body),
                server::Answered::Switched(target, first) => {
                    let idle = exchange.target().map_or(tunnel::IDLE, |target| target.websocket_idle);
                    let in_use = exchange.balancing.as_mut().and_then(|balancing| balancing.in_use.take());
                    let tunnel = Tunnel { target, first, idle, in_use };
                    exchange.upgrade = Some(Upgrade::Open(Box::new(tunnel)));
                    Source::Empty
                }
            };
            let mut message = Message::response(head.status, head.headers, kind_of(&body));
            message.carried = head.carried;
            if let Some(response) = message.as_response_mut() {
                response.reason = head.reason;
            }
            Ok((message, body))
        }
        ForwardTo::Hub { path_and_query: path } => {
            let hub = worker.services.ports.hub.clone().ok_or(EngineFault::ServiceUnavailable)?;
            let body = std::mem::replace(body, RequestBody::Empty);
            let mut request = request(exchange, client, path, body, watched);
            if let Some(length) = request.body().size_hint().exact().filter(|&length| length > 0) {
                // No framing in process: the hub wants to know what the client announced.
                request.headers_mut().insert(CONTENT_LENGTH, length.into());
            }
            // One request, one id: in the client's answer, the access log and the hub's log.
            request.extensions_mut().insert(*exchange.message_id());
            let response = hub::call(&hub, request, timeouts.io, &client.watch).await?;
            Ok(receive(response.map(Source::Hub), &exchange.request))
        }
        ForwardTo::Local(to) => {
            let body = std::mem::replace(body, RequestBody::Empty);
            local::call(worker, client, exchange, &to, body, state).await
        }
    };
    if watched {
        let times = &mut exchange.times;
        times.target_received_start = Some(worker.services.clock.now());
        if exchange.client_body.is_none() {
            // What is in memory is written at once.
            times.target_sent_end = times.target_sent_start;
        }
        if result.as_ref().is_ok_and(|(_, body)| body.is_end_stream()) {
            times.target_received_end = times.target_received_start;
        }
    }
    result
}

/// What is sent instead of the verb, which then travels in a header (`enable.method.override`).
fn overridden<'e>(exchange: &'e Exchange, method: &Method) -> Option<&'e Method> {
    let verbs = &exchange.target()?.overridden_verbs;
    verbs.iter().find(|(from, _)| from == method).map(|(_, to)| to)
}

const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

fn header_of(method: &Method) -> HeaderValue {
    HeaderValue::from_str(method.as_str()).unwrap_or(HeaderValue::from_static("GET"))
}

fn speaks_http10(exchange: &Exchange) -> bool {
    let Some(target) = exchange.target() else { return false };
    let asked = exchange.request.as_request().is_some_and(|head| head.version == Version::HTTP_10);
    !target.http11 || (target.http10 && asked)
}

/// Whether any step may still look at the exchange once its request is on its way.
fn is_watched(exchange: &Exchange) -> bool {
    let speaks = |flows: &FlowsPlan| {
        !flows.pre.response.is_empty()
            || !flows.post.response.is_empty()
            || !flows.fault_rules.is_empty()
            || !flows.post_client.is_empty()
            || flows.default_fault_rule.is_some()
            || !flows.event.is_empty()
            || flows.conditional.iter().any(|flow| !flow.response.is_empty())
    };
    let hooked = |point| exchange.snapshot().flow_hook(point).is_some();
    speaks(&exchange.endpoint().flows)
        || hooked(HookPoint::PostTarget)
        || hooked(HookPoint::PostProxy)
        || exchange.target().is_some_and(|target| speaks(&target.flows))
}

/// Whether something else than a step looks at the headers of the response.
fn reads_headers(exchange: &Exchange) -> bool {
    // To the proxy that called this one it is a target's response like any other; headers that a policy has
    // laid ready replace those of the same name.
    exchange.depth > 0
        || exchange.trace.is_some()
        || exchange.collecting.is_some()
        || exchange.endpoint().compression.is_some()
        || !exchange.traffic.last_headers.is_empty()
        || exchange.target().is_none_or(|target| target.response_headers.only_listed)
}

/// What follows the head, and what is known about it when it comes from the client.
fn request_body(request: &Message, body: StreamedBody) -> (RequestBody, Option<Rc<ClientBodyState>>) {
    match (&request.body, body) {
        (MessageBody::Replaced(bytes), _) => (RequestBody::Whole(bytes.clone()), None),
        (MessageBody::Streaming, Some((body, state))) => (RequestBody::Client(body), Some(state)),
        (MessageBody::Streaming | MessageBody::Empty, _) => (RequestBody::Empty, None),
    }
}

/// What is sent to the hub: the exchange's request as policies left it, without anything of the client's
/// connection.
fn request(
    exchange: &mut Exchange,
    client: &Client,
    path: PathAndQuery,
    body: RequestBody,
    watched: bool,
) -> Request<RequestBody> {
    let mut headers = if watched {
        // Steps read the request's headers in the response flow too: it keeps its own.
        exchange.request.headers.clone()
    } else {
        let headers = std::mem::take(&mut exchange.request.headers);
        if let Some(accepted) = headers.get(ACCEPT) {
            // A fault asks in which language to speak.
            exchange.request.headers.insert(ACCEPT, accepted.clone());
        }
        headers
    };
    // A policy may have copied framing from elsewhere; nominations were dealt with on arrival.
    let _ = strip_hop_by_hop(&mut headers);
    if exchange.endpoint().x_forwarded_for {
        add_forwarded(&mut headers, client.peer.ip(), client.tls.is_some());
    }
    let method = exchange.request.as_request().map_or(Method::GET, |head| head.method.clone());
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = Uri::from(path);
    *request.headers_mut() = headers;
    request
}

/// Whether a body follows.
fn kind_of(body: &impl Body) -> MessageBody {
    if body.is_end_stream() { MessageBody::Empty } else { MessageBody::Streaming }
}

/// The hub's response as the flows see it.
fn receive(response: Response<Source>, request: &Message) -> (Message, Source) {
    let (mut head, body) = response.into_parts();
    let is_head = request.as_request().is_some_and(|head| head.method == Method::HEAD);
    let length = if is_head { declared_length(&head.headers) } else { None };
    // Too many nominations in a response: what the standard names is removed, the rest may pass.
    if strip_hop_by_hop(&mut head.headers).is_err() {
        head.headers.remove(http::header::CONNECTION);
        let _ = strip_hop_by_hop(&mut head.headers);
    }
    if let Some(length) = length {
        head.headers.insert(CONTENT_LENGTH, length.into());
    }
    let mut message = Message::response(head.status, head.headers, kind_of(&body));
    if let Some(reason) = head.extensions.get::<hyper::ext::ReasonPhrase>()
        && let Some(response) = message.as_response_mut()
    {
        response.reason = std::str::from_utf8(reason.as_bytes()).ok().map(Into::into);
    }
    (message, body)
}
