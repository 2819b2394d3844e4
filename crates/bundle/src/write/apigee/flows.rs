//! Flows of Apigee's endpoints.

use pierhead_gateway::design::{EndpointFlows, FaultRule, Flow, Step};

use crate::xml::XmlWriter;

pub(super) fn write(x: &mut XmlWriter, flows: &EndpointFlows) {
    if !flows.fault_rules.is_empty() {
        x.open("FaultRules", &[]);
        flows.fault_rules.iter().for_each(|rule| fault_rule(x, "FaultRule", rule));
        x.close("FaultRules");
    }
    if let Some(rule) = &flows.default_fault_rule {
        fault_rule(x, "DefaultFaultRule", rule);
    }
    flow(x, "PreFlow", "PreFlow", &flows.pre);
    if flows.conditional.is_empty() {
        x.leaf("Flows", "");
    } else {
        x.open("Flows", &[]);
        flows.conditional.iter().for_each(|conditional| flow(x, "Flow", &conditional.name, conditional));
        x.close("Flows");
    }
    flow(x, "PostFlow", "PostFlow", &flows.post);
    if !flows.post_client.is_empty() {
        x.open("PostClientFlow", &[("name", "PostClientFlow")]);
        stream(x, "Response", &flows.post_client);
        x.close("PostClientFlow");
    }
    if let Some(event) = &flows.event {
        x.open("EventFlow", &[("name", &event.name), ("content-type", &event.content_type)]);
        stream(x, "Response", &event.response);
        x.close("EventFlow");
    }
}

fn flow(x: &mut XmlWriter, element: &str, name: &str, flow: &Flow) {
    x.open(element, &[("name", name)]);
    x.some_leaf("Description", &flow.description);
    stream(x, "Request", &flow.request);
    stream(x, "Response", &flow.response);
    x.some_leaf("Condition", &flow.condition);
    x.close(element);
}

fn stream(x: &mut XmlWriter, element: &str, list: &[Step]) {
    if list.is_empty() {
        return x.leaf(element, "");
    }
    x.open(element, &[]);
    steps(x, list);
    x.close(element);
}

pub(super) fn steps(x: &mut XmlWriter, steps: &[Step]) {
    for step in steps {
        x.open("Step", &[]);
        x.leaf("Name", &step.policy);
        x.some_leaf("Condition", &step.condition);
        x.close("Step");
    }
}

fn fault_rule(x: &mut XmlWriter, element: &str, rule: &FaultRule) {
    x.open(element, &[("name", &rule.name)]);
    x.some_leaf("Condition", &rule.condition);
    steps(x, &rule.steps);
    if rule.always_enforce {
        x.leaf("AlwaysEnforce", "true");
    }
    x.close(element);
}
