//! Policies and where they are attached.

use std::collections::BTreeMap;

use crate::source::Direction;
use crate::view::View;
use crate::{Finding, Severity};

/// Attached by the product to proxies it makes from an API description, and left behind in the others.
const MADE_BY_SAP: &str = "defaultRaiseFaultPolicy";

pub(super) fn check(view: &View<'_>, findings: &mut Vec<Finding>) {
    let attached = view.attached();
    for policy in &view.policies {
        let name = policy.text.name.as_str();
        if !attached.contains_key(name) {
            let severity = if name == MADE_BY_SAP { Severity::Info } else { Severity::Warning };
            let message = format!("no step names policy '{name}': it never runs");
            findings.push(policy.finding(severity, "UnattachedPolicy", policy.line(), message));
        }
    }
    quotas(view, &attached, findings);
    caches(view, findings);
    display_names(view, findings);
}

/// A quota that several steps name has one counter for all of them.
fn quotas(view: &View<'_>, attached: &BTreeMap<&str, usize>, findings: &mut Vec<Finding>) {
    let mut shared = BTreeMap::<String, &str>::new();
    for (policy, root) in view.of_kind("Quota") {
        let name = policy.text.name.as_str();
        if let Some(count @ 2..) = attached.get(name) {
            let message =
                format!("{count} steps name quota '{name}': a call that passes them counts {count} times");
            findings.push(policy.finding(Severity::Warning, "ReusedQuota", root.line, message));
        }
        let shared_name = root.text_of("SharedName");
        if !shared_name.is_empty()
            && let Some(first) = shared.insert(shared_name.to_owned(), name)
        {
            let message = format!("quota '{name}' shares the counter '{shared_name}' with quota '{first}'");
            findings.push(policy.finding(Severity::Info, "SharedQuotaCounter", root.line, message));
        }
    }
}

/// A response cache looks up in the request and stores in the response, once each.
fn caches(view: &View<'_>, findings: &mut Vec<Finding>) {
    for (policy, root) in view.of_kind("ResponseCache") {
        let times = |direction: Direction| {
            let named = |step: &&crate::view::StepView| {
                step.policy == policy.text.name && step.direction == direction
            };
            view.steps.iter().filter(named).count()
        };
        let (request, response) = (times(Direction::Request), times(Direction::Response));
        if (request, response) != (1, 1) && (request, response) != (0, 0) {
            let message = format!(
                "response cache '{}' belongs once into a request flow and once into a response flow; it is in {request} and {response}",
                policy.text.name
            );
            findings.push(policy.finding(Severity::Warning, "ResponseCachePlacement", root.line, message));
        }
    }
}

fn display_names(view: &View<'_>, findings: &mut Vec<Finding>) {
    let mut seen = BTreeMap::<&str, &str>::new();
    for policy in &view.policies {
        let Some(node) = policy.root.as_ref().and_then(|root| root.child("DisplayName")) else { continue };
        if node.text().is_empty() {
            continue;
        }
        if let Some(first) = seen.insert(node.text(), &policy.text.name) {
            let message = format!("policy '{first}' has the display name '{}' too", node.text());
            findings.push(policy.finding(Severity::Warning, "DuplicateDisplayName", node.line, message));
        }
    }
}
