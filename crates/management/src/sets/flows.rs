//! Flows, their two streams, the steps in them, and fault rules: parts of an endpoint's design.

use pierhead_gateway::design::{EndpointFlows, FaultRule, Flow, Step};
use serde_json::json;

use crate::odata::{Entity, EntitySet, Expand, Navigation, ODataError, Parsed, Property};

pub(crate) static FLOWS: EntitySet = EntitySet {
    name: "Flows",
    type_name: "Flow",
    title: "flow",
    properties: &[
        Property::key("id").up_to(2048),
        Property::text("name"),
        Property::text("description").up_to(4096),
        Property::text("conditions").up_to(64 * 1024),
        Property::number("sequence"),
    ],
    navigation: &[Navigation::one("request", "FlowStreams"), Navigation::one("response", "FlowStreams")],
};

pub(crate) static STREAMS: EntitySet = EntitySet {
    name: "FlowStreams",
    type_name: "FlowStream",
    title: "stream",
    properties: &[Property::key("id").up_to(2048), Property::flag("isRequest")],
    navigation: &[Navigation::many("steps", "Steps")],
};

pub(crate) static STEPS: EntitySet = EntitySet {
    name: "Steps",
    type_name: "Step",
    title: "step",
    properties: &[
        Property::key("id").up_to(2048),
        Property::text("policy_name"),
        Property::text("condition").up_to(64 * 1024),
        Property::number("sequence"),
    ],
    navigation: &[],
};

pub(crate) static FAULT_RULES: EntitySet = EntitySet {
    name: "FaultRules",
    type_name: "FaultRule",
    title: "fault rule",
    properties: &[
        Property::key("id").up_to(2048),
        Property::text("name"),
        Property::text("condition").up_to(64 * 1024),
        Property::flag("alwaysEnforce"),
        Property::number("sequence"),
    ],
    navigation: &[Navigation::many("steps", "Steps")],
};

/// Adds what every kind of endpoint has to its entity.
pub(super) fn add_flows(entity: Entity, id: &str, flows: &EndpointFlows, expand: &Expand) -> Entity {
    let one = |part: &str, name: &str, flow: &Flow, below: &Expand| {
        let flow = Flow { name: name.into(), ..flow.clone() };
        vec![flow_entity(format!("{id}:{part}"), 1, &flow, below)]
    };
    entity
        .with(expand, "preFlow", |below| one("preFlow", "PreFlow", &flows.pre, below))
        .with(expand, "postFlow", |below| one("postFlow", "PostFlow", &flows.post, below))
        .with(expand, "conditionalFlows", |below| {
            let flow =
                |(at, flow)| flow_entity(format!("{id}:conditionalFlows:{}", at + 1), at + 1, flow, below);
            flows.conditional.iter().enumerate().map(flow).collect()
        })
        .with(expand, "faultRules", |below| {
            let rule = |(at, rule)| rule_entity(format!("{id}:faultRules:{}", at + 1), at + 1, rule, below);
            flows.fault_rules.iter().enumerate().map(rule).collect()
        })
        .with(expand, "defaultFaultRule", |below| {
            let rule = |rule| rule_entity(format!("{id}:defaultFaultRule"), 1, rule, below);
            flows.default_fault_rule.iter().map(rule).collect()
        })
}

fn flow_entity(id: String, sequence: usize, flow: &Flow, expand: &Expand) -> Entity {
    let stream = |direction: &str, steps: &[Step], below: &Expand| {
        let id = format!("{id}:{direction}");
        let entity = Entity::new(&STREAMS, json!({"id": id, "isRequest": direction == "request"}));
        vec![entity.with(below, "steps", |_| step_entities(&id, steps))]
    };
    let values = json!({
        "id": id, "name": flow.name, "description": flow.description, "conditions": flow.condition,
        "sequence": sequence,
    });
    Entity::new(&FLOWS, values).with(expand, "request", |below| stream("request", &flow.request, below)).with(
        expand,
        "response",
        |below| stream("response", &flow.response, below),
    )
}

fn rule_entity(id: String, sequence: usize, rule: &FaultRule, expand: &Expand) -> Entity {
    let values = json!({
        "id": id, "name": rule.name, "condition": rule.condition, "alwaysEnforce": rule.always_enforce,
        "sequence": sequence,
    });
    Entity::new(&FAULT_RULES, values).with(expand, "steps", |_| step_entities(&id, &rule.steps))
}

fn step_entities(id: &str, steps: &[Step]) -> Vec<Entity> {
    let step = |(at, step): (usize, &Step)| {
        let at = at + 1;
        let values = json!({
            "id": format!("{id}:{at}"), "policy_name": step.policy, "condition": step.condition, "sequence": at,
        });
        Entity::new(&STEPS, values)
    };
    steps.iter().enumerate().map(step).collect()
}

/// Puts the flows that a body of an endpoint holds in place of those it names; the others stay.
pub(super) fn read_flows(body: &Parsed, flows: &mut EndpointFlows) -> Result<(), ODataError> {
    if let Some(flow) = body.nested_one("preFlow") {
        flows.pre = read_flow(flow)?;
    }
    if let Some(flow) = body.nested_one("postFlow") {
        flows.post = read_flow(flow)?;
    }
    if let Some(conditional) = body.nested("conditionalFlows") {
        flows.conditional = in_sequence(conditional).map(read_flow).collect::<Result<_, _>>()?;
    }
    if let Some(rules) = body.nested("faultRules") {
        flows.fault_rules = in_sequence(rules).map(read_rule).collect::<Result<_, _>>()?;
    }
    if let Some(rules) = body.nested("defaultFaultRule") {
        flows.default_fault_rule = rules.first().map(read_rule).transpose()?;
    }
    Ok(())
}

fn read_flow(body: &Parsed) -> Result<Flow, ODataError> {
    let steps = |direction| body.nested_one(direction).map_or(Ok(Vec::new()), read_steps);
    Ok(Flow {
        name: body.text("name").unwrap_or_default().into(),
        description: body.text("description").unwrap_or_default().into(),
        condition: body.text("conditions").unwrap_or_default().into(),
        request: steps("request")?,
        response: steps("response")?,
    })
}

fn read_rule(body: &Parsed) -> Result<FaultRule, ODataError> {
    Ok(FaultRule {
        name: body.text("name").unwrap_or_default().into(),
        condition: body.text("condition").unwrap_or_default().into(),
        always_enforce: body.flag("alwaysEnforce").unwrap_or(false),
        steps: read_steps(body)?,
    })
}

fn read_steps(body: &Parsed) -> Result<Vec<Step>, ODataError> {
    let step = |step: &Parsed| {
        Ok(Step {
            policy: step.required("policy_name")?.into(),
            condition: step.text("condition").unwrap_or_default().into(),
        })
    };
    in_sequence(body.nested("steps").unwrap_or_default()).map(step).collect()
}

/// In the order of `sequence`; without one, in the order of the body (api-management §2.2).
pub(super) fn in_sequence(bodies: &[Parsed]) -> impl Iterator<Item = &Parsed> {
    let mut sorted: Vec<&Parsed> = bodies.iter().collect();
    sorted.sort_by_key(|body| body.number("sequence").unwrap_or(i64::MAX));
    sorted.into_iter()
}
