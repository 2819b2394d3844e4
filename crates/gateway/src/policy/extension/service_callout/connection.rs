//! Where a ServiceCallout goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize};
use std::time::Duration;

use http::Method;
use http::uri::PathAndQuery;

use crate::balancer::{Balancer, Server};
use crate::callout::locate;
use crate::compile::{Endpoint, ProviderKind, SuccessCodes, TargetTimeouts, turns_by_weight};
use crate::exchange::{Exchange, encode, normalise};
use crate::flow::LocalAddress;
use crate::google::Authentication;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::policy::extension::tls::{self, Tls};
use crate::template::Template;

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) address: Address,
    pub(super) tls: Tls,
    pub(super) timeouts: TargetTimeouts,
    pub(super) success: SuccessCodes,
    pub(super) authentication: Option<Authentication>,
}

#[derive(Debug)]
pub(super) enum Address {
    Url(Template),
    /// A server, and a path below its own.
    Server(Endpoint, Template),
    Balanced(Arc<Balancer>),
    /// Another proxy, and a path.
    Local(LocalAddress, Template),
}

/// A place that a request can be sent to.
pub(super) enum Place {
    Server(Endpoint, PathAndQuery),
    Balanced(Arc<Balancer>, PathAndQuery),
    Local(LocalAddress, PathAndQuery),
}

const PROPERTIES_WITHOUT_EFFECT: &[&str] = &[
    "keepalive.timeout.millis",
    "request.streaming.enabled",
    "response.streaming.enabled",
    "supports.http10",
    "supports.http11",
];

/// Reads the connection, and the verb that some bundles write into it; `None` after saying what is missing.
pub(super) fn read(policy: &mut Blueprint<'_>) -> Option<(Connection, Option<Method>)> {
    let root = policy.root;
    if let Some(element) = root.child("LocalTargetConnection") {
        let address = local(policy, element)?;
        let connection = Connection {
            address,
            tls: Tls::default(),
            timeouts: TargetTimeouts::default(),
            success: SuccessCodes::default(),
            authentication: None,
        };
        return Some((connection, None));
    }
    let Some(element) = root.child("HTTPTargetConnection") else {
        let message = "ServiceCallout needs an HTTPTargetConnection or a LocalTargetConnection";
        policy.problem(root, "ConnectionInfoMissing", message);
        return None;
    };
    policy.only(
        element,
        &[],
        &["URL", "LoadBalancer", "APIProvider", "Path", "Properties", "SSLInfo", "Authentication", "Verb"],
    );
    let credentials = element.child("Authentication").filter(|found| !found.children.is_empty());
    let authentication = credentials.and_then(|element| policy.authentication(element));
    let tls = tls::read(policy, element);
    let verb = element.child("Verb").and_then(|verb| {
        let method = Method::from_bytes(verb.text().as_bytes()).ok();
        if method.is_none() {
            policy.problem(verb, "InvalidVerb", format!("'{}' is no verb", verb.text()));
        }
        method
    });
    let (timeouts, success) = properties(policy, element);
    let address = address(policy, element)?;
    Some((Connection { address, tls, timeouts, success, authentication }, verb))
}

fn local(policy: &mut Blueprint<'_>, element: &Element) -> Option<Address> {
    let named = |name: &str| element.child(name).map(Element::text).filter(|text| !text.is_empty());
    let path = named("Path");
    let address = match (named("APIProxy"), named("ProxyEndpoint"), path) {
        (Some(proxy), endpoint, _) => {
            LocalAddress::Proxy { proxy: proxy.into(), endpoint: endpoint.unwrap_or("default").into() }
        }
        (None, _, Some(_)) => LocalAddress::Path,
        (None, _, None) => {
            let message = "LocalTargetConnection needs an APIProxy and a ProxyEndpoint, or a Path";
            policy.problem(element, "ConnectionInfoMissing", message);
            return None;
        }
    };
    let path = policy.template(element, path.unwrap_or_default());
    Some(Address::Local(address, path))
}

fn address(policy: &mut Blueprint<'_>, element: &Element) -> Option<Address> {
    let path = element.child("Path").map_or("", Element::text);
    if let Some(provider) = element.child("APIProvider").filter(|provider| !provider.text().is_empty()) {
        let path = policy.template(provider, path);
        return match policy.world.providers.get(provider.text()).map(|found| &found.kind) {
            Some(ProviderKind::Internet(endpoint)) => match policy.world.secured(endpoint) {
                Ok(endpoint) => Some(Address::Server(endpoint, path)),
                Err(unmet) => {
                    policy.degrade(provider, format!("API provider '{}': {unmet}", provider.text()));
                    Some(Address::Server(endpoint.clone(), path))
                }
            },
            Some(ProviderKind::OpenConnectors(_)) => {
                let message = "a provider of type Open Connectors is called by OpenConnectorCallout only";
                policy.problem(provider, "OpenConnectorsProvider", message);
                None
            }
            None => {
                let message = format!("there is no API provider '{}'", provider.text());
                policy.problem(provider, "UnknownProvider", message);
                None
            }
        };
    }
    if let Some(balancer) = element.child("LoadBalancer") {
        return load_balancer(policy, balancer, path).map(|balancer| Address::Balanced(Arc::new(balancer)));
    }
    let Some(url) = element.child("URL").filter(|url| !url.text().is_empty()) else {
        policy.problem(
            element,
            "URLMissing",
            "HTTPTargetConnection needs a URL, an APIProvider or a LoadBalancer",
        );
        return None;
    };
    let template = policy.template(url, url.text());
    if let Some(literal) = template.as_literal()
        && locate(literal).is_none()
    {
        // A placeholder, most often: the originals deploy it and fail when they call it.
        policy.degrade_in_part(url, format!("'{literal}' is not an http or https URL"));
    }
    Some(Address::Url(template))
}

fn load_balancer(policy: &mut Blueprint<'_>, element: &Element, path: &str) -> Option<Balancer> {
    let text = |element: &Element, name: &str| element.child(name).map_or("", Element::text).to_owned();
    let (mut servers, mut fallbacks, mut weighted) = (Vec::new(), Vec::new(), Vec::new());
    for server in element.children("Server") {
        let name = server.attribute("name").unwrap_or_default();
        let Some((endpoint, enabled)) = policy.world.server(name) else {
            let message = format!("there is no target server or API provider '{name}'");
            policy.problem(server, "UnknownTargetServer", message);
            continue;
        };
        if !enabled || text(server, "IsEnabled") == "false" {
            continue;
        }
        if text(server, "IsFallback") == "true" {
            fallbacks.push(servers.len());
        } else {
            weighted.push((servers.len(), text(server, "Weight").parse().unwrap_or(1)));
        }
        match policy.world.secured(&endpoint) {
            Ok(endpoint) => servers.push(Server::new(name.into(), endpoint)),
            Err(unmet) => {
                policy.degrade(server, format!("target server '{name}': {unmet}"));
            }
        }
    }
    if element.child("Server").is_none() {
        policy.problem(element, "NoTargetServer", "a LoadBalancer needs a Server");
        return None;
    }
    let algorithm = text(element, "Algorithm");
    let turns = match algorithm.as_str() {
        "" | "RoundRobin" | "LeastConnections" => weighted.iter().map(|(server, _)| *server).collect(),
        "Weighted" => turns_by_weight(&weighted),
        other => {
            policy.problem(
                element,
                "UnknownAlgorithm",
                format!("'{other}' is no algorithm of a LoadBalancer"),
            );
            Vec::new()
        }
    };
    Some(Balancer {
        servers,
        fallbacks,
        turns: turns.into(),
        least_connections: algorithm == "LeastConnections",
        path: policy.template(element, path),
        max_failures: text(element, "MaxFailures").parse().unwrap_or(0),
        retries: text(element, "RetryEnabled") != "false",
        unhealthy: Box::default(),
        left_out_for: None,
        health: None,
        next_turn: AtomicUsize::new(0),
        next_probe: AtomicI64::new(0),
    })
}

fn properties<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> (TargetTimeouts, SuccessCodes) {
    let (mut timeouts, mut success) = (TargetTimeouts::default(), SuccessCodes::default());
    let Some(group) = element.child("Properties") else { return (timeouts, success) };
    policy.only(group, &[], &["Property"]);
    for property in group.children("Property") {
        let name = property.attribute("name").map(str::trim).unwrap_or_default();
        let mut millis =
            || policy.number(property, property.text(), "InvalidProperty").map(Duration::from_millis);
        match name {
            "connect.timeout.millis" => timeouts.connect = millis().unwrap_or(timeouts.connect),
            "io.timeout.millis" => timeouts.io = millis().unwrap_or(timeouts.io),
            "success.codes" => match SuccessCodes::parse(property.text()) {
                Some(codes) => success = codes,
                None => {
                    policy.problem(property, "InvalidProperty", "success.codes is a list such as 2xx,404")
                }
            },
            name if PROPERTIES_WITHOUT_EFFECT.contains(&name) => {}
            name => {
                policy.problem(property, "UnknownProperty", format!("there is no property '{name}' here"))
            }
        }
    }
    (timeouts, success)
}

impl Connection {
    /// Where this exchange's call goes. `instead` is a URL that a step put in its place. The error says why
    /// there is no such place.
    pub(super) fn place(&self, cx: &Exchange, instead: Option<&str>) -> Result<Place, String> {
        let located = |url: &str| {
            let (mut endpoint, target) =
                locate(url).ok_or_else(|| "the URL is not an http or https URL".to_owned())?;
            self.tls.apply(&mut endpoint, cx)?;
            Ok(Place::Server(endpoint, target))
        };
        if let Some(url) = instead {
            return located(url);
        }
        match &self.address {
            Address::Url(template) => {
                located(&template.render(cx, false).map_err(|problem| problem.to_string())?)
            }
            Address::Server(endpoint, path) => {
                let mut endpoint = endpoint.clone();
                self.tls.apply(&mut endpoint, cx)?;
                let target = below(&endpoint.path_prefix, cx, path)?;
                Ok(Place::Server(endpoint, target))
            }
            Address::Balanced(balancer) => {
                Ok(Place::Balanced(Arc::clone(balancer), below("", cx, &balancer.path)?))
            }
            Address::Local(address, path) => Ok(Place::Local(address.clone(), below("", cx, path)?)),
        }
    }
}

/// A path of the design below the path of a server.
fn below(prefix: &str, cx: &Exchange, path: &Template) -> Result<PathAndQuery, String> {
    let bad = || "the path is no path".to_owned();
    let path = path.render(cx, false).map_err(|problem| problem.to_string())?;
    let (path, query) = path.split_once('?').map_or((&*path, ""), |(path, query)| (path, query));
    let rooted = format!("/{}", path.trim_start_matches('/'));
    let path = normalise(&rooted).map_err(|_| bad())?;
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{prefix}{}{mark}{query}", encode(&path)).parse().map_err(|_| bad())
}
