//! Caddy: headers only; keys, quotas and tokens are other people's modules.

use std::process::{Command, Stdio};

use super::Seat;
use crate::bench::gateway::workers;
use crate::run::Running;

pub(super) fn start(seat: &Seat<'_>) -> anyhow::Result<Running> {
    let headers = if seat.work.sets_headers() {
        "header_up X-Region {region}\n    header_up X-App bench\n    header_up -apikey"
    } else {
        ""
    };
    let text = format!(
        "{{\n  admin off\n  auto_https off\n  persist_config off\n  log {{\n    level ERROR\n  }}\n}}\n\
         http://127.0.0.1:{} {{\n  map {{scheme}} {{region}} {{\n    http eu\n    default none\n  }}\n  \
         reverse_proxy 127.0.0.1:{} {{\n    header_up X-Proxy yes\n    {headers}\n    transport http {{\n      \
         keepalive_idle_conns_per_host 128\n    }}\n  }}\n}}\n",
        seat.port, seat.upstream
    );
    let config = seat.file("Caddyfile", &text)?;
    Running::start(
        Command::new(&seat.program)
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(config)
            .env("GOMAXPROCS", workers().to_string())
            .env("XDG_DATA_HOME", &seat.folder)
            .env("XDG_CONFIG_HOME", &seat.folder)
            .stdout(Stdio::null())
            .stderr(seat.log_file()?),
    )
}
