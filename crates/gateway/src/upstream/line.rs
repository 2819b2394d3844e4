//! One connection to a target, driven by the request that uses it.

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;

use super::UpstreamError;
use super::decoder::{Decoded, Decoder};
use super::key::Key;
use super::request_head::RequestHead;
use super::response_head::{BadResponse, ResponseHead, end_of_head};
use super::stream::Stream;
use crate::body::RequestBody;
use crate::inbox::Inbox;
use crate::outbox::{BodyLength, Outbox, SendError};
use crate::server::Watch;
use crate::tls::PeerCertificate;
use crate::trailers::{self, Announced};

/// An open connection. Dropping it closes it, which is also how a request is cancelled.
#[derive(Debug)]
pub(crate) struct Line(Box<Parts>);

#[derive(Debug)]
struct Parts {
    certificate: Option<Rc<PeerCertificate>>,
    stream: Stream,
    peer: IpAddr,
    inbox: Inbox,
    outbox: Outbox<RequestBody>,
    /// The target takes nothing more; its answer may still come.
    deaf: bool,
    /// The response's body.
    decoder: Decoder,
    /// What has come behind it.
    trailers: HeaderMap,
    is_reusable: bool,
    is_used: bool,
    head_bytes: usize,
    hash: u64,
    key: Rc<Key>,
    keep: Duration,
    /// When the sweep first found it idle; asking the clock for each request would cost more than it tells.
    idle_since: Option<Instant>,
}

/// What became of a request.
pub(super) enum Sent {
    /// The head of the response is there.
    Answered(ResponseHead),
    /// The connection was closed before anything was written; the request is whole, where it was.
    Unwritten,
    /// Something may have been written; it must not be sent again.
    Failed(UpstreamError),
}

impl Line {
    pub(super) fn new(stream: Stream, peer: IpAddr, hash: u64, key: Rc<Key>, limits: LineLimits) -> Self {
        Self(Box::new(Parts {
            certificate: stream.certificate(),
            stream,
            peer,
            inbox: Inbox::new(limits.read_bytes),
            outbox: Outbox::default(),
            deaf: false,
            decoder: Decoder::ended(),
            trailers: HeaderMap::new(),
            is_reusable: false,
            is_used: false,
            head_bytes: limits.head_bytes,
            hash,
            key,
            keep: Duration::ZERO,
            idle_since: None,
        }))
    }

    /// Sends the request and waits for the response's head; takes the body once it begins to write.
    pub(super) async fn send(
        &mut self,
        head: &RequestHead<'_>,
        body: &mut RequestBody,
        io: Duration,
        watch: &Watch,
    ) -> Sent {
        watch.wait(watch.last_progress(), io);
        let is_head = *head.method == http::Method::HEAD;
        let asked = Asked { is_head, carries: head.carries && !is_head, upgrades: head.upgrades };
        let (mut begun, mut scanned) = (false, 0);
        let this = &mut *self.0;
        let sent = poll_fn(|cx| {
            if !begun {
                begun = true;
                if this.is_used && !this.is_silent(cx) {
                    return Poll::Ready(Sent::Unwritten);
                }
                let body = std::mem::replace(body, RequestBody::Empty);
                let length = BodyLength::of(&body);
                let announced = body.announced().and_then(Announced::value);
                this.outbox.begin(length, |text| {
                    head.write(&this.key.authority, length, announced.as_ref(), text);
                    body
                });
                if std::mem::replace(&mut this.is_used, true) {
                    // It was just asked for bytes, and had none: it will wake us when they come.
                    return match this.write(cx) {
                        Ok(()) => Poll::Pending,
                        Err(failed) => Poll::Ready(Sent::Failed(failed)),
                    };
                }
            }
            match this.poll_head(asked, &mut scanned, cx) {
                Poll::Ready(Ok(head)) => Poll::Ready(Sent::Answered(head)),
                Poll::Ready(Err(failed)) => Poll::Ready(Sent::Failed(failed)),
                Poll::Pending if watch.expired() => Poll::Ready(Sent::Failed(UpstreamError::TimedOut)),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        watch.relax();
        sent
    }

    /// The next part of the response's body, or its trailers; `None` is its end. Goes on sending the request
    /// meanwhile.
    pub(crate) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        self.0.poll_body(cx).map(Result::transpose)
    }

    /// Whether the response has been read to its end.
    pub(crate) fn is_response_over(&self) -> bool {
        self.0.decoder.is_ended()
    }

    /// The address of the other end.
    pub(crate) fn peer(&self) -> IpAddr {
        self.0.peer
    }

    /// What the other end showed.
    pub(crate) fn certificate(&self) -> Option<&Rc<PeerCertificate>> {
        self.0.certificate.as_ref()
    }

    /// Bytes of the body still to come, when the target said so.
    pub(crate) fn exact_body(&self) -> Option<u64> {
        self.0.decoder.exact()
    }

    /// The bytes beneath, and what came after the head: for who speaks another protocol from now on.
    pub(crate) fn into_stream(self) -> (Stream, Bytes) {
        let Parts { stream, inbox, .. } = *self.0;
        (stream, inbox.bytes.freeze())
    }

    /// How long it may lie in the pool.
    pub(super) fn keep(&mut self, keep: Duration) {
        self.0.keep = keep;
    }

    /// Where the connection goes back to.
    pub(super) fn home(&self) -> (u64, &Rc<Key>) {
        (self.0.hash, &self.0.key)
    }

    /// Whether the last exchange is wholly over, request and response, and another one may follow. Bytes
    /// that nobody asked for are no good sign.
    pub(super) fn is_idle(&self) -> bool {
        let this = &*self.0;
        this.is_reusable && this.decoder.is_ended() && this.outbox.is_empty() && this.inbox.bytes.is_empty()
    }

    /// Goes into the pool.
    pub(super) fn rest(&mut self) {
        self.0.inbox.rest();
        self.0.idle_since = None;
    }

    /// Whether the connection is open and was not idle for too long.
    pub(super) fn is_worth_keeping(&mut self, now: Instant) -> bool {
        let since = *self.0.idle_since.get_or_insert(now);
        now.saturating_duration_since(since) < self.0.keep
            && self.0.is_silent(&mut Context::from_waker(Waker::noop()))
    }
}

/// What is to be known of a request when its response is read.
#[derive(Debug, Clone, Copy)]
struct Asked {
    is_head: bool,
    carries: bool,
    /// It asks to speak WebSocket: 101 is an answer.
    upgrades: bool,
}

/// Bounds of one connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineLimits {
    /// The largest read buffer.
    pub(super) read_bytes: usize,
    /// The longest response head.
    pub(super) head_bytes: usize,
}

impl Parts {
    /// Whether the target neither closed the connection nor said anything since the last exchange.
    fn is_silent(&mut self, cx: &mut Context<'_>) -> bool {
        self.inbox.poll_fill(&mut self.stream, cx).is_pending()
    }

    fn poll_head(
        &mut self,
        asked: Asked,
        scanned: &mut usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, UpstreamError>> {
        self.write(cx)?;
        loop {
            if !self.inbox.bytes.is_empty() {
                if let Some(end) = end_of_head(&self.inbox.bytes, *scanned)? {
                    let bytes = self.inbox.bytes.split_to(end).freeze();
                    *scanned = 0;
                    let read = match asked.upgrades {
                        true => ResponseHead::read_switch(&bytes)?,
                        false => ResponseHead::read(&bytes, asked.is_head, asked.carries)?,
                    };
                    let Some(head) = read else {
                        continue;
                    };
                    (self.decoder, self.is_reusable) = (head.body, head.keeps_alive);
                    return Poll::Ready(Ok(head));
                }
                if self.inbox.bytes.len() > self.head_bytes {
                    return Poll::Ready(Err(BadResponse("its head is too long").into()));
                }
                // An end may begin in the last three bytes.
                *scanned = self.inbox.bytes.len().saturating_sub(3);
            }
            if std::task::ready!(self.inbox.poll_fill(&mut self.stream, cx))? == 0 {
                return Poll::Ready(Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()));
            }
        }
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Frame<Bytes>>, UpstreamError>> {
        self.write(cx)?;
        loop {
            match self.decoder.decode(&mut self.inbox.bytes, &mut self.trailers)? {
                Decoded::Data(data) => return Poll::Ready(Ok(Some(Frame::data(data)))),
                Decoded::End => {
                    let mut trailers = std::mem::take(&mut self.trailers);
                    trailers::drop_forbidden(&mut trailers);
                    let last = (!trailers.is_empty()).then(|| Frame::trailers(trailers));
                    return Poll::Ready(Ok(last));
                }
                Decoded::NeedsMore => {}
            }
            if std::task::ready!(self.inbox.poll_fill(&mut self.stream, cx))? == 0 {
                self.decoder.close().map_err(io::Error::other)?;
            }
        }
    }

    /// Sends as much of the request as goes. A target may answer before it has read everything, and close.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), UpstreamError> {
        if self.deaf || self.outbox.is_empty() {
            return Ok(());
        }
        match self.outbox.poll_send(&mut self.stream, cx) {
            Poll::Pending | Poll::Ready(Ok(())) => Ok(()),
            Poll::Ready(Err(SendError::Write(error))) => {
                tracing::debug!(%error, "a target stopped reading: {error}");
                self.deaf = true;
                Ok(())
            }
            Poll::Ready(Err(failed @ SendError::Body(_))) => Err(io::Error::other(failed).into()),
        }
    }
}
