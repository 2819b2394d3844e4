//! The `http` driver: the installation's outbound client behind the engine's port.

use futures_util::future::BoxFuture;
use http::{Request, Response};
use pierhead_egress::{CallLimits, Egress, EgressError};

use super::{CallTimes, Outbound, OutboundProblem};
use crate::engine::Body;

impl Outbound for Egress {
    fn send(
        &self,
        request: Request<Body>,
        times: CallTimes,
    ) -> BoxFuture<'_, Result<Response<Body>, OutboundProblem>> {
        let CallTimes { connect, first_byte, idle } = times;
        let limits = CallLimits { connect, first_byte, idle, ..CallLimits::default() };
        Box::pin(async move { Egress::send(self, request, limits).await.map_err(|error| problem(&error)) })
    }
}

fn problem(error: &EgressError) -> OutboundProblem {
    let text = error.to_string();
    match error {
        EgressError::BadUrl { .. } | EgressError::Refused { .. } => OutboundProblem::Refused(text),
        error if error.is_timeout() => OutboundProblem::TimedOut(text),
        error if error.may_have_been_sent() => OutboundProblem::Broken(text),
        _ => OutboundProblem::Unreachable(text),
    }
}
