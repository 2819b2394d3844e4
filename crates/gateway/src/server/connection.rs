//! Drives one client connection: head, exchange, answer, again; with the clock, the drain and the refusals.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;

use super::clock::{Clock, Look};
use super::farewell;
use super::http1::{AnswerHead, Asked, Heard, NoHead, Refusal, Stream, Wire, Writer};
use super::rewound::Rewound;
use super::worker::Open;
use super::{BodyReader, Watch};
use crate::body::AnswerBody;
use crate::limits::Limits;
use crate::outbox::Outbox;
use crate::proxy::{self, Answer, Client};
use crate::tls::TlsSession;
use crate::tunnel::Tunnel;

/// Why a connection ended.
enum End {
    /// Everything was said. Our side is to be closed such that the last answer arrives.
    Finished,
    /// The client left, or an answer broke off: there is nobody to talk to or nothing to say.
    Broken,
    /// What came last is refused.
    Refused(Refusal),
    /// Nothing was asked for too long.
    Idle,
    /// The client kept us waiting in the middle of something.
    Stalled,
}

/// What a connection waits for, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// For the rest of a request head.
    Head(Instant),
    /// For the next request.
    Idle(Instant),
    /// For the client to send more of a body or to read more of an answer.
    Client(Instant),
    /// For the client to send more of the body that the answer depends on.
    Body(Instant),
    /// For us.
    Answer,
}

/// Who is at the ends of a connection.
pub(super) struct Ends {
    pub(super) peer: SocketAddr,
    pub(super) local: SocketAddr,
    /// What the TLS handshake agreed on.
    pub(super) tls: Option<Rc<TlsSession>>,
}

/// A client's connection on which something else than HTTP/1 is spoken from now on.
pub(super) enum Switched {
    /// HTTP/2, which the client speaks from its first byte on.
    Http2(Rewound<Box<dyn Stream>>),
    /// What the client and the target agreed on.
    Tunnel {
        client: Box<dyn Stream>,
        /// What the client has sent beyond its request.
        first: Bytes,
        tunnel: Box<Tunnel>,
    },
}

/// Serves a connection until it ends or something else is spoken on it.
pub(super) async fn drive(open: &Open, stream: impl Stream + 'static, ends: &Ends) -> Option<Switched> {
    let worker = &open.worker;
    let limits = &worker.limits;
    let wire =
        Rc::new(Wire::new(Box::new(stream), limits, Rc::clone(&worker.spare_maps), worker.counters.clone()));
    let client = Rc::new(ends.client(Rc::clone(wire.watch())));
    let tick = limits.header_timeout.min(limits.idle_timeout).min(limits.tick());
    let timer = pin!(tokio::time::sleep_until((Instant::now() + tick).into()));
    let clock = Clock::new(timer, tick);
    let mut driver =
        Driver { open, wire: &wire, clock, is_known: false, outbox: Outbox::default(), tunnel: None };

    let end = loop {
        let head = match driver.head().await {
            Ok(head) => head,
            Err(end) => break end,
        };
        let asked = Asked::by(&head);
        let answer = {
            let body = Wire::body(&wire, head.announced).map(BodyReader::Http1);
            let serving = pin!(proxy::serve(worker, &client, head.head, body));
            match driver.attend(serving).await {
                Ok(answer) => answer,
                Err(end) => break end,
            }
        };
        if let Err(end) = driver.send(asked, answer).await {
            break end;
        }
    };

    let tunnel = driver.tunnel.take();
    drop(driver);
    if let (End::Finished, Some(tunnel)) = (&end, tunnel) {
        return wire.release_with_rest().map(|(client, first)| Switched::Tunnel { client, first, tunnel });
    }
    // With TLS the protocol was agreed on before.
    if let End::Refused(Refusal::SpeaksHttp2) = end
        && ends.tls.is_none()
        && wire.answered() == 0
    {
        return wire.release_with_rest().map(|(stream, said)| Switched::Http2(Rewound::new(said, stream)));
    }
    let stream = wire.release()?;
    match end {
        End::Broken | End::Stalled => {}
        End::Finished | End::Idle => farewell::linger(stream).await,
        End::Refused(refusal) => {
            let fault = refusal.fault();
            worker.counters.refused(fault.fault().status().as_u16());
            farewell::refuse(stream, &fault).await;
        }
    }
    None
}

impl Ends {
    /// The client of one exchange or, where there is one at a time, of all.
    pub(super) fn client(&self, watch: Rc<Watch>) -> Client {
        Client { peer: self.peer, local: self.local, tls: self.tls.clone(), watch }
    }
}

/// The connection between two polls. Everything it awaits ends early when the connection does.
struct Driver<'a> {
    open: &'a Open,
    wire: &'a Wire,
    clock: Clock<'a>,
    /// The thread and the connection's bytes know whom to wake.
    is_known: bool,
    outbox: Outbox<AnswerBody>,
    /// Follows the answer that is on its way.
    tunnel: Option<Box<Tunnel>>,
}

/// What the clock says.
enum Tick {
    Wait,
    /// The exchange's time is up: it is told by polling it again.
    Again,
    End(End),
}

impl Driver<'_> {
    /// The next request's head.
    async fn head(&mut self) -> Result<Heard, End> {
        poll_fn(|cx| {
            if !self.is_known {
                self.open.wake_on_drain(cx.waker());
                self.wire.driven_by(cx.waker());
                self.is_known = true;
            }
            loop {
                match self.wire.poll_head(cx) {
                    Poll::Pending => {}
                    Poll::Ready(Ok(head)) => return Poll::Ready(Ok(head)),
                    Poll::Ready(Err(none)) => {
                        return Poll::Ready(Err(match none {
                            NoHead::Refused(refusal) => End::Refused(refusal),
                            NoHead::Closed { within: false } => End::Finished,
                            NoHead::Closed { within: true } | NoHead::Broken => End::Broken,
                        }));
                    }
                }
                let begun = self.wire.head_began();
                if self.open.worker.draining() && begun.is_none() {
                    return Poll::Ready(Err(End::Finished));
                }
                let progress = self.wire.watch().last_progress();
                match self.clock(begun.map_or(Waiting::Idle(progress), Waiting::Head), cx) {
                    Tick::Wait => return Poll::Pending,
                    Tick::Again => {}
                    Tick::End(end) => return Poll::Ready(Err(end)),
                }
            }
        })
        .await
    }

    /// The exchange's answer, unless the client leaves before.
    async fn attend(&mut self, mut serving: Pin<&mut impl Future<Output = Answer>>) -> Result<Answer, End> {
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(answer) = serving.as_mut().poll(cx) {
                    return Poll::Ready(Ok(answer));
                }
                if self.wire.is_left(cx) {
                    return Poll::Ready(Err(End::Broken));
                }
                let waiting = match self.wire.is_awaited() {
                    true => Waiting::Body(self.wire.watch().last_progress()),
                    false => Waiting::Answer,
                };
                match self.clock(waiting, cx) {
                    Tick::Wait => return Poll::Pending,
                    Tick::Again => {}
                    Tick::End(end) => return Poll::Ready(Err(end)),
                }
            }
        })
        .await
    }

    /// Sends the answer; says how the connection ends when it is the last one.
    async fn send(&mut self, asked: Asked, answer: Answer) -> Result<(), End> {
        let mut keeps_alive = None;
        let mut answer = Some(answer);
        poll_fn(|cx| {
            if let Some(answer) = answer.take() {
                keeps_alive = Some(self.begin(asked, answer, cx));
            }
            loop {
                match self.outbox.poll_send(&mut Writer(self.wire), cx) {
                    Poll::Pending => {}
                    Poll::Ready(Ok(())) => return Poll::Ready(Ok(())),
                    Poll::Ready(Err(error)) => {
                        tracing::debug!(%error, "an answer broke off: {error}");
                        return Poll::Ready(Err(End::Broken));
                    }
                }
                if self.wire.is_left(cx) {
                    return Poll::Ready(Err(End::Broken));
                }
                let waiting = if self.outbox.is_written() {
                    self.for_body_or(Waiting::Answer)
                } else {
                    Waiting::Client(self.wire.watch().last_progress())
                };
                match self.clock(waiting, cx) {
                    Tick::Wait => return Poll::Pending,
                    Tick::Again => {}
                    Tick::End(end) => return Poll::Ready(Err(end)),
                }
            }
        })
        .await?;
        let may_stay = keeps_alive == Some(true) && poll_fn(|cx| Poll::Ready(self.wire.skip_body(cx))).await;
        self.wire.end_request();
        if may_stay { Ok(()) } else { Err(End::Finished) }
    }

    /// Puts the head and the body into the outbox. Says whether another request may follow.
    fn begin(&mut self, asked: Asked, mut answer: Answer, cx: &mut Context<'_>) -> bool {
        let worker = &self.open.worker;
        let writer = Writer(self.wire);
        writer.begin_answer();
        // A client that still sends what nobody will read is told that this is the end.
        let is_read = answer.body.reads_request() || self.wire.skip_body(cx);
        let is_last = self.wire.answered() + 1 >= worker.limits.requests_of_connection;
        let head = AnswerHead::of(asked, &answer, is_read && !is_last && !worker.draining());
        self.tunnel = answer.tunnel.take();
        let date = worker.date.at(worker.services.clock.now());
        self.outbox.begin(head.body(), |text| {
            head.write(&answer, date.as_bytes(), text);
            answer.body
        });
        head.keeps_alive()
    }

    fn for_body_or(&self, waiting: Waiting) -> Waiting {
        if self.wire.is_awaited() { Waiting::Client(self.wire.watch().last_progress()) } else { waiting }
    }

    /// Looks whether the present wait has lasted too long, and sees to it that somebody looks again.
    fn clock(&mut self, waiting: Waiting, cx: &mut Context<'_>) -> Tick {
        let (wire, limits) = (self.wire, &self.open.worker.limits);
        match self.clock.look(wire.watch(), cx, || due(waiting, limits, wire)) {
            Look::Wait => Tick::Wait,
            Look::Again => Tick::Again,
            // The exchange answers.
            Look::Overdue if matches!(waiting, Waiting::Body(_)) && wire.cut_if_slow(Instant::now()) => {
                Tick::Again
            }
            Look::Overdue => Tick::End(match waiting {
                Waiting::Head(_) => End::Refused(Refusal::HeadTimeout),
                Waiting::Idle(_) => End::Idle,
                Waiting::Client(_) | Waiting::Body(_) | Waiting::Answer => End::Stalled,
            }),
        }
    }
}

/// When the present wait has lasted too long; `None` while the client waits for us.
fn due(waiting: Waiting, limits: &Limits, wire: &Wire) -> Option<Instant> {
    match waiting {
        Waiting::Head(since) => Some(since + limits.header_timeout),
        Waiting::Idle(since) if wire.has_received() => Some(since + limits.idle_timeout),
        Waiting::Idle(since) => Some(since + limits.header_timeout),
        Waiting::Client(since) => Some(since + limits.client_timeout),
        Waiting::Body(since) => {
            let silent = since + limits.client_timeout;
            Some(wire.slow_at().map_or(silent, |slow| slow.min(silent)))
        }
        Waiting::Answer => None,
    }
}
