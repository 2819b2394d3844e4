//! `APIProxyEndPoints` and `APITargetEndPoints` with their route rules and properties.

use pierhead_gateway::design::Property as DesignProperty;
use pierhead_gateway::design::{Destination, ProxyEndpoint, RouteRule, TargetEndpoint};
use serde_json::json;

use crate::names::check_name;
use crate::odata::{Entity, EntitySet, Expand, Navigation, ODataError, Parsed, Property};
use crate::settings::HostSetting;

use super::flows::{add_flows, in_sequence, read_flows};
use super::hosts;
use super::resources::{self, StoredResource};

/// The literal that names no provider (api-management §2.3).
pub(crate) const NO_PROVIDER: &str = "NONE";

pub(crate) static PROXY_ENDPOINTS: EntitySet = EntitySet {
    name: "APIProxyEndPoints",
    type_name: "APIProxyEndPoint",
    title: "API proxy endpoint",
    properties: &[
        Property::key("id").up_to(2048),
        Property::text("name").up_to(255),
        Property::flag("isDefault"),
        Property::text("base_path"),
        Property::text("publishUrl"),
    ],
    navigation: &[
        Navigation::one("apiProxy", "APIProxies"),
        Navigation::many("virtualhosts", "VirtualHosts"),
        Navigation::many("routeRules", "RouteRules"),
        Navigation::many("apiResources", "APIResources"),
        Navigation::many("properties", "EndPointProperties"),
        Navigation::one("preFlow", "Flows"),
        Navigation::one("postFlow", "Flows"),
        Navigation::many("conditionalFlows", "Flows"),
        Navigation::many("faultRules", "FaultRules"),
        Navigation::one("defaultFaultRule", "FaultRules"),
    ],
};

pub(crate) static TARGET_ENDPOINTS: EntitySet = EntitySet {
    name: "APITargetEndPoints",
    type_name: "APITargetEndPoint",
    title: "API target endpoint",
    properties: &[
        Property::key("id").up_to(2048),
        Property::text("name").up_to(255),
        Property::flag("isDefault"),
        Property::text("provider_id").up_to(255),
        Property::text("relativePath"),
        Property::text("url").up_to(4096),
    ],
    navigation: &[
        Navigation::one("apiProxy", "APIProxies"),
        Navigation::many("properties", "EndPointProperties"),
        Navigation::one("preFlow", "Flows"),
        Navigation::one("postFlow", "Flows"),
        Navigation::many("conditionalFlows", "Flows"),
        Navigation::many("faultRules", "FaultRules"),
        Navigation::one("defaultFaultRule", "FaultRules"),
    ],
};

pub(crate) static ROUTE_RULES: EntitySet = EntitySet {
    name: "RouteRules",
    type_name: "RouteRule",
    title: "route rule",
    properties: &[
        Property::key("id").up_to(2048),
        Property::text("name").up_to(255),
        Property::text("conditions").up_to(64 * 1024),
        Property::text("targetEndPointName").up_to(255),
        Property::number("sequence"),
    ],
    navigation: &[],
};

pub(crate) static PROPERTIES: EntitySet = EntitySet {
    name: "EndPointProperties",
    type_name: "EndPointProperty",
    title: "endpoint property",
    properties: &[
        Property::key("id").up_to(2048),
        Property::text("name").up_to(255),
        Property::text("value").up_to(4096),
    ],
    navigation: &[],
};

pub(crate) fn proxy_endpoint_id(proxy: &str, endpoint: &str) -> String {
    format!("{proxy}:proxy:{endpoint}")
}

pub(crate) fn target_endpoint_id(proxy: &str, endpoint: &str) -> String {
    format!("{proxy}:target:{endpoint}")
}

/// A proxy endpoint; the first of a proxy is its default.
pub(crate) fn proxy_endpoint(
    proxy: &str,
    endpoint: &ProxyEndpoint,
    is_default: bool,
    described: &[StoredResource],
    all_hosts: &[HostSetting],
    expand: &Expand,
) -> Entity {
    let id = proxy_endpoint_id(proxy, &endpoint.name);
    let serves = |host: &&HostSetting| match endpoint.virtual_hosts.as_slice() {
        [] => host.is_default,
        names => names.contains(&host.name),
    };
    let url = all_hosts.iter().find(serves).map(|host| format!("{}{}", host.url(), endpoint.base_path));
    let values = json!({
        "id": id, "name": endpoint.name, "isDefault": is_default, "base_path": endpoint.base_path,
        "publishUrl": url,
    });
    let entity = Entity::new(&PROXY_ENDPOINTS, values)
        .with(expand, "virtualhosts", |_| all_hosts.iter().filter(serves).map(hosts::entity).collect())
        .with(expand, "routeRules", |_| routes(&id, &endpoint.routes))
        .with(expand, "apiResources", |below| resources::entities(&id, described, below))
        .with(expand, "properties", |_| properties(&id, &endpoint.properties));
    add_flows(entity, &id, &endpoint.flows, expand)
}

/// A target endpoint; the first of a proxy is its default.
pub(crate) fn target_endpoint(
    proxy: &str,
    endpoint: &TargetEndpoint,
    is_default: bool,
    expand: &Expand,
) -> Entity {
    let id = target_endpoint_id(proxy, &endpoint.name);
    let (provider, path, url) = match &endpoint.destination {
        // What OData has no words for is seen in an export.
        Destination::None
        | Destination::Balanced(_)
        | Destination::LocalProxy { .. }
        | Destination::LocalPath(_)
        | Destination::Foreign { .. } => (NO_PROVIDER, None, None),
        Destination::Url(url) => (NO_PROVIDER, None, Some(url)),
        Destination::Provider { name, relative_path } => (name.as_str(), Some(relative_path), None),
    };
    let values = json!({
        "id": id, "name": endpoint.name, "isDefault": is_default, "provider_id": provider,
        "relativePath": path, "url": url,
    });
    let entity = Entity::new(&TARGET_ENDPOINTS, values)
        .with(expand, "properties", |_| properties(&id, &endpoint.properties));
    add_flows(entity, &id, &endpoint.flows, expand)
}

fn routes(id: &str, routes: &[RouteRule]) -> Vec<Entity> {
    let rule = |(at, rule): (usize, &RouteRule)| {
        let values = json!({
            "id": format!("{id}:route:{}", at + 1), "name": rule.name, "conditions": rule.condition,
            "targetEndPointName": rule.target, "sequence": at + 1,
        });
        Entity::new(&ROUTE_RULES, values)
    };
    routes.iter().enumerate().map(rule).collect()
}

fn properties(id: &str, properties: &[DesignProperty]) -> Vec<Entity> {
    let property = |property: &DesignProperty| {
        let id = format!("{id}:property:{}", property.name);
        Entity::new(&PROPERTIES, json!({"id": id, "name": property.name, "value": property.value}))
    };
    properties.iter().map(property).collect()
}

/// A proxy endpoint from a body; with `old`, its new state.
pub(crate) fn read_proxy_endpoint(
    body: &Parsed,
    old: Option<&ProxyEndpoint>,
    merge: bool,
    all_hosts: &[HostSetting],
) -> Result<ProxyEndpoint, ODataError> {
    let mut endpoint = old.cloned().unwrap_or_default();
    endpoint.name = name("APIProxyEndPoints", body, old.map(|old| old.name.as_str()))?;
    match body.text("base_path") {
        Some(path) => endpoint.base_path = base_path(path)?,
        None if merge => {}
        None => return Err(ODataError::bad("APIProxyEndPoints.base_path must be given")),
    }
    if body.nested("virtualhosts").is_some() {
        endpoint.virtual_hosts = read_hosts(body, all_hosts)?;
    }
    if let Some(rules) = body.nested("routeRules") {
        endpoint.routes = in_sequence(rules).map(|rule| read_route(rule, None)).collect::<Result<_, _>>()?;
    }
    read_properties(body, &mut endpoint.properties)?;
    read_flows(body, &mut endpoint.flows)?;
    Ok(endpoint)
}

/// A target endpoint from a body; with `old`, its new state.
pub(crate) fn read_target_endpoint(
    body: &Parsed,
    old: Option<&TargetEndpoint>,
    merge: bool,
) -> Result<TargetEndpoint, ODataError> {
    let mut endpoint = old.cloned().unwrap_or_default();
    endpoint.name = name("APITargetEndPoints", body, old.map(|old| old.name.as_str()))?;
    let said = ["provider_id", "relativePath", "url"].iter().any(|name| body.values.contains_key(*name));
    if said || !merge {
        endpoint.destination = read_destination(body, &endpoint.destination, merge)?;
    }
    read_properties(body, &mut endpoint.properties)?;
    read_flows(body, &mut endpoint.flows)?;
    Ok(endpoint)
}

fn read_destination(body: &Parsed, old: &Destination, merge: bool) -> Result<Destination, ODataError> {
    let url = body.text("url").filter(|url| !url.is_empty());
    let provider = body.text("provider_id").filter(|name| !name.is_empty());
    let (old_provider, old_path) = match old {
        Destination::Provider { name, relative_path } if merge => {
            (Some(name.as_str()), Some(relative_path.as_str()))
        }
        _ => (None, None),
    };
    match (url, provider.filter(|name| *name != NO_PROVIDER)) {
        (Some(_), Some(_)) => Err(ODataError::bad(
            "APITargetEndPoints.url and APITargetEndPoints.provider_id exclude each other",
        )),
        (Some(url), None) => Ok(Destination::Url(url.into())),
        (None, None) if provider.is_some() || old_provider.is_none() => Ok(Destination::None),
        (None, named) => {
            let path = body.text("relativePath").or(old_path).unwrap_or("/");
            let wrong = path.contains(['?', '#', '\\']) || path.split('/').any(|segment| segment == "..");
            if !path.starts_with('/') || wrong || path.chars().any(char::is_control) {
                return Err(ODataError::bad(
                    "APITargetEndPoints.relativePath must start with '/' and hold no '..', '?', '#' or '\\'",
                ));
            }
            let name = named.or(old_provider).unwrap_or_default();
            Ok(Destination::Provider { name: name.into(), relative_path: path.into() })
        }
    }
}

/// A route rule from a body; with `old`, its new state.
pub(crate) fn read_route(body: &Parsed, old: Option<&RouteRule>) -> Result<RouteRule, ODataError> {
    let mut rule = old.cloned().unwrap_or_default();
    if let Some(name) = body.text("name") {
        check_name("RouteRules.name", name, 255)?;
        rule.name = name.into();
    } else if old.is_none() {
        rule.name = "default".into();
    }
    if let Some(condition) = body.text("conditions") {
        rule.condition = condition.into();
    }
    if body.values.contains_key("targetEndPointName") {
        rule.target = body.text("targetEndPointName").filter(|name| !name.is_empty()).map(str::to_owned);
    }
    Ok(rule)
}

fn read_hosts(body: &Parsed, all_hosts: &[HostSetting]) -> Result<Vec<String>, ODataError> {
    let inline = body.nested("virtualhosts").unwrap_or_default();
    let inline = inline.iter().filter_map(|host| host.text("id").or_else(|| host.text("name")));
    let named = body.links("virtualhosts").map(|link| link.key.first()).chain(inline);
    let mut hosts: Vec<String> = Vec::new();
    for name in named {
        if all_hosts.iter().all(|host| host.name != name) {
            return Err(ODataError::bad(format!(
                "APIProxyEndPoints.virtualhosts: there is no virtual host '{name}'"
            )));
        }
        if hosts.iter().all(|known| known != name) {
            hosts.push(name.into());
        }
    }
    Ok(hosts)
}

fn read_properties(body: &Parsed, properties: &mut Vec<DesignProperty>) -> Result<(), ODataError> {
    let Some(bodies) = body.nested("properties") else { return Ok(()) };
    let property = |body: &Parsed| {
        Ok(DesignProperty {
            name: body.required("name")?.into(),
            value: body.text("value").unwrap_or_default().into(),
        })
    };
    *properties = bodies.iter().map(property).collect::<Result<_, ODataError>>()?;
    Ok(())
}

fn name(set: &str, body: &Parsed, old: Option<&str>) -> Result<String, ODataError> {
    match (body.text("name"), old) {
        (Some(name), Some(old)) if name != old => {
            Err(ODataError::bad(format!("{set}.name cannot be changed; make another endpoint")))
        }
        (_, Some(old)) => Ok(old.into()),
        (None, None) => Ok("default".into()),
        (Some(name), None) => {
            check_name(&format!("{set}.name"), name, 255)?;
            Ok(name.into())
        }
    }
}

/// A base path: from `/`, without a slash at its end, nothing in it that a request's path could not be.
pub(crate) fn base_path(path: &str) -> Result<String, ODataError> {
    let rule =
        "APIProxyEndPoints.base_path must start with '/', with segments of letters, digits and -._~ or '*'";
    let segment = |segment: &str| {
        let plain = |char: char| char.is_ascii_alphanumeric() || "-._~!$&'()+,;=:@".contains(char);
        segment == "*"
            || (!segment.is_empty() && segment.chars().all(plain) && !segment.chars().all(|char| char == '.'))
    };
    let inner = path.strip_prefix('/').ok_or_else(|| ODataError::bad(rule))?;
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    if path.contains("//") || (!inner.is_empty() && !inner.split('/').all(segment)) {
        return Err(ODataError::bad(rule));
    }
    Ok(format!("/{inner}"))
}

#[cfg(test)]
mod tests {
    use super::base_path;

    #[test]
    fn a_base_path_is_normalised_or_refused() {
        assert_eq!(base_path("/googledrive/").unwrap(), "/googledrive");
        assert_eq!(base_path("/").unwrap(), "/");
        assert_eq!(base_path("/v1/*/x").unwrap(), "/v1/*/x");
        for bad in ["", "x", "//", "/a//b", "/..", "/a/../b", "/a b", "/a%2fb", "/a?b", "/a\0"] {
            assert!(base_path(bad).is_err(), "{bad}");
        }
    }
}
