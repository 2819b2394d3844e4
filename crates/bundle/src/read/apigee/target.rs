//! Apigee's target endpoints.

use pierhead_gateway::compile::DesignPart;
use pierhead_gateway::design::{
    BalancedServer, Destination, HealthMonitor, HealthProbe, HttpProbe, LoadBalancer, Property,
    TargetEndpoint,
};

use super::super::shelf::{Shelf, stem};
use super::{flows, properties, tls_settings};
use crate::Severity;
use crate::source::{EndpointSource, Marks};
use crate::xml::Node;

pub(super) fn endpoint(shelf: &mut Shelf<'_>, path: &str) -> Option<TargetEndpoint> {
    let (root, xml) = shelf.document(path)?;
    if root.name != "TargetEndpoint" {
        let message = format!("a TargetEndpoint is expected here, not {}", root.name);
        shelf.note(Severity::Error, "UnexpectedDocument", (path, root.line), message);
        return None;
    }
    let mut marks = Marks::default();
    let name = root.attribute("name").filter(|name| !name.is_empty()).unwrap_or(stem(path)).to_owned();
    let mut endpoint = TargetEndpoint {
        name: name.clone(),
        description: root.text_of("Description").to_owned(),
        flows: flows::flows(shelf, path, &root, &mut marks),
        ..TargetEndpoint::default()
    };
    let mut connections = 0;
    for child in &root.children {
        match child.name.as_str() {
            "HTTPTargetConnection" => {
                connections += 1;
                http(shelf, path, xml, child, &mut endpoint);
            }
            "LocalTargetConnection" => {
                connections += 1;
                endpoint.destination = local(shelf, path, child);
            }
            // What this gateway cannot run is kept as it is; deploying it says so.
            kind if kind.ends_with("Target") || kind.ends_with("TargetConnection") => {
                connections += 1;
                endpoint.destination =
                    Destination::Foreign { kind: kind.to_owned(), xml: child.source(xml).to_owned() };
            }
            known if flows::KNOWN.contains(&known) => {}
            _ if child.is_blank() => {}
            other => {
                let message = format!("{other} in TargetEndpoint is not known and is left out");
                shelf.note(Severity::Warning, "UnknownElement", (path, child.line), message);
            }
        }
    }
    if connections > 1 {
        let message = "a target endpoint has one connection; the last one counts";
        shelf.note(Severity::Warning, "RepeatedElement", (path, root.line), message);
    }
    let source = EndpointSource { file: shelf.path(path), line: root.line, marks };
    shelf.sources.endpoints.insert(DesignPart::TargetEndpoint(name), source);
    Some(endpoint)
}

fn http(shelf: &mut Shelf<'_>, path: &str, xml: &str, node: &Node, endpoint: &mut TargetEndpoint) {
    shelf.only(
        path,
        node,
        &["URL", "LoadBalancer", "Path", "Properties", "SSLInfo", "Authentication", "HealthMonitor"],
    );
    endpoint.properties = properties(node);
    endpoint.tls = node.child("SSLInfo").map(|tls| tls_settings(shelf, path, tls));
    endpoint.authentication = node
        .child("Authentication")
        .filter(|node| !node.is_blank())
        .map_or("", |node| node.source(xml))
        .to_owned();
    endpoint.destination = match node.child("LoadBalancer") {
        Some(balancer) => {
            let mut read = load_balancer(shelf, path, balancer);
            read.path = node.text_of("Path").to_owned();
            let health = node.child("HealthMonitor").or_else(|| balancer.child("HealthMonitor"));
            read.health = health.map(|health| health_monitor(shelf, path, health));
            Destination::Balanced(read)
        }
        None => match node.text_of("URL") {
            "" => Destination::None,
            url => {
                if let Some(extra) = node.child("Path").filter(|extra| !extra.is_blank()) {
                    let message = "Path counts beside a LoadBalancer only and is left out beside a URL";
                    shelf.note(Severity::Warning, "UnknownElement", (path, extra.line), message);
                }
                Destination::Url(url.to_owned())
            }
        },
    };
}

fn local(shelf: &mut Shelf<'_>, path: &str, node: &Node) -> Destination {
    shelf.only(path, node, &["APIProxy", "ProxyEndpoint", "Path"]);
    match (node.text_of("APIProxy"), node.text_of("Path")) {
        ("", path) => Destination::LocalPath(path.to_owned()),
        (proxy, _) => Destination::LocalProxy {
            proxy: proxy.to_owned(),
            endpoint: node.text_of("ProxyEndpoint").to_owned(),
        },
    }
}

fn load_balancer(shelf: &mut Shelf<'_>, path: &str, node: &Node) -> LoadBalancer {
    shelf.only(
        path,
        node,
        &[
            "Algorithm",
            "Server",
            "MaxFailures",
            "RetryEnabled",
            "ServerUnhealthyResponse",
            "TargetDisableSecs",
            "HealthMonitor",
        ],
    );
    let mut servers = Vec::new();
    for server in node.children_named("Server") {
        shelf.only(path, server, &["Weight", "IsEnabled", "IsFallback"]);
        servers.push(BalancedServer {
            name: server.attribute("name").unwrap_or_default().to_owned(),
            weight: shelf.number(path, server.child("Weight")),
            fallback: shelf.flag(path, server.child("IsFallback"), false),
            disabled: !shelf.flag(path, server.child("IsEnabled"), true),
        });
    }
    let retry = node.child("RetryEnabled").filter(|node| !node.text().is_empty());
    LoadBalancer {
        algorithm: node.text_of("Algorithm").to_owned(),
        servers,
        path: String::new(),
        max_failures: shelf.number(path, node.child("MaxFailures")).unwrap_or(0),
        retry: retry.map(|node| shelf.flag(path, Some(node), true)),
        unhealthy_statuses: node
            .child("ServerUnhealthyResponse")
            .map(|list| numbers(shelf, path, list, "ResponseCode"))
            .unwrap_or_default(),
        disable_seconds: shelf.number(path, node.child("TargetDisableSecs")).unwrap_or(0),
        health: None,
    }
}

fn health_monitor(shelf: &mut Shelf<'_>, path: &str, node: &Node) -> HealthMonitor {
    shelf.only(path, node, &["IsEnabled", "IntervalInSec", "HTTPMonitor", "TCPMonitor"]);
    let probe = match (node.child("HTTPMonitor"), node.child("TCPMonitor")) {
        (Some(http), _) => HealthProbe::Http(Box::new(http_probe(shelf, path, http))),
        (None, tcp) => HealthProbe::Tcp {
            connect_timeout_seconds: tcp
                .and_then(|tcp| shelf.number(path, tcp.child("ConnectTimeoutInSec")))
                .unwrap_or(0),
            port: tcp.and_then(|tcp| shelf.number(path, tcp.child("Port"))),
        },
    };
    HealthMonitor {
        enabled: shelf.flag(path, node.child("IsEnabled"), false),
        interval_seconds: shelf.number(path, node.child("IntervalInSec")).unwrap_or(0),
        probe,
    }
}

fn http_probe(shelf: &mut Shelf<'_>, path: &str, node: &Node) -> HttpProbe {
    let mut probe = HttpProbe::default();
    if let Some(request) = node.child("Request") {
        shelf.only(
            path,
            request,
            &[
                "ConnectTimeoutInSec",
                "SocketReadTimeoutInSec",
                "Port",
                "Verb",
                "Path",
                "Header",
                "Payload",
                "IncludeHealthCheckIdHeader",
                "UseTargetServerSSLInfo",
                "IsSSL",
            ],
        );
        probe.connect_timeout_seconds = shelf.number(path, request.child("ConnectTimeoutInSec")).unwrap_or(0);
        probe.read_timeout_seconds = shelf.number(path, request.child("SocketReadTimeoutInSec")).unwrap_or(0);
        probe.port = shelf.number(path, request.child("Port"));
        probe.verb = request.text_of("Verb").to_owned();
        probe.path = request.text_of("Path").to_owned();
        probe.headers = headers(request);
        probe.payload = request.child("Payload").map_or("", Node::whole_text).to_owned();
        probe.include_health_check_id = shelf.flag(path, request.child("IncludeHealthCheckIdHeader"), false);
        probe.use_server_tls = shelf.flag(path, request.child("UseTargetServerSSLInfo"), false);
        let tls = request.child("IsSSL").filter(|node| !node.text().is_empty());
        probe.tls = tls.map(|node| shelf.flag(path, Some(node), false));
    }
    if let Some(success) = node.child("SuccessResponse") {
        shelf.only(path, success, &["ResponseCode", "Header"]);
        probe.success_statuses = numbers(shelf, path, success, "ResponseCode");
        probe.success_headers = headers(success);
    }
    probe
}

fn numbers(shelf: &mut Shelf<'_>, path: &str, node: &Node, item: &str) -> Vec<u16> {
    node.children_named(item).filter_map(|item| shelf.number(path, Some(item))).collect()
}

fn headers(node: &Node) -> Vec<Property> {
    node.children_named("Header")
        .map(|header| Property {
            name: header.attribute("name").unwrap_or_default().to_owned(),
            value: header.text().to_owned(),
        })
        .collect()
}
