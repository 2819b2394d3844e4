//! The control listener: HTTP/1.1 and HTTP/2 with time-outs and a bound on open connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::per_address::PerAddress;
use axum::Router;
use axum::extract::ConnectInfo;
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use pierhead_gateway::tls::{Handshakes, Tls};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt;

const CONNECTIONS: usize = 4096;
/// Of them from one address: a reverse proxy needs many, nobody needs all.
const CONNECTIONS_OF_ADDRESS: usize = 2048;
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How a client begins that speaks HTTP/2 at once (RFC 9113 §3.4).
const HTTP2: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Serves `router` on all of `listeners` until `stop` says so, then lets running requests end within `drain`.
pub(crate) async fn serve(
    listeners: Vec<(TcpListener, Option<Arc<Tls>>)>,
    router: Router,
    stop: watch::Receiver<bool>,
    drain: Duration,
) {
    let front = Front {
        plain: builder(),
        tls: builder().http1_only(),
        router,
        graceful: GracefulShutdown::new(),
        room: Arc::new(Semaphore::new(CONNECTIONS)),
        shares: PerAddress::new(CONNECTIONS_OF_ADDRESS),
        handshakes: Arc::default(),
        stop,
    };
    let accepting = listeners.into_iter().map(|(listener, tls)| front.accept_all(listener, tls));
    futures_util::future::join_all(accepting).await;
    tokio::select! {
        () = front.graceful.shutdown() => {}
        () = tokio::time::sleep(drain) => tracing::warn!("control requests were cut after {} s", drain.as_secs()),
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(64 << 10)
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .keep_alive_interval(Duration::from_secs(30));
    builder
}

/// What all control listeners share.
struct Front {
    plain: Builder<TokioExecutor>,
    /// HTTP/1.1 only, as ALPN says.
    tls: Builder<TokioExecutor>,
    router: Router,
    graceful: GracefulShutdown,
    room: Arc<Semaphore>,
    shares: PerAddress,
    handshakes: Arc<Handshakes>,
    stop: watch::Receiver<bool>,
}

impl Front {
    async fn accept_all(&self, listener: TcpListener, tls: Option<Arc<Tls>>) {
        let mut stop = self.stop.clone();
        loop {
            let accepted = tokio::select! {
                accepted = accept(&listener, &self.room) => accepted,
                () = told(&mut stop) => return,
            };
            let (stream, peer, permit) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors or the peer left: wait a little instead of spinning.
                    tracing::warn!(%error, "a control connection could not be accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let Some(held) = self.shares.hold(peer.ip()) else { continue };
            let _ = stream.set_nodelay(true);
            let serving = match &tls {
                Some(tls) => self.over_tls(stream, peer, Arc::clone(tls)).boxed(),
                None => self.plainly(stream, peer).boxed(),
            };
            tokio::spawn(async move {
                serving.await;
                drop((permit, held));
            });
        }
    }

    fn plainly(&self, stream: TcpStream, peer: SocketAddr) -> impl Future<Output = ()> + use<> {
        let (builder, watcher, mut stop) = (self.plain.clone(), self.graceful.watcher(), self.stop.clone());
        let service = service(self.router.clone(), peer);
        async move {
            let speaks = tokio::select! {
                speaks = speaks(&stream) => speaks,
                () = told(&mut stop) => false,
            };
            if speaks {
                let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
                // How a connection ends is its client's affair.
                let _ = watcher.watch(connection.into_owned()).await;
            }
        }
    }

    fn over_tls(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        tls: Arc<Tls>,
    ) -> impl Future<Output = ()> + use<> {
        let (builder, watcher, mut stop) = (self.tls.clone(), self.graceful.watcher(), self.stop.clone());
        let service = service(self.router.clone(), peer);
        let handshakes = Arc::clone(&self.handshakes);
        async move {
            let shaken = tokio::select! {
                shaken = tls.accept(stream, &handshakes, HEADER_TIMEOUT) => shaken,
                () = told(&mut stop) => return,
            };
            match shaken {
                Ok(stream) => {
                    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
                    let _ = watcher.watch(connection.into_owned()).await;
                }
                Err(why) => tracing::debug!(%peer, %why, "no TLS with {peer}: {why}"),
            }
        }
    }
}

/// Tells the router who asks.
fn service(
    router: Router,
    peer: SocketAddr,
) -> impl hyper::service::Service<
    hyper::Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> {
    hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
        router.clone().oneshot(request)
    })
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

/// Waits until it is clear which HTTP version the client speaks; false when that takes too long. The server
/// below waits for that without any limit: silence, or a part of HTTP/2's first words, would keep a
/// connection for ever.
async fn speaks(stream: &TcpStream) -> bool {
    let clear = async {
        let mut seen = [0; HTTP2.len()];
        loop {
            let count = stream.peek(&mut seen).await.unwrap_or(0);
            if count == 0 {
                return false;
            }
            if count == HTTP2.len() || seen[..count] != HTTP2[..count] {
                return true;
            }
            // What was seen stays, so that there is always something to be seen.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(HEADER_TIMEOUT, clear).await.unwrap_or(false)
}

async fn told(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same as `true`.
    let _ = stop.wait_for(|stop| *stop).await;
}
