//! The gateway beside nginx: CPU per request, the main figure of the data plane (performance A2, A7).

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::Options;
use super::nginx::Nginx;
use super::rounds::{Case, Target, measure, print};
use crate::peers::debian;
use crate::run::{Running, call, free_port, target, wait_for_port};

const CASES: [Case; 3] = [
    Case {
        name: "1 KiB, fixed 4,000/s",
        file: "1k",
        connections: None,
        targets: &["nginx", "gateway bare", "gateway story"],
    },
    Case {
        name: "100 KiB, closed loop",
        file: "100k",
        connections: Some(32),
        targets: &["nginx", "gateway bare"],
    },
    Case {
        name: "10 MiB, closed loop",
        file: "10m",
        connections: Some(8),
        targets: &["nginx", "nginx 64k buffers", "gateway bare"],
    },
];

pub(super) fn run(options: &Options) -> anyhow::Result<()> {
    let stand = Stand::set_up(&options.profile)?;
    let mut figures = Vec::new();
    for case in &CASES {
        figures.extend(measure(&stand.targets, case, options, &stand.scratch)?);
    }
    if options.json {
        println!("{}", serde_json::to_string(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

/// Builds with a profile; the path of what came out.
pub(super) fn build(profile: &str, what: &[&str], name: &str) -> anyhow::Result<PathBuf> {
    call(Command::new("cargo").args(["build", "--quiet", "--profile", profile]).args(what))?;
    Ok(target().join(profile).join(name))
}

/// Everything that runs while we measure. All of it stays up through all rounds.
pub(super) struct Stand {
    pub(super) targets: Vec<Target>,
    pub(super) scratch: PathBuf,
    /// What the upstream serves.
    pub(super) files: PathBuf,
    _nginx: Vec<Nginx>,
    _gateways: Vec<Running>,
}

impl Stand {
    pub(super) fn set_up(profile: &str) -> anyhow::Result<Self> {
        for (program, package) in [("nginx", "nginx-light"), ("wrk", "wrk"), ("h2load", "nghttp2-client")] {
            debian::ensure(program, package)?;
        }
        let example = ["-p", "pierhead-gateway", "--example", "bench_proxy"];
        let binary = build(profile, &example, "examples/bench_proxy")?;
        let scratch = crate::run::cache()?.join("bench-proxy");
        let files = scratch.join("files");
        // The story's proxy asks for the same file below the hub's path.
        for folder in [files.clone(), files.join("elements/api-v2")] {
            std::fs::create_dir_all(&folder)?;
            for (name, size) in [("1k", 1024), ("100k", 100 * 1024), ("10m", 10 * 1024 * 1024)] {
                std::fs::write(folder.join(name), vec![b'p'; size])?;
            }
        }
        let upstream = free_port()?;
        let mut nginx = vec![Nginx::files(&scratch, &files, upstream)?];
        let mut targets = Vec::new();
        for (name, file, extra) in [
            ("nginx", "peer", ""),
            (
                "nginx 64k buffers",
                "peer64",
                "proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;",
            ),
        ] {
            let port = free_port()?;
            let peer = Nginx::proxy(&scratch, file, port, upstream, extra)?;
            targets.push(Target { name, pid: peer.pid(), port, path: "/" });
            nginx.push(peer);
        }
        let mut gateways = Vec::new();
        for (name, chain) in [("gateway bare", "bare"), ("gateway story", "story")] {
            let port = free_port()?;
            let gateway = Running::start(
                Command::new(&binary)
                    .args([&format!("127.0.0.1:{port}"), &upstream.to_string(), chain])
                    .stdout(Stdio::null()),
            )?;
            targets.push(Target { name, pid: gateway.pid(), port, path: "/" });
            gateways.push(gateway);
            wait_for_port(port)?;
        }
        Ok(Self { targets, scratch, files, _nginx: nginx, _gateways: gateways })
    }
}
