//! One request on a stream: head, exchange, answer.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Request};
use http_body::Body;

use super::answer;
use super::body::{BodyReader, Shared};
use super::connection::Connection;
use super::head;
use super::websocket::{self, Pipes};
use crate::body::AnswerBody;
use crate::fault::EngineFault;
use crate::outbox::BodyLength;
use crate::proxy::{self, Answer};
use crate::server::clock::{Clock, Look};
use crate::server::pace::Pace;
use crate::server::{self, Expects, Watch};
use crate::tunnel::{self, Tunnel};

/// The client left, or cannot be told anything any more.
struct Gone;

/// Serves one stream to its end.
pub(super) async fn serve(
    connection: Rc<Connection>,
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
) {
    let worker = &connection.open.worker;
    let (parts, receive) = request.into_parts();
    let now = Instant::now();
    let shared = Rc::new(Shared {
        respond: RefCell::new(respond),
        watch: Rc::new(Watch::new(now)),
        is_awaited: Cell::new(false),
        reader: RefCell::default(),
        pace: Pace::new(&worker.limits),
        waits: Cell::new(false),
    });
    let (mut head, judged) = match head::judge(parts, &worker.limits) {
        Ok(both) => both,
        Err(refusal) => return refuse(&connection, &shared, &refusal.fault()),
    };
    let is_head = head.method == Method::HEAD;
    shared.waits.set(head.expects == Expects::Continue);
    let client = Rc::new(connection.ends.client(Rc::clone(&shared.watch)));
    if judged.is_grpc {
        shared.pace.relax();
    }
    let tick = worker.limits.tick();
    let timer = pin!(tokio::time::sleep_until((now + tick).into()));
    let mut stream = Stream { connection: &connection, shared: &shared, clock: Clock::new(timer, tick) };

    let (body, websocket) = if head.upgrades {
        let key = websocket::key(worker.services.rng.as_ref());
        head.headers.insert(websocket::KEY, key.clone());
        (None, Some((receive, key)))
    } else {
        (BodyReader::new(receive, &shared, judged).map(server::BodyReader::Http2), None)
    };
    let answer = {
        let serving = pin!(proxy::serve(worker, &client, head, body));
        stream.attend(serving).await
    };
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(Gone) => return connection.cancelled(),
    };
    if let (Some(tunnel), Some((receive, key))) = (answer.tunnel.take(), websocket) {
        return stream.bridge(answer, tunnel, receive, &key).await;
    }
    if stream.send(answer, is_head).await.is_ok() {
        connection.answered();
    } else {
        connection.cancelled();
    }
}

/// Answers what is no request.
fn refuse(connection: &Connection, shared: &Shared, fault: &EngineFault) {
    let message = fault.fault().answer(false);
    connection.open.worker.counters.refused(message.status().as_u16());
    let mut head = http::Response::new(());
    *head.status_mut() = message.status();
    *head.headers_mut() = message.headers.clone();
    let body = Bytes::copy_from_slice(message.body.bytes());
    if let Ok(mut stream) = shared.respond.borrow_mut().send_response(head, body.is_empty()) {
        let _ = stream.send_data(body, true);
    }
    connection.answered();
}

/// A stream between two polls.
struct Stream<'a> {
    connection: &'a Connection,
    shared: &'a Shared,
    clock: Clock<'a>,
}

impl Stream<'_> {
    /// The exchange's answer, unless the client leaves before.
    async fn attend(&mut self, mut serving: Pin<&mut impl Future<Output = Answer>>) -> Result<Answer, Gone> {
        poll_fn(|cx| {
            loop {
                // First, so that a client that leaves is not taken for one that breaks off its body.
                if self.shared.respond.borrow_mut().poll_reset(cx).is_ready() {
                    return Poll::Ready(Err(Gone));
                }
                if let Poll::Ready(answer) = serving.as_mut().poll(cx) {
                    return Poll::Ready(Ok(answer));
                }
                let awaited = self.shared.is_awaited.get();
                let slow_at = self.shared.pace.due().filter(|_| awaited);
                match self.look(awaited, slow_at, cx) {
                    Look::Wait => return Poll::Pending,
                    Look::Again => {}
                    // The exchange answers.
                    Look::Overdue if self.shared.cut_if_slow(Instant::now()) => {}
                    Look::Overdue => {
                        self.shared.respond.borrow_mut().send_reset(Reason::CANCEL);
                        return Poll::Ready(Err(Gone));
                    }
                }
            }
        })
        .await
    }

    /// Agrees to speak WebSocket and carries its bytes to the end.
    async fn bridge(
        &mut self,
        mut answer: Answer,
        tunnel: Box<Tunnel>,
        receive: RecvStream,
        key: &HeaderValue,
    ) {
        let worker = &self.connection.open.worker;
        if !websocket::agree(&mut answer, key) {
            worker.counters.target_failed();
            return refuse(self.connection, self.shared, &EngineFault::BadTargetResponse);
        }
        let date = worker.date.at(worker.services.clock.now()).clone();
        let mut head = answer::begin(&mut answer, false, &date).head;
        head.headers_mut().remove(CONTENT_LENGTH);
        let sent = self.shared.respond.borrow_mut().send_response(head, false);
        drop(answer);
        match sent {
            Ok(send) => {
                let pipes = Pipes::new(receive, send);
                tunnel::carry(pipes, Bytes::new(), tunnel, &worker.counters).await;
                self.connection.answered();
            }
            Err(_) => self.connection.cancelled(),
        }
    }

    /// Sends the answer.
    async fn send(&mut self, mut answer: Answer, is_head: bool) -> Result<(), Gone> {
        self.shared.waits.set(false);
        let worker = &self.connection.open.worker;
        let date = worker.date.at(worker.services.clock.now()).clone();
        let begin = answer::begin(&mut answer, is_head, &date);
        let ends = begin.body == BodyLength::None;
        let sent = self.shared.respond.borrow_mut().send_response(begin.head, ends);
        let mut stream = sent.map_err(|_| Gone)?;
        if ends {
            return Ok(());
        }
        let left = match begin.body {
            BodyLength::Known(bytes) => Some(bytes),
            _ => None,
        };
        let mut sending = Sending { body: answer.body, part: Bytes::new(), left };
        poll_fn(|cx| {
            loop {
                match sending.poll(&mut stream, &self.shared.watch, cx) {
                    Sent::All => return Poll::Ready(Ok(())),
                    Sent::Gone => return Poll::Ready(Err(Gone)),
                    Sent::WaitsForBody | Sent::WaitsForClient if stream.poll_reset(cx).is_ready() => {
                        return Poll::Ready(Err(Gone));
                    }
                    waiting => {
                        let for_client = waiting == Sent::WaitsForClient || self.shared.is_awaited.get();
                        match self.look(for_client, None, cx) {
                            Look::Wait => return Poll::Pending,
                            Look::Again => {}
                            Look::Overdue => {
                                stream.send_reset(Reason::CANCEL);
                                return Poll::Ready(Err(Gone));
                            }
                        }
                    }
                }
            }
        })
        .await
    }

    /// `slow_at` is when the body will have come too slowly.
    fn look(&mut self, for_client: bool, slow_at: Option<Instant>, cx: &mut Context<'_>) -> Look {
        let (watch, limit) = (&self.shared.watch, self.connection.open.worker.limits.client_timeout);
        self.clock.look(watch, cx, || {
            let silent = for_client.then(|| watch.last_progress() + limit)?;
            Some(slow_at.map_or(silent, |slow| slow.min(silent)))
        })
    }
}

/// An answer's body on its way.
struct Sending {
    body: AnswerBody,
    part: Bytes,
    /// How much must still come, when that was said.
    left: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    All,
    Gone,
    WaitsForBody,
    WaitsForClient,
}

impl Sending {
    fn poll(&mut self, stream: &mut SendStream<Bytes>, watch: &Watch, cx: &mut Context<'_>) -> Sent {
        loop {
            if self.part.is_empty() {
                match Pin::new(&mut self.body).poll_frame(cx) {
                    Poll::Pending => return Sent::WaitsForBody,
                    Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                        Ok(part) => {
                            self.part = part;
                            if !self.counts() {
                                stream.send_reset(Reason::INTERNAL_ERROR);
                                return Sent::Gone;
                            }
                        }
                        Err(frame) => {
                            let trailers = frame.into_trailers().unwrap_or_default();
                            return if stream.send_trailers(trailers).is_ok() {
                                Sent::All
                            } else {
                                Sent::Gone
                            };
                        }
                    },
                    Poll::Ready(None) if self.left.is_none_or(|left| left == 0) => {
                        return if stream.send_data(Bytes::new(), true).is_ok() {
                            Sent::All
                        } else {
                            Sent::Gone
                        };
                    }
                    Poll::Ready(None | Some(Err(_))) => {
                        stream.send_reset(Reason::INTERNAL_ERROR);
                        return Sent::Gone;
                    }
                }
                continue;
            }
            stream.reserve_capacity(self.part.len());
            while stream.capacity() == 0 {
                match stream.poll_capacity(cx) {
                    Poll::Pending => return Sent::WaitsForClient,
                    Poll::Ready(Some(Ok(_))) => watch.moved(Instant::now()),
                    Poll::Ready(Some(Err(_)) | None) => return Sent::Gone,
                }
            }
            let part = self.part.split_to(stream.capacity().min(self.part.len()));
            let ends =
                self.part.is_empty() && self.body.is_end_stream() && self.left.is_none_or(|left| left == 0);
            if stream.send_data(part, ends).is_err() {
                return Sent::Gone;
            }
            if ends {
                return Sent::All;
            }
        }
    }

    /// Whether no more came than was said.
    fn counts(&mut self) -> bool {
        match &mut self.left {
            None => true,
            Some(left) => match left.checked_sub(self.part.len() as u64) {
                Some(rest) => {
                    *left = rest;
                    true
                }
                None => false,
            },
        }
    }
}
