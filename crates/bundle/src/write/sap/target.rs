//! SAP's target endpoints.

use pierhead_gateway::design::{
    BalancedServer, Destination, HealthMonitor, HealthProbe, LoadBalancer, TargetEndpoint,
};
use serde_json::{Map, Value, json};

use super::super::Ledger;
use super::flows;
use crate::xml::XmlWriter;

pub(super) fn endpoint(
    endpoint: &TargetEndpoint,
    is_default: bool,
    path: &str,
    ledger: &mut Ledger,
) -> XmlWriter {
    let mut x = XmlWriter::new();
    x.open("TargetEndPoint", &[]);
    x.leaf("name", &endpoint.name);
    match &endpoint.destination {
        Destination::Url(url) => {
            x.leaf("url", url);
            x.leaf("provider_id", "NONE");
        }
        Destination::Provider { name, relative_path } => provider(&mut x, name, relative_path),
        Destination::Balanced(balancer) => match balancer.servers.as_slice() {
            [one] if is_plain(balancer) => provider(&mut x, &one.name, &balancer.path),
            _ => load_balancer(&mut x, balancer, path, ledger),
        },
        other => {
            match other {
                Destination::LocalProxy { .. } | Destination::LocalPath(_) => {
                    ledger.lose(path, "LocalTargetConnection");
                }
                Destination::Foreign { kind, .. } => ledger.lose(path, kind.as_str()),
                _ => {}
            }
            x.leaf("provider_id", "NONE");
        }
    }
    x.leaf("isDefault", if is_default { "true" } else { "false" });
    flows::properties(&mut x, &endpoint.properties);
    flows::write(&mut x, &endpoint.flows, path, ledger);
    x.close("TargetEndPoint");
    if !endpoint.description.is_empty() {
        ledger.lose(path, "descriptions of endpoints and flows");
    }
    if endpoint.tls.is_some() {
        ledger.lose(path, "SSLInfo: TLS belongs to the API provider");
    }
    if !endpoint.authentication.is_empty() {
        ledger.lose(path, "Authentication of the connection");
    }
    x
}

fn provider(x: &mut XmlWriter, name: &str, relative_path: &str) {
    x.leaf("provider_id", name);
    x.leaf("relativePath", relative_path);
}

/// Whether it balances nothing: one server, and no setting.
fn is_plain(balancer: &LoadBalancer) -> bool {
    let LoadBalancer { servers, path, .. } = balancer;
    let server = |name: &str| BalancedServer { name: name.to_owned(), ..BalancedServer::default() };
    let plain = LoadBalancer {
        servers: servers.iter().map(|one| server(&one.name)).collect(),
        path: path.clone(),
        ..LoadBalancer::default()
    };
    *balancer == plain
}

fn load_balancer(x: &mut XmlWriter, balancer: &LoadBalancer, path: &str, ledger: &mut Ledger) {
    let (servers, disabled): (Vec<_>, Vec<_>) = balancer.servers.iter().partition(|server| !server.disabled);
    if !disabled.is_empty() {
        ledger.lose(path, "servers of a load balancer that are switched off");
    }
    // With one server the list alone tells that there is a balancer.
    let (first, additional) = match servers.split_first() {
        Some((first, rest)) if !rest.is_empty() => (first.name.as_str(), rest),
        _ => ("NONE", servers.as_slice()),
    };
    x.leaf("provider_id", first);
    x.leaf("relativePath", &balancer.path);
    x.open("additionalAPIProviders", &[]);
    additional.iter().for_each(|server| x.leaf("provider_id", &server.name));
    x.close("additionalAPIProviders");
    x.open("loadBalancerConfigurations", &[]);
    if balancer.max_failures > 0 {
        x.leaf("maxFailures", &balancer.max_failures.to_string());
    }
    let mut fallbacks = servers.iter().filter(|server| server.fallback);
    if let Some(server) = fallbacks.next() {
        x.leaf("fallBackServer", &server.name);
    }
    if fallbacks.next().is_some() {
        ledger.lose(path, "a second fallback server");
    }
    x.some_leaf("algorithm", &balancer.algorithm);
    x.some_leaf("serverUnhealthyResponseCode", &comma_list(balancer.unhealthy_statuses.iter()));
    if let Some(retry) = balancer.retry {
        x.leaf("isRetry", if retry { "true" } else { "false" });
    }
    if servers.iter().any(|server| server.weight.is_some()) {
        x.leaf("weigths", &comma_list(servers.iter().map(|server| server.weight.unwrap_or(1))));
    }
    if let Some(health) = &balancer.health {
        health_monitor(x, health, path, ledger);
    }
    x.close("loadBalancerConfigurations");
    if balancer.disable_seconds > 0 {
        ledger.lose(path, "TargetDisableSecs");
    }
}

fn comma_list(numbers: impl Iterator<Item = impl ToString>) -> String {
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(",")
}

fn health_monitor(x: &mut XmlWriter, health: &HealthMonitor, path: &str, ledger: &mut Ledger) {
    x.open("healthMonitor", &[]);
    if health.interval_seconds > 0 {
        x.leaf("intervalInSec", &health.interval_seconds.to_string());
    }
    x.leaf("isEnabled", if health.enabled { "true" } else { "false" });
    match &health.probe {
        HealthProbe::Tcp { connect_timeout_seconds, port } => {
            let settings = some_settings([
                ("connectTimeoutInSec", non_zero(*connect_timeout_seconds)),
                ("port", port.map(Value::from)),
            ]);
            x.leaf("tcpMonitor", &settings.to_string());
        }
        HealthProbe::Http(probe) => {
            let request = some_settings([
                ("connectTimeoutInSec", non_zero(probe.connect_timeout_seconds)),
                ("socketReadTimeoutInSec", non_zero(probe.read_timeout_seconds)),
                ("port", probe.port.map(Value::from)),
                ("verb", text(&probe.verb)),
                ("path", text(&probe.path)),
            ]);
            let code = match probe.success_statuses.as_slice() {
                [] => None,
                [one] => Some(Value::from(*one)),
                many => Some(json!(many)),
            };
            let success = some_settings([("responseCode", code)]);
            x.leaf("httpMonitor", &json!({"request": request, "successResponse": success}).to_string());
            let plain = probe.headers.is_empty()
                && probe.payload.is_empty()
                && probe.success_headers.is_empty()
                && probe.tls.is_none()
                && !probe.include_health_check_id
                && !probe.use_server_tls;
            if !plain {
                ledger.lose(path, "headers, payload and TLS settings of a health monitor");
            }
        }
    }
    x.close("healthMonitor");
}

fn non_zero(number: u32) -> Option<Value> {
    (number > 0).then(|| number.into())
}

fn text(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| text.into())
}

fn some_settings<const N: usize>(settings: [(&str, Option<Value>); N]) -> Value {
    let some = settings.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(some.collect::<Map<_, _>>())
}
