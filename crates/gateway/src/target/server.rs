//! An HTTP server as target.

use std::rc::Rc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::body::{ClientBodyState, RequestBody, UpstreamBody};
use crate::compile::{Endpoint, TargetTimeouts};
use crate::fault::EngineFault;
use crate::proxy::Client;
use crate::server::Worker;
use crate::upstream::{ConnectError, UpstreamError};

/// Sends the request; returns the head of the response and its body still to come.
pub(super) async fn call(
    worker: &Worker,
    client: &Client,
    to: Endpoint,
    timeouts: TargetTimeouts,
    request: &mut Option<Request<RequestBody>>,
    body: Option<Rc<ClientBodyState>>,
) -> Result<Response<UpstreamBody>, EngineFault> {
    let sent = worker.upstreams.send(&to, timeouts, request, &client.watch).await;
    let (response, line) = sent.map_err(|error| fault_of(&error, &to, body.as_deref()))?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        // Nobody asked for it.
        return Err(EngineFault::BadTargetResponse);
    }
    let upstreams = Rc::clone(&worker.upstreams);
    Ok(response.map(|incoming: Incoming| UpstreamBody::new(incoming, line, body, upstreams)))
}

/// What the client is told; the log is told why.
fn fault_of(error: &UpstreamError, to: &Endpoint, body: Option<&ClientBodyState>) -> EngineFault {
    if body.is_some_and(ClientBodyState::failed) {
        return EngineFault::BadRequest("The request body broke off");
    }
    tracing::debug!(host = %to.host, port = to.port, %error, "a target failed: {error}");
    match error {
        UpstreamError::Connect(ConnectError::Forbidden) => EngineFault::TargetForbidden,
        UpstreamError::Connect(ConnectError::Tls(_) | ConnectError::NoTlsName | ConnectError::NoTls(_)) => {
            EngineFault::SslHandshakeFailed
        }
        UpstreamError::Connect(_) => EngineFault::ServiceUnavailable,
        UpstreamError::TimedOut if body.is_some_and(|body| !body.ended()) => EngineFault::TargetWriteTimeOut,
        UpstreamError::TimedOut => EngineFault::GatewayTimeout,
        UpstreamError::Broken(error) if error.is_parse() => EngineFault::BadTargetResponse,
        UpstreamError::Broken(_) => EngineFault::UnexpectedEofAtTarget,
    }
}
