//! The gateways on Node: express-gateway, and the core of Apigee's microgateway. Each in a cluster of as many
//! processes as the others have workers.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::Seat;
use crate::bench::gateway::ground::Ground;
use crate::bench::gateway::work::Work;
use crate::bench::gateway::workers;
use crate::peers::debian;
use crate::run::{Running, cache, call};

/// Installs one package into a prefix of its own; the package's folder. No script of a package runs.
pub(super) fn install(package: &str, version: &str) -> anyhow::Result<PathBuf> {
    debian::ensure("node", "nodejs")?;
    debian::ensure("npm", "npm")?;
    let prefix = cache()?.join("node").join(package);
    let (folder, stamp) = (prefix.join("node_modules").join(package), prefix.join("installed"));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == version) {
        return Ok(folder);
    }
    std::fs::create_dir_all(&prefix)?;
    call(
        Command::new("npm")
            .args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
            .arg(&prefix)
            .arg(format!("{package}@{version}")),
    )?;
    std::fs::write(stamp, version)?;
    Ok(folder)
}

pub(super) fn express_gateway(seat: &Seat<'_>) -> anyhow::Result<Running> {
    let models = seat.folder.join("models");
    std::fs::create_dir_all(&models)?;
    for model in std::fs::read_dir(seat.program.join("lib/config/models"))? {
        let model = model?;
        std::fs::copy(model.path(), models.join(model.file_name()))?;
    }
    let system = json!({
        "db": {"redis": {"emulate": true, "namespace": "EG"}},
        "crypto": {"cipherKey": "bench", "algorithm": "aes256", "saltRounds": 10},
        "session": {"secret": "bench", "resave": false, "saveUninitialized": false},
        "accessTokens": {"timeToExpiry": 7_200_000}, "refreshTokens": {"timeToExpiry": 7_200_000},
        "authorizationCodes": {"timeToExpiry": 300_000},
    });
    seat.file("system.config.yml", &system.to_string())?;
    let mut steps = Vec::new();
    if seat.work.counts() {
        let limit = json!({"max": 1_000_000_000, "windowMs": 3_600_000, "delayAfter": 0, "delayMs": 0, "rateLimitBy": "${req.ip}"});
        steps.push(json!({"rate-limit": [{"action": limit}]}));
    }
    steps.push(json!({"proxy": [{"action": {"serviceEndpoint": "target", "changeOrigin": true}}]}));
    let gateway = json!({
        "http": {"port": seat.port, "hostname": "127.0.0.1"},
        "apiEndpoints": {"all": {"host": "*", "paths": "/*"}},
        "serviceEndpoints": {"target": {"url": format!("http://127.0.0.1:{}", seat.upstream)}},
        "policies": ["proxy", "rate-limit"],
        "pipelines": {"bench": {"apiEndpoints": ["all"], "policies": steps}},
    });
    seat.file("gateway.config.yml", &gateway.to_string())?;
    cluster(seat, &format!("require({})().load({}).run();", quoted(&seat.program), quoted(&seat.folder)))
}

pub(super) fn microgateway(seat: &Seat<'_>) -> anyhow::Result<Running> {
    let scripted = seat.work == Work::Script;
    let config = json!({
        "uid": "bench",
        "edgemicro": {
            "port": seat.port, "address": "127.0.0.1", "max_connections": 1000, "nodelay": true,
            "logging": {"level": "none", "dir": seat.folder, "stats_log_interval": 3600,
                        "rotate_interval": 24, "to_console": false},
            "plugins": {"sequence": if scripted { vec!["transform"] } else { Vec::new() }},
        },
        "targets": [],
        "proxies": [{
            "name": "bench", "revision": "1", "proxy_name": "default", "base_path": "/",
            "target_name": "default", "url": format!("http://127.0.0.1:{}", seat.upstream),
            "max_connections": 1000, "useTargetConnectionPool": true,
        }],
    });
    // What its own plugins do to see a whole body: gather, then answer at the end.
    let plugin = format!(
        "const source = require('fs').readFileSync({}, 'utf8').split('function head')[0];
         const transform = new Function(source + '; return transform;')();
         gateway.addPlugin('transform', () => ({{
           onresponse: (req, res, data, next) => {{ res.removeHeader('content-length'); next(); }},
           ondata_response: (req, res, data, next) => {{ (res.parts ||= []).push(data); next(null, null); }},
           onend_response: (req, res, data, next) => {{
             if (data) (res.parts ||= []).push(data);
             next(null, transform(Buffer.concat(res.parts || []).toString()));
           }},
         }}));",
        quoted(&Ground::bundle().join("scripts/njs.js"))
    );
    let serve = format!(
        "const config = {config};
         config.proxies.forEach(proxy => proxy.parsedUrl = require('url').parse(proxy.url));
         const gateway = require({})(config); {} gateway.start(() => {{}});",
        quoted(&seat.program),
        if scripted { plugin.as_str() } else { "" }
    );
    cluster(seat, &serve)
}

/// Runs a script in every process of a cluster.
fn cluster(seat: &Seat<'_>, serve: &str) -> anyhow::Result<Running> {
    let text = format!(
        "const cluster = require('cluster');
         if (cluster.isPrimary) {{ for (let i = 0; i < {}; i++) cluster.fork(); }} else {{ {serve} }}",
        workers()
    );
    let script = seat.file("server.js", &text)?;
    let log = seat.log_file()?;
    Running::start(
        Command::new("node")
            .arg(script)
            .current_dir(&seat.folder)
            .env("NODE_ENV", "production")
            .env("LOG_LEVEL", "error")
            .env("EG_DISABLE_CONFIG_WATCH", "1")
            .stderr(log.try_clone()?)
            .stdout(log),
    )
}

fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.display().to_string()).to_string()
}
