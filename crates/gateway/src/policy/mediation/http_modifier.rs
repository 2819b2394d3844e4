//! `HTTPModifier`: changes headers, parameters and first line of a message (api-management §9.5; Apigee).

use std::sync::Arc;

use super::assign_message::{Target, target};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::edits::{EditProblem, Edits};
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::template::RenderProblem;

/// What AssignMessage does, without copying, variables and payloads; in the order of the document.
///
/// Faults, all 500: `steps.httpmodifier.UnresolvedVariable`, `steps.httpmodifier.VariableOfNonMsgType`,
/// `steps.httpmodifier.SetVariableFailed`.
#[derive(Debug)]
struct HttpModifier {
    name: Arc<str>,
    target: Target,
    edits: Edits,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let root = policy.root;
    policy.only_in_root(&[], &["AssignTo", "IgnoreUnresolvedVariables", "Add", "Remove", "Set"]);
    let payloads = root.children.iter().filter(|child| child.name != "AssignTo");
    for payload in payloads.filter_map(|child| child.child("Payload")) {
        policy.problem(payload, "UnknownElement", "HTTPModifier changes no Payload; AssignMessage does");
    }
    let target = target(policy);
    let lenient = policy.flag_child(root, "IgnoreUnresolvedVariables", false);
    let edits = Edits::read(policy, root, &target.name(), lenient);
    Some(Box::new(HttpModifier { name: policy.name.clone(), target, edits }))
}

impl Policy for HttpModifier {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        let message = self.target.prepare(cx);
        let applied = self.edits.apply(cx, message);
        PolicyRun::Done(applied.map(|()| Next::Continue).map_err(|problem| self.fault(&problem)))
    }
}

impl HttpModifier {
    fn fault(&self, problem: &EditProblem) -> Fault {
        let code = match problem {
            EditProblem::Template(RenderProblem::Unresolved(_)) => "steps.httpmodifier.UnresolvedVariable",
            EditProblem::NotAMessage(_) => "steps.httpmodifier.VariableOfNonMsgType",
            EditProblem::NotSet { .. } | EditProblem::Template(RenderProblem::TooLong) => {
                "steps.httpmodifier.SetVariableFailed"
            }
        };
        Fault::internal(code, format!("HTTPModifier[{}]: {problem}", self.name))
    }
}

#[cfg(test)]
mod tests;
