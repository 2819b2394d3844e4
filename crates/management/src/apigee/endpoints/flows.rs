//! Flows and fault rules of an endpoint as Apigee's API shows and takes them.

use pierhead_gateway::design::{EndpointFlows, FaultRule, Flow, Step};
use serde_json::{Map, Value, json};

use super::given::{flag, list, object, text};

/// The flows of an endpoint, as its fields.
pub(super) fn flows_shown(flows: &EndpointFlows) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("preFlow".into(), flow_shown("PreFlow", &flows.pre));
    shown.insert("flows".into(), flows.conditional.iter().map(|flow| flow_shown(&flow.name, flow)).collect());
    shown.insert("postFlow".into(), flow_shown("PostFlow", &flows.post));
    shown.insert(
        "postClientFlow".into(),
        json!({"name": "PostClientFlow", "response": steps_shown(&flows.post_client)}),
    );
    shown.insert("faultRules".into(), flows.fault_rules.iter().map(rule_shown).collect());
    if let Some(rule) = &flows.default_fault_rule {
        let mut rule_shown = rule_shown(rule);
        rule_shown["alwaysEnforce"] = rule.always_enforce.into();
        shown.insert("defaultFaultRule".into(), rule_shown);
    }
    if let Some(event) = &flows.event {
        let event = json!({"name": event.name, "contentType": event.content_type, "response": steps_shown(&event.response)});
        shown.insert("eventFlow".into(), event);
    }
    shown
}

fn flow_shown(name: &str, flow: &Flow) -> Value {
    json!({
        "name": name, "description": flow.description, "condition": flow.condition,
        "request": steps_shown(&flow.request), "response": steps_shown(&flow.response),
    })
}

/// `{"children": [{"step": {"name", "condition"}}]}`.
pub(in crate::apigee) fn steps_shown(steps: &[Step]) -> Value {
    let children: Vec<Value> = steps
        .iter()
        .map(|step| match step.condition.as_str() {
            "" => json!({"step": {"name": step.policy}}),
            condition => json!({"step": {"name": step.policy, "condition": condition}}),
        })
        .collect();
    json!({"children": children})
}

fn rule_shown(rule: &FaultRule) -> Value {
    json!({"name": rule.name, "condition": rule.condition, "children": steps_shown(&rule.steps)["children"]})
}

/// Changes the flows that the body names.
pub(super) fn change_flows(flows: &mut EndpointFlows, body: &Value) -> Result<(), String> {
    for (name, old) in [("preFlow", &mut flows.pre), ("postFlow", &mut flows.post)] {
        if let Some(given) = object(body, name)? {
            let name = if name == "preFlow" { "PreFlow" } else { "PostFlow" };
            *old = Flow { name: name.into(), condition: String::new(), ..flow(given)? };
        }
    }
    if let Some(given) = object(body, "postClientFlow")? {
        flows.post_client = steps(&given["response"])?;
    }
    if let Some(given) = object(body, "eventFlow")? {
        let event = flows.event.get_or_insert_default();
        event.response = steps(&given["response"])?;
        if let Some(name) = text(given, "name")? {
            event.name = name;
        }
        if let Some(content_type) = text(given, "contentType")? {
            event.content_type = content_type;
        }
    }
    if let Some(given) = list(body, "flows")? {
        flows.conditional = given.iter().map(flow).collect::<Result<_, _>>()?;
        if flows.conditional.iter().any(|flow| flow.name.is_empty()) {
            return Err("flows: each must have a name".into());
        }
    }
    if let Some(given) = list(body, "faultRules")? {
        flows.fault_rules = given.iter().map(fault_rule).collect::<Result<_, _>>()?;
    }
    match body.get("defaultFaultRule") {
        None => {}
        Some(Value::Null) => flows.default_fault_rule = None,
        Some(given) => flows.default_fault_rule = Some(fault_rule(given)?),
    }
    Ok(())
}

fn flow(given: &Value) -> Result<Flow, String> {
    Ok(Flow {
        name: text(given, "name")?.unwrap_or_default(),
        description: text(given, "description")?.unwrap_or_default(),
        condition: text(given, "condition")?.unwrap_or_default(),
        request: steps(&given["request"])?,
        response: steps(&given["response"])?,
    })
}

/// The steps of `{"children": [{"step": {"name", "condition"}}]}`.
pub(in crate::apigee) fn steps(given: &Value) -> Result<Vec<Step>, String> {
    let Some(children) = list(given, "children")? else { return Ok(Vec::new()) };
    let step = |child: &Value| {
        let step = &child["step"];
        let policy = text(step, "name")?.filter(|name| !name.is_empty());
        let policy = policy.ok_or("children: each must be {\"step\": {\"name\", \"condition\"}}")?;
        Ok(Step { policy, condition: text(step, "condition")?.unwrap_or_default() })
    };
    children.iter().map(step).collect()
}

fn fault_rule(given: &Value) -> Result<FaultRule, String> {
    Ok(FaultRule {
        name: text(given, "name")?.unwrap_or_default(),
        condition: text(given, "condition")?.unwrap_or_default(),
        always_enforce: flag(given, "alwaysEnforce")?.unwrap_or(false),
        steps: steps(given)?,
    })
}
