//! Callouts over the thread's own connections.

use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::body::{ReadBodyError, RequestBody, Source, UpstreamBody, read_whole};
use crate::callout::{Callout, LocalFuture, Outbound};
use crate::exchange::{Message, MessageBody};
use crate::fault::EngineFault;
use crate::logging::LogLine;
use crate::server::Watch;
use crate::upstream::{RequestHead, Upstreams};

use super::LogSinks;
use super::server::fault_of;

/// Makes callouts on one thread.
pub(crate) struct UpstreamOutbound {
    pub(crate) upstreams: Rc<Upstreams>,
    pub(crate) logs: LogSinks,
}

impl Outbound for UpstreamOutbound {
    fn log(&self, line: LogLine) -> bool {
        self.logs.write(line)
    }

    fn call(&self, callout: Callout) -> LocalFuture<Result<Message, EngineFault>> {
        let upstreams = Rc::clone(&self.upstreams);
        // No client's connection waits on this watch: the time limit below is the only one.
        let watch = Watch::new(Instant::now());
        Box::pin(async move {
            let within = callout.within;
            tokio::time::timeout(within, call(upstreams, callout, &watch))
                .await
                .unwrap_or(Err(EngineFault::GatewayTimeout))
        })
    }
}

async fn call(
    upstreams: Rc<Upstreams>,
    Callout { endpoint, request, mut timeouts, answer_limit, .. }: Callout,
    watch: &Watch,
) -> Result<Message, EngineFault> {
    let Some(head) = request.as_request() else {
        return Err(EngineFault::BadRequest("a callout is a request"));
    };
    timeouts.io = Duration::MAX;
    let mut body = match &request.body {
        MessageBody::Replaced(bytes) => RequestBody::Whole(bytes.clone()),
        MessageBody::Streaming | MessageBody::Empty => RequestBody::Empty,
    };
    let written = RequestHead {
        method: &head.method,
        target: &head.uri,
        headers: &request.headers,
        is_http10: false,
        carries: false,
        upgrades: false,
        takes_trailers: false,
    };
    let sent = upstreams.send(&endpoint, timeouts, &written, &mut body, watch).await;
    let (head, carrier) = sent.map_err(|error| fault_of(&error, &endpoint, None))?;
    let mut source = Source::Upstream(UpstreamBody::new(carrier, None, upstreams, head.announced));
    let bytes = read_whole(&mut source, answer_limit).await.map_err(|error| match error {
        ReadBodyError::TooBig(limit) => EngineFault::TooBigTargetBody(limit),
        ReadBodyError::Broken(_) => EngineFault::UnexpectedEofAtTarget,
    })?;
    let mut answer = Message::response(head.status, head.headers, MessageBody::Replaced(bytes));
    if let Some(response) = answer.as_response_mut() {
        response.reason = head.reason;
    }
    Ok(answer)
}
