//! The gateway's way to this installation's hub: one function call and a bounded channel of body frames.

use std::sync::Arc;

use axum::body::Body;
use http_body::{Body as _, SizeHint};
use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};
use pierhead_connectors::Hub;
use pierhead_gateway::ports::{Hub as HubPort, HubBody, PortFuture};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

use crate::control::HUB;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Frames that may wait between the hub and a slow client: with the file driver's 64 KiB chunks, 256 KiB.
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
            let (parts, body) = hub.in_process(request.map(Body::new)).await.into_parts();
            let (frames, channel) = Channel::<bytes::Bytes, BoxError>::new(FRAMES_IN_FLIGHT);
            let left = body.size_hint().exact();
            if answer.send(http::Response::from_parts(parts, (channel, left))).is_ok() {
                pump(body, frames).await;
            }
        });
        // Dropped with the call or with the answer's body: a client that leaves ends the vendor's call.
        let task = AbortOnDropHandle::new(task);
        Box::pin(async move {
            match answered.await {
                Ok(response) => {
                    response.map(|(channel, left)| BodyExt::boxed_unsync(Held { channel, left, _task: task }))
                }
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

async fn pump(mut body: Body, mut frames: Sender<bytes::Bytes, BoxError>) {
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

/// The answer's body together with the task that feeds it.
struct Held {
    channel: Channel<bytes::Bytes, BoxError>,
    /// Bytes still to come, where the hub knows: the client is told the length of its download.
    left: Option<u64>,
    _task: AbortOnDropHandle<()>,
}

impl http_body::Body for Held {
    type Data = bytes::Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, BoxError>>> {
        let polled = std::pin::Pin::new(&mut self.channel).poll_frame(cx);
        if let std::task::Poll::Ready(Some(Ok(frame))) = &polled {
            let came = frame.data_ref().map_or(0, |data| data.len() as u64);
            self.left = self.left.map(|left| left.saturating_sub(came));
        }
        polled
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
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
                frames.send_data(bytes::Bytes::from(part)).await.unwrap();
            }
        }));
        let mut body = Held { channel, left: Some(9), _task: task };
        assert_eq!(body.size_hint().exact(), Some(9));
        body.frame().await.unwrap().unwrap();
        assert_eq!(body.size_hint().exact(), Some(5));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "five5");
    }
}
