//! Endpoints as Apigee's API shows and takes them, in JSON (api-management §8.10, §3).
//!
//! What a change does not name stays as it is.

use pierhead_gateway::design::{
    Destination, EndpointFlows, FaultRule, Flow, ProxyEndpoint, RouteRule, Step, TargetEndpoint,
};
use serde_json::{Map, Value, json};

/// A proxy endpoint.
pub(super) fn proxy_shown(endpoint: &ProxyEndpoint) -> Value {
    let mut shown = flows_shown(&endpoint.flows);
    shown.insert("name".into(), endpoint.name.clone().into());
    shown.insert("description".into(), endpoint.description.clone().into());
    shown.insert("type".into(), "Proxy".into());
    shown.insert(
        "connection".into(),
        json!({
            "connectionType": "httpConnection", "basePath": endpoint.base_path, "virtualHost": endpoint.virtual_hosts,
        }),
    );
    shown.insert("routeRule".into(), endpoint.routes.iter().map(route_shown).collect());
    Value::Object(shown)
}

/// A target endpoint. `connection` says where its requests go: `uRL`, `loadBalancer`, `aPIProxy` and
/// `proxyEndpoint`, `path`, or what the original lacks, `provider` and `relativePath`.
pub(super) fn target_shown(endpoint: &TargetEndpoint) -> Value {
    let mut shown = flows_shown(&endpoint.flows);
    let connection = match &endpoint.destination {
        Destination::None => json!({"connectionType": "none"}),
        Destination::Url(url) => json!({"connectionType": "httpConnection", "uRL": url}),
        Destination::Provider { name, relative_path } => {
            json!({"connectionType": "httpConnection", "provider": name, "relativePath": relative_path})
        }
        Destination::Balanced(balancer) => {
            let servers: Vec<&str> = balancer.servers.iter().map(|server| server.name.as_str()).collect();
            let balancer =
                json!({"algorithm": balancer.algorithm, "servers": servers, "path": balancer.path});
            json!({"connectionType": "httpConnection", "loadBalancer": balancer})
        }
        Destination::LocalProxy { proxy, endpoint } => {
            json!({"connectionType": "localConnection", "aPIProxy": proxy, "proxyEndpoint": endpoint})
        }
        Destination::LocalPath(path) => json!({"connectionType": "localConnection", "path": path}),
        Destination::Foreign { kind, .. } => json!({"connectionType": kind}),
    };
    shown.insert("name".into(), endpoint.name.clone().into());
    shown.insert("description".into(), endpoint.description.clone().into());
    shown.insert("type".into(), "Target".into());
    shown.insert("connection".into(), connection);
    Value::Object(shown)
}

/// Changes a proxy endpoint; the error names the field and the rule.
pub(super) fn change_proxy(endpoint: &mut ProxyEndpoint, body: &Value) -> Result<(), String> {
    change_flows(&mut endpoint.flows, body)?;
    if let Some(description) = text(body, "description")? {
        endpoint.description = description;
    }
    if let Some(path) = text(&body["connection"], "basePath")? {
        endpoint.base_path = crate::sets::endpoints::base_path(&path).map_err(|why| why.to_string())?;
    }
    if let Some(hosts) = list(&body["connection"], "virtualHost")? {
        let name = |host: &Value| host.as_str().map(str::to_owned);
        let hosts: Option<Vec<String>> = hosts.iter().map(name).collect();
        endpoint.virtual_hosts = hosts.ok_or("connection.virtualHost must be a list of names")?;
    }
    if let Some(routes) = list(body, "routeRule")? {
        endpoint.routes = routes.iter().map(route).collect::<Result<_, _>>()?;
    }
    Ok(())
}

/// Changes a target endpoint. Of its connection only `uRL` can be set; the rest comes with a bundle.
pub(super) fn change_target(endpoint: &mut TargetEndpoint, body: &Value) -> Result<(), String> {
    change_flows(&mut endpoint.flows, body)?;
    if let Some(description) = text(body, "description")? {
        endpoint.description = description;
    }
    if let Some(url) = text(&body["connection"], "uRL")? {
        endpoint.destination = Destination::Url(url);
    }
    Ok(())
}

fn flows_shown(flows: &EndpointFlows) -> Map<String, Value> {
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

fn steps_shown(steps: &[Step]) -> Value {
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

fn route_shown(route: &RouteRule) -> Value {
    json!({
        "name": route.name, "condition": route.condition, "targetEndpoint": route.target, "uRL": route.url,
        "empty": route.target.is_none() && route.url.is_none(),
    })
}

fn change_flows(flows: &mut EndpointFlows, body: &Value) -> Result<(), String> {
    for (name, old) in [("preFlow", &mut flows.pre), ("postFlow", &mut flows.post)] {
        if let Some(given) = object(body, name)? {
            let name = if name == "preFlow" { "PreFlow" } else { "PostFlow" };
            *old = Flow { name: name.into(), condition: String::new(), ..flow(given)? };
        }
    }
    if let Some(given) = object(body, "postClientFlow")? {
        flows.post_client = steps(&given["response"])?;
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

fn steps(given: &Value) -> Result<Vec<Step>, String> {
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
    let always_enforce = match &given["alwaysEnforce"] {
        Value::Null => false,
        Value::Bool(always) => *always,
        _ => return Err("alwaysEnforce must be true or false".into()),
    };
    Ok(FaultRule {
        name: text(given, "name")?.unwrap_or_default(),
        condition: text(given, "condition")?.unwrap_or_default(),
        always_enforce,
        steps: steps(given)?,
    })
}

fn route(given: &Value) -> Result<RouteRule, String> {
    let some = |name| text(given, name).map(|text| text.filter(|text| !text.is_empty()));
    Ok(RouteRule {
        name: text(given, "name")?.unwrap_or_default(),
        condition: text(given, "condition")?.unwrap_or_default(),
        target: some("targetEndpoint")?,
        url: some("uRL")?,
    })
}

fn text(body: &Value, name: &str) -> Result<Option<String>, String> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("{name} must be a text")),
    }
}

fn list<'b>(body: &'b Value, name: &str) -> Result<Option<&'b Vec<Value>>, String> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(_) => Err(format!("{name} must be a list")),
    }
}

fn object<'b>(body: &'b Value, name: &str) -> Result<Option<&'b Value>, String> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(given @ Value::Object(_)) => Ok(Some(given)),
        Some(_) => Err(format!("{name} must be an object")),
    }
}
