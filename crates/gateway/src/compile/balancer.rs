//! Compiling load balancers.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{Compiler, DesignPart, DestinationPlan};
use crate::balancer::{Balancer, Server};
use crate::design::{HealthMonitor, HealthProbe, HttpProbe, LoadBalancer, Property};
use crate::template::Template;

/// How the servers of a balancer are probed.
#[derive(Debug)]
pub(crate) struct HealthPlan {
    pub(crate) interval: Duration,
    pub(crate) connect: Duration,
    pub(crate) port: Option<u16>,
    /// `None` probes that a connection opens.
    pub(crate) http: Option<HttpProbePlan>,
}

#[derive(Debug)]
pub(crate) struct HttpProbePlan {
    pub(crate) read: Duration,
    pub(crate) method: Method,
    pub(crate) path: http::uri::PathAndQuery,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: bytes::Bytes,
    pub(crate) names_itself: bool,
    pub(crate) tls: Option<bool>,
    pub(crate) good_statuses: Vec<u16>,
    pub(crate) good_headers: Vec<(HeaderName, Box<str>)>,
}

/// Turns of one round at most; larger weights are scaled down.
const MAX_TURNS: u64 = 1000;

impl Compiler<'_> {
    pub(super) fn balancer(&mut self, part: &DesignPart, design: &LoadBalancer) -> DestinationPlan {
        let (mut servers, mut fallbacks, mut weighted) = (Vec::new(), Vec::new(), Vec::new());
        for server in &design.servers {
            let Some((endpoint, enabled)) = self.world.server(&server.name) else {
                let message = format!("there is no target server or API provider '{}'", server.name);
                self.problem(part, "UnknownTargetServer", message);
                continue;
            };
            if server.disabled || !enabled {
                continue;
            }
            if server.fallback {
                fallbacks.push(servers.len());
            } else {
                weighted.push((servers.len(), u64::from(server.weight.unwrap_or(1))));
            }
            match self.world.secured(&endpoint) {
                Ok(endpoint) => servers.push(Server::new(server.name.as_str().into(), endpoint)),
                Err(unmet) => {
                    let reason = format!("target server '{}': {unmet}", server.name);
                    return self.unavailable(part, "SSLInfo", &reason);
                }
            }
        }
        if design.servers.is_empty() {
            self.problem(part, "NoTargetServer", "a LoadBalancer needs a Server");
        }
        let algorithm = design.algorithm.trim();
        let turns = match algorithm {
            "" | "RoundRobin" | "LeastConnections" => weighted.iter().map(|(server, _)| *server).collect(),
            "Weighted" => turns_by_weight(&weighted),
            other => {
                let message =
                    format!("the algorithm '{other}' is none of RoundRobin, Weighted and LeastConnections");
                self.problem(part, "UnknownAlgorithm", message);
                Vec::new()
            }
        };
        let path = Template::parse(design.path.trim()).unwrap_or_else(|bad| {
            self.problem(part, "InvalidTargetPath", bad.to_string());
            Template::default()
        });
        let health = design.health.as_ref().filter(|health| health.enabled);
        let health = health.and_then(|health| self.health(part, health));
        let left_out_for =
            (design.disable_seconds > 0).then(|| Duration::from_secs(design.disable_seconds.into()));
        DestinationPlan::Balanced(Arc::new(Balancer {
            servers,
            fallbacks,
            turns: turns.into(),
            least_connections: algorithm == "LeastConnections",
            path,
            max_failures: design.max_failures,
            retries: design.retry.unwrap_or(true),
            unhealthy: design.unhealthy_statuses.as_slice().into(),
            left_out_for,
            health,
            next_turn: AtomicUsize::new(0),
            next_probe: AtomicI64::new(0),
        }))
    }

    fn health(&mut self, part: &DesignPart, design: &HealthMonitor) -> Option<HealthPlan> {
        let interval = Duration::from_secs(design.interval_seconds.max(1).into());
        let connect_of = |seconds: u32| match seconds {
            0 => Duration::from_secs(3),
            seconds => Duration::from_secs(seconds.into()),
        };
        Some(match &design.probe {
            HealthProbe::Tcp { connect_timeout_seconds, port } => HealthPlan {
                interval,
                connect: connect_of(*connect_timeout_seconds),
                port: *port,
                http: None,
            },
            HealthProbe::Http(probe) => HealthPlan {
                interval,
                connect: connect_of(probe.connect_timeout_seconds),
                port: probe.port,
                http: Some(self.http_probe(part, probe)?),
            },
        })
    }

    fn http_probe(&mut self, part: &DesignPart, probe: &HttpProbe) -> Option<HttpProbePlan> {
        let mut wrong = |what: &str| {
            let message = format!("HealthMonitor: {what}");
            self.problem(part, "InvalidHealthMonitor", message);
        };
        let verb = if probe.verb.trim().is_empty() { "GET" } else { probe.verb.trim() };
        let method = Method::from_bytes(verb.as_bytes()).map_err(|_| wrong("the verb is no verb")).ok();
        let rooted = format!("/{}", probe.path.trim().trim_start_matches('/'));
        let path = rooted.parse().map_err(|_| wrong("the path is no path")).ok();
        let named = |header: &Property| HeaderName::from_bytes(header.name.trim().as_bytes()).ok();
        let (mut headers, mut good_headers) = (HeaderMap::new(), Vec::new());
        for header in &probe.headers {
            match (named(header), HeaderValue::from_str(header.value.trim())) {
                (Some(name), Ok(value)) => {
                    headers.append(name, value);
                }
                _ => wrong("a header of the request is no header"),
            }
        }
        for header in &probe.success_headers {
            match named(header) {
                Some(name) => good_headers.push((name, header.value.trim().into())),
                None => wrong("a header of the answer is no header"),
            }
        }
        Some(HttpProbePlan {
            read: match probe.read_timeout_seconds {
                0 => Duration::from_secs(55),
                seconds => Duration::from_secs(seconds.into()),
            },
            method: method?,
            path: path?,
            headers,
            payload: bytes::Bytes::copy_from_slice(probe.payload.as_bytes()),
            names_itself: probe.include_health_check_id,
            tls: probe.tls,
            good_statuses: if probe.success_statuses.is_empty() {
                vec![200]
            } else {
                probe.success_statuses.clone()
            },
            good_headers,
        })
    }
}

/// A round of turns in which each server has as many as its weight, spread evenly.
pub(crate) fn turns_by_weight(servers: &[(usize, u64)]) -> Vec<usize> {
    let total: u64 = servers.iter().map(|(_, weight)| weight).sum();
    let scale = total.div_ceil(MAX_TURNS).max(1);
    let scaled: Vec<(usize, i64)> = servers
        .iter()
        .filter(|(_, weight)| *weight > 0)
        .map(|(server, weight)| (*server, i64::try_from((weight / scale).max(1)).unwrap_or(1)))
        .collect();
    let total: i64 = scaled.iter().map(|(_, weight)| weight).sum();
    let mut credit: Vec<i64> = vec![0; scaled.len()];
    let mut turns = Vec::new();
    for _ in 0..total {
        for (credit, (_, weight)) in credit.iter_mut().zip(&scaled) {
            *credit += weight;
        }
        // The first of those with the most credit.
        let richest = (0..credit.len()).max_by_key(|index| (credit[*index], std::cmp::Reverse(*index)));
        if let Some(richest) = richest {
            credit[richest] -= total;
            turns.push(scaled[richest].0);
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::turns_by_weight;

    #[test]
    fn turns_are_spread_by_weight() {
        assert_eq!(turns_by_weight(&[(0, 1), (1, 3)]), [1, 0, 1, 1]);
        assert_eq!(turns_by_weight(&[(0, 1), (1, 1)]), [0, 1]);
        assert_eq!(turns_by_weight(&[(0, 0), (2, 2)]), [2, 2]);
        let many = turns_by_weight(&[(0, 1_000_000), (1, 3_000_000)]);
        assert!(many.len() <= 1000);
        assert_eq!(many.iter().filter(|server| **server == 0).count() * 4, many.len());
    }
}
