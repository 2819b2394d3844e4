//! The hub of this installation, called in process: no socket, no serialisation, bounded memory.
//!
//! The hub runs on another runtime. The request's body crosses over a channel of a few frames; the answer's
//! body is polled from here. A client that leaves drops both, which ends the call.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::sync::mpsc;

use crate::body::{BodyError, ClientBody, RequestBody};
use crate::fault::EngineFault;
use crate::ports::{Hub, HubBody};
use crate::server::Watch;

/// Frames of a request body on their way over: enough that neither side waits for each one.
const FRAMES_UNDER_WAY: usize = 4;

/// Calls the hub and waits for the head of its answer, at most `io` after the client's last byte.
pub(super) async fn call(
    hub: &Arc<dyn Hub>,
    request: Request<RequestBody>,
    io: Duration,
    watch: &Watch,
) -> Result<Response<HubBody>, EngineFault> {
    let mut answer = hub.call(request.map(cross));
    watch.wait(watch.last_progress(), io);
    let answer = poll_fn(|cx| match answer.as_mut().poll(cx) {
        Poll::Ready(answer) => Poll::Ready(Ok(answer)),
        Poll::Pending if watch.expired() => Poll::Ready(Err(EngineFault::GatewayTimeout)),
        Poll::Pending => Poll::Pending,
    })
    .await;
    watch.relax();
    answer
}

/// A body that another thread may read.
fn cross(body: RequestBody) -> HubBody {
    match body {
        // Only what goes to a server is recoded.
        RequestBody::Empty | RequestBody::Recoded(_) => {
            HubBody::new(http_body_util::Empty::new().map_err(|never| match never {}))
        }
        RequestBody::Whole(bytes) => {
            HubBody::new(http_body_util::Full::new(bytes).map_err(|never| match never {}))
        }
        RequestBody::Client(body) => {
            let (sender, frames) = mpsc::channel(FRAMES_UNDER_WAY);
            let left = body.size_hint().exact();
            tokio::task::spawn_local(pump(body, sender));
            HubBody::new(Crossing { frames, left })
        }
    }
}

/// Ends with the body, with the client, or when the hub stops reading.
async fn pump(mut body: ClientBody, sender: mpsc::Sender<Result<Bytes, BodyError>>) {
    loop {
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            // A hub that answered early reads no more, and the client's next byte may never come.
            () = sender.closed() => return,
        };
        let data = match frame {
            None => return,
            Some(Ok(frame)) => frame.into_data().map_err(|_| ()),
            Some(Err(error)) => {
                let _ = sender.send(Err(error)).await;
                return;
            }
        };
        if let Ok(data) = data
            && sender.send(Ok(data)).await.is_err()
        {
            return;
        }
    }
}

/// The far end of the channel.
struct Crossing {
    frames: mpsc::Receiver<Result<Bytes, BodyError>>,
    /// Bytes to come, when the client said how many.
    left: Option<u64>,
}

impl Body for Crossing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let Some(frame) = std::task::ready!(this.frames.poll_recv(cx)) else {
            // A client that left before its announced end sends an error first; this is for the case that it
            // could not.
            return Poll::Ready(match this.left {
                Some(1..) => Some(Err("the request body broke off".into())),
                _ => None,
            });
        };
        if let (Ok(data), Some(left)) = (&frame, &mut this.left) {
            *left = left.saturating_sub(data.len() as u64);
        }
        Poll::Ready(Some(frame.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}
