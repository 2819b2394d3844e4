//! Where a target endpoint sends its requests, as JSON: `uRL`, `loadBalancer`, `aPIProxy` and `proxyEndpoint`, `path`,
//! or what the original lacks, `provider` and `relativePath`.

use pierhead_gateway::design::{BalancedServer, Destination, LoadBalancer};
use serde_json::{Value, json};

use super::given::{flag, list, number, object, text};

/// The connection of a destination.
pub(super) fn shown(destination: &Destination) -> Value {
    match destination {
        Destination::None => json!({"connectionType": "none"}),
        Destination::Url(url) => json!({"connectionType": "httpConnection", "uRL": url}),
        Destination::Provider { name, relative_path } => {
            json!({"connectionType": "httpConnection", "provider": name, "relativePath": relative_path})
        }
        Destination::Balanced(balancer) => {
            let servers: Vec<Value> = balancer.servers.iter().map(server_shown).collect();
            let balancer = json!({
                "algorithm": balancer.algorithm, "servers": servers, "path": balancer.path,
                "maxFailures": balancer.max_failures, "retryEnabled": balancer.retry.unwrap_or(true),
                "healthMonitor": balancer.health.as_ref().is_some_and(|health| health.enabled),
            });
            json!({"connectionType": "httpConnection", "loadBalancer": balancer})
        }
        Destination::LocalProxy { proxy, endpoint } => {
            json!({"connectionType": "localConnection", "aPIProxy": proxy, "proxyEndpoint": endpoint})
        }
        Destination::LocalPath(path) => json!({"connectionType": "localConnection", "path": path}),
        Destination::Foreign { kind, .. } => json!({"connectionType": kind}),
    }
}

fn server_shown(server: &BalancedServer) -> Value {
    json!({
        "name": server.name, "weight": server.weight.unwrap_or(1), "isFallback": server.fallback,
        "isEnabled": !server.disabled,
    })
}

/// Puts the destination that a connection names in place of the old one; one that names none stays. A load balancer
/// keeps what a body cannot say: statuses that count as failures, and how its servers are probed.
pub(super) fn change(destination: &mut Destination, connection: &Value) -> Result<(), String> {
    let mut said = Vec::new();
    if let Some(url) = text(connection, "uRL")? {
        said.push(Destination::Url(url));
    }
    if let Some(name) = text(connection, "provider")? {
        let relative_path = match text(connection, "relativePath")? {
            Some(path) if !path.starts_with('/') && !path.is_empty() => format!("/{path}"),
            path => path.unwrap_or_default(),
        };
        said.push(Destination::Provider { name, relative_path });
    }
    if let Some(proxy) = text(connection, "aPIProxy")? {
        let endpoint = text(connection, "proxyEndpoint")?.filter(|name| !name.is_empty());
        said.push(Destination::LocalProxy { proxy, endpoint: endpoint.unwrap_or_else(|| "default".into()) });
    }
    if let Some(path) = text(connection, "path")? {
        said.push(Destination::LocalPath(path));
    }
    if let Some(given) = object(connection, "loadBalancer")? {
        let mut balancer = match &*destination {
            Destination::Balanced(old) => old.clone(),
            _ => LoadBalancer::default(),
        };
        change_balancer(&mut balancer, given)?;
        said.push(Destination::Balanced(balancer));
    }
    if said.is_empty() && text(connection, "connectionType")?.as_deref() == Some("none") {
        said.push(Destination::None);
    }
    if said.len() > 1 {
        return Err("connection must name one of uRL, provider, aPIProxy, path and loadBalancer".into());
    }
    if let Some(new) = said.pop() {
        *destination = new;
    }
    Ok(())
}

fn change_balancer(balancer: &mut LoadBalancer, given: &Value) -> Result<(), String> {
    if let Some(algorithm) = text(given, "algorithm")? {
        balancer.algorithm = algorithm;
    }
    if let Some(path) = text(given, "path")? {
        balancer.path = path;
    }
    if let Some(failures) = number(given, "maxFailures")? {
        balancer.max_failures = failures;
    }
    if let Some(retry) = flag(given, "retryEnabled")? {
        // Yes is what silence means, and what an export leaves out.
        balancer.retry = if retry { None } else { Some(false) };
    }
    if let Some(servers) = list(given, "servers")? {
        balancer.servers = servers.iter().map(server).collect::<Result<_, _>>()?;
    }
    if balancer.servers.is_empty() {
        return Err("loadBalancer.servers must name at least one server".into());
    }
    Ok(())
}

/// A name alone, or `{"name", "weight", "isFallback", "isEnabled"}`.
fn server(given: &Value) -> Result<BalancedServer, String> {
    let name = match given {
        Value::String(name) => Some(name.clone()),
        given => text(given, "name")?,
    };
    let name = name.filter(|name| !name.is_empty()).ok_or("loadBalancer.servers: each must have a name")?;
    Ok(BalancedServer {
        name,
        weight: number(given, "weight")?.filter(|weight| *weight != 1),
        fallback: flag(given, "isFallback")?.unwrap_or(false),
        disabled: !flag(given, "isEnabled")?.unwrap_or(true),
    })
}
