//! nginx: maps as its key table and its key value map, `limit_req` as its quota, njs as its script.

use super::Seat;
use crate::bench::gateway::ground::{Ground, KEYS};
use crate::bench::gateway::work::Work;
use crate::bench::gateway::workers;
use crate::bench::nginx::Nginx;

/// Where Debian puts njs.
pub(super) const SCRIPT_MODULE: &str = "/usr/lib/nginx/modules/ngx_http_js_module.so";

pub(super) const LARGE_BUFFERS: &str =
    "proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;";

pub(super) fn start(seat: &Seat<'_>, buffers: &str) -> anyhow::Result<Nginx> {
    let work = seat.work;
    let (mut main, mut http, mut place) = (String::new(), String::new(), String::new());
    if work.checks_keys() {
        let keys: String = (0..KEYS).map(|index| format!("key-{index} app-{index};\n")).collect();
        let keys = seat.file("keys.map", &keys)?;
        http.push_str("map_hash_max_size 65536; map_hash_bucket_size 64;\n");
        http.push_str(&format!("map $http_apikey $app {{ default \"\"; include {}; }}\n", keys.display()));
        place.push_str("if ($app = \"\") { return 401; }\n");
    }
    if work.counts() {
        let by = if work.checks_keys() { "$app" } else { "$binary_remote_addr" };
        http.push_str(&format!("limit_req_zone {by} zone=limit:10m rate=1000000r/s;\n"));
        place.push_str("limit_req zone=limit burst=100000 nodelay;\n");
    }
    if work.sets_headers() {
        http.push_str("map settings $region { default none; settings eu; }\n");
        place.push_str(
            "proxy_set_header X-Region $region; proxy_set_header X-App bench; proxy_set_header apikey \"\";\n",
        );
    }
    if work.logs() {
        http.push_str(
            "log_format json escape=json '{\"at\":$msec,\"took\":$request_time,\"client\":\"$remote_addr\",\
             \"method\":\"$request_method\",\"path\":\"$uri\",\"status\":$status,\"bytes\":$body_bytes_sent,\
             \"request_id\":\"$request_id\"}';\n",
        );
        place.push_str(&format!("access_log {} json buffer=64k flush=1s;\n", seat.log().display()));
    }
    if work == Work::Script {
        main = format!("load_module {SCRIPT_MODULE};");
        let script = Ground::bundle().join("scripts/njs.js");
        http.push_str(&format!("js_import bench from {};\n", script.display()));
        place.push_str("js_header_filter bench.head; js_body_filter bench.body;\n");
    }
    let (folder, port, upstream) = (seat.folder.display(), seat.port, seat.upstream);
    let workers = workers();
    let text = format!(
        "daemon off; {main} worker_processes {workers}; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
         events {{ worker_connections 16384; }}
         http {{ access_log off; keepalive_requests 100000000; client_max_body_size 0;
           proxy_request_buffering off; proxy_max_temp_file_size 0; {buffers} {http}
           map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
           upstream target {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
           server {{ listen 127.0.0.1:{port};
             location / {{ {place} proxy_pass http://target; proxy_http_version 1.1;
               proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
               proxy_set_header X-Proxy yes; proxy_read_timeout 600s; proxy_send_timeout 600s; }} }} }}"
    );
    Nginx::run(&seat.folder, "nginx", &text, port)
}
