//! An HTTP server as target.

use std::net::IpAddr;
use std::rc::Rc;

use bytes::Bytes;
use http::StatusCode;

use crate::body::{ClientBodyState, RequestBody, UpstreamBody};
use crate::compile::{Endpoint, TargetTimeouts};
use crate::fault::EngineFault;
use crate::proxy::Client;
use crate::server::Worker;
use crate::tls::PeerCertificate;
use crate::upstream::{Carrier, ConnectError, RequestHead, ResponseHead, TargetStream, UpstreamError};

/// Sends the request; returns the head of the response, its body still to come, and whose it is.
pub(super) async fn call(
    worker: &Worker,
    client: &Client,
    to: Endpoint,
    timeouts: TargetTimeouts,
    head: RequestHead<'_>,
    body: &mut RequestBody,
    state: Option<Rc<ClientBodyState>>,
) -> Result<(ResponseHead, Answered, Peer), EngineFault> {
    let sent = worker.upstreams.send(&to, timeouts, &head, body, &client.watch).await;
    let (mut response, carrier) = sent.map_err(|error| fault_of(&error, &to, state.as_deref()))?;
    let peer = Peer { address: carrier.peer(), certificate: carrier.certificate().cloned() };
    let answered = match carrier {
        Carrier::Line(line) if response.status == StatusCode::SWITCHING_PROTOCOLS => {
            let (stream, first) = line.into_stream();
            Answered::Switched(stream, first)
        }
        carrier => {
            let announced = std::mem::take(&mut response.announced);
            Answered::Body(UpstreamBody::new(carrier, state, Rc::clone(&worker.upstreams), announced))
        }
    };
    Ok((response, answered, peer))
}

/// Who answered.
pub(super) struct Peer {
    pub(super) address: IpAddr,
    pub(super) certificate: Option<Rc<PeerCertificate>>,
}

/// What comes after a head.
pub(super) enum Answered {
    Body(UpstreamBody),
    /// Another protocol, and the first bytes of it.
    Switched(TargetStream, Bytes),
}

/// What the client is told; the log is told why.
pub(super) fn fault_of(error: &UpstreamError, to: &Endpoint, body: Option<&ClientBodyState>) -> EngineFault {
    if let Some(fault) = body.and_then(ClientBodyState::fault) {
        return fault;
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
        UpstreamError::BadResponse(_) => EngineFault::BadTargetResponse,
        UpstreamError::Refused => EngineFault::ServiceUnavailable,
        UpstreamError::Http2(error) if error.is_library() => EngineFault::BadTargetResponse,
        UpstreamError::Broken(_) | UpstreamError::Http2(_) => EngineFault::UnexpectedEofAtTarget,
    }
}
