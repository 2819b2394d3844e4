//! The gateway's way to this installation's hub: one function call and a bounded channel of body frames.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};
use pierhead_connectors::Hub;
use pierhead_gateway::ports::{Hub as HubPort, HubBody, PortFuture};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

use crate::control::HUB;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Frames that may wait between the hub and a slow client: with the file driver's pieces of 128 KiB, 512 KiB.
const FRAMES_IN_FLIGHT: usize = 4;

/// Runs hub calls on the control runtime, whatever runtime asks.
pub(crate) struct InProcessHub {
    hub: Hub,
    control: Handle,
}

impl InProcessHub {
    /// Calls of `hub` on the runtime behind `control`.
    pub(crate) fn new(hub: Hub, control: Handle) -> Arc<Self> {
        Arc::new(Self { hub, control })
    }
}

impl HubPort for InProcessHub {
    fn call(&self, mut request: http::Request<HubBody>) -> PortFuture<http::Response<HubBody>> {
        // The data plane speaks of paths below the hub, the hub of its public ones.
        let public = format!("{HUB}{}", request.uri().path_and_query().map_or("/", |below| below.as_str()));
        match public.parse() {
            Ok(uri) => *request.uri_mut() = uri,
            Err(_) => {
                return Box::pin(async { refusal(http::StatusCode::BAD_REQUEST, "The path is malformed.") });
            }
        }
        let hub = self.hub.clone();
        let (answer, answered) = oneshot::channel();
        let task = self.control.spawn(async move {
            let (parts, mut body) = hub.in_process(request.map(Body::new)).await.into_parts();
            let left = body.size_hint().exact();
            // What is there already crosses with the head: a small answer wakes the other side only once.
            let first = body.frame().now_or_never();
            let ended = matches!(first, Some(None)) || body.is_end_stream();
            let (first, failed) = match first.flatten() {
                Some(Ok(frame)) => (Some(frame), None),
                Some(Err(error)) => (None, Some(error)),
                None => (None, None),
            };
            let (frames, channel) = Channel::new(FRAMES_IN_FLIGHT);
            let rest = (failed.is_some() || !ended).then_some(channel);
            if answer.send(http::Response::from_parts(parts, Crossing { first, rest, left })).is_err() {
                return;
            }
            match failed {
                Some(error) => frames.abort(error.into()),
                None if ended => {}
                None => pump(body, frames).await,
            }
        });
        // Dropped with the call or with the answer's body: a client that leaves ends the vendor's call.
        let task = AbortOnDropHandle::new(task);
        Box::pin(async move {
            match answered.await {
                Ok(response) => response.map(|body| BodyExt::boxed_unsync(Held { body, _task: task })),
                Err(_) => pierhead_web::hub::error(
                    http::StatusCode::INTERNAL_SERVER_ERROR,
                    "The hub failed to answer.",
                )
                .map(|body| BodyExt::boxed_unsync(body.map_err(BoxError::from))),
            }
        })
    }
}

fn refusal(status: http::StatusCode, message: &str) -> http::Response<HubBody> {
    pierhead_web::hub::error(status, message).map(|body| BodyExt::boxed_unsync(body.map_err(BoxError::from)))
}

async fn pump(mut body: Body, mut frames: Sender<Bytes, BoxError>) {
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                if frames.send(frame).await.is_err() {
                    return;
                }
            }
            Err(error) => return frames.abort(error.into()),
        }
    }
}

/// An answer's body on its way.
struct Crossing {
    /// What was there with the head.
    first: Option<Frame<Bytes>>,
    /// What follows; none where `first` is all.
    rest: Option<Channel<Bytes, BoxError>>,
    /// Bytes to come, where the hub knows how many.
    left: Option<u64>,
}

/// The answer's body together with the task that feeds it.
struct Held {
    body: Crossing,
    _task: AbortOnDropHandle<()>,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Crossing { first, rest, left } = &mut self.get_mut().body;
        let frame = match (first.take(), rest) {
            (Some(frame), _) => Some(Ok(frame)),
            (None, Some(channel)) => ready!(Pin::new(channel).poll_frame(cx)),
            (None, None) => None,
        };
        if let (Some(Ok(frame)), Some(left)) = (&frame, left) {
            *left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len() as u64));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        let Crossing { first, rest, left } = &self.body;
        first.is_none() && (rest.is_none() || *left == Some(0))
    }

    fn size_hint(&self) -> SizeHint {
        self.body.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_length_of_a_download_is_told_and_counts_down() {
        let (mut frames, channel) = Channel::new(FRAMES_IN_FLIGHT);
        let task = AbortOnDropHandle::new(tokio::spawn(async move {
            for part in ["four", "five5"] {
                frames.send_data(Bytes::from(part)).await.unwrap();
            }
        }));
        let crossing = Crossing { first: None, rest: Some(channel), left: Some(9) };
        let mut body = Held { body: crossing, _task: task };
        assert_eq!(body.size_hint().exact(), Some(9));
        body.frame().await.unwrap().unwrap();
        assert_eq!(body.size_hint().exact(), Some(5));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "five5");
    }

    #[tokio::test]
    async fn an_answer_that_is_there_with_its_head_ends_with_its_first_frame() {
        let first = Some(Frame::data(Bytes::from("small")));
        let task = AbortOnDropHandle::new(tokio::spawn(async {}));
        let mut body = Held { body: Crossing { first, rest: None, left: None }, _task: task };
        assert!(!body.is_end_stream());
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "small");
        assert!(body.is_end_stream());
        assert!(body.frame().await.is_none());
    }
}
