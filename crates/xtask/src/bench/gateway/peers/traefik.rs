//! Traefik: its rate limit and headers; the open edition checks neither keys nor tokens.

use std::process::{Command, Stdio};

use serde_json::json;

use super::Seat;
use crate::bench::gateway::workers;
use crate::run::Running;

pub(super) fn start(seat: &Seat<'_>) -> anyhow::Result<Running> {
    let mut middlewares = serde_json::Map::new();
    if seat.work.counts() {
        let limit = json!({"rateLimit": {"average": 1_000_000, "burst": 1_000_000}});
        middlewares.insert("limit".into(), limit);
    }
    let mut set = json!({"X-Proxy": "yes"});
    if seat.work.sets_headers() {
        // An empty value removes the header.
        set = json!({"X-Proxy": "yes", "X-Region": "eu", "X-App": "bench", "apikey": ""});
    }
    middlewares.insert("headers".into(), json!({"headers": {"customRequestHeaders": set}}));
    let names: Vec<&String> = middlewares.keys().collect();
    let upstream = format!("http://127.0.0.1:{}", seat.upstream);
    // JSON is YAML.
    let dynamic = json!({"http": {
        "routers": {"all": {"rule": "PathPrefix(`/`)", "service": "target", "middlewares": names}},
        "services": {"target": {"loadBalancer": {
            "servers": [{"url": upstream}], "serversTransport": "target", "passHostHeader": true
        }}},
        "serversTransports": {"target": {"maxIdleConnsPerHost": 128}},
        "middlewares": middlewares,
    }});
    let dynamic = seat.file("dynamic.yml", &dynamic.to_string())?;
    let fixed = json!({
        "global": {"checkNewVersion": false, "sendAnonymousUsage": false},
        "log": {"level": "ERROR"},
        "entryPoints": {"web": {
            "address": format!("127.0.0.1:{}", seat.port),
            "transport": {"respondingTimeouts": {"readTimeout": "600s", "idleTimeout": "600s"}}
        }},
        "providers": {"file": {"filename": dynamic, "watch": false}},
    });
    let fixed = seat.file("traefik.yml", &fixed.to_string())?;
    Running::start(
        Command::new(&seat.program)
            .arg(format!("--configFile={}", fixed.display()))
            .env("GOMAXPROCS", workers().to_string())
            .stdout(seat.log_file()?)
            .stderr(Stdio::null()),
    )
}
