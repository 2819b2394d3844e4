//! One request from its head to the end of its answer: route, flows, call, answer, count.

mod finish;
mod grpc;
mod headers;

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HOST, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body::Body;
use pierhead_domain::RequestId;

pub(crate) use self::finish::Finish;
pub(crate) use self::grpc::is_grpc;
pub(crate) use self::headers::{
    add_forwarded, declared_length, ends_at_hop, is_hop_by_hop, is_protected, strip_hop_by_hop,
};
use crate::body::{
    AnswerBody, ClientBody, EventBody, Patient, ReadBodyError, Recoded, Resting, Source, read_whole, recoding,
};
use crate::compile::Compression;
use crate::exchange::{Carried, Exchange, Head, Incoming, Message, MessageBody};
use crate::fault::EngineFault;
use crate::flow::{self, RequestOutcome};
use crate::server::{BodyReader, Expects, RequestHead, Watch, Worker};
use crate::target::{self, StreamedBody};
use crate::tls::TlsSession;
use crate::trace::Passing;
use crate::tunnel::{Tunnel, Upgrade};

/// The client's end of a connection.
pub(crate) struct Client {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    /// What it and we agreed on, when it speaks TLS.
    pub(crate) tls: Option<Rc<TlsSession>>,
    pub(crate) watch: Rc<Watch>,
}

/// What a client gets. Framing is the transport's: what a policy or a target said about it is gone.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// The reason phrase, when it is not the standard one.
    pub(crate) reason: Option<Box<str>>,
    pub(crate) headers: HeaderMap,
    pub(crate) carried: Option<Carried>,
    /// Names the request in the answer and in our logs.
    pub(crate) id: RequestId,
    pub(crate) body: AnswerBody,
    /// What is spoken after a 101.
    pub(crate) tunnel: Option<Box<Tunnel>>,
}

/// The longest silence in an answer that no target sends.
const NO_TARGET_IO: Duration = Duration::from_secs(60);

/// Answers one request. Never fails: what goes wrong is a fault.
pub(crate) async fn serve(
    worker: &Rc<Worker>,
    client: &Rc<Client>,
    head: RequestHead,
    body: Option<BodyReader>,
) -> Answer {
    let mut finish = Finish::begin(worker, client, &head);
    let is_grpc = grpc::is_call(&head);
    if worker.counters.requests_in_flight() > worker.requests_in_flight {
        worker.counters.shed();
        return refuse(worker, client, finish, &EngineFault::Overloaded, is_grpc);
    }
    let (upgrades, takes_trailers) = (head.upgrades, head.takes_trailers);
    let message = match accept(head, body.is_some()) {
        Ok(message) => message,
        Err(fault) => return refuse(worker, client, finish, &fault, is_grpc),
    };
    let is_head = message.as_request().is_some_and(|head| head.method == Method::HEAD);
    let incoming = Incoming {
        request: message,
        client: client.peer,
        local: client.local,
        tls: client.tls.clone(),
        received: worker.services.clock.now(),
    };
    let received_whole = body.is_none().then_some(incoming.received);
    let mut exchange = match flow::begin(worker.snapshot.load(), &worker.services, incoming) {
        Ok(exchange) => exchange,
        Err(miss) => {
            let id = RequestId::new(worker.services.clock.now(), worker.services.rng.as_ref());
            let mut answer = miss.answer();
            if is_grpc {
                answer = grpc::refusal(answer, miss.fault.fault().text());
            }
            return respond(client, finish, answer, Source::Empty, NO_TARGET_IO, id);
        }
    };
    finish.serves(&exchange);
    exchange.upgrade = upgrades.then_some(Upgrade::Asked);
    exchange.takes_trailers = takes_trailers;
    exchange.times.client_received_end = received_whole;
    if let Some(limit) = exchange.endpoint().api_timeout {
        client.watch.end_by(Some(client.watch.last_progress() + limit));
    }
    let (source, io) = run(worker, client, &mut exchange, body.map(ClientBody::new)).await;
    client.watch.relax();
    client.watch.end_by(None);
    let mut answer = exchange.take_answer().unwrap_or_else(|| EngineFault::RouteFailed.fault().answer(false));
    if is_grpc && let Some(fault) = exchange.fault() {
        answer = grpc::refusal(answer, fault.text());
    }
    let limit = exchange.proxy().buffered_body_bytes;
    let declared = answer.headers.remove(CONTENT_LENGTH);
    if let Some(length) = declared
        && is_head
        && matches!(answer.body, MessageBody::Empty | MessageBody::Streaming)
    {
        // Says how long the body would be, had it been sent: not framing.
        answer.headers.insert(CONTENT_LENGTH, length);
    }
    let events = (!is_head && exchange.runs_events_of(&answer)).then(Resting::default);
    let source = match &events {
        Some(exchange) if matches!(answer.body, MessageBody::Streaming) => {
            Source::Events(Box::new(eventful(exchange, limit, &mut answer, source)))
        }
        Some(_) => source,
        None => source,
    };
    let source = match exchange.endpoint().compression {
        Some(wanted) if !is_head => recoded(wanted, &mut answer, source),
        _ => source,
    };
    let tunnel = exchange.upgrade.take().and_then(Upgrade::into_tunnel);
    let tunnel = tunnel.filter(|_| answer.status() == StatusCode::SWITCHING_PROTOCOLS);
    let id = *exchange.message_id();
    if exchange.endpoint().flows.post_client.is_empty() && events.is_none() {
        worker.spare_maps.give(std::mem::take(&mut exchange.request.headers));
    } else {
        exchange.times.client_sent_start = Some(worker.services.clock.now());
        if events.is_some() {
            // Its steps may look at the head that went out.
            exchange.response = Some(Message { body: MessageBody::Empty, ..answer.clone() });
        }
        finish.is_followed_by_steps(exchange, events.unwrap_or_default());
    }
    let mut answer = respond(client, finish, answer, source, io, id);
    answer.tunnel = tunnel;
    answer.body.takes_trailers(takes_trailers);
    answer
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
    if let (Some(trace), Some(body)) = (&exchange.trace, &mut body) {
        body.shown_to(Passing::of_request(trace));
    }
    let limit = exchange.proxy().buffered_body_bytes;
    if exchange.reads().request
        && let Some(mut client_body) = body.take()
    {
        match read_whole(&mut client_body, limit).await {
            Ok(bytes) => {
                exchange.request.receive_body(MessageBody::Replaced(bytes));
                exchange.times.client_received_end = Some(worker.services.clock.now());
            }
            Err(error) => {
                let fault = match error {
                    ReadBodyError::TooBig(limit) => EngineFault::TooBigBody(limit),
                    ReadBodyError::Broken(_) => body_state
                        .as_ref()
                        .and_then(|state| state.fault())
                        .unwrap_or(EngineFault::BadRequest("The request body broke off")),
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
    if let Some(trace) = &exchange.trace {
        source = source.shown_to(Passing::of_response(trace));
    }
    if exchange.runs_events_of(&response) && is_unreadable(&response) {
        worker.counters.target_failed();
        flow::on_target_error(exchange, EngineFault::BadTargetResponse).await;
        return (Source::Empty, NO_TARGET_IO);
    }
    exchange.receive(response);
    if exchange.reads().response && !source.is_end_stream() {
        match read_whole(&mut Patient { source: &mut source, watch: &client.watch, io }, limit).await {
            Ok(bytes) => {
                exchange.times.target_received_end = Some(worker.services.clock.now());
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
    let streams =
        exchange.response.as_ref().is_some_and(|answer| matches!(answer.body, MessageBody::Streaming));
    if let Some(recording) = exchange.traffic.recording.take().filter(|_| streams) {
        source = source.recorded(*recording);
    }
    (source, io)
}

/// Whether a body is packed in a way that nobody here unpacks. The target was told not to.
fn is_unreadable(answer: &Message) -> bool {
    let coding = answer.headers.get(CONTENT_ENCODING).map(|coding| coding.as_bytes().to_ascii_lowercase());
    !matches!(coding.as_deref(), None | Some(b"identity" | b"gzip" | b"x-gzip" | b"deflate"))
}

/// Checks what its head asks of us, and what it says about the host.
fn accept(mut head: RequestHead, has_body: bool) -> Result<Message, EngineFault> {
    if matches!(head.method, Method::POST | Method::PUT) && !head.announces_body {
        return Err(EngineFault::LengthRequired);
    }
    if head.expects == Expects::Other {
        return Err(EngineFault::BadRequest("Only 100-continue can be expected"));
    }
    if let Some(authority) = &head.authority {
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
    if head.nominates {
        strip_hop_by_hop(&mut head.headers)
            .map_err(|_| EngineFault::BadRequest("Connection names too many headers"))?;
    }
    let kind = if has_body { MessageBody::Streaming } else { MessageBody::Empty };
    Ok(Message::request(head.method, head.target, head.version, head.headers, kind))
}

/// Brings the answer's body into the coding that the proxy endpoint asks for.
fn recoded(wanted: Compression, answer: &mut Message, streamed: Source) -> Source {
    let source = match std::mem::take(&mut answer.body) {
        MessageBody::Empty => return streamed,
        MessageBody::Replaced(bytes) => Source::Whole(bytes),
        MessageBody::Streaming => streamed,
    };
    answer.body = MessageBody::Streaming;
    match recoding(wanted, &mut answer.headers) {
        Some(change) => Source::Recoded(Box::new(Recoded::new(source, change))),
        None => source,
    }
}

/// Runs the events of an answer through the steps of `exchange`, unpacked where the target has packed them.
pub(crate) fn eventful(
    exchange: &Resting,
    limit: usize,
    answer: &mut Message,
    streamed: Source,
) -> EventBody {
    let source = match recoding(Compression::None, &mut answer.headers) {
        Some(change) => Source::Recoded(Box::new(Recoded::new(streamed, change))),
        None => streamed,
    };
    EventBody::new(source, Rc::clone(exchange), limit)
}

/// Answers a request that belongs to no proxy.
fn refuse(
    worker: &Worker,
    client: &Rc<Client>,
    finish: Finish,
    fault: &EngineFault,
    is_grpc: bool,
) -> Answer {
    let mut answer = fault.fault().answer(false);
    if *fault == EngineFault::Overloaded {
        answer.headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if is_grpc {
        answer = grpc::refusal(answer, fault.fault().text());
    }
    let id = RequestId::new(worker.services.clock.now(), worker.services.rng.as_ref());
    respond(client, finish, answer, Source::Empty, NO_TARGET_IO, id)
}

/// Puts a final answer together.
fn respond(
    client: &Rc<Client>,
    mut finish: Finish,
    answer: Message,
    streamed: Source,
    io: Duration,
    id: RequestId,
) -> Answer {
    let source = match answer.body {
        MessageBody::Streaming => streamed,
        MessageBody::Replaced(bytes) => Source::Whole(bytes),
        MessageBody::Empty => Source::Empty,
    };
    let (status, reason) = match answer.head {
        Head::Response(head) => (head.status, head.reason),
        Head::Request(_) => (StatusCode::OK, None),
    };
    finish.status(status, id);
    let body = AnswerBody::new(source, io, Rc::clone(&client.watch), finish);
    Answer { status, reason, headers: answer.headers, carried: answer.carried, id, body, tunnel: None }
}
