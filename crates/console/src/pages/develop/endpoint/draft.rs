//! An endpoint as its form has it, and as the wire does.

use serde_json::{Map, Value, json};

use crate::fields::Fields;
use crate::pages::develop::rows::turn;

/// Where a target endpoint may send its requests, with what people call it.
pub(super) const WAYS: &[(&str, &str)] = &[
    ("url", "An address"),
    ("servers", "Target servers, one of them per request"),
    ("provider", "An API provider"),
    ("proxy", "Another API proxy, with no network hop"),
    ("path", "Whatever this environment serves at a path"),
    ("none", "Nowhere"),
];

/// An endpoint as its form has it.
#[derive(Default)]
pub(super) struct EndpointDraft {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) base_path: String,
    pub(super) hosts: Vec<String>,
    pub(super) routes: Vec<RouteRow>,
    /// One of [`WAYS`], or the original's word for something that is kept and cannot be edited.
    pub(super) way: String,
    pub(super) url: String,
    pub(super) provider: String,
    pub(super) relative_path: String,
    pub(super) proxy: String,
    pub(super) proxy_endpoint: String,
    pub(super) path: String,
    pub(super) algorithm: String,
    pub(super) max_failures: String,
    pub(super) retry: bool,
    pub(super) balancer_path: String,
    pub(super) servers: Vec<ServerRow>,
    pub(super) properties: Vec<(String, String)>,
    /// Conditional flows in their order, by their place on the wire.
    pub(super) flows: Vec<usize>,
    pub(super) faults: Vec<usize>,
}

/// A route rule.
#[derive(Default)]
pub(super) struct RouteRow {
    pub(super) name: String,
    pub(super) condition: String,
    /// `target:<name>`, `url` or nothing.
    pub(super) to: String,
    pub(super) url: String,
}

/// A server of a load balancer.
#[derive(Default)]
pub(super) struct ServerRow {
    pub(super) name: String,
    pub(super) weight: String,
    /// Empty, `fallback` or `off`.
    pub(super) role: String,
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn items<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value[name].as_array().into_iter().flatten()
}

impl EndpointDraft {
    /// As a new endpoint begins.
    pub(super) fn new(kind: &str) -> Self {
        let way = if kind == "target" { "url" } else { "" };
        Self { way: way.into(), retry: true, ..Self::default() }
    }

    pub(super) fn of_wire(endpoint: &Value) -> Self {
        let connection = &endpoint["connection"];
        let balancer = &connection["loadBalancer"];
        let route = |route: &Value| RouteRow {
            name: text(route, "name"),
            condition: text(route, "condition"),
            to: match (text(route, "targetEndpoint"), text(route, "uRL")) {
                (target, _) if !target.is_empty() => format!("target:{target}"),
                (_, url) if !url.is_empty() => "url".into(),
                _ => String::new(),
            },
            url: text(route, "uRL"),
        };
        let server = |server: &Value| ServerRow {
            name: text(server, "name"),
            weight: server["weight"].to_string(),
            role: match (&server["isEnabled"], &server["isFallback"]) {
                (Value::Bool(false), _) => "off".into(),
                (_, Value::Bool(true)) => "fallback".into(),
                _ => String::new(),
            },
        };
        let has = |name: &str| !connection[name].is_null();
        Self {
            name: text(endpoint, "name"),
            description: text(endpoint, "description"),
            base_path: text(connection, "basePath"),
            hosts: items(connection, "virtualHost").filter_map(Value::as_str).map(str::to_owned).collect(),
            routes: items(endpoint, "routeRule").map(route).collect(),
            way: match () {
                () if has("uRL") => "url".into(),
                () if has("loadBalancer") => "servers".into(),
                () if has("provider") => "provider".into(),
                () if has("aPIProxy") => "proxy".into(),
                () if has("path") => "path".into(),
                () => text(connection, "connectionType"),
            },
            url: text(connection, "uRL"),
            provider: text(connection, "provider"),
            relative_path: text(connection, "relativePath"),
            proxy: text(connection, "aPIProxy"),
            proxy_endpoint: text(connection, "proxyEndpoint"),
            path: text(connection, "path"),
            algorithm: text(balancer, "algorithm"),
            max_failures: balancer["maxFailures"].as_u64().map_or_else(String::new, |most| most.to_string()),
            retry: balancer["retryEnabled"].as_bool().unwrap_or(true),
            balancer_path: text(balancer, "path"),
            servers: items(balancer, "servers").map(server).collect(),
            properties: items(&connection["properties"], "property")
                .map(|one| (text(one, "name"), text(one, "value")))
                .collect(),
            flows: (0..items(endpoint, "flows").count()).collect(),
            faults: (0..items(endpoint, "faultRules").count()).collect(),
        }
    }

    /// As it was typed, after what the pressed button does. The last row of a list is for a new one: it may be empty.
    pub(super) fn of_form(fields: &Fields) -> Self {
        let said = |name: &str| fields.trimmed(name).to_owned();
        let column = |name: &str| fields.all(name).into_iter().map(|text| text.trim().to_owned());
        let routes = column("route_name").zip(column("route_condition")).zip(column("route_to"));
        let routes = routes.zip(column("route_url")).map(|(((name, condition), to), url)| RouteRow {
            name,
            condition,
            to,
            url,
        });
        let servers = column("server_name").zip(column("server_weight")).zip(column("server_role"));
        let servers = servers.map(|((name, weight), role)| ServerRow { name, weight, role });
        let places = |name: &str| fields.all(name).into_iter().filter_map(|at| at.parse().ok()).collect();
        let mut draft = Self {
            name: said("name"),
            description: said("description"),
            base_path: said("base_path"),
            hosts: column("host").collect(),
            routes: routes.collect(),
            way: said("way"),
            url: said("url"),
            provider: said("provider"),
            relative_path: said("relative_path"),
            proxy: said("proxy"),
            proxy_endpoint: said("proxy_endpoint"),
            path: said("path"),
            algorithm: said("algorithm"),
            max_failures: said("max_failures"),
            retry: fields.ticked("retry"),
            balancer_path: said("balancer_path"),
            servers: servers.filter(|row| !row.name.is_empty()).collect(),
            properties: column("property_name")
                .zip(column("property_value"))
                .filter(|(name, value)| !(name.is_empty() && value.is_empty()))
                .collect(),
            flows: places("flow"),
            faults: places("fault"),
        };
        draft.routes.pop_if(|row| row.name.is_empty() && row.condition.is_empty() && row.to.is_empty());
        let act = fields.get("act");
        turn(&mut draft.routes, act, "route-");
        turn(&mut draft.servers, act, "server-");
        turn(&mut draft.properties, act, "property-");
        turn(&mut draft.flows, act, "flow-");
        turn(&mut draft.faults, act, "fault-");
        draft
    }

    /// What the wire gets: what differs from `old`, so that what the form does not show stays as it is.
    pub(super) fn change(&self, kind: &str, old: &Value) -> Value {
        let mut body = Map::new();
        body.insert("name".into(), self.name.clone().into());
        body.insert("description".into(), self.description.clone().into());
        let mut connection = match kind {
            "proxy" => json!({"basePath": self.base_path, "virtualHost": self.hosts}),
            _ => self.destination(),
        };
        let before = Self::of_wire(old);
        if before.properties != self.properties {
            let all = self.properties.iter().map(|(name, value)| json!({"name": name, "value": value}));
            connection["properties"] = json!({"property": all.collect::<Value>()});
        }
        body.insert("connection".into(), connection);
        if kind == "proxy" {
            body.insert("routeRule".into(), self.routes.iter().map(RouteRow::wire).collect());
        }
        for (field, order, was) in
            [("flows", &self.flows, &before.flows), ("faultRules", &self.faults, &before.faults)]
        {
            if order != was {
                body.insert(field.into(), order.iter().map(|at| old[field][*at].clone()).collect());
            }
        }
        Value::Object(body)
    }

    fn destination(&self) -> Value {
        match self.way.as_str() {
            "url" => json!({"uRL": self.url}),
            "provider" => json!({"provider": self.provider, "relativePath": self.relative_path}),
            "proxy" => json!({"aPIProxy": self.proxy, "proxyEndpoint": self.proxy_endpoint}),
            "path" => json!({"path": self.path}),
            "servers" => json!({"loadBalancer": {
                "algorithm": self.algorithm, "path": self.balancer_path, "retryEnabled": self.retry,
                "maxFailures": self.max_failures.parse::<u32>().unwrap_or(0),
                "servers": self.servers.iter().map(ServerRow::wire).collect::<Value>(),
            }}),
            "none" => json!({"connectionType": "none"}),
            _ => json!({}),
        }
    }
}

impl RouteRow {
    fn wire(&self) -> Value {
        let mut rule = json!({"name": self.name, "condition": self.condition});
        match self.to.strip_prefix("target:") {
            Some(target) => rule["targetEndpoint"] = target.into(),
            None if self.to == "url" => rule["uRL"] = self.url.clone().into(),
            None => {}
        }
        rule
    }
}

impl ServerRow {
    fn wire(&self) -> Value {
        json!({
            "name": self.name, "weight": self.weight.parse::<u32>().unwrap_or(1), "isFallback": self.role == "fallback",
            "isEnabled": self.role != "off",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire() -> Value {
        json!({"name": "default", "description": "", "connection": {"connectionType": "httpConnection",
            "loadBalancer": {"algorithm": "Weighted", "path": "/v1", "maxFailures": 2, "retryEnabled": false, "servers": [
                {"name": "a", "weight": 2, "isFallback": false, "isEnabled": true},
                {"name": "b", "weight": 1, "isFallback": true, "isEnabled": true},
                {"name": "c", "weight": 1, "isFallback": false, "isEnabled": false}]},
            "properties": {"property": [{"name": "io.timeout.millis", "value": "7"}]}},
            "flows": [{"name": "A"}, {"name": "B"}], "faultRules": []})
    }

    #[test]
    fn an_endpoint_that_was_only_looked_at_changes_nothing() {
        let old = wire();
        let change = EndpointDraft::of_wire(&old).change("target", &old);
        let mut wanted = old["connection"]["loadBalancer"].clone();
        assert_eq!(change["connection"]["loadBalancer"]["servers"], wanted["servers"].take());
        assert_eq!(change["connection"]["loadBalancer"]["maxFailures"], 2);
        assert!(change["connection"].get("properties").is_none() && change.get("flows").is_none());
        let foreign = json!({"name": "x", "connection": {"connectionType": "ScriptTarget"}});
        let change = EndpointDraft::of_wire(&foreign).change("target", &foreign);
        assert_eq!(change["connection"], json!({}), "what cannot be edited stays");
    }

    #[test]
    fn moved_flows_keep_what_they_hold() {
        let old = wire();
        let form = Fields::of(&[("flow", "0"), ("flow", "1"), ("act", "flow-up-1"), ("way", "none")]);
        let change = EndpointDraft::of_form(&form).change("target", &old);
        assert_eq!(change["flows"], json!([{"name": "B"}, {"name": "A"}]));
        assert_eq!(change["connection"]["properties"], json!({"property": []}));
    }
}
