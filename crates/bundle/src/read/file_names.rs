//! Steps that name the file of a policy instead of the policy (Unsourced: that the originals look there; public
//! bundles that were deployed do it).

use pierhead_gateway::design::{EndpointFlows, Step};

use super::shelf::{Shelf, stem};
use crate::Severity;

/// Gives such steps the policy's own name, and says so.
pub(super) fn resolve<'s>(shelf: &mut Shelf<'_>, steps: impl Iterator<Item = &'s mut Step>) {
    let known = shelf.sources.policies.clone();
    for step in steps.filter(|step| !known.contains_key(&step.policy)) {
        let is_file =
            |file: &str| stem(file) == step.policy || file.rsplit('/').next() == Some(&*step.policy);
        let Some((name, file)) = known.iter().find(|(_, file)| is_file(file)) else { continue };
        let message = format!("step '{}' names the file {file}; its policy is '{name}'", step.policy);
        step.policy.clone_from(name);
        shelf.note(Severity::Warning, "StepNamesFile", ("", 0), message);
    }
}

/// Every step of an endpoint.
pub(super) fn steps(flows: &mut EndpointFlows) -> impl Iterator<Item = &mut Step> {
    let EndpointFlows { pre, conditional, post, post_client, fault_rules, default_fault_rule, event } = flows;
    let own = [pre, post].into_iter().chain(conditional);
    own.flat_map(|flow| flow.request.iter_mut().chain(&mut flow.response))
        .chain(post_client)
        .chain(fault_rules.iter_mut().chain(default_fault_rule).flat_map(|rule| &mut rule.steps))
        .chain(event.iter_mut().flat_map(|event| &mut event.response))
}
