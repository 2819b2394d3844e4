//! Going on behind a step of the response flows: what a cache did for the steps before it.

use super::{respond_to, run_steps, shared};
use crate::compile::{FlowPlan, FlowsPlan, StepPlan};
use crate::exchange::{Exchange, Part, Segment};
use crate::fault::Fault;
use crate::policy::Next;
use crate::snapshot::HookPoint;

/// Answers with the response that is there. The flows go on behind the step of the policy that found it; when
/// it has none that the flows would come to, all of the proxy's response flows run.
pub(super) async fn respond(cx: &mut Exchange) -> Result<(), Fault> {
    let Some(policy) = cx.traffic.resume_behind.take() else { return respond_to(cx).await };
    let proxy = cx.route.proxy.clone();
    let endpoint = &proxy.endpoints[cx.route.endpoint];
    // Conditions of flows are asked as in a response.
    cx.position.segment = Segment::ProxyResponse;
    if leads_to(cx, &endpoint.flows, &policy) {
        run_behind(cx, &endpoint.flows, Segment::ProxyResponse, &policy).await?;
        return shared::run_hook(cx, HookPoint::PostProxy).await.map(drop);
    }
    let target = cx.target.or_else(|| {
        let holds =
            |rule: &&crate::compile::RoutePlan| rule.condition.as_ref().is_none_or(|when| when.holds(cx));
        endpoint.routes.iter().find(holds)?.target
    });
    if let Some(target) = target
        && leads_to(cx, &proxy.targets[target].flows, &policy)
    {
        cx.target = Some(target);
        run_behind(cx, &proxy.targets[target].flows, Segment::TargetResponse, &policy).await?;
        shared::run_hook(cx, HookPoint::PostTarget).await?;
    } else {
        cx.target = None;
    }
    respond_to(cx).await
}

/// The parts of the response flows that would run now.
fn parts<'f>(cx: &Exchange, flows: &'f FlowsPlan) -> Vec<(Part, &'f [StepPlan])> {
    let holds = |flow: &FlowPlan| flow.condition.as_ref().is_none_or(|when| when.holds(cx));
    let chosen = flows.conditional.iter().position(holds);
    let mut parts = vec![(Part::Pre, flows.pre.steps(false))];
    parts.extend(chosen.map(|index| (Part::Conditional(index), flows.conditional[index].steps(false))));
    parts.push((Part::Post, flows.post.steps(false)));
    parts
}

fn position(steps: &[StepPlan], policy: &str) -> Option<usize> {
    steps.iter().position(|step| *step.policy.name == *policy)
}

fn leads_to(cx: &Exchange, flows: &FlowsPlan, policy: &str) -> bool {
    parts(cx, flows).iter().any(|(_, steps)| position(steps, policy).is_some())
}

async fn run_behind(
    cx: &mut Exchange,
    flows: &FlowsPlan,
    segment: Segment,
    policy: &str,
) -> Result<(), Fault> {
    let mut found = false;
    for (part, steps) in parts(cx, flows) {
        let steps = match position(steps, policy) {
            Some(at) if !found => &steps[at + 1..],
            _ if found => steps,
            _ => continue,
        };
        found = true;
        cx.enter(segment, part);
        if run_steps(cx, steps).await? == Next::Respond {
            break;
        }
    }
    Ok(())
}
