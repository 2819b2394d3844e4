//! `/instances[/{id}]/enabled` and `/instances[/{id}]/trace-logging` (open-connectors §8.2). Each answers
//! the instance as it is now.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use pierhead_store::connectors::InstanceChange;
use serde::Deserialize;

use super::extract::{HubJson, Target};
use super::instance::show;
use super::wire::Instance;
use crate::hub::{Hub, HubProblem};

/// Tracing that nobody ended ends by itself after a day at most.
const LONGEST_TRACE_MINUTES: u64 = 24 * 60;

/// `TraceLoggingConfig` of appendix B. Unsourced: the unit; we take minutes.
#[derive(Deserialize)]
pub(super) struct TraceAsk {
    #[serde(default = "an_hour")]
    duration: u64,
}

impl Default for TraceAsk {
    fn default() -> Self {
        Self { duration: an_hour() }
    }
}

fn an_hour() -> u64 {
    60
}

/// `PUT …/enabled`.
pub(super) async fn enable(target: Target, State(hub): State<Hub>) -> Result<Json<Instance>, HubProblem> {
    set(&hub, &target, InstanceChange { disabled: Some(false), ..InstanceChange::default() }).await
}

/// `DELETE …/enabled`: hub calls answer 403 from now on.
pub(super) async fn disable(target: Target, State(hub): State<Hub>) -> Result<Json<Instance>, HubProblem> {
    set(&hub, &target, InstanceChange { disabled: Some(true), ..InstanceChange::default() }).await
}

/// `PUT …/trace-logging` with `{"duration"}`.
pub(super) async fn trace(
    target: Target,
    State(hub): State<Hub>,
    HubJson(ask): HubJson<TraceAsk>,
) -> Result<Json<Instance>, HubProblem> {
    if !(1..=LONGEST_TRACE_MINUTES).contains(&ask.duration) {
        let message = format!("duration must be from 1 to {LONGEST_TRACE_MINUTES} minutes");
        return Err(HubProblem::Bad(message));
    }
    let until = hub.clock.now().plus(Duration::from_secs(ask.duration * 60));
    set(&hub, &target, InstanceChange { trace_until: Some(Some(until)), ..InstanceChange::default() }).await
}

/// `DELETE …/trace-logging`.
pub(super) async fn untrace(target: Target, State(hub): State<Hub>) -> Result<Json<Instance>, HubProblem> {
    set(&hub, &target, InstanceChange { trace_until: Some(None), ..InstanceChange::default() }).await
}

async fn set(hub: &Hub, target: &Target, change: InstanceChange) -> Result<Json<Instance>, HubProblem> {
    hub.flag_instance(&target.caller, target.id, change).await?;
    show(hub, &target.caller, target.id).await
}
