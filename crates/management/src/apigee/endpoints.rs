//! Endpoints as Apigee's API shows and takes them, in JSON (api-management §8.10, §3).
//!
//! What a change does not name stays as it is.

mod connection;
mod flows;
mod given;

use pierhead_gateway::design::{Property, ProxyEndpoint, RouteRule, TargetEndpoint};
use serde_json::{Value, json};

use given::{list, text};

pub(super) use flows::{steps, steps_shown};

/// A proxy endpoint.
pub(super) fn proxy_shown(endpoint: &ProxyEndpoint) -> Value {
    let mut shown = flows::flows_shown(&endpoint.flows);
    shown.insert("name".into(), endpoint.name.clone().into());
    shown.insert("description".into(), endpoint.description.clone().into());
    shown.insert("type".into(), "Proxy".into());
    shown.insert(
        "connection".into(),
        json!({
            "connectionType": "httpConnection", "basePath": endpoint.base_path, "virtualHost": endpoint.virtual_hosts,
            "properties": properties_shown(&endpoint.properties),
        }),
    );
    shown.insert("routeRule".into(), endpoint.routes.iter().map(route_shown).collect());
    Value::Object(shown)
}

/// A target endpoint. `connection` says where its requests go and has the properties of the endpoint.
pub(super) fn target_shown(endpoint: &TargetEndpoint) -> Value {
    let mut shown = flows::flows_shown(&endpoint.flows);
    let mut connection = connection::shown(&endpoint.destination);
    connection["properties"] = properties_shown(&endpoint.properties);
    shown.insert("name".into(), endpoint.name.clone().into());
    shown.insert("description".into(), endpoint.description.clone().into());
    shown.insert("type".into(), "Target".into());
    shown.insert("connection".into(), connection);
    Value::Object(shown)
}

/// Changes a proxy endpoint; the error names the field and the rule.
pub(super) fn change_proxy(endpoint: &mut ProxyEndpoint, body: &Value) -> Result<(), String> {
    flows::change_flows(&mut endpoint.flows, body)?;
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
    change_properties(&mut endpoint.properties, &body["connection"])?;
    if let Some(routes) = list(body, "routeRule")? {
        endpoint.routes = routes.iter().map(route).collect::<Result<_, _>>()?;
    }
    Ok(())
}

/// Changes a target endpoint. TLS and what a load balancer does with failures come with a bundle and stay.
pub(super) fn change_target(endpoint: &mut TargetEndpoint, body: &Value) -> Result<(), String> {
    flows::change_flows(&mut endpoint.flows, body)?;
    if let Some(description) = text(body, "description")? {
        endpoint.description = description;
    }
    connection::change(&mut endpoint.destination, &body["connection"])?;
    change_properties(&mut endpoint.properties, &body["connection"])
}

/// `{"property": [{"name", "value"}]}`, as the original.
fn properties_shown(properties: &[Property]) -> Value {
    let all = properties.iter().map(|one| json!({"name": one.name, "value": one.value}));
    json!({"property": all.collect::<Value>()})
}

fn change_properties(properties: &mut Vec<Property>, connection: &Value) -> Result<(), String> {
    let Some(given) = list(&connection["properties"], "property")? else { return Ok(()) };
    let rule = || "properties.property: each must be {\"name\", \"value\"}".to_owned();
    let property = |given: &Value| {
        let name = text(given, "name")?.filter(|name| !name.trim().is_empty()).ok_or_else(rule)?;
        Ok::<_, String>(Property { name, value: text(given, "value")?.unwrap_or_default() })
    };
    let new: Vec<Property> = given.iter().map(property).collect::<Result<_, _>>()?;
    for (at, one) in new.iter().enumerate() {
        if new[..at].iter().any(|other| other.name == one.name) {
            return Err(format!("property {} is given twice", one.name));
        }
    }
    *properties = new;
    Ok(())
}

fn route_shown(route: &RouteRule) -> Value {
    json!({
        "name": route.name, "condition": route.condition, "targetEndpoint": route.target, "uRL": route.url,
        "empty": route.target.is_none() && route.url.is_none(),
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
