//! Probes the servers of load balancers (api-management §3, HealthMonitor).
//!
//! One thread of a gateway does it for all: what it learns is in the balancers, which the threads share.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::balancer::{Balancer, Server};
use crate::callout::Callout;
use crate::compile::{Endpoint, HealthPlan, HttpProbePlan, TargetTimeouts};
use crate::exchange::{Message, MessageBody, Services};
use crate::server::Worker;
use crate::snapshot::Snapshot;
use crate::upstream::Upstreams;

/// How often due probes are looked for; intervals are whole seconds.
const TICK: Duration = Duration::from_millis(100);

/// The largest answer to a probe that is read.
const ANSWER_BYTES: usize = 1024 * 1024;

/// Names the monitor in a probe (`IncludeHealthCheckIdHeader`). Unsourced: the name.
const ID_HEADER: HeaderName = HeaderName::from_static("x-apigee-healthcheck-id");

/// Probes what is due; runs for ever.
pub(crate) async fn monitor(worker: Rc<Worker>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut known, mut monitored) = (None, Vec::new());
    loop {
        ticks.tick().await;
        let snapshot = worker.snapshot.peek();
        if known != Some(snapshot.generation()) {
            known = Some(snapshot.generation());
            monitored = balancers(&snapshot);
        }
        drop(snapshot);
        for balancer in &monitored {
            probe_if_due(&worker, balancer);
        }
    }
}

/// The balancers of all proxies that have a monitor.
fn balancers(snapshot: &Snapshot) -> Vec<Arc<Balancer>> {
    let targets = snapshot.proxies().flat_map(|proxy| &proxy.targets);
    targets
        .filter_map(|target| target.balancer())
        .filter(|balancer| balancer.health.is_some())
        .cloned()
        .collect()
}

fn probe_if_due(worker: &Rc<Worker>, balancer: &Arc<Balancer>) {
    let Some(plan) = &balancer.health else { return };
    let now = worker.services.clock.now().as_i64();
    if balancer.next_probe.load(Ordering::Relaxed) > now {
        return;
    }
    let interval = i64::try_from(plan.interval.as_millis()).unwrap_or(i64::MAX);
    balancer.next_probe.store(now.saturating_add(interval), Ordering::Relaxed);
    for index in 0..balancer.servers.len() {
        let (worker, balancer) = (Rc::clone(worker), Arc::clone(balancer));
        tokio::task::spawn_local(async move {
            let (Some(plan), Some(server)) = (&balancer.health, balancer.servers.get(index)) else { return };
            if is_well(&worker.services, &worker.upstreams, plan, server).await {
                balancer.succeed(index);
            } else {
                tracing::debug!(server = %server.name, "a target server failed its probe");
                balancer.fail(index, worker.services.clock.now());
            }
        });
    }
}

async fn is_well(services: &Services, upstreams: &Upstreams, plan: &HealthPlan, server: &Server) -> bool {
    let mut endpoint = server.endpoint.clone();
    if let Some(port) = plan.port {
        endpoint.port = port;
    }
    match &plan.http {
        None => upstreams.opens(&Endpoint { tls: false, ..endpoint }, plan.connect).await,
        Some(probe) => {
            endpoint.tls = probe.tls.unwrap_or(endpoint.tls);
            answers_well(services, endpoint, plan.connect, probe).await
        }
    }
}

async fn answers_well(
    services: &Services,
    endpoint: Endpoint,
    connect: Duration,
    probe: &HttpProbePlan,
) -> bool {
    let body = match probe.payload.is_empty() {
        true => MessageBody::Empty,
        false => MessageBody::Replaced(probe.payload.clone()),
    };
    let mut headers = probe.headers.clone();
    if probe.names_itself {
        let mut id = [0u8; 16];
        services.rng.fill(&mut id);
        if let Ok(id) = HeaderValue::from_str(&hex::encode(id)) {
            headers.insert(ID_HEADER, id);
        }
    }
    let request =
        Message::request(probe.method.clone(), probe.path.clone(), http::Version::HTTP_11, headers, body);
    let timeouts = TargetTimeouts { connect, ..TargetTimeouts::default() };
    let within = connect.saturating_add(probe.read);
    let callout = Callout { endpoint, request, timeouts, within, answer_limit: ANSWER_BYTES };
    let Ok(answer) = services.outbound.call(callout).await else { return false };
    probe.good_statuses.contains(&answer.status().as_u16())
        && probe.good_headers.iter().all(|(name, value)| {
            answer.headers.get_all(name).iter().any(|header| header.as_bytes() == value.as_bytes())
        })
}
