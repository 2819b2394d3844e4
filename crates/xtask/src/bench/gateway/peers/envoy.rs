//! Envoy: local rate limit, API key and JWT filters, its file access log.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::Seat;
use crate::bench::gateway::ground::{ISSUER, KEYS};
use crate::bench::gateway::workers;
use crate::run::Running;

const EXTENSIONS: &str = "type.googleapis.com/envoy.extensions";

pub(super) fn start(seat: &Seat<'_>) -> anyhow::Result<Running> {
    let config = seat.file("envoy.json", &configuration(seat).to_string())?;
    Running::start(
        Command::new(&seat.program)
            .arg("-c")
            .arg(config)
            .args(["--concurrency", &workers().to_string(), "--disable-hot-restart", "-l", "error"])
            .stdout(Stdio::null())
            .stderr(seat.log_file()?),
    )
}

fn filter(name: &str, package: &str, message: &str, mut settings: Value) -> Value {
    settings["@type"] = format!("{EXTENSIONS}.filters.http.{package}.v3.{message}").into();
    json!({"name": name, "typed_config": settings})
}

fn configuration(seat: &Seat<'_>) -> Value {
    let work = seat.work;
    let mut filters = Vec::new();
    if work.checks_keys() {
        let keys: Vec<_> = (0..KEYS)
            .map(|index| json!({"key": format!("key-{index}"), "client": format!("app-{index}")}))
            .collect();
        let settings = json!({"credentials": keys, "key_sources": [{"header": "apikey"}]});
        filters.push(filter("key", "api_key_auth", "ApiKeyAuth", settings));
    }
    if work.checks_tokens() {
        let provider =
            json!({"issuer": ISSUER, "local_jwks": {"inline_string": seat.ground.key_set}, "forward": true});
        let settings = json!({
            "providers": {"bench": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "bench"}}]
        });
        filters.push(filter("token", "jwt_authn", "JwtAuthentication", settings));
    }
    if work.counts() {
        let always = json!({"default_value": {"numerator": 100, "denominator": "HUNDRED"}});
        let settings = json!({
            "stat_prefix": "limit", "filter_enabled": always, "filter_enforced": always,
            "token_bucket": {"max_tokens": 1_000_000_000, "tokens_per_fill": 1_000_000_000, "fill_interval": "3600s"},
        });
        filters.push(filter("limit", "local_ratelimit", "LocalRateLimit", settings));
    }
    filters.push(filter("envoy.filters.http.router", "router", "Router", json!({})));

    let header = |name: &str, value: &str| json!({"header": {"key": name, "value": value}});
    let mut added = vec![header("x-proxy", "yes")];
    let mut removed = Vec::new();
    if work.sets_headers() {
        added.extend([header("x-region", "eu"), header("x-app", "bench")]);
        removed.push("apikey");
    }
    let log = json!({
        "name": "log",
        "typed_config": {
            "@type": format!("{EXTENSIONS}.access_loggers.file.v3.FileAccessLog"),
            "path": seat.folder.join("access.log"),
            "log_format": {"json_format": {
                "at": "%START_TIME%", "took": "%DURATION%", "client": "%DOWNSTREAM_REMOTE_ADDRESS%",
                "method": "%REQ(:METHOD)%", "path": "%REQ(:PATH)%", "status": "%RESPONSE_CODE%",
                "bytes": "%BYTES_SENT%", "request_id": "%REQ(X-REQUEST-ID)%"
            }}
        }
    });
    let manager = json!({
        "@type": format!("{EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "all",
        "codec_type": "HTTP1",
        "access_log": if work.logs() { vec![log] } else { Vec::new() },
        "http_filters": filters,
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "route_config": {
            "request_headers_to_add": added,
            "request_headers_to_remove": removed,
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
                {"match": {"prefix": "/"}, "route": {"cluster": "target", "timeout": "0s"}}
            ]}]
        }
    });
    let most = 1_000_000;
    json!({"static_resources": {
        "listeners": [{
            "address": address(seat.port),
            "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]
        }],
        "clusters": [{
            "name": "target", "type": "STATIC", "connect_timeout": "5s",
            "circuit_breakers": {"thresholds": [{
                "max_connections": most, "max_pending_requests": most, "max_requests": most, "max_retries": most
            }]},
            "load_assignment": {"cluster_name": "target", "endpoints": [{"lb_endpoints": [
                {"endpoint": {"address": address(seat.upstream)}}
            ]}]}
        }]
    }})
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}
