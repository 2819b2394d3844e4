//! One serving thread: its accept loop and what its connections share.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use ahash::AHashMap;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::LocalOptions;
use tokio::sync::{mpsc, watch};

use super::access_log::AccessLog;
use super::connection::{Ends, Switched};
use super::connections::Connections;
use super::date::DateLine;
use super::http1::Stream;
use super::prefetched_rng::PrefetchedRng;
use super::{GatewayConfig, Phase, connection, farewell, http2};
use crate::counters::ThreadCounters;
use crate::exchange::Services;
use crate::fault::EngineFault;
use crate::limits::Limits;
use crate::snapshot::SnapshotCell;
use crate::spare_maps::SpareMaps;
use crate::target::{LogSinks, UpstreamOutbound, monitor};
use crate::tls::{Handshakes, Tls, TlsSession};
use crate::tunnel;
use crate::upstream::Upstreams;

/// What a thread is given of its own.
pub(super) struct Seat {
    pub(super) listeners: Vec<Listener>,
    pub(super) threads: usize,
    /// This thread probes the targets' servers for all.
    pub(super) probes: bool,
    pub(super) counters: Arc<ThreadCounters>,
    pub(super) connections: Arc<Connections>,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) ended: mpsc::Sender<()>,
}

/// One of a thread's accept queues.
pub(super) struct Listener {
    pub(super) socket: StdListener,
    pub(super) tls: Option<Arc<Tls>>,
}

/// What the connections of one thread share.
pub(crate) struct Worker {
    pub(crate) limits: Limits,
    pub(crate) services: Rc<Services>,
    pub(crate) snapshot: Arc<SnapshotCell>,
    pub(crate) access_log: Option<Arc<dyn AccessLog>>,
    pub(crate) counters: Arc<ThreadCounters>,
    pub(crate) upstreams: Rc<Upstreams>,
    /// This thread's share of the gateway's requests in flight.
    pub(crate) requests_in_flight: u64,
    pub(super) date: DateLine,
    pub(crate) spare_maps: Rc<SpareMaps>,
    handshakes: Handshakes,
    draining: Cell<bool>,
    open: RefCell<AHashMap<u64, Waker>>,
    next_connection: Cell<u64>,
}

/// Runs a thread to its end.
pub(super) fn run(config: &GatewayConfig, seat: Seat) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    match runtime {
        Ok(runtime) => runtime.block_on(serve(config, seat)),
        Err(error) => tracing::error!(%error, "a serving thread of the gateway has no runtime: {error}"),
    }
}

async fn serve(config: &GatewayConfig, seat: Seat) {
    let Seat { listeners, threads, probes, counters, connections, mut phase, ended } = seat;
    let listeners: io::Result<Vec<_>> =
        listeners.into_iter().map(|each| Ok((TcpListener::from_std(each.socket)?, each.tls))).collect();
    let listeners = match listeners {
        Ok(listeners) => listeners,
        Err(error) => return tracing::error!(%error, "the gateway cannot listen: {error}"),
    };
    let worker = Rc::new(Worker::new(config, threads, counters));
    let sweep = tokio::task::spawn_local(Upstreams::sweep(Rc::clone(&worker.upstreams)));
    let monitor = probes.then(|| tokio::task::spawn_local(monitor(Rc::clone(&worker))));
    let accepting = listeners.iter().map(|(listener, tls)| {
        accept_until_drained(&worker, listener, tls.as_ref(), &connections, phase.clone())
    });
    futures_util::future::join_all(accepting).await;
    drop(listeners);
    worker.drain();
    let all_closed = async {
        while !worker.open.borrow().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = all_closed => {}
        _ = phase.wait_for(|phase| *phase == Phase::Stopped) => {}
    }
    sweep.abort();
    if let Some(monitor) = monitor {
        monitor.abort();
    }
    drop(ended);
}

async fn accept_until_drained(
    worker: &Rc<Worker>,
    listener: &TcpListener,
    tls: Option<&Arc<Tls>>,
    connections: &Arc<Connections>,
    mut phase: watch::Receiver<Phase>,
) {
    let drained = phase.wait_for(|phase| *phase != Phase::Serving);
    tokio::pin!(drained);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let open = Open::new(worker, connections, peer);
                    tokio::task::spawn_local(welcome(stream, peer, tls.cloned(), open));
                }
                // Out of descriptors, most likely: those who wait are served when others leave.
                Err(error) => {
                    tracing::warn!(%error, "the gateway cannot accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            _ = &mut drained => break,
        }
    }
    // What the kernel has already accepted for us would be reset by closing the listener.
    while let Some(Ok((stream, peer))) = poll_once(listener.accept()).await {
        tokio::task::spawn_local(welcome(stream, peer, tls.cloned(), Open::new(worker, connections, peer)));
    }
}

/// The result of a future that is ready at once.
async fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| {
        std::task::Poll::Ready(match future.as_mut().poll(cx) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

async fn welcome(stream: TcpStream, peer: SocketAddr, tls: Option<Arc<Tls>>, open: Open) {
    // Answers are written whole: waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    if open.too_many {
        open.worker.counters.shed();
        // Saying so in TLS would cost more than the connection that was refused.
        if tls.is_some() {
            return;
        }
        return farewell::refuse(stream, &EngineFault::Overloaded).await;
    }
    let local = stream.local_addr().unwrap_or(peer);
    let Some(tls) = tls else {
        return converse(open, stream, Ends { peer, local, tls: None }).await;
    };
    match tls.accept(stream, &open.worker.handshakes, open.worker.limits.handshake_timeout).await {
        Ok(stream) => {
            let agreed = stream.get_ref().1;
            let speaks_http2 = agreed.alpn_protocol() == Some(b"h2");
            let ends = Ends { peer, local, tls: Some(Rc::new(TlsSession::of(agreed))) };
            if speaks_http2 {
                http2::drive(Rc::new(open), stream, ends).await;
            } else {
                converse(open, stream, ends).await;
            }
        }
        Err(why) => {
            open.worker.counters.handshake_failed();
            tracing::debug!(%peer, %why, "no TLS with {peer}: {why}");
        }
    }
}

/// Speaks HTTP/1, and after it what client and gateway change to.
async fn converse(open: Open, stream: impl Stream + 'static, ends: Ends) {
    match connection::drive(&open, stream, &ends).await {
        None => {}
        Some(Switched::Http2(stream)) => http2::drive(Rc::new(open), stream, ends).await,
        Some(Switched::Tunnel { client, first, tunnel }) => {
            // A task of its own, without the room that requests need.
            tokio::task::spawn_local(async move {
                tunnel::carry(client, first, tunnel, &open.worker.counters).await;
            });
        }
    }
}

impl Worker {
    fn new(config: &GatewayConfig, threads: usize, counters: Arc<ThreadCounters>) -> Self {
        let limits = config.limits.clone();
        let upstreams =
            Rc::new(Upstreams::new(&limits, Arc::clone(&counters), &config.extra_roots, config.divert));
        Self {
            requests_in_flight: limits.requests_in_flight.div_ceil(threads) as u64,
            // One per thread, so that its reference count stays on one core.
            services: Rc::new(Services {
                ports: config.ports.clone(),
                state: Arc::clone(&config.state),
                clock: config.clock.clone(),
                rng: Arc::new(PrefetchedRng::new(config.rng.clone())),
                outbound: Rc::new(UpstreamOutbound {
                    logs: LogSinks::new(Rc::clone(&upstreams), Arc::clone(&counters)),
                    upstreams: Rc::clone(&upstreams),
                }),
                key_sets: crate::policy::KeySets::default(),
                google: crate::google::GoogleTokens::default(),
                node: Arc::clone(&config.node),
                traces: Arc::clone(&config.traces),
            }),
            snapshot: Arc::clone(&config.snapshot),
            access_log: config.access_log.clone(),
            upstreams,
            counters,
            limits,
            date: DateLine::default(),
            spare_maps: Rc::default(),
            handshakes: Handshakes::default(),
            draining: Cell::new(false),
            open: RefCell::default(),
            next_connection: Cell::new(0),
        }
    }

    pub(super) fn draining(&self) -> bool {
        self.draining.get()
    }

    /// Tells every connection that the present request is its last.
    fn drain(&self) {
        self.draining.set(true);
        for waker in self.open.borrow().values() {
            waker.wake_by_ref();
        }
    }
}

/// An open connection, counted while it lives.
pub(super) struct Open {
    pub(super) worker: Rc<Worker>,
    id: u64,
    connections: Arc<Connections>,
    address: IpAddr,
    too_many: bool,
}

impl Open {
    fn new(worker: &Rc<Worker>, connections: &Arc<Connections>, peer: SocketAddr) -> Self {
        let id = worker.next_connection.get();
        worker.next_connection.set(id + 1);
        worker.open.borrow_mut().insert(id, Waker::noop().clone());
        worker.counters.connection_opened();
        let address = peer.ip();
        let counted = connections.begin(address);
        Self {
            worker: Rc::clone(worker),
            id,
            connections: Arc::clone(connections),
            address,
            too_many: counted.all > worker.limits.connections
                || counted.of_address > worker.limits.connections_of_address,
        }
    }

    /// Who is to be woken when the thread drains.
    pub(super) fn wake_on_drain(&self, waker: &Waker) {
        if let Some(known) = self.worker.open.borrow_mut().get_mut(&self.id) {
            known.clone_from(waker);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.worker.open.borrow_mut().remove(&self.id);
        self.connections.end(self.address);
        self.worker.counters.connection_closed();
    }
}
