//! The listener: share-nothing threads, each with its own runtime, accept queue and upstream pool.
//!
//! Measured (performance A1): one current-thread runtime per core costs a third less than a multi-thread
//! one. Nothing is shared between the threads but the snapshot cell and two numbers.

mod access_log;
mod clock;
mod connection;
mod connections;
mod date;
mod deadline;
mod farewell;
mod http1;
mod http2;
mod pace;
mod prefetched_rng;
mod request_body;
mod rewound;
mod worker;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use pierhead_domain::{SharedClock, SharedRng};
use rustls::pki_types::CertificateDer;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::{mpsc, watch};

use crate::counters::{CounterReader, Counters, ThreadCounters};
use crate::exchange::Node;
use crate::limits::Limits;
use crate::ports::Ports;
use crate::snapshot::SnapshotCell;
use crate::state::RunState;
use crate::tls::Tls;
use crate::trace::{Replayer, TraceSessions};

pub use self::access_log::{AccessLog, AccessRecord};
pub(crate) use self::deadline::Watch;
#[cfg(test)]
pub(crate) use self::http1::Stream;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::http1::fuzz_requests;
pub(crate) use self::http1::{Expects, RequestHead};
pub(crate) use self::pace::TooSlow;
pub(crate) use self::request_body::BodyReader;
pub(crate) use self::worker::Worker;

/// What a gateway needs to start.
pub struct GatewayConfig {
    /// Where to listen; port 0 takes a free one.
    pub addr: SocketAddr,
    /// Where to listen beside that, speaking TLS.
    pub tls: Vec<TlsListener>,
    /// Serving threads; `None` is one per core.
    pub threads: Option<NonZeroUsize>,
    /// Bounds.
    pub limits: Limits,
    /// Time.
    pub clock: SharedClock,
    /// Randomness.
    pub rng: SharedRng,
    /// The way out to the rest of the program.
    pub ports: Ports,
    /// What is served; changes are seen by the next request.
    pub snapshot: Arc<SnapshotCell>,
    /// Counters and caches; those of another gateway's life go on where they were.
    pub state: Arc<RunState>,
    /// Told about each answered request; `None` costs nothing.
    pub access_log: Option<Arc<dyn AccessLog>>,
    /// What this node is called; for variables.
    pub node: Arc<Node>,
    /// Debug sessions; whoever starts them holds the same.
    pub traces: Arc<TraceSessions>,
    /// Certificate authorities trusted for targets beside the public ones.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Connects here instead of to any target, without TLS: for trying proxies out on one's own machine. The
    /// hub of this installation is not a connection.
    pub divert: Option<SocketAddr>,
}

/// An address that speaks TLS.
#[derive(Debug, Clone)]
pub struct TlsListener {
    /// Where; port 0 takes a free one.
    pub addr: SocketAddr,
    /// How.
    pub tls: Arc<Tls>,
}

impl GatewayConfig {
    /// A gateway on a free loopback port with default limits, one thread per core and no access log.
    pub fn new(clock: SharedClock, rng: SharedRng, ports: Ports, snapshot: Arc<SnapshotCell>) -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: Vec::new(),
            threads: None,
            limits: Limits::default(),
            clock,
            rng,
            ports,
            snapshot,
            state: Arc::default(),
            access_log: None,
            node: Arc::default(),
            traces: Arc::default(),
            extra_roots: Vec::new(),
            divert: None,
        }
    }
}

/// The data plane of one node.
pub struct Gateway;

impl Gateway {
    /// Binds and serves on threads of its own; may be called from any runtime or none.
    ///
    /// # Errors
    /// When the address cannot be bound or a thread or its runtime cannot be made.
    pub fn start(config: GatewayConfig) -> io::Result<RunningGateway> {
        let threads = config.threads.or_else(|| std::thread::available_parallelism().ok());
        let threads = threads.map_or(1, NonZeroUsize::get);
        let (addr, plain) = bind(config.addr, threads)?;
        let mut seats: Vec<Vec<worker::Listener>> =
            plain.into_iter().map(|socket| vec![worker::Listener { socket, tls: None }]).collect();
        let mut tls_addrs = Vec::new();
        for listener in &config.tls {
            let (addr, sockets) = bind(listener.addr, threads)?;
            tls_addrs.push(addr);
            for (seat, socket) in seats.iter_mut().zip(sockets) {
                seat.push(worker::Listener { socket, tls: Some(Arc::clone(&listener.tls)) });
            }
        }
        let (phase, _) = watch::channel(Phase::Serving);
        let (ended, ends) = mpsc::channel(1);
        config.traces.replay_by(Replayer::of(&config));
        let config = Arc::new(config);
        let connections = Arc::new(connections::Connections::default());
        let mut gateway =
            RunningGateway { addr, tls_addrs, phase, ends, threads: Vec::new(), counters: Vec::new() };
        for (index, listeners) in seats.into_iter().enumerate() {
            let counters = Arc::new(ThreadCounters::default());
            let seat = worker::Seat {
                listeners,
                threads,
                probes: index == 0,
                counters: Arc::clone(&counters),
                connections: Arc::clone(&connections),
                phase: gateway.phase.subscribe(),
                ended: ended.clone(),
            };
            let config = Arc::clone(&config);
            let thread = std::thread::Builder::new()
                .name(format!("gateway-{index}"))
                .spawn(move || worker::run(&config, seat))?;
            gateway.threads.push(thread);
            gateway.counters.push(counters);
        }
        Ok(gateway)
    }
}

/// How far a gateway is from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Accepting.
    Serving,
    /// Finishing what was begun.
    Draining,
    /// Cutting what is left.
    Stopped,
}

/// A gateway that serves. Dropping it cuts every connection.
pub struct RunningGateway {
    addr: SocketAddr,
    tls_addrs: Vec<SocketAddr>,
    phase: watch::Sender<Phase>,
    /// Closes when the last thread has ended.
    ends: mpsc::Receiver<()>,
    threads: Vec<JoinHandle<()>>,
    counters: Vec<Arc<ThreadCounters>>,
}

impl RunningGateway {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it listens speaking TLS, in the order of [`GatewayConfig::tls`].
    pub fn tls_addrs(&self) -> &[SocketAddr] {
        &self.tls_addrs
    }

    /// What it has done so far.
    pub fn counters(&self) -> Counters {
        self.counter_reader().read()
    }

    /// Reads the counters, also after the gateway has gone.
    pub fn counter_reader(&self) -> CounterReader {
        CounterReader::new(self.counters.clone())
    }

    /// Stops accepting, lets requests in flight end with `Connection: close`, and cuts what is left after
    /// `deadline`. Returns what the gateway did in its life; `in_flight` counts requests that were cut.
    pub async fn shutdown(mut self, deadline: Duration) -> Counters {
        self.phase.send_replace(Phase::Draining);
        let drained = tokio::time::timeout(deadline, self.ends.recv()).await;
        if drained.is_err() {
            self.phase.send_replace(Phase::Stopped);
            self.ends.recv().await;
        }
        self.counters()
    }
}

impl Drop for RunningGateway {
    fn drop(&mut self) {
        self.phase.send_replace(Phase::Stopped);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// One listener per thread on the same address: the kernel spreads connections over them.
fn bind(addr: SocketAddr, threads: usize) -> io::Result<(SocketAddr, Vec<TcpListener>)> {
    let first = listen(addr)?;
    // With port 0 the first one decides the port.
    let addr = first.local_addr()?;
    let mut listeners = vec![first];
    for _ in 1..threads {
        listeners.push(listen(addr)?);
    }
    Ok((addr, listeners))
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(4096)?;
    Ok(socket.into())
}
