//! HAProxy: maps, a stick table and its JWT converters.

use std::process::{Command, Stdio};

use super::Seat;
use crate::bench::gateway::ground::{ISSUER, KEYS};
use crate::bench::gateway::workers;
use crate::run::Running;

pub(super) fn start(seat: &Seat<'_>) -> anyhow::Result<Running> {
    let work = seat.work;
    let mut steps = String::new();
    if work.checks_keys() {
        let keys: String = (0..KEYS).map(|index| format!("key-{index} app-{index}\n")).collect();
        let keys = seat.file("keys.map", &keys)?;
        steps.push_str(&format!(
            "  http-request set-var(txn.app) req.hdr(apikey),map_str({})\n  \
               http-request deny deny_status 401 if !{{ var(txn.app) -m found }}\n",
            keys.display()
        ));
    }
    if work.counts() {
        let by = if work.checks_keys() { "var(txn.app)" } else { "src" };
        steps.push_str(&format!(
            "  http-request track-sc0 {by} table limit\n  \
               http-request deny deny_status 429 if {{ sc0_http_req_rate(limit) gt 1000000000 }}\n"
        ));
    }
    if work.checks_tokens() {
        let key = seat.ground.public_key_file.display();
        steps.push_str(&format!(
            "  http-request set-var(txn.token) http_auth_bearer\n  \
               http-request deny deny_status 401 if !{{ var(txn.token),jwt_verify(\"RS256\",\"{key}\") -m int 1 }}\n  \
               http-request deny deny_status 401 if !{{ var(txn.token),jwt_payload_query('$.iss') -m str {ISSUER} }}\n  \
               http-request set-var(txn.now) date()\n  \
               http-request deny deny_status 401 if {{ var(txn.token),jwt_payload_query('$.exp','int'),sub(txn.now) -m int lt 0 }}\n"
        ));
    }
    if work.sets_headers() {
        let settings = seat.file("settings.map", "region eu\n")?;
        steps.push_str(&format!(
            "  http-request set-header X-Region %[str(region),map_str({})]\n  \
               http-request set-header X-App bench\n  http-request del-header apikey\n",
            settings.display()
        ));
    }
    let (log, logged) = if work.logs() {
        (
            "  log stdout format raw local0\n",
            "  log global\n  log-format '{\"at\":%Ts,\"took\":%Ta,\"client\":\"%ci\",\"method\":\"%HM\",\"path\":\"%HP\",\"status\":%ST,\"bytes\":%B}'\n",
        )
    } else {
        ("", "")
    };
    let key = if work.checks_keys() { "string len 32" } else { "ip" };
    let (threads, port, upstream) = (workers(), seat.port, seat.upstream);
    let text = format!(
        "global\n  nbthread {threads}\n  maxconn 9900\n{log}\
         defaults\n  mode http\n  timeout connect 5s\n  timeout client 600s\n  timeout server 600s\n  http-reuse always\n{logged}\
         backend limit\n  stick-table type {key} size 100k expire 1h store http_req_rate(1h)\n\
         frontend all\n  bind 127.0.0.1:{port}\n{steps}  http-request set-header X-Proxy yes\n  default_backend target\n\
         backend target\n  server target 127.0.0.1:{upstream}\n"
    );
    let config = seat.file("haproxy.cfg", &text)?;
    Running::start(
        Command::new(&seat.program)
            .arg("-db")
            .arg("-f")
            .arg(config)
            .stdout(seat.log_file()?)
            .stderr(Stdio::null()),
    )
}
