//! `RaiseFault`: puts the exchange into the error state with an answer of its own (api-management §9.5).

use std::sync::Arc;

use http::StatusCode;

use crate::exchange::{Exchange, Message};
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::edits::{EditProblem, Edits, MessageRef};
use crate::policy::{Compiled, Policy, PolicyRun};
use crate::template::RenderProblem;

/// Raises a fault whatever happens.
///
/// Faults: `steps.raisefault.RaiseFault` 500 unless `FaultResponse` sets another status;
/// `steps.raisefault.UnresolvedVariable`, `steps.raisefault.VariableOfNonMsgType` and
/// `steps.raisefault.SetVariableFailed` 500 when the response cannot be made.
#[derive(Debug)]
pub(super) struct RaiseFault {
    name: Arc<str>,
    /// `None` without a `FaultResponse`: the stock answer goes out.
    response: Option<Edits>,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["FaultResponse", "IgnoreUnresolvedVariables", "ShortFaultReason", "AssignTo"]);
    // What was an AssignMessage once; the originals read it over.
    if let Some(left) = policy.root.child("AssignTo") {
        policy.warning(left, "WithoutEffect", "AssignTo has no effect: a fault makes its own answer");
    }
    // What the fault line of the original's log shows; there is no other effect to have.
    policy.flag_child(policy.root, "ShortFaultReason", false);
    let lenient = policy.flag_child(policy.root, "IgnoreUnresolvedVariables", true);
    let response = policy.root.child("FaultResponse").map(|element| {
        policy.only(element, &[], &[Edits::ELEMENTS, &["AssignTo"]].concat());
        Edits::read(policy, element, BEING_MADE, lenient)
    });
    Some(Box::new(RaiseFault { name: policy.name.clone(), response }))
}

/// Name of the answer while it is made; no policy can write it.
const BEING_MADE: &str = "~fault";

impl Policy for RaiseFault {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        let raised = Fault::step(
            StatusCode::INTERNAL_SERVER_ERROR,
            "steps.raisefault.RaiseFault",
            format!("Raising fault. Fault name : {}", self.name),
        );
        PolicyRun::Done(Err(match &self.response {
            None => raised,
            Some(edits) => match answer(cx, edits) {
                Ok(answer) => raised.with_answer(answer),
                Err(problem) => self.fault(&problem),
            },
        }))
    }
}

fn answer(cx: &mut Exchange, edits: &Edits) -> Result<Message, EditProblem> {
    let mut blank = Message::empty_response();
    if let Some(head) = blank.as_response_mut() {
        head.status = StatusCode::INTERNAL_SERVER_ERROR;
    }
    let name: Arc<str> = BEING_MADE.into();
    cx.variables.set_message(&name, blank);
    let made = edits.apply(cx, &MessageRef(name.clone()));
    let answer = cx.variables.take_message(&name).unwrap_or_else(Message::empty_response);
    made.map(|()| answer)
}

impl RaiseFault {
    fn fault(&self, problem: &EditProblem) -> Fault {
        let code = match problem {
            EditProblem::Template(RenderProblem::Unresolved(_)) => "steps.raisefault.UnresolvedVariable",
            EditProblem::NotAMessage(_) => "steps.raisefault.VariableOfNonMsgType",
            EditProblem::NotSet { .. } | EditProblem::Template(RenderProblem::TooLong) => {
                "steps.raisefault.SetVariableFailed"
            }
        };
        Fault::internal(code, format!("RaiseFault[{}]: {problem}", self.name))
    }
}

#[cfg(test)]
mod tests;
