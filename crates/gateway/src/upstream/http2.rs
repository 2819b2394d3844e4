//! HTTP/2 towards targets: connections that carry many requests at once, one call each.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, RecvStream};
use http::header::CONTENT_LENGTH;
use http_body::Frame;

use super::key::Key;
use super::line::Sent;
use super::request_head::RequestHead;
use super::response_head::{BadResponse, MAX_HEADERS, ResponseHead};
use super::sending::Sending;
use super::stream::Stream;
use super::{ConnectError, UpstreamError};
use crate::body::RequestBody;
use crate::outbox::BodyLength;
use crate::proxy::{declared_length, strip_hop_by_hop};
use crate::server::Watch;
use crate::tls::PeerCertificate;
use crate::trailers::{self, Announced};

/// Requests at once on one connection, should the target allow more (hostile-input §4.1).
const STREAMS: usize = 100;
/// Bytes of one response that wait for a client that reads slowly.
const STREAM_WINDOW: u32 = 256 * 1024;
/// The same for a whole connection: all its streams but the slowest few can fill theirs.
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// An open connection. It closes itself once nobody holds it and its last call is over.
pub(super) struct Multiplexed {
    sender: SendRequest<Bytes>,
    peer: IpAddr,
    certificate: Option<Rc<PeerCertificate>>,
    open: Cell<usize>,
    /// Takes no new requests: it was closed, says that it will be, or fell silent.
    is_leaving: Rc<Cell<bool>>,
    keep: Cell<Duration>,
    /// When the sweep first found it idle.
    idle_since: Cell<Option<Instant>>,
}

impl Multiplexed {
    /// Begins with HTTP/2 on a connection just opened; `head_bytes` bounds the header list of a response.
    pub(super) async fn begin(
        stream: Stream,
        peer: IpAddr,
        head_bytes: usize,
    ) -> Result<Rc<Self>, ConnectError> {
        let mut builder = h2::client::Builder::new();
        builder
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_max_send_streams(STREAMS)
            .max_header_list_size(u32::try_from(head_bytes).unwrap_or(u32::MAX));
        let certificate = stream.certificate();
        let (sender, connection) = builder.handshake(stream).await.map_err(ConnectError::Http2)?;
        let is_leaving = Rc::new(Cell::new(false));
        let ended = Rc::clone(&is_leaving);
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an HTTP/2 connection to a target broke: {error}");
            }
            ended.set(true);
        });
        Ok(Rc::new(Self {
            sender,
            peer,
            certificate,
            open: Cell::new(0),
            is_leaving,
            keep: Cell::new(Duration::ZERO),
            idle_since: Cell::new(None),
        }))
    }

    /// Whether another request may go out on it now.
    pub(super) fn has_room(&self) -> bool {
        !self.is_leaving.get() && self.open.get() < STREAMS.min(self.sender.current_max_send_streams())
    }

    /// Whether it is in use, or open and not idle for too long.
    pub(super) fn is_worth_keeping(&self, now: Instant) -> bool {
        if self.is_leaving.get() {
            return false;
        }
        if self.open.get() > 0 {
            self.idle_since.set(None);
            return true;
        }
        let since = self.idle_since.get().unwrap_or(now);
        self.idle_since.set(Some(since));
        now.saturating_duration_since(since) < self.keep.get()
    }

    pub(super) fn keep(&self, keep: Duration) {
        self.keep.set(keep);
    }
}

/// One request and its response. Dropping it before the end cancels it; the connection stays.
pub(crate) struct Call {
    connection: Rc<Multiplexed>,
    sending: Option<Sending>,
    response: Option<ResponseFuture>,
    receiving: Option<RecvStream>,
    /// Bytes of the body still to come, when the target said so.
    exact: Option<u64>,
}

impl Call {
    /// A call on `connection`, which it keeps busy from now on.
    pub(super) fn on(connection: &Rc<Multiplexed>) -> Self {
        connection.open.set(connection.open.get() + 1);
        let connection = Rc::clone(connection);
        Self { connection, sending: None, response: None, receiving: None, exact: Some(0) }
    }

    /// Sends the request and waits for the response's head. What the target has not begun with, by its own
    /// word, is [`Sent::Unwritten`], and the body is where it was.
    pub(super) async fn send(
        &mut self,
        key: &Key,
        head: &RequestHead<'_>,
        body: &mut RequestBody,
        io: Duration,
        watch: &Watch,
    ) -> Sent {
        watch.wait(watch.last_progress(), io);
        let mut sender = self.connection.sender.clone();
        let is_head = *head.method == http::Method::HEAD;
        let whole = match body {
            RequestBody::Whole(bytes) => Some(bytes.clone()),
            _ => None,
        };
        let sent = poll_fn(|cx| {
            if self.response.is_none() {
                match ready!(sender.poll_ready(cx)) {
                    Ok(()) => {}
                    Err(error) => return Poll::Ready(self.unsent(error)),
                }
                let taken = std::mem::replace(body, RequestBody::Empty);
                let length = BodyLength::of(&taken);
                let announced = taken.announced().and_then(Announced::value);
                let Some(request) = head.to_http2(key, length, announced) else {
                    return Poll::Ready(Sent::Failed(BadResponse("its name is no authority").into()));
                };
                match sender.send_request(request, length == BodyLength::None) {
                    Ok((response, stream)) => {
                        self.response = Some(response);
                        self.sending = Some(Sending::new(stream, taken, length));
                    }
                    Err(error) => {
                        *body = taken;
                        return Poll::Ready(self.unsent(error));
                    }
                }
            }
            match self.poll_head(is_head, cx) {
                Poll::Ready(Ok(head)) => Poll::Ready(Sent::Answered(head)),
                Poll::Ready(Err(UpstreamError::Http2(error))) if was_not_begun(&error) => {
                    if error.is_go_away() {
                        self.connection.is_leaving.set(true);
                    }
                    Poll::Ready(
                        match (whole.clone(), self.sending.take().and_then(Sending::into_untouched)) {
                            (Some(bytes), _) => {
                                *body = RequestBody::Whole(bytes);
                                Sent::Unwritten
                            }
                            (None, Some(untouched)) => {
                                *body = untouched;
                                Sent::Unwritten
                            }
                            (None, None) => Sent::Failed(error.into()),
                        },
                    )
                }
                Poll::Ready(Err(failed)) => Poll::Ready(Sent::Failed(failed)),
                Poll::Pending if watch.expired() => {
                    // Nobody knows whether there is still somebody: new requests find another connection.
                    self.connection.is_leaving.set(true);
                    Poll::Ready(Sent::Failed(UpstreamError::TimedOut))
                }
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        watch.relax();
        sent
    }

    /// A connection that takes no request any more.
    fn unsent(&self, error: h2::Error) -> Sent {
        self.connection.is_leaving.set(true);
        if error.is_io() || error.is_go_away() { Sent::Unwritten } else { Sent::Failed(error.into()) }
    }

    fn poll_head(
        &mut self,
        is_head: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, UpstreamError>> {
        self.write(cx)?;
        let Some(response) = &mut self.response else { return Poll::Pending };
        let (head, stream) = ready!(Pin::new(response).poll(cx))?.into_parts();
        let mut headers = head.headers;
        if headers.len() > MAX_HEADERS {
            return Poll::Ready(Err(BadResponse("it has too many headers").into()));
        }
        if head.status.is_informational() {
            return Poll::Ready(Err(BadResponse("it switches protocols unasked").into()));
        }
        let length = declared_length(&headers);
        let announced = Announced::by(&headers);
        let _ = strip_hop_by_hop(&mut headers);
        if let Some(length) = length.filter(|_| is_head) {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        if stream.is_end_stream() {
            self.exact = Some(0);
        } else {
            self.exact = length.filter(|&length| length > 0 && !is_head);
            self.receiving = Some(stream);
        }
        Poll::Ready(Ok(ResponseHead::of_http2(head.status, headers, announced)))
    }

    /// The next part of the response's body or its trailers; `None` is its end. Goes on sending the request
    /// meanwhile.
    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        if let Err(failed) = self.write(cx) {
            return Poll::Ready(Some(Err(failed)));
        }
        let Some(stream) = &mut self.receiving else { return Poll::Ready(None) };
        loop {
            if let Some(data) = ready!(stream.poll_data(cx)) {
                let data = data?;
                // Taken is taken: the target may send as much again.
                let _ = stream.flow_control().release_capacity(data.len());
                self.exact = self.exact.map(|left| left.saturating_sub(data.len() as u64));
                if stream.is_end_stream() {
                    self.receiving = None;
                } else if data.is_empty() {
                    continue;
                }
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            let trailers = ready!(stream.poll_trailers(cx))?;
            self.receiving = None;
            let Some(mut trailers) = trailers else { return Poll::Ready(None) };
            if trailers.len() > MAX_HEADERS {
                return Poll::Ready(Some(Err(BadResponse("it has too many trailers").into())));
            }
            trailers::drop_forbidden(&mut trailers);
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
    }

    pub(super) fn is_response_over(&self) -> bool {
        self.receiving.is_none()
    }

    pub(super) fn peer(&self) -> IpAddr {
        self.connection.peer
    }

    pub(super) fn certificate(&self) -> Option<&Rc<PeerCertificate>> {
        self.connection.certificate.as_ref()
    }

    pub(super) fn exact_body(&self) -> Option<u64> {
        if self.receiving.is_some() { self.exact } else { Some(0) }
    }

    /// Sends as much of the request as goes. A target may answer before it has read everything.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), UpstreamError> {
        let Some(sending) = &mut self.sending else { return Ok(()) };
        if let Poll::Ready(done) = sending.poll(cx) {
            // A retry asks for what was not begun: it needs to know.
            if sending.is_touched() {
                self.sending = None;
            }
            done.map_err(|error| UpstreamError::Broken(io::Error::other(error)))?;
        }
        Ok(())
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.connection.open.set(self.connection.open.get().saturating_sub(1));
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("peer", &self.connection.peer).finish_non_exhaustive()
    }
}

/// Whether the target says that it did nothing with the request (RFC 9113 §8.7).
fn was_not_begun(error: &h2::Error) -> bool {
    error.is_remote()
        && (error.is_go_away() || (error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM)))
}

#[cfg(test)]
mod tests;
