//! Flows of SAP's endpoints.

use pierhead_gateway::design::{EndpointFlows, FaultRule, Flow, Property, Step};

use super::super::Ledger;
use crate::read::DEFAULT_FAULT_FLOW;
use crate::xml::XmlWriter;

pub(super) fn write(x: &mut XmlWriter, flows: &EndpointFlows, path: &str, ledger: &mut Ledger) {
    x.open("faultRules", &[]);
    flows.fault_rules.iter().for_each(|rule| fault_rule(x, "faultRule", rule));
    x.close("faultRules");
    if let Some(rule) = &flows.default_fault_rule {
        fault_rule(x, "defaultFaultRule", rule);
    }
    x.open("preFlow", &[]);
    x.leaf("name", "PreFlow");
    streams(x, &flows.pre);
    x.close("preFlow");
    x.open("postFlow", &[]);
    x.leaf("name", "PostFlow");
    streams(x, &flows.post);
    x.close("postFlow");
    if !flows.post_client.is_empty() {
        x.open("postClientFlow", &[]);
        x.leaf("name", "PostClientFlow");
        stream(x, "response", &flows.post_client);
        x.close("postClientFlow");
    }
    x.open("conditionalFlows", &[]);
    for (index, flow) in flows.conditional.iter().enumerate() {
        x.open("conditionalFlow", &[]);
        x.leaf("name", &flow.name);
        x.leaf("conditions", &flow.condition);
        streams(x, flow);
        x.leaf("readOnly", if flow.name == DEFAULT_FAULT_FLOW { "true" } else { "false" });
        x.leaf("sequence", &(index + 1).to_string());
        x.close("conditionalFlow");
    }
    x.close("conditionalFlows");
    let all = flows.conditional.iter().chain([&flows.pre, &flows.post]);
    if all.into_iter().any(|flow| !flow.description.is_empty()) {
        ledger.lose(path, "descriptions of endpoints and flows");
    }
    if flows.event.is_some() {
        ledger.lose(path, "EventFlow: SAP has no flow for single events");
    }
}

pub(super) fn properties(x: &mut XmlWriter, properties: &[Property]) {
    x.open("properties", &[]);
    for property in properties {
        x.open("property", &[]);
        x.leaf("name", &property.name);
        x.leaf("value", &property.value);
        x.close("property");
    }
    x.close("properties");
}

fn streams(x: &mut XmlWriter, flow: &Flow) {
    for (element, list) in [("request", &flow.request), ("response", &flow.response)] {
        if !list.is_empty() {
            stream(x, element, list);
        }
    }
}

fn stream(x: &mut XmlWriter, element: &str, list: &[Step]) {
    x.open(element, &[]);
    x.leaf("isRequest", if element == "request" { "true" } else { "false" });
    steps(x, list);
    x.close(element);
}

fn steps(x: &mut XmlWriter, steps: &[Step]) {
    x.open("steps", &[]);
    for (index, step) in steps.iter().enumerate() {
        x.open("step", &[]);
        x.leaf("policy_name", &step.policy);
        x.leaf("condition", &step.condition);
        x.leaf("sequence", &(index + 1).to_string());
        x.close("step");
    }
    x.close("steps");
}

fn fault_rule(x: &mut XmlWriter, element: &str, rule: &FaultRule) {
    x.open(element, &[]);
    x.leaf("name", &rule.name);
    x.some_leaf("condition", &rule.condition);
    if rule.always_enforce {
        x.leaf("alwaysEnforce", "true");
    }
    steps(x, &rule.steps);
    x.close(element);
}
