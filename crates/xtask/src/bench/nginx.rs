//! nginx, as upstream and as the peer to compare with.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use crate::run::wait_for_port;

/// A running nginx; stopped with its workers when dropped.
pub(super) struct Nginx {
    master: Child,
    config: PathBuf,
}

impl Nginx {
    /// Serves the files in `root`.
    pub(super) fn files(folder: &Path, root: &Path, port: u16) -> anyhow::Result<Self> {
        let server = format!("sendfile on; server {{ listen 127.0.0.1:{port}; root {}; }}", root.display());
        Self::start(folder, "upstream", &server, port)
    }

    /// A proxy towards `upstream`: keep-alive of 64, HTTP/1.1, no access log, bodies streamed. `extra` goes
    /// into its `http` block.
    pub(super) fn proxy(
        folder: &Path,
        name: &str,
        port: u16,
        upstream: u16,
        extra: &str,
    ) -> anyhow::Result<Self> {
        let server = format!(
            "proxy_request_buffering off; proxy_max_temp_file_size 0; {extra}
             upstream target {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
             server {{ listen 127.0.0.1:{port};
               location / {{ proxy_pass http://target; proxy_http_version 1.1;
                 proxy_set_header Connection \"\"; proxy_set_header X-Proxy yes; }} }}"
        );
        Self::start(folder, name, &server, port)
    }

    pub(super) fn start(folder: &Path, name: &str, http: &str, port: u16) -> anyhow::Result<Self> {
        let text = format!(
            "daemon off; worker_processes 2; pid {0}/{name}.pid; error_log {0}/{name}.log;
             events {{ worker_connections 4096; }}
             http {{ access_log off; keepalive_requests 100000000; {http} }}",
            folder.display()
        );
        Self::run(folder, name, &text, port)
    }

    /// Runs it with a whole configuration, which keeps it in the foreground.
    pub(super) fn run(folder: &Path, name: &str, text: &str, port: u16) -> anyhow::Result<Self> {
        let config = folder.join(format!("{name}.conf"));
        std::fs::write(&config, text)?;
        let master = Command::new("nginx")
            .arg("-c")
            .arg(&config)
            .stderr(Stdio::null())
            .spawn()
            .context("starting nginx")?;
        let this = Self { master, config };
        wait_for_port(port)?;
        Ok(this)
    }

    pub(super) fn pid(&self) -> u32 {
        self.master.id()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // A killed master would leave its workers behind: ask it to stop.
        let stopped = Command::new("nginx")
            .arg("-c")
            .arg(&self.config)
            .args(["-s", "stop"])
            .stderr(Stdio::null())
            .status();
        if !stopped.is_ok_and(|status| status.success()) {
            let _ = self.master.kill();
        }
        let _ = self.master.wait();
    }
}
