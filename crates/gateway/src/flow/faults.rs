//! The error state: fault rules and the answer (api-management §4.1).

use http::StatusCode;

use super::run_steps;
use crate::compile::{FaultRulePlan, FlowsPlan};
use crate::exchange::{ErrorState, Exchange, Message, Segment};
use crate::fault::Fault;

/// The fault of a target's answer whose status is not in `success.codes`.
pub(super) fn error_response(status: StatusCode) -> Fault {
    Fault::messaging(
        status,
        "messaging.adaptors.http.flow.ErrorResponseCode",
        format!("Received {} response from target", status.as_u16()),
    )
}

/// Runs the fault rules of the endpoint where `fault` happened; afterwards the response is final.
pub(super) async fn run(cx: &mut Exchange, fault: Fault) {
    let origin = cx.position.segment;
    enter(cx, fault, origin);
    let proxy = cx.route.proxy.clone();
    let of_target = cx.target.filter(|_| origin.is_of_target());
    let flows = match of_target {
        Some(target) => &proxy.targets[target].flows,
        None => &proxy.endpoints[cx.route.endpoint].flows,
    };
    let chosen = first_that_holds(cx, flows, of_target.is_some());
    let raised = match chosen {
        None => false,
        Some(rule) => run_rule(cx, rule, origin).await,
    };
    if let Some(rule) = &flows.default_fault_rule {
        let wanted = chosen.is_none() || (rule.always_enforce && !raised);
        if wanted && cx.asks(rule.condition.as_ref(), || "default fault rule".to_owned()) {
            run_rule(cx, rule, origin).await;
        }
    }
    let answer = cx.error.as_ref().map(|error| error.message.clone());
    cx.response = answer;
}

/// In a proxy endpoint the rules are tried from the last to the first, in a target endpoint from the first.
fn first_that_holds<'p>(cx: &Exchange, flows: &'p FlowsPlan, of_target: bool) -> Option<&'p FaultRulePlan> {
    let holds =
        |rule: &&FaultRulePlan| cx.asks(rule.condition.as_ref(), || format!("fault rule {}", rule.name));
    if of_target { flows.fault_rules.iter().find(holds) } else { flows.fault_rules.iter().rev().find(holds) }
}

/// Runs the steps of a rule; says whether one of them raised a fault, which then replaces the first.
async fn run_rule(cx: &mut Exchange, rule: &FaultRulePlan, origin: Segment) -> bool {
    match run_steps(cx, &rule.steps).await {
        Ok(_) => false,
        Err(fault) => {
            enter(cx, fault, origin);
            true
        }
    }
}

/// Puts the exchange into the error state.
fn enter(cx: &mut Exchange, mut fault: Fault, origin: Segment) {
    let message = fault.take_answer().unwrap_or_else(|| fault.answer(cx.wants_xml()));
    if let Some(trace) = &cx.trace {
        trace.fault(cx, &fault);
    }
    cx.position.segment = Segment::Error;
    cx.error = Some(Box::new(ErrorState { fault, message, origin }));
}

impl Exchange {
    /// The target's answer has arrived; its body is where the message says.
    pub fn receive(&mut self, response: Message) {
        self.response = Some(response);
    }
}
