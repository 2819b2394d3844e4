//! Another proxy of the same snapshot as target: its flows run here, and bodies stream through both.

use std::rc::Rc;

use crate::body::{ClientBodyState, RequestBody, Resting, Source};
use crate::exchange::{Exchange, Message, MessageBody};
use crate::fault::EngineFault;
use crate::flow::{self, LocalTarget};
use crate::proxy::{self, Client};
use crate::server::Worker;

/// Runs the other proxy from its first step to its last; its answer is the target's.
pub(super) async fn call(
    worker: &Rc<Worker>,
    client: &Client,
    outer: &Exchange,
    to: &LocalTarget,
    body: RequestBody,
    state: Option<Rc<ClientBodyState>>,
) -> Result<(Message, Source), EngineFault> {
    let (message, streamed) = match body {
        // Only what goes to a server is recoded.
        RequestBody::Empty | RequestBody::Recoded(_) => (MessageBody::Empty, None),
        RequestBody::Whole(bytes) => (MessageBody::Replaced(bytes), None),
        RequestBody::Client(body) => (MessageBody::Streaming, Some(body).zip(state)),
    };
    let mut request = outer.request.clone();
    request.receive_body(message);
    let mut inner = outer.call_into(to, request)?;
    let (mut source, _) = Box::pin(proxy::run(worker, client, &mut inner, streamed)).await;
    let mut answer = inner.take_answer().unwrap_or_else(Message::empty_response);
    if inner.runs_events_of(&answer) && matches!(answer.body, MessageBody::Streaming) {
        let resting = Resting::default();
        let limit = inner.proxy().buffered_body_bytes;
        source = Source::Events(Box::new(proxy::eventful(&resting, limit, &mut answer, source).inner()));
        inner.response = Some(Message { body: MessageBody::Empty, ..answer.clone() });
        *resting.borrow_mut() = Some(inner);
        return Ok((answer, source));
    }
    if !inner.endpoint().flows.post_client.is_empty() {
        tokio::task::spawn_local(async move { flow::run_post_client(&mut inner).await });
    }
    Ok((answer, source))
}
