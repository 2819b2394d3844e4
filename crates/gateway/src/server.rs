//! The listener: share-nothing threads, each with its own runtime, accept queue and upstream pool.
//!
//! Measured (performance A1): one current-thread runtime per core costs a third less than a multi-thread
//! one. Nothing is shared between the threads but the snapshot cell and two numbers.

mod access_log;
mod connection;
mod date;
mod deadline;
mod farewell;
mod http1;
mod prefetched_rng;
mod worker;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
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
use crate::trace::{Replayer, TraceSessions};

pub use self::access_log::{AccessLog, AccessRecord};
pub(crate) use self::deadline::Watch;
#[cfg(test)]
pub(crate) use self::http1::Stream;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::http1::fuzz_requests;
pub(crate) use self::http1::{BodyReader, Expects, RequestHead};
pub(crate) use self::worker::Worker;

/// What a gateway needs to start.
pub struct GatewayConfig {
    /// Where to listen; port 0 takes a free one.
    pub addr: SocketAddr,
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

impl GatewayConfig {
    /// A gateway on a free loopback port with default limits, one thread per core and no access log.
    pub fn new(clock: SharedClock, rng: SharedRng, ports: Ports, snapshot: Arc<SnapshotCell>) -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
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
        let listeners = bind(config.addr, threads.map_or(1, NonZeroUsize::get))?;
        let addr = listeners[0].local_addr()?;
        let (phase, _) = watch::channel(Phase::Serving);
        let (ended, ends) = mpsc::channel(1);
        config.traces.replay_by(Replayer::of(&config));
        let config = Arc::new(config);
        let connections = Arc::new(AtomicUsize::new(0));
        let mut gateway = RunningGateway { addr, phase, ends, threads: Vec::new(), counters: Vec::new() };
        for (index, listener) in listeners.into_iter().enumerate() {
            let counters = Arc::new(ThreadCounters::default());
            let seat = worker::Seat {
                listener,
                threads: threads.map_or(1, NonZeroUsize::get),
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
fn bind(addr: SocketAddr, threads: usize) -> io::Result<Vec<TcpListener>> {
    let first = listen(addr)?;
    // With port 0 the first one decides the port.
    let addr = first.local_addr()?;
    let mut listeners = vec![first];
    for _ in 1..threads {
        listeners.push(listen(addr)?);
    }
    Ok(listeners)
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
