//! Conditions that never hold.

use pierhead_gateway::condition::Condition;

use crate::view::View;
use crate::{Finding, Severity};

pub(super) fn check(view: &View<'_>, findings: &mut Vec<Finding>) {
    for step in &view.steps {
        // One that does not parse was reported by compiling.
        let parsed = |text: &str| Condition::parse(text).ok().flatten();
        let (own, around) = (parsed(&step.condition), parsed(&step.around));
        if around.as_ref().is_some_and(Condition::never_holds) {
            let message =
                format!("the condition of {} never holds: step '{}' never runs", step.flow, step.policy);
            findings.push(step.finding(Severity::Warning, "NeverHolds", message));
            continue;
        }
        let Some(own) = own else { continue };
        if own.never_holds() {
            let message = format!("step '{}': the condition never holds: {}", step.policy, step.condition);
            findings.push(step.finding(Severity::Warning, "NeverHolds", message));
        } else if around.is_some_and(|around| own.never_holds_within(&around)) {
            let message = format!(
                "step '{}': the condition never holds where {} runs: {}",
                step.policy, step.flow, step.condition
            );
            findings.push(step.finding(Severity::Warning, "NeverHolds", message));
        }
    }
}
