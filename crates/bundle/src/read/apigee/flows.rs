//! Flows of Apigee's endpoints.

use pierhead_gateway::design::{EndpointFlows, EventFlow, FaultRule, Flow, Step};

use super::super::shelf::Shelf;
use crate::Severity;
use crate::source::Marks;
use crate::xml::Node;

/// The elements of an endpoint that are read here, and its description.
pub(super) const KNOWN: &[&str] = &[
    "Description",
    "PreFlow",
    "Flows",
    "PostFlow",
    "PostClientFlow",
    "FaultRules",
    "DefaultFaultRule",
    "EventFlow",
];

pub(super) fn flows(shelf: &mut Shelf<'_>, path: &str, root: &Node, marks: &mut Marks) -> EndpointFlows {
    // In the order of `steps_of`: the lines are noted as steps are met.
    let pre = flow(shelf, path, root.child("PreFlow"), "PreFlow", marks);
    let mut conditional = Vec::new();
    for node in root.children_named("Flows").flat_map(|list| list.children_named("Flow")) {
        marks.conditional.push(node.line);
        conditional.push(flow(shelf, path, Some(node), node.attribute("name").unwrap_or_default(), marks));
    }
    let post = flow(shelf, path, root.child("PostFlow"), "PostFlow", marks);
    let mut flows = EndpointFlows { pre, conditional, post, ..EndpointFlows::default() };
    if let Some(node) = root.child("PostClientFlow") {
        shelf.only(path, node, &["Response", "Description"]);
        flows.post_client = steps(shelf, path, node.child("Response"), marks);
    }
    if let Some(node) = root.child("EventFlow") {
        shelf.only(path, node, &["Response", "Description"]);
        flows.event = Some(EventFlow {
            name: node.attribute("name").unwrap_or_default().to_owned(),
            content_type: node.attribute("content-type").unwrap_or_default().to_owned(),
            response: steps(shelf, path, node.child("Response"), marks),
        });
    }
    for node in root.children_named("FaultRules").flat_map(|list| list.children_named("FaultRule")) {
        flows.fault_rules.push(fault_rule(shelf, path, node, marks));
    }
    flows.default_fault_rule =
        root.child("DefaultFaultRule").map(|node| fault_rule(shelf, path, node, marks));
    flows
}

fn flow(shelf: &mut Shelf<'_>, path: &str, node: Option<&Node>, name: &str, marks: &mut Marks) -> Flow {
    let Some(node) = node else { return Flow { name: name.to_owned(), ..Flow::default() } };
    shelf.only(path, node, &["Description", "Condition", "Request", "Response"]);
    Flow {
        name: name.to_owned(),
        description: node.text_of("Description").to_owned(),
        condition: node.text_of("Condition").to_owned(),
        request: steps(shelf, path, node.child("Request"), marks),
        response: steps(shelf, path, node.child("Response"), marks),
    }
}

fn fault_rule(shelf: &mut Shelf<'_>, path: &str, node: &Node, marks: &mut Marks) -> FaultRule {
    shelf.only(path, node, &["Condition", "Step", "AlwaysEnforce", "Description"]);
    marks.fault_rules.push(node.line);
    FaultRule {
        name: node.attribute("name").unwrap_or_default().to_owned(),
        condition: node.text_of("Condition").to_owned(),
        always_enforce: shelf.flag(path, node.child("AlwaysEnforce"), false),
        steps: steps(shelf, path, Some(node), marks),
    }
}

/// The steps directly in `node`.
pub(super) fn steps(shelf: &mut Shelf<'_>, path: &str, node: Option<&Node>, marks: &mut Marks) -> Vec<Step> {
    let mut steps = Vec::new();
    for step in node.into_iter().flat_map(|node| node.children_named("Step")) {
        let policy = step.text_of("Name");
        if policy.is_empty() {
            shelf.note(Severity::Error, "StepWithoutName", (path, step.line), "a step names no policy");
            continue;
        }
        if let Some(rules) = step.child("FaultRules").filter(|rules| !rules.is_blank()) {
            let message = format!("fault rules of step '{policy}' are obsolete and never run");
            shelf.note(Severity::Warning, "FaultRulesOfStep", (path, rules.line), message);
        }
        shelf.only(path, step, &["Name", "Condition", "FaultRules", "Description"]);
        if let Some(second) = step.children_named("Condition").nth(1) {
            let message = format!("step '{policy}' has two conditions; the first one counts");
            shelf.note(Severity::Warning, "RepeatedElement", (path, second.line), message);
        }
        marks.steps.push(step.line);
        steps.push(Step { policy: policy.to_owned(), condition: step.text_of("Condition").to_owned() });
    }
    steps
}
