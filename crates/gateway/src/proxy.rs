//! One request from its head to the end of its answer: route, flows, call, answer, count.

mod finish;
mod headers;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, EXPECT, HOST, RETRY_AFTER};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body::Body;
use hyper::body::Incoming as IncomingBody;
use pierhead_domain::RequestId;

pub(crate) use self::finish::Finish;
use self::headers::announces_body;
pub(crate) use self::headers::{add_forwarded, declared_length, is_hop_by_hop, strip_hop_by_hop};
use crate::body::{AnswerBody, ClientBody, Patient, ReadBodyError, Source, read_whole};
use crate::exchange::{Exchange, Incoming, Message, MessageBody};
use crate::fault::EngineFault;
use crate::flow::{self, RequestOutcome};
use crate::guard::Watch;
use crate::server::Worker;
use crate::target::{self, StreamedBody};

/// The client's end of a connection.
pub(crate) struct Client {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) tls: bool,
    pub(crate) watch: Rc<Watch>,
}

/// Names the request in the answer and in our logs.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest silence in an answer that no target sends.
const NO_TARGET_IO: Duration = Duration::from_secs(60);

/// Answers one request. Never fails: what goes wrong is a fault.
pub(crate) async fn serve(
    worker: Rc<Worker>,
    client: Rc<Client>,
    request: Request<IncomingBody>,
) -> Result<Response<AnswerBody>, Infallible> {
    let mut finish = Finish::begin(&worker, &client, &request);
    if worker.counters.requests_in_flight() > worker.requests_in_flight {
        worker.counters.shed();
        return Ok(refuse(&worker, &client, finish, &EngineFault::Overloaded));
    }
    let (message, body) = match accept(request) {
        Ok(accepted) => accepted,
        Err(fault) => return Ok(refuse(&worker, &client, finish, &fault)),
    };
    let is_head = message.as_request().is_some_and(|head| head.method == Method::HEAD);
    let incoming = Incoming {
        request: message,
        client: client.peer,
        local: client.local,
        tls: client.tls,
        received: worker.services.clock.now(),
    };
    let mut exchange = match flow::begin(worker.snapshot.load(), &worker.services, incoming) {
        Ok(exchange) => exchange,
        Err(miss) => {
            let id = RequestId::new(worker.services.clock.now(), worker.services.rng.as_ref());
            return Ok(respond(&client, finish, miss.answer(), Source::Empty, NO_TARGET_IO, &id));
        }
    };
    finish.serves(&exchange);
    if let Some(limit) = exchange.endpoint().api_timeout {
        client.watch.end_by(Some(client.watch.last_progress() + limit));
    }
    let (source, io) = run(&worker, &client, &mut exchange, body.map(ClientBody::new)).await;
    client.watch.relax();
    client.watch.end_by(None);
    let mut answer =
        exchange.response.take().unwrap_or_else(|| EngineFault::RouteFailed.fault().answer(false));
    let declared = answer.headers.remove(CONTENT_LENGTH);
    if let Some(length) = declared
        && is_head
        && matches!(answer.body, MessageBody::Empty | MessageBody::Streaming)
    {
        // Says how long the body would be, had it been sent: not framing.
        answer.headers.insert(CONTENT_LENGTH, length);
    }
    if exchange.endpoint().flows.post_client.is_empty() {
        return Ok(respond(&client, finish, answer, source, io, exchange.message_id()));
    }
    exchange.times.client_sent_start = Some(worker.services.clock.now());
    let id = exchange.message_id().clone();
    finish.is_followed_by_steps(exchange);
    Ok(respond(&client, finish, answer, source, io, &id))
}

/// Runs flows and target; afterwards `exchange.response` is final. Returns the body it streams, and how long
/// that may be silent.
pub(crate) async fn run(
    worker: &Rc<Worker>,
    client: &Client,
    exchange: &mut Exchange,
    body: StreamedBody,
) -> (Source, Duration) {
    let (mut body, body_state) = body.unzip();
    let limit = exchange.proxy().buffered_body_bytes;
    if exchange.reads().request
        && let Some(mut client_body) = body.take()
    {
        match read_whole(&mut client_body, limit).await {
            Ok(bytes) => exchange.request.set_body(MessageBody::Replaced(bytes)),
            Err(error) => {
                let fault = match error {
                    ReadBodyError::TooBig(limit) => EngineFault::TooBigBody(limit),
                    ReadBodyError::Broken(_) => EngineFault::BadRequest("The request body broke off"),
                };
                flow::on_target_error(exchange, fault).await;
                return (Source::Empty, NO_TARGET_IO);
            }
        }
    }
    let to = match flow::run_request(exchange).await {
        RequestOutcome::Answer => return (Source::Empty, NO_TARGET_IO),
        RequestOutcome::Forward(to) => to,
    };
    let io = exchange.target().map_or(NO_TARGET_IO, |target| target.timeouts.io);
    let called = target::call(worker, client, exchange, to, body.zip(body_state)).await;
    let (response, mut source) = match called {
        Ok(called) => called,
        Err(fault) => {
            worker.counters.target_failed();
            flow::on_target_error(exchange, fault).await;
            return (Source::Empty, NO_TARGET_IO);
        }
    };
    exchange.receive(response);
    if exchange.reads().response && !source.is_end_stream() {
        match read_whole(&mut Patient { source: &mut source, watch: &client.watch, io }, limit).await {
            Ok(bytes) => {
                if let Some(response) = &mut exchange.response {
                    response.set_body(MessageBody::Replaced(bytes));
                }
            }
            Err(error) => {
                worker.counters.target_failed();
                let fault = match error {
                    ReadBodyError::TooBig(limit) => EngineFault::TooBigTargetBody(limit),
                    ReadBodyError::Broken(_) => EngineFault::UnexpectedEofAtTarget,
                };
                flow::on_target_error(exchange, fault).await;
                return (Source::Empty, NO_TARGET_IO);
            }
        }
        source = Source::Empty;
    }
    flow::run_response(exchange).await;
    (source, io)
}

/// Takes a request apart; what the guard cannot see of it is checked here.
fn accept(request: Request<IncomingBody>) -> Result<(Message, Option<IncomingBody>), EngineFault> {
    let (mut head, body) = request.into_parts();
    if matches!(head.method, Method::POST | Method::PUT) && !announces_body(&head.headers) {
        return Err(EngineFault::LengthRequired);
    }
    if let Some(expected) = head.headers.get(EXPECT)
        && !expected.as_bytes().eq_ignore_ascii_case(b"100-continue")
    {
        return Err(EngineFault::BadRequest("Only 100-continue can be expected"));
    }
    if let Some(authority) = head.uri.authority() {
        // An absolute request target names the host itself; a Host header that says otherwise is a trick.
        if head
            .headers
            .get(HOST)
            .is_some_and(|host| !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()))
        {
            return Err(EngineFault::BadRequest(
                "The request target and the Host header name different hosts",
            ));
        }
        let host = HeaderValue::from_str(authority.as_str());
        head.headers.insert(HOST, host.map_err(|_| EngineFault::BadRequest("The host is no host"))?);
    }
    strip_hop_by_hop(&mut head.headers)
        .map_err(|_| EngineFault::BadRequest("Connection names too many headers"))?;
    let uri = head.uri.into_parts().path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
    let body = (!body.is_end_stream()).then_some(body);
    let kind = if body.is_some() { MessageBody::Streaming } else { MessageBody::Empty };
    Ok((Message::request(head.method, uri, head.version, head.headers, kind), body))
}

/// Answers a request that belongs to no proxy.
fn refuse(worker: &Worker, client: &Rc<Client>, finish: Finish, fault: &EngineFault) -> Response<AnswerBody> {
    let mut answer = fault.fault().answer(false);
    if *fault == EngineFault::Overloaded {
        answer.headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    let id = RequestId::new(worker.services.clock.now(), worker.services.rng.as_ref());
    respond(client, finish, answer, Source::Empty, NO_TARGET_IO, &id)
}

/// Turns a final answer into what hyper writes. Framing is hyper's: what a policy or a target said about it
/// is gone.
fn respond(
    client: &Rc<Client>,
    mut finish: Finish,
    answer: Message,
    streamed: Source,
    io: Duration,
    request_id: &RequestId,
) -> Response<AnswerBody> {
    let status = answer.status();
    let reason = answer.as_response().and_then(|head| head.reason.as_deref().map(reason_phrase));
    let source = match answer.body {
        MessageBody::Streaming => streamed,
        MessageBody::Replaced(bytes) => Source::Whole(bytes),
        MessageBody::Empty => Source::Empty,
    };
    finish.status(status, request_id.as_str());
    let mut headers: HeaderMap = answer.headers;
    if let Ok(id) = HeaderValue::from_str(request_id.as_str()) {
        headers.insert(REQUEST_ID, id);
    }
    let mut response = Response::new(AnswerBody::new(source, io, Rc::clone(&client.watch), finish));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    if let Some(Some(reason)) = reason {
        response.extensions_mut().insert(reason);
    }
    response
}

/// A reason phrase of a policy's or a target's; `None` when it holds what a status line cannot.
fn reason_phrase(text: &str) -> Option<hyper::ext::ReasonPhrase> {
    hyper::ext::ReasonPhrase::try_from(Bytes::copy_from_slice(text.as_bytes())).ok()
}
