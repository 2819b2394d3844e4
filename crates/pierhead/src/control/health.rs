//! `/healthz`, `/readyz` and `/metrics`.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use pierhead_gateway::CounterReader;
use pierhead_store::Store;

/// What the answers are made from.
#[derive(Clone)]
pub(crate) struct Health {
    pub(crate) store: Store,
    pub(crate) gateway: CounterReader,
    /// Set once everything serves, cleared when the server begins to stop.
    pub(crate) ready: Arc<AtomicBool>,
}

pub(crate) fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(health)
}

/// 200 once everything serves; 503 with the reason before, while stopping, and when the database is away.
async fn readyz(State(health): State<Health>) -> Response {
    if !health.ready.load(Ordering::Acquire) {
        return (StatusCode::SERVICE_UNAVAILABLE, "starting or stopping\n").into_response();
    }
    match health.store.ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}

/// Prometheus text.
async fn metrics(State(health): State<Health>) -> Response {
    let counts = health.gateway.read();
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, rows: &[(&str, u64)]| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in rows {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    family("pierhead_gateway_requests_total", "counter", "Proxied requests.", &[("", counts.requests)]);
    let classes: Vec<(String, u64)> = counts
        .answers
        .iter()
        .enumerate()
        .map(|(index, count)| (format!("{{class=\"{}xx\"}}", index + 1), *count))
        .collect();
    let classes: Vec<(&str, u64)> = classes.iter().map(|(labels, count)| (labels.as_str(), *count)).collect();
    family("pierhead_gateway_answers_total", "counter", "Answers by class of status.", &classes);
    for (name, help, count) in [
        ("refused", "Requests refused for their framing.", counts.refused),
        ("shed", "Requests refused for overload.", counts.shed),
        ("failed_handshakes", "TLS handshakes of clients that failed.", counts.failed_handshakes),
        ("aborted", "Requests whose client left.", counts.aborted),
        ("target_errors", "Requests whose target failed.", counts.target_errors),
        ("received_bytes", "Bytes of request bodies.", counts.received_bytes),
        ("sent_bytes", "Bytes of answers' bodies.", counts.sent_bytes),
    ] {
        family(&format!("pierhead_gateway_{name}_total"), "counter", help, &[("", count)]);
    }
    family("pierhead_gateway_connections", "gauge", "Open client connections.", &[("", counts.connections)]);
    family(
        "pierhead_gateway_requests_in_flight",
        "gauge",
        "Requests being served.",
        &[("", counts.in_flight)],
    );
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}
