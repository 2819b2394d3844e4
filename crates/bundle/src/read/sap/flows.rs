//! Flows of SAP's endpoints. Order is what `<sequence>` says, not the document; the direction of a stream is
//! its element's name, never `<isRequest>`, which exporters get wrong.

use pierhead_gateway::design::{EndpointFlows, FaultRule, Flow, Property, Step};

use super::super::shelf::Shelf;
use crate::Severity;
use crate::source::Marks;
use crate::xml::Node;

/// The flow that proxies made from an API description end with.
pub(crate) const DEFAULT_FAULT_FLOW: &str = "DefaultFaultFlow";

/// The elements of an endpoint that are read here.
pub(super) const KNOWN: &[&str] =
    &["preFlow", "conditionalFlows", "postFlow", "postClientFlow", "faultRules", "defaultFaultRule"];

pub(super) fn flows(shelf: &mut Shelf<'_>, path: &str, root: &Node, marks: &mut Marks) -> EndpointFlows {
    // In the order of `steps_of`: the lines are noted as steps are met.
    let pre = flow(shelf, path, root.child("preFlow"), "PreFlow", marks);
    let nodes =
        root.children_named("conditionalFlows").flat_map(|list| list.children_named("conditionalFlow"));
    let mut nodes = in_sequence(shelf, path, nodes.collect());
    let is_last = |node: &&Node| node.text_of("name") == DEFAULT_FAULT_FLOW;
    if let Some(at) = nodes.iter().position(is_last)
        && at + 1 != nodes.len()
    {
        let node = nodes.remove(at);
        let message = format!("{DEFAULT_FAULT_FLOW} catches what no other flow took and is moved to the end");
        shelf.note(Severity::Info, "FlowMoved", (path, node.line), message);
        nodes.push(node);
    }
    let mut conditional = Vec::new();
    for node in nodes {
        marks.conditional.push(node.line);
        conditional.push(flow(shelf, path, Some(node), node.text_of("name"), marks));
    }
    let post = flow(shelf, path, root.child("postFlow"), "PostFlow", marks);
    let mut flows = EndpointFlows { pre, conditional, post, ..EndpointFlows::default() };
    if let Some(node) = root.child("postClientFlow") {
        shelf.only(path, node, &["name", "response"]);
        flows.post_client = stream(shelf, path, node.child("response"), marks);
    }
    for node in root.children_named("faultRules").flat_map(|list| list.children_named("faultRule")) {
        flows.fault_rules.push(fault_rule(shelf, path, node, marks));
    }
    flows.default_fault_rule = root
        .child("defaultFaultRule")
        .filter(|node| !node.is_blank())
        .map(|node| fault_rule(shelf, path, node, marks));
    flows
}

/// Elements by their `<sequence>`; those without one keep their place in the document.
pub(super) fn in_sequence<'n>(shelf: &mut Shelf<'_>, path: &str, nodes: Vec<&'n Node>) -> Vec<&'n Node> {
    let mut placed: Vec<(i64, &Node)> = nodes
        .into_iter()
        .enumerate()
        .map(|(index, node)| {
            let at = i64::try_from(index).unwrap_or(i64::MAX).saturating_add(1);
            (shelf.number(path, node.child("sequence")).unwrap_or(at), node)
        })
        .collect();
    placed.sort_by_key(|(sequence, _)| *sequence);
    placed.into_iter().map(|(_, node)| node).collect()
}

/// `properties/property`.
pub(super) fn properties(root: &Node) -> Vec<Property> {
    let all = root.children_named("properties").flat_map(|list| list.children_named("property"));
    all.map(|property| Property {
        name: property.text_of("name").to_owned(),
        value: property.text_of("value").to_owned(),
    })
    .collect()
}

fn flow(shelf: &mut Shelf<'_>, path: &str, node: Option<&Node>, name: &str, marks: &mut Marks) -> Flow {
    let Some(node) = node else { return Flow { name: name.to_owned(), ..Flow::default() } };
    shelf.only(path, node, &["name", "conditions", "request", "response", "readOnly", "sequence"]);
    Flow {
        name: name.to_owned(),
        description: String::new(),
        condition: node.text_of("conditions").to_owned(),
        request: stream(shelf, path, node.child("request"), marks),
        response: stream(shelf, path, node.child("response"), marks),
    }
}

/// The steps of a `request` or `response`.
fn stream(shelf: &mut Shelf<'_>, path: &str, node: Option<&Node>, marks: &mut Marks) -> Vec<Step> {
    let Some(node) = node else { return Vec::new() };
    shelf.only(path, node, &["isRequest", "steps"]);
    steps(shelf, path, node, marks)
}

fn steps(shelf: &mut Shelf<'_>, path: &str, node: &Node, marks: &mut Marks) -> Vec<Step> {
    let nodes = node.children_named("steps").flat_map(|list| list.children_named("step")).collect();
    let mut steps = Vec::new();
    for step in in_sequence(shelf, path, nodes) {
        shelf.only(path, step, &["policy_name", "condition", "sequence"]);
        let policy = step.text_of("policy_name");
        if policy.is_empty() {
            shelf.note(Severity::Error, "StepWithoutName", (path, step.line), "a step names no policy");
            continue;
        }
        marks.steps.push(step.line);
        steps.push(Step { policy: policy.to_owned(), condition: step.text_of("condition").to_owned() });
    }
    steps
}

fn fault_rule(shelf: &mut Shelf<'_>, path: &str, node: &Node, marks: &mut Marks) -> FaultRule {
    shelf.only(path, node, &["name", "condition", "conditions", "alwaysEnforce", "steps", "sequence"]);
    marks.fault_rules.push(node.line);
    let condition = match node.text_of("condition") {
        "" => node.text_of("conditions"),
        condition => condition,
    };
    FaultRule {
        name: node.text_of("name").to_owned(),
        condition: condition.to_owned(),
        always_enforce: shelf.flag(path, node.child("alwaysEnforce"), false),
        steps: steps(shelf, path, node, marks),
    }
}
