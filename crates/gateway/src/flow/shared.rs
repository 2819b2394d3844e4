//! Shared flows, called by a step or by a hook of the environment.

use http::StatusCode;

use super::run_steps;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::Next;
use crate::snapshot::HookPoint;
use crate::variable::Stored;

/// Shared flows that call each other deeper than this are stopped. Unsourced.
const MAX_NESTED: usize = 16;

/// Runs the steps of a shared flow of this request's snapshot.
pub(crate) async fn run_shared(cx: &mut Exchange, name: &str) -> Result<Next, Fault> {
    let internal =
        |code: &'static str, text: String| Fault::step(StatusCode::INTERNAL_SERVER_ERROR, code, text);
    let Some(flow) = cx.snapshot.shared_flow(name).cloned() else {
        let text = format!("There is no shared flow '{name}'");
        return Err(internal("steps.flowcallout.SharedFlowNotFound", text));
    };
    if cx.shared_flows.len() >= MAX_NESTED {
        let text = format!("Shared flow '{name}' is called from within {MAX_NESTED} others");
        return Err(internal("steps.flowcallout.TooManyNestedFlows", text));
    }
    cx.shared_flows.push(flow.clone());
    let ran = Box::pin(run_steps(cx, &flow.steps)).await;
    cx.shared_flows.pop();
    ran
}

/// Runs what the environment wants to run around every proxy here; nearly always nothing.
pub(super) async fn run_hook(cx: &mut Exchange, point: HookPoint) -> Result<Next, Fault> {
    let Some(hook) = cx.snapshot.flow_hook(point).cloned() else { return Ok(Next::Continue) };
    match Box::pin(run_shared(cx, &hook.shared_flow)).await {
        Err(fault) if hook.continue_on_error => {
            cx.variables.set(&super::FAULT_NAME, Stored::from(fault.name()));
            Ok(Next::Continue)
        }
        ran => ran,
    }
}

#[cfg(test)]
mod tests;
