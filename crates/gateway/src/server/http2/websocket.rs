//! WebSocket on a stream (RFC 8441): towards the target it is an upgrade of HTTP/1.1, whose handshake is made here.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, Bytes};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderName, HeaderValue, StatusCode};
use pierhead_domain::Rng;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::proxy::Answer;

pub(super) const KEY: HeaderName = HeaderName::from_static("sec-websocket-key");
const ACCEPT: HeaderName = HeaderName::from_static("sec-websocket-accept");

/// What a target has to answer to (RFC 6455 §4.1). Clients of HTTP/2 do not send one.
pub(super) fn key(rng: &dyn Rng) -> HeaderValue {
    let mut bytes = [0; 16];
    rng.fill(&mut bytes);
    HeaderValue::from_str(&STANDARD.encode(bytes))
        .unwrap_or(HeaderValue::from_static("AAAAAAAAAAAAAAAAAAAAAA=="))
}

/// Makes the target's agreement the answer of HTTP/2; false when it did not answer to `key`.
pub(super) fn agree(answer: &mut Answer, key: &HeaderValue) -> bool {
    const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let digest = Sha1::new().chain_update(key.as_bytes()).chain_update(MAGIC).finalize();
    let said = answer.headers.remove(ACCEPT);
    answer.status = StatusCode::OK;
    said.is_some_and(|said| said.as_bytes() == STANDARD.encode(digest).as_bytes())
}

/// A stream as a pair of pipes.
pub(super) struct Pipes {
    receive: RecvStream,
    send: SendStream<Bytes>,
    /// What came and was not read.
    part: Bytes,
    is_shut: bool,
}

impl Pipes {
    pub(super) fn new(receive: RecvStream, send: SendStream<Bytes>) -> Self {
        Self { receive, send, part: Bytes::new(), is_shut: false }
    }
}

impl AsyncRead for Pipes {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.part.is_empty() {
            match ready!(this.receive.poll_data(cx)) {
                Some(Ok(part)) => this.part = part,
                // An end of the stream is one of the connection (RFC 8441 §5).
                None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
            }
        }
        let count = this.part.len().min(buf.remaining());
        buf.put_slice(&this.part[..count]);
        this.part.advance(count);
        let _ = this.receive.flow_control().release_capacity(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipes {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.send.poll_reset(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        this.send.reserve_capacity(buf.len());
        while this.send.capacity() == 0 {
            match ready!(this.send.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
        let count = this.send.capacity().min(buf.len());
        this.send.send_data(Bytes::copy_from_slice(&buf[..count]), false).map_err(broken)?;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !std::mem::replace(&mut this.is_shut, true) {
            this.send.send_data(Bytes::new(), true).map_err(broken)?;
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        // What was sent before an end in order is still on its way.
        if !self.is_shut {
            self.send.send_reset(Reason::CANCEL);
        }
    }
}

fn broken(error: h2::Error) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, error)
}
