//! SAP's target endpoints, with the load balancing that only an import can set up.

use pierhead_gateway::compile::DesignPart;
use pierhead_gateway::design::{
    BalancedServer, Destination, HealthMonitor, HealthProbe, HttpProbe, LoadBalancer, TargetEndpoint,
};
use serde_json::Value;

use super::super::shelf::{Shelf, stem};
use super::flows;
use crate::Severity;
use crate::source::{EndpointSource, Marks};
use crate::xml::Node;

/// A target endpoint, and whether it is the default one.
pub(super) fn endpoint(shelf: &mut Shelf<'_>, path: &str) -> Option<(bool, TargetEndpoint)> {
    let (root, _) = shelf.document(path)?;
    if !root.name.eq_ignore_ascii_case("TargetEndPoint") {
        let message = format!("a TargetEndPoint is expected here, not {}", root.name);
        shelf.note(Severity::Error, "UnexpectedDocument", (path, root.line), message);
        return None;
    }
    let own = [
        "name",
        "url",
        "provider_id",
        "relativePath",
        "isDefault",
        "additionalAPIProviders",
        "properties",
        "loadBalancerConfigurations",
    ];
    shelf.only(path, &root, &[flows::KNOWN, &own].concat());
    let mut marks = Marks::default();
    let name = match root.text_of("name") {
        "" => stem(path).to_owned(),
        name => name.to_owned(),
    };
    let endpoint = TargetEndpoint {
        name: name.clone(),
        destination: destination(shelf, path, &root),
        properties: flows::properties(&root),
        flows: flows::flows(shelf, path, &root, &mut marks),
        ..TargetEndpoint::default()
    };
    let is_default = shelf.flag(path, root.child("isDefault"), false);
    let source = EndpointSource { file: shelf.path(path), line: root.line, marks };
    shelf.sources.endpoints.insert(DesignPart::TargetEndpoint(name), source);
    Some((is_default, endpoint))
}

fn destination(shelf: &mut Shelf<'_>, path: &str, root: &Node) -> Destination {
    let provider = Some(root.text_of("provider_id")).filter(|name| !name.is_empty() && *name != "NONE");
    let additional: Vec<&str> = root
        .child("additionalAPIProviders")
        .into_iter()
        .flat_map(|list| list.children_named("provider_id"))
        .map(Node::text)
        .filter(|name| !name.is_empty())
        .collect();
    let relative_path = root.text_of("relativePath").to_owned();
    if additional.is_empty() {
        return match (provider, root.text_of("url")) {
            (Some(name), _) => Destination::Provider { name: name.to_owned(), relative_path },
            (None, "") => Destination::None,
            (None, url) => Destination::Url(url.to_owned()),
        };
    }
    let mut names: Vec<&str> = provider.into_iter().collect();
    names.extend(additional.into_iter().filter(|name| Some(*name) != provider));
    let servers =
        names.into_iter().map(|name| BalancedServer { name: name.to_owned(), ..BalancedServer::default() });
    let mut balancer =
        LoadBalancer { servers: servers.collect(), path: relative_path, ..LoadBalancer::default() };
    if let Some(node) = root.child("loadBalancerConfigurations") {
        configure(shelf, path, node, &mut balancer);
    }
    Destination::Balanced(balancer)
}

fn configure(shelf: &mut Shelf<'_>, path: &str, node: &Node, balancer: &mut LoadBalancer) {
    shelf.only(
        path,
        node,
        &[
            "isRetry",
            "algorithm",
            "maxFailures",
            "fallBackServer",
            "serverUnhealthyResponseCode",
            "weigths",
            "healthMonitor",
        ],
    );
    balancer.algorithm = node.text_of("algorithm").to_owned();
    balancer.max_failures = shelf.number(path, node.child("maxFailures")).unwrap_or(0);
    let retry = node.child("isRetry").filter(|node| !node.text().is_empty());
    balancer.retry = retry.map(|node| shelf.flag(path, Some(node), true));
    balancer.unhealthy_statuses = numbers(shelf, path, node.child("serverUnhealthyResponseCode"));
    let fallback = node.text_of("fallBackServer");
    if !fallback.is_empty() {
        match balancer.servers.iter_mut().find(|server| server.name == fallback) {
            Some(server) => server.fallback = true,
            None => balancer.servers.push(BalancedServer {
                name: fallback.to_owned(),
                fallback: true,
                ..BalancedServer::default()
            }),
        }
    }
    // Unsourced: the original shows one weight only; a list is taken in the order of the providers.
    for (server, weight) in balancer.servers.iter_mut().zip(numbers(shelf, path, node.child("weigths"))) {
        server.weight = Some(weight);
    }
    balancer.health = node.child("healthMonitor").and_then(|health| health_monitor(shelf, path, health));
}

/// A list with commas between its numbers.
fn numbers<N: std::str::FromStr>(shelf: &mut Shelf<'_>, path: &str, node: Option<&Node>) -> Vec<N> {
    let Some(node) = node else { return Vec::new() };
    let mut all = Vec::new();
    for item in node.text().split(',').map(str::trim).filter(|item| !item.is_empty()) {
        match item.parse() {
            Ok(number) => all.push(number),
            Err(_) => {
                let message = format!("{}: '{item}' is not a number that is possible here", node.name);
                shelf.note(Severity::Error, "NotANumber", (path, node.line), message);
            }
        }
    }
    all
}

fn health_monitor(shelf: &mut Shelf<'_>, path: &str, node: &Node) -> Option<HealthMonitor> {
    shelf.only(path, node, &["isEnabled", "intervalInSec", "httpMonitor", "tcpMonitor"]);
    let (http, tcp) = (node.text_of("httpMonitor"), node.text_of("tcpMonitor"));
    let enabled = shelf.flag(path, node.child("isEnabled"), false);
    // Exporters write a monitor that is off and says nothing.
    if !enabled && http.is_empty() && tcp.is_empty() {
        return None;
    }
    let text = if http.is_empty() { tcp } else { http };
    let settings: Value = match serde_json::from_str(if text.is_empty() { "{}" } else { text }) {
        Ok(settings) => settings,
        Err(error) => {
            let message = format!("the monitor is no JSON: {error}");
            shelf.note(Severity::Error, "BadHealthMonitor", (path, node.line), message);
            Value::Null
        }
    };
    let probe = if http.is_empty() {
        HealthProbe::Tcp {
            connect_timeout_seconds: number(&settings["connectTimeoutInSec"]).unwrap_or(0),
            port: number(&settings["port"]),
        }
    } else {
        let (request, success) = (&settings["request"], &settings["successResponse"]);
        HealthProbe::Http(Box::new(HttpProbe {
            connect_timeout_seconds: number(&request["connectTimeoutInSec"]).unwrap_or(0),
            read_timeout_seconds: number(&request["socketReadTimeoutInSec"]).unwrap_or(0),
            port: number(&request["port"]),
            verb: request["verb"].as_str().unwrap_or_default().to_owned(),
            path: request["path"].as_str().unwrap_or_default().to_owned(),
            success_statuses: match &success["responseCode"] {
                Value::Array(all) => all.iter().filter_map(number).collect(),
                one => number(one).into_iter().collect(),
            },
            ..HttpProbe::default()
        }))
    };
    let interval_seconds = shelf.number(path, node.child("intervalInSec")).unwrap_or(0);
    Some(HealthMonitor { enabled, interval_seconds, probe })
}

/// A number, or a text that is one.
fn number<N: TryFrom<u64>>(value: &Value) -> Option<N> {
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
    N::try_from(number).ok()
}
