//! Apigee's target endpoints.

use pierhead_gateway::design::{
    Destination, HealthMonitor, HealthProbe, HttpProbe, LoadBalancer, Property, TargetEndpoint,
};

use super::super::Ledger;
use super::{flows, properties, tls_settings};
use crate::xml::XmlWriter;

pub(super) fn endpoint(endpoint: &TargetEndpoint, path: &str, ledger: &mut Ledger) -> XmlWriter {
    let mut x = XmlWriter::new();
    x.open("TargetEndpoint", &[("name", &endpoint.name)]);
    x.some_leaf("Description", &endpoint.description);
    flows::write(&mut x, &endpoint.flows);
    match &endpoint.destination {
        Destination::LocalProxy { proxy, endpoint } => {
            x.open("LocalTargetConnection", &[]);
            x.leaf("APIProxy", proxy);
            x.leaf("ProxyEndpoint", endpoint);
            x.close("LocalTargetConnection");
        }
        Destination::LocalPath(path) => {
            x.open("LocalTargetConnection", &[]);
            x.leaf("Path", path);
            x.close("LocalTargetConnection");
        }
        Destination::Foreign { xml, .. } => x.raw(xml),
        _ => http(&mut x, endpoint, path, ledger),
    }
    x.close("TargetEndpoint");
    x
}

fn http(x: &mut XmlWriter, endpoint: &TargetEndpoint, path: &str, ledger: &mut Ledger) {
    x.open("HTTPTargetConnection", &[]);
    properties(x, &endpoint.properties);
    if let Some(tls) = &endpoint.tls {
        tls_settings(x, tls);
    }
    if !endpoint.authentication.is_empty() {
        x.raw(&endpoint.authentication);
    }
    match &endpoint.destination {
        Destination::Url(url) => x.leaf("URL", url),
        Destination::Balanced(balancer) => load_balancer(x, balancer),
        // A provider is a named system, as a target server is; only where it listens is said elsewhere.
        Destination::Provider { name, relative_path } => {
            ledger.lose(path, format!("API provider '{name}' is written as a target server of that name"));
            x.open("LoadBalancer", &[]);
            x.leaf_with("Server", &[("name", name)], "");
            x.close("LoadBalancer");
            x.some_leaf("Path", relative_path);
        }
        _ => {}
    }
    x.close("HTTPTargetConnection");
}

fn load_balancer(x: &mut XmlWriter, balancer: &LoadBalancer) {
    x.open("LoadBalancer", &[]);
    x.some_leaf("Algorithm", &balancer.algorithm);
    for server in &balancer.servers {
        x.open("Server", &[("name", &server.name)]);
        if let Some(weight) = server.weight {
            x.leaf("Weight", &weight.to_string());
        }
        if server.disabled {
            x.leaf("IsEnabled", "false");
        }
        if server.fallback {
            x.leaf("IsFallback", "true");
        }
        x.close("Server");
    }
    some_number(x, "MaxFailures", balancer.max_failures);
    if let Some(retry) = balancer.retry {
        x.leaf("RetryEnabled", if retry { "true" } else { "false" });
    }
    if !balancer.unhealthy_statuses.is_empty() {
        x.open("ServerUnhealthyResponse", &[]);
        balancer.unhealthy_statuses.iter().for_each(|status| x.leaf("ResponseCode", &status.to_string()));
        x.close("ServerUnhealthyResponse");
    }
    some_number(x, "TargetDisableSecs", balancer.disable_seconds);
    x.close("LoadBalancer");
    x.some_leaf("Path", &balancer.path);
    if let Some(health) = &balancer.health {
        health_monitor(x, health);
    }
}

fn some_number(x: &mut XmlWriter, name: &str, number: u32) {
    if number > 0 {
        x.leaf(name, &number.to_string());
    }
}

fn health_monitor(x: &mut XmlWriter, health: &HealthMonitor) {
    x.open("HealthMonitor", &[]);
    x.leaf("IsEnabled", if health.enabled { "true" } else { "false" });
    some_number(x, "IntervalInSec", health.interval_seconds);
    match &health.probe {
        HealthProbe::Tcp { connect_timeout_seconds, port } => {
            x.open("TCPMonitor", &[]);
            some_number(x, "ConnectTimeoutInSec", *connect_timeout_seconds);
            if let Some(port) = port {
                x.leaf("Port", &port.to_string());
            }
            x.close("TCPMonitor");
        }
        HealthProbe::Http(probe) => http_probe(x, probe),
    }
    x.close("HealthMonitor");
}

fn http_probe(x: &mut XmlWriter, probe: &HttpProbe) {
    x.open("HTTPMonitor", &[]);
    x.open("Request", &[]);
    if let Some(tls) = probe.tls {
        x.leaf("IsSSL", if tls { "true" } else { "false" });
    }
    if probe.use_server_tls {
        x.leaf("UseTargetServerSSLInfo", "true");
    }
    some_number(x, "ConnectTimeoutInSec", probe.connect_timeout_seconds);
    some_number(x, "SocketReadTimeoutInSec", probe.read_timeout_seconds);
    if let Some(port) = probe.port {
        x.leaf("Port", &port.to_string());
    }
    x.some_leaf("Verb", &probe.verb);
    x.some_leaf("Path", &probe.path);
    if probe.include_health_check_id {
        x.leaf("IncludeHealthCheckIdHeader", "true");
    }
    headers(x, &probe.headers);
    x.some_leaf("Payload", &probe.payload);
    x.close("Request");
    if !probe.success_statuses.is_empty() || !probe.success_headers.is_empty() {
        x.open("SuccessResponse", &[]);
        probe.success_statuses.iter().for_each(|status| x.leaf("ResponseCode", &status.to_string()));
        headers(x, &probe.success_headers);
        x.close("SuccessResponse");
    }
    x.close("HTTPMonitor");
}

fn headers(x: &mut XmlWriter, headers: &[Property]) {
    for header in headers {
        x.leaf_with("Header", &[("name", &header.name)], &header.value);
    }
}
